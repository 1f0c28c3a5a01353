"""What must hold when several processes work on one database at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from datetime import timezone as timezones
from functools import partial
from threading import Barrier, Event
from typing import TypeVar

import pytest
from sqlalchemy import literal
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from airflow_rerun_downstream.domain.errors import RunInActiveRerun
from airflow_rerun_downstream.domain.idempotency import IdempotencyKey, KeyTaken
from airflow_rerun_downstream.domain.new_rerun import NewMember, NewRerun
from airflow_rerun_downstream.domain.plan import PlanOptions
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.store.lease import SqlLease
from airflow_rerun_downstream.store.moments import DatabaseClock
from airflow_rerun_downstream.store.processes import ProcessReport, live_processes, report_process
from airflow_rerun_downstream.store.rerun_store import SqlRerunStore
from airflow_rerun_downstream.store.types import UtcDateTime
from tests.store.databases import REAL, database

NOW = datetime(2026, 3, 1, tzinfo=timezones.utc)
LASTS = timedelta(seconds=30)
ROUNDS = 10

T = TypeVar("T")


@pytest.fixture(params=REAL)
def engine(request: pytest.FixtureRequest) -> Engine:
    return database(request.param)


def new(*refs: RunRef) -> NewRerun:
    members = tuple(NewMember(ref, Role.DOWNSTREAM, MemberState.PENDING, (TaskRef("t"),), 0) for ref in refs)
    return NewRerun(refs[0], members, (), RerunSettings(), (), PlanOptions(), (), Actor("1", "ann"))


def at_once(engine: Engine, *works: Callable[[Session], T]) -> list[T | Exception]:
    """Each work in a thread and a transaction of its own, all started together."""
    ready = Barrier(len(works))

    def one(work: Callable[[Session], T]) -> T | Exception:
        ready.wait()
        try:
            with Session(engine) as session, session.begin():
                return work(session)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def test_of_two_who_take_the_same_run_one_wins(engine: Engine) -> None:
    for number in range(ROUNDS):
        shared = RunRef("shared", f"r{number}")

        def take(session: Session, shared: RunRef = shared) -> int:
            return SqlRerunStore(session).add(new(shared), now=NOW)

        answers = at_once(engine, take, take, take)
        (winner,) = [one for one in answers if isinstance(one, int)]
        losers = [one for one in answers if isinstance(one, RunInActiveRerun)]
        assert [one.extra for one in losers] == [{"rerun_id": winner, "run": shared}] * 2


def test_overlapping_selections_in_any_order_do_not_wait_for_each_other(engine: Engine) -> None:
    for number in range(ROUNDS):
        refs = [RunRef(f"dag{place}", f"r{number}") for place in range(40)]
        answers = at_once(
            engine,
            lambda session, refs=refs: SqlRerunStore(session).add(new(*refs), now=NOW),
            lambda session, refs=refs: SqlRerunStore(session).add(new(*reversed(refs)), now=NOW),
        )
        assert sorted(type(one).__name__ for one in answers) == ["RunInActiveRerun", "int"]


def test_of_submits_with_one_key_one_makes_a_rerun(engine: Engine) -> None:
    for number in range(ROUNDS):
        key = IdempotencyKey.of(Actor("1", "ann"), f"key{number}", "{}")

        def submit(session: Session, run: RunRef, key: IdempotencyKey = key) -> int:
            store = SqlRerunStore(session)
            rerun_id = store.add(new(run), now=NOW)
            store.keep_key(key, rerun_id)
            return rerun_id

        runs = [RunRef(f"dag{place}", f"r{number}") for place in range(3)]
        answers = at_once(engine, *[partial(submit, run=run) for run in runs])
        (winner,) = [one for one in answers if isinstance(one, int)]
        assert sum(isinstance(one, KeyTaken) for one in answers) == 2
        with Session(engine) as session:
            store = SqlRerunStore(session)
            assert store.kept_key(key.key) == (winner, key.body)
            assert store.page(RerunFilter())[1] == number + 1


def test_who_waited_for_one_that_rolled_back_wins(engine: Engine) -> None:
    shared = RunRef("shared", "r1")
    added = Event()

    def fail(session: Session) -> int:
        SqlRerunStore(session).add(new(shared), now=NOW)
        added.set()
        raise ZeroDivisionError

    def take(session: Session) -> int:
        assert added.wait(10)
        return SqlRerunStore(session).add(new(shared), now=NOW)

    failed, taken = at_once(engine, fail, take)
    assert isinstance(failed, ZeroDivisionError)
    assert isinstance(taken, int)
    with Session(engine) as session:
        assert [one.id for one in SqlRerunStore(session).page(RerunFilter())[0]] == [taken]


def test_a_run_that_is_let_go_meanwhile_can_be_taken(engine: Engine) -> None:
    for number in range(ROUNDS):
        shared = RunRef("shared", f"r{number}")
        with Session(engine) as session, session.begin():
            first = SqlRerunStore(session).add(new(shared), now=NOW)

        def end(session: Session, first: int = first) -> bool:
            store = SqlRerunStore(session)
            return store.move_rerun(first, after=RerunState.SUCCEEDED, reason=None, now=NOW)

        def take(session: Session, shared: RunRef = shared) -> int:
            return SqlRerunStore(session).add(new(shared), now=NOW)

        ended, taken = at_once(engine, end, take)
        assert ended is True
        assert isinstance(taken, (int, RunInActiveRerun))


def test_of_two_moves_from_one_state_one_happens(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        store = SqlRerunStore(session)
        rerun_id = store.add(new(RunRef("a", "r1")), now=NOW)
        member_id = store.members(rerun_id)[0].id

    def move(session: Session, before: MemberState, after: MemberState) -> bool:
        return SqlRerunStore(session).move_member(member_id, before=[before], after=after, reason=None, now=NOW)

    for _ in range(ROUNDS):
        there = [lambda session: move(session, MemberState.PENDING, MemberState.RUNNING)] * 3
        assert sorted(map(str, at_once(engine, *there))) == ["False", "False", "True"]
        back = [lambda session: move(session, MemberState.RUNNING, MemberState.PENDING)] * 3
        assert sorted(map(str, at_once(engine, *back))) == ["False", "False", "True"]


def test_a_held_rerun_is_not_moved_until_the_holder_ends(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        rerun_id = SqlRerunStore(session).add(new(RunRef("a", "r1")), now=NOW)
    held, order = Event(), []

    def hold(session: Session) -> bool:
        found = SqlRerunStore(session).hold_rerun(rerun_id, state=RerunState.RUNNING)
        held.set()
        Event().wait(0.5)
        order.append("dispatched")
        return found

    def pause(session: Session) -> bool:
        assert held.wait(10)
        store = SqlRerunStore(session)
        moved = store.move_rerun(rerun_id, before=[RerunState.RUNNING], after=RerunState.PAUSED, reason=None, now=NOW)
        order.append("paused")
        return moved

    assert at_once(engine, hold, pause) == [True, True]
    assert order == ["dispatched", "paused"]
    with Session(engine) as session, session.begin():
        assert not SqlRerunStore(session).hold_rerun(rerun_id, state=RerunState.RUNNING)


def lease_at(session: Session, now: datetime) -> SqlLease:
    clock = DatabaseClock(machine=lambda: now)
    return SqlLease(session, clock=clock, moments=lambda span: literal(now + span, UtcDateTime()))


def acquire(owner: str, now: datetime) -> Callable[[Session], int | None]:
    return lambda session: lease_at(session, now).acquire(owner=owner, lasts=LASTS).number


def test_of_many_who_ask_one_gets_the_lease(engine: Engine) -> None:
    for number in range(1, ROUNDS):
        now = NOW + timedelta(minutes=number)
        answers = at_once(engine, *[acquire(owner, now) for owner in ("a", "b", "c", "d")])
        won = [one for one in answers if one is not None]
        assert len(won) == 1
        assert isinstance(won[0], int)


def test_who_confirmed_is_not_overtaken_before_the_transaction_ends(engine: Engine) -> None:
    at_once(engine, acquire("a", NOW))
    confirmed, order = Event(), []

    def work(session: Session) -> bool:
        found = lease_at(session, NOW + timedelta(seconds=30)).confirm(owner="a", number=1, lasts=LASTS)
        confirmed.set()
        Event().wait(0.5)
        order.append("worked")
        return found

    def overtake(session: Session) -> int | None:
        assert confirmed.wait(10)
        number = acquire("b", NOW + timedelta(seconds=61))(session)
        order.append("overtook")
        return number

    assert at_once(engine, work, overtake) == [True, 2]
    assert order == ["worked", "overtook"]
    assert at_once(engine, lambda session: lease_at(session, NOW).confirm(owner="a", number=1, lasts=LASTS)) == [False]


def test_two_first_reports_of_one_process_are_one(engine: Engine) -> None:
    report = ProcessReport("host:1", "scheduler", True, True, NOW)
    for answer in at_once(engine, *[lambda session: report_process(session, report)] * 4):
        assert answer is None
    with Session(engine) as session:
        assert live_processes(session, within=timedelta(minutes=1)) == [report]
