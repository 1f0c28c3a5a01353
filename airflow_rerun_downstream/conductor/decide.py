"""What should happen next in a rerun. Pure: reads what was observed, touches nothing."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from airflow_rerun_downstream.conductor.adoption import Made, adopted, adoptions, makers, unknown
from airflow_rerun_downstream.conductor.freezing import follow_holds, frozen_members, release_all, stopping
from airflow_rerun_downstream.conductor.gates import UPSTREAM_RUNS_AGAIN, known_to_wait
from airflow_rerun_downstream.conductor.judge import is_busy, judged, started_after
from airflow_rerun_downstream.conductor.places import explained, places, to_look_at
from airflow_rerun_downstream.conductor.steps import (
    Explain,
    Halt,
    MoveMember,
    MoveRerun,
    NextStage,
    NoteRunState,
    Prove,
    Release,
    Step,
    StopMember,
)
from airflow_rerun_downstream.conductor.stillness import stands
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, Observation
from airflow_rerun_downstream.domain.freeze import Hold
from airflow_rerun_downstream.domain.member import Member, is_free, lets_go
from airflow_rerun_downstream.domain.proof import NOT_PROVEN
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import ActiveRerun
from airflow_rerun_downstream.domain.room import CLOSED, STUCK, DagRoom, word_of
from airflow_rerun_downstream.domain.states import IN_FLIGHT, MemberState, RerunState, Role
from airflow_rerun_downstream.domain.verdict import Evidence, Judgement, Verdict

WAITS = CLOSED | STUCK
"""Reasons of a dispatched member, which go when its run moves."""


@dataclass(frozen=True)
class Observations:
    """What a tick observed: runs of members, what tells more of them than their states, and what trigger tasks made.

    ``evidence`` and ``holds``, those of frozen members, go by member id; ``holds`` None: nobody looked. ``rooms``: what
    Dags can start, of those with ready members. ``asked`` are the runs that don't move and were asked why;
    ``waits`` has the answers.
    """

    runs: Mapping[RunRef, Observation] = field(default_factory=dict)
    evidence: Mapping[int, Evidence] = field(default_factory=dict)
    made: Made = field(default_factory=dict)
    holds: Mapping[int, Hold] | None = None
    rooms: Mapping[str, DagRoom] = field(default_factory=dict)
    asked: Collection[RunRef] = ()
    waits: Mapping[RunRef, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """How much a tick may do: a rerun's members in flight at once, and frozen runs to let go.

    ``frozen_before``: what was frozen at that moment or earlier has waited too long. ``closed_since``: members that
    ended after it are waited for until Airflow has closed their runs; None: nothing is waited for. ``given_up``:
    members whose run couldn't be adopted.
    """

    in_flight: int
    releases: int = sys.maxsize
    frozen_before: datetime | None = None
    closed_since: datetime | None = None
    given_up: Collection[int] = ()


def ready(active: ActiveRerun) -> list[Member]:
    """The pending members whose upstream members are all satisfied, oldest ready time first."""
    members = active.by_id
    found = [member for member in active.members if member.state is MemberState.PENDING and is_free(member, members)]
    return sorted(found, key=by_age)


def by_age(member: Member) -> tuple[float, int, RunRef]:
    """Runs of one Dag go oldest first; so do all others, by their ready time."""
    return (member.run_after.timestamp() if member.run_after else 0.0, member.depth, member.ref)


def to_observe(active: ActiveRerun, rooms: Mapping[str, DagRoom], limit: int) -> list[RunRef]:
    """The runs that a tick has to look at. Of those that may be dispatched, no more than get a place."""
    watched = [m.ref for m in active.members if m.state in IN_FLIGHT or m.state is MemberState.FAILED]
    watched += [member.ref for member in active.members if to_be_closed(member)]
    if active.rerun.state is RerunState.RUNNING:
        members = active.by_id
        for member in to_look_at(ready(active), places(active, {}, rooms, limit)):
            watched.append(member.ref)
            if member.state_reason == UPSTREAM_RUNS_AGAIN:
                watched += [members[gate.member].ref for gate in member.gates]
    return [*watched, *makers(active)]


def to_be_closed(member: Member) -> bool:
    """Whether Airflow was still to close a member's run when the member was judged right."""
    open_then = member.final_run_state is not None and member.final_run_state not in FINISHED_RUN_STATES
    return member.state is MemberState.SUCCEEDED and open_then


def decide(active: ActiveRerun, seen: Observations, limits: Limits) -> list[Step]:
    """The next steps of a rerun, in order."""
    adopts = adoptions(active, seen.runs, seen.made)
    if active.rerun.state is RerunState.TERMINATING:
        # A run that a task has just made is one in flight: it is taken first, and ended with the others.
        # Where that can't be done, the end doesn't wait for it for ever.
        adopts = [step for step in adopts if step.member.id not in limits.given_up]
        return [*adopts] or terminating(active, limits)
    after = adopted(active, adopts)
    followed = [step for member in after.members if (step := follow(member, active, seen)) is not None]
    moves = [step for step in followed if isinstance(step, (MoveMember, NextStage))]
    thaws = list(follow_holds(active, seen.holds, limits.releases, frozen_before=limits.frozen_before))
    released = [step for step in thaws if isinstance(step, Release)]
    after = applied(after, [*moves, *released])
    steps: list[Step] = [*adopts, *followed, *thaws]
    if pauses(active, moves):
        return [*steps, MoveRerun(RerunState.RUNNING, RerunState.PAUSED, "member_failed")]
    state = active.rerun.state
    if state is RerunState.FAILED and any(move.member.state is MemberState.FAILED for move in moves):
        steps.append(MoveRerun(RerunState.FAILED, RerunState.RUNNING, "repaired_by_hand"))
        state = RerunState.RUNNING
    if state is RerunState.RUNNING:
        steps += onward(after, seen, replace(limits, releases=limits.releases - len(released)))
    return steps


def follow(
    member: Member, active: ActiveRerun, seen: Observations
) -> MoveMember | NextStage | NoteRunState | Halt | Explain | None:
    """How one member follows what was observed of its run; None: it stays as it is."""
    run = seen.runs.get(member.ref)
    if member.state is MemberState.STOPPING:
        return stopping(member, run)
    if run is not None and member.state is MemberState.SUCCEEDED:
        return closed(member, run)
    if run is None or member.state not in (MemberState.RUNNING, MemberState.FAILED):
        return None
    found = judged(member, run, seen.evidence.get(member.id))
    if member.state is MemberState.FAILED:
        return (found and repaired(member, run, found, active)) or closed(member, run)
    if found is None:
        return None
    if found.verdict is Verdict.UNFINISHED:
        return waits(member, run, seen)
    if found.verdict is Verdict.SUCCEEDED:
        return right(member, run, found, found.reason)
    return moved(member, run, MemberState.FAILED, found, found.reason)


def moved(member: Member, run: Observation, after: MemberState, found: Judgement, reason: str | None) -> MoveMember:
    """A judgement, with the run as it stood: whoever clears it from now on changes what was judged."""
    number = None if run.run_state is None else run.clear_number
    return MoveMember(member, after, reason, run.run_state, number, found.not_made_anew)


def closed(member: Member, run: Observation) -> NoteRunState | None:
    """Record how Airflow has closed a run that went on after its member was judged."""
    if run.run_state is None or run.run_state not in FINISHED_RUN_STATES or member.final_run_state is None:
        return None
    return NoteRunState(member, run.run_state) if member.final_run_state not in FINISHED_RUN_STATES else None


def waits(member: Member, run: Observation, seen: Observations) -> Explain | None:
    """Say why a run that was dispatched isn't started or doesn't move, and take it back when it does."""
    why = run.waits_because
    if why is None and run.ref in seen.asked:
        why = seen.waits.get(run.ref)
    elif why is None and stands(run) and word_of(member.state_reason) in STUCK:
        return None  # until it is asked again
    if why is None:
        return Explain(member, None) if word_of(member.state_reason) in WAITS else None
    return Explain(member, why) if why != member.state_reason else None


def right(member: Member, run: Observation, found: Judgement, reason: str | None) -> MoveMember | NextStage:
    """A member of which all present tasks are right: the next ones come, or it has succeeded."""
    if member.last_stage:
        return moved(member, run, MemberState.SUCCEEDED, found, reason)
    return NextStage(member, run.clear_number, reason, found.not_made_anew)


def repaired(member: Member, run: Observation, found: Judgement, active: ActiveRerun) -> MoveMember | NextStage | None:
    """A failed member that somebody runs again in Airflow, or has repaired there (decision 3).

    One that wasn't proven looks right: only who clears it does anything about it.
    """
    if member.state_reason == NOT_PROVEN and run.clear_number == member.clear_number:
        return None
    if found.verdict is Verdict.UNFINISHED and run.clear_number != member.clear_number:
        return MoveMember(member, MemberState.RUNNING, "repaired_by_hand", run.run_state)
    since = last_upstream_end(member, active)
    if (
        found.verdict is Verdict.SUCCEEDED
        and since is not None
        and started_after(member, run, since, besides=found.not_made_anew)
    ):
        return right(member, run, found, found.reason or "repaired_by_hand")
    return None


def last_upstream_end(member: Member, active: ActiveRerun) -> datetime | None:
    """When the last of a member's upstream members was right again; for a source, when the rerun began.

    None: it can't be told, because a stage of one has ended that goes on.
    """
    members = active.by_id
    ends = [(gate, members[gate.member].ended_at) for gate in member.gates]
    if any(gate.until is not None and end is None and lets_go(gate, members) for gate, end in ends):
        return None
    return max((end for _, end in ends if end is not None), default=active.rerun.created_at)


def applied(active: ActiveRerun, moves: Collection[MoveMember | NextStage | Release]) -> ActiveRerun:
    """The rerun as it will be after the moves."""
    after = {move.member.id: move for move in moves}
    return replace(active, members=tuple(as_moved(member, after.get(member.id)) for member in active.members))


def as_moved(member: Member, move: MoveMember | NextStage | Release | None) -> Member:
    """A member as it will be after a move."""
    match move:
        case NextStage():
            return replace(
                member, state=MemberState.PENDING, stage=member.stage + 1, stage_attempt=member.attempt, ended_at=None
            )
        case MoveMember():
            return replace(member, state=move.after)
        case Release():
            return replace(member, state=MemberState.RELEASED)
    return member


def pauses(active: ActiveRerun, moves: Collection[MoveMember | NextStage]) -> bool:
    """Whether a failure now pauses the rerun, by its settings."""
    newly_failed = any(isinstance(move, MoveMember) and move.after is MemberState.FAILED for move in moves)
    return newly_failed and active.rerun.settings.on_failure == "pause" and active.rerun.state is RerunState.RUNNING


def onward(active: ActiveRerun, seen: Observations, limits: Limits) -> Iterator[Step]:
    """Dispatch what can go, or end the rerun when nothing can."""
    in_flight = sum(member.state in IN_FLIGHT for member in active.members)
    candidates, waiting = ready(active), unknown(active, seen.runs, seen.made)
    left, kept = places(active, seen.runs, seen.rooms, limits.in_flight), list[tuple[Member, str | None]]()
    for member in candidates:
        run = seen.runs.get(member.ref)
        if member.id in waiting or known_to_wait(member, active, seen.runs):
            continue
        if run is not None and is_busy(run):
            if member.state_reason != "run_not_finished":
                yield Explain(member, "run_not_finished")
        elif (refusal := left.refusal(member)) is not None or left.left <= 0:
            kept.append((member, refusal))
        else:
            yield left.take(member)
    yield from explained(kept)
    if not in_flight and not candidates:
        yield from ending(active, limits)


def ending(active: ActiveRerun, limits: Limits) -> Iterator[Step]:
    """The end of a rerun in which nothing can move any more: frozen runs are let go only if none has failed."""
    if any(member.state is MemberState.FAILED for member in active.members):
        yield MoveRerun(RerunState.RUNNING, RerunState.FAILED, "member_failed")
        return
    if limits.closed_since is not None and any(
        to_be_closed(member) and member.ended_at is not None and member.ended_at > limits.closed_since
        for member in active.members
    ):
        return
    if frozen_members(active) and not proven(active):
        yield Prove(active.rerun.state)
        return
    yield from release_all(active, limit=limits.releases, reason="rerun_succeeded")
    if len(frozen_members(active)) <= limits.releases:
        yield MoveRerun(RerunState.RUNNING, RerunState.SUCCEEDED)


def proven(active: ActiveRerun) -> bool:
    """Whether the proof was made after the last of the members had ended."""
    at = active.rerun.proven_at
    ends = [member.ended_at for member in active.members if member.role is not Role.FROZEN]
    return at is not None and all(end is None or end <= at for end in ends)


def terminating(active: ActiveRerun, limits: Limits) -> list[Step]:
    """End what is open and let go what is frozen; when nothing is left, the rerun is terminated."""
    open_states = IN_FLIGHT | {MemberState.PENDING}
    stop = active.rerun.settings.stop_running_on_terminate
    steps: list[Step] = [
        StopMember(member, stop_run=stop and member.state is not MemberState.PENDING)
        for member in active.members
        if member.state in open_states
    ]
    steps += release_all(active, limit=limits.releases, reason="rerun_terminated")
    if len(frozen_members(active)) > limits.releases:
        return steps
    return [*steps, MoveRerun(RerunState.TERMINATING, RerunState.TERMINATED, active.rerun.state_reason)]
