"""The store on a database. It runs in the caller's transaction and never commits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select, update

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.idempotency import IdempotencyKey
from airflow_rerun_downstream.domain.member import Awaited, Child, Member
from airflow_rerun_downstream.domain.new_rerun import NewFrozen, NewRerun
from airflow_rerun_downstream.domain.passages import Passage
from airflow_rerun_downstream.domain.plan import Link
from airflow_rerun_downstream.domain.proof import Counts as ProofCounts
from airflow_rerun_downstream.domain.proposal import Proposal
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.rerun import Rerun, RerunEvent
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.ports.record_parts import EVERYTHING, Head, Lines, Part, RerunFilter
from airflow_rerun_downstream.store import (
    active_reruns,
    codec,
    idempotency_keys,
    insertion,
    moves,
    omissions,
    parts,
    proposal_rows,
    revisions,
    search,
)
from airflow_rerun_downstream.store.active_reruns import SnapshotCache
from airflow_rerun_downstream.store.executor import Executor, chunks
from airflow_rerun_downstream.store.expiry import present
from airflow_rerun_downstream.store.mapping import children_of, counts_of, members_of, rerun_of
from airflow_rerun_downstream.store.passage_rows import passages_of
from airflow_rerun_downstream.store.tables import active_run, member, rerun


class SqlRerunStore:
    """`RerunStore` on the caller's session or connection.

    A process that asks for `active` again and again hands the same ``cache`` to each store, one per database.
    """

    def __init__(self, executor: Executor, cache: SnapshotCache | None = None) -> None:
        self._executor = executor
        self._cache = cache or SnapshotCache()

    def add(self, rerun: NewRerun, *, now: datetime) -> int:
        """See `RerunStore.add`. Where a run is taken, nothing is stored, and the transaction can go on."""
        if rerun.proposal is not None:
            return proposal_rows.add(self._executor, rerun, rerun.proposal, now)
        return insertion.add(self._executor, rerun, now)

    def proposal(self, rerun_id: int) -> Proposal | None:
        """See `RerunStore.proposal`. One statement."""
        return proposal_rows.get(self._executor, rerun_id)

    def approve(self, rerun_id: int, rerun: NewRerun, *, now: datetime) -> bool:
        """See `RerunStore.approve`."""
        return proposal_rows.approve(self._executor, rerun_id, rerun, now)

    def keep_key(self, key: IdempotencyKey, rerun_id: int) -> None:
        """See `RerunStore.keep_key`."""
        idempotency_keys.keep(self._executor, key, rerun_id)

    def kept_key(self, key: str) -> tuple[int, str] | None:
        """See `RerunStore.kept_key`."""
        return idempotency_keys.kept(self._executor, key)

    def add_frozen(self, rerun_id: int, run: NewFrozen) -> int:
        """See `RerunStore.add_frozen`."""
        return insertion.add_frozen(self._executor, rerun_id, run)

    def get(self, rerun_id: int) -> Rerun | None:
        """See `RerunStore.get`."""
        row = self._executor.execute(select(rerun).where(rerun.c.id == rerun_id, present())).first()
        return None if row is None else rerun_of(row, counts_of(self._executor, [rerun_id])[rerun_id])

    def head(self, rerun_id: int) -> Head | None:
        """See `RerunStore.head`."""
        return revisions.head(self._executor, rerun_id)

    def page(self, wanted: RerunFilter) -> tuple[list[Rerun], int]:
        """See `RerunStore.page`. Raises `Invalid` for an unknown ``order_by``."""
        return search.page(self._executor, wanted)

    def members(self, rerun_id: int, part: Part = EVERYTHING, *, only: Collection[int] | None = None) -> list[Member]:
        """See `RerunStore.members`. In a part, runs of one depth and time come as the database orders text."""
        if part == EVERYTHING and only is None:
            return members_of(self._executor, [rerun_id])[rerun_id]
        return parts.members(self._executor, rerun_id, part, only)

    def changed_members(
        self, rerun_id: int, *, since: int, after: int = 0, readable: frozenset[str] | None = None, limit: int
    ) -> list[Member]:
        """See `RerunStore.changed_members`. Three statements, with passages one more."""
        return revisions.members(self._executor, rerun_id, since, after, Part(readable, limit))

    def member(self, rerun_id: int, member_id: int) -> Member | None:
        """See `RerunStore.member`."""
        return parts.one_member(self._executor, rerun_id, member_id)

    def awaited(self, member_ids: Collection[int]) -> dict[int, list[RunRef]]:
        """See `RerunStore.awaited`."""
        return parts.awaited(self._executor, member_ids)

    def gates(self, member_id: int) -> list[Awaited]:
        """See `RerunStore.gates`. Two statements; with a passage two more for each thousand members."""
        return parts.gates(self._executor, member_id)

    def passages(self, rerun_id: int) -> tuple[Passage[int], ...]:
        """See `RerunStore.passages`. One statement."""
        return passages_of(self._executor, [rerun_id]).get(rerun_id, ())

    def children(self, rerun_id: int) -> tuple[Child, ...]:
        """See `RerunStore.children`."""
        return children_of(self._executor, [rerun_id]).get(rerun_id, ())

    def links(self, rerun_id: int, part: Part = EVERYTHING) -> list[Link]:
        """See `RerunStore.links`. What ``via`` held comes back as plain JSON."""
        return parts.links(self._executor, rerun_id, part)

    def links_into(self, rerun_id: int, run: RunRef) -> list[Link]:
        """See `RerunStore.links_into`. One statement."""
        return parts.links_into(self._executor, rerun_id, run)

    def links_out_of(self, rerun_id: int, runs: Collection[RunRef]) -> list[Link]:
        """See `RerunStore.links_out_of`."""
        return parts.links_out_of(self._executor, rerun_id, runs)

    def taking_part(self, rerun_id: int, runs: Collection[RunRef]) -> frozenset[RunRef]:
        """See `RerunStore.taking_part`."""
        return parts.taking_part(self._executor, rerun_id, runs)

    def link_dags(self, rerun_id: int) -> dict[tuple[str, str], int]:
        """See `RerunStore.link_dags`."""
        return parts.link_dags(self._executor, rerun_id)

    def events(self, rerun_id: int, part: Part = EVERYTHING, *, after: int = 0) -> list[RerunEvent]:
        """See `RerunStore.events`."""
        return parts.events(self._executor, rerun_id, part, after)

    def lines(self, rerun_id: int, *, after: int = 0) -> Lines:
        """See `RerunStore.lines`. Two statements."""
        return revisions.lines(self._executor, rerun_id, after)

    def active(self, *, now: datetime | None = None) -> list[ActiveRerun]:
        """See `RerunStore.active`. A change costs one statement more, a rerun that is new to the cache four."""
        return active_reruns.active_reruns(self._executor, self._cache, now)

    def active_runs(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        """See `RerunStore.active_runs`."""
        return insertion.holders(self._executor, refs)

    def all_active_runs(self) -> dict[RunRef, int]:
        """See `RerunStore.all_active_runs`."""
        rows = self._executor.execute(select(active_run.c.dag_id, active_run.c.run_id, active_run.c.rerun_id))
        return {RunRef(row.dag_id, row.run_id): row.rerun_id for row in rows}

    def member_dags(self, rerun_ids: Collection[int]) -> dict[int, dict[str, int]]:
        """See `RerunStore.member_dags`."""
        columns = (member.c.rerun_id, member.c.dag_id)
        wanted = select(*columns, func.count().label("members")).where(member.c.rerun_id.in_(list(rerun_ids)))
        found: dict[int, dict[str, int]] = {rerun_id: {} for rerun_id in rerun_ids}
        for row in self._executor.execute(wanted.group_by(*columns)):
            found[row.rerun_id][row.dag_id] = row.members
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
        """See `RerunStore.move_rerun`."""
        return moves.move_rerun(self._executor, rerun_id, before=before, after=after, reason=reason, now=now)

    def hold_rerun(self, rerun_id: int, *, state: RerunState) -> bool:
        """See `RerunStore.hold_rerun`."""
        return moves.hold_rerun(self._executor, rerun_id, state=state)

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
        """See `RerunStore.move_member`."""
        return moves.move_member(
            self._executor,
            member_id,
            before=before,
            after=after,
            reason=reason,
            now=now,
            final_run_state=final_run_state,
            clear_number=clear_number,
            dispatched=dispatched,
        )

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
        """See `RerunStore.move_members`."""
        return moves.move_members(
            self._executor, rerun_id, before=before, after=after, reason=reason, now=now, told=told
        )

    def next_stage(
        self, member_id: int, *, before: MemberState, stage: int, clear_number: int, ends: Sequence[datetime]
    ) -> bool:
        """See `RerunStore.next_stage`."""
        return moves.next_stage(
            self._executor, member_id, before=before, stage=stage, clear_number=clear_number, ends=ends
        )

    def stage_back(self, member_id: int, *, before: MemberState, since: int, stage: int, reason: str) -> bool:
        """See `RerunStore.stage_back`."""
        return moves.stage_back(self._executor, member_id, before=before, since=since, stage=stage, reason=reason)

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
        """See `RerunStore.adopt_member`."""
        return moves.adopt_member(
            self._executor,
            member_id,
            before=before,
            after=after,
            run=run,
            tasks=tasks,
            runs_between=runs_between,
            reason=reason,
            now=now,
        )

    def name_frozen_run(
        self, member_id: int, run_id: str, run_after: datetime | None, logical_date: datetime | None
    ) -> bool:
        """See `RerunStore.name_frozen_run`."""
        names = {"run_id": run_id, "original_run_id": run_id}
        values = {**names, "run_after": run_after, "logical_date": logical_date}
        return moves.write_member(self._executor, member_id, moves.stands_in([MemberState.FROZEN]), values)

    def ask_for_release(self, member_id: int) -> bool:
        """See `RerunStore.ask_for_release`."""
        frozen = moves.stands_in([MemberState.FROZEN]) & member.c.release_asked.is_(False)
        asked = {"release_asked": True, "state_reason": "release_asked"}
        return moves.write_member(self._executor, member_id, frozen, asked)

    def ask_for_releases(self, rerun_id: int) -> int:
        """See `RerunStore.ask_for_releases`. Two statements."""
        frozen = moves.stands_in([MemberState.FROZEN]) & member.c.release_asked.is_(False)
        mine, asked = member.c.rerun_id == rerun_id, {"release_asked": True, "state_reason": "release_asked"}
        return moves.write_members(self._executor, rerun.c.id == rerun_id, mine, frozen, values=asked)

    def set_member_reasons(self, member_ids: Collection[int], reason: str | None, *, state: MemberState) -> None:
        """See `RerunStore.set_member_reasons`."""
        for some in chunks(list(member_ids)):
            owners = select(member.c.rerun_id).where(member.c.id.in_(some))
            here = (member.c.id.in_(some), member.c.state == state.value)
            moves.write_members(self._executor, rerun.c.id.in_(owners), *here, values={"state_reason": reason})

    def set_member_reason(self, member_id: int, reason: str | None, *, state: MemberState) -> bool:
        """See `RerunStore.set_member_reason`."""
        return moves.write_member(self._executor, member_id, member.c.state == state.value, {"state_reason": reason})

    def set_final_run_state(self, member_id: int, *, state: MemberState, run_state: str) -> bool:
        """See `RerunStore.set_final_run_state`."""
        values = {"final_run_state": run_state}
        return moves.write_member(self._executor, member_id, member.c.state == state.value, values)

    def list_not_made_anew(self, rerun_id: int, member_id: int, found: Collection[NotMadeAnew]) -> None:
        """See `RerunStore.list_not_made_anew`."""
        moves.begin_change(self._executor, rerun.c.id == rerun_id)
        omissions.replace(self._executor, rerun_id, member_id, found)

    def not_made_anew(self, rerun_id: int, part: Part = EVERYTHING) -> list[tuple[Member, NotMadeAnew]]:
        """See `RerunStore.not_made_anew`."""
        return omissions.of_rerun(self._executor, rerun_id, part)

    def not_made_anew_of(self, rerun_id: int, runs: Collection[RunRef]) -> list[tuple[Member, NotMadeAnew]]:
        """See `RerunStore.not_made_anew_of`."""
        return omissions.of_runs(self._executor, rerun_id, runs)

    def count_not_made_anew(self, rerun_id: int, part: Part) -> int:
        """See `RerunStore.count_not_made_anew`."""
        return omissions.count(self._executor, rerun_id, part)

    def counts_not_made_anew(self, rerun_ids: Collection[int]) -> dict[int, int]:
        """See `RerunStore.counts_not_made_anew`."""
        return omissions.counts(self._executor, rerun_ids)

    def start_over(self, member_id: int) -> None:
        """See `RerunStore.start_over`."""
        values = {"stage": 0, "stage_attempt": member.c.attempt}
        moves.write_member(self._executor, member_id, member.c.state == MemberState.FAILED.value, values)

    def keep_proof(self, rerun_id: int, at: datetime, counts: ProofCounts) -> None:
        """See `RerunStore.keep_proof`."""
        kept = update(rerun).where(rerun.c.id == rerun_id)
        self._executor.execute(kept.values(proven_at=at, proof=codec.proof_to_json(counts), **moves.LATER))

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
        """See `RerunStore.add_event`."""
        line = {"at": at, "actor": actor, "action": action, "detail": detail, "dag_ids": sorted(dag_ids)}
        moves.add_lines(self._executor, [(rerun_id, member_id)], line)
