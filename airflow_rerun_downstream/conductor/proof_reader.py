"""What the proof of a rerun is made from, read in one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from airflow_rerun_downstream.conductor.evidence import structures_of
from airflow_rerun_downstream.domain.lineage_records import TriggeredRun
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.proof import NOT_PROVEN, Facts, Proof, ProvenLink, ProvenMember, RunTries, Told
from airflow_rerun_downstream.domain.proving import prove
from airflow_rerun_downstream.domain.rebuilt import REBUILT, at_submit, places_of
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun, RerunEvent
from airflow_rerun_downstream.domain.run_accounts import Places
from airflow_rerun_downstream.domain.states import MemberState, Role
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.work import Work

AT_ONCE = 2_500
"""Of how many runs the tries are read at once."""

CODES = frozenset({"stays_polluted", REBUILT, "order_lost"})
"""The warnings by which a submit accepts that something isn't right, or isn't in order."""


def proof_of(work: Work, rerun: Rerun, at: datetime) -> Proof:
    """The proof of a rerun as everything stands now. A few statements for each few thousand members."""
    return prove(read_facts(work, rerun), at)


def read_facts(work: Work, rerun: Rerun) -> Facts:
    """All that a proof is made from."""
    members = [one for one in work.store.members(rerun.id) if one.role is not Role.FROZEN]
    listed = work.store.not_made_anew(rerun.id)
    stored = list(work.store.links(rerun.id))
    links = tuple(proven_links(stored))
    found = proven_members(members, listed, work.store.events(rerun.id))
    places = {one.ref: before for one in members if (before := places_of(one))}
    replaced = {one.at_submit for one in found} - {one.ref for one in found}
    joined = {ref for link in links for ref in (link.upstream, link.downstream)}
    besides = beside(work, stored, found, places)
    others = {other for some in besides.values() for other in some}
    refs = sorted({one.ref for one in found} | joined - replaced)
    every = tries_of(work, sorted({*refs, *others}), places, rerun.created_at)
    runs = {ref: tries for ref in refs if (tries := every.get(ref)) is not None}
    structures = structures_of(work, list(runs))
    return Facts(
        since=rerun.created_at,
        members=found,
        links=links,
        runs=runs,
        structures={ref: dag for ref in runs if (dag := structures.was(ref)) is not None},
        told=tuple(told(rerun, listed)),
        beside={ref: {one: every[one] for one in some if one in every} for ref, some in besides.items()},
    )


def tries_of(work: Work, refs: Sequence[RunRef], places: Places, since: datetime) -> dict[RunRef, RunTries]:
    """The tries of runs, some at a time: what they are read from is larger than what is kept of it."""
    found = dict[RunRef, RunTries]()
    for start in range(0, len(refs), AT_ONCE):
        some = refs[start : start + AT_ONCE]
        found.update(work.facts.tasks.tries(some, places=places, since=dict.fromkeys(some, since)))
    return found


def beside(
    work: Work, links: Iterable[Link], members: Sequence[ProvenMember], places: Places
) -> dict[RunRef, list[RunRef]]:
    """By members' runs: those that had their place before, and what the tasks have made last that had made them.

    One statement, where tasks made runs of members.
    """
    by_submit = {one.at_submit: one for one in members}
    found = {ref: set(before) for ref, before in places.items()}
    makers: dict[tuple[RunRef, str | None, int], set[RunRef]] = {}
    for link in links:
        child = by_submit.get(link.downstream) if isinstance(link.downstream, RunRef) else None
        if child is not None and link.kind is LinkKind.TRIGGER and link.to_task_id is None:
            parent = by_submit.get(link.upstream)
            for ref in {link.upstream, parent.ref if parent is not None else link.upstream}:
                key = ref, link.from_task_id, int(link.via.get("map_index", -1))
                makers.setdefault(key, set()).add(child.ref)
    taken = {ref for one in members for ref in (one.ref, one.at_submit)}
    for made in work.facts.tasks.triggered_runs(sorted({ref for ref, _, _ in makers})) if makers else ():
        if isinstance(made, TriggeredRun) and made.child.ref not in taken:
            for ref in makers.get((made.parent, made.task_id, made.map_index), ()):
                if ref.dag_id == made.child.ref.dag_id:
                    found.setdefault(ref, set()).add(made.child.ref)
    return {ref: sorted(some) for ref, some in found.items()}


def proven_links(links: Iterable[Link]) -> Iterable[ProvenLink]:
    """The links between runs that exist, each once."""
    found = (
        ProvenLink(
            link.upstream,
            link.downstream,
            link.kind.value,
            from_tasks(link),
            link.to_task_id,
            vague="through" in link.via or link.evidence is Evidence.UNRESOLVED,
        )
        for link in links
        if isinstance(link.downstream, RunRef)
    )
    return dict.fromkeys(found)


def from_tasks(link: Link) -> frozenset[str] | None:
    """The tasks whose work went through a link; several are told by what was seen. None: the run as a whole."""
    if link.from_task_id is not None:
        return frozenset({link.from_task_id})
    named = link.via.get("external_task_ids") or link.via.get("waits_for")
    return frozenset(map(str, named)) if isinstance(named, (list, tuple)) else None


def proven_members(
    members: Sequence[Member], listed: Iterable[tuple[Member, NotMadeAnew]], events: Iterable[RerunEvent]
) -> tuple[ProvenMember, ...]:
    """The members with what the record says of them."""
    lists: dict[int, dict[tuple[str, int | None], str | None]] = {}
    for member, what in listed:
        if what.reason != REBUILT:
            lists.setdefault(member.id, {})[what.task_id, what.map_index] = what.by
    dispatched, adopted, succeeded = dict[int, datetime](), set[int](), dict[int, datetime]()
    for event in events:
        if event.member_id is None:
            continue
        if event.action == "member_dispatched":
            dispatched.setdefault(event.member_id, event.at)
        elif event.action == "member_adopted":
            adopted.add(event.member_id)
        elif event.action == "member_succeeded":
            succeeded[event.member_id] = event.at
    return tuple(
        ProvenMember(
            ref=one.ref,
            at_submit=at_submit(one),
            state=MemberState.SUCCEEDED.value if one.state_reason == NOT_PROVEN else one.state.value,
            tasks=one.tasks,
            begun=one.attempt > 0,
            dispatched=None if one.id in adopted else dispatched.get(one.id),
            succeeded=succeeded.get(one.id),
            clear_number=one.clear_number,
            listed=lists.get(one.id, {}),
        )
        for one in members
    )


def told(rerun: Rerun, listed: Iterable[tuple[Member, NotMadeAnew]]) -> Iterable[Told]:
    """What the submit was told, and what the record says since, that somebody has accepted."""
    for one in rerun.warnings:
        if one.code in CODES and one.dag_id is not None and one.run_id is not None:
            yield Told(one.code, RunRef(one.dag_id, one.run_id), one.task_id, rerun.created_by)
    for member, what in listed:
        if what.reason == REBUILT:
            yield Told(REBUILT, at_submit(member), what.task_id, what.by or rerun.created_by)
