"""What a rerun does to Airflow's rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.acting import clearing, replaced_events, selected_tasks, stuck_runs
from airflow_rerun_downstream.airflow3.acting.fingerprints import fingerprints
from airflow_rerun_downstream.airflow3.acting.observing import (
    RESTARTING,
    RUN,
    SILENCE,
    Silence,
    observations,
    rooms,
    was_left,
)
from airflow_rerun_downstream.airflow3.database import audit
from airflow_rerun_downstream.airflow3.database.clock import utc_now
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts import own_starts
from airflow_rerun_downstream.domain.again import key
from airflow_rerun_downstream.domain.errors import CannotDispatch
from airflow_rerun_downstream.domain.facts import (
    FINISHED_RUN_STATES,
    LIVE_TASK_STATES,
    UNFINISHED_TASK_STATES,
    Observation,
)
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.room import DagRoom
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.store import dispatches
from airflow_rerun_downstream.store.tables import hold

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class AirflowGateway:
    """The gateway to Airflow 3, bound to one session. It flushes and never commits: that is the caller's.

    One Dag run per transaction, please: a long one starves Airflow's scheduler.
    """

    def __init__(self, session: Session, *, clock: Clock | None = None, silence: Silence = SILENCE) -> None:
        self._session = session
        self._silence = silence
        self._now = clock.now if clock is not None else utc_now

    def observe(self, refs: Collection[RunRef]) -> dict[RunRef, Observation]:
        """The runs' states and task instances, in one statement. Every ref is answered, vanished ones too.

        A task instance that a dead scheduler has left ``restarting`` has no state here once its process has surely
        ended. More than 10,000 refs take a statement for each 10,000.
        """
        found = {ref: Observation(ref, None) for ref in refs}
        for some in chunks(names(found)):
            found.update({seen.ref: seen for seen in observations(self._session, some, silence=self._silence)})
        return found

    def fingerprints(self, refs: Collection[RunRef]) -> dict[RunRef, Hashable]:
        """What changes when the runs, or their task instances, do: one row for each, a statement for each 10,000."""
        found: dict[RunRef, Hashable] = dict.fromkeys(refs)
        for some in chunks(names(found)):
            found.update(fingerprints(self._session, some))
        return found

    def clear_numbers(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        """How often each run was cleared; a run that is gone is left out. One statement for each 10,000."""
        wanted = select(RUN.dag_id, RUN.run_id, RUN.clear_number)
        return {
            RunRef(row.dag_id, row.run_id): row.clear_number
            for some in chunks(names(refs))
            for row in self._session.execute(wanted.where(pair_in(self._session, RUN.dag_id, RUN.run_id, some)))
        }

    def rooms(self, dag_ids: Collection[str]) -> dict[str, DagRoom]:
        """What each Dag can start now, in one statement for each 10,000."""
        return rooms(self._session, dag_ids, now=self._now())

    def why_waiting(self, refs: Collection[RunRef]) -> dict[RunRef, str]:
        """Why runs that have started don't move, where that can be told; at most six statements for 10,000 runs."""
        return stuck_runs.reasons(self._session, refs, now=self._now()) if refs else {}

    def dispatch(
        self,
        ref: RunRef,
        tasks: Tasks,
        *,
        rerun_id: int,
        actor: str,
        retry: bool,
        run_on_latest_version: bool | None,
        before_writing: Callable[[], None] = lambda: None,
    ) -> Dispatched:
        """Clear the run's selected task instances and queue the run, as Airflow's own clear does.

        The run's row stays locked until the caller's commit. SQLite has no such lock, and is locked as a whole from
        the first write on: then it is looked whether all is still as it was read. ``cleared`` counts the task
        instances.

        Raises `CannotDispatch` with ``run_gone``, ``task_gone``, ``mapped_in_loop`` or ``loop_in_part`` (``gone``), or
        ``run_not_finished``.
        """
        before = self._standing(ref)  # earlier than anything that is decided by
        run = self._locked(ref)
        if run is None:
            raise CannotDispatch("run_gone", gone=True)
        latest = clearing.wants_latest_version(run_on_latest_version, dag_id=ref.dag_id, session=self._session)
        chosen_by = selected_tasks.to_retry if retry else selected_tasks.to_clear
        task_instances = chosen_by(self._session, run, tasks, on_latest_version=latest)
        self._check_ended(run, task_instances)
        left = self._left(run, besides=task_instances)
        before_it = own_starts.before_dispatch(run, task_instances, session=self._session)

        def claim() -> None:
            before_writing()
            if self._standing(ref) != before:
                raise CannotDispatch("run_not_finished")

        whole = selected_tasks.whole(tasks)
        cleared = clearing.clear(
            run, task_instances, whole=whole, on_latest_version=latest, session=self._session, before_writing=claim
        )
        clearing.withdraw(left, session=self._session)
        clearing.forget_state(run, task_instances, session=self._session)
        self._remember(ref, tasks, cleared, rerun_id=rerun_id)
        own_starts.note_dispatch(run, before_it, cleared, whole, session=self._session)
        replaced_events.take_repeats(run, session=self._session)
        self._leave_traces(run, "dispatch", rerun_id=rerun_id, actor=actor)
        done = Dispatched(clear_number=run.clear_number, cleared=len(task_instances))
        self._expunge(run, {*task_instances, *cleared})
        return done

    def adopt(self, ref: RunRef, *, place: RunRef, rerun_id: int, actor: str) -> None:
        """Take a run that a task has started for a member's: it consumes what the rerun has made so far.

        By the time at which it read what ``place`` had read.
        """
        if (run := self._locked(ref)) is not None:
            clearing.forget_state(run, selected_tasks.not_begun(self._session, run), session=self._session)
            replaced_events.take_repeats(run, session=self._session)
            own_starts.note_adoption(run, place, session=self._session)
        self.record(ref, rerun_id=rerun_id, actor=actor, event="adopt")

    def take_over(self, ref: RunRef, tasks: Tasks, *, rerun_id: int, actor: str) -> None:
        """Count the tries that are on their way as the rerun's: their asset events repeat those of earlier ones.

        What the tasks had read before the rerun is what they read again. The run consumes what the rerun has made so
        far.
        """
        run = self._locked(ref)
        if run is None:
            return
        clearing.forget_state(run, selected_tasks.not_begun(self._session, run), session=self._session)
        replaced_events.take_repeats(run, session=self._session)
        every = selected_tasks.of_run(self._session, run, TaskInstance.task_id.in_({task.task_id for task in tasks}))
        going = [ti for ti in selected_tasks.selected(tasks, every) if ti.state in UNFINISHED_TASK_STATES]
        ours = dispatches.dispatched_by(self._session, ref, rerun_id)
        again = {key(ti): own_starts.try_of(ti) for ti in every if ti in going or key(ti) in ours}
        own_starts.follow_clear(run, again, session=self._session)
        tries = selected_tasks.present_tries(tasks, going)
        dispatches.remember_dispatch(self._session, ref, tries, rerun_id, None)
        self._log(run, "take_over", rerun_id=rerun_id, actor=actor)
        self._expunge(run, every)

    def halt(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        """Stop a queued or running run so that it can be dispatched later; False if it had finished or is gone.

        The run is failed at once, without a word to Airflow's listeners: it hasn't failed, it waits for its turn.
        """
        run = self._locked(ref)
        if run is None or run.state in FINISHED_RUN_STATES:
            return False
        task_instances = selected_tasks.of_run(self._session, run, lock=True)
        clearing.halt(run, task_instances, session=self._session)
        self._leave_traces(run, "halt", rerun_id=rerun_id, actor=actor)
        self._expunge(run, task_instances)
        return True

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
        with audit.best_effort(self._session, "A stop"):
            self._log(run, "stop", rerun_id=rerun_id, actor=actor)
        return True

    def record(self, ref: RunRef, *, rerun_id: int, actor: str, event: str) -> None:
        """Write a row ``rerun_downstream.<event>`` about the run into Airflow's audit log.

        The note of a run that the scheduler has made for a rerun, held (``hold``), says so too.
        """
        run = self._session.execute(
            select(DagRun.id, DagRun.logical_date).where(DagRun.dag_id == ref.dag_id, DagRun.run_id == ref.run_id)
        ).first()
        if event == "hold" and run is not None:
            self._note_hold(run.id, ref, rerun_id=rerun_id)
        audit.log_event(
            ref,
            event,
            rerun_id=rerun_id,
            actor=actor,
            logical_date=run.logical_date if run is not None else None,
            now=self._now(),
            session=self._session,
        )

    def _note_hold(self, dag_run_id: int, ref: RunRef, *, rerun_id: int) -> None:
        """Name the rerun that holds a run, and the run's true ready time, in its note."""
        true = self._session.scalar(
            select(hold.c.run_after).where(
                hold.c.rerun_id == rerun_id, hold.c.dag_id == ref.dag_id, hold.c.run_id == ref.run_id
            )
        )
        if true is not None:
            audit.note_hold(dag_run_id, true, rerun_id=rerun_id, now=self._now(), session=self._session)

    def _locked(self, ref: RunRef) -> DagRun | None:
        """The run as it is now, kept from the scheduler until the transaction ends (SQLite has no such lock)."""
        return self._session.scalar(
            select(DagRun)
            .where(DagRun.dag_id == ref.dag_id, DagRun.run_id == ref.run_id)
            .with_for_update(of=DagRun)
            .execution_options(populate_existing=True)
        )

    def _check_ended(self, run: DagRun, task_instances: Collection[TaskInstance]) -> None:
        """Raise `CannotDispatch` for a run that goes on, or of which a task may still have a process."""
        if run.state not in FINISHED_RUN_STATES or any(self._may_live(ti, run) for ti in task_instances):
            raise CannotDispatch("run_not_finished")

    def _may_live(self, ti: TaskInstance, run: DagRun) -> bool:
        """Whether a task of a run that has ended may still have a process."""
        return ti.state in LIVE_TASK_STATES and not was_left(ti, run_state=run.state, silence=self._silence)

    def _left(self, run: DagRun, *, besides: Collection[TaskInstance]) -> list[TaskInstance]:
        """What a dead scheduler has left ``restarting``, and what is to run again though it isn't selected."""
        return [
            ti
            for ti in selected_tasks.of_run(self._session, run, TaskInstance.state == RESTARTING)
            if ti not in besides and was_left(ti, run_state=run.state, silence=self._silence)
        ]

    def _standing(self, ref: RunRef) -> Collection[Any]:
        """A run and its task instances as they are in the database now, as far as a clear changes them.

        Only columns are read: neither is what this session has changed sent, nor what it has loaded replaced.
        """
        ran, tried = DagRun.__table__.c, task_tables.TASK.c
        columns = (tried.id, tried.task_id, tried.map_index, tried.state, tried.try_number)
        runs = select(ran.state, ran.clear_number).where(ran.dag_id == ref.dag_id, ran.run_id == ref.run_id)
        tries = select(*columns).where(tried.dag_id == ref.dag_id, tried.run_id == ref.run_id)
        return {tuple(row) for wanted in (runs, tries) for row in self._session.execute(wanted)}

    def _remember(self, ref: RunRef, tasks: Tasks, cleared: Sequence[TaskInstance], *, rerun_id: int) -> None:
        """Keep what was started, so that the asset manager knows the events of these tries."""
        tries = selected_tasks.first_tries(tasks, cleared)
        dispatches.remember_dispatch(self._session, ref, tries, rerun_id, None)

    def _leave_traces(self, run: DagRun, event: str, *, rerun_id: int, actor: str) -> None:
        """Name the rerun where people look: in the run's note, and in the audit log."""
        audit.note_rerun(run.id, rerun_id=rerun_id, actor=actor, now=self._now(), session=self._session)
        self._log(run, event, rerun_id=rerun_id, actor=actor)

    def _log(self, run: DagRun, event: str, *, rerun_id: int, actor: str) -> None:
        audit.log_run_event(run, event, rerun_id=rerun_id, actor=actor, now=self._now(), session=self._session)

    def _expunge(self, run: DagRun, task_instances: Iterable[TaskInstance]) -> None:
        """Drop what Airflow's clear has loaded, so that a later read in this session sees the rows afresh."""
        self._session.flush()
        for loaded in (*task_instances, run):
            self._session.expunge(loaded)
