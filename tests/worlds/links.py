"""What every kind of link between two Dags has."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_rerun_downstream.domain.plan import LinkKind
from tests.worlds.model import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.worlds.model import Dag, Run, World


class Link:
    """A link from ``up`` to ``down``, made up by its own random numbers: without it the others stay as they are.

    ``declare`` gives the Dags their tasks, ``start`` makes runs of ``down``, ``read`` lets those read that are there.
    """

    kind: ClassVar[LinkKind]
    variant: ClassVar[str]
    form: ClassVar[str] = "timed"
    """Which form the Dag downstream must have; ``any`` for each that runs."""
    weight: ClassVar[float] = 1.0
    """How often it is chosen, so that each variant gets its share of all that is read."""
    dated_up: ClassVar[bool] = False
    """Whether the Dag upstream must have logical dates."""

    def __init__(self, world: World, number: int, ups: Sequence[Dag], down: Dag, random: Random) -> None:
        self.world, self.number, self.down, self.random = world, number, down, random
        self.ups = list(ups)
        self.up = ups[0]

    def __str__(self) -> str:
        return f"{self.number} {self.variant}: {self.up.dag_id} > {self.down.dag_id}{self.told()}"

    def told(self) -> str:
        """What a person has to know to see what happens here."""
        return ""

    def chance(self, share: float) -> bool:
        """Whether something happens that happens so often."""
        return self.random.random() < share

    def name(self, word: str) -> str:
        """A task's name that only this link has."""
        return f"{word}{self.number}"

    def base(self, dag: Dag, version: int) -> str:
        """A task that a Dag has anyway; the same one in both versions."""
        chosen = Random(f"{self.world.seed}/{self.number}/{dag.dag_id}").choice(["first", "last", "aside", "grp.mid"])
        return dag.last(version) if chosen == "last" else chosen

    def add_after(self, dag: Dag, task_id: str, make: Any, versions: Sequence[int] = (0, 1)) -> None:
        """A task of this link, after one that the Dag has anyway."""
        for version in versions:
            dag.add(Task(task_id, make, (self.base(dag, version),)), (version,))

    def leads_to(self, dag_id: str) -> set[str]:
        """The Dags of which runs may have read what a run of a Dag made, as far as this link's definitions tell."""
        return {self.down.dag_id} if dag_id in {up.dag_id for up in self.ups} else set()

    def declare(self) -> None:
        """Give the Dags their tasks."""

    def start(self) -> None:
        """Make runs of the Dag downstream."""

    def read(self) -> None:
        """Let the runs of the Dag downstream read."""

    def took(
        self,
        up: Run,
        tasks: Sequence[str] | None,
        down: Run,
        task: str | None,
        *,
        beyond: bool = False,
        told: bool = True,
    ) -> None:
        """Let a run read."""
        self.world.read(self.kind, self.variant, up, tasks, down, task, beyond=beyond, told=told)

    def unsure(self, up: Run, tasks: Sequence[str] | None) -> None:
        """Let it be past knowing who read from a run by this link."""
        self.world.doubt(self.kind, self.variant, up, tasks, self.down)
