"""A proposal that nobody approves in time ends by itself, and costs an idle conductor nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.rerun_request import Notification, RerunRequest
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.domain.words import CONDITIONS
from airflow_rerun_downstream.settings import Settings
from tests.fakes.house import ADA, House

AGE = timedelta(hours=2)
SOURCE = RunRef("a", "r")
ASKED = RerunRequest(PlanRequest(SOURCE), propose=True)


@pytest.fixture
def house() -> House:
    """a → b."""
    house = House(settings=Settings(source_ready_since="unlimited", proposal_max_age=AGE))
    for dag_id in "ab":
        house.world.run(dag_id, day=39, run_id="r")
    house.world.consumed(SOURCE, "t", by=RunRef("b", "r"))
    return house


def propose(house: House, **more: object) -> int:
    return house.service.submit(ADA, replace(ASKED, **more)).rerun.id  # type: ignore[arg-type]


def stored(house: House, number: int) -> Rerun:
    found = house.store.get(number)
    assert found is not None
    return found


def test_it_ends_when_its_time_is_over_and_not_before(house: House) -> None:
    number = propose(house)
    house.clock.advance(seconds=AGE.total_seconds() - 2)
    assert house.tick() == 0
    assert stored(house, number).state is RerunState.PROPOSED
    assert house.tick() == 1
    found = stored(house, number)
    assert (found.state, found.state_reason) == (RerunState.TERMINATED, "proposal_expired")
    assert (found.ended_at, found.final) == (house.clock.now(), True)
    assert {one.state for one in house.store.members(number)} == {MemberState.TERMINATED}
    last = house.store.events(number)[-1]
    assert (last.actor, last.action, last.detail) == ("rerun_downstream", "rerun_terminated", "proposal_expired")
    assert house.world.log[-1][:3] == (SOURCE, "expire", "rerun_downstream")
    assert house.tick() == 0


def test_its_runs_are_never_looked_at(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    propose(house)
    gateway = house.unit_of_work.gateway
    for name in ("observe", "rooms", "fingerprints"):
        if hasattr(gateway, name):
            monkeypatch.setattr(gateway, name, lambda some, *_: {} if not some else pytest.fail("looked"))
    house.clock.advance(hours=3)
    assert house.tick() == 1


def test_it_is_in_no_gauge(house: House) -> None:
    propose(house)
    for _ in range(2):
        house.tick()
        standing = house.telemetry.standings[-1]
        assert standing is not None
        assert not any(standing.reruns.values())
        assert not any(standing.members.values())
        house.clock.advance(hours=3)
    assert (house.telemetry.begun, house.telemetry.ends) == ([], [])


def test_other_reruns_move_beside_it(house: House) -> None:
    old = propose(house)
    house.clock.advance(hours=3)
    young = propose(house)
    running = house.service.submit(ADA, replace(ASKED, propose=False)).rerun.id
    house.tick()
    assert stored(house, old).state is RerunState.TERMINATED
    assert stored(house, young).state is RerunState.PROPOSED
    assert next(one.state for one in house.store.members(running)) is MemberState.RUNNING


def test_who_was_faster_has_decided(house: House) -> None:
    number = propose(house)
    house.clock.advance(seconds=AGE.total_seconds() - 1)
    real = house.conductor.look_together

    def look_and_approve() -> object:
        house.clock.advance(seconds=1)
        found = real()
        house.clock.advance(seconds=-1)
        house.service.approve(ADA, number)
        return found

    house.conductor.look_together = look_and_approve  # type: ignore[method-assign, assignment]
    assert house.conductor.tick().steps == 0
    assert stored(house, number).state is RerunState.RUNNING


@pytest.mark.parametrize("how", ["expired", "rejected"])
def test_nobody_is_told_of_it(house: House, how: str) -> None:
    """Whoever may only read would send messages in the name of the deployment."""
    number = propose(house, notifications=(Notification("data-team", CONDITIONS),))
    if how == "rejected":
        house.service.reject(ADA, number)
    else:
        house.clock.advance(hours=3)
        house.tick()
    assert stored(house, number).state_reason == f"proposal_{how}"
    assert house.unit_of_work.outbox.about(number, CONDITIONS) == []
