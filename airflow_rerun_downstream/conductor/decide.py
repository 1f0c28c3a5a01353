"""What should happen next in a rerun. Pure: reads what was observed, touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from airflow_rerun_downstream.conductor.adoption import adopted, adoptions, makers, unknown
from airflow_rerun_downstream.conductor.closing import ending, terminating
from airflow_rerun_downstream.conductor.follow import follow
from airflow_rerun_downstream.conductor.freezing import follow_holds
from airflow_rerun_downstream.conductor.gates import UPSTREAM_RUNS_AGAIN, known_to_wait
from airflow_rerun_downstream.conductor.judge import is_busy
from airflow_rerun_downstream.conductor.observed import Limits, Observations
from airflow_rerun_downstream.conductor.places import candidates, explained, places
from airflow_rerun_downstream.conductor.steps import (
    Explain,
    MoveMember,
    MoveRerun,
    NextStage,
    Release,
    Step,
)
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import CLOSED
from airflow_rerun_downstream.domain.states import MemberState, RerunState


def to_watch(active: ActiveRerun) -> list[RunRef]:
    """The runs that a tick looks at in any case: those that may move a member, or show why one waits."""
    watched = [member.ref for member in active.watched]
    if active.rerun.state is RerunState.RUNNING:
        members = active.by_id
        for member in active.explained:
            watched += [member.ref] if member.state_reason not in CLOSED else []
            if member.state_reason == UPSTREAM_RUNS_AGAIN:
                watched += [members[gate.member].ref for gate in active.gates(member)]
    return [*watched, *makers(active)]


def dags_to_ask(active: ActiveRerun, left: int) -> set[str]:
    """The Dags of which to ask what they can start: none where nothing could be dispatched, nor anything taken back."""
    if active.rerun.state is not RerunState.RUNNING:
        return set()
    if left > 0:
        return {member.ref.dag_id for member in active.ready}
    return {member.ref.dag_id for member in active.explained if member.state_reason in CLOSED}


def decide(active: ActiveRerun, seen: Observations, limits: Limits) -> list[Step]:
    """The next steps of a rerun, in order."""
    adopts = adoptions(active, seen.runs, seen.made)
    if active.rerun.state is RerunState.TERMINATING:
        # A run that a task has just made is one in flight: it is taken first, and ended with the others.
        # Where that can't be done, the end doesn't wait for it for ever.
        adopts = [step for step in adopts if step.member.id not in limits.given_up]
        return [*adopts] or terminating(active, limits)
    after = adopted(active, adopts)
    followed = [step for member in after.watched if (step := follow(member, active, seen)) is not None]
    moves = [step for step in followed if isinstance(step, (MoveMember, NextStage))]
    held = list(follow_holds(active, seen.holds, limits.releases, frozen_before=limits.frozen_before))
    released = [step for step in held if isinstance(step, Release)]
    after = applied(after, [*moves, *released])
    steps: list[Step] = [*adopts, *followed, *held]
    if pauses(active, moves):
        return [*steps, MoveRerun(RerunState.RUNNING, RerunState.PAUSED, "member_failed")]
    state = active.rerun.state
    if state is RerunState.FAILED and any(move.member.state is MemberState.FAILED for move in moves):
        steps.append(MoveRerun(RerunState.FAILED, RerunState.RUNNING, "repaired_by_hand"))
        state = RerunState.RUNNING
    if state is RerunState.RUNNING:
        steps += onward(after, seen, replace(limits, releases=limits.releases - len(released)))
    return steps


def applied(active: ActiveRerun, moves: Collection[MoveMember | NextStage | Release]) -> ActiveRerun:
    """The rerun as it will be after the moves."""
    if not moves:
        return active
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
    waiting = unknown(active, seen.runs, seen.made)
    left, kept = places(active, seen.runs, seen.rooms, limits.in_flight), list[tuple[Member, str | None]]()
    for member in candidates(active, left):
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
    if not active.in_flight and not active.ready:
        yield from ending(active, limits)
