"""Clearing and failing Dag runs: the one place where Airflow's private functions are called.

``clear_task_instances``, ``set_dag_run_state_to_failed`` and ``DBDagBag`` are what Airflow's own REST API stands
on, but Airflow promises nothing about them: `tests/airflow3/acting/test_private_functions.py` holds each to what is
relied on here, in every supported version.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from airflow.api.common.mark_tasks import set_dag_run_state_to_failed
from airflow.listeners.listener import get_listener_manager
from airflow.models import taskinstance
from airflow.models.dagbag import DBDagBag
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance, clear_task_instances
from airflow.utils.state import DagRunState, State, TaskInstanceState
from sqlalchemy import delete, or_, select, tuple_

from airflow_rerun_downstream.airflow3.acting.deferred_writes import Deferred
from airflow_rerun_downstream.airflow3.database.key_lists import chunks
from airflow_rerun_downstream.airflow3.task_tables import EARLIER
from airflow_rerun_downstream.airflow3.versions import (
    LOOP_GATE,
    TRIES_ARE_ROWS,
    rule_of_latest_version,
    task_state_model,
)

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.serialization.definitions.dag import SerializedDAG
    from sqlalchemy.orm import Session

    from airflow_rerun_downstream.domain.refs import RunRef

log = logging.getLogger(__name__)

CLEAR: Any = clear_task_instances
"""Up to 3.3 it answers nothing, and knows no ``whole_task_keys``."""

ENDED_BY_FORCE = frozenset({"running", "deferred", "up_for_reschedule", "awaiting_input", "restarting"})
"""States that "mark failed" turns into ``failed``; what hasn't begun becomes ``skipped``."""

PENDING = ("scheduled", "queued", "up_for_retry", "restarting")
"""States, besides none, of what "mark failed" skips."""


def wants_latest_version(explicit: bool | None, *, dag_id: str, session: Session) -> bool:
    """Whether a cleared run moves to its Dag's latest version, as Airflow's REST API decides it.

    ``explicit`` > the Dag's own parameter > the configuration > no; versions of Airflow that know only the first
    and the last skip the others.
    """
    if explicit is not None:
        return explicit
    rule = rule_of_latest_version()
    return rule is not None and bool(rule(None, dag_id, session))


def clear(
    run: DagRun,
    task_instances: Collection[TaskInstance],
    *,
    whole: Collection[str],
    on_latest_version: bool,
    session: Session,
    before_writing: Callable[[], None] = lambda: None,
) -> list[TaskInstance]:
    """Clear task instances of a finished run and queue the run, exactly as Airflow's own clear does.

    ``whole``: the tasks that are meant with all their indexes. ``before_writing`` is called once, before the first
    write: it may lock what must be locked, and what it raises leaves nothing written. Answers the task instances that
    will run, in the same order: since 3.4 a clear makes new ones.
    """
    if TRIES_ARE_ROWS:
        before_writing()
        cleared = clear_rows(run, task_instances, whole, on_latest_version=on_latest_version, session=session)
    else:
        clear_in_place(task_instances, before_writing, run, on_latest_version=on_latest_version, session=session)
        cleared = list(task_instances)
    session.flush()
    if run.state != DagRunState.QUEUED:
        raise RuntimeError(f"Airflow left {run.dag_id} / {run.run_id} {run.state} after clearing it")
    return cleared


def clear_rows(
    run: DagRun,
    task_instances: Collection[TaskInstance],
    whole: Collection[str],
    *,
    on_latest_version: bool,
    session: Session,
) -> list[TaskInstance]:
    """Clear where each try is a row. What was left ``restarting`` gets its next try first: a clear would leave it so.

    Airflow makes the indexes anew of mapped tasks that are cleared as a whole, if they are from before 3.4. Of a loop,
    the first round is cleared, and the others go: the loop makes them again.
    """
    these = [ti for ti in after_restart(task_instances, session=session) if ti.working_set]
    ids, cleared_ids = {ti.task_id for ti in these}, {ti.id for ti in these}
    live = select(TaskInstance).where(TaskInstance.dag_id == run.dag_id, TaskInstance.run_id == run.run_id)
    left = {ti.task_id for ti in session.scalars(live) if ti.id not in cleared_ids}  # by a retry, say
    options: Any = {
        "dag_run_state": DagRunState.QUEUED,
        "run_on_latest_version": on_latest_version,
        "whole_task_keys": {(run.dag_id, run.run_id, task_id) for task_id in whole if task_id not in left},
    }
    if any(ti.operator == LOOP_GATE for ti in these):
        vars(taskinstance)["clear_task_instances_for_runs"](these, session=session, **options)
        now = session.scalars(live.execution_options(populate_existing=True))
        return [ti for ti in now if ti.task_id in ids and ti.state is None]
    cleared: list[TaskInstance] = CLEAR(these, session, **options)
    return cleared


def after_restart(task_instances: Collection[TaskInstance], *, session: Session) -> list[TaskInstance]:
    """The task instances, those that were left ``restarting`` with the next try that their executor never asked for.

    One in whose place others have come is archived by that, and has none.
    """
    return [
        ti.complete_restart(session=session) if ti.state == TaskInstanceState.RESTARTING else ti
        for ti in task_instances
    ]


def clear_in_place(
    task_instances: Collection[TaskInstance],
    before_writing: Callable[[], None],
    run: DagRun,
    *,
    on_latest_version: bool,
    session: Session,
) -> None:
    """Clear where a task instance has one row. All that Airflow reads comes before ``before_writing``.

    Those that never ran are handed over too, so that they follow the run to its version. Airflow would leave a
    history row of a failed try 0 of each behind; here it doesn't.
    """
    never_ran = [ti for ti in task_instances if ti.state is None and not ti.try_number]
    late: Any = Deferred(session, task_instances, before_writing)
    with session.no_autoflush:
        CLEAR(
            list(task_instances),
            late,
            dag_run_state=DagRunState.QUEUED,
            run_on_latest_version=on_latest_version,
        )
    if never_ran:
        forget_tries(run, never_ran, session=session)


def forget_tries(run: DagRun, never_ran: Collection[TaskInstance], *, session: Session) -> None:
    """Delete the history rows of a try 0, which nothing ever executed."""
    session.flush()
    history = EARLIER.c
    keys = [(ti.task_id, ti.map_index) for ti in never_ran]
    session.execute(
        delete(EARLIER)
        .where(history.dag_id == run.dag_id, history.run_id == run.run_id, history.try_number == 0)
        .where(tuple_(history.task_id, history.map_index).in_(keys))
    )


def forget_state(run: DagRun, task_instances: Collection[TaskInstance], *, session: Session) -> None:
    """Delete what task instances that are run again have kept in Airflow's own state store (3.3 and later).

    A task that finds its state goes on from there, for instance with a job that it began on the wrong data.
    """
    if (model := task_state_model()) is None:
        return
    same = model.dag_run_id == run.id, model.task_id.in_({ti.task_id for ti in task_instances})
    index = model.region_index if TRIES_ARE_ROWS else model.map_index
    again = {(ti.task_id, ti.map_index) for ti in task_instances}
    kept = [row for row in session.execute(select(model.id, model.task_id, index).where(*same)) if row[1:] in again]
    for some in chunks([row.id for row in kept]):
        session.execute(delete(model).where(model.id.in_(some)))


def halt(run: DagRun, task_instances: Collection[TaskInstance], *, session: Session) -> None:
    """End an unfinished run so that it can be cleared later; nothing of it is scheduled any more.

    A running task is ``restarting`` until its executor has reported the end of its process; one that only waits,
    for an executor, a trigger or its next try, has no state. Finished ones stay. No listener or callback of a
    failed run is told.
    """
    settled = {*State.finished, TaskInstanceState.RESTARTING, None}
    withdraw([ti for ti in task_instances if ti.state not in settled], session=session)
    run.set_state(DagRunState.FAILED)
    session.flush()


def withdraw(task_instances: Collection[TaskInstance], *, session: Session) -> None:
    """Take unfinished task instances back, and leave their run alone.

    Each has the retries left that it had: a try that ends here doesn't count. Airflow would give all of them back,
    and none for a running one. (Since 3.4 one that runs gets all of them back once its process has ended.)
    """
    if not task_instances:
        return
    counted = (TaskInstanceState.UP_FOR_RETRY, TaskInstanceState.RESTARTING)
    max_tries = [ti.max_tries + (ti.state not in counted) for ti in task_instances]
    those = after_restart(task_instances, session=session) if TRIES_ARE_ROWS else list(task_instances)
    kept = [(ti, number) for ti, number in zip(those, max_tries, strict=True) if not TRIES_ARE_ROWS or ti.working_set]
    these = [ti for ti, _ in kept]
    for ti, (_, number) in zip(CLEAR(these, session, dag_run_state=False) or these, kept, strict=True):
        ti.max_tries = number
    session.flush()


def next_retry(ref: RunRef, keys: Collection[tuple[str, int]], *, session: Session) -> datetime | None:
    """When the first of a run's tasks that are up for retry (``keys``: task and map index) is tried again.

    None where the Dag can't be read.
    """
    run = session.scalar(select(DagRun).where(DagRun.dag_id == ref.dag_id, DagRun.run_id == ref.run_id))
    if run is None:
        return None
    try:
        dag = DBDagBag(load_op_links=False).get_dag_for_run(dag_run=run, session=session)
        tasks = dag.task_dict if dag else {}
        found = []
        for ti in retries_of(ref, keys, session=session):
            if ti.task_id in tasks:
                ti.task = tasks[ti.task_id]
                found.append(ti.next_retry_datetime())  # type: ignore[no-untyped-call]
        return min(found, default=None)
    except Exception:
        log.exception("When %s is tried again can't be told", ref)
        return None


def retries_of(ref: RunRef, keys: Collection[tuple[str, int]], *, session: Session) -> list[TaskInstance]:
    """Those of a run that are up for retry, among ``keys``; taken out of the session, so that nothing is saved."""
    wanted = select(TaskInstance).where(
        TaskInstance.dag_id == ref.dag_id, TaskInstance.run_id == ref.run_id, TaskInstance.state == "up_for_retry"
    )
    found = [ti for ti in session.scalars(wanted) if (ti.task_id, ti.map_index) in keys]
    for ti in found:
        session.expunge(ti)
    return found


def fail(run: DagRun, *, reason: str, session: Session) -> None:
    """End an unfinished run as "mark failed" does, listeners included.

    Running task instances fail, those that hadn't begun are skipped, finished ones stay. Unfinished teardown
    tasks are left to do their work, and the run ends only after them. A task that its Dag no longer has, and a
    run whose Dag can't be loaded, end too: Airflow's own function raises or leaves them.
    """
    dag = DBDagBag(load_op_links=False).get_dag_for_run(dag_run=run, session=session)
    known = frozenset(dag.task_dict) if dag else frozenset()
    killed = end_unknown_tasks(run, known, session=session)
    if dag:
        skip_pending(run, dag, session=session)
        answer = set_dag_run_state_to_failed(dag=dag, run_id=run.run_id, commit=True, session=session)
        # Up to 3.3.0 the answer doesn't say which were killed, and "mark failed" tells their listeners nothing.
        killed += answer[1] if isinstance(answer, tuple) else []
    else:
        run.set_state(DagRunState.FAILED)
    session.flush()
    announce(run, dag, killed, reason=reason)


def skip_pending(run: DagRun, dag: SerializedDAG, *, session: Session) -> None:
    """Skip what hasn't begun, but for teardowns, as ``set_dag_run_state_to_failed`` is about to.

    Up to 3.3.0 that one does it in a session of its own, and commits: it would be a second connection, what it did
    would stand whatever became of our transaction, and on SQLite it would wait for our lock, which never goes.
    """
    wanted = select(TaskInstance).where(
        TaskInstance.dag_id == run.dag_id,
        TaskInstance.run_id == run.run_id,
        or_(TaskInstance.state.is_(None), TaskInstance.state.in_(PENDING)),
    )
    for ti in session.scalars(wanted):
        if (task := dag.task_dict.get(ti.task_id)) is not None and not task.is_teardown:
            ti.set_state(TaskInstanceState.SKIPPED, session=session)


def end_unknown_tasks(run: DagRun, known: Collection[str], *, session: Session) -> list[TaskInstance]:
    """End the unfinished task instances whose task isn't among ``known``; answer those that were killed."""
    wanted = select(TaskInstance).where(
        TaskInstance.dag_id == run.dag_id, TaskInstance.run_id == run.run_id, TaskInstance.task_id.not_in(known)
    )
    killed = []
    for ti in session.scalars(wanted):
        if ti.state in State.finished:
            continue
        forced = ti.state in ENDED_BY_FORCE
        ti.set_state(TaskInstanceState.FAILED if forced else TaskInstanceState.SKIPPED, session=session)
        killed += [ti] if forced else []
    return killed


def announce(run: DagRun, dag: SerializedDAG | None, killed: Collection[TaskInstance], *, reason: str) -> None:
    """Tell Airflow's listeners that a run was marked failed. Their errors are theirs: logged, never raised."""
    if run.state != DagRunState.FAILED:
        return
    if dag is not None:
        run.dag = dag
    hook = get_listener_manager().hook
    try:
        for ti in killed:
            hook.on_task_instance_failed(previous_state=None, task_instance=ti, error=reason)
        hook.on_dag_run_failed(dag_run=run, msg=reason)
    except Exception:
        log.exception("A listener failed while %s / %s was stopped", run.dag_id, run.run_id)
