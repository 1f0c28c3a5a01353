"""Which task instances a selection means at the moment of a dispatch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.models.taskinstance import TaskInstance
from sqlalchemy import select

from airflow_rerun_downstream.airflow3.lineage_facts.latest_dags import runs_on_latest, structure_of_run
from airflow_rerun_downstream.airflow3.task_tables import tries_begun
from airflow_rerun_downstream.airflow3.versions import LOOP_GATE, TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.again import key, needed_by_coming, to_clear_again
from airflow_rerun_downstream.domain.eligibility import UNSTARTED_TASK_STATES
from airflow_rerun_downstream.domain.errors import CannotDispatch
from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE
from airflow_rerun_downstream.domain.refs import Tasks, covers

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session


def of_run(session: Session, run: DagRun, *conditions: Any, lock: bool = False) -> Sequence[TaskInstance]:
    """A run's task instances as they are in the database, kept from anybody else if they are locked."""
    wanted = (
        select(TaskInstance)
        .where(TaskInstance.dag_id == run.dag_id, TaskInstance.run_id == run.run_id, *conditions)
        .order_by(TaskInstance.task_id, TaskInstance.map_index)
        .execution_options(populate_existing=True)
    )
    return session.scalars(wanted.with_for_update(of=TaskInstance) if lock else wanted).all()


def not_begun(session: Session, run: DagRun) -> list[TaskInstance]:
    """The task instances of a run that somebody else has cleared whose next try hasn't begun."""
    between_tries = "up_for_retry", "restarting"
    return [ti for ti in of_run(session, run) if ti.state in {*UNSTARTED_TASK_STATES, *between_tries}]


def to_clear(session: Session, run: DagRun, tasks: Tasks, *, on_latest_version: bool) -> list[TaskInstance]:
    """The task instances that a selection means now, with what `needed_by_coming` names. Raises `CannotDispatch`."""
    ids = {task.task_id for task in tasks}
    chosen = selected(tasks, of_run(session, run, TaskInstance.task_id.in_(ids)))
    check_chosen(chosen)
    check_loops(session, run, ids, on_latest_version=on_latest_version)
    if not runs_on_latest(run, on_latest_version=on_latest_version):
        return chosen
    structure = structure_of_run(session, run, on_latest_version=on_latest_version)
    if structure is None or not any(node.is_setup for node in structure.tasks.values()):
        return chosen
    every = [ti for ti in of_run(session, run) if ti.state != REMOVED_TASK_STATE]
    along = needed_by_coming(structure, {ti.task_id for ti in every}) - ids
    return [*chosen, *(ti for ti in every if ti.task_id in along)]


def to_retry(session: Session, run: DagRun, tasks: Tasks, *, on_latest_version: bool) -> list[TaskInstance]:
    """The task instances that a retry clears; removed indexes come along with the others of their task. Raises
    `CannotDispatch`.
    """
    every = of_run(session, run)
    chosen = selected(tasks, every)
    check_chosen(chosen)
    wanted = to_clear_again(tasks, structure_of_run(session, run, on_latest_version=on_latest_version), every)
    ids, kept = {task_id for task_id, _ in wanted}, {key(ti) for ti in chosen if ti.state == REMOVED_TASK_STATE}
    return [ti for ti in every if key(ti) in wanted or (key(ti) in kept and ti.task_id in ids)]


def check_chosen(chosen: Sequence[TaskInstance]) -> None:
    """Refuse a dispatch of nothing, and of task instances that have the same name. Raises `CannotDispatch`."""
    if not chosen:
        raise CannotDispatch("task_gone", gone=True)
    if len({key(ti) for ti in chosen}) < len(chosen):
        raise CannotDispatch("mapped_in_loop", gone=True)


def check_loops(session: Session, run: DagRun, ids: Collection[str], *, on_latest_version: bool) -> None:
    """Refuse to dispatch a loop in part, as a stage might: its rounds read each other. Raises `CannotDispatch`."""
    if not TRIES_ARE_ROWS or not of_run(session, run, TaskInstance.operator == LOOP_GATE):
        return
    structure = structure_of_run(session, run, on_latest_version=on_latest_version)
    here = {ti.task_id for ti in of_run(session, run)}
    loops = [loop & here for loop in structure.loops] if structure else [here]
    if any(loop & set(ids) and not loop <= set(ids) for loop in loops):
        raise CannotDispatch("loop_in_part", gone=True)


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

    Index -1 of a mapped task stands for the indexes that don't exist yet.
    """
    for ti in dispatched:
        yield ti.task_id, ti.map_index, tries_begun(ti) + 1
    yield from yet_to_come(tasks, dispatched)


def present_tries(tasks: Tasks, going: Sequence[TaskInstance]) -> Iterator[tuple[str, int, int]]:
    """What to remember of a run that somebody else has cleared: like `first_tries`, with the tries that have begun."""
    for ti in going:
        yield ti.task_id, ti.map_index, tries_begun(ti) + (ti.state is None)
    yield from yet_to_come(tasks, going)


def yet_to_come(tasks: Tasks, dispatched: Sequence[TaskInstance]) -> Iterator[tuple[str, int, int]]:
    """Index -1 of the mapped tasks, for the indexes that don't exist yet."""
    unexpanded = {ti.task_id for ti in dispatched if ti.map_index < 0}
    mapped = {ti.task_id for ti in dispatched if ti.map_index >= 0}
    for task_id in sorted(mapped & whole(tasks) - unexpanded):
        yield task_id, -1, 1
