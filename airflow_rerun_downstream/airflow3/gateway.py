"""What a rerun does to Airflow's rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import and_, select

from airflow_rerun_downstream.airflow3 import audit, clearing, selecting
from airflow_rerun_downstream.airflow3.pairs import chunks, names, pair_in
from airflow_rerun_downstream.domain.facts import (
    FINISHED_RUN_STATES,
    STARTED_TASK_STATES,
    Observation,
    TaskInstanceFacts,
)
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.ports import CannotDispatch, Clock, Dispatched
from airflow_rerun_downstream.store import dispatches

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RUN = DagRun.__table__.c

OBSERVED = (
    select(
        DagRun.dag_id,
        DagRun.run_id,
        DagRun.state.label("run_state"),
        DagRun.clear_number,
        TaskInstance.task_id,
        TaskInstance.map_index,
        TaskInstance.state,
        TaskInstance.operator,
        TaskInstance.try_number,
        TaskInstance.start_date,
        TaskInstance.end_date,
    )
    .select_from(DagRun)
    .outerjoin(TaskInstance, and_(TaskInstance.dag_id == DagRun.dag_id, TaskInstance.run_id == DagRun.run_id))
    .order_by(DagRun.dag_id, DagRun.run_id, TaskInstance.task_id, TaskInstance.map_index)
)


class AirflowGateway:
    """The gateway to Airflow 3, bound to one session. It flushes and never commits: that is the caller's.

    One Dag run per transaction, please: a long one starves Airflow's scheduler.
    """

    def __init__(self, session: Session, *, clock: Clock | None = None) -> None:
        self._session = session
        self._now = clock.now if clock is not None else utc_now

    def observe(self, refs: Collection[RunRef]) -> dict[RunRef, Observation]:
        """The runs' states and task instances, in one statement. Every ref is answered, vanished ones too.

        More than 10,000 refs take a statement for each 10,000.
        """
        found = {ref: Observation(ref, None) for ref in refs}
        for some in chunks(names(found)):
            wanted = OBSERVED.where(pair_in(self._session, RUN.dag_id, RUN.run_id, some))
            for key, group in groupby(self._session.execute(wanted), key=lambda row: (row.dag_id, row.run_id)):
                ref = RunRef(*key)
                found[ref] = observation(ref, list(group))
        return found

    def dispatch(
        self,
        ref: RunRef,
        tasks: Tasks,
        *,
        rerun_id: int,
        actor: str,
        retry: bool,
        run_on_latest_version: bool | None,
    ) -> Dispatched:
        """Clear the run's selected task instances and queue the run, as Airflow's own clear does.

        The run's row stays locked until the caller's commit. ``cleared`` counts the task instances; with
        ``retry`` and nothing left that hasn't succeeded it is 0, and the run is left as it is.

        Raises `CannotDispatch` with ``run_gone`` or ``task_gone`` (``gone``), or ``run_not_finished``.
        """
        run = self._locked(ref)
        if run is None:
            raise CannotDispatch("run_gone", gone=True)
        task_instances = self._to_clear(run, tasks, retry=retry)
        if task_instances:
            latest = clearing.wants_latest_version(run_on_latest_version, dag_id=ref.dag_id, session=self._session)
            clearing.clear(run, task_instances, on_latest_version=latest, session=self._session)
            self._remember(ref, tasks, task_instances, rerun_id=rerun_id)
        self._leave_traces(run, "dispatch", rerun_id=rerun_id, actor=actor)
        done = Dispatched(clear_number=run.clear_number, cleared=len(task_instances))
        self._let_go(run, task_instances)
        return done

    def stop(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        """Stop a queued or running run as "mark failed" in the UI does; False if it had finished or is gone.

        Airflow's listeners are told, as its REST API tells them. A run with a teardown task that hasn't
        finished stays running until that has done its work.
        """
        run = self._locked(ref)
        if run is None or run.state in FINISHED_RUN_STATES:
            return False
        reason = f"Dag Run's state was set to `failed` by rerun #{rerun_id}."
        clearing.fail(run, reason=reason, session=self._session)
        self._log(run, "stop", rerun_id=rerun_id, actor=actor)
        return True

    def record(self, ref: RunRef, *, rerun_id: int, actor: str, event: str) -> None:
        """Write a row ``rerun_downstream.<event>`` about the run into Airflow's audit log."""
        run = DagRun.dag_id == ref.dag_id, DagRun.run_id == ref.run_id
        audit.log_event(
            ref,
            event,
            rerun_id=rerun_id,
            actor=actor,
            logical_date=self._session.scalar(select(DagRun.logical_date).where(*run)),
            now=self._now(),
            session=self._session,
        )

    def _locked(self, ref: RunRef) -> DagRun | None:
        """The run as it is now, kept from the scheduler until the transaction ends (SQLite has no such lock)."""
        return self._session.scalar(
            select(DagRun)
            .where(DagRun.dag_id == ref.dag_id, DagRun.run_id == ref.run_id)
            .with_for_update(of=DagRun)
            .execution_options(populate_existing=True)
        )

    def _to_clear(self, run: DagRun, tasks: Tasks, *, retry: bool) -> list[TaskInstance]:
        """The task instances that a dispatch clears. Raises `CannotDispatch`."""
        ids = {task.task_id for task in tasks}
        wanted = (
            select(TaskInstance)
            .where(TaskInstance.dag_id == run.dag_id, TaskInstance.run_id == run.run_id)
            .where(TaskInstance.task_id.in_(ids))
            .order_by(TaskInstance.task_id, TaskInstance.map_index)
            .execution_options(populate_existing=True)
        )
        chosen = selecting.selected(tasks, self._session.scalars(wanted).all())
        if not chosen:
            raise CannotDispatch("task_gone", gone=True)
        if run.state not in FINISHED_RUN_STATES or any(ti.state in STARTED_TASK_STATES for ti in chosen):
            raise CannotDispatch("run_not_finished")
        return [ti for ti in chosen if not retry or ti.state != "success"]

    def _remember(self, ref: RunRef, tasks: Tasks, cleared: Sequence[TaskInstance], *, rerun_id: int) -> None:
        """Keep what was started, so that the asset manager knows the events of these tries."""
        tries = selecting.first_tries(tasks, cleared)
        dispatches.remember_dispatch(self._session, ref, tries, rerun_id, None)

    def _leave_traces(self, run: DagRun, event: str, *, rerun_id: int, actor: str) -> None:
        """Name the rerun where people look: in the run's note, and in the audit log."""
        audit.note_rerun(run.id, rerun_id=rerun_id, actor=actor, now=self._now(), session=self._session)
        self._log(run, event, rerun_id=rerun_id, actor=actor)

    def _log(self, run: DagRun, event: str, *, rerun_id: int, actor: str) -> None:
        audit.log_event(
            RunRef(run.dag_id, run.run_id),
            event,
            rerun_id=rerun_id,
            actor=actor,
            logical_date=run.logical_date,
            now=self._now(),
            session=self._session,
        )

    def _let_go(self, run: DagRun, task_instances: Sequence[TaskInstance]) -> None:
        """Drop what Airflow's clear has loaded, so that a later read in this session sees the rows afresh."""
        self._session.flush()
        for loaded in (*task_instances, run):
            self._session.expunge(loaded)


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(timezone.utc)


def observation(ref: RunRef, rows: Sequence[Any]) -> Observation:
    """One run from its joined rows; a run without task instances has one row with an empty half."""
    return Observation(
        ref,
        str(rows[0].run_state),
        rows[0].clear_number,
        tuple(
            TaskInstanceFacts(
                task_id=row.task_id,
                map_index=row.map_index,
                state=row.state,
                operator=row.operator,
                try_number=row.try_number,
                start_date=row.start_date,
                end_date=row.end_date,
            )
            for row in rows
            if row.task_id is not None
        ),
    )
