"""Our tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

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


class RerunStore(Protocol):
    """Our tables.

    Moves are those of the tables in `domain.states`, guarded in the statement: they answer whether the row was in a
    state from which the move may start, or in one of ``before``, if that is given: some of these states. Nothing of
    a final rerun moves. A move that the tables don't have raises `ImpossibleMove`.
    """

    def add(self, rerun: NewRerun, *, now: datetime) -> int:
        """Store a rerun with members, gates and links; answer its id.

        Raises `RunInActiveRerun` when one of its runs takes part in another active rerun; ``extra["rerun_id"]``
        and ``extra["run"]`` (a `RunRef`) name it. A proposal claims no run: nothing refuses it.
        """
        ...

    def proposal(self, rerun_id: int) -> Proposal | None:
        """What was asked of a rerun that is only proposed, or has ended so; None: it is none, or was approved."""
        ...

    def approve(self, rerun_id: int, rerun: NewRerun, *, now: datetime) -> bool:
        """Make ``rerun`` of a proposal, under its id; False if it isn't one any more.

        Members, links and all that the row says are those of ``rerun``, as if it had just been added; who proposed it
        and when stays. Raises `RunInActiveRerun` as `add` does; the transaction is to be rolled back then.
        """
        ...

    def keep_key(self, key: IdempotencyKey, rerun_id: int) -> None:
        """Keep which rerun has come of a key. Raises `KeyTaken` where one has already; the transaction is spoilt."""
        ...

    def kept_key(self, key: str) -> tuple[int, str] | None:
        """The rerun that has come of a key, and the digest of what was asked."""
        ...

    def add_frozen(self, rerun_id: int, run: NewFrozen) -> int:
        """Store a frozen member of a rerun; answer its id. It claims no run: several reruns may freeze one."""
        ...

    def get(self, rerun_id: int) -> Rerun | None:
        """A rerun with its counts."""
        ...

    def head(self, rerun_id: int) -> Head | None:
        """A rerun at a glance. One row."""
        ...

    def page(self, wanted: RerunFilter) -> tuple[list[Rerun], int]:
        """One page of reruns, and how many there are in all.

        ``dag_id``, ``dag_id_pattern`` and ``run_id`` match any member, all of them the same one.
        """
        ...

    def members(self, rerun_id: int, part: Part = EVERYTHING, *, only: Collection[int] | None = None) -> list[Member]:
        """The members of a rerun with what they wait for besides their passages, in order of depth, ready time and run.

        ``only``: those among these, which are a hundred or so.
        """
        ...

    def changed_members(
        self, rerun_id: int, *, since: int, after: int = 0, readable: frozenset[str] | None = None, limit: int
    ) -> list[Member]:
        """The members that were written after a revision, and those that wait for such, by id.

        ``since`` -1: all of them. ``after``: those with a greater id. ``readable``: see `Part`. As time goes by,
        members are added to those after a revision; none is taken away.
        """
        ...

    def member(self, rerun_id: int, member_id: int) -> Member | None:
        """One member of a rerun, as `members` has it."""
        ...

    def awaited(self, member_ids: Collection[int]) -> dict[int, list[RunRef]]:
        """The runs for which each of some members still waits, in the order of the awaited members' ids."""
        ...

    def gates(self, member_id: int) -> list[Awaited]:
        """The members that a member's present stage waits for, as they are now, and those that stages before it did.

        What they wait for themselves isn't told. A member that has ended a stage waits for its own stages, too.
        """
        ...

    def passages(self, rerun_id: int) -> tuple[Passage[int], ...]:
        """The passages for which members of a rerun wait, by their numbers."""
        ...

    def children(self, rerun_id: int) -> tuple[Child, ...]:
        """Which members' runs are made by tasks of others, by the maker, its task and its index."""
        ...

    def links(self, rerun_id: int, part: Part = EVERYTHING) -> list[Link]:
        """The links as they were at submit, in their order in the plan."""
        ...

    def links_into(self, rerun_id: int, run: RunRef) -> list[Link]:
        """Those of `links` that lead to a run, as it was called at submit."""
        ...

    def links_out_of(self, rerun_id: int, runs: Collection[RunRef]) -> list[Link]:
        """Those of `links` that lead from runs, as they were called at submit; in their order, from each run."""
        ...

    def taking_part(self, rerun_id: int, runs: Collection[RunRef]) -> frozenset[RunRef]:
        """Those of some runs that were members' at submit."""
        ...

    def link_dags(self, rerun_id: int) -> dict[tuple[str, str], int]:
        """The Dags that the links of a rerun join, and how many of `links` lead from which to which."""
        ...

    def events(self, rerun_id: int, part: Part = EVERYTHING, *, after: int = 0) -> list[RerunEvent]:
        """The record, oldest first. ``after``: the lines with a greater id, which are those that were added later."""
        ...

    def lines(self, rerun_id: int, *, after: int = 0) -> Lines:
        """What the lines of `events` with a greater id are about. No line is ever changed."""
        ...

    def active(self, *, now: datetime | None = None) -> list[ActiveRerun]:
        """Every active rerun with its members; where nothing has changed, the same objects as before.

        With ``now`` also the proposals whose time was over by then.

        To be asked in a transaction that has changed no rerun: what that takes back would be remembered. One statement,
        and one more where something has changed.
        """
        ...

    def active_runs(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        """Which of the runs take part in an active rerun, and in which."""
        ...

    def all_active_runs(self) -> dict[RunRef, int]:
        """Every run that takes part in an active rerun, and in which."""
        ...

    def member_dags(self, rerun_ids: Collection[int]) -> dict[int, dict[str, int]]:
        """For each rerun: the Dags of its members, and how many members of each."""
        ...

    def move_rerun(
        self,
        rerun_id: int,
        *,
        before: Collection[RerunState] | None = None,
        after: RerunState,
        reason: str | None,
        now: datetime,
    ) -> bool:
        """Move a rerun. A final state sets ``ended_at`` and frees its runs."""
        ...

    def hold_rerun(self, rerun_id: int, *, state: RerunState) -> bool:
        """Lock the rerun's row for this transaction, if it is in ``state``."""
        ...

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
        """Move a member.

        ``clear_number`` is the run's, with which it was judged. ``dispatched`` counts an attempt and stamps
        ``dispatched_at``; succeeded, failed, skipped, terminated and released stamp ``ended_at``; going back to
        pending or running clears it.
        """
        ...

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
        """Move all members of a rerun that are in ``before``, as `move_member` does; answer how many there are.

        ``told``: the actor and the action of a line about each, in the order of their ids.
        """
        ...

    def next_stage(
        self, member_id: int, *, before: MemberState, stage: int, clear_number: int, ends: Sequence[datetime]
    ) -> bool:
        """Let a member whose stage number ``stage`` is right wait for its next one, if it is in ``before`` and there.

        ``clear_number`` is the one that the run had when it was judged; ``ends``: see `Member.stage_ends`.
        """
        ...

    def stage_back(self, member_id: int, *, before: MemberState, since: int, stage: int, reason: str) -> bool:
        """Let a member that is at its stage number ``since`` run its stage number ``stage`` again, if it is in
        ``before``, pending or running."""
        ...

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
        """Make ``run``, all of whose ``tasks`` Airflow runs already, the member's, if that is in one of ``before``.

        It moves as `move_member` does, or stays in the state that it is in.
        The rerun claims the run, and lets go of the one that it replaces. Moving to running counts as an attempt.
        ``runs_between``: see `Member`.
        Raises `RunInActiveRerun` where another rerun, or another member, has the run; the transaction is spoilt.
        """
        ...

    def name_frozen_run(
        self, member_id: int, run_id: str, run_after: datetime | None, logical_date: datetime | None
    ) -> bool:
        """Name the run that was made for a member that is still frozen, its true ready time and its date."""
        ...

    def ask_for_release(self, member_id: int) -> bool:
        """Keep that a person wants a frozen member released; False if it isn't frozen, or that is known already."""
        ...

    def ask_for_releases(self, rerun_id: int) -> int:
        """`ask_for_release` for every frozen member of a rerun; answer for how many that is new."""
        ...

    def set_member_reasons(self, member_ids: Collection[int], reason: str | None, *, state: MemberState) -> None:
        """Say the same of many members, as far as they are in ``state``, without moving them."""
        ...

    def set_member_reason(self, member_id: int, reason: str | None, *, state: MemberState) -> bool:
        """Say why a member stands where it stands, if it is in ``state``, without moving it."""
        ...

    def set_final_run_state(self, member_id: int, *, state: MemberState, run_state: str) -> bool:
        """Note in which state Airflow has closed the run of a member that is in ``state``."""
        ...

    def list_not_made_anew(self, rerun_id: int, member_id: int, found: Collection[NotMadeAnew]) -> None:
        """Keep what a member counts without having made it anew, in place of what was kept of it before."""
        ...

    def not_made_anew(self, rerun_id: int, part: Part = EVERYTHING) -> list[tuple[Member, NotMadeAnew]]:
        """What members count without having made it anew, each with the member (without what that waits for)."""
        ...

    def not_made_anew_of(self, rerun_id: int, runs: Collection[RunRef]) -> list[tuple[Member, NotMadeAnew]]:
        """Those of `not_made_anew` whose members had these runs at submit."""
        ...

    def count_not_made_anew(self, rerun_id: int, part: Part) -> int:
        """How much of it there is in all, whatever the part's limit."""
        ...

    def counts_not_made_anew(self, rerun_ids: Collection[int]) -> dict[int, int]:
        """How much the members of each rerun count without having made it anew."""
        ...

    def start_over(self, member_id: int) -> None:
        """Let a member that has failed begin with its first stage and its whole selection, once it is retried."""
        ...

    def keep_proof(self, rerun_id: int, at: datetime, counts: ProofCounts) -> None:
        """Keep what a proof has counted, in place of what was kept before."""
        ...

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
        """Add a line to the record. ``dag_ids``: the Dags that ``detail`` names, besides the member's."""
        ...
