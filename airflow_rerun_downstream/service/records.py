"""Reading stored reruns with a user's eyes: what may not be read is counted or left out, never named."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from airflow_rerun_downstream.conductor.proof_reader import proof_of
from airflow_rerun_downstream.domain.errors import NotFound
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import Link
from airflow_rerun_downstream.domain.proof import Finding, Older, Proof, Spot
from airflow_rerun_downstream.domain.rebuilt import REBUILT, at_submit
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun, RerunEvent, may_withdraw, member_actions, rerun_actions
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.seeing import Seeing
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.record_parts import Head, Part, RerunFilter
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service.core import Core
from airflow_rerun_downstream.service.labelling import labels
from airflow_rerun_downstream.service.names import link_count, member_count
from airflow_rerun_downstream.service.views import LiveRun, MemberView, Omission, ProofView, RerunView

ACCEPTED = frozenset({"stays_polluted", REBUILT})
"""The warnings of a submit about what isn't right after the rerun."""


WAITING = frozenset({MemberState.PENDING, MemberState.STOPPING})


class Records(Core):
    """What is stored of reruns, page by page."""

    def reruns(self, actor: Actor, wanted: RerunFilter) -> tuple[list[RerunView], int]:
        """One page of the reruns whose source the user may read, and how many there are in all."""
        with self.unit_of_work() as work:
            readable = work.permissions.all_readable(actor)
            found, total = work.store.page(replace(wanted, readable=readable))
            return rerun_views(actor, work, found), total

    def rerun(self, actor: Actor, rerun_id: int) -> RerunView:
        """One rerun. Raises `NotFound`."""
        with self.unit_of_work() as work:
            return rerun_view(actor, work, rerun_id)

    def members(
        self, actor: Actor, rerun_id: int, *, limit: int, offset: int, only: Collection[int] | None = None
    ) -> tuple[list[MemberView], int]:
        """A page of the members that the user may read, in their order, and how many there are in all.

        ``only``: of those among these.
        """
        with self.unit_of_work() as work:
            head = readable_head(actor, work, rerun_id)
            dags = self.names.members(work, head)
            readable = work.permissions.readable(actor, dags)
            if only is not None:
                found = work.store.members(rerun_id, Part(readable), only=only)
                return member_views(actor, work, head, found[offset : offset + limit], dags), len(found)
            page = work.store.members(rerun_id, part_of(dags, readable, limit, offset))
            return member_views(actor, work, head, page, dags), member_count(dags, readable)

    def links(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[Link], int]:
        """A page of the links of which the user may read both ends."""
        with self.unit_of_work() as work:
            counts, seeing = self.names.links(work, readable_head(actor, work, rerun_id)), eyes(actor, work)
            dags = frozenset(dag_id for ends in counts for dag_id in ends)
            seen = seeing.among(dags)
            page = work.store.links(rerun_id, part_of(dags, seen, limit, offset))
            return seeing.links(page), link_count(counts, seen)

    def events(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[RerunEvent], int]:
        """A page of the record, oldest first; lines about members that the user may not read are left out."""
        with self.unit_of_work() as work:
            named, seeing = self.names.of(work, readable_head(actor, work, rerun_id)), eyes(actor, work)
            seen = seeing.among(named.members)
            page = work.store.events(rerun_id, part_of(named.members, seen, limit, offset))
            # A line may have come since the count was read.
            total = max(named.line_count(seen), offset + len(page) if page else 0)
            return seeing.events(page, named.members), total

    def not_made_anew(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[Omission], int]:
        """A page of what wasn't made anew: what members count without that, then what was left out at submit."""
        with self.unit_of_work() as work:
            left = deselected(readable_rerun(actor, work, rerun_id))
            dags = {*work.store.member_dags([rerun_id])[rerun_id], *(one.ref.dag_id for one in left)}
            dags |= {one.because_of.dag_id for one in left if one.because_of is not None}
            readable = work.permissions.readable(actor, dags)
            part = part_of(dags, readable, limit, offset)
            stored, total = work.store.not_made_anew(rerun_id, part), work.store.count_not_made_anew(rerun_id, part)
            links = work.store.links(rerun_id, Part(readable)) if stored else []
            found = [seen_by(omission(member, what, links), readable) for member, what in stored]
            left = [seen_by(one, readable) for one in left if one.ref.dag_id in readable]
            start = max(offset - total, 0)
            return [*found, *left[start : start + limit - len(found)]], total + len(left)

    def proof(self, actor: Actor, rerun_id: int) -> ProofView:
        """What the rerun can show for itself, as everything stands now. Raises `NotFound`.

        It is computed over everything; what is about a run that the user may not read is counted, never named.
        """
        with self.unit_of_work() as work:
            rerun = readable_rerun(actor, work, rerun_id)
            return shown_proof(actor, work, rerun, proof_of(work, rerun, self.clock.now()))


def readable_rerun(actor: Actor, work: Work, rerun_id: int) -> Rerun:
    """A rerun whose source the user may read. Raises `NotFound`."""
    rerun = work.store.get(rerun_id)
    if rerun is None or not work.permissions.readable(actor, [rerun.source.dag_id]):
        raise NotFound(Sentence("refusal.unknown_rerun", rerun=rerun_id))
    return rerun


def readable_head(actor: Actor, work: Work, rerun_id: int) -> Head:
    """A rerun at a glance, whose source the user may read. Raises `NotFound`."""
    head = work.store.head(rerun_id)
    if head is None or not work.permissions.readable(actor, [head.source.dag_id]):
        raise NotFound(Sentence("refusal.unknown_rerun", rerun=rerun_id))
    return head


def readable_member(actor: Actor, work: Work, rerun_id: int, member_id: int) -> Member:
    """One readable member. Raises `NotFound`."""
    found = work.store.member(rerun_id, member_id)
    if found is None or not work.permissions.readable(actor, [found.ref.dag_id]):
        raise NotFound(Sentence("refusal.unknown_member", rerun=rerun_id, member=member_id))
    return found


def rerun_view(actor: Actor, work: Work, rerun_id: int) -> RerunView:
    """One rerun as the user may see it."""
    return rerun_views(actor, work, [readable_rerun(actor, work, rerun_id)], ended_too=True)[0]


def rerun_views(
    actor: Actor,
    work: Work,
    reruns: Sequence[Rerun],
    dags: Mapping[int, Mapping[str, int]] | None = None,
    *,
    ended_too: bool = False,
) -> list[RerunView]:
    """Reruns as the user may see them; ``dags``: their members' Dags, where they are known.

    ``ended_too``: say of reruns with which nothing can be done any more, too, whether the user may comment on them. An
    auth manager may ask elsewhere for each Dag, so that a list doesn't.
    """
    if dags is None:
        dags = work.store.member_dags([rerun.id for rerun in reruns]) if reruns else {}
    everything = {dag_id for counts in dags.values() for dag_id in counts}
    seen = work.permissions.readable(actor, everything)
    seeing = eyes(actor, work)
    omitted = work.store.counts_not_made_anew([rerun.id for rerun in reruns]) if reruns else {}
    allowed = allowed_among(actor, work, [each for each in reruns if ended_too or rerun_actions(each)], dags)
    return [
        RerunView(
            rerun,
            rerun_actions(rerun) if rerun.id in allowed else ("reject",) if may_withdraw(rerun, actor) else (),
            sum(count for dag_id, count in dags.get(rerun.id, {}).items() if dag_id not in seen),
            omitted.get(rerun.id, 0) + len(deselected(rerun)),
            seeing.warnings(rerun.warnings),
            may_withdraw=may_withdraw(rerun, actor),
            may_comment=rerun.id in allowed,
        )
        for rerun in reruns
    ]


def member_view(actor: Actor, work: Work, rerun_id: int, member_id: int) -> MemberView:
    """One member as the user may see it."""
    rerun = readable_rerun(actor, work, rerun_id)
    page, dags = [readable_member(actor, work, rerun_id, member_id)], work.store.member_dags([rerun_id])[rerun_id]
    return member_views(actor, work, rerun, page, dags)[0]


def member_views(
    actor: Actor, work: Work, rerun: Rerun | Head, page: Sequence[Member], dags: Collection[str]
) -> list[MemberView]:
    """Members with their live state and what they wait for; ``dags``: those of all of the rerun's members."""
    refs = [member.ref for member in page]
    live = work.facts.runs.now(refs) if page else {}
    called = labels(work, {ref.dag_id for ref in refs}, refs)
    waiting = [member.id for member in page if rerun.active and member.state in WAITING]
    awaited = work.store.awaited(waiting) if waiting else {}
    named = {ref.dag_id for refs in awaited.values() for ref in refs}
    readable = work.permissions.readable(actor, named) if named else frozenset()
    actions = {member.id: found for member in page if (found := member_actions(rerun.state, member))}
    may_act = bool(actions) and bool(allowed_among(actor, work, [rerun], {rerun.id: dags}))
    views = []
    for member in page:
        run = live.get(member.ref)
        views.append(
            MemberView(
                member,
                tuple(ref for ref in awaited.get(member.id, ()) if ref.dag_id in readable),
                LiveRun(member.ref.run_id, run.state if run else None, run.run_after if run else None),
                actions.get(member.id, ()) if may_act else (),
                called,
            )
        )
    return views


def part_of(dags: Collection[str], readable: frozenset[str], limit: int, offset: int) -> Part:
    """A page of what is about some Dags, of which some are readable. Where all are, nothing has to be left out."""
    return Part(None if readable.issuperset(dags) else readable, limit, offset)


def deselected(rerun: Rerun) -> list[Omission]:
    """What the submit left out although it was wrong, and what is made anew on top of it, as its warnings say: accepted
    by whoever submitted."""
    return [
        Omission(
            RunRef(one.dag_id, one.run_id), one.task_id, None, one.code, rerun.created_by, because_of=one.because_of
        )
        for one in rerun.warnings
        if one.code in ACCEPTED and one.dag_id is not None and one.run_id is not None
    ]


def omission(member: Member, what: NotMadeAnew, links: Sequence[Link]) -> Omission:
    """What a member counts without having made it anew, with the runs that read it."""
    here = at_submit(member)
    readers = {
        link.downstream
        for link in links
        if link.upstream == here and link.from_task_id in (None, what.task_id) and isinstance(link.downstream, RunRef)
    }
    return Omission(
        member.ref,
        what.task_id,
        what.map_index,
        what.reason,
        what.by,
        member.id,
        tuple(sorted(readers)),
        what.because_of,
    )


def seen_by(one: Omission, readable: Collection[str]) -> Omission:
    """Without the run that is the reason, where that may not be read."""
    hidden = one.because_of is not None and one.because_of.dag_id not in readable
    return replace(one, because_of=None) if hidden else one


def eyes(actor: Actor, work: Work) -> Seeing:
    """What decides what the user sees of texts and links."""
    return Seeing(lambda dag_ids: work.permissions.readable(actor, dag_ids))


def dags_of(rerun: Rerun | Head, members: Mapping[int, Collection[str]]) -> frozenset[str]:
    """Every Dag that one must be allowed to rerun to control a rerun; ``members``: those of its members, by rerun."""
    return frozenset(members[rerun.id]) | {rerun.source.dag_id}


def allowed_among(
    actor: Actor, work: Work, reruns: Sequence[Rerun | Head], members: Mapping[int, Collection[str]]
) -> frozenset[int]:
    """The reruns that the user may control: each of their Dags, as for a submit."""
    wanted = {rerun.id: dags_of(rerun, members) for rerun in reruns}
    allowed = work.permissions.may_rerun(actor, frozenset().union(*wanted.values()))
    return frozenset(rerun_id for rerun_id, dag_ids in wanted.items() if dag_ids <= allowed)


def shown_proof(actor: Actor, work: Work, rerun: Rerun, made: Proof) -> ProofView:
    """A proof with only what the user may read."""
    everything: list[Finding | Older] = [*made.findings, *made.older]
    named = {ref for one in everything for ref in runs_named(one)}
    readable = work.permissions.readable(actor, {ref.dag_id for ref in named}) if named else frozenset()
    hidden = {ref for ref in named if ref.dag_id not in readable}
    findings = tuple(one for one in made.findings if hidden.isdisjoint(runs_named(one)))
    older = tuple(one for one in made.older if hidden.isdisjoint(runs_named(one)))
    return ProofView(
        rerun,
        made,
        findings,
        older,
        hidden_runs=len(hidden),
        hidden_findings=len(made.findings) - len(findings),
        hidden_older=len(made.older) - len(older),
    )


def runs_named(one: Finding | Older) -> frozenset[RunRef]:
    """The runs that are named in a part of a proof."""
    spots: Iterable[Spot | None] = (one.reader, one.writer) if isinstance(one, Finding) else (one.spot, one.because_of)
    return frozenset(spot.ref for spot in spots if spot is not None)
