"""What newer versions of a Dag have added to a run since its rerun was submitted."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE, DagStructure, TaskInstanceFacts, node_of
from airflow_rerun_downstream.domain.refs import Tasks, covers
from airflow_rerun_downstream.domain.run_accounts import RunAccount
from airflow_rerun_downstream.domain.selection import downstream_tasks, upstream_tasks


def added_to(
    tasks: Tasks,
    instances: Sequence[TaskInstanceFacts],
    account: RunAccount,
    structure: DagStructure | None,
    *,
    removed: bool = False,
) -> list[TaskInstanceFacts]:
    """What a newer version of the Dag has added to a run and belongs to a selection; or, ``removed``, what a still
    newer one has dropped of that.

    That is what follows selected tasks, or a task that waited for another run and that selected ones follow: wrong
    data may have come through it. And it is all, where the whole run was selected or a selected task is gone: any of
    the new ones may have taken its place.
    """
    chosen = {task.task_id for task in tasks}
    new = [task for task in instances if account.of(task).added]
    before = [task for task in instances if task not in new]
    added = [task for task in new if (task.state == REMOVED_TASK_STATE) is removed]
    gone = any(task.state == REMOVED_TASK_STATE and task.task_id in chosen for task in before)
    if gone or all(covers(tasks, task.task_id, task.map_index) for task in before):
        return [task for task in added if task.task_id not in chosen]
    after = downstream_tasks(structure, chosen | waited_before(structure, chosen)) - chosen
    return [task for task in added if task.task_id in after]


def waited_before(structure: DagStructure | None, chosen: Collection[str]) -> set[str]:
    """The triggering tasks before selected ones that wait for the runs that they make."""
    if structure is None:
        return set()
    before = upstream_tasks(structure, chosen)
    return {task_id for task_id in before if (node := node_of(structure, task_id)) is not None and node.waits_for_run}
