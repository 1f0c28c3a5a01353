"""What freeze mode adds to a rerun's next steps. Pure, like `decide`.

Frozen members are outside the order: they are released as a whole when the rerun has succeeded or is terminated (R18),
one by one when a person asks for it, when they have waited too long, or when their run went its own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from airflow_rerun_downstream.conductor.steps import Explain, Halt, MoveMember, NameFrozenRun, Release
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, LIVE_TASK_STATES, Observation
from airflow_rerun_downstream.domain.freeze import Hold
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import MemberState

HELD, DRAINING = "held", "dag_draining"
HALTED = "tasks_are_ending"


def stopping(member: Member, run: Observation | None) -> MoveMember | Halt | Explain | None:
    """The next step of a member whose run is being stopped, so that it can be rerun in its turn."""
    if run is None:
        return None
    if run.run_state is None:
        return MoveMember(member, MemberState.FAILED, "run_gone")
    if run.run_state not in FINISHED_RUN_STATES:
        return Halt(member)
    if any(task.state in LIVE_TASK_STATES for task in run.task_instances):
        return None if member.state_reason == HALTED else Explain(member, HALTED)
    return MoveMember(member, MemberState.PENDING, None, run.run_state)


def follow_holds(
    active: ActiveRerun, holds: Mapping[int, Hold] | None, limit: int, *, frozen_before: datetime | None
) -> Iterator[NameFrozenRun | Explain | Release]:
    """What a tick does with frozen members while their rerun goes on.

    At most ``limit`` are released; what was frozen at ``frozen_before`` or earlier is.
    """
    if holds is None or not active.frozen:
        return
    too_old = frozen_before is not None and active.rerun.created_at <= frozen_before
    members = member_of_run(active, holds)
    for member in active.frozen:
        hold = holds.get(member.id)
        of_another = hold is not None and hold.run is not None and members[hold.run] != member.id
        if why := why_released(member, hold, of_another=of_another, too_old=too_old):
            limit -= 1
            if limit >= 0:
                yield Release(member, why)
        elif hold is not None and hold.run_id is not None and hold.run_id != member.ref.run_id:
            yield NameFrozenRun(member, hold.run_id, hold.run_after, hold.logical_date)
        elif hold is not None and hold.draining != (member.state_reason == DRAINING):
            yield Explain(member, DRAINING if hold.draining else HELD)


def member_of_run(active: ActiveRerun, holds: Mapping[int, Hold]) -> dict[RunRef, int]:
    """Whose a run is. Where Airflow makes one run in place of several, it is that of the last of these."""
    found = ((holds[member.id].run, member.id) for member in active.frozen if member.id in holds)
    held = {run: number for run, number in found if run is not None}
    return held | {member.ref: member.id for member in active.members if member.ref.run_id}


def why_released(member: Member, hold: Hold | None, *, of_another: bool, too_old: bool) -> str | None:
    """Why a frozen member is released before its rerun ends; None: it stays.

    ``of_another``: what it holds is another member's run.
    """
    if hold is None:
        return "hold_gone"
    if hold.run_id is not None and hold.run_state is None:
        return "run_gone"
    if hold.run_id is not None and hold.run_state in FINISHED_RUN_STATES:
        return "marked_by_hand"
    if hold.taken_by is not None:
        return "superseded"
    if of_another:
        return "passed_over"
    if member.release_asked:
        return "released_by_user"
    return "frozen_too_long" if too_old else None


def asked_for(active: ActiveRerun, *, limit: int) -> list[Release]:
    """The frozen members that a person wants released, where nothing else can be known of them."""
    return [Release(member, "released_by_user") for member in active.frozen if member.release_asked][:limit]


def release_all(active: ActiveRerun, *, limit: int, reason: str) -> list[Release]:
    """The next batch of frozen members to release at the end of a rerun."""
    return [Release(member, reason) for member in active.frozen[:limit]]
