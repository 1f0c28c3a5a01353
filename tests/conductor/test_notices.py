"""Who is told of what has happened: a row for each occurrence and target, in the transaction in which it happens."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.conductor import perform
from airflow_rerun_downstream.conductor.notices import named_with
from airflow_rerun_downstream.domain.delivery import APART, GATHERED, NAMED, Delivery, ToldMember, due_after, wanted_by
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.proof import not_computed
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Notification, RerunRequest, RerunSettings
from airflow_rerun_downstream.domain.words import CONDITIONS
from airflow_rerun_downstream.settings import Settings
from tests.conductor.test_conductor import finish, member_id, state
from tests.conductor.test_freezing import frozen
from tests.fakes.house import ADA, House
from tests.fakes.installation import FakeNotifier

ALL = (Notification("ops", CONDITIONS),)


@pytest.fixture(autouse=True)
def targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeNotifier, "targets", lambda self: [(name, "email", "") for name in ("ops", "boss", "dev")])


@pytest.fixture
def house() -> House:
    return House()


def submit(house: House, source: RunRef, to: tuple[Notification, ...] = ALL, **settings: object) -> int:
    wanted = RerunSettings(**settings)  # type: ignore[arg-type]
    return house.service.submit(ADA, RerunRequest(PlanRequest(source), settings=wanted, notifications=to)).rerun.id


def fan(house: House, leaves: int = 2) -> dict[str, RunRef]:
    """a → b, c …"""
    names = [chr(ord("a") + number) for number in range(leaves + 1)]
    runs = {name: house.world.run(name) for name in names}
    for name in names[1:]:
        house.world.consumed(runs["a"], "t", by=runs[name], asset=name)
    return runs


def told(house: House, target: str = "ops") -> list[tuple[str, int]]:
    """Of what, and how often."""
    rows = house.unit_of_work.outbox.rows.values()
    return [(each.condition, each.occurrences) for each in rows if each.target == target]


def only(house: House) -> Delivery:
    (found,) = house.unit_of_work.outbox.rows.values()
    return found


def test_nobody_is_asked_for_where_nobody_wants_to_know(house: House) -> None:
    runs = fan(house)
    rerun = submit(house, runs["a"], ())
    house.tick()
    finish(house, runs["a"])
    finish(house, runs["b"], as_="failed")
    finish(house, runs["c"])
    assert state(house, rerun)[0] == "failed"
    assert house.unit_of_work.outbox.asked == 0


def test_a_success_is_told_once(house: House) -> None:
    runs = fan(house, 1)
    rerun = submit(house, runs["a"])
    for name in "ab":
        house.tick()
        finish(house, runs[name])
    house.tick()
    assert state(house, rerun)[0] == "succeeded"
    assert told(house) == [("succeeded", 1)]


def test_a_termination_is_told_when_it_has_ended_with_who_wanted_it(house: House) -> None:
    runs = fan(house)
    rerun = submit(house, runs["a"])
    house.tick()
    house.service.terminate(ADA, rerun)
    assert told(house) == []
    house.tick()
    house.tick()
    assert state(house, rerun)[0] == "terminated"
    assert (only(house).condition, only(house).reason) == ("terminated", "terminated by ada")


def test_so_is_that_of_a_rerun_that_cannot_be_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = fan(house)
    rerun = submit(house, runs["a"])
    house.tick()
    house.service.terminate(ADA, rerun)

    def fail(*_: object) -> None:
        raise RuntimeError("unreadable")

    monkeypatch.setattr(type(house.conductor), "observe", fail)
    for _ in range(3):
        house.tick()
    assert state(house, rerun)[0] == "terminated"
    assert told(house) == [("terminated", 1)]


def test_members_that_fail_together_are_one_message_that_names_the_first_of_them(house: House) -> None:
    runs = fan(house, 8)
    submit(house, runs["a"])
    house.tick()
    finish(house, runs["a"])
    leaves = [ref for name, ref in runs.items() if name != "a"]
    finish(house, *leaves, as_="failed")
    assert told(house) == [("member_failed", 8)]
    found = only(house)
    assert len(found.members) == NAMED
    assert {one.reason for one in found.members} == {"tasks_failed"}
    assert found.due_at == found.created_at + GATHERED


def test_a_member_that_is_retried_and_fails_again_is_told_again(house: House) -> None:
    runs = fan(house, 1)
    rerun = submit(house, runs["a"])
    house.tick()
    finish(house, runs["a"], as_="failed")
    first = only(house)
    with house.unit_of_work() as work:
        work.outbox.take(now=first.due_at, until=first.due_at)
        work.outbox.sent(first.id, at=first.due_at)
    house.service.retry(ADA, rerun, member_id(house, rerun, "a"))
    house.tick()
    finish(house, runs["a"], as_="failed")
    assert told(house) == [("member_failed", 1), ("member_failed", 1)]
    last = house.unit_of_work.outbox.rows[2]
    assert last.due_at == last.created_at + APART


def test_one_that_fails_again_while_its_message_still_waits_is_named_once_with_its_last_reason(house: House) -> None:
    runs = fan(house, 1)
    rerun = submit(house, runs["a"])
    house.tick()
    finish(house, runs["a"], as_="failed")
    house.service.retry(ADA, rerun, member_id(house, rerun, "a"))
    house.tick()
    house.world.delete(runs["a"])
    house.tick()
    assert told(house) == [("member_failed", 1)]
    (one,) = only(house).members
    assert (one.member_id, one.reason) == (member_id(house, rerun, "a"), "run_gone")


@given(st.lists(st.tuples(st.integers(1, 8), st.sampled_from("xyz")), min_size=1))
def test_whoever_is_named_is_named_once_and_all_are_told(failures: list[tuple[int, str]]) -> None:
    named: tuple[ToldMember, ...] = ()
    count = 0
    for failure in failures:
        named, more = named_with(named, ToldMember(*failure))
        count += more
    members = [number for number, _ in failures]
    assert [one.member_id for one in named] == list(dict.fromkeys(members))[:NAMED]
    assert {one.member_id: one.reason for one in named} == {
        number: reason for number, reason in dict(failures).items() if number in {one.member_id for one in named}
    }
    assert len(named) <= count
    assert count == len(set(members)) or len(named) == NAMED


@pytest.mark.parametrize("way", ["gone", "dispatch error"])
def test_so_is_one_that_fails_in_another_way(house: House, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = fan(house, 1)
    rerun = submit(house, runs["a"])
    if way == "gone":
        house.tick()
        house.world.delete(runs["a"])
        house.tick()
    else:
        real = house.unit_of_work.gateway.dispatch

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("no")

        monkeypatch.setattr(house.unit_of_work.gateway, "dispatch", fail)
        for _ in range(perform.TRIES + 1):
            house.tick()
        assert real is not None
    assert state(house, rerun)[0] == "failed"
    assert told(house) == [("member_failed", 1)]


def test_a_pause_by_a_failure_is_told_beside_the_failure_and_one_by_a_person_isnt(house: House) -> None:
    runs = fan(house)
    rerun = submit(house, runs["a"], on_failure="pause")
    house.tick()
    house.service.pause(ADA, rerun)
    house.service.resume(ADA, rerun)
    assert told(house) == []
    finish(house, runs["a"], as_="failed")
    assert state(house, rerun)[0] == "paused"
    assert told(house) == [("member_failed", 1), ("paused", 1)]


def test_each_target_is_told_of_what_it_wants_and_once_however_often_it_is_named(house: House) -> None:
    runs = fan(house)
    named = (
        Notification("ops", ("member_failed",)),
        Notification("ops", ("member_failed", "paused")),
        Notification("boss", ("succeeded",)),
        Notification("dev", ("paused",)),
    )
    submit(house, runs["a"], named, on_failure="pause")
    house.tick()
    finish(house, runs["a"], as_="failed")
    assert told(house) == [("member_failed", 1), ("paused", 1)]
    assert told(house, "boss") == []
    assert told(house, "dev") == [("paused", 1)]


@pytest.mark.parametrize(
    ("on", "condition"),
    [(CONDITIONS, "not_proven"), (("member_failed",), "member_failed"), (("succeeded",), None)],
)
def test_what_is_not_proven_is_told_as_that_or_as_a_failure(
    on: tuple[str, ...], condition: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conductor.test_not_proven import Stage

    def wanting(self: House, *args: object, **more: object) -> None:
        real(self, *args, **more)  # type: ignore[arg-type]
        submitting = self.service.submit
        monkeypatch.setattr(
            self.service,
            "submit",
            lambda actor, request: submitting(actor, replace(request, notifications=(Notification("ops", on),))),
        )

    real = House.__init__
    monkeypatch.setattr(House, "__init__", wanting)
    stage = Stage(monkeypatch)
    members = stage.house.store.members(stage.rerun)
    assert [one.state_reason for one in members if one.state.value == "failed"] == ["not_proven", "not_proven"]
    assert told(stage.house) == ([] if condition is None else [(condition, 2)])


@pytest.mark.parametrize(("on", "condition"), [(CONDITIONS, "not_proven"), (("succeeded",), "succeeded")])
def test_a_rerun_whose_proof_cannot_be_made_is_told_once(
    house: House, on: tuple[str, ...], condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = fan(house, 1)
    rerun = submit(house, runs["a"], (Notification("ops", on),))
    monkeypatch.setattr(
        perform.Performer, "prove", lambda self, work, rerun: not_computed(self.clock.now(), rerun.source)
    )
    for name in "ab":
        house.tick()
        finish(house, runs[name])
    house.tick()
    assert state(house, rerun)[0] == "succeeded"
    assert told(house) == [(condition, 1)]


class TestFrozenForTooLong:
    def frozen(self, settings: Settings, to: tuple[Notification, ...] = ALL) -> tuple[House, int]:
        house = House(settings=settings)
        runs = fan(house, 1)
        rerun = submit(house, runs["a"], to)
        frozen(house, rerun)
        house.tick()
        return house, rerun

    def test_it_is_told_once_also_after_a_restart(self) -> None:
        house, _ = self.frozen(Settings(source_ready_since="unlimited", frozen_too_long_after=timedelta(hours=6)))
        house.clock.advance(hours=5)
        house.tick()
        assert told(house) == []
        house.clock.advance(hours=1)
        house.tick()
        assert told(house) == [("frozen_too_long", 1)]
        house.tick()
        house.conductor = house.new_conductor("one")
        house.tick()
        assert told(house) == [("frozen_too_long", 1)]
        asked = house.unit_of_work.outbox.asked
        house.tick()
        assert house.unit_of_work.outbox.asked == asked, "once it is known, nothing is asked"

    def test_it_is_told_before_the_deployment_releases_the_run_for_that(self) -> None:
        day = timedelta(days=1)
        settings = Settings(source_ready_since="unlimited", frozen_too_long_after=2 * day, freeze_max_age=day)
        house, _ = self.frozen(settings)
        house.clock.advance(hours=25)
        house.tick()
        assert told(house) == [("frozen_too_long", 1)]

    def test_it_is_told_to_nobody_who_does_not_want_it(self) -> None:
        house, _ = self.frozen(Settings(source_ready_since="unlimited"), (Notification("ops", ("succeeded",)),))
        house.clock.advance(hours=48)
        house.tick()
        assert house.unit_of_work.outbox.asked == 0

    def test_after_a_crash_it_is_told_by_the_next_tick(self) -> None:
        house, _ = self.frozen(Settings(source_ready_since="unlimited"))
        house.clock.advance(hours=25)
        house.unit_of_work.fail_before_commit = RuntimeError("crash")
        with suppress(RuntimeError):
            house.tick()
        house.unit_of_work.fail_before_commit = None
        assert told(house) == []
        house.tick()
        assert told(house) == [("frozen_too_long", 1)]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_what_a_crash_takes_back_is_told_when_it_happens_again_and_once(house: House, after: int) -> None:
    runs = fan(house, 1)
    rerun = submit(house, runs["a"])
    for name in "ab":
        house.tick()
        if name == "b":
            house.unit_of_work.fail_before_commit = RuntimeError("crash")
            with suppress(RuntimeError):
                finish(house, runs[name])
            house.unit_of_work.fail_before_commit = None
            for _ in range(after):
                house.tick()
        finish(house, runs[name])
    house.tick()
    assert state(house, rerun)[0] == "succeeded"
    assert told(house) == [("succeeded", 1)]


words = st.lists(st.sampled_from(CONDITIONS), max_size=3)


@given(st.lists(st.builds(Notification, st.sampled_from("xyz"), words.map(tuple))), words)
def test_each_target_gets_the_first_condition_that_it_has_chosen(named: list[Notification], met: list[str]) -> None:
    found = wanted_by(named, met)
    for target in "xyz":
        chosen = {word for each in named if each.target == target for word in each.on}
        assert found.get(target) == next((word for word in met if word in chosen), None)


def test_after_some_quiet_the_next_message_comes_at_once(house: House) -> None:
    runs = fan(house, 1)
    submit(house, runs["a"])
    house.tick()
    finish(house, runs["a"], as_="failed")
    later = only(house).created_at + 2 * APART
    assert due_after(later, [only(house)]) == later + GATHERED


def test_messages_of_a_long_storm_get_rarer(house: House) -> None:
    runs = fan(house, 1)
    submit(house, runs["a"])
    house.tick()
    finish(house, runs["a"], as_="failed")
    now, earlier = only(house).created_at, list[Delivery]()
    for number in range(40):
        due = due_after(now, earlier)
        assert now + GATHERED <= due <= now + timedelta(minutes=15)
        earlier.append(replace(only(house), id=number, created_at=now))
        now = due
    assert now - earlier[0].created_at > timedelta(hours=7)
