"""The record: what happened to a rerun, each move in its line, with who did it and what it was about."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import CONDUCTOR
from tests.conductor.test_conductor import finish, member_id, submit
from tests.fakes.house import ADA, House

Line = tuple[str, str, "str | None", "str | None"]


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def runs(house: House) -> dict[str, RunRef]:
    """a → b → c."""
    found = {name: house.world.run(name) for name in "abc"}
    for one, two in ("ab", "bc"):
        house.world.consumed(found[one], "t", by=found[two], asset=one + two)
    return found


def record(house: House, rerun_id: int) -> list[Line]:
    dags = {member.id: member.ref.dag_id for member in house.store.members(rerun_id)}
    return [
        (event.actor, event.action, dags[event.member_id] if event.member_id else None, event.detail)
        for event in house.store.events(rerun_id)
    ]


def by(actor: str, *lines: tuple[str, str | None, str | None]) -> list[Line]:
    return [(actor, *line) for line in lines]


def dispatched(dag_id: str) -> tuple[str, str, str]:
    return ("member_dispatched", dag_id, "1 task instance cleared")


def test_of_one_that_succeeds(house: House, runs: dict[str, RunRef]) -> None:
    rerun = submit(house, runs["a"], [runs["b"]])
    house.tick()
    finish(house, runs["a"])
    finish(house, runs["b"])
    house.tick()
    conducted = [
        dispatched("a"),
        ("member_succeeded", "a", None),
        dispatched("b"),
        ("member_succeeded", "b", None),
        ("rerun_succeeded", None, None),
    ]
    assert record(house, rerun) == [*by("ada", ("submit", None, "2 members")), *by(CONDUCTOR.name, *conducted)]
    assert {ref for ref, event, _, _ in house.world.log if event == "submit"} == {runs["a"]}


def test_of_one_that_fails_and_is_repaired(house: House, runs: dict[str, RunRef]) -> None:
    rerun = submit(house, runs["a"], [runs["b"]])
    house.tick()
    finish(house, runs["a"], as_="failed")
    house.tick()
    first = member_id(house, rerun, "a")
    house.service.retry(ADA, rerun, first)
    house.service.retry(ADA, rerun, first)  # a repeat changes nothing, and is no line
    house.tick()
    finish(house, runs["a"], as_="failed")
    house.tick()
    house.service.skip(ADA, rerun, first)
    house.service.skip(ADA, rerun, first)
    failed = by(
        CONDUCTOR.name, dispatched("a"), ("member_failed", "a", "tasks_failed"), ("rerun_failed", None, "member_failed")
    )
    assert record(house, rerun)[1:] == [
        *failed,
        *by("ada", ("retry", "a", None)),
        *failed,
        *by("ada", ("skip", "a", None)),
    ]


@pytest.mark.parametrize("stop", [True, False])
def test_of_one_that_is_paused_and_terminated(house: House, runs: dict[str, RunRef], stop: bool) -> None:
    rerun = submit(house, runs["a"], [runs["b"]], stop_running_on_terminate=stop)
    house.tick()
    for action in (house.service.pause, house.service.resume, house.service.terminate):
        action(ADA, rerun)
        action(ADA, rerun)
    house.tick()
    people = by("ada", ("pause", None, None), ("resume", None, None), ("terminate", None, None))
    ended = [
        ("member_terminated", "a", "run stopped" if stop else None),
        ("member_terminated", "b", None),
        ("rerun_terminated", None, "terminated by ada"),
    ]
    assert record(house, rerun)[2:] == [*people, *by(CONDUCTOR.name, *ended)]
    reasons = {one.ref.dag_id: (one.state_reason, one.final_run_state) for one in house.store.members(rerun)}
    assert reasons == {"a": ("terminated", "failed") if stop else ("left_running", None), "b": (None, None)}
    assert house.world.runs[runs["a"]].state == ("failed" if stop else "queued")
