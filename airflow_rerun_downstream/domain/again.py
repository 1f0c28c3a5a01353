"""What a dispatch clears besides what is selected, and what a retry clears: all that has to run with what runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE, DagStructure
from airflow_rerun_downstream.domain.refs import Tasks, covers
from airflow_rerun_downstream.domain.selection import downstream_tasks, setups_and_teardowns

Key = tuple[str, int]
"""A task instance of a run: task id and map index."""


class Instance(Protocol):
    """A task instance, as far as a clear looks at it."""

    @property
    def task_id(self) -> str:
        """Its task."""
        ...

    @property
    def map_index(self) -> int:
        """Its index; -1 where the task isn't mapped."""
        ...

    @property
    def state(self) -> str | None:
        """Its state in Airflow."""
        ...


def to_clear_again(tasks: Tasks, structure: DagStructure | None, instances: Sequence[Instance]) -> set[Key]:
    """The task instances that a retry of a selection clears, as Airflow clears a part of a run.

    What hasn't succeeded, with the setups and teardowns that it needs, selected or not, and every selected task
    that follows what is cleared, whatever its state; so, too, for what Airflow will add to the run. In a mapped task
    group index follows index. Where nothing hasn't succeeded, or the structure doesn't know what did, the whole
    selection is made anew.
    """
    here = [one for one in instances if one.state != REMOVED_TASK_STATE]
    chosen = [one for one in here if covers(tasks, one.task_id, one.map_index)]
    broken = [one for one in chosen if one.state != "success"]
    there = {one.task_id for one in here}
    if structure is None or not broken or any(one.task_id not in structure.tasks for one in broken):
        along = needed_by_coming(structure, there)
        return {key(one) for one in chosen} | {key(one) for one in here if one.task_id in along}
    every = {one.map_index for one in here}  # nobody knows how many there will be of a mapped task
    coming = dict.fromkeys(structure.tasks.keys() - there, every)
    found = Spread(structure, indexes(here), indexes(chosen)).over({**coming, **indexes(broken)})
    return {each for each in found if each[0] not in coming}


def needed_by_coming(structure: DagStructure | None, here: Collection[str]) -> set[str]:
    """The setups and teardowns of a run that what Airflow adds to it needs: it runs that with whatever is cleared.

    ``structure``: of the version by which the run is going to run; ``here``: the tasks that the run has.
    """
    if structure is None or not here:
        return set()
    return setups_and_teardowns(structure, structure.tasks.keys() - here) & set(here)


def key(one: Instance) -> Key:
    """What names a task instance in its run."""
    return one.task_id, one.map_index


def indexes(instances: Collection[Instance]) -> dict[str, set[int]]:
    """The map indexes by task."""
    found: dict[str, set[int]] = {}
    for one in instances:
        found.setdefault(one.task_id, set()).add(one.map_index)
    return found


class Spread:
    """Follows a clear through a run, until nothing more comes along."""

    def __init__(self, structure: DagStructure, here: Mapping[str, set[int]], chosen: Mapping[str, set[int]]) -> None:
        self.structure = structure
        self.here = here
        self.chosen = chosen

    def over(self, start: Mapping[str, set[int]]) -> set[Key]:
        """All that is cleared with ``start``."""
        cleared: dict[str, set[int]] = {}
        open_: dict[str, set[int]] = {task_id: set(found) for task_id, found in start.items()}
        while open_:
            task_id, found = open_.popitem()
            new = found - cleared.get(task_id, set())
            if new:
                cleared.setdefault(task_id, set()).update(new)
                for other, more in self.next_to(task_id, new).items():
                    open_.setdefault(other, set()).update(more)
        return {(task_id, index) for task_id, found in cleared.items() for index in found}

    def next_to(self, task_id: str, cleared: set[int]) -> dict[str, set[int]]:
        """What runs again because some instances of a task do."""
        found: dict[str, set[int]] = {}
        for other in downstream_tasks(self.structure, [task_id]) - {task_id}:
            if other in self.chosen:
                found[other] = self.matching(task_id, other, self.chosen[other], cleared)
        for other in self.needed_by(task_id):
            if other in self.here:
                found.setdefault(other, set()).update(self.matching(task_id, other, self.here[other], cleared))
        return found

    def needed_by(self, task_id: str) -> set[str]:
        """The setups and teardowns that run with a task; a teardown by itself needs no setup, as in Airflow's clear."""
        node = self.structure.tasks.get(task_id)
        return set() if node is None or node.is_teardown else setups_and_teardowns(self.structure, [task_id])

    def matching(self, task_id: str, other: str, there: set[int], cleared: set[int]) -> set[int]:
        """The instances of another task that go with those of this one: in a mapped group those of the same index."""
        groups = (self.structure.groups.get(name, ()) for name in self.structure.mapped_groups)
        return there & cleared if any(task_id in ids and other in ids for ids in groups) else set(there)
