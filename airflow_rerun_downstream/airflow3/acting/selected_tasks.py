"""Which task instances a selection means at the moment of a dispatch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE
from airflow_rerun_downstream.domain.refs import Tasks, covers

if TYPE_CHECKING:
    from airflow.models.taskinstance import TaskInstance


def selected(tasks: Tasks, task_instances: Sequence[TaskInstance]) -> list[TaskInstance]:
    """The task instances that a selection means; empty when none of its tasks is left.

    Removed ones don't count, with one exception: the removed indexes of a mapped task that is selected whole come
    along, as in Airflow's own clear. The task may expand to more indexes this time, and Airflow never revives a
    removed one by itself; those that stay superfluous it removes again.
    """
    meant = [ti for ti in task_instances if covers(tasks, ti.task_id, ti.map_index)]
    here = {ti.task_id for ti in meant if ti.state != REMOVED_TASK_STATE}
    revivable = here & whole(tasks)
    return [ti for ti in meant if ti.state != REMOVED_TASK_STATE or (ti.map_index >= 0 and ti.task_id in revivable)]


def whole(tasks: Tasks) -> set[str]:
    """The tasks of a selection that are meant with all their indexes."""
    return {task.task_id for task in tasks if task.map_index is None}


def first_tries(tasks: Tasks, dispatched: Sequence[TaskInstance]) -> Iterator[tuple[str, int, int]]:
    """What to remember of a dispatch: task, map index, and the first try that it starts.

    Airflow counts a try up when it schedules the task instance, not when it clears it. Index -1 of a mapped task
    stands for the indexes that don't exist yet.
    """
    for ti in dispatched:
        yield ti.task_id, ti.map_index, ti.try_number + 1
    yield from yet_to_come(tasks, dispatched)


def present_tries(tasks: Tasks, going: Sequence[TaskInstance]) -> Iterator[tuple[str, int, int]]:
    """What to remember of a run that somebody else has cleared: like `first_tries`, with the tries that have begun."""
    for ti in going:
        yield ti.task_id, ti.map_index, ti.try_number + (ti.state is None)
    yield from yet_to_come(tasks, going)


def yet_to_come(tasks: Tasks, dispatched: Sequence[TaskInstance]) -> Iterator[tuple[str, int, int]]:
    """Index -1 of the mapped tasks, for the indexes that don't exist yet."""
    unexpanded = {ti.task_id for ti in dispatched if ti.map_index < 0}
    mapped = {ti.task_id for ti in dispatched if ti.map_index >= 0}
    for task_id in sorted(mapped & whole(tasks) - unexpanded):
        yield task_id, -1, 1
