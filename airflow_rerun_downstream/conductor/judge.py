"""What a member's run says about the member."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, LIVE_TASK_STATES, Observation, TaskInstanceFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.selection import selected_instances
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.domain.verdict import Evidence, Judgement, NotMadeAnew, Verdict, by_states, judge

JUDGED = frozenset({MemberState.RUNNING, MemberState.FAILED})
"""Members that are judged by what is seen of their runs."""


def judged(member: Member, seen: Observation, found: Evidence | None) -> Judgement | None:
    """The judgement on a member until its present stage; None: the states don't tell, and nobody looked for more."""
    known = by_states(member.so_far, seen)
    if known is not None:
        return Judgement(known)
    if found is None:
        return None
    judgement = judge(member.so_far, without_later(member, seen, found), found)
    # Of a stage nothing may be left, as long as others follow.
    done = judgement.verdict is Verdict.TASKS_GONE and not member.last_stage
    return Judgement(Verdict.SUCCEEDED, judgement.not_made_anew) if done else judgement


def without_later(member: Member, seen: Observation, found: Evidence) -> Observation:
    """A run without what has been added to it and runs again in a later stage: now it has run too early."""
    if member.last_stage:
        return seen
    later = {task.task_id for task in member.tasks} - {task.task_id for task in member.so_far}
    kept = (one for one in seen.task_instances if one.task_id not in later or not found.account.of(one).added)
    return replace(seen, task_instances=tuple(kept))


def takes_evidence(member: Member, seen: Observation) -> bool:
    """Whether the states of a member's run alone don't tell how it stands."""
    return member.state in JUDGED and by_states(member.so_far, seen) is None


def is_busy(seen: Observation) -> bool:
    """Whether a run can't be cleared now: it hasn't ended, or a task of it may still have a process."""
    return seen.run_state not in (*FINISHED_RUN_STATES, None) or any(
        task.state in LIVE_TASK_STATES for task in seen.task_instances
    )


def started_after(
    member: Member, seen: Observation, moment: datetime | None, *, besides: Collection[NotMadeAnew] = ()
) -> bool:
    """Whether every selected task that ran did so after a moment: only then did it read repaired data.

    ``besides``: those that didn't run, which are listed.
    """
    listed = {(one.task_id, one.map_index) for one in besides}
    ran = [
        task
        for task in selected_instances(member.present, seen.task_instances)
        if task.state == "success" and (task.task_id, task.map_index) not in listed
    ]
    return moment is None or all(ran_after(task, moment) for task in ran)


def ran_after(task: TaskInstanceFacts, moment: datetime) -> bool:
    """Whether a task's last try started at or after a moment."""
    return task.start_date is not None and task.start_date >= moment
