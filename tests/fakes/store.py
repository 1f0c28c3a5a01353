"""Our tables in memory: `RerunStore` and `Lease` with the behaviour of those on a database.

``snapshot`` and ``restore`` let a fake unit of work roll back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from datetime import timezone as timezones
from typing import Any, TypeVar

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.errors import Invalid, RunInActiveRerun
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.idempotency import IdempotencyKey, KeyTaken
from airflow_rerun_downstream.domain.member import Awaited, Child, Member, StageGate, is_open, own_stages
from airflow_rerun_downstream.domain.new_rerun import NewFrozen, NewMember, NewRerun
from airflow_rerun_downstream.domain.passages import Passage, behind
from airflow_rerun_downstream.domain.plan import Link
from airflow_rerun_downstream.domain.proof import Counts as ProofCounts
from airflow_rerun_downstream.domain.proposal import Proposal
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.rerun import Rerun, RerunEvent
from airflow_rerun_downstream.domain.states import (
    FINAL_RERUN_STATES,
    MemberState,
    RerunState,
    Role,
    starts_of,
    starts_of_adoption,
)
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.ports.record_parts import EVERYTHING, Head, Lines, Part, RerunFilter
from tests.fakes.lineage import like

ENDED = frozenset(MemberState) - {
    MemberState.PENDING,
    MemberState.RUNNING,
    MemberState.STOPPING,
    MemberState.FROZEN,
}
LAST = datetime.max.replace(tzinfo=timezones.utc)
ORDERS = {
    "id": lambda one: one.id,
    "name": lambda one: one.name,
    "state": lambda one: one.state.value,
    "dag_id": lambda one: one.source.dag_id,
    "run_id": lambda one: one.source.run_id,
    "created_by": lambda one: one.created_by,
    "created_at": lambda one: one.created_at,
    "started_at": lambda one: one.started_at,
    "ended_at": lambda one: one.ended_at,
}


Row = TypeVar("Row")


def may_read(part: Part, *dag_ids: str) -> bool:
    return part.readable is None or part.readable.issuperset(dag_ids)


def in_(only: Collection[int] | None, member_id: int) -> bool:
    return only is None or member_id in only


def cut(found: list[Row], part: Part) -> list[Row]:
    return found[part.offset :] if part.limit is None else found[part.offset : part.offset + part.limit]


@dataclass
class Rows:
    """The tables. The values never change in place, so a shallow copy is a snapshot."""

    reruns: dict[int, Rerun] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    links: dict[int, tuple[Link, ...]] = field(default_factory=dict)
    children: dict[int, tuple[Child, ...]] = field(default_factory=dict)
    passages: dict[int, tuple[Passage[int], ...]] = field(default_factory=dict)
    events: list[RerunEvent] = field(default_factory=list)
    active_runs: dict[RunRef, int] = field(default_factory=dict)
    omissions: dict[int, tuple[NotMadeAnew, ...]] = field(default_factory=dict)
    revisions: dict[int, int] = field(default_factory=dict)
    written: dict[int, int] = field(default_factory=dict)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)

    def begin_change(self, rerun_id: int) -> None:
        self.revisions[rerun_id] = self.revisions.get(rerun_id, 0) + 1

    def write(self, member: Member) -> None:
        self.begin_change(member.rerun_id)
        self.members[member.id], self.written[member.id] = member, self.revisions[member.rerun_id]

    def copy(self) -> Rows:
        return Rows(
            dict(self.reruns),
            dict(self.members),
            dict(self.links),
            dict(self.children),
            dict(self.passages),
            list(self.events),
            dict(self.active_runs),
            dict(self.omissions),
            dict(self.revisions),
            dict(self.written),
            dict(self.proposals),
            dict(self.keys),
        )


def gated_by(member: Member, gates: Iterable[StageGate]) -> frozenset[int]:
    """Whom any stage of a member waits for."""
    return member.waits_for.union(gate.member for gate in (*gates, *member.stage_gates))


def awaited_by(gates: Iterable[StageGate], members: Mapping[int, Member]) -> list[RunRef]:
    """The runs that are still waited for, in the order of the members' ids."""
    waiting = {gate.member for gate in gates if not is_open(gate, members)}
    return [members[other].ref for other in sorted(waiting)]


def is_over(one: Rerun, now: datetime | None) -> bool:
    """Whether it is a proposal whose time is over."""
    if one.state is not RerunState.PROPOSED or one.expires_at is None or now is None:
        return False
    return one.expires_at <= now


class FakeStore:
    """`RerunStore` in memory."""

    def __init__(self) -> None:
        self.rows = Rows()

    def snapshot(self) -> Rows:
        return self.rows.copy()

    def restore(self, state: Rows) -> None:
        self.rows = state.copy()

    def add(self, rerun: NewRerun, *, now: datetime) -> int:
        self._refuse_if_held(rerun)
        rerun_id = max(self.rows.reruns, default=0) + 1
        self.rows.reruns[rerun_id] = self._rerun(rerun, rerun_id, now)
        self._add_members(rerun, rerun_id)
        for one in rerun.proposal.frozen if rerun.proposal else ():
            member_id = self.add_frozen(rerun_id, one)
            self.rows.members[member_id] = replace(self.rows.members[member_id], state=MemberState.PENDING)
        if rerun.proposal is not None:
            self.rows.proposals[rerun_id] = rerun.proposal.content
        return rerun_id

    def proposal(self, rerun_id: int) -> Proposal | None:
        return self.rows.proposals.get(rerun_id)

    def approve(self, rerun_id: int, rerun: NewRerun, *, now: datetime) -> bool:
        found = self.rows.reruns.get(rerun_id)
        if found is None or found.state is not RerunState.PROPOSED:
            return False
        self._refuse_if_held(rerun)
        kept = {"proposed_by": found.proposed_by, "proposed_at": found.proposed_at}
        self.rows.begin_change(rerun_id)
        self.rows.reruns[rerun_id] = replace(self._rerun(rerun, rerun_id, now), **kept)
        del self.rows.proposals[rerun_id]
        before = {one.id for one in self.members(rerun_id)}  # their ids don't come back
        self._add_members(rerun, rerun_id)
        self.rows.members = {key: one for key, one in self.rows.members.items() if key not in before}
        return True

    def _refuse_if_held(self, rerun: NewRerun) -> None:
        held = self.active_runs([one.ref for one in rerun.members])
        if held and rerun.proposal is None:
            ref = min(held)
            raise RunInActiveRerun(f"{ref} is in rerun {held[ref]}", rerun_id=held[ref], run=ref)

    def _add_members(self, rerun: NewRerun, rerun_id: int) -> None:
        first = max(self.rows.members, default=0) + 1
        ids = {one.ref: first + place for place, one in enumerate(rerun.members)}
        for one in rerun.members:
            waits_for = frozenset(ids[ref] for ref in one.waits_for)
            stored = self._member(one, ids[one.ref], rerun_id, waits_for)
            gates = tuple(StageGate(gate.stage, ids[gate.ref], gate.until) for gate in one.stage_gates)
            order = tuple(sorted(gates, key=lambda gate: (gate.stage, gate.member)))
            self.rows.members[ids[one.ref]] = replace(stored, stages=one.stages, stage_gates=order)
            if rerun.proposal is None:
                self.rows.active_runs[one.ref] = rerun_id
        self.rows.links[rerun_id] = rerun.links
        self.rows.passages[rerun_id] = tuple(
            Passage(frozenset(ids[ref] for ref in one.members), one.before) for one in rerun.passages
        )
        made = [Child(ids[one.parent], one.task_id, one.map_index, ids[one.child]) for one in rerun.children]
        self.rows.children[rerun_id] = tuple(sorted(made, key=lambda one: (one.parent, one.task_id, one.map_index)))

    def keep_key(self, key: IdempotencyKey, rerun_id: int) -> None:
        if self.kept_key(key.key) is not None:
            raise KeyTaken
        self.rows.keys[key.key] = (rerun_id, key.body)

    def kept_key(self, key: str) -> tuple[int, str] | None:
        kept = self.rows.keys.get(key)
        return kept if kept and kept[0] in self.rows.reruns else None

    def add_frozen(self, rerun_id: int, run: NewFrozen) -> int:
        member_id = max(self.rows.members, default=0) + 1
        self.rows.members[member_id] = Member(
            id=member_id,
            rerun_id=rerun_id,
            ref=RunRef(run.dag_id, run.run_id or ""),
            original_run_id=run.run_id or "",
            role=Role.FROZEN,
            state=MemberState.FROZEN,
            state_reason=None,
            tasks=(),
            depth=0,
            attempt=0,
            clear_number=None,
            logical_date=run.logical_date,
            run_after=run.run_after,
            dispatched_at=None,
            ended_at=None,
            final_run_state=None,
        )
        return member_id

    def get(self, rerun_id: int) -> Rerun | None:
        found = self.rows.reruns.get(rerun_id)
        return found and self._counted(found)

    def page(self, wanted: RerunFilter) -> tuple[list[Rerun], int]:
        name, descending = wanted.order_by.lstrip("-"), wanted.order_by.startswith("-")
        if name not in ORDERS:
            raise Invalid(f"Reruns can't be ordered by {name!r}")
        value = ORDERS[name]
        found = [one for one in self.rows.reruns.values() if self._wanted(one, wanted)]
        known = sorted((one for one in found if value(one) is not None), key=lambda one: (value(one), one.id))
        unknown = [one for one in found if value(one) is None]
        ordered = [*known, *unknown]
        if descending:
            ordered.reverse()
        shown = ordered[wanted.offset : wanted.offset + wanted.limit]
        return [self._counted(one) for one in shown], len(found)

    def members(self, rerun_id: int, part: Part = EVERYTHING, *, only: Collection[int] | None = None) -> list[Member]:
        found = [one for one in self.rows.members.values() if one.rerun_id == rerun_id and in_(only, one.id)]
        readable = [one for one in found if may_read(part, one.ref.dag_id)]
        return cut(sorted(readable, key=lambda one: (one.depth, one.run_after or LAST, one.ref, one.id)), part)

    def head(self, rerun_id: int) -> Head | None:
        found = self.rows.reruns.get(rerun_id)
        revision = self.rows.revisions.get(rerun_id, 0)
        return found and Head(rerun_id, found.source, found.state, found.created_at, revision)

    def changed_members(
        self, rerun_id: int, *, since: int, after: int = 0, readable: frozenset[str] | None = None, limit: int
    ) -> list[Member]:
        written = self.rows.written
        mine = sorted(self.members(rerun_id), key=lambda one: one.id)
        news = {one.id for one in mine if written.get(one.id, 0) > since}
        found = [
            one
            for one in mine
            if one.id > after and (since < 0 or not news.isdisjoint({one.id, *gated_by(one, self._gates(one))}))
        ]
        return [one for one in found if readable is None or one.ref.dag_id in readable][:limit]

    def member(self, rerun_id: int, member_id: int) -> Member | None:
        found = self.rows.members.get(member_id)
        return found if found and found.rerun_id == rerun_id else None

    def gates(self, member_id: int) -> list[Awaited]:
        one = self.rows.members[member_id]
        found = [
            Awaited(replace(other, waits_for=frozenset(), stage_gates=()), gate.until)
            for other in self.members(one.rerun_id)
            for gate in self._gates(one)
            if gate.member == other.id
        ]
        return [*found, *own_stages(replace(one, waits_for=frozenset(), stage_gates=()))]

    def awaited(self, member_ids: Collection[int]) -> dict[int, list[RunRef]]:
        members = self.rows.members
        return {one: awaited_by(self._gates(members[one]), members) if one in members else [] for one in member_ids}

    def passages(self, rerun_id: int) -> tuple[Passage[int], ...]:
        return self.rows.passages.get(rerun_id, ())

    def _gates(self, one: Member) -> tuple[StageGate, ...]:
        return one.gates_with(behind(self.passages(one.rerun_id), one.passage))

    def children(self, rerun_id: int) -> tuple[Child, ...]:
        return self.rows.children.get(rerun_id, ())

    def links(self, rerun_id: int, part: Part = EVERYTHING) -> list[Link]:
        links = self.rows.links.get(rerun_id, ())
        return cut([one for one in links if may_read(part, one.upstream.dag_id, one.downstream.dag_id)], part)

    def links_into(self, rerun_id: int, run: RunRef) -> list[Link]:
        return [one for one in self.links(rerun_id) if one.downstream == run]

    def links_out_of(self, rerun_id: int, runs: Collection[RunRef]) -> list[Link]:
        return [one for one in self.links(rerun_id) if one.upstream in runs]

    def taking_part(self, rerun_id: int, runs: Collection[RunRef]) -> frozenset[RunRef]:
        mine = [one for one in self.rows.members.values() if one.rerun_id == rerun_id]
        return frozenset(RunRef(one.ref.dag_id, one.original_run_id) for one in mine).intersection(runs)

    def link_dags(self, rerun_id: int) -> dict[tuple[str, str], int]:
        links = self.rows.links.get(rerun_id, ())
        return dict(Counter((one.upstream.dag_id, one.downstream.dag_id) for one in links))

    def events(self, rerun_id: int, part: Part = EVERYTHING, *, after: int = 0) -> list[RerunEvent]:
        dags = {one.id: one.ref.dag_id for one in self.rows.members.values()}
        lines = [one for one in self.rows.events if one.rerun_id == rerun_id and one.id > after]
        about = [(one, [dags[one.member_id]] if one.member_id in dags else []) for one in lines]
        return cut([one for one, dag_ids in about if may_read(part, *dag_ids)], part)

    def lines(self, rerun_id: int, *, after: int = 0) -> Lines:
        lines = self.events(rerun_id, after=after)
        dags = {one.id: one.ref.dag_id for one in self.rows.members.values()}
        about = Counter(None if one.member_id is None else dags.get(one.member_id) for one in lines)
        others = frozenset(dag_id for one in lines for dag_id in one.dag_ids or ())
        return Lines(dict(about), others, max((one.id for one in lines), default=after))

    def active(self, *, now: datetime | None = None) -> list[ActiveRerun]:
        return [
            ActiveRerun(
                self._counted(one), tuple(self.members(one.id)), self.rows.children[one.id], self.passages(one.id)
            )
            for one in sorted(self.rows.reruns.values(), key=lambda one: one.id)
            if one.active or is_over(one, now)
        ]

    def active_runs(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        return {ref: self.rows.active_runs[ref] for ref in refs if ref in self.rows.active_runs}

    def all_active_runs(self) -> dict[RunRef, int]:
        return dict(self.rows.active_runs)

    def member_dags(self, rerun_ids: Collection[int]) -> dict[int, dict[str, int]]:
        found: dict[int, dict[str, int]] = {rerun_id: {} for rerun_id in rerun_ids}
        for one in self.rows.members.values():
            if one.rerun_id in found:
                counts = found[one.rerun_id]
                counts[one.ref.dag_id] = counts.get(one.ref.dag_id, 0) + 1
        return found

    def move_rerun(
        self,
        rerun_id: int,
        *,
        before: Collection[RerunState] | None = None,
        after: RerunState,
        reason: str | None,
        now: datetime,
    ) -> bool:
        starts, found = starts_of(after, before), self.rows.reruns.get(rerun_id)
        if found is None or found.state not in starts:
            return False
        final = after in FINAL_RERUN_STATES
        ended_at = now if final else found.ended_at
        self.rows.begin_change(rerun_id)
        self.rows.reruns[rerun_id] = replace(found, state=after, state_reason=reason, ended_at=ended_at)
        if final:
            self.rows.active_runs = {k: v for k, v in self.rows.active_runs.items() if v != rerun_id}
        return True

    def hold_rerun(self, rerun_id: int, *, state: RerunState) -> bool:
        found = self.rows.reruns.get(rerun_id)
        return found is not None and found.state is state

    def move_member(
        self,
        member_id: int,
        *,
        before: Collection[MemberState] | None = None,
        after: MemberState,
        reason: str | None,
        now: datetime,
        final_run_state: str | None = None,
        clear_number: int | None = None,
        dispatched: Dispatched | None = None,
    ) -> bool:
        found = self._standing(member_id, starts_of(after, before))
        if found is None:
            return False
        ended = after in ENDED
        values: dict[str, Any] = {
            "ended_at": now if ended else None,
            "final_run_state": (final_run_state or found.final_run_state) if ended else None,
        }
        if clear_number is not None:
            values["clear_number"] = clear_number
        if dispatched is not None:
            number = dispatched.clear_number
            values.update(attempt=found.attempt + 1, clear_number=number, dispatched_at=now)
        self.rows.write(replace(found, state=after, state_reason=reason, **values))
        return True

    def move_members(
        self,
        rerun_id: int,
        *,
        before: MemberState,
        after: MemberState,
        reason: str | None,
        now: datetime,
        told: tuple[str, str] | None = None,
    ) -> int:
        starts_of(after, [before])
        mine = [one.id for one in self.rows.members.values() if one.rerun_id == rerun_id and one.state is before]
        moved = [one for one in mine if self.move_member(one, before=[before], after=after, reason=reason, now=now)]
        for one in sorted(moved) if told is not None else ():
            self.add_event(rerun_id, at=now, actor=told[0], action=told[1], member_id=one)
        return len(moved)

    def next_stage(
        self, member_id: int, *, before: MemberState, stage: int, clear_number: int, ends: Sequence[datetime]
    ) -> bool:
        found = self._standing(member_id, starts_of(MemberState.PENDING, [before]))
        if found is None or found.stage != stage:
            return False
        ahead = replace(
            found,
            state=MemberState.PENDING,
            state_reason=None,
            ended_at=None,
            final_run_state=None,
            stage=stage + 1,
            stage_attempt=found.attempt,
            clear_number=clear_number,
            stage_ends=tuple(ends),
        )
        self.rows.write(ahead)
        return True

    def stage_back(self, member_id: int, *, before: MemberState, since: int, stage: int, reason: str) -> bool:
        found = self._standing(member_id, starts_of_adoption(MemberState.RUNNING, [before]))
        if found is None or found.stage != since:
            return False
        back = replace(found, state=MemberState.RUNNING, state_reason=reason, stage=stage)
        self.rows.write(back)
        return True

    def adopt_member(
        self,
        member_id: int,
        *,
        before: Collection[MemberState],
        after: MemberState,
        run: RunFacts,
        tasks: Tasks,
        runs_between: Sequence[str],
        reason: str | None,
        now: datetime,
    ) -> bool:
        found = self._standing(member_id, starts_of_adoption(after, before))
        if found is None or found.ref.dag_id != run.ref.dag_id:
            return False
        if run.ref != found.ref and run.ref in self.rows.active_runs:
            raise RunInActiveRerun(f"{run.ref} is in a rerun", run=run.ref)
        self.rows.active_runs.pop(found.ref, None)
        self.rows.active_runs[run.ref] = found.rerun_id
        running = after is MemberState.RUNNING
        adopted = replace(
            found,
            ref=run.ref,
            state=after,
            state_reason=reason,
            tasks=tasks,
            runs_between=tuple(runs_between),
            attempt=found.attempt + running,
            clear_number=run.clear_number,
            logical_date=run.logical_date,
            run_after=run.run_after,
            dispatched_at=now if running else found.dispatched_at,
            ended_at=None,
            final_run_state=None,
        )
        self.rows.write(adopted)
        return True

    def _standing(self, member_id: int, states: Collection[MemberState]) -> Member | None:
        """The member, if it is in one of the states and its rerun isn't final."""
        found = self.rows.members.get(member_id)
        if found is None or found.state not in states or self.rows.reruns[found.rerun_id].state in FINAL_RERUN_STATES:
            return None
        return found

    def name_frozen_run(
        self, member_id: int, run_id: str, run_after: datetime | None, logical_date: datetime | None
    ) -> bool:
        one = self.rows.members[member_id]
        if one.state is not MemberState.FROZEN or self.rows.reruns[one.rerun_id].state in FINAL_RERUN_STATES:
            return False
        ref = RunRef(one.ref.dag_id, run_id)
        assert all(other.ref != ref for other in self.rows.members.values() if other.rerun_id == one.rerun_id)
        made = replace(one, ref=ref, original_run_id=run_id, run_after=run_after, logical_date=logical_date)
        self.rows.write(made)
        return True

    def ask_for_release(self, member_id: int) -> bool:
        one = self.rows.members[member_id]
        final = self.rows.reruns[one.rerun_id].state in FINAL_RERUN_STATES
        if one.state is not MemberState.FROZEN or one.release_asked or final:
            return False
        self.rows.write(replace(one, release_asked=True, state_reason="release_asked"))
        return True

    def ask_for_releases(self, rerun_id: int) -> int:
        return sum(self.ask_for_release(one.id) for one in self.members(rerun_id))

    def set_member_reasons(self, member_ids: Collection[int], reason: str | None, *, state: MemberState) -> None:
        for member_id in member_ids:
            self.set_member_reason(member_id, reason, state=state)

    def set_member_reason(self, member_id: int, reason: str | None, *, state: MemberState) -> bool:
        found = self.rows.members.get(member_id)
        if found is None or found.state is not state:
            return False
        self.rows.write(replace(found, state_reason=reason))
        return True

    def set_final_run_state(self, member_id: int, *, state: MemberState, run_state: str) -> bool:
        found = self.rows.members.get(member_id)
        if found is None or found.state is not state:
            return False
        self.rows.write(replace(found, final_run_state=run_state))
        return True

    def start_over(self, member_id: int) -> None:
        found = self.rows.members.get(member_id)
        if found is not None and found.state is MemberState.FAILED:
            self.rows.write(replace(found, stage=0, stage_attempt=found.attempt))

    def keep_proof(self, rerun_id: int, at: datetime, counts: ProofCounts) -> None:
        self.rows.begin_change(rerun_id)
        self.rows.reruns[rerun_id] = replace(self.rows.reruns[rerun_id], proven_at=at, proof=counts)

    def list_not_made_anew(self, rerun_id: int, member_id: int, found: Collection[NotMadeAnew]) -> None:
        assert self.rows.members[member_id].rerun_id == rerun_id
        self.rows.begin_change(rerun_id)
        self.rows.omissions.pop(member_id, None)  # what is kept anew comes last
        self.rows.omissions[member_id] = tuple(found)

    def not_made_anew(self, rerun_id: int, part: Part = EVERYTHING) -> list[tuple[Member, NotMadeAnew]]:
        named = [
            (replace(self.rows.members[member_id], waits_for=frozenset()), one)
            for member_id, some in self.rows.omissions.items()
            for one in some
        ]
        mine = [(one, what) for one, what in named if one.rerun_id == rerun_id and may_read(part, one.ref.dag_id)]
        return cut(mine, part)

    def not_made_anew_of(self, rerun_id: int, runs: Collection[RunRef]) -> list[tuple[Member, NotMadeAnew]]:
        return [
            (one, what)
            for one, what in self.not_made_anew(rerun_id)
            if RunRef(one.ref.dag_id, one.original_run_id) in runs
        ]

    def count_not_made_anew(self, rerun_id: int, part: Part) -> int:
        return len(self.not_made_anew(rerun_id, Part(part.readable)))

    def counts_not_made_anew(self, rerun_ids: Collection[int]) -> dict[int, int]:
        return {rerun_id: len(self.not_made_anew(rerun_id)) for rerun_id in rerun_ids}

    def add_event(
        self,
        rerun_id: int,
        *,
        at: datetime,
        actor: str,
        action: str,
        member_id: int | None = None,
        detail: str | None = None,
        dag_ids: Collection[str] = (),
    ) -> None:
        line = RerunEvent(
            id=len(self.rows.events) + 1,
            rerun_id=rerun_id,
            at=at,
            actor=actor,
            action=action,
            member_id=member_id,
            detail=detail,
            dag_ids=frozenset(dag_ids),
        )
        self.rows.begin_change(rerun_id)
        self.rows.events.append(line)

    def _counted(self, one: Rerun) -> Rerun:
        counts = Counter(member.state for member in self.members(one.id))
        return replace(one, counts={state: counts[state] for state in MemberState})

    def _wanted(self, one: Rerun, wanted: RerunFilter) -> bool:
        members = self.members(one.id)
        frozen = any(member.state is MemberState.FROZEN for member in members)
        of_run = [
            member
            for member in members
            if wanted.dag_id in (None, member.ref.dag_id)
            and wanted.run_id in (None, member.ref.run_id)
            and (wanted.dag_id_pattern is None or like(member.ref.dag_id, wanted.dag_id_pattern))
            and (wanted.readable is None or member.ref.dag_id in wanted.readable)
        ]
        return all(
            (
                wanted.states is None or one.state in wanted.states,
                wanted.dag_id is wanted.dag_id_pattern is wanted.run_id is None or of_run,
                wanted.search is None
                or any(wanted.search.lower() in text.lower() for text in (one.name, one.reason) if text),
                wanted.created_by in (None, one.created_by),
                wanted.created_at_gte is None or one.created_at >= wanted.created_at_gte,
                wanted.created_at_lte is None or one.created_at <= wanted.created_at_lte,
                wanted.readable is None or one.source.dag_id in wanted.readable,
                wanted.frozen in (None, frozen),
                wanted.idempotency_key is None or self.rows.keys.get(wanted.idempotency_key, (0,))[0] == one.id,
            )
        )

    @staticmethod
    def _rerun(new: NewRerun, rerun_id: int, now: datetime) -> Rerun:
        proposed = new.proposal is not None
        return Rerun(
            id=rerun_id,
            source=new.source,
            state=RerunState.PROPOSED if proposed else RerunState.RUNNING,
            state_reason=None,
            settings=new.settings,
            notifications=new.notifications,
            warnings=new.warnings,
            created_by=new.actor.name,
            created_by_id=new.actor.id,
            created_at=now,
            started_at=None if proposed else now,
            ended_at=None,
            name=new.name,
            reason=new.reason,
            freeze_mode=new.freeze_mode,
            proposed_by=new.actor.name if proposed else None,
            proposed_at=now if proposed else None,
            expires_at=None if new.proposal is None else new.proposal.expires_at,
            options=new.options,
        )

    @staticmethod
    def _member(new: NewMember, member_id: int, rerun_id: int, waits_for: frozenset[int]) -> Member:
        return Member(
            id=member_id,
            rerun_id=rerun_id,
            ref=new.ref,
            original_run_id=new.ref.run_id,
            role=new.role,
            state=new.state,
            state_reason=new.state_reason,
            tasks=new.tasks,
            depth=new.depth,
            attempt=0,
            clear_number=new.clear_number,
            logical_date=new.logical_date,
            run_after=new.run_after,
            dispatched_at=None,
            ended_at=None,
            final_run_state=None,
            waits_for=waits_for,
            passage=new.passage,
        )
