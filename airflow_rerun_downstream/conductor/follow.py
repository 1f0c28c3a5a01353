"""How a member follows what was observed of its run. Pure."""

from __future__ import annotations

from datetime import datetime

from airflow_rerun_downstream.conductor.freezing import stopping
from airflow_rerun_downstream.conductor.judge import judged, started_after
from airflow_rerun_downstream.conductor.observed import Observations
from airflow_rerun_downstream.conductor.steps import (
    Explain,
    Halt,
    MoveMember,
    NextStage,
    NoteRunState,
)
from airflow_rerun_downstream.conductor.stillness import stands
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun, latest
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, Observation
from airflow_rerun_downstream.domain.member import Member, is_open
from airflow_rerun_downstream.domain.proof import NOT_PROVEN
from airflow_rerun_downstream.domain.room import CLOSED, STUCK, word_of
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.domain.verdict import Judgement, Verdict

WAITS = CLOSED | STUCK
"""Reasons of a dispatched member, which go when its run moves."""


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
    if any(gate.until is not None and end is None and is_open(gate, members) for gate, end in ends):
        return None
    through = None if member.passage is None else active.passage_ends[member.passage]
    return latest([through, *(end for _, end in ends)]) or active.rerun.created_at
