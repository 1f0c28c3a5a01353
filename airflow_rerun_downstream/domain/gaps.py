"""Gaps in a selection of tasks: Airflow starts what stands behind one at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.refs import Tasks
from airflow_rerun_downstream.domain.selection import upstream_tasks


@dataclass(frozen=True)
class Gap:
    """A selected task starts before selected ones that it comes after: tasks between them aren't selected."""

    task_id: str
    after: tuple[str, ...]
    between: tuple[str, ...]


def gaps(structure: DagStructure | None, tasks: Tasks) -> list[Gap]:
    """The gaps in a selection of tasks that are dispatched together.

    Airflow itself keeps a task behind its setups, also across others.
    """
    ids = {task.task_id for task in tasks}
    if structure is None or ids >= structure.tasks.keys():
        return []
    found = []
    for task_id in sorted(ids & structure.tasks.keys()):
        lost, between = lost_before(structure, ids, task_id)
        if lost:
            found.append(Gap(task_id, tuple(sorted(lost)), tuple(sorted(between))))
    return found


def lost_before(structure: DagStructure, ids: Collection[str], task_id: str) -> tuple[set[str], set[str]]:
    """The nearest selected tasks before a task that it won't wait for, and the unselected ones between them."""
    missing = {each for each in structure.tasks[task_id].leaders if each not in ids}
    between, queue = set(missing), deque(missing)
    lost = set[str]()
    while queue:
        node = structure.tasks.get(queue.popleft())
        for leader in node.leaders if node is not None else ():
            if leader in ids:
                lost.add(leader)
            elif leader not in between:
                between.add(leader)
                queue.append(leader)
    if not lost:
        return set(), set()
    setup = set() if structure.tasks[task_id].is_teardown else {t for t in lost if structure.tasks[t].is_setup}
    kept = waited_for(structure, ids, task_id)
    lost -= kept | setup
    onto = {each for each in between if not lost.isdisjoint(upstream_tasks(structure, [each]))}
    return lost, onto


def waited_for(structure: DagStructure, ids: Collection[str], task_id: str) -> set[str]:
    """The selected tasks that a task surely comes after: each step between them is selected."""
    seen, queue = set[str](), deque([task_id])
    while queue:
        for leader in structure.tasks[queue.popleft()].leaders:
            if leader in ids and leader in structure.tasks and leader not in seen:
                seen.add(leader)
                queue.append(leader)
    return seen
