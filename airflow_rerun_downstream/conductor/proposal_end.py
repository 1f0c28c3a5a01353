"""How a proposal ends that nobody approves: nothing of it has touched anything."""

from __future__ import annotations

from datetime import datetime

from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.ports.work import Work


def end_proposal(work: Work, rerun_id: int, reason: str, *, now: datetime) -> bool:
    """Terminate a proposal with its members; False if it isn't one any more."""
    if not work.store.hold_rerun(rerun_id, state=RerunState.PROPOSED):
        return False
    before, after = MemberState.PENDING, MemberState.TERMINATED
    work.store.move_members(rerun_id, before=before, after=after, reason=None, now=now)
    starts, end = [RerunState.PROPOSED], RerunState.TERMINATED
    return work.store.move_rerun(rerun_id, before=starts, after=end, reason=reason, now=now)
