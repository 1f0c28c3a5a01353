"""When a rerun is expected to end, as its record tells those who may read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from airflow_rerun_downstream.domain.errors import NotFound
from airflow_rerun_downstream.domain.estimate import Outlook
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest, RerunSettings
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.service import EstimateView
from tests.conductor.test_conductor import member_id
from tests.fakes.house import ADA, House
from tests.fakes.world import START

MINUTES = {"a": 10, "b": 20, "c": 40, "d": 5}


def earlier(house: House, dag_id: str, minutes: float, *, days: int = 3) -> None:
    """Runs of a Dag that took so long."""
    for day in range(-days, 0):
        ref, began = house.world.run(dag_id, day=day), START + timedelta(days=day)
        house.world.set_tasks(ref, "success", at=began)
        house.world.set_tasks(ref, "running", at=began)
        house.world.set_tasks(ref, "success", at=began)
        lasted(house, ref, began, minutes)


def lasted(house: House, ref: RunRef, began: datetime, minutes: float) -> None:
    """Its task ran for so long."""
    end = began + timedelta(minutes=minutes)
    house.world.tasks[ref] = [replace(one, start_date=began, end_date=end) for one in house.world.tasks[ref]]


@pytest.fixture
def house() -> House:
    """``a`` is read by ``b``, that by ``c``, and ``d`` reads ``a`` too; each takes as long as in `MINUTES`."""
    house = House()
    for dag_id, minutes in MINUTES.items():
        house.world.dag(dag_id)
        earlier(house, dag_id, minutes)
    runs = {dag_id: house.world.run(dag_id) for dag_id in MINUTES}
    for one, two in ("ab", "bc", "ad"):
        house.world.consumed(runs[one], "t", by=runs[two])
    for dag_id, minutes in MINUTES.items():
        lasted(house, runs[dag_id], START, minutes)
    return house


def submitted(house: House, **settings: object) -> int:
    request = PlanRequest(RunRef("a", "scheduled__" + START.isoformat()))
    chosen = RerunSettings(**settings)  # type: ignore[arg-type]
    return house.service.submit(ADA, RerunRequest(request, settings=chosen)).rerun.id


def of(house: House, rerun_id: int) -> EstimateView:
    return house.service.estimate(ADA, rerun_id)


def minutes_left(house: House, rerun_id: int) -> float | None:
    found = of(house, rerun_id).estimate
    return None if found.ends_at is None else (found.ends_at - house.clock.now()).total_seconds() / 60


def path(found: EstimateView) -> list[str | None]:
    return [
        found.members[step.member_id].ref.dag_id if step.member_id in found.members else None
        for step in found.estimate.path
    ]


def test_it_is_told_from_what_earlier_runs_took(house: House) -> None:
    rerun_id = submitted(house)
    assert minutes_left(house, rerun_id) == 70
    assert path(of(house, rerun_id)) == ["a", "b", "c"]
    house.tick()
    house.clock.advance(minutes=4)
    assert minutes_left(house, rerun_id) == 66


def test_the_limit_of_the_rerun_or_of_the_deployment_counts(house: House) -> None:
    assert minutes_left(house, submitted(house, max_active_members=1)) == 75


def test_who_may_read_nothing_of_it_is_told_nothing(house: House) -> None:
    rerun_id = submitted(house)
    house.permissions.unreadable.add("a")
    with pytest.raises(NotFound):
        of(house, rerun_id)
    with pytest.raises(NotFound):
        of(house, 99)


def test_hidden_members_count_and_are_not_named(house: House) -> None:
    rerun_id = submitted(house)
    house.permissions.unreadable.add("b")
    found = of(house, rerun_id)
    assert (path(found), found.hidden_members) == (["a", None, "c"], 1)
    assert minutes_left(house, rerun_id) == 70
    assert [found.members[one.member_id].ref.dag_id for one in found.expected] == ["a", "d", "c"]


def test_those_who_look_right_after_each_other_get_one_answer(house: House) -> None:
    rerun_id = submitted(house)
    first = of(house, rerun_id).estimate
    house.clock.advance(seconds=9)
    assert of(house, rerun_id).estimate is first
    house.clock.advance(seconds=2)
    later = of(house, rerun_id).estimate
    assert (later is first, later.as_of) == (False, house.clock.now())
    house.tick()
    assert of(house, rerun_id).estimate.as_of == house.clock.now(), "something has happened"


def test_what_earlier_runs_took_is_asked_every_few_minutes(house: House) -> None:
    rerun_id, durations = submitted(house), house.unit_of_work.durations
    for _ in range(4):
        of(house, rerun_id)
        house.clock.advance(minutes=1)
    assert durations.statements == 1
    house.clock.advance(minutes=2)
    of(house, rerun_id)
    assert durations.statements == 2


def test_without_a_past_it_is_a_bound(house: House) -> None:
    house.world.dag("new")
    house.world.consumed(RunRef("c", "scheduled__" + START.isoformat()), "t", by=house.world.run("new", state="failed"))
    found = of(house, submitted(house)).estimate
    assert (found.outlook, found.unknown) == (Outlook.AT_LEAST, 1)


def test_a_paused_dag_delays_it(house: House) -> None:
    rerun_id = submitted(house)
    house.world.dag("b", paused=True)
    found = of(house, rerun_id)
    assert (found.estimate.outlook, found.estimate.held_up) == (Outlook.AT_LEAST, 1)


def test_a_paused_rerun_has_no_end(house: House) -> None:
    rerun_id = submitted(house)
    house.service.pause(ADA, rerun_id)
    assert of(house, rerun_id).estimate.outlook is Outlook.OPEN


def test_the_member_that_has_failed_delays_it(house: House) -> None:
    rerun_id = submitted(house)
    house.tick()
    house.world.finish(RunRef("a", "scheduled__" + START.isoformat()), "failed", at=house.clock.now())
    house.tick()
    found = of(house, rerun_id).estimate
    assert found.delay is not None
    assert (found.delay.member_id, found.delay.why) == (member_id(house, rerun_id, "a"), "tasks_failed")


def test_after_its_end_it_says_when_that_was(house: House) -> None:
    rerun_id = submitted(house)
    for dag_id in ("a", "b", "c", "d", "d"):
        house.tick()
        ref = RunRef(dag_id, "scheduled__" + START.isoformat())
        if house.world.runs[ref].state == "queued":
            house.world.finish(ref, at=house.clock.now())
    for _ in range(4):
        house.tick()
    found = of(house, rerun_id)
    assert (found.rerun.state, found.estimate.outlook) == (RerunState.SUCCEEDED, Outlook.ENDED)
    assert found.estimate.ends_at == found.rerun.ended_at
