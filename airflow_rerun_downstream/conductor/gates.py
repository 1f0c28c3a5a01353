"""Whether what a member reads from is still right at the moment of its dispatch. Pure, like `decide`.

A tick has judged the upstream members; since then somebody may have cleared one again, in Airflow's own pages.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.conductor.judge import judged
from airflow_rerun_downstream.conductor.steps import MoveMember
from airflow_rerun_downstream.domain.facts import (
    FINISHED_RUN_STATES,
    LIVE_TASK_STATES,
    UNFINISHED_TASK_STATES,
    Observation,
)
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import ActiveRerun, Member
from airflow_rerun_downstream.domain.selection import selected_instances
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.domain.verdict import Evidence, Verdict, by_states

UPSTREAM_RUNS_AGAIN = "upstream_runs_again"
CLEARED_AGAIN = "cleared_again"


def stands(gate: Member, run: Observation, found: Evidence | None = None) -> bool:
    """Whether an upstream member is as it was when it let others go.

    Of a succeeded one the run has the clear number with which it was judged, and is judged right now, too: with
    evidence, where `takes_evidence` asks for some. A skipped one was let go as it is: only nothing of it may be on
    its way. Any other lets nobody go.
    """
    if gate.state is MemberState.SKIPPED:
        return not on_its_way(gate, run)
    if gate.state is not MemberState.SUCCEEDED or run.run_state is None:
        return False
    if gate.clear_number != run.clear_number:
        return False
    if takes_evidence(gate, run):
        judgement = judged(gate, run, found)
        return judgement is not None and judgement.verdict is Verdict.SUCCEEDED
    return by_states(gate.tasks, run) is None


def takes_evidence(gate: Member, run: Observation) -> bool:
    """Whether a succeeded upstream member has tasks that ended otherwise than in success: it was judged by more."""
    if gate.state is not MemberState.SUCCEEDED or gate.clear_number != run.clear_number:
        return False
    chosen = selected_instances(gate.tasks, run.task_instances)
    return by_states(gate.tasks, run) is None and any(task.state != "success" for task in chosen)


def on_its_way(gate: Member, run: Observation) -> bool:
    """Whether a selected task of the run is going to end, or may still have a process."""
    ended = run.run_state in (*FINISHED_RUN_STATES, None)
    awaited = LIVE_TASK_STATES if ended else UNFINISHED_TASK_STATES
    return any(task.state in awaited for task in selected_instances(gate.tasks, run.task_instances))


def look_again(gate: Member, run: Observation) -> MoveMember | None:
    """What becomes of an upstream member that doesn't stand; None: it is waited for as it is.

    Whatever was done to its run, it is judged again like any running one.
    """
    if gate.state is not MemberState.SUCCEEDED:
        return None
    if run.run_state is None:
        return MoveMember(gate, MemberState.FAILED, "run_gone")
    return MoveMember(gate, MemberState.RUNNING, CLEARED_AGAIN)


def known_to_wait(member: Member, active: ActiveRerun, runs: Mapping[RunRef, Observation]) -> bool:
    """Whether a member that was found to wait for an upstream run has to go on waiting, as this tick sees it."""
    if member.state_reason != UPSTREAM_RUNS_AGAIN:
        return False
    members = active.by_id
    gates = [members[other] for other in member.waits_for]
    return any(
        gate.state is MemberState.SKIPPED and on_its_way(gate, runs[gate.ref]) for gate in gates if gate.ref in runs
    )
