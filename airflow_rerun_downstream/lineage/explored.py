"""What a walk has found: runs, the links that wrong data went through, and the tasks that it has reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from airflow_rerun_downstream.domain.facts import RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.selection import brought_along
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.lineage.kinds.base import FoundLink

Instances = Mapping[RunRef, Sequence[TaskInstanceFacts]]
"""The task instances of runs."""


@dataclass
class Pollution:
    """The tasks of a run that wrong data reached; ``whole`` stands for all of them."""

    whole: bool = False
    task_ids: set[str] = field(default_factory=set)

    def touches(self, tasks: frozenset[str] | None) -> bool:
        """Whether any of the tasks is polluted; None means the run as a whole."""
        return self.whole or tasks is None or not self.task_ids.isdisjoint(tasks)

    def spread(self, tasks: Collection[str] | None) -> bool:
        """Add tasks (None: all); answer whether that was anything new."""
        if self.whole:
            return False
        if tasks is None:
            self.whole = True
            return True
        before = len(self.task_ids)
        self.task_ids.update(tasks)
        return len(self.task_ids) > before


@dataclass
class Explored:
    """What the walk found: runs, the links that wrong data went through, and which tasks it reached."""

    runs: dict[RunRef, RunFacts]
    found: list[FoundLink]
    pollution: dict[RunRef, Pollution]
    structures: Structures
    depth: dict[RunRef, int] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    along: dict[RunRef, Mapping[str, str]] = field(default_factory=dict)
    unknown: dict[RunRef, set[str]] = field(default_factory=dict)

    def settle(self) -> None:
        """Drop the links back to a run whose waiting task is polluted itself.

        It makes its run anew and waits for that, or it is left out in favour of it: the link to that run says as much.
        """
        self.found = [
            each
            for each in self.found
            if not (each.beyond and each.downstream and self.triggers_itself(each.downstream.ref, each.to_task))
        ]

    def triggers_itself(self, ref: RunRef, task_id: str | None) -> bool:
        """Whether wrong data has reached a task of a run, which doesn't just come along because it failed."""
        return self.pollution[ref].touches(just(task_id)) and task_id not in self.along.get(ref, ())

    def brings_along(self, ref: RunRef, instances: Sequence[TaskInstanceFacts]) -> bool:
        """Pollute what comes along with a downstream run's polluted tasks; answer whether that was anything new."""
        pollution = self.pollution[ref]
        if pollution.whole or not self.depth[ref]:
            return False
        found = brought_along(self.structures.get(ref), pollution.task_ids, instances)
        self.along[ref] = {**found, **self.along.get(ref, {})}
        return pollution.spread(found)


def just(task_id: str | None) -> frozenset[str] | None:
    """One task as a set; None stands for the whole run."""
    return None if task_id is None else frozenset({task_id})
