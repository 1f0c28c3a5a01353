"""Names of things in Airflow: Dag runs and tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

SHOWN = 250
"""Longest id in a sentence, in characters: Airflow has none that is longer."""


def shown(name: str) -> str:
    """A name from a request, as a sentence takes it."""
    return name if len(name) <= SHOWN else f"{name[:SHOWN]}…"


@dataclass(frozen=True, order=True, slots=True)
class RunRef:
    """A Dag run, by the two ids that Airflow's REST API uses."""

    dag_id: str
    run_id: str

    def __str__(self) -> str:
        return f"{shown(self.dag_id)} / {shown(self.run_id)}"


by_name = attrgetter("dag_id", "run_id")
"""The order of runs as a key: sorting thousands by it is much faster than comparing them."""


@dataclass(frozen=True, slots=True)
class TaskRef:
    """A task of some run, or one index of a mapped task.

    ``map_index`` is None for all indexes of the task, whatever they are when the question is asked.
    """

    task_id: str
    map_index: int | None = None

    def covers(self, task_id: str, map_index: int) -> bool:
        """Whether the task instance ``(task_id, map_index)`` is meant by this reference."""
        return self.task_id == task_id and (self.map_index is None or self.map_index == map_index)

    def __str__(self) -> str:
        return shown(self.task_id) if self.map_index is None else f"{shown(self.task_id)}[{self.map_index}]"


Tasks = tuple[TaskRef, ...]
"""A selection of tasks inside one run: never empty, sorted, no task both whole and by index."""


def normalised(tasks: Iterable[TaskRef]) -> Tasks:
    """Sort a selection, drop repeats, and drop indexes of tasks that are selected whole."""
    unique = set(tasks)
    whole = {task.task_id for task in unique if task.map_index is None}
    kept = (task for task in unique if task.map_index is None or task.task_id not in whole)
    return tuple(sorted(kept, key=lambda task: (task.task_id, -1 if task.map_index is None else task.map_index)))


def covers(tasks: Sequence[TaskRef], task_id: str, map_index: int) -> bool:
    """Whether any reference of a selection means the task instance."""
    return any(task.covers(task_id, map_index) for task in tasks)


class Covering:
    """Which task instances a selection means, as `covers` says: for who asks of many."""

    def __init__(self, tasks: Iterable[TaskRef]) -> None:
        self.meant = frozenset((task.task_id, task.map_index) for task in tasks)

    def covers(self, task_id: str, map_index: int) -> bool:
        """Whether any reference of the selection means the task instance."""
        return (task_id, None) in self.meant or (task_id, map_index) in self.meant


def task_ids(selected: Mapping[RunRef, Tasks]) -> dict[RunRef, frozenset[str]]:
    """The ids of the tasks in selections of runs."""
    return {ref: frozenset(task.task_id for task in tasks) for ref, tasks in selected.items()}
