"""Adoption: a TriggerDagRun task that runs again makes a run of its own, which takes the place of the old one.

Pure: reads what was observed. Airflow has started such a run already, so it is never dispatched as well; and until
it is known what the task did, its old run isn't either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from airflow_rerun_downstream.conductor.steps import Adopt
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.facts import BEGUN_TASK_STATES, Observation, RunFacts
from airflow_rerun_downstream.domain.lineage_records import TriggeredRun
from airflow_rerun_downstream.domain.member import Child, Member
from airflow_rerun_downstream.domain.refs import RunRef, covers
from airflow_rerun_downstream.domain.states import IN_FLIGHT, MemberState

Made = Mapping[RunRef, Sequence[TriggeredRun]]
"""The runs that the tasks of a run made; a run that was looked at and made none has an empty entry."""

ADOPTABLE = frozenset({MemberState.PENDING, MemberState.RUNNING, MemberState.SUCCEEDED, MemberState.FAILED})
"""A run that was right is made once more where its maker is retried."""


def may_be_made(one: Child, active: ActiveRerun) -> bool:
    """Whether the task may have made, or cleared, a member's run by now.

    While its own run is in flight it may do so again: Airflow retries it, and each try makes another run. After
    that it matters only before the member's own run would be dispatched.
    """
    parent, child = active.by_id[one.parent], active.by_id[one.child]
    if child.state not in ADOPTABLE or not covers(parent.begun, one.task_id, one.map_index):
        return False
    if child.state is MemberState.FAILED and child.state_reason == "in_active_rerun":
        return False
    return parent.state in IN_FLIGHT or (child.state is MemberState.PENDING and active.is_free(child))


def expected(active: ActiveRerun) -> list[tuple[Child, Member]]:
    """The children of which a tick has to find out whether they have been made, each with the member that makes it."""
    return [(one, active.by_id[one.parent]) for one in active.children if may_be_made(one, active)]


def makers(active: ActiveRerun) -> set[RunRef]:
    """The runs whose tasks a tick has to look at."""
    return {parent.ref for _, parent in expected(active)}


def to_ask(active: ActiveRerun, runs: Mapping[RunRef, Observation]) -> set[RunRef]:
    """The runs of which to ask what their tasks made: those in which such a task has begun."""
    return {parent.ref for one, parent in expected(active) if begun(runs.get(parent.ref), one.task_id)}


def begun(run: Observation | None, task_id: str) -> frozenset[int]:
    """The map indexes with which a task has begun since its run was dispatched: their records aren't from before."""
    tasks = () if run is None else run.task_instances
    return frozenset(t.map_index for t in tasks if t.task_id == task_id and t.state in BEGUN_TASK_STATES)


def adoptions(active: ActiveRerun, runs: Mapping[RunRef, Observation], made: Made) -> list[Adopt]:
    """The runs to take for members', one for each member at most."""
    taken = active.refs if active.children else frozenset()
    members, found = active.by_id if active.children else {}, dict[int, Adopt]()
    for one, parent in expected(active):
        member, indexes = members[one.child], begun(runs.get(parent.ref), one.task_id)
        here = [run for run in made.get(parent.ref, ()) if run.task_id == one.task_id and run.map_index in indexes]
        run = in_place_of(member, one, here, taken)
        if run is not None and member.id not in found:
            after = MemberState.RUNNING if in_turn(member, parent, active) else MemberState.PENDING
            found[member.id] = Adopt(member, run, parent.ref, one.task_id, after)
    return list(found.values())


def in_place_of(member: Member, one: Child, made: Sequence[TriggeredRun], taken: Collection[RunRef]) -> RunFacts | None:
    """The run that a task made in place of a member's, or the member's own if the task cleared it."""
    for run in made:
        if run.child.ref == member.ref:
            cleared = member.clear_number is not None and run.child.clear_number > member.clear_number
            # Of one that runs, or was right, somebody else may have done that: it is judged again in any case.
            return run.child if cleared and member.state not in (MemberState.RUNNING, MemberState.SUCCEEDED) else None
    for run in made:
        fits = run.map_index == one.map_index and run.child.ref.dag_id == member.ref.dag_id
        if fits and run.child.ref not in taken:
            return run.child
    return None


def in_turn(member: Member, parent: Member, active: ActiveRerun) -> bool:
    """Whether the members that a member waits for, other than the one that made its run, are all satisfied."""
    return active.is_free(member, besides=parent.id)


def unknown(active: ActiveRerun, runs: Mapping[RunRef, Observation], made: Made) -> set[int]:
    """The members of which this tick didn't find out whether their run has been made: not to be dispatched."""
    return {
        one.child
        for one, parent in expected(active)
        if parent.ref not in made and (parent.ref not in runs or begun(runs[parent.ref], one.task_id))
    }


def adopted(active: ActiveRerun, steps: Collection[Adopt]) -> ActiveRerun:
    """The rerun as it will be after the adoptions."""
    if not steps:
        return active
    taken = {step.member.id: replace(step.member, ref=step.run.ref, state=step.after) for step in steps}
    return replace(active, members=tuple(taken.get(one.id, one) for one in active.members))
