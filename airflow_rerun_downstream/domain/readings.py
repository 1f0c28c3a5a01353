"""Who has read what of whom, by tasks, and the runs that take part while stages are cut from their tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.selection import downstream_tasks, upstream_tasks


@dataclass(frozen=True, slots=True)
class Reading:
    """Tasks of one run have read what tasks of another made; None stands for all tasks.

    ``reached`` are those that read, with all that follows them. ``maker`` is the task that made the downstream run.
    ``soft``: nobody has read, it is only better so; where it can't be kept, nothing is wrong. ``sensor``: what reads
    waits until it is there. ``waits``: the maker ends only when the run that it made has. ``through``: a task of the
    downstream run that only waited for the other one: who reads it reads what that one made.
    """

    upstream: RunRef
    downstream: RunRef
    from_tasks: frozenset[str] | None
    reached: frozenset[str] | None
    maker: str | None = None
    soft: bool = False
    sensor: bool = False
    waits: bool = False
    through: str | None = None


@dataclass
class Member:
    """A run that takes part, while stages are cut from its tasks."""

    ref: RunRef
    tasks: Tasks
    structure: DagStructure | None
    cuts: frozenset[str]
    is_made: bool = False
    done: list[set[str]] = field(default_factory=list)

    @cached_property
    def left(self) -> set[str]:
        """The selected tasks that are in no stage yet."""
        return set(self.ids)

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of its selected tasks."""
        return frozenset(task.task_id for task in self.tasks)

    def named(self, tasks: frozenset[str] | None) -> frozenset[str]:
        """The selected ones among tasks; None: all."""
        return self.ids if tasks is None else self.ids & tasks

    def needed(self, tasks: frozenset[str] | None) -> frozenset[str]:
        """The selected tasks that have to be right before tasks count as right: for one that isn't selected, those
        before it."""
        if tasks is None:
            return self.ids
        missing = tasks - self.ids
        before = upstream_tasks(self.structure, missing) if self.structure is not None and missing else set()
        return self.ids & (tasks | before)

    def knows(self, tasks: frozenset[str] | None) -> bool:
        """Whether it is known what comes before tasks in the run."""
        return self.structure is not None and tasks is not None and tasks <= self.structure.tasks.keys()

    @cached_property
    def before(self) -> dict[str, dict[str, bool]]:
        """For each selected task the nearest selected ones before it, each with whether a cut lies between them."""
        if self.structure is None:
            return {task_id: {} for task_id in self.ids}
        return {task_id: self.nearest(task_id, self.structure) for task_id in self.ids}

    def nearest(self, task_id: str, structure: DagStructure) -> dict[str, bool]:
        """See `before`."""
        found: dict[str, bool] = {}
        seen: set[tuple[str, bool]] = set()
        queue = deque([(task_id, False)])
        while queue:
            here, cut = queue.popleft()
            node = structure.tasks.get(here)
            for leader in node.leaders if node is not None else ():
                if leader in self.ids:
                    found[leader] = found.get(leader, False) or cut
                elif (leader, cut or leader in self.cuts) not in seen:
                    seen.add((leader, cut or leader in self.cuts))
                    queue.append((leader, cut or leader in self.cuts))
        return found

    @cached_property
    def inseparable(self) -> dict[str, frozenset[str]]:
        """For each selected task of a loop what goes with it at once: the loop, and what lies between its tasks."""
        found: dict[str, frozenset[str]] = {}
        for loop in self.structure.loops if self.structure is not None else ():
            after = self.ids & downstream_tasks(self.structure, loop)
            ring = frozenset(each for each in after if not loop.isdisjoint(downstream_tasks(self.structure, [each])))
            found.update(dict.fromkeys(ring, ring))
        return found

    def finish(self, batch: Collection[str]) -> None:
        """Take tasks as the run's next stage."""
        self.done.append(set(batch))
        self.left -= set(batch)

    def stage_of(self, tasks: Collection[str]) -> int | None:
        """The last stage with one of the tasks; None: there is none, or nobody has looked for stages."""
        return max((number for number, batch in enumerate(self.done) if batch & set(tasks)), default=None)

    def stages(self) -> list[Tasks]:
        """The selection, stage by stage."""
        if len(self.done) < 2:
            return [self.tasks]
        return [tuple(task for task in self.tasks if task.task_id in batch) for batch in self.done]
