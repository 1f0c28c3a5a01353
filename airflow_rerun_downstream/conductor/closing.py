"""How a rerun ends: by itself when nothing can move any more, or because a person terminates it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_rerun_downstream.conductor.freezing import release_all
from airflow_rerun_downstream.conductor.observed import Limits
from airflow_rerun_downstream.conductor.steps import (
    EndPending,
    MoveRerun,
    Prove,
    Step,
    StopMember,
)
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun, to_be_closed
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role


def ending(active: ActiveRerun, limits: Limits) -> Iterator[Step]:
    """The end of a rerun in which nothing can move any more: frozen runs are released only if none has failed."""
    if any(member.state is MemberState.FAILED for member in active.members):
        yield MoveRerun(RerunState.RUNNING, RerunState.FAILED, "member_failed")
        return
    if limits.closed_since is not None and any(
        to_be_closed(member) and member.ended_at is not None and member.ended_at > limits.closed_since
        for member in active.members
    ):
        return
    if active.frozen and not proven(active):
        yield Prove(active.rerun.state)
        return
    yield from release_all(active, limit=limits.releases, reason="rerun_succeeded")
    if len(active.frozen) <= limits.releases:
        yield MoveRerun(RerunState.RUNNING, RerunState.SUCCEEDED)


def proven(active: ActiveRerun) -> bool:
    """Whether the proof was made after the last of the members had ended."""
    at = active.rerun.proven_at
    ends = [member.ended_at for member in active.members if member.role is not Role.FROZEN]
    return at is not None and all(end is None or end <= at for end in ends)


def terminating(active: ActiveRerun, limits: Limits) -> list[Step]:
    """End what is open and release what is frozen; when nothing is left, the rerun is terminated."""
    stop = active.rerun.settings.stop_running_on_terminate
    pending = any(member.state is MemberState.PENDING for member in active.members)
    steps: list[Step] = [StopMember(member, stop_run=stop) for member in active.in_flight]
    steps += [EndPending()] if pending else []
    steps += release_all(active, limit=limits.releases, reason="rerun_terminated")
    if len(active.frozen) > limits.releases:
        return steps
    return [*steps, MoveRerun(RerunState.TERMINATING, RerunState.TERMINATED, active.rerun.state_reason)]
