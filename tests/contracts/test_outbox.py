"""What every `Outbox` promises: the fake, SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import timezone as timezones

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from airflow_rerun_downstream.domain.delivery import DeliveryState, NewDelivery, ToldMember
from airflow_rerun_downstream.ports.outbox import Outbox
from airflow_rerun_downstream.store import tables
from airflow_rerun_downstream.store.mapping import rerun_values
from airflow_rerun_downstream.store.outbox import SqlOutbox
from tests.contracts.test_store import single
from tests.fakes.outbox import FakeOutbox
from tests.store.databases import EVERY, REAL, database

NOW = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=timezones.utc)
WHILE = timedelta(minutes=3)

Opened = Callable[[], AbstractContextManager[Outbox]]


@contextmanager
def in_memory(outbox: FakeOutbox) -> Iterator[Outbox]:
    before = outbox.snapshot()
    try:
        yield outbox
    except BaseException:
        outbox.restore(before)
        raise


@pytest.fixture(params=EVERY)
def opened(request: pytest.FixtureRequest) -> Opened:
    """Opens a transaction; leaving it commits, an exception rolls back. There are the reruns 1 and 2."""
    if request.param == "fake":
        fake = FakeOutbox()
        return lambda: in_memory(fake)
    return on_database(request.param)


def on_database(name: str) -> Opened:
    engine = database(name)

    @contextmanager
    def transaction() -> Iterator[Outbox]:
        with Session(engine) as session, session.begin():
            yield SqlOutbox(session)

    with Session(engine) as session, session.begin():
        for number in (1, 2):
            session.execute(insert(tables.rerun).values({**rerun_values(single("a"), NOW), "id": number}))
    return transaction


def new(rerun_id: int | None = 1, target: str = "ops", condition: str = "member_failed", **more: object) -> NewDelivery:
    made = NewDelivery(rerun_id, target, condition, NOW, NOW, "ada", "why", (ToldMember(7, "tasks_failed"),))
    return replace(made, **more)  # type: ignore[arg-type]


def take(opened: Opened, now: datetime = NOW, **more: object) -> int | None:
    with opened() as outbox:
        found = outbox.take(now=now, until=now + WHILE, **more)  # type: ignore[arg-type]
        return found and found.id


def test_a_delivery_comes_back_as_it_was_stored_with_an_id_of_its_own(opened: Opened) -> None:
    with opened() as outbox:
        numbers = outbox.add([new(), new(target="boss", reason=None, members=(), occurrences=3)])
    with opened() as outbox:
        first, second = outbox.of_rerun(1, limit=10)
    assert [first.id, second.id] == numbers
    assert (first.target, first.condition, first.actor, first.reason) == ("ops", "member_failed", "ada", "why")
    assert (first.created_at, first.due_at, first.members) == (NOW, NOW, (ToldMember(7, "tasks_failed"),))
    assert (first.state, first.tries, first.ended_at, first.error) == (DeliveryState.PENDING, 0, None, None)
    assert (second.occurrences, second.members, second.reason) == (3, (), None)
    assert len({first.message_id, second.message_id}) == 2
    assert len(first.message_id) == 36


def test_what_is_rolled_back_is_never_told(opened: Opened) -> None:
    def half() -> None:
        with opened() as outbox:
            outbox.add([new()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert take(opened) is None


def test_pages_and_counts_are_of_one_rerun(opened: Opened) -> None:
    with opened() as outbox:
        outbox.add([new(), new(2), new(None), new(target="boss")])
        assert [each.target for each in outbox.of_rerun(1, limit=10)] == ["ops", "boss"]
        assert [each.target for each in outbox.of_rerun(1, limit=1, offset=1)] == ["boss"]
        assert (outbox.count(1), outbox.count(2), outbox.count(3)) == (2, 1, 0)
        assert [each.rerun_id for each in outbox.about(1, {"member_failed", "paused"})] == [1, 1]
        assert outbox.about(1, {"paused"}) == []


def test_a_taken_delivery_is_nobody_elses_for_a_while(opened: Opened) -> None:
    with opened() as outbox:
        (number,) = outbox.add([new()])
    assert take(opened, NOW - timedelta(seconds=1)) is None
    assert take(opened) == number
    assert take(opened, NOW + WHILE - timedelta(seconds=1)) is None
    assert take(opened, NOW + WHILE) == number
    with opened() as outbox:
        assert outbox.of_rerun(1, limit=1)[0].tries == 2


def test_the_one_that_has_been_due_for_longest_comes_first_without_those_to_targets_that_rest(opened: Opened) -> None:
    with opened() as outbox:
        late, early = outbox.add([new(), new(target="boss", due_at=NOW - WHILE)])
    assert take(opened, besides={"boss"}) == late
    assert take(opened, besides={"ops"}) == early
    assert take(opened) is None


def test_a_sent_one_is_never_taken_again(opened: Opened) -> None:
    with opened() as outbox:
        (number,) = outbox.add([new()])
    take(opened)
    with opened() as outbox:
        assert outbox.sent(number, at=NOW, but="some_refused")
        assert not outbox.sent(number, at=NOW + WHILE)
        assert not outbox.not_sent(number, tries=1, error="timed_out", due_at=NOW, at=NOW)
    assert take(opened, NOW + 9 * WHILE) is None
    with opened() as outbox:
        found = outbox.of_rerun(1, limit=1)[0]
        assert (found.state, found.ended_at, found.error) == (DeliveryState.SENT, NOW, "some_refused")


def test_a_failed_try_is_followed_by_another_or_is_the_last(opened: Opened) -> None:
    with opened() as outbox:
        (number,) = outbox.add([new()])
    take(opened)
    with opened() as outbox:
        assert outbox.not_sent(number, tries=1, error="http_status:500", due_at=NOW + WHILE, at=NOW)
    assert take(opened, NOW + WHILE) == number
    with opened() as outbox:
        assert not outbox.not_sent(number, tries=1, error="timed_out", due_at=None, at=NOW), "it is another one's now"
        assert outbox.not_sent(number, tries=2, error="timed_out", due_at=None, at=NOW)
        found = outbox.of_rerun(1, limit=1)[0]
        assert (found.state, found.error, found.ended_at) == (DeliveryState.FAILED, "timed_out", NOW)
    assert take(opened, NOW + 9 * WHILE) is None


def test_one_that_was_given_up_and_has_arrived_all_the_same_was_sent(opened: Opened) -> None:
    with opened() as outbox:
        (number,) = outbox.add([new()])
        outbox.take(now=NOW, until=NOW)
        outbox.not_sent(number, tries=1, error="timed_out", due_at=None, at=NOW)
        assert outbox.sent(number, at=NOW)
        assert outbox.of_rerun(1, limit=1)[0].state is DeliveryState.SENT


def test_it_gathers_until_it_is_tried(opened: Opened) -> None:
    more = (ToldMember(7, "tasks_failed"), ToldMember(8, None))
    with opened() as outbox:
        (number,) = outbox.add([new()])
        assert outbox.gather(number, more)
        (found,) = outbox.about(1, {"member_failed"})
        assert (found.members, found.occurrences, found.gathers) == (more, 2, True)
        assert outbox.gather(number, more[:1], more=0)
        (found,) = outbox.about(1, {"member_failed"})
        assert (found.members, found.occurrences, found.gathers) == (more[:1], 2, True)
    take(opened)
    with opened() as outbox:
        assert not outbox.gather(number, more)
        assert not outbox.about(1, {"member_failed"})[0].gathers


def test_the_last_test_of_each_target_is_kept(opened: Opened) -> None:
    with opened() as outbox:
        first, _, last = outbox.add([new(None, condition="test"), new(None, "boss"), new(None, condition="test")])
        outbox.sent(first, at=NOW)
        outbox.forget_tests("ops")
        assert {target: each.id for target, each in outbox.last_tests().items() if target == "ops"} == {"ops": last}
        assert set(outbox.last_tests()) == {"ops", "boss"}


@pytest.mark.parametrize("name", REAL)
def test_of_two_that_want_it_at_once_one_gets_it(name: str) -> None:
    opened = on_database(name)
    with opened() as outbox:
        numbers = outbox.add([new() for _ in range(20)])
    got: list[int] = []
    begin = threading.Barrier(2)

    def work() -> None:
        begin.wait()
        missed = 0
        while missed < 5:
            try:
                found = take(opened)
            except Exception:  # SQLite says that it is locked
                continue
            missed = missed + 1 if found is None else 0
            if found is not None:
                got.append(found)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(got) == numbers
