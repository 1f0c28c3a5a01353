"""Never lost, and twice only where it died between the sending and the note of it; whatever happens in between."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.delivery import DeliveryState, NewDelivery
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.notify import deliverer as module
from airflow_rerun_downstream.notify.deliverer import NOTES, PATIENCE, POLL, TAKEN, TRIES, Deliverer
from airflow_rerun_downstream.notify.messages import Message
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.target import Credentials, Target, Webhook
from tests.fakes.house import ADA, House
from tests.fakes.outbox import FakeOutbox

TARGETS = ("ops", "boss")


class Death(BaseException):
    """The process is gone."""


@dataclass
class Post:
    """Whoever messages are sent to. ``dies``: before or after the next one arrives."""

    house: House
    arrived: list[tuple[str, str]] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    dies: str | None = None
    twice: Counter[str] = field(default_factory=Counter)

    def send(self, target: Target, message: Message, credentials: Credentials | None) -> str | None:
        assert not self.house.unit_of_work.open, "something of the database's is open"
        if self.dies == "before":
            raise Death
        if target.name in self.down:
            raise NotSent("connection_failed")
        self.arrived.append((target.name, message.id))
        if self.dies == "after":
            self.twice[message.id] += 1
            raise Death
        return None


class Named:
    """Targets of these names."""

    def target(self, name: str) -> Target | None:
        return Target(name, "webhook", Webhook(url="https://example.com/")) if name in TARGETS else None

    def credentials(self, target: Target) -> Credentials | None:
        return None


class Stage:
    """A rerun, its deliveries, and the process that sends them: there may be another one after it."""

    def __init__(self) -> None:
        self.house = House()
        self.post = Post(self.house)
        source = self.house.world.run("a")
        self.rerun = self.house.service.submit(ADA, RerunRequest(PlanRequest(source))).rerun.id
        self.fails: list[str] = []
        """What becomes of the next transactions: ``dies``, ``away``, or nothing."""
        self.leads = True
        self.restart()

    def restart(self) -> None:
        self.process = Deliverer(
            unit_of_work=self.transaction,  # type: ignore[arg-type]
            clock=self.house.clock,
            targets=Named(),
            senders={"webhook": self.post},
            address=lambda number: None,
            leads=lambda: self.leads,
        )

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        fate = self.fails.pop(0) if self.fails else ""
        if fate == "away":
            raise ConnectionError("the database is away")
        sent = len(self.post.arrived)
        with self.house.unit_of_work() as work:
            yield work
            if fate == "dies":
                raise Death
        if fate == "dies after":
            assert sent == len(self.post.arrived)
            raise Death

    def add(self, target: str = "ops", condition: str = "succeeded") -> int:
        now = self.house.clock.now()
        with self.house.unit_of_work() as work:
            return work.outbox.add([NewDelivery(self.rerun, target, condition, now, now, "x")])[0]

    def step(self) -> bool:
        """One step; a process that dies in it is followed by another one."""
        unnoted = {one.delivery.message_id for one in self.process.unnoted.values() if one.error is None}
        before = len(self.post.arrived)
        try:
            return self.process.step()
        except ConnectionError:
            return False
        except Death:
            unnoted |= {message_id for _, message_id in self.post.arrived[before:]}
            noted = {one.message_id for one in self.rows() if one.state is DeliveryState.SENT}
            for message_id in unnoted - noted:
                if self.post.dies != "after":
                    self.post.twice[message_id] += 1
            self.restart()
            return False
        finally:
            self.post.dies = None

    def rows(self) -> list[Any]:
        return list(self.house.unit_of_work.outbox.rows.values())

    def settle(self) -> None:
        """All works from now on, for long enough."""
        self.fails, self.leads, self.post.dies = [], True, None
        self.post.down.clear()
        for _ in range(400):
            while self.step():
                pass
            self.house.clock.advance(minutes=10)
            if all(one.state is not DeliveryState.PENDING for one in self.rows()):
                return
        raise AssertionError("they are never sent")


def test_what_is_due_is_sent_once_and_said() -> None:
    stage = Stage()
    stage.add()
    assert stage.step()
    assert not stage.step()
    (row,) = stage.rows()
    assert (row.state, row.tries, row.ended_at) == (DeliveryState.SENT, 1, stage.house.clock.now())
    assert stage.post.arrived == [("ops", row.message_id)]


def test_where_another_process_leads_nothing_is_asked() -> None:
    stage = Stage()
    stage.add()
    stage.leads = False
    asked = stage.house.unit_of_work.outbox.asked
    assert not stage.step()
    assert stage.house.unit_of_work.outbox.asked == asked


def test_an_idle_look_is_one_question() -> None:
    stage = Stage()
    asked = stage.house.unit_of_work.outbox.asked
    stage.step()
    assert stage.house.unit_of_work.outbox.asked == asked + 1


def test_a_target_that_is_down_is_tried_again_ever_more_rarely_and_keeps_nobody_waiting() -> None:
    stage = Stage()
    stage.post.down = {"ops"}
    for _ in range(30):
        stage.add()
    stage.add("boss")
    while stage.step():
        pass
    assert [target for target, _ in stage.post.arrived] == ["boss"]
    assert sum(one.tries for one in stage.rows()) == 2, "the others to ops wait until one has arrived"
    tries = []
    for _ in range(200):
        stage.house.clock.advance(seconds=10)
        before = sum(one.tries for one in stage.rows())
        while stage.step():
            pass
        tries.append(sum(one.tries for one in stage.rows()) - before)
    assert 4 < sum(tries) < 15
    stage.settle()
    assert Counter(target for target, _ in stage.post.arrived) == {"ops": 30, "boss": 1}


def test_after_a_day_it_is_given_up_and_the_record_says_so() -> None:
    stage = Stage()
    stage.add()
    stage.post.down = {"ops"}
    for _ in range(60):
        stage.house.clock.advance(minutes=30)
        stage.step()
    (row,) = stage.rows()
    assert (row.state, row.error) == (DeliveryState.FAILED, "connection_failed")
    assert row.ended_at - row.created_at >= PATIENCE
    with stage.house.unit_of_work() as work:
        last = work.store.events(stage.rerun)[-1]
    assert last.action == "notification_failed"
    assert last.detail == "ops could not be notified (succeeded): connection_failed"


def test_after_a_long_standstill_it_is_tried_often_enough_all_the_same() -> None:
    stage = Stage()
    stage.add()
    stage.post.down = {"ops"}
    stage.house.clock.advance(days=3)
    stage.step()
    assert stage.rows()[0].state is DeliveryState.PENDING
    for _ in range(TRIES):
        stage.house.clock.advance(hours=1)
        stage.step()
    assert stage.rows()[0].state is DeliveryState.FAILED


def test_a_target_that_is_not_configured_any_more() -> None:
    stage = Stage()
    stage.add("gone")
    stage.step()
    assert stage.rows()[0].error == "unknown_target"


def test_an_error_that_nobody_expected_is_a_failed_try(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.add()

    def fail(*_: object) -> None:
        raise KeyError("a secret")

    monkeypatch.setattr(stage.post, "send", fail)
    stage.step()
    assert stage.rows()[0].error == "unexpected_error:KeyError"


def test_a_database_that_is_away_for_the_note_makes_no_second_message() -> None:
    stage = Stage()
    stage.add()
    stage.fails = ["", "", "away", "away", "away"]
    for _ in range(3):
        stage.step()
    stage.house.clock.advance(hours=1)
    stage.settle()
    assert len(stage.post.arrived) == 1


@pytest.mark.parametrize("down", [False, True])
def test_what_cannot_be_stored_keeps_no_other_waiting_and_makes_no_second_message(
    down: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage()
    first, second = stage.add(), stage.add("boss")
    stage.post.down = {"ops"} if down else set()
    for name in ("sent", "not_sent"):
        monkeypatch.setattr(FakeOutbox, name, refusing(first, getattr(FakeOutbox, name)))
    for _ in range(NOTES + 3):
        with suppress(ValueError):
            stage.step()
        stage.house.clock.advance(seconds=POLL)
    rows = stage.house.unit_of_work.outbox.rows
    assert (rows[first].state, rows[second].state) == (DeliveryState.PENDING, DeliveryState.SENT)
    for _ in range(3):
        stage.house.clock.advance(seconds=TAKEN.total_seconds())
        stage.step()
    assert len(stage.process.unnoted) == 1
    monkeypatch.undo()
    stage.settle()
    assert [one.state for one in stage.rows()] == [DeliveryState.SENT] * 2
    assert sorted(name for name, _ in stage.post.arrived) == ["boss", "ops"]
    assert not stage.process.unnoted


def refusing(number: int, real: Any) -> Any:
    """A method of the outbox that can't store one of them."""

    def method(self: FakeOutbox, delivery_id: int, **more: Any) -> bool:
        if delivery_id == number:
            raise ValueError("too long")
        return bool(real(self, delivery_id, **more))

    return method


def test_however_long_the_name_of_an_error_is_it_can_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.add()
    error = type("Very" * 100, (Exception,), {})
    monkeypatch.setattr(stage.post, "send", mock.Mock(side_effect=error))
    stage.step()
    assert stage.rows()[0].error == f"unexpected_error:{'Very' * 100}"[:100]


def test_one_that_got_ready_too_late_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.add()
    real = module.message

    def slow(*args: Any) -> Message:
        stage.house.clock.advance(seconds=TAKEN.total_seconds() - 60)
        return real(*args)

    monkeypatch.setattr(module, "message", slow)
    stage.step()
    assert stage.post.arrived == []
    assert stage.rows()[0].error == "timed_out"


def test_all_that_a_try_may_take_is_less_than_it_is_taken_for() -> None:
    from airflow_rerun_downstream.notify import mail, network, notifier, reading, targets, webhook

    opening = network.RESOLVING + 3 * network.CONNECTING
    ways = (opening + webhook.TOTAL, opening + mail.TOTAL, reading.MAX_SECONDS + notifier.STARTING + notifier.LEFT)
    assert max(ways) < module.SENDING.total_seconds()
    assert targets.CONNECTING + module.SENDING.total_seconds() < TAKEN.total_seconds()


def test_the_thread_ends_and_keeps_what_it_knows() -> None:
    stage = Stage()
    stage.add()
    stop = threading.Event()
    thread = threading.Thread(target=stage.process.run, args=(stop,), daemon=True)
    thread.start()
    while not stage.post.arrived:
        pass
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert stage.rows()[0].state is DeliveryState.SENT


FATES = st.sampled_from(["", "", "dies", "dies after", "away"])
MOVES = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(TARGETS)),
    st.tuples(st.just("step"), st.lists(FATES, max_size=4), st.sampled_from([None, None, "before", "after"])),
    st.tuples(st.just("down"), st.sampled_from(TARGETS)),
    st.tuples(st.just("up"), st.sampled_from(TARGETS)),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 15.0, 200.0])),
    st.tuples(st.just("leads"), st.booleans()),
    st.tuples(st.just("restart")),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(MOVES, max_size=40))
def test_whatever_dies_between_any_two_steps(moves: list[tuple[Any, ...]]) -> None:
    stage = Stage()
    stage.add()
    for move, *more in moves:
        if move == "add":
            stage.add(*more)
        elif move == "step":
            stage.fails, stage.post.dies = list(more[0]), more[1]
            stage.step()
            stage.fails = []
        elif move == "down":
            stage.post.down.add(*more)
        elif move == "up":
            stage.post.down.discard(*more)
        elif move == "wait":
            stage.house.clock.advance(seconds=more[0])
        elif move == "leads":
            (stage.leads,) = more
        elif not stage.process.unnoted:
            stage.restart()
    stage.settle()
    arrived = Counter(message_id for _, message_id in stage.post.arrived)
    expected = {one.message_id: 1 for one in stage.rows()}
    assert set(arrived) == set(expected), "never lost, and nothing else"
    for message_id, times in arrived.items():
        assert times <= 1 + stage.post.twice[message_id], "twice only where it died in between"
    to = {one.message_id: one.target for one in stage.rows()}
    assert all(to[message_id] == target for target, message_id in stage.post.arrived)


def test_two_processes_that_both_lead_send_nothing_twice() -> None:
    stage = Stage()
    for _ in range(20):
        stage.add()
    other = Stage.__new__(Stage)
    other.__dict__ = {**stage.__dict__}
    other.restart()
    going = True
    while going:
        going = stage.step()
        going = other.step() or going
    assert len(stage.post.arrived) == len(set(stage.post.arrived)) == 20
    with suppress(AssertionError):
        stage.settle()
    assert len(stage.post.arrived) == 20
    assert timedelta(minutes=1) < TAKEN
