"""A deployment as only its author can know it: its Dags, what ran, who read what, and what the records still say.

Nothing here comes from the code that is tested: what a run has read is written down at the moment at which the random
choice lets it read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.refs import RunRef

FIRST_DAY = datetime(2026, 11, 10, tzinfo=timezone.utc)
DAYS = 4
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = FIRST_DAY + 8 * DAY


@dataclass(frozen=True)
class Task:
    """A task of one version. ``make`` gives its operator, or for a mapped group whatever stands for all its tasks;
    None for a task that another's ``make`` makes. ``count``: over how many indexes it is mapped.
    """

    task_id: str
    make: Callable[[], Any] | None = None
    after: tuple[str, ...] = ()
    count: int | None = None


@dataclass
class Dag:
    """A Dag, with its tasks in each version: the first ``changes`` of the days ran on the first one.

    ``form``: ``timed``, ``assets`` (any of them starts it), ``asset_or_time``, or ``none`` (only tasks start it).
    """

    dag_id: str
    form: str
    hour: int
    changes: bool = False
    renames: bool = False
    stale: bool = False
    policy: bool = True
    params: tuple[dict[str, Any], dict[str, Any]] = field(default_factory=lambda: ({}, {}))
    assets: list[Any] = field(default_factory=list)
    versions: tuple[dict[str, Task], dict[str, Task]] = field(default_factory=lambda: ({}, {}))

    @property
    def dated(self) -> bool:
        """Whether every run has a logical date."""
        return self.form == "timed"

    def add(self, task: Task, versions: Collection[int] = (0, 1)) -> None:
        """Give some versions a task."""
        for version in versions:
            self.versions[version][task.task_id] = task

    def before_last(self, task_id: str, version: int) -> None:
        """Let a task come before the one at the end."""
        tasks, name = self.versions[version], self.last(version)
        tasks[name] = replace(tasks[name], after=(*tasks[name].after, task_id))

    def last(self, version: int) -> str:
        """The name of the task at the end."""
        return "last_old" if self.renames and version == 0 else "last"

    def followers(self, version: int, tasks: Collection[str]) -> set[str]:
        """Tasks and all that comes after them."""
        found, waiting = set(tasks), list(tasks)
        while waiting:
            task_id = waiting.pop()
            for other in self.versions[version].values():
                if task_id in other.after and other.task_id not in found:
                    found.add(other.task_id)
                    waiting.append(other.task_id)
        return found


@dataclass
class Instance:
    """What Airflow keeps of a task instance. One without a try was never started."""

    state: str = "success"
    tries: int = 1
    start: datetime = FIRST_DAY
    end: datetime = FIRST_DAY


@dataclass
class Run:
    """A run, by whose clock or task it was made (``scheduled``, ``asset`` or ``operator``)."""

    ref: RunRef
    dag: Dag
    day: int
    version: int
    logical: datetime | None
    ready: datetime
    by: str
    conf: dict[str, Any] = field(default_factory=dict)
    instances: dict[tuple[str, int], Instance] = field(default_factory=dict)
    outlived_by: set[str] = field(default_factory=set)
    """Tasks that went on after the run had been ended."""

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks of its version."""
        return self.dag.versions[self.version]

    @property
    def end(self) -> datetime:
        """When it ended."""
        ends = (each.end for (name, _), each in self.instances.items() if name not in self.outlived_by)
        return max(ends, default=self.ready) + MINUTE

    def delay(self, ready: datetime) -> None:
        """Let it begin no earlier than a moment."""
        for each in self.instances.values():
            each.start += max(ready - self.ready, timedelta())
            each.end += max(ready - self.ready, timedelta())
        self.ready = max(ready, self.ready)

    def of(self, task_id: str) -> Iterator[tuple[int, Instance]]:
        """The instances of a task, by their map indexes."""
        return ((index, each) for (name, index), each in self.instances.items() if name == task_id)


@dataclass(frozen=True)
class Reading:
    """A task of ``down`` (None: the whole run) read what ``tasks`` of ``up`` had made (None: any of them).

    ``beyond``: what follows the task read, it only waited. ``told``: something still says so, at least that it may be.
    """

    kind: LinkKind
    variant: str
    up: RunRef
    tasks: frozenset[str] | None
    down: RunRef
    task: str | None
    beyond: bool = False
    told: bool = True


@dataclass(frozen=True)
class Doubt:
    """What is left doesn't tell which run of a Dag read from ``up``, or whether one did."""

    kind: LinkKind
    variant: str
    up: RunRef
    tasks: frozenset[str] | None
    dag_id: str


@dataclass(frozen=True)
class XCom:
    """A record of a task instance."""

    run: RunRef
    task_id: str
    map_index: int
    key: str
    value: Any
    at: datetime


@dataclass
class Event:
    """An asset event, who consumed it, and the alias through which it came; ``kept`` unless it was cleaned away."""

    asset: str
    run: RunRef
    task_id: str
    at: datetime
    consumers: list[RunRef] = field(default_factory=list)
    alias: str | None = None
    kept: bool = True


@dataclass
class World:
    """A deployment and its past. ``kept_since``: since when Airflow keeps ``xcoms``, ``fields`` and ``events``."""

    seed: str
    prefix: str
    changes_on: int
    kept_since: Mapping[str, datetime]
    dags: list[Dag] = field(default_factory=list)
    links: list[Any] = field(default_factory=list)
    runs: dict[RunRef, Run] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    xcoms: list[XCom] = field(default_factory=list)
    rendered: dict[tuple[RunRef, str, int], Mapping[str, Any]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    left_out: frozenset[str] = frozenset()
    declared: list[str] = field(default_factory=list)
    at_last: list[Callable[[], None]] = field(default_factory=list)
    """What can only be written down when everything has run."""
    repaired: list[Any] = field(default_factory=list)
    """What earlier reruns have made anew."""
    sources: list[tuple[RunRef, tuple[str, ...] | None]] = field(default_factory=list)

    def runs_of(self, dag: Dag) -> list[Run]:
        """The runs of a Dag, the earliest first."""
        return sorted((run for run in self.runs.values() if run.dag is dag), key=lambda run: (run.ready, run.ref))

    def at(self, dag: Dag, date: datetime | None) -> Run | None:
        """The run of a Dag at a logical date."""
        return next((run for run in self.runs_of(dag) if date is not None and run.logical == date), None)

    def keeps(self, what: str, at: datetime) -> bool:
        """Whether a record of that moment hasn't been cleaned away."""
        return at >= self.kept_since.get(what, FIRST_DAY - DAY)

    def version_on(self, dag: Dag, day: int) -> int:
        """Which version the runs of a day have."""
        return int(not dag.changes or day >= self.changes_on)

    def add_run(self, dag: Dag, run_id: str, day: int, *, logical: datetime | None, ready: datetime, by: str) -> Run:
        """A run all of whose tasks succeeded."""
        run = Run(RunRef(dag.dag_id, run_id), dag, day, self.version_on(dag, day), logical, ready, by)
        for task in run.tasks.values():
            for index in range(task.count) if task.count else (-1,):
                run.instances[task.task_id, index] = Instance(start=ready + 2 * MINUTE, end=ready + 3 * MINUTE)
        self.runs[run.ref] = run
        return run

    def read(
        self,
        kind: LinkKind,
        variant: str,
        up: Run,
        tasks: Sequence[str] | None,
        down: Run,
        task: str | None,
        *,
        beyond: bool = False,
        told: bool = True,
    ) -> None:
        """Let a run read."""
        named = None if tasks is None else frozenset(tasks)
        self.readings.append(Reading(kind, variant, up.ref, named, down.ref, task, beyond=beyond, told=told))

    def doubt(self, kind: LinkKind, variant: str, up: Run, tasks: Sequence[str] | None, dag: Dag) -> None:
        """Let it be past knowing whether and where a run was read."""
        named = None if tasks is None else frozenset(tasks)
        self.doubts.append(Doubt(kind, variant, up.ref, named, dag.dag_id))

    def record(self, run: Run, task_id: str, key: str, value: Any, map_index: int = -1) -> bool:
        """Let a task instance leave an XCom; answer whether it is still there."""
        kept = self.keeps("xcoms", run.ready)
        if kept:
            self.xcoms.append(XCom(run.ref, task_id, map_index, key, value, run.instances[task_id, map_index].end))
        return kept

    def render(self, run: Run, task_id: str, fields: Mapping[str, Any], map_index: int = -1) -> bool:
        """Let Airflow keep what it rendered; answer whether it is still there."""
        kept = self.keeps("fields", run.ready)
        if kept:
            self.rendered[run.ref, task_id, map_index] = fields
        return kept
