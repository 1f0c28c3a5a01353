"""Whether what a member reads from is still right at the moment of its dispatch. Pure, like `decide`.

A tick has judged the upstream members; since then somebody may have cleared one again, in Airflow's own pages.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.conductor.judge import judged
from airflow_rerun_downstream.conductor.steps import MoveMember, StageBack
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.facts import (
    FINISHED_RUN_STATES,
    LIVE_TASK_STATES,
    UNFINISHED_TASK_STATES,
    Observation,
)
from airflow_rerun_downstream.domain.member import Awaited, Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.selection import selected_instances
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.domain.verdict import Evidence, Verdict, by_states

UPSTREAM_RUNS_AGAIN = "upstream_runs_again"
CLEARED_AGAIN = "cleared_again"

GOING_ON = frozenset({MemberState.PENDING, MemberState.RUNNING})
"""States of a member between two of its stages, or in a later one."""


def stands(gate: Awaited, run: Observation, found: Evidence | None = None) -> bool:
    """Whether an upstream member, or the stage of it that is waited for, is as it was when it was waited for no more.

    Of a succeeded one the run has the clear number with which it was judged, and is judged right now, too: with
    evidence, where `takes_evidence` asks for some. A skipped one was accepted as it is: only nothing of it may be on
    its way. Any other is waited for.
    """
    member = gate.member
    if member.state is MemberState.SKIPPED:
        return not on_its_way(gate.part, run)
    if run.run_state is None or not (member.state is MemberState.SUCCEEDED or gate.stage_ended):
        return False
    if member.clear_number != run.clear_number:
        return False
    if takes_evidence(gate, run):
        judgement = judged(gate.part, run, found)
        good = (Verdict.SUCCEEDED,) if gate.until is None else (Verdict.SUCCEEDED, Verdict.TASKS_GONE)
        return judgement is not None and judgement.verdict in good
    return by_states(gate.part.tasks, run) is None


def takes_evidence(gate: Awaited, run: Observation) -> bool:
    """Whether an upstream member that is waited for no more has tasks that ended otherwise than in success, or are
    gone: it was judged by more."""
    member, tasks = gate.member, gate.part.tasks
    if not (member.state is MemberState.SUCCEEDED or gate.stage_ended) or member.clear_number != run.clear_number:
        return False
    chosen = selected_instances(tasks, run.task_instances)
    gone = {task.task_id for task in tasks} - {task.task_id for task in chosen}
    return by_states(tasks, run) is None and (bool(gone) or any(task.state != "success" for task in chosen))


def on_its_way(gate: Member, run: Observation) -> bool:
    """Whether a selected task of the run is going to end, or may still have a process."""
    ended = run.run_state in (*FINISHED_RUN_STATES, None)
    awaited = LIVE_TASK_STATES if ended else UNFINISHED_TASK_STATES
    return any(task.state in awaited for task in selected_instances(gate.tasks, run.task_instances))


def look_again(gate: Awaited, run: Observation) -> MoveMember | StageBack | None:
    """What becomes of an upstream member that doesn't stand; None: it is waited for as it is.

    Whatever was done to its run, it is judged again like any running one; what it has gone on to since is rerun anew.
    """
    member, gone = gate.member, run.run_state is None
    goes_on = gate.stage_ended and member.state in GOING_ON
    if gone and (goes_on or member.state is MemberState.SUCCEEDED):
        return MoveMember(member, MemberState.FAILED, "run_gone")
    if member.state is MemberState.SUCCEEDED:
        return MoveMember(member, MemberState.RUNNING, CLEARED_AGAIN)
    return StageBack(member, gate.until, CLEARED_AGAIN) if goes_on and gate.until is not None else None


def overtaken(member: Member, active: ActiveRerun) -> Member | None:
    """One of the members for which another one waits, and that has ended once more since that was last dispatched.

    Or the stage for which it waits. What of the other was made before that has read older data. One without an end has
    ended this very moment. Left out is whose task makes the other's run: it goes on beside it.
    """
    makers = {one.parent for one in active.children if one.child == member.id}
    if member.dispatched_at is None:
        return None
    for gate in active.gates(member):
        other = active.by_id[gate.member]
        ended = other.ended(gate.until)
        later = other.attempt > 0 if ended is None else ended > member.dispatched_at
        if later and other.id not in makers:
            return other
    return None


def known_to_wait(member: Member, active: ActiveRerun, runs: Mapping[RunRef, Observation]) -> bool:
    """Whether a member that was found to wait for an upstream run has to go on waiting, as this tick sees it."""
    if member.state_reason != UPSTREAM_RUNS_AGAIN:
        return False
    members = active.by_id
    gates = [members[gate.member] for gate in active.gates(member)]
    return any(
        gate.state is MemberState.SKIPPED and on_its_way(gate, runs[gate.ref]) for gate in gates if gate.ref in runs
    )
