"""One bad step stops nothing else: not its rerun, not another one, not a termination or a release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_rerun_downstream.conductor.faults import TRIES, Faults
from airflow_rerun_downstream.conductor.steps import Dispatch
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.ports.metrics import ErrorKind
from tests.conductor import test_adopting as adopting
from tests.conductor.test_conductor import finish, states, submit
from tests.conductor.test_conductor import state as state_and_reason
from tests.conductor.test_freezing import DUE, frozen, member, scheduler_makes
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    return House()


def state(house: House, rerun: int) -> str:
    return str(state_and_reason(house, rerun)[0])


class Bad:
    """Makes a method raise for some calls."""

    def __init__(self, owner: Any, name: str, when: Callable[..., bool]) -> None:
        self.owner, self.name, self.when = owner, name, when
        self.original = getattr(owner, name)
        setattr(owner, name, self)

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self.when(*args, **options):
            raise RuntimeError("a secret: INSERT INTO x")
        return self.original(*args, **options)

    def mend(self) -> None:
        setattr(self.owner, self.name, self.original)


def two_in_flight(house: House) -> tuple[int, RunRef, RunRef]:
    """A rerun whose two downstream runs are in flight, and that holds a run."""
    source, left, right = (house.world.run(name) for name in "slr")
    for one in (left, right):
        house.world.consumed(source, "t", by=one, asset=one.dag_id)
    rerun = submit(house, source, [left, right])
    house.tick()
    finish(house, source)
    house.tick()
    house.tick()
    assert states(house, rerun) == {"s": "succeeded", "l": "running", "r": "running"}
    return rerun, left, right


def reasons(house: House, rerun: int) -> dict[str, str | None]:
    return {one.ref.dag_id: one.state_reason for one in house.store.members(rerun)}


class TestTermination:
    def test_a_stop_that_raises_leaves_the_others_done(self, house: House) -> None:
        rerun, left, right = two_in_flight(house)
        number = frozen(house, rerun)
        held = scheduler_makes(house)
        house.tick()
        Bad(house.unit_of_work.gateway, "stop", lambda ref, **_options: ref == left)
        house.service.terminate(ADA, rerun)
        house.tick()
        assert house.world.runs[right].state == "failed", "the other one is stopped"
        assert house.world.runs[held].run_after == DUE, "what is frozen is let go"
        assert member(house, number).state is MemberState.RELEASED
        assert (states(house, rerun)["l"], reasons(house, rerun)["l"]) == ("running", "stop_error")
        assert state(house, rerun) == "terminating"
        for _ in range(TRIES):
            house.tick()
        assert (states(house, rerun)["l"], reasons(house, rerun)["l"]) == ("terminated", "stop_error")
        assert state(house, rerun) == "terminated"

    def test_one_that_goes_through_at_last_is_told_as_such(self, house: House) -> None:
        rerun, left, _right = two_in_flight(house)
        bad = Bad(house.unit_of_work.gateway, "stop", lambda ref, **_options: ref == left)
        house.service.terminate(ADA, rerun)
        house.tick()
        bad.mend()
        house.tick()
        assert (states(house, rerun)["l"], reasons(house, rerun)["l"]) == ("terminated", "terminated")
        assert house.world.runs[left].state == "failed"

    def test_a_release_that_raises_holds_up_no_other_one(self, house: House) -> None:
        rerun, _left, _right = two_in_flight(house)
        first, second = frozen(house, rerun, "one"), frozen(house, rerun, "two")
        held = {name: scheduler_makes(house, name) for name in ("one", "two")}
        house.tick()
        bad = Bad(house.unit_of_work.freezer, "release", lambda number, **_options: number == first)
        house.service.terminate(ADA, rerun)
        for _ in range(TRIES + 2):
            house.tick()
        assert member(house, second).state is MemberState.RELEASED
        assert house.world.runs[held["two"]].run_after == DUE
        assert (member(house, first).state, member(house, first).state_reason) == (MemberState.FROZEN, "release_error")
        assert state(house, rerun) == "terminating", "it doesn't end while it holds a run: nobody would let that go"
        assert set(states(house, rerun).values()) <= {"terminated", "succeeded", "frozen", "released"}
        bad.mend()
        house.tick()
        house.tick()
        assert (state(house, rerun), house.world.runs[held["one"]].run_after) == ("terminated", DUE)

    def test_it_goes_through_where_nothing_can_be_looked_at(self, house: House) -> None:
        rerun, left, right = two_in_flight(house)
        frozen(house, rerun)
        held = scheduler_makes(house)
        for name in ("observe", "rooms", "why_waiting"):
            Bad(house.unit_of_work.gateway, name, lambda *_args, **_options: True)
        Bad(house.unit_of_work.freezer, "sweep", lambda: True)
        house.service.terminate(ADA, rerun)
        house.tick()
        house.tick()
        assert state(house, rerun) == "terminated"
        assert {house.world.runs[ref].state for ref in (left, right)} == {"failed"}
        assert house.world.runs[held].run_after == DUE


class TestRelease:
    def asked(self, house: House) -> tuple[int, int, RunRef]:
        rerun, _left, _right = two_in_flight(house)
        number = frozen(house, rerun)
        held = scheduler_makes(house)
        house.tick()
        house.service.release(ADA, rerun)
        return rerun, number, held

    def test_what_a_person_asked_for_is_done_where_nothing_can_be_looked_at(self, house: House) -> None:
        _rerun, number, held = self.asked(house)
        Bad(house.unit_of_work.gateway, "observe", lambda *_args: True)
        house.tick()
        assert (member(house, number).state, house.world.runs[held].run_after) == (MemberState.RELEASED, DUE)

    def test_no_later_text_takes_the_wish_away(self, house: House) -> None:
        rerun, _left, _right = two_in_flight(house)
        number = frozen(house, rerun)
        house.service.release(ADA, rerun)
        with house.unit_of_work() as work:
            assert work.store.set_member_reason(number, "held", state=MemberState.FROZEN)
        house.tick()
        found = member(house, number)
        assert (found.state, found.state_reason) == (MemberState.RELEASED, "released_by_user")

    def test_it_is_asked_for_once(self, house: House) -> None:
        rerun, number, _held = self.asked(house)
        before = len(house.store.events(rerun))
        house.service.release(ADA, rerun)
        assert len(house.store.events(rerun)) == before
        with house.unit_of_work() as work:
            assert not work.store.ask_for_release(number)


def test_a_move_that_raises_leaves_the_others_done(house: House) -> None:
    rerun, left, right = two_in_flight(house)
    numbers = {one.ref: one.id for one in house.store.members(rerun)}
    bad = Bad(house.store, "move_member", lambda number, **_options: number == numbers[left])
    for ref in (left, right):
        finish(house, ref)
    for _ in range(TRIES + 1):
        house.tick()
    assert states(house, rerun) == {"s": "succeeded", "l": "running", "r": "succeeded"}
    assert reasons(house, rerun)["l"] == "step_error"
    assert state(house, rerun) == "running"
    bad.mend()
    house.tick()
    house.tick()
    assert (states(house, rerun)["l"], reasons(house, rerun)["l"]) == ("succeeded", None)
    house.clock.advance(seconds=20)
    house.tick()
    assert state(house, rerun) == "succeeded"


def test_a_rerun_that_cannot_be_looked_at_holds_up_no_other_one(house: House) -> None:
    broken, whole = house.world.run("broken"), house.world.run("whole")
    first, second = submit(house, broken), submit(house, whole)
    Bad(house.unit_of_work.gateway, "observe", lambda refs: broken in refs)
    for _ in range(3):
        house.tick()
    assert (states(house, first), states(house, second)) == ({"broken": "pending"}, {"whole": "running"})
    said = [line for line in house.telemetry.lines if line[0] == "rerun_unreadable"]
    assert said == [("rerun_unreadable", {"rerun_id": first})], "once"
    assert house.telemetry.errors == {ErrorKind.RERUN: 3}


def test_the_record_has_a_word_and_the_log_the_error(house: House, caplog: pytest.LogCaptureFixture) -> None:
    rerun, left, _right = two_in_flight(house)
    Bad(house.unit_of_work.gateway, "stop", lambda ref, **_options: ref == left)
    house.service.terminate(ADA, rerun)
    house.tick()
    assert "INSERT INTO x" in caplog.text
    assert "INSERT" not in repr((house.store.members(rerun), house.store.events(rerun)))


def test_a_catch_comes_too_late_for_one_that_was_released(house: House) -> None:
    rerun, _left, _right = two_in_flight(house)
    number = frozen(house, rerun)
    with house.unit_of_work() as work:
        assert work.store.move_member(number, after=MemberState.RELEASED, reason="x", now=house.clock.now())
        assert not work.store.name_frozen_run(number, "run", None, None)
        assert not work.store.ask_for_release(number)
    assert member(house, number).ref.run_id == ""


def test_an_adoption_that_raises_does_not_hold_up_a_termination(house: House) -> None:
    runs = adopting.chain(house)
    rerun = adopting.submit(house, runs["parent"])
    house.tick()
    adopting.fire(house, runs["parent"], state="running")
    house.service.terminate(ADA, rerun)
    Bad(house.store, "adopt_member", lambda *_args, **_options: True)
    for _ in range(TRIES):
        assert state(house, rerun) == "terminating"
        house.tick()
    assert (state(house, rerun), reasons(house, rerun)["child"]) == ("terminating", "step_error")
    house.tick()
    assert state(house, rerun) == "terminated", "it has been tried often enough"
    assert "running" not in states(house, rerun).values()


def test_a_step_that_raises_is_named_in_the_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    rerun, left, _ = two_in_flight(house)
    Bad(house.unit_of_work.gateway, "stop", lambda ref, **_options: ref == left)
    house.service.terminate(ADA, rerun)
    house.tick()
    (number,) = (one.id for one in house.store.members(rerun) if one.ref == left)
    told = f"step_failed rerun_id={rerun} member_id={number} run={str(left)!r} step='StopMember'"
    assert [record.getMessage() for record in caplog.records if record.exc_info] == [told]
    house.tick()
    assert len(house.telemetry.tracebacks) == 1, "it is the same error"
    assert house.telemetry.errors == {ErrorKind.STEP: 2}
    house.clock.advance(minutes=5)
    house.tick()
    assert len(house.telemetry.tracebacks) == 2, "a reminder"


def test_what_has_failed_is_forgotten_with_its_member(house: House) -> None:
    rerun = submit(house, house.world.run("a"))
    (one,) = house.store.members(rerun)
    faults = Faults()
    assert [faults.count(one, Dispatch(one)) for _ in range(2)] == [1, 2]
    faults.keep(lambda: [one.id])
    assert faults.count(one, Dispatch(one)) == 3
    faults.keep(lambda: [one.id + 1])
    assert faults.counts == {}
