"""What a plan, a review and a submit do grows with the number of runs, not with its square."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import airflow_rerun_downstream
from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest, RerunSettings
from tests.fakes.house import ADA, House

PACKAGE = str(Path(airflow_rerun_downstream.__file__).parent)
FEW, TIMES = 25, 4
SLACK = 1.2
"""What sorting may add."""


def calls(what: Callable[[], object]) -> int:
    """How many calls of functions of ours something takes. Unlike seconds it is the same on every machine."""
    count = 0

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(PACKAGE)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        what()
    finally:
        sys.setprofile(before)
    return count


def deployment(days: int) -> tuple[House, RunRef]:
    """A run that started one run of a Dag each day, which is read over assets, sensors, triggers and the past."""
    house = House()
    world = house.world
    world.dag("daily", "extract >> load")
    world.dag("waits", "wait >> report")
    world.sensors.append(SensorDefinition("waits", "wait", "daily", task_ids=frozenset({"load"}), offset_known=True))
    source = world.run("source", day=-1)
    for day in range(days):
        daily = world.run("daily", day=day)
        world.consumed(source, "t", by=daily, asset="of the source")
        world.run("waits", day=day, state="failed" if day % 3 == 0 else "success")
        world.consumed(daily, "load", by=world.run("reads", day=day), asset="daily")
        world.made(daily, "load", world.run("made", day=day, run_type="manual"))
    return house, source


def cost(step: str, days: int) -> int:
    house, source = deployment(days)
    request = RerunRequest(PlanRequest(source), settings=RerunSettings(accept_duplicate_runs=True))
    steps: dict[str, Callable[[], object]] = {
        "plan": lambda: house.service.plan(ADA, request.plan),
        "review": lambda: house.service.review(ADA, request),
        "submit": lambda: house.service.submit(ADA, request),
    }
    found = house.service.plan(ADA, request.plan)
    assert len(found.runs) >= 3 * days, "every kind of link leads somewhere"
    return calls(steps[step])


@pytest.mark.parametrize("step", ["plan", "review", "submit"])
def test_it_grows_with_the_runs(step: str) -> None:
    few, many = cost(step, FEW), cost(step, FEW * TIMES)
    assert many <= SLACK * TIMES * few, f"{few} calls for {FEW} days, {many} for {TIMES} times as many"
