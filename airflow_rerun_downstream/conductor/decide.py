"""What should happen next in a rerun. Pure: reads what was observed, touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from airflow_rerun_downstream.conductor.judge import Verdict, is_busy, started_after, verdict
from airflow_rerun_downstream.conductor.steps import (
    Dispatch,
    Explain,
    MoveMember,
    MoveRerun,
    Step,
    StopMember,
)
from airflow_rerun_downstream.domain.facts import Observation
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import ActiveRerun, Member
from airflow_rerun_downstream.domain.states import IN_FLIGHT, SATISFIED, MemberState, RerunState


@dataclass(frozen=True)
class Seen:
    """What a tick observed: runs of members, and which failed runs somebody stopped."""

    runs: Mapping[RunRef, Observation] = field(default_factory=dict)
    stopped: Collection[RunRef] = ()


def ready(active: ActiveRerun) -> list[Member]:
    """The pending members whose upstream members are all satisfied, oldest ready time first."""
    members = active.by_id
    found = [
        member
        for member in active.members
        if member.state is MemberState.PENDING and all(members[other].state in SATISFIED for other in member.waits_for)
    ]
    return sorted(found, key=by_age)


def by_age(member: Member) -> tuple[float, int, RunRef]:
    """Runs of one Dag go oldest first; so do all others, by their ready time."""
    return (member.run_after.timestamp() if member.run_after else 0.0, member.depth, member.ref)


def to_observe(active: ActiveRerun) -> list[RunRef]:
    """The runs that a tick has to look at."""
    watched = [m.ref for m in active.members if m.state in IN_FLIGHT or m.state is MemberState.FAILED]
    if active.rerun.state is RerunState.RUNNING:
        watched += [member.ref for member in ready(active)]
    return watched


def decide(active: ActiveRerun, seen: Seen, *, limit: int) -> list[Step]:
    """The next steps of a rerun, in order; ``limit``: its members in flight at once."""
    if active.rerun.state is RerunState.TERMINATING:
        return terminating(active)
    moves = [move for member in active.members if (move := follow(member, active, seen)) is not None]
    after = applied(active, moves)
    steps: list[Step] = [*moves]
    if pauses(active, moves):
        return [*steps, MoveRerun(RerunState.RUNNING, RerunState.PAUSED, "member_failed")]
    state = active.rerun.state
    if state is RerunState.FAILED and any(move.member.state is MemberState.FAILED for move in moves):
        steps.append(MoveRerun(RerunState.FAILED, RerunState.RUNNING, "repaired_by_hand"))
        state = RerunState.RUNNING
    if state is RerunState.RUNNING:
        steps += onward(after, seen, limit)
    return steps


def follow(member: Member, active: ActiveRerun, seen: Seen) -> MoveMember | None:
    """How one member's state follows what was observed of its run; None: it stays."""
    run = seen.runs.get(member.ref)
    if run is None or member.state not in (MemberState.RUNNING, MemberState.FAILED):
        return None
    found = verdict(member, run, seen.stopped)
    if member.state is MemberState.FAILED:
        return repaired(member, run, found, active)
    if found is Verdict.UNFINISHED:
        return None
    if found is Verdict.SUCCEEDED:
        return MoveMember(member, MemberState.SUCCEEDED, None, run.run_state)
    return MoveMember(member, MemberState.FAILED, found.value, run.run_state)


def repaired(member: Member, run: Observation, found: Verdict, active: ActiveRerun) -> MoveMember | None:
    """A failed member that somebody runs again in Airflow, or has repaired there (decision 3)."""
    if found is Verdict.UNFINISHED and run.clear_number != member.clear_number:
        return MoveMember(member, MemberState.RUNNING, "repaired_by_hand", run.run_state)
    if found is Verdict.SUCCEEDED and started_after(member, run, last_upstream_end(member, active)):
        return MoveMember(member, MemberState.SUCCEEDED, "repaired_by_hand", run.run_state)
    return None


def last_upstream_end(member: Member, active: ActiveRerun) -> datetime:
    """When the last of a member's upstream members was right again; for a source, when the rerun began."""
    members = active.by_id
    ends = [members[other].ended_at for other in member.waits_for]
    return max((end for end in ends if end is not None), default=active.rerun.created_at)


def applied(active: ActiveRerun, moves: Collection[MoveMember]) -> ActiveRerun:
    """The rerun as it will be after the moves."""
    states = {move.member.id: move.after for move in moves}
    members = tuple(replace(m, state=states.get(m.id, m.state)) for m in active.members)
    return replace(active, members=members)


def pauses(active: ActiveRerun, moves: Collection[MoveMember]) -> bool:
    """Whether a failure now pauses the rerun, by its settings."""
    newly_failed = any(move.after is MemberState.FAILED for move in moves)
    return newly_failed and active.rerun.settings.on_failure == "pause" and active.rerun.state is RerunState.RUNNING


def onward(active: ActiveRerun, seen: Seen, limit: int) -> Iterator[Step]:
    """Dispatch what can go, or end the rerun when nothing can."""
    in_flight = sum(member.state in IN_FLIGHT for member in active.members)
    candidates = ready(active)
    room = limit - in_flight
    for member in candidates:
        run = seen.runs.get(member.ref)
        if run is not None and is_busy(run):
            if member.state_reason != "run_not_finished":
                yield Explain(member, "run_not_finished")
        elif room > 0:
            room -= 1
            yield Dispatch(member)
    if not in_flight and not candidates:
        yield from ending(active)


def ending(active: ActiveRerun) -> Iterator[Step]:
    """The end of a rerun in which nothing can move any more."""
    if any(member.state is MemberState.FAILED for member in active.members):
        yield MoveRerun(RerunState.RUNNING, RerunState.FAILED, "member_failed")
    else:
        yield MoveRerun(RerunState.RUNNING, RerunState.SUCCEEDED)


def terminating(active: ActiveRerun) -> list[Step]:
    """End what is open; when nothing is, the rerun is terminated."""
    open_states = IN_FLIGHT | {MemberState.PENDING}
    stop = active.rerun.settings.stop_running_on_terminate
    steps: list[Step] = [
        StopMember(member, stop_run=stop and member.state is not MemberState.PENDING)
        for member in active.members
        if member.state in open_states
    ]
    return [*steps, MoveRerun(RerunState.TERMINATING, RerunState.TERMINATED, active.rerun.state_reason)]
