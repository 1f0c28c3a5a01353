"""What a walk has found: runs, the links that wrong data went through, and the tasks that it has reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from airflow_rerun_downstream.domain.facts import RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.selection import brought_along
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.lineage.kinds.base import FoundLink

Instances = Mapping[RunRef, Sequence[TaskInstanceFacts]]
"""The task instances of runs."""


@dataclass(slots=True)
class Pollution:
    """The tasks of a run that wrong data reached; ``whole`` stands for all of them.

    ``passed``: the tasks that aren't wrong themselves, but waited for a run that is.
    """

    whole: bool = False
    task_ids: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)

    def touches(self, tasks: frozenset[str] | None) -> bool:
        """Whether any of the tasks is polluted; None means the run as a whole."""
        return self.whole or tasks is None or not self.task_ids.isdisjoint(tasks)

    def carries(self, tasks: frozenset[str] | None) -> bool:
        """Whether wrong data left the run by any of the tasks: one that only waited passes it on, too."""
        return self.touches(tasks) or (tasks is not None and not self.passed.isdisjoint(tasks))

    @property
    def only_passed(self) -> bool:
        """Whether nothing is wrong in the run, and tasks of it waited for a run that is."""
        return bool(self.passed) and not self.whole and not self.task_ids

    def passes(self, task_id: str) -> bool:
        """Note a task that only waited; answer whether it wasn't known."""
        known = self.whole or task_id in self.passed
        self.passed.add(task_id)
        return not known

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

    def leaves(self, found: FoundLink, among: Pollution | None = None) -> bool:
        """Whether wrong data left a run by a link. Of the runs that a task made, it waited for one that isn't right.

        ``among``: of the run's wrong tasks, those to look at; None: all.
        """
        pollution = self.pollution[found.link.upstream] if among is None else among
        return (pollution.touches if found.link.kind is LinkKind.TRIGGER else pollution.carries)(found.from_tasks)

    def drop_idle(self) -> None:
        """Drop the runs in which nothing is wrong and that have passed nothing on: tasks of them waited in vain."""
        while idle := self.idle():
            self.found = [each for each in self.found if each.downstream is None or each.downstream.ref not in idle]
            for ref in idle:
                del self.runs[ref], self.pollution[ref], self.depth[ref]

    def idle(self) -> set[RunRef]:
        """See `drop_idle`."""
        leaving = {each.link.upstream for each in self.found}
        return {ref for ref, tasks in self.pollution.items() if tasks.only_passed and ref not in leaving}

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
