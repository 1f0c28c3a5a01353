"""What a conductor and the service tell of their work: after the commit, once, and of nothing that didn't happen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_rerun_downstream.conductor.perform import LeaseLost
from airflow_rerun_downstream.conductor.telling import MAX_KNOWN, Telling
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import RerunRequest, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.ports.metrics import ErrorKind
from airflow_rerun_downstream.ports.telemetry import MAX_VALUE, Standing, told
from tests.conductor.test_conductor import finish, submit
from tests.conductor.test_freezing import frozen
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    return House()


def test_the_lines_of_a_rerun_from_its_submit_to_its_end(house: House) -> None:
    source = house.world.run("a")
    rerun = submit(house, source)
    house.tick()
    finish(house, source)
    house.tick()
    (member,) = house.store.members(rerun)
    about = {"rerun_id": rerun, "member_id": member.id, "run": str(source)}
    assert house.telemetry.lines == [
        ("submit", {"rerun_id": rerun, "run": str(source), "actor": "ada", "detail": "1 member"}),
        ("conductor_leads", {"owner": "one"}),
        ("member_dispatched", about | {"detail": "1 task instance cleared"}),
        ("member_succeeded", about),
        ("rerun_succeeded", {"rerun_id": rerun}),
    ]


def test_what_is_told_of_a_rerun_that_ends(house: House) -> None:
    source = house.world.run("a")
    rerun = submit(house, source)
    assert [(one.id, one.state) for one in house.telemetry.begun] == [(rerun, RerunState.RUNNING)]
    house.tick()
    finish(house, source)
    house.tick()
    (ended,) = house.telemetry.ends
    stored = house.store.get(rerun)
    assert (ended.id, ended.state, ended.ended_at) == (rerun, RerunState.SUCCEEDED, stored.ended_at)
    assert {state: count for state, count in ended.counts.items() if count} == {MemberState.SUCCEEDED: 1}


def test_a_rerun_that_fails_and_goes_on_ends_twice(house: House) -> None:
    source = house.world.run("a")
    rerun = submit(house, source)
    house.tick()
    finish(house, source, as_="failed")
    house.tick()
    house.service.resume(ADA, rerun)
    house.tick()
    finish(house, source)
    house.tick()
    assert [one.state for one in house.telemetry.ends] == [RerunState.FAILED, RerunState.SUCCEEDED]


def test_what_is_rolled_back_is_not_told(house: House) -> None:
    house.unit_of_work.fail_before_commit = ConnectionError("killed")
    with pytest.raises(ConnectionError):
        submit(house, house.world.run("a"))
    assert (house.telemetry.lines, house.telemetry.begun) == ([], [])


def test_telemetry_that_raises_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    source = house.world.run("a")

    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("telemetry is broken")

    monkeypatch.setattr(house.telemetry, "line", broken)
    monkeypatch.setattr(house.telemetry, "submitted", broken)
    monkeypatch.setattr(house.telemetry, "ended", broken)
    rerun = submit(house, source)
    house.telemetry.line = lambda *_args, **_options: None  # type: ignore[method-assign]
    house.tick()
    finish(house, source)
    house.tick()
    assert house.store.get(rerun).state is RerunState.SUCCEEDED


def test_how_the_reruns_stand_is_told_at_each_tick(house: House) -> None:
    first, second = house.world.run("a"), house.world.run("b")
    submit(house, first)
    house.service.pause(ADA, submit(house, second))
    house.tick()
    (standing,) = house.telemetry.standings
    assert standing == Standing(
        {RerunState.RUNNING: 1, RerunState.PAUSED: 1},
        standing.members,
    )
    # as the tick has read them; what it has moved shows at the next one
    assert {state: count for state, count in standing.members.items() if count} == {MemberState.PENDING: 2}
    house.tick()
    assert {state: count for state, count in house.telemetry.standings[-1].members.items() if count} == {
        MemberState.PENDING: 1,
        MemberState.RUNNING: 1,
    }
    assert house.telemetry.ticks == [1, 0]


def test_how_long_the_first_frozen_run_has_been_held(house: House) -> None:
    rerun = submit(house, house.world.run("a"))
    frozen(house, rerun)
    house.clock.advance(hours=2)
    house.conductor.tick()
    standing = house.telemetry.standings[-1]
    assert standing.members[MemberState.FROZEN] == 1
    assert standing.oldest_frozen == timedelta(hours=2)


def test_one_that_does_not_lead_says_nothing_of_the_reruns(house: House) -> None:
    submit(house, house.world.run("a"))
    house.tick()
    other = house.new_conductor("two")
    other.tick()
    assert (house.telemetry.standings[-1], len(house.telemetry.ticks)) == (None, 1)
    house.clock.advance(seconds=4)
    other.tick()
    assert house.telemetry.ages[-1] == timedelta(seconds=4), "how long the other one has been silent"
    house.conductor.resign()
    assert house.telemetry.standings[-1] is None


def test_one_that_loses_the_lease_says_nothing_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(house, house.world.run("a"))

    def lost(*_args: object) -> None:
        raise LeaseLost

    monkeypatch.setattr(house.conductor, "carry_out", lost)
    assert not house.conductor.tick().leading
    assert house.telemetry.standings == [None]
    assert house.telemetry.actions[-1] == "lease_lost"


def test_the_latency_counts_from_when_nothing_kept_a_member(house: House) -> None:
    """A pause isn't waiting."""
    refs = [house.world.run("a", run_id=name) for name in ("r1", "r2")]
    for ref in refs:
        request = RerunRequest(PlanRequest(ref), settings=RerunSettings(max_active_members=1))
        house.service.submit(ADA, request)
    house.service.pause(ADA, 2)
    house.tick()
    house.clock.advance(seconds=60)
    house.service.resume(ADA, 2)
    house.tick()
    assert house.telemetry.dispatches == [(refs[0], 0.0), (refs[1], 0.0)]


def test_waiting_for_a_place_is_latency(house: House) -> None:
    a, b, c = (house.world.run(name) for name in "abc")
    for consumer in (b, c):
        house.world.consumed(a, "t", by=consumer, asset=consumer.dag_id)
    submit(house, a, max_active_members=1)
    house.tick()
    finish(house, a)
    house.tick()
    house.clock.advance(seconds=30)
    finish(house, b)
    house.tick()
    assert [ref for ref, _ in house.telemetry.dispatches] == [a, b, c]
    waited = dict(house.telemetry.dispatches)
    assert waited[a] == 0
    assert waited[b] <= 1
    assert waited[c] >= 30


def test_plans_are_told_with_their_size(house: House) -> None:
    source = house.world.run("a")
    house.service.plan(ADA, PlanRequest(source))
    submit(house, source)
    assert house.telemetry.plans == [1, 1]


def test_an_error_that_stays_is_logged_when_it_begins_and_now_and_then(house: House) -> None:
    telling = Telling(house.telemetry, house.clock)
    source = house.world.run("a")
    rerun = house.store.get(submit(house, source))
    house.telemetry.lines.clear()
    for second in range(601):
        telling.failed(ErrorKind.STEP, "step_failed", ValueError("x"), rerun, member_id=1)
        if second == 300:
            telling.failed(ErrorKind.STEP, "step_failed", ValueError("another"), rerun, member_id=1)
        house.clock.advance(seconds=1)
    # at the beginning, after five minutes, another one, and that one again
    assert house.telemetry.actions == ["step_failed"] * 4
    assert house.telemetry.errors[ErrorKind.STEP] == 602


def test_what_is_remembered_of_errors_is_bounded(house: House) -> None:
    telling = Telling(house.telemetry, house.clock)
    for number in range(3 * MAX_KNOWN):
        assert telling.is_new((number,), ValueError())
    assert len(telling.logged) <= MAX_KNOWN


def test_a_field_of_a_line_is_short_and_stays_in_its_line(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    house.telemetry.line("submit", rerun_id=7, actor="eve\nsubmit rerun_id=8", detail="x" * 10_000, left=None)
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(r"submit rerun_id=7 actor='eve\nsubmit rerun_id=8' detail='xxx")
    assert "\n" not in message
    assert "left" not in message
    assert len(told({"detail": "x" * 10_000})["detail"]) == MAX_VALUE + 1
