"""Freeze mode over fakes: stopped runs go in their turn, frozen ones are let go as a whole; a crash changes nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.new_rerun import NewFrozen
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.settings import Settings
from tests.conductor.test_conductor import finish, member_id, state, states, submit
from tests.fakes.freezer import FAR
from tests.fakes.house import ADA, House
from tests.fakes.world import START

DUE = START + timedelta(days=50)
HOUR = timedelta(hours=1)


@pytest.fixture
def house() -> House:
    return House()


def frozen(
    house: House, rerun_id: int, dag_id: str = "later", run_id: str | None = None, *, due: datetime = DUE
) -> int:
    """Freeze a run of a rerun, as a submit does: one that waits for its time, or the one of ``due``."""
    house.world.schedules[dag_id] = DagSchedule(dag_id)
    if dag_id not in house.world.structures:
        house.world.dag(dag_id)
    with house.unit_of_work() as work:
        number = work.store.add_frozen(rerun_id, NewFrozen(dag_id, run_id, due, due))
        target = RunRef(dag_id, run_id) if run_id else FutureRef(dag_id, logical_date=due)
        work.freezer.freeze(number, target, rerun_id=rerun_id)
    return number


def member(house: House, number: int) -> Member:
    return house.store.rows.members[number]


def drain(house: House, dag_id: str, *, ends: bool = False) -> None:
    """The Dag is to be paused when its runs have ended; or is not any more."""
    schedules = house.world.schedules
    schedules[dag_id] = replace(schedules[dag_id], is_draining=not ends)


def scheduler_makes(house: House, dag_id: str = "later", run_type: str = "scheduled") -> RunRef:
    """The scheduler makes the run of `DUE`; its hook looks at it first."""
    ref = house.world.run(dag_id, day=(DUE - START).days, state="queued", run_type=run_type)
    if run_type == "scheduled":
        house.unit_of_work.freezer.scheduler_makes(ref)
    return ref


class TestStopping:
    """A run that is queued or running is stopped, and rerun in its turn."""

    def stopped(self, house: House) -> tuple[int, RunRef, RunRef]:
        first, second = house.world.run("a"), house.world.run("b", state="running")
        house.world.consumed(first, "t", by=second, asset="ab")
        rerun = submit(house, first, [])
        number = house.store.rows.members  # as a submit in freeze mode stores it
        key = max(number) + 1
        source = number[member_id(house, rerun, "a")]
        number[key] = replace(
            source, id=key, ref=second, state=MemberState.STOPPING, waits_for=frozenset({source.id}), depth=1
        )
        return rerun, first, second

    def test_it_waits_until_its_tasks_have_ended(self, house: House) -> None:
        rerun, first, second = self.stopped(house)
        house.tick()
        assert house.world.runs[second].state == "failed"
        assert [event.action for event in house.store.events(rerun)].count("member_halted") == 1
        house.tick()
        assert states(house, rerun)["b"] == "stopping"
        assert member(house, member_id(house, rerun, "b")).state_reason == "tasks_are_ending"
        finish(house, first)
        assert states(house, rerun) == {"a": "succeeded", "b": "stopping"}, "its process still lives"
        house.world.set_tasks(second, None)
        house.tick()
        assert states(house, rerun)["b"] in ("pending", "running")
        house.tick()
        assert house.world.dispatches == [first, second]
        finish(house, second)
        house.tick()
        assert state(house, rerun) == ("succeeded", None)

    def test_it_goes_on_while_the_rerun_is_paused(self, house: House) -> None:
        rerun, _, second = self.stopped(house)
        house.service.pause(ADA, rerun)
        house.tick()
        house.world.set_tasks(second, None)
        house.tick()
        assert states(house, rerun)["b"] == "pending"

    def test_a_run_that_ended_by_itself_is_pending_at_once(self, house: House) -> None:
        rerun, _, second = self.stopped(house)
        house.world.finish(second, "success", at=house.clock.now())
        house.tick()
        assert states(house, rerun)["b"] == "pending"

    def test_a_run_that_vanished_fails(self, house: House) -> None:
        rerun, _, second = self.stopped(house)
        house.world.delete(second)
        house.tick()
        assert member(house, member_id(house, rerun, "b")).state_reason == "run_gone"

    def test_a_termination_leaves_it_stopped(self, house: House) -> None:
        rerun, first, second = self.stopped(house)
        house.tick()
        house.service.terminate(ADA, rerun)
        house.tick()
        assert states(house, rerun) == {"a": "terminated", "b": "terminated"}
        assert house.world.runs[second].state == "failed"
        assert house.world.dispatches == [first]


class TestFrozen:
    """A run that isn't ready waits for the rerun as a whole (R18)."""

    def test_it_is_caught_when_the_scheduler_makes_it(self, house: House) -> None:
        rerun = submit(house, house.world.run("a"))
        number = frozen(house, rerun)
        house.tick()
        assert member(house, number).ref == RunRef("later", "")
        ref = scheduler_makes(house)
        house.tick()
        assert (member(house, number).ref, member(house, number).state_reason) == (ref, "held")
        assert member(house, number).run_after == DUE
        assert house.world.runs[ref].run_after == FAR
        assert (ref, "hold", "ada", rerun) in house.world.log

    def test_it_says_that_it_keeps_its_dag_draining(self, house: House) -> None:
        rerun = submit(house, house.world.run("a"))
        number = frozen(house, rerun)
        house.tick()
        drain(house, "later")
        house.tick()
        assert member(house, number).state_reason is None
        scheduler_makes(house)
        house.tick()
        house.tick()
        assert (member(house, number).state.value, member(house, number).state_reason) == ("frozen", "dag_draining")
        drain(house, "later", ends=True)
        house.tick()
        assert (member(house, number).state.value, member(house, number).state_reason) == ("frozen", "held")

    def test_success_lets_it_go_with_its_own_time(self, house: House) -> None:
        first = house.world.run("a")
        rerun = submit(house, first)
        number = frozen(house, rerun)
        ref = scheduler_makes(house)
        house.tick()
        finish(house, first)
        assert member(house, number).state.value == "frozen", "the rerun is proven first"
        house.tick()
        assert state(house, rerun) == ("succeeded", None)
        assert (member(house, number).state.value, member(house, number).state_reason) == (
            "released",
            "rerun_succeeded",
        )
        assert house.world.runs[ref].run_after == DUE
        assert not house.world.holds

    def test_failure_keeps_it_until_it_is_repaired(self, house: House) -> None:
        first = house.world.run("a")
        rerun = submit(house, first)
        number = frozen(house, rerun)
        house.tick()
        finish(house, first, as_="failed")
        house.tick()
        assert (state(house, rerun)[0], member(house, number).state.value) == ("failed", "frozen")
        house.service.resume(ADA, rerun)
        house.tick()
        finish(house, first)
        house.tick()
        assert (state(house, rerun)[0], member(house, number).state.value) == ("succeeded", "released")

    def test_a_pause_keeps_it(self, house: House) -> None:
        first = house.world.run("a")
        rerun = submit(house, first)
        number = frozen(house, rerun)
        house.tick()
        house.service.pause(ADA, rerun)
        finish(house, first)
        house.tick()
        assert member(house, number).state.value == "frozen"

    def test_termination_lets_it_go_at_once(self, house: House) -> None:
        rerun = submit(house, house.world.run("a"))
        number = frozen(house, rerun)
        house.tick()
        house.service.terminate(ADA, rerun)
        house.tick()
        assert state(house, rerun)[0] == "terminated"
        assert member(house, number).state_reason == "rerun_terminated"

    def test_the_last_of_two_reruns_lets_it_go(self, house: House) -> None:
        sources = house.world.run("a"), house.world.run("b")
        reruns = [submit(house, source) for source in sources]
        for rerun in reruns:
            frozen(house, rerun)
        ref = scheduler_makes(house)
        house.tick()
        finish(house, sources[0])
        house.tick()
        assert state(house, reruns[0])[0] == "succeeded"
        assert house.world.runs[ref].run_after == FAR
        finish(house, sources[1])
        house.tick()
        assert house.world.runs[ref].run_after == DUE

    def test_many_are_let_go_in_batches(self) -> None:
        house = House(settings=Settings(source_ready_since="unlimited", release_batch=2))
        first = house.world.run("a")
        rerun = submit(house, first)
        for name in ("one", "two", "three", "four", "five"):
            frozen(house, rerun, name)
        house.tick()
        finish(house, first)
        house.tick()
        assert len(house.world.holds) == 3
        assert state(house, rerun)[0] == "running"
        house.tick()
        assert (len(house.world.holds), state(house, rerun)[0]) == (1, "running")
        house.tick()
        assert (len(house.world.holds), state(house, rerun)[0]) == (0, "succeeded")

    @pytest.mark.parametrize(("batch", "ticks"), [(1, 2), (2, 1), (3, 1)])
    def test_a_termination_ends_with_the_batch_that_lets_the_last_go(self, batch: int, ticks: int) -> None:
        house = House(settings=Settings(source_ready_since="unlimited", release_batch=batch))
        rerun = submit(house, house.world.run("a"))
        for name in ("one", "two"):
            frozen(house, rerun, name)
        house.tick()
        house.service.terminate(ADA, rerun)
        seen = []
        for _ in range(2):
            house.tick()
            seen.append(state(house, rerun)[0])
        assert seen == ["terminating"] * (ticks - 1) + ["terminated"] * (3 - ticks)
        assert not house.world.holds

    def test_the_batch_is_that_of_a_tick_whatever_the_number_of_reruns(self) -> None:
        house = House(settings=Settings(source_ready_since="unlimited", release_batch=3))
        reruns = [submit(house, house.world.run(dag_id)) for dag_id in "ab"]
        numbers = [frozen(house, rerun, f"{rerun} {name}") for rerun in reruns for name in ("one", "two")]
        house.tick()
        for rerun in reruns:
            house.service.terminate(ADA, rerun)
        steps, let_go = [], []
        for _ in range(3):
            steps.append(house.tick())
            let_go.append(sum(member(house, number).state is MemberState.RELEASED for number in numbers))
        assert let_go == [3, 4, 4]
        assert steps == [6, 2, 0], "two members end, and two reruns"

    def test_a_person_lets_one_go_and_then_all(self, house: House) -> None:
        rerun = submit(house, house.world.run("a"))
        one, two = frozen(house, rerun, "one"), frozen(house, rerun, "two")
        house.service.release_member(ADA, rerun, one)
        house.service.release_member(ADA, rerun, one)
        house.tick()
        assert (member(house, one).state_reason, member(house, two).state.value) == ("released_by_user", "frozen")
        house.service.release(ADA, rerun)
        house.tick()
        assert member(house, two).state_reason == "released_by_user"
        house.service.release(ADA, rerun)
        said = [event.action for event in house.store.events(rerun)]
        assert said.count("release_member") == said.count("release") == 1
        assert said.count("member_released") == 2
        why = {event.detail for event in house.store.events(rerun) if event.action == "member_released"}
        assert why == {"released_by_user"}

    def test_what_a_person_lets_go_counts_in_the_batch_of_the_end(self) -> None:
        house = House(settings=Settings(source_ready_since="unlimited", release_batch=2))
        first = house.world.run("a")
        rerun = submit(house, first)
        numbers = [frozen(house, rerun, name) for name in ("one", "two", "three")]
        house.tick()
        finish(house, first)
        house.service.release_member(ADA, rerun, numbers[0])
        house.tick()
        assert len(house.world.holds) == 1
        house.tick()
        assert (house.world.holds, state(house, rerun)[0]) == ({}, "succeeded")

    def test_what_waits_too_long_is_let_go(self) -> None:
        house = House(settings=Settings(source_ready_since="unlimited", freeze_max_age=timedelta(hours=1)))
        rerun = submit(house, house.world.run("a"))
        number = frozen(house, rerun)
        house.tick()
        assert member(house, number).state.value == "frozen"
        house.clock.advance(hours=1)
        house.tick()
        assert member(house, number).state_reason == "frozen_too_long"


class TestPassedOver:
    """Airflow makes a later run in place of one that it has passed over."""

    def test_the_run_in_its_place_is_the_members(self, house: House) -> None:
        rerun = submit(house, house.world.run("a"))
        number = frozen(house, rerun, due=DUE - HOUR)
        house.tick()
        ref = scheduler_makes(house)
        house.tick()
        found = member(house, number)
        assert (found.ref, found.state_reason) == (ref, "held")
        assert (found.logical_date, found.run_after) == (DUE, DUE)
        (told,) = [event.detail for event in house.store.events(rerun) if event.action == "member_held"]
        assert told == f"{ref} was made in place of {(DUE - HOUR).isoformat(sep=' ', timespec='minutes')} and is held"

    def test_one_run_in_place_of_several_is_the_last_ones(self, house: House) -> None:
        first = house.world.run("a")
        rerun = submit(house, first)
        last = frozen(house, rerun, due=DUE)
        spare = [frozen(house, rerun, due=DUE - hours * HOUR) for hours in (1, 2)]
        house.tick()
        ref = scheduler_makes(house)
        house.tick()
        assert (member(house, last).ref, member(house, last).state_reason) == (ref, "held")
        assert {(member(house, one).state.value, member(house, one).state_reason) for one in spare} == {
            ("released", "passed_over")
        }
        assert list(house.world.holds) == [last]
        assert house.world.runs[ref].run_after == FAR
        finish(house, first)
        house.tick()
        assert state(house, rerun)[0] == "succeeded"
        assert house.world.runs[ref].run_after == DUE

    def test_a_spare_hold_never_takes_the_run(self) -> None:
        """Not even when a person has let the other one go, and the spare one's turn hasn't come."""
        house = House(settings=Settings(source_ready_since="unlimited", release_batch=1))
        rerun = submit(house, house.world.run("a"))
        last = frozen(house, rerun, due=DUE)
        spare = [frozen(house, rerun, due=DUE - hours * HOUR) for hours in (1, 2)]
        ref = scheduler_makes(house)
        house.tick()
        house.service.release_member(ADA, rerun, last)
        for _ in range(3):
            house.tick()
        assert member(house, last).state_reason == "released_by_user"
        assert {member(house, one).state_reason for one in spare} == {"passed_over"}
        assert house.world.runs[ref].run_after == DUE

    def test_each_of_two_reruns_holds_it(self, house: House) -> None:
        numbers = [frozen(house, submit(house, house.world.run(name)), due=DUE - HOUR) for name in ("a", "b")]
        ref = scheduler_makes(house)
        house.tick()
        assert [member(house, number).ref for number in numbers] == [ref, ref]


class TestInterference:
    """Somebody does something to a frozen run in Airflow itself."""

    @pytest.mark.parametrize(("how", "reason"), [("success", "marked_by_hand"), ("failed", "marked_by_hand")])
    def test_a_run_that_was_marked_is_let_go(self, house: House, how: str, reason: str) -> None:
        rerun = submit(house, house.world.run("a"))
        number = frozen(house, rerun)
        ref = scheduler_makes(house)
        house.tick()
        house.world.finish(ref, how, at=house.clock.now())
        house.tick()
        assert member(house, number).state_reason == reason
        assert house.world.runs[ref].run_after == DUE

    def test_a_run_that_was_deleted_is_let_go(self, house: House) -> None:
        rerun = submit(house, house.world.run("a"))
        number = frozen(house, rerun)
        ref = scheduler_makes(house)
        house.tick()
        house.world.delete(ref)
        house.tick()
        assert member(house, number).state_reason == "run_gone"
        assert not house.world.holds

    def test_a_manual_run_that_took_the_date_supersedes_it(self, house: House) -> None:
        rerun = submit(house, house.world.run("a"))
        number = frozen(house, rerun)
        scheduler_makes(house, run_type="manual")
        house.tick()
        assert member(house, number).state_reason == "superseded"


def test_a_crash_between_any_two_transactions_changes_neither_end_nor_count(house: House) -> None:
    """Every transaction of the conductor fails once, before it commits; what is held is always known."""
    first = house.world.run("a")
    rerun = submit(house, first)
    numbers = [frozen(house, rerun, name) for name in ("one", "two")]
    ref = scheduler_makes(house, "one")
    for crash in range(12):
        house.unit_of_work.fail_before_commit = ConnectionError("killed") if crash % 2 else None
        with suppress(ConnectionError):
            house.tick()
        house.unit_of_work.fail_before_commit = None
        held = [number for number in numbers if member(house, number).state is MemberState.FROZEN]
        assert sorted(house.world.holds) == held, "held exactly as long as a member is frozen"
        if crash == 4:
            house.world.finish(first, "success", at=house.clock.now())
    assert state(house, rerun)[0] == "succeeded"
    assert house.world.runs[ref].run_after == DUE


def test_a_dispatched_run_says_why_it_is_not_started(house: House) -> None:
    first = house.world.run("a")
    rerun = submit(house, first)
    house.tick()
    house.world.dag("a", paused=True)
    house.tick()
    assert member(house, member_id(house, rerun, "a")).state_reason == "dag_paused"
    house.world.dag("a")
    house.tick()
    assert member(house, member_id(house, rerun, "a")).state_reason is None
