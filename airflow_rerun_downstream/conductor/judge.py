"""What a member's run says about the member: judged by its selected task instances, never by the run's state."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import Enum

from airflow_rerun_downstream.domain.facts import (
    FAILED_TASK_STATES,
    FINISHED_RUN_STATES,
    LIVE_TASK_STATES,
    UNFINISHED_TASK_STATES,
    Observation,
    TaskInstanceFacts,
)
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Member
from airflow_rerun_downstream.domain.selection import selected_instances


class Verdict(Enum):
    """How the selected tasks of a run stand."""

    UNFINISHED = None
    SUCCEEDED = "succeeded"
    FAILED = "tasks_failed"
    STOPPED = "run_terminated"
    NEVER_STARTED = "never_started"
    TASKS_GONE = "task_gone"
    RUN_GONE = "run_gone"


def verdict(member: Member, seen: Observation, stopped: Collection[RunRef] = ()) -> Verdict:
    """Judge a run.

    ``stopped`` names failed runs that somebody stopped: Airflow skips what hadn't started there, and a skip of
    that sort is no success.
    """
    if seen.run_state is None:
        return Verdict.RUN_GONE
    tasks = selected_instances(member.tasks, seen.task_instances)
    if not tasks:
        return Verdict.TASKS_GONE
    if any(task.state in UNFINISHED_TASK_STATES for task in tasks):
        return Verdict.NEVER_STARTED if seen.run_state in FINISHED_RUN_STATES else Verdict.UNFINISHED
    if any(task.state in FAILED_TASK_STATES for task in tasks):
        return Verdict.FAILED
    if member.ref in stopped and any(task.state == "skipped" for task in tasks):
        return Verdict.STOPPED
    return Verdict.SUCCEEDED


def maybe_stopped(member: Member, seen: Observation) -> bool:
    """Whether it matters if somebody stopped the run: it failed, and a selected task was skipped."""
    tasks = selected_instances(member.tasks, seen.task_instances)
    return seen.run_state == "failed" and any(task.state == "skipped" for task in tasks)


def is_busy(seen: Observation) -> bool:
    """Whether a run can't be cleared now: it hasn't ended, or a task of it may still have a process."""
    return seen.run_state not in (*FINISHED_RUN_STATES, None) or any(
        task.state in LIVE_TASK_STATES for task in seen.task_instances
    )


def started_after(member: Member, seen: Observation, moment: datetime | None) -> bool:
    """Whether every selected task that ran did so after a moment: only then did it read repaired data."""
    tasks = selected_instances(member.tasks, seen.task_instances)
    return moment is None or all(ran_after(task, moment) for task in tasks if task.state == "success")


def ran_after(task: TaskInstanceFacts, moment: datetime) -> bool:
    """Whether a task's last try started at or after a moment."""
    return task.start_date is not None and task.start_date >= moment
