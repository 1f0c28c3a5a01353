"""Who leads: one conductor at a time, for as long as it ticks, and none whose clock is off."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any, get_args

import pytest

from airflow_rerun_downstream.conductor.perform import LeaseLost
from airflow_rerun_downstream.conductor.steps import Step
from airflow_rerun_downstream.conductor.tick import Conductor
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.settings import Settings
from tests.fakes.house import ADA, House


def conductor(house: House, owner: str, **more: object) -> Conductor:
    settings = Settings(source_ready_since="unlimited", **more)  # type: ignore[arg-type]
    return Conductor(unit_of_work=house.unit_of_work, clock=house.clock, settings=settings, owner=owner)


@pytest.mark.parametrize(("poll", "seconds"), [(0.5, 15), (1.5, 15), (2, 20), (30, 300)])
def test_who_falls_silent_is_followed_after_ten_polls_and_no_sooner_than_in_fifteen_seconds(
    poll: float, seconds: int
) -> None:
    house = House()
    one, two = (conductor(house, name, poll_interval=timedelta(seconds=poll)) for name in ("one", "two"))
    assert [one.tick().leading, two.tick().leading] == [True, False]
    house.clock.advance(seconds=seconds)
    assert not two.tick().leading
    house.clock.advance(seconds=0.001)
    assert two.tick().leading
    assert not one.tick().leading


def test_who_resigns_is_followed_at_once() -> None:
    house = House()
    one, two = conductor(house, "one"), conductor(house, "two")
    assert one.tick().leading
    two.resign()
    assert not two.tick().leading
    one.resign()
    assert two.tick().leading


def test_a_clock_that_is_off_is_told_once_and_once_that_it_is_right_again() -> None:
    house = House()
    one = house.new_conductor("one")
    leads = []
    for offset in (0, 5, 6, 7, -60, 1, 0):
        house.unit_of_work.lease.clock_offset = timedelta(seconds=offset)
        leads.append(one.tick().leading)
    assert leads == [True, True, False, False, False, True, True]
    ahead = {"owner": "one", "clock": "6 s ahead of the database's", "detail": "it doesn't lead"}
    assert [line for line in house.telemetry.lines if line[0] != "conductor_leads"] == [
        ("clock_off", ahead),
        ("clock_right_again", {"owner": "one", "clock": "1 s ahead of the database's"}),
    ]
    assert house.telemetry.actions.count("conductor_leads") == 2


def step(kind: type[Any], member: Member, run: RunFacts) -> Step:
    """A step of a kind, about a member."""
    of_kind: dict[str, object] = {"after": MemberState.RUNNING, "before": RerunState.RUNNING}
    if kind.__name__ == "MoveRerun":
        of_kind["after"] = RerunState.SUCCEEDED
    given = of_kind | {
        "member": member,
        "members": (member,),
        "run": run,
        "parent": run.ref,
        "task_id": "t",
        "run_id": run.ref.run_id,
        "run_after": run.run_after,
        "logical_date": run.logical_date,
        "run_state": "success",
        "clear_number": 1,
        "stage": 0,
        "reason": "why",
        "stop_run": True,
    }
    made: Step = kind(**{one.name: given[one.name] for one in fields(kind) if one.name in given})
    return made


@pytest.mark.parametrize("kind", get_args(Step), ids=lambda kind: kind.__name__)
def test_who_has_lost_the_lease_carries_out_nothing(kind: type[Any]) -> None:
    """It was asleep for a minute between its look and its step; another one leads by now."""
    house = House()
    source = house.world.run("a")
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(source))).rerun
    (member,) = house.store.active()[0].members
    one, two = conductor(house, "one"), conductor(house, "two")
    view = one.look()
    assert view is not None
    house.clock.advance(seconds=60)
    assert two.look() is not None
    before, runs = house.store.snapshot(), dict(house.world.runs)
    with house.unit_of_work() as work:
        facts = work.facts.runs.among([source])[source]
    with pytest.raises(LeaseLost):
        one.performer.attempt(rerun, step(kind, member, facts), view.lease)
    assert (house.store.snapshot(), dict(house.world.runs)) == (before, runs)
    assert not house.world.dispatches
