"""Which runs can be a source (R4), which can be selected downstream (R8, R9), and the words for their states."""

from __future__ import annotations

from datetime import datetime

from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, DagStructure, RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.plan import FreezeAction, RunStatus, WrongData

SCHEDULED = "scheduled"
UNSTARTED_TASK_STATES = frozenset({None, "scheduled", "queued"})


def run_status(run: RunFacts, now: datetime) -> RunStatus:
    """The wizard's word for a run's state. A queued run whose ready time is still to come is not ready."""
    if run.state == "success":
        return RunStatus.SUCCESS
    if run.state == "failed":
        return RunStatus.TERMINATED if run.terminated else RunStatus.FAILED
    if run.state == "running":
        return RunStatus.RUNNING
    return RunStatus.READY if run.run_after <= now else RunStatus.NOT_READY


def task_status(task: TaskInstanceFacts, run: RunFacts) -> RunStatus:
    """The wizard's word for a task instance's state.

    A task that didn't run although its run has ended is revoked, and so is one that was skipped by force: by a stop,
    by a time-out, by ``fail_fast``.
    """
    finished = run.state in FINISHED_RUN_STATES
    if task.state == "success":
        return RunStatus.SUCCESS
    if task.state == "skipped":
        return RunStatus.REVOKED if task.cut_off else RunStatus.SUCCESS
    if task.state == "failed":
        return RunStatus.TERMINATED if run.terminated else RunStatus.FAILED
    if task.state == "upstream_failed":
        return RunStatus.FAILED
    if task.state in UNSTARTED_TASK_STATES:
        if finished:
            return RunStatus.REVOKED
        return RunStatus.NOT_READY if task.state is None else RunStatus.READY
    return RunStatus.RUNNING


def downstream_refusal(
    run: RunFacts, now: datetime, *, in_active_rerun: bool, structure: DagStructure | None = None
) -> str | None:
    """Why a downstream run can't be selected without freeze mode; None: it can. ``structure``: its Dag, if known."""
    if in_active_rerun:
        return "in_active_rerun"
    if run.dag_gone:
        return "dag_gone"
    if structure is not None and structure.mixes_loops:
        return "mapped_in_loop"
    status = run_status(run, now)
    return {
        RunStatus.RUNNING: "run_is_running",
        RunStatus.READY: "run_is_queued",
        RunStatus.NOT_READY: "run_not_ready",
    }.get(status)


def freezing(
    run: RunFacts,
    now: datetime,
    schedule: DagSchedule | None,
    *,
    in_active_rerun: bool,
    structure: DagStructure | None = None,
) -> tuple[FreezeAction | None, str | None]:
    """What freeze mode would do with a run, or why it can't take it; neither for a finished run.

    A run that another rerun holds can be held by this one, too: only members are ``in_active_rerun``.
    """
    if run.state in FINISHED_RUN_STATES:
        return None, None
    if not run.online:
        return None, "backfill_run" if run.backfill else "manual_run"
    if in_active_rerun:
        return None, "in_active_rerun"
    if run.dag_gone:
        return None, "dag_gone"
    if run_status(run, now) is not RunStatus.NOT_READY:
        mixed = structure is not None and structure.mixes_loops
        return (None, "mapped_in_loop") if mixed else (FreezeAction.STOP, None)
    if schedule is None:
        return None, "dag_gone"
    # Of a run that time doesn't start, Airflow reads run_after as data: which asset events it consumed.
    refusal = schedule.cannot_hold if run.run_type == SCHEDULED else "timetable_uses_run_after"
    return (None, refusal) if refusal else (FreezeAction.HOLD, None)


def wrong_data(run: RunFacts, *, only_passed: bool, sure: bool) -> WrongData | None:
    """Whether a run that wrong data has reached is still to read it; ``only_passed``: its tasks only waited for it.

    ``sure``: it has reached the run without a guess on the way.
    """
    if only_passed or run.state in FINISHED_RUN_STATES:
        return None
    return WrongData.READS if sure else WrongData.MAY_READ


def source_refusal(
    run: RunFacts,
    now: datetime,
    window_start: datetime | None,
    *,
    in_active_rerun: bool,
    rerun_source: bool = True,
    structure: DagStructure | None = None,
) -> str | None:
    """Why a run can't be the source; None: it can. ``window_start`` None: runs of any age."""
    if not run.online:
        return "backfill_run" if run.backfill else "manual_run"
    if run.run_after > now:
        return "after_now"
    if window_start is not None and run.run_after < window_start:
        return "before_ready_window"
    if not rerun_source and run.state != "success":
        return "source_not_success"
    refusal = downstream_refusal(run, now, in_active_rerun=in_active_rerun, structure=structure)
    # What isn't rerun needs no Dag: its data is right.
    return None if refusal in ("dag_gone", "mapped_in_loop") and not rerun_source else refusal
