"""What an example is made of: Dags of two versions, what runs them, what happens to tries, and who meddles."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Task:
    """A task of one version of a Dag. ``after``: the tasks right before it.

    ``kind``: work, empty, branch, sensor, trigger, setup or teardown. ``mapped``: how many indexes it has; 0: it isn't
    mapped. ``group``: the mapped group that it is in. ``target``: the Dag that it triggers, or waits for (``awaits``
    names the tasks; none: the run). ``again``: what a triggering task does when it runs again: makes a "new" run, can't
    make another ("one"), or clears the one that it has made ("reset"). ``asset``: what it tells of.
    """

    name: str
    kind: str = "work"
    after: frozenset[str] = frozenset()
    rule: str = "all_success"
    mapped: int = 0
    group: str | None = None
    target: str | None = None
    awaits: frozenset[str] = frozenset()
    waits: bool = False
    again: str = "new"
    asset: str | None = None


@dataclass
class Dag:
    """A Dag. ``start``: by the "clock", by "assets" (which), or by a "trigger"."""

    dag_id: str
    start: str
    assets: tuple[str, ...] = ()
    versions: list[dict[str, Task]] = field(default_factory=list)
    pinned: bool = False
    limit: int | None = None
    fails_fast: bool = False

    @property
    def first(self) -> dict[str, Task]:
        """The version by which its runs ran."""
        return self.versions[0]


@dataclass
class Example:
    """All that a seed decides. ``calm``: nothing fails, and nobody meddles.

    ``ends``: how likely tries end otherwise than well, in the runs before the rerun and in it. ``acts``: what people do
    in it, each after so many steps. ``tasks``: the source tasks that somebody names; None: the default.
    """

    seed: str
    kind: str
    dags: list[Dag] = field(default_factory=list)
    skews: tuple[float, ...] = (0.0,)
    ends_before: dict[str, float] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    acts: list[tuple[int, str]] = field(default_factory=list)
    fixed_choices: bool = True
    chooses_source_tasks: bool = False
    leaves_out: bool = False
    freezes: bool = False
    limit: int | None = None
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def calm(self) -> bool:
        """Whether every rerun must succeed, with nothing to tell."""
        return self.kind == "calm"

    def by_id(self, dag_id: str) -> Dag:
        """A Dag of the example."""
        return next(dag for dag in self.dags if dag.dag_id == dag_id)
