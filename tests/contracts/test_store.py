"""What every `RerunStore` promises: the fake, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import timezone as timezones
from itertools import product

import pytest
from sqlalchemy.orm import Session

from airflow_rerun_downstream.domain.errors import Invalid, RunInActiveRerun
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.member import Awaited, Child, Member, StageGate
from airflow_rerun_downstream.domain.new_rerun import NewChild, NewFrozen, NewMember, NewRerun, NewStageGate
from airflow_rerun_downstream.domain.plan import (
    Evidence,
    FutureRef,
    Link,
    LinkKind,
    PlanOptions,
    PlanWarning,
)
from airflow_rerun_downstream.domain.proof import Counts as ProofCounts
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.rerun_request import Actor, Notification, RerunSettings
from airflow_rerun_downstream.domain.states import (
    ACTIVE_RERUN_STATES,
    FINAL_RERUN_STATES,
    ImpossibleMove,
    MemberState,
    RerunState,
    Role,
    may_move,
)
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.ports.record_parts import Part, RerunFilter
from airflow_rerun_downstream.ports.store import RerunStore
from airflow_rerun_downstream.store.rerun_store import SqlRerunStore
from tests.fakes.store import FakeStore
from tests.store.databases import EVERY, database

NOW = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=timezones.utc)
LATER = NOW + timedelta(minutes=5)
ELSEWHERE = timezones(timedelta(hours=8))

Opened = Callable[[], AbstractContextManager[RerunStore]]


@contextmanager
def in_memory(store: FakeStore) -> Iterator[RerunStore]:
    before = store.snapshot()
    try:
        yield store
    except BaseException:
        store.restore(before)
        raise


@pytest.fixture(params=EVERY)
def opened(request: pytest.FixtureRequest) -> Opened:
    """Opens a transaction; leaving it commits, an exception rolls back."""
    if request.param == "fake":
        fake = FakeStore()
        return lambda: in_memory(fake)
    engine = database(request.param)

    @contextmanager
    def transaction() -> Iterator[RerunStore]:
        with Session(engine) as session, session.begin():
            yield SqlRerunStore(session)

    return transaction


def run(dag_id: str, run_id: str = "r1") -> RunRef:
    return RunRef(dag_id, run_id)


def member(
    ref: RunRef,
    *,
    role: Role = Role.DOWNSTREAM,
    state: MemberState = MemberState.PENDING,
    depth: int = 1,
    waits_for: tuple[RunRef, ...] = (),
    tasks: tuple[TaskRef, ...] = (TaskRef("t"),),
    run_after: datetime | None = NOW,
    reason: str | None = None,
) -> NewMember:
    return NewMember(
        ref=ref,
        role=role,
        state=state,
        tasks=tasks,
        depth=depth,
        waits_for=frozenset(waits_for),
        logical_date=NOW,
        run_after=run_after,
        state_reason=reason,
    )


def rerun(
    *members: NewMember,
    links: tuple[Link, ...] = (),
    by: str = "ann",
    warnings: tuple[PlanWarning, ...] = (),
    settings: RerunSettings | None = None,
    name: str | None = None,
    reason: str | None = None,
) -> NewRerun:
    return NewRerun(
        source=members[0].ref,
        members=members,
        links=links,
        settings=settings or RerunSettings(),
        notifications=(),
        options=PlanOptions(),
        warnings=warnings,
        actor=Actor(id=f"id-{by}", name=by),
        name=name,
        reason=reason,
    )


def single(dag_id: str, run_id: str = "r1", **options: object) -> NewRerun:
    return rerun(member(run(dag_id, run_id), role=Role.SOURCE, depth=0), **options)  # type: ignore[arg-type]


def chain() -> NewRerun:
    """source → middle → last, and source → last."""
    source, middle, last = run("source"), run("middle"), run("last")
    return rerun(
        member(source, role=Role.SOURCE, depth=0),
        member(last, depth=2, waits_for=(source, middle)),
        member(middle, depth=1, waits_for=(source,)),
    )


HEAD, TAIL = (TaskRef("head"),), (TaskRef("mid", 1), TaskRef("tail"))


def staged() -> NewRerun:
    """source (head) → reader → source (mid, tail): the source has two stages."""
    source, reader = run("source"), run("reader")
    two = replace(member(source, role=Role.SOURCE, depth=0), tasks=(*HEAD, *TAIL), stages=(HEAD, TAIL))
    return rerun(
        replace(two, stage_gates=(NewStageGate(1, reader, None),)),
        replace(member(reader), stage_gates=(NewStageGate(0, source, 0),)),
    )


class TestStages:
    def test_a_member_keeps_its_stages_and_what_each_waits_for(self, opened: Opened) -> None:
        with opened() as store:
            added = store.add(staged(), now=NOW)
        with opened() as store:
            source, reader = store.members(added)
            (active,) = store.active()
        assert (source.stages, source.stage, source.present) == ((HEAD, TAIL), 0, HEAD)
        assert source.stage_gates == (StageGate(1, reader.id, None),)
        assert (reader.stages, reader.stage_gates) == ((), (StageGate(0, source.id, 0),))
        assert (source.waits_for, reader.waits_for) == (frozenset(), frozenset())
        assert active.members == (source, reader)

    def test_a_stage_follows_another(self, opened: Opened) -> None:
        with opened() as store:
            added = store.add(staged(), now=NOW)
            source, reader = store.members(added)
            done = Dispatched(clear_number=3, cleared=1)
            assert store.move_member(source.id, after=MemberState.RUNNING, reason=None, now=NOW, dispatched=done)
            assert store.awaited([source.id, reader.id]) == {source.id: [], reader.id: [source.ref]}
            assert not store.next_stage(source.id, before=MemberState.FAILED, stage=0, clear_number=4, ends=())
            assert not store.next_stage(source.id, before=MemberState.RUNNING, stage=1, clear_number=4, ends=())
            assert store.next_stage(source.id, before=MemberState.RUNNING, stage=0, clear_number=4, ends=[NOW])
        with opened() as store:
            source, reader = store.members(added)
            assert source.stage_ends == (NOW,)
            assert (source.state, source.stage, source.attempt, source.stage_attempt) == (MemberState.PENDING, 1, 1, 1)
            assert (source.clear_number, source.present, source.begun) == (4, TAIL, HEAD)
            assert store.active()[0].members == (source, reader)
            assert store.awaited([source.id, reader.id]) == {source.id: [reader.ref], reader.id: []}
            (awaited,) = store.gates(reader.id)
            assert (awaited.member.id, awaited.until, awaited.stage_ended, awaited.part.tasks) == (
                source.id,
                0,
                True,
                HEAD,
            )
            assert [(gate.member.id, gate.until) for gate in store.gates(source.id)] == [
                (reader.id, None),
                (source.id, 0),
            ]

    def test_of_a_run_that_was_deleted_each_stage_is_waited_for(self, opened: Opened) -> None:
        with opened() as store:
            added = store.add(staged(), now=NOW)
            source, reader = store.members(added)
            assert store.move_member(source.id, after=MemberState.RUNNING, reason=None, now=NOW)
            assert store.next_stage(source.id, before=MemberState.RUNNING, stage=0, clear_number=4, ends=[NOW])
            for reason, waited_for in (("dispatch_error", []), ("run_gone", [source.ref])):
                assert store.move_member(source.id, after=MemberState.FAILED, reason=reason, now=NOW)
                assert store.awaited([reader.id]) == {reader.id: waited_for}
                assert [one.id for one in store.active()[0].ready] == ([reader.id] if not waited_for else [])
                assert store.move_member(source.id, after=MemberState.PENDING, reason=None, now=NOW)

    def test_a_stage_is_judged_again(self, opened: Opened) -> None:
        with opened() as store:
            added = store.add(staged(), now=NOW)
            source, _ = store.members(added)
            assert store.move_member(source.id, after=MemberState.RUNNING, reason=None, now=NOW)
            assert store.next_stage(source.id, before=MemberState.RUNNING, stage=0, clear_number=4, ends=[NOW, LATER])
            assert not store.stage_back(source.id, before=MemberState.RUNNING, since=1, stage=0, reason="why")
            assert not store.stage_back(source.id, before=MemberState.PENDING, since=0, stage=0, reason="why")
            assert store.stage_back(source.id, before=MemberState.PENDING, since=1, stage=0, reason="why")
            source, _ = store.members(added)
            assert (source.state, source.stage, source.state_reason) == (MemberState.RUNNING, 0, "why")
            assert source.stage_ends == (NOW, LATER)


WAYS = {
    RerunState.RUNNING: (),
    RerunState.PAUSED: (RerunState.PAUSED,),
    RerunState.FAILED: (RerunState.FAILED,),
    RerunState.SUCCEEDED: (RerunState.SUCCEEDED,),
    RerunState.TERMINATING: (RerunState.TERMINATING,),
    RerunState.TERMINATED: (RerunState.TERMINATING, RerunState.TERMINATED),
}
"""How a rerun that was submitted comes into each state; of proposals `test_store_proposals` tells."""


def in_state(store: RerunStore, state: RerunState, *members: NewMember) -> int:
    """A rerun that has come into a state, with the reason "started"."""
    rerun_id = store.add(rerun(*members) if members else single("a"), now=NOW)
    assert store.get(rerun_id) is not None
    # A rerun begins without a reason, so that a running one goes round once.
    for after in WAYS[state] or (RerunState.PAUSED, RerunState.RUNNING):
        assert store.move_rerun(rerun_id, after=after, reason="started", now=NOW)
    return rerun_id


def ended_at(state: RerunState) -> datetime | None:
    """When a rerun in a state ended, if `in_state` brought it there."""
    return NOW if state in FINAL_RERUN_STATES else None


def attempted(move: Callable[[], bool]) -> bool | type[ImpossibleMove]:
    """What a move answers, or that it is refused."""
    try:
        return move()
    except ImpossibleMove:
        return ImpossibleMove


def only_member(store: RerunStore, rerun_id: int) -> int:
    return store.members(rerun_id)[0].id


class TestAdd:
    def test_a_rerun_comes_back_as_it_was_submitted(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id = store.add(
                NewRerun(
                    source=run("a"),
                    members=(member(run("a"), role=Role.SOURCE, depth=0),),
                    links=(),
                    settings=RerunSettings(max_active_members=3, on_failure="pause", run_on_latest_version=True),
                    notifications=(Notification("ops", ("succeeded", "member_failed")),),
                    options=PlanOptions(include_manual=True, link_kinds=(LinkKind.ASSET,)),
                    warnings=(PlanWarning("stays_polluted", "b stays wrong", dag_id="b"),),
                    actor=Actor(id="7", name="Ann"),
                    name="Ünïcode 名",
                    reason="x" * 10_000,
                    freeze_mode=True,
                ),
                now=NOW,
            )
        with opened() as store:
            found = store.get(rerun_id)
        assert found is not None
        assert (found.id, found.source, found.state, found.state_reason) == (
            rerun_id,
            run("a"),
            RerunState.RUNNING,
            None,
        )
        assert found.settings == RerunSettings(max_active_members=3, on_failure="pause", run_on_latest_version=True)
        assert found.notifications == (Notification("ops", ("succeeded", "member_failed")),)
        assert found.options == PlanOptions(include_manual=True, link_kinds=(LinkKind.ASSET,))
        assert found.warnings == (PlanWarning("stays_polluted", "b stays wrong", dag_id="b"),)
        assert (found.created_by, found.created_by_id) == ("Ann", "7")
        assert (found.name, found.reason, found.freeze_mode) == ("Ünïcode 名", "x" * 10_000, True)
        assert (found.created_at, found.started_at, found.ended_at) == (NOW, NOW, None)
        assert found.counts == {state: int(state is MemberState.PENDING) for state in MemberState}

    def test_times_come_back_aware_and_in_utc(self, opened: Opened) -> None:
        with opened() as store:
            ready = NOW.astimezone(ELSEWHERE)
            rerun_id = store.add(rerun(member(run("a"), run_after=ready)), now=NOW.astimezone(ELSEWHERE))
        with opened() as store:
            found, (one,) = store.get(rerun_id), store.members(rerun_id)
        assert found is not None
        assert (found.created_at, one.run_after) == (NOW, NOW)

    def test_members_come_in_order_and_know_whom_they_wait_for(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id = store.add(chain(), now=NOW)
        with opened() as store:
            source, middle, last = store.members(rerun_id)
        assert [one.ref.dag_id for one in (source, middle, last)] == ["source", "middle", "last"]
        assert source.waits_for == frozenset()
        assert middle.waits_for == {source.id}
        assert last.waits_for == {source.id, middle.id}
        assert source.role is Role.SOURCE
        assert (last.role, last.state, last.rerun_id) == (Role.DOWNSTREAM, MemberState.PENDING, rerun_id)
        assert (last.attempt, last.clear_number, last.dispatched_at) == (0, None, None)
        assert (last.ended_at, last.final_run_state, last.original_run_id) == (None, None, "r1")
        assert (last.logical_date, last.run_after) == (NOW, NOW)

    def test_whom_a_member_waits_for_is_told_as_it_is_now(self, opened: Opened) -> None:
        with opened() as store:
            source, middle, last = store.members(store.add(chain(), now=NOW))
            assert store.move_member(middle.id, after=MemberState.RUNNING, reason="why", now=LATER)
        with opened() as store:
            assert store.gates(source.id) == []
            assert store.gates(middle.id) == [Awaited(source)]
            first, other = store.gates(last.id)
        second = other.member
        assert (first, second.ref, second.state) == (Awaited(source), middle.ref, MemberState.RUNNING)
        assert (second.state_reason, second.tasks, second.waits_for) == ("why", middle.tasks, frozenset())

    def test_equal_depths_are_ordered_by_ready_time_then_by_run(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id = store.add(
                rerun(
                    member(run("z"), role=Role.SOURCE, depth=0),
                    member(run("d"), run_after=None),
                    member(run("c"), run_after=LATER),
                    member(run("b", "r2")),
                    member(run("b", "r1")),
                ),
                now=NOW,
            )
            found = [str(one.ref) for one in store.members(rerun_id)]
        assert found == ["z / r1", "b / r1", "b / r2", "c / r1", "d / r1"]

    def test_selected_tasks_come_back_whole_or_by_index(self, opened: Opened) -> None:
        tasks = (TaskRef("mapped", 0), TaskRef("mapped", 12), TaskRef("whole"))
        with opened() as store:
            rerun_id = store.add(rerun(member(run("a"), tasks=tasks)), now=NOW)
            assert store.members(rerun_id)[0].tasks == tasks

    def test_a_member_may_start_in_another_state_with_a_reason(self, opened: Opened) -> None:
        with opened() as store:
            skipped = member(run("a"), state=MemberState.SKIPPED, reason="already_right")
            rerun_id = store.add(rerun(skipped), now=NOW)
            (one,) = store.members(rerun_id)
        assert (one.state, one.state_reason) == (MemberState.SKIPPED, "already_right")

    def test_links_come_back_in_their_order(self, opened: Opened) -> None:
        links = (
            Link(run("b"), run("a"), LinkKind.SENSOR, Evidence.DERIVED, {"delta": 3600.0}, "x", "wait"),
            Link(run("a"), run("c"), LinkKind.ASSET, Evidence.RECORDED, {"event_id": 4, "uris": ["s3://x"]}),
            Link(run("a"), FutureRef("d", logical_date=NOW), LinkKind.MARKER, Evidence.DERIVED),
            Link(run("a"), FutureRef("d", partition_key="k"), LinkKind.ASSET, Evidence.ASSUMED),
            Link(run("a"), FutureRef("d", next=True), LinkKind.ASSET, Evidence.ASSUMED),
            Link(run("a"), FutureRef("d"), LinkKind.SENSOR, Evidence.UNRESOLVED, {"hidden": True}),
        )
        with opened() as store:
            rerun_id = store.add(rerun(member(run("a")), links=links), now=NOW)
        with opened() as store:
            assert store.links(rerun_id) == list(links)

    def test_a_run_takes_part_in_one_active_rerun(self, opened: Opened) -> None:
        with opened() as store:
            first = store.add(rerun(member(run("a")), member(run("b"))), now=NOW)
        with pytest.raises(RunInActiveRerun) as refusal, opened() as store:
            store.add(rerun(member(run("c")), member(run("b"))), now=NOW)
        assert refusal.value.extra == {"rerun_id": first, "run": run("b")}

    def test_a_refused_rerun_leaves_nothing_and_the_transaction_goes_on(self, opened: Opened) -> None:
        with opened() as store:
            first = store.add(single("a"), now=NOW)
            with pytest.raises(RunInActiveRerun):
                store.add(rerun(member(run("b")), member(run("a"))), now=NOW)
            store.add_event(first, at=NOW, actor="ann", action="refused")
        with opened() as store:
            assert [one.id for one in store.page(RerunFilter())[0]] == [first]
            assert store.active_runs([run("a"), run("b")]) == {run("a"): first}
            assert len(store.events(first)) == 1

    def test_what_was_rolled_back_is_gone(self, opened: Opened) -> None:
        with pytest.raises(ZeroDivisionError), opened() as store:
            assert 1 / (0 * store.add(chain(), now=NOW))
        with opened() as store:
            assert store.page(RerunFilter()) == ([], 0)
            assert store.active_runs([run("source")]) == {}

    @pytest.mark.parametrize("final", sorted(FINAL_RERUN_STATES, key=lambda state: state.value))
    def test_a_final_rerun_frees_its_runs(self, opened: Opened, final: RerunState) -> None:
        with opened() as store:
            first = store.add(single("a"), now=NOW)
            other = store.add(single("b"), now=NOW)
            if final is RerunState.TERMINATED:
                store.move_rerun(first, after=RerunState.TERMINATING, reason=None, now=NOW)
            assert store.move_rerun(first, after=final, reason=None, now=LATER)
        with opened() as store:
            again = store.add(single("a"), now=LATER)
            assert store.active_runs([run("a"), run("b"), run("c")]) == {run("a"): again, run("b"): other}

    def test_active_runs_may_be_asked_for_many(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id = store.add(single("a"), now=NOW)
            many = [run("a"), *(run("a", f"other{number}") for number in range(5000))]
            assert store.active_runs(many) == {run("a"): rerun_id}
            assert store.active_runs([]) == {}


class TestMoveRerun:
    @pytest.mark.parametrize(("start", "after"), list(product(WAYS, RerunState)))
    def test_moves_as_the_table_says_and_not_otherwise(
        self, opened: Opened, start: RerunState, after: RerunState
    ) -> None:
        with opened() as store:
            rerun_id = in_state(store, start)
        with opened() as store:
            moved = attempted(lambda: store.move_rerun(rerun_id, before=[start], after=after, reason="yes", now=LATER))
        assert moved is (True if may_move(start, after) else ImpossibleMove)
        with opened() as store:
            found = store.get(rerun_id)
        assert found is not None
        assert (found.state, found.state_reason) == ((after, "yes") if moved is True else (start, "started"))
        assert found.started_at == NOW
        assert found.ended_at == (LATER if moved is True and after in FINAL_RERUN_STATES else ended_at(start))

    @pytest.mark.parametrize(("start", "after"), list(product(WAYS, WAYS)))
    def test_without_an_expected_state_the_table_says_where_it_may_start(
        self, opened: Opened, start: RerunState, after: RerunState
    ) -> None:
        with opened() as store:
            rerun_id = in_state(store, start)
            assert store.move_rerun(rerun_id, after=after, reason="yes", now=LATER) is may_move(start, after)

    @pytest.mark.parametrize(("start", "after"), list(product(WAYS, WAYS)))
    def test_moves_from_the_expected_state_only(self, opened: Opened, start: RerunState, after: RerunState) -> None:
        others = [state for state in RerunState if state is not start and may_move(state, after)]
        with opened() as store:
            rerun_id = in_state(store, start)
            assert not store.move_rerun(rerun_id, before=others, after=after, reason="no", now=LATER)
            assert not store.move_rerun(rerun_id, before=(), after=after, reason="no", now=LATER)
            found = store.get(rerun_id)
        assert found is not None
        assert (found.state, found.state_reason) == (start, "started")

    def test_an_unknown_rerun_is_not_moved(self, opened: Opened) -> None:
        with opened() as store:
            assert not store.move_rerun(99, after=RerunState.PAUSED, reason=None, now=NOW)
            assert store.get(99) is None
            assert store.members(99) == store.links(99) == store.events(99) == []

    def test_a_rerun_is_held_in_its_state_only(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id = store.add(single("a"), now=NOW)
            assert store.move_rerun(rerun_id, after=RerunState.FAILED, reason="why", now=NOW)
            assert store.hold_rerun(rerun_id, state=RerunState.FAILED)
            assert not store.hold_rerun(rerun_id, state=RerunState.RUNNING)
            assert not store.hold_rerun(rerun_id + 1, state=RerunState.FAILED)
            found = store.get(rerun_id)
        assert found is not None
        assert (found.state, found.state_reason) == (RerunState.FAILED, "why")


ENDED = {
    MemberState.SUCCEEDED,
    MemberState.FAILED,
    MemberState.SKIPPED,
    MemberState.TERMINATED,
    MemberState.RELEASED,
}


class TestMoveMember:
    @pytest.mark.parametrize(("start", "after"), list(product(MemberState, MemberState)))
    def test_moves_as_the_table_says_and_not_otherwise(
        self, opened: Opened, start: MemberState, after: MemberState
    ) -> None:
        with opened() as store:
            rerun_id = store.add(rerun(member(run("a"), state=start, reason="started")), now=NOW)
            member_id = only_member(store, rerun_id)
        with opened() as store:
            moved = attempted(
                lambda: store.move_member(member_id, before=[start], after=after, reason="yes", now=LATER)
            )
        assert moved is (True if may_move(start, after) else ImpossibleMove)
        with opened() as store:
            (one,) = store.members(rerun_id)
        assert (one.state, one.state_reason) == ((after, "yes") if moved is True else (start, "started"))
        assert one.ended_at == (LATER if moved is True and after in ENDED else None)
        assert (one.attempt, one.dispatched_at) == (0, None)

    @pytest.mark.parametrize(("start", "after"), list(product(MemberState, MemberState)))
    def test_without_an_expected_state_the_table_says_where_it_may_start(
        self, opened: Opened, start: MemberState, after: MemberState
    ) -> None:
        possible = any(may_move(state, after) for state in MemberState)
        with opened() as store:
            rerun_id = store.add(rerun(member(run("a"), state=start)), now=NOW)
            member_id = only_member(store, rerun_id)
            moved = attempted(lambda: store.move_member(member_id, after=after, reason="yes", now=LATER))
        assert moved is (may_move(start, after) if possible else ImpossibleMove)

    @pytest.mark.parametrize(("start", "after"), list(product(MemberState, MemberState)))
    def test_moves_from_the_expected_state_only(self, opened: Opened, start: MemberState, after: MemberState) -> None:
        others = [state for state in MemberState if state is not start and may_move(state, after)]
        with opened() as store:
            rerun_id = store.add(rerun(member(run("a"), state=start, reason="started")), now=NOW)
            member_id = only_member(store, rerun_id)
            for before in (others, ()) if others else ():
                assert not store.move_member(member_id, before=before, after=after, reason="no", now=LATER)
            (one,) = store.members(rerun_id)
        assert (one.state, one.state_reason, one.ended_at) == (start, "started", None)

    @pytest.mark.parametrize("final", sorted(FINAL_RERUN_STATES, key=lambda state: state.value))
    def test_nothing_of_a_final_rerun_moves(self, opened: Opened, final: RerunState) -> None:
        moves = [(start, after) for start, after in product(MemberState, MemberState) if may_move(start, after)]
        with opened() as store:
            rerun_id = in_state(store, final, *(member(run("a", f"r{i}"), state=s) for i, (s, _) in enumerate(moves)))
            for one in store.members(rerun_id):
                for after in MemberState:
                    if may_move(one.state, after):
                        assert not store.move_member(one.id, before=[one.state], after=after, reason="no", now=LATER)
            assert {one.state_reason for one in store.members(rerun_id)} == {None}
            made = replace(MADE, ref=run("a", "new"))
            adopting = {MemberState.PENDING, MemberState.RUNNING}
            for one in store.members(rerun_id):
                assert one.state not in adopting or not store.adopt_member(
                    one.id,
                    before=[one.state],
                    after=one.state,
                    run=made,
                    tasks=(),
                    runs_between=(),
                    reason=None,
                    now=NOW,
                )
            assert store.move_member(
                only_member(store, store.add(single("b"), now=NOW)), after=MemberState.RUNNING, reason=None, now=NOW
            )

    def test_the_clear_number_with_which_it_was_judged_is_kept(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id = store.add(rerun(member(run("a"), state=MemberState.RUNNING)), now=NOW)
            member_id = only_member(store, rerun_id)
            assert store.move_member(member_id, after=MemberState.SUCCEEDED, reason=None, now=NOW, clear_number=5)
            assert store.members(rerun_id)[0].clear_number == 5
            assert store.move_member(member_id, after=MemberState.RUNNING, reason="cleared_again", now=LATER)
            (one,) = store.members(rerun_id)
        assert (one.clear_number, one.ended_at, one.attempt) == (5, None, 0)

    def test_a_dispatch_counts_an_attempt(self, opened: Opened) -> None:
        with opened() as store:
            member_id = only_member(store, rerun_id := store.add(single("a"), now=NOW))
            for attempt, number in ((1, 4), (2, 7)):
                assert store.move_member(
                    member_id,
                    before=[MemberState.PENDING],
                    after=MemberState.RUNNING,
                    reason=None,
                    now=LATER,
                    dispatched=Dispatched(clear_number=number, cleared=2),
                )
                (one,) = store.members(rerun_id)
                assert (one.attempt, one.clear_number, one.dispatched_at) == (attempt, number, LATER)
                self.go(store, member_id, MemberState.FAILED)
                self.go(store, member_id, MemberState.PENDING)

    def test_the_runs_final_state_is_kept_until_it_goes_back(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id = store.add(rerun(member(run("a")), member(run("b"))), now=NOW)
            kept, back = (one.id for one in store.members(rerun_id))
            for member_id in (kept, back):
                self.go(store, member_id, MemberState.FAILED, final_run_state="failed")
            self.go(store, kept, MemberState.SKIPPED)
            self.go(store, back, MemberState.PENDING)
            assert [one.final_run_state for one in store.members(rerun_id)] == ["failed", None]

    def test_a_reason_is_said_without_a_move(self, opened: Opened) -> None:
        with opened() as store:
            member_id = only_member(store, rerun_id := store.add(single("a"), now=NOW))
            assert store.set_member_reason(member_id, "paused_dag", state=MemberState.PENDING)
            assert not store.set_member_reason(member_id, "late", state=MemberState.RUNNING)
            assert not store.set_member_reason(member_id + 1, "nobody", state=MemberState.PENDING)
            store.set_member_reasons([member_id], "late too", state=MemberState.FAILED)
            (one,) = store.members(rerun_id)
            assert (one.state, one.state_reason) == (MemberState.PENDING, "paused_dag")
            store.set_member_reasons([member_id], None, state=MemberState.PENDING)
            assert store.members(rerun_id)[0].state_reason is None

    def test_a_wish_for_a_release_is_kept_until_the_move(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id = store.add(single("a"), now=NOW)
            frozen = store.add_frozen(rerun_id, NewFrozen("f", None, NOW, NOW))
            pending = only_member(store, rerun_id)
            assert not store.ask_for_release(pending)
            assert store.ask_for_release(frozen)
            assert not store.ask_for_release(frozen)
            assert store.set_member_reason(frozen, "held", state=MemberState.FROZEN)
        with opened() as store:
            found = {one.id: one for one in store.active()[0].members}
            assert (found[frozen].release_asked, found[frozen].state_reason) == (True, "held")
            assert not found[pending].release_asked
            assert store.name_frozen_run(frozen, "made", LATER, NOW)
            assert store.move_member(frozen, after=MemberState.RELEASED, reason=None, now=NOW)
            assert not store.name_frozen_run(frozen, "other", LATER, NOW)
            assert not store.ask_for_release(frozen)

    def test_all_that_are_frozen_are_asked_for_at_once(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id, other = store.add(single("a"), now=NOW), store.add(single("b"), now=NOW)
            one, two, elsewhere = (
                store.add_frozen(number, NewFrozen(name, None, NOW, NOW))
                for number, name in ((rerun_id, "f"), (rerun_id, "g"), (other, "f"))
            )
            assert store.ask_for_release(one)
            assert [store.ask_for_releases(rerun_id) for _ in range(2)] == [1, 0]
        with opened() as store:
            found = {one.id: one.release_asked for active in store.active() for one in active.members}
            assert [found[one], found[two], found[elsewhere]] == [True, True, False]
            assert not found[only_member(store, other)]

    @pytest.mark.parametrize("told", [None, ("ann", "gone")])
    def test_all_members_in_a_state_move_at_once(self, opened: Opened, told: tuple[str, str] | None) -> None:
        with opened() as store:
            rerun_id, other = store.add(chain(), now=NOW), store.add(single("elsewhere"), now=NOW)
            first, *rest = store.members(rerun_id)
            self.go(store, first.id, MemberState.RUNNING)
            store.active()
        with opened() as store:
            how = {"before": MemberState.PENDING, "after": MemberState.TERMINATED, "reason": "x", "now": LATER}
            assert store.move_members(rerun_id, **how, told=told) == len(rest)
            assert store.move_members(rerun_id, **how, told=told) == 0
        with opened() as store:
            found = {one.id: one for active in store.active() for one in active.members}
            assert found[first.id].state is MemberState.RUNNING
            assert found[only_member(store, other)].state is MemberState.PENDING
            for one in rest:
                moved = replace(one, state=MemberState.TERMINATED, state_reason="x", ended_at=LATER)
                assert found[one.id] == store.member(rerun_id, one.id) == moved
            lines = [
                (line.at, line.actor, line.action, line.member_id, line.detail, line.dag_ids)
                for line in store.events(rerun_id)
            ]
            ids = sorted(one.id for one in rest)
            assert lines == [(LATER, *told, one, None, frozenset()) for one in ids if told is not None]
            with pytest.raises(ImpossibleMove):
                store.move_members(
                    rerun_id, before=MemberState.TERMINATED, after=MemberState.PENDING, reason=None, now=NOW
                )

    @staticmethod
    def go(store: RerunStore, member_id: int, after: MemberState, final_run_state: str | None = None) -> None:
        assert store.move_member(
            member_id,
            after=after,
            reason=None,
            now=NOW,
            final_run_state=final_run_state,
        )


MADE = RunFacts(run("child", "new"), "manual", "running", LATER, LATER, clear_number=4)


def parent_and_child() -> NewRerun:
    """A task of the parent makes the child's run."""
    new = rerun(
        member(run("parent"), role=Role.SOURCE, depth=0),
        replace(member(run("child"), waits_for=(run("parent"),)), clear_number=2),
    )
    return replace(new, children=(NewChild(run("parent"), "fire", -1, run("child")),))


def adopt(store: RerunStore, member_id: int, made: RunFacts = MADE, **more: object) -> bool:
    usual = {"before": [MemberState.PENDING], "after": MemberState.RUNNING, "reason": None, "runs_between": ()}
    given = {**usual, **more}
    tasks = (TaskRef("one"), TaskRef("two"))
    return store.adopt_member(member_id, run=made, tasks=tasks, now=LATER, **given)  # type: ignore[arg-type]


class TestAdoptMember:
    @pytest.fixture
    def stored(self, opened: Opened) -> tuple[int, int]:
        with opened() as store:
            rerun_id = store.add(parent_and_child(), now=NOW)
            return rerun_id, store.members(rerun_id)[1].id

    def test_the_member_has_the_new_run_and_remembers_the_old_one(
        self, opened: Opened, stored: tuple[int, int]
    ) -> None:
        with opened() as store:
            assert adopt(store, stored[1])
        with opened() as store:
            found = store.members(stored[0])[1]
        assert (found.ref, found.original_run_id) == (MADE.ref, "r1")
        assert (found.state, found.attempt, found.clear_number) == (MemberState.RUNNING, 1, 4)
        assert (found.logical_date, found.run_after, found.dispatched_at) == (LATER, LATER, LATER)
        assert found.tasks == (TaskRef("one"), TaskRef("two"))

    def test_a_member_that_waits_for_its_turn_has_had_no_attempt(self, opened: Opened, stored: tuple[int, int]) -> None:
        with opened() as store:
            assert adopt(store, stored[1], after=MemberState.PENDING, reason="ran_too_early")
            found = store.members(stored[0])[1]
        assert (found.ref, found.state, found.state_reason) == (MADE.ref, MemberState.PENDING, "ran_too_early")
        assert (found.attempt, found.dispatched_at) == (0, None)

    def test_it_is_guarded_by_the_state(self, opened: Opened, stored: tuple[int, int]) -> None:
        with opened() as store:
            assert not adopt(store, stored[1], before=[MemberState.FAILED])
            with pytest.raises(ImpossibleMove):
                adopt(store, stored[1], before=[MemberState.TERMINATED])
            assert store.members(stored[0])[1].ref == run("child")
            assert store.active_runs([MADE.ref, run("child")]) == {run("child"): stored[0]}

    def test_the_rerun_claims_the_new_run_and_lets_the_old_one_go(
        self, opened: Opened, stored: tuple[int, int]
    ) -> None:
        with opened() as store:
            adopt(store, stored[1])
        with opened() as store:
            assert store.active_runs([MADE.ref, run("child")]) == {MADE.ref: stored[0]}
        with pytest.raises(RunInActiveRerun), opened() as store:
            store.add(single("child", "new"), now=NOW)

    def test_a_run_of_another_rerun_is_refused(self, opened: Opened, stored: tuple[int, int]) -> None:
        with opened() as store:
            store.add(single("child", "new"), now=NOW)
        with pytest.raises(RunInActiveRerun), opened() as store:
            adopt(store, stored[1])
        with opened() as store:
            assert store.members(stored[0])[1].ref == run("child")

    def test_a_run_that_was_cleared_keeps_its_name(self, opened: Opened, stored: tuple[int, int]) -> None:
        with opened() as store:
            assert adopt(store, stored[1], replace(MADE, ref=run("child")))
            assert store.members(stored[0])[1].tasks == (TaskRef("one"), TaskRef("two"))
            assert store.active_runs([run("child")]) == {run("child"): stored[0]}

    def test_the_conductor_sees_which_runs_are_made_and_what_was_adopted(
        self, opened: Opened, stored: tuple[int, int]
    ) -> None:
        with opened() as store:
            (active,) = store.active()
            parent, child = active.members
            assert active.children == (Child(parent.id, "fire", -1, child.id),)
            assert store.children(active.rerun.id) == active.children
            assert store.children(active.rerun.id + 1) == ()
            assert child.clear_number == 2
            assert adopt(store, child.id)
        with opened() as store:
            assert store.active()[0].members == tuple(store.members(stored[0]))


class TestActive:
    def test_every_rerun_that_is_not_final_comes_with_its_members(self, opened: Opened) -> None:
        with opened() as store:
            ids = {state: in_state(store, state, member(run(state.value), role=Role.SOURCE, depth=0)) for state in WAYS}
        with opened() as store:
            found = store.active()
            assert [one.rerun.id for one in found] == sorted(ids[state] for state in ACTIVE_RERUN_STATES)
            for one in found:
                assert one.rerun == store.get(one.rerun.id)
                assert list(one.members) == store.members(one.rerun.id)

    def test_it_says_what_members_and_links_say(self, opened: Opened) -> None:
        with opened() as store:
            rerun_id = store.add(chain(), now=NOW)
            assert [list(one.members) for one in store.active()] == [store.members(rerun_id)]
        with opened() as store:
            last = store.members(rerun_id)[-1]
            store.move_member(
                last.id,
                before=[MemberState.PENDING],
                after=MemberState.FAILED,
                reason="x",
                now=LATER,
                final_run_state="failed",
            )
            store.move_rerun(rerun_id, before=[RerunState.RUNNING], after=RerunState.FAILED, reason="stuck", now=LATER)
            (one,) = store.active()
            assert one.rerun == store.get(rerun_id)
            assert list(one.members) == store.members(rerun_id)

    def test_nothing_is_active_in_the_beginning(self, opened: Opened) -> None:
        with opened() as store:
            assert store.active() == []


ODD_REASON = "Wechselkurs über 5% zu hoch, 汇率 [A/*?b]"


class TestPage:
    @pytest.fixture
    def ids(self, opened: Opened) -> list[int]:
        with opened() as store:
            ids = [
                store.add(single("a", name="third"), now=NOW),
                store.add(rerun(member(run("b")), member(run("x", "r9")), by="bob", name="first"), now=LATER),
                store.add(
                    rerun(member(run("c")), member(run("y"), state=MemberState.FROZEN), name="second"), now=LATER
                ),
                store.add(rerun(member(run("a", "r2")), member(run("x")), reason=ODD_REASON), now=LATER),
            ]
            store.move_rerun(ids[0], after=RerunState.SUCCEEDED, reason=None, now=LATER)
            return ids

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({}, [3, 2, 1, 0]),
            ({"order_by": "id"}, [0, 1, 2, 3]),
            ({"order_by": "name"}, [1, 2, 0, 3]),
            ({"order_by": "-name"}, [3, 0, 2, 1]),
            ({"order_by": "-created_at"}, [3, 2, 1, 0]),
            ({"order_by": "ended_at"}, [0, 1, 2, 3]),
            ({"order_by": "dag_id"}, [0, 3, 1, 2]),
            ({"states": frozenset({RerunState.SUCCEEDED, RerunState.FAILED})}, [0]),
            ({"states": frozenset()}, []),
            ({"dag_id": "x"}, [3, 1]),
            ({"dag_id": "x", "run_id": "r9"}, [1]),
            ({"dag_id": "b", "run_id": "r9"}, []),
            ({"run_id": "r9"}, [1]),
            ({"dag_id_pattern": "X"}, [3, 1]),
            ({"dag_id_pattern": "%"}, [3, 2, 1, 0]),
            ({"dag_id_pattern": "__"}, []),
            ({"dag_id_pattern": "y | b"}, [2, 1]),
            ({"dag_id_pattern": "x", "run_id": "r9"}, [1]),
            ({"dag_id_pattern": "x", "readable": frozenset({"a", "b"})}, []),
            ({"dag_id": "x", "readable": frozenset({"a", "x"})}, [3]),
            ({"search": "SECON"}, [2]),
            ({"search": "r"}, [3, 1, 0]),
            ({"search": "wechselKURS über 5%"}, [3]),
            ({"search": "ÜBER"}, [3]),
            ({"search": "汇率"}, [3]),
            ({"search": "5_"}, []),
            ({"search": "%"}, [3]),
            ({"search": "[a/*?b]"}, [3]),
            ({"search": "*"}, [3]),
            ({"search": "?"}, [3]),
            ({"search": "/"}, [3]),
            ({"search": "\\"}, []),
            ({"search": "nothing"}, []),
            ({"search": "wechsel", "readable": frozenset({"b"})}, []),
            ({"created_by": "bob"}, [1]),
            ({"created_by": "bo"}, []),
            ({"created_at_gte": LATER}, [3, 2, 1]),
            ({"created_at_lte": NOW.astimezone(ELSEWHERE)}, [0]),
            ({"readable": frozenset({"a", "c"})}, [3, 2, 0]),
            ({"readable": frozenset()}, []),
            ({"frozen": True}, [2]),
            ({"frozen": False}, [3, 1, 0]),
        ],
    )
    def test_a_filter_finds(
        self, opened: Opened, ids: list[int], wanted: dict[str, object], expected: list[int]
    ) -> None:
        with opened() as store:
            found, total = store.page(RerunFilter(**wanted))  # type: ignore[arg-type]
        assert [ids.index(one.id) for one in found] == expected
        assert total == len(expected)

    def test_a_page_is_a_part_and_the_total_is_all(self, opened: Opened, ids: list[int]) -> None:
        with opened() as store:
            found, total = store.page(RerunFilter(limit=2, offset=1))
            assert [one.id for one in found] == [ids[2], ids[1]]
            assert total == 4
            assert store.page(RerunFilter(limit=2, offset=9)) == ([], 4)
            assert store.page(RerunFilter(limit=0)) == ([], 4)

    def test_each_comes_with_its_counts(self, opened: Opened, ids: list[int]) -> None:
        with opened() as store:
            found, _ = store.page(RerunFilter())
            assert [one.counts[MemberState.PENDING] for one in found] == [2, 1, 2, 1]
            assert [one.counts[MemberState.FROZEN] for one in found] == [0, 1, 0, 0]
            assert all(set(one.counts) == set(MemberState) for one in found)
            assert found == [store.get(one.id) for one in found]

    def test_an_unknown_order_is_refused(self, opened: Opened) -> None:
        with pytest.raises(Invalid, match="settings"), opened() as store:
            store.page(RerunFilter(order_by="-settings"))


def test_the_record_is_read_oldest_first(opened: Opened) -> None:
    with opened() as store:
        rerun_id, other = store.add(single("a"), now=NOW), store.add(single("b"), now=NOW)
        member_id = only_member(store, rerun_id)
        store.add_event(rerun_id, at=LATER, actor="ann", action="submitted", detail="…" * 5000)
        store.add_event(other, at=NOW, actor="bob", action="submitted")
        store.add_event(rerun_id, at=NOW, actor="rerun_downstream", action="dispatched", member_id=member_id)
    with opened() as store:
        first, second = store.events(rerun_id)
    assert (first.at, first.actor, first.action, first.member_id, first.detail) == (
        LATER,
        "ann",
        "submitted",
        None,
        "…" * 5000,
    )
    assert (second.at, second.action, second.member_id, second.detail) == (NOW, "dispatched", member_id, None)
    assert first.id < second.id
    assert first.rerun_id == second.rerun_id == rerun_id


class TestNotMadeAnew:
    """What members count without having made it anew."""

    SKIPPED = NotMadeAnew("load", 3, "tasks_skipped")
    MARKED = NotMadeAnew("all", None, "marked_success", "ada", RunRef("up", "r1"))

    def ids(self, store: RerunStore, rerun_id: int) -> tuple[int, int]:
        first, second = store.members(rerun_id)
        return first.id, second.id

    def test_it_comes_back_with_its_member_in_the_order_of_the_list(self, opened: Opened) -> None:
        with opened() as store:
            number = store.add(rerun(member(run("a")), member(run("b"))), now=NOW)
            other = store.add(rerun(member(run("c"))), now=NOW)
            first, second = self.ids(store, number)
            store.list_not_made_anew(number, first, [self.MARKED, self.SKIPPED])
            store.list_not_made_anew(number, second, [self.SKIPPED])
        with opened() as store:
            found = [(one.ref, what) for one, what in store.not_made_anew(number)]
            assert found == [(run("a"), self.MARKED), (run("a"), self.SKIPPED), (run("b"), self.SKIPPED)]
            assert store.not_made_anew(other) == []
            assert store.counts_not_made_anew([number, other]) == {number: 3, other: 0}
            assert store.counts_not_made_anew([]) == {}

    def test_of_members_by_the_runs_that_they_had_at_submit(self, opened: Opened) -> None:
        with opened() as store:
            number = store.add(rerun(member(run("a")), member(run("b"))), now=NOW)
            first, second = self.ids(store, number)
            made = replace(MADE, ref=run("a", "made"))
            assert adopt(store, first, made)
            store.list_not_made_anew(number, second, [self.SKIPPED])
            store.list_not_made_anew(number, first, [self.MARKED, self.SKIPPED])
        with opened() as store:
            found = store.not_made_anew_of(number, {run("a"), run("c")})
            assert found == store.not_made_anew(number)[1:]
            assert [one.ref for one, _ in found] == [made.ref] * 2
            assert store.not_made_anew_of(number, {run("b"), run("a")}) == store.not_made_anew(number)
            assert store.not_made_anew_of(number, {made.ref}) == store.not_made_anew_of(number, set()) == []
            assert store.not_made_anew_of(number + 1, {run("a")}) == []

    def test_what_was_kept_of_a_member_before_goes(self, opened: Opened) -> None:
        with opened() as store:
            number = store.add(rerun(member(run("a")), member(run("b"))), now=NOW)
            first, second = self.ids(store, number)
            for member_id in (first, second):
                store.list_not_made_anew(number, member_id, [self.MARKED])
        with opened() as store:
            store.list_not_made_anew(number, first, [self.SKIPPED])
            store.list_not_made_anew(number, second, [])
        with opened() as store:
            assert [what for _, what in store.not_made_anew(number)] == [self.SKIPPED]

    def test_a_part_is_of_what_may_be_read_and_the_count_is_of_all_of_that(self, opened: Opened) -> None:
        with opened() as store:
            number = store.add(rerun(member(run("a")), member(run("b"))), now=NOW)
            first, second = self.ids(store, number)
            store.list_not_made_anew(number, first, [self.MARKED, self.SKIPPED])
            store.list_not_made_anew(number, second, [self.SKIPPED])
        with opened() as store:
            part = Part(frozenset({"a"}), limit=1, offset=1)
            assert [(one.ref, what) for one, what in store.not_made_anew(number, part)] == [(run("a"), self.SKIPPED)]
            assert store.count_not_made_anew(number, part) == 2
            assert store.count_not_made_anew(number, Part()) == 3


def test_how_airflow_closed_a_run_is_noted_while_its_member_stands_where_it_was_seen(opened: Opened) -> None:
    with opened() as store:
        number = store.add(rerun(member(run("a"))), now=NOW)
        member_id = store.members(number)[0].id
        done = Dispatched(clear_number=1, cleared=1)
        store.move_member(member_id, after=MemberState.RUNNING, reason=None, now=NOW, dispatched=done)
        moved = MemberState.SUCCEEDED
        store.move_member(member_id, after=moved, reason=None, now=NOW, final_run_state="running")
    with opened() as store:
        assert not store.set_final_run_state(member_id, state=MemberState.RUNNING, run_state="failed")
        assert not store.set_final_run_state(member_id + 1000, state=moved, run_state="failed")
        assert store.set_final_run_state(member_id, state=moved, run_state="success")
    with opened() as store:
        assert [(one.final_run_state, one.ended_at) for one in store.members(number)] == [("success", NOW)]


class TestProof:
    """What the record keeps of a rerun's proof."""

    COUNTS = ProofCounts(links=3, tasks=5, proven=8)

    def stored(self, store: RerunStore, rerun_id: int) -> Rerun:
        found = store.get(rerun_id)
        assert found is not None
        return found

    def dispatch(self, store: RerunStore, member_id: int) -> None:
        done = Dispatched(clear_number=1, cleared=1)
        assert store.move_member(member_id, after=MemberState.RUNNING, reason=None, now=NOW, dispatched=done)

    def member(self, store: RerunStore, rerun_id: int, member_id: int) -> Member:
        found = store.member(rerun_id, member_id)
        assert found is not None
        return found

    def test_what_was_counted_comes_back(self, opened: Opened) -> None:
        with opened() as store:
            number, other = (store.add(rerun(member(run(name))), now=NOW) for name in "ab")
            assert (self.stored(store, number).proven_at, self.stored(store, number).proof) == (None, None)
            store.keep_proof(number, NOW, self.COUNTS)
        with opened() as store:
            assert (self.stored(store, number).proven_at, self.stored(store, number).proof) == (NOW, self.COUNTS)
            assert self.stored(store, other).proof is None
            assert [one.rerun.proven_at for one in store.active()] == [NOW, None]
            store.keep_proof(number, LATER, ProofCounts(violations=1))
        with opened() as store:
            assert (self.stored(store, number).proven_at, self.stored(store, number).proof) == (
                LATER,
                ProofCounts(violations=1),
            )
            assert [one.rerun.proven_at for one in store.active()] == [LATER, None]

    def test_a_failed_member_starts_over(self, opened: Opened) -> None:
        with opened() as store:
            stages = ((TaskRef("a"),), (TaskRef("b"),))
            number = store.add(rerun(replace(member(run("a")), stages=stages), member(run("b"))), now=NOW)
            first, second = (one.id for one in store.members(number))
            for one in (first, second):
                self.dispatch(store, one)
            assert store.next_stage(first, before=MemberState.RUNNING, stage=0, clear_number=1, ends=[NOW])
            self.dispatch(store, first)
            store.start_over(first)
            assert self.member(store, number, first).stage == 1, "it hasn't failed"
            for one in (first, second):
                assert store.move_member(one, after=MemberState.FAILED, reason="not_proven", now=NOW)
                store.start_over(one)
        with opened() as store:
            found = self.member(store, number, first)
            assert (found.stage, found.stage_attempt, found.attempt, found.dispatched_in_stage) == (0, 2, 2, False)
            assert not self.member(store, number, second).dispatched_in_stage
