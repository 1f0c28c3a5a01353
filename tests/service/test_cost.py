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
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest, RerunSettings
from tests.fakes.house import ADA, House

PACKAGE = str(Path(airflow_rerun_downstream.__file__).parent)
FEW, TIMES = 25, 4
SLACK = 1.2
"""What sorting may add."""


def calls(what: Callable[[], object]) -> int:
    """How many calls something takes, of functions of ours and by them. Unlike seconds it is the same everywhere."""
    count = 0

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call") and frame.f_code.co_filename.startswith(PACKAGE)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        what()
    finally:
        sys.setprofile(before)
    return count


Deployment = tuple[House, RunRef, tuple[MemberRequest, ...] | None]


def deployment(days: int) -> Deployment:
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
    assert len(house.service.plan(ADA, PlanRequest(source)).runs) >= 3 * days, "every kind of link leads somewhere"
    return house, source, None


def controller(children: int, *, makes_one_run: bool = False) -> Deployment:
    """A run that made many others, waited for all of them, and went on; its tasks run again if they can."""
    house = House()
    world = house.world
    ids = [f"make_{number}" for number in range(children)]
    for task_id in ids:
        world.trigger_task("controller", task_id, "child", waits=True, one_run=makes_one_run)
    world.dag("controller", "; ".join(f"first >> {task_id} >> last" for task_id in ids))
    source = world.run("controller")
    for day, task_id in enumerate(ids):
        world.made(source, task_id, world.run("child", day=day, run_type="manual"))
    return house, source, None


def in_stages(children: int) -> Deployment:
    """The same with tasks that can't make a second run: what follows them waits for the children."""
    return controller(children, makes_one_run=True)


def every_other(runs: int) -> Deployment:
    """A chain of runs, of which a person leaves out every other one."""
    house = House()
    world = house.world
    source = last = world.run("d", day=0)
    for day in range(1, runs * 5):  # so many that what is done for each pair of them outweighs the rest
        last, before = world.run("d", day=day), last
        world.consumed(before, "t", by=last)
    some = [run.ref for run in house.service.plan(ADA, PlanRequest(source)).runs][::2]
    return house, source, tuple(map(MemberRequest, some))


SHAPES: dict[str, Callable[[int], Deployment]] = {
    "all kinds of links": deployment,
    "a controller": controller,
    "in stages": in_stages,
    "every other run": every_other,
}


def cost(shape: str, step: str, size: int) -> int:
    house, source, members = SHAPES[shape](size)
    request = RerunRequest(PlanRequest(source), members=members, settings=RerunSettings(accept_duplicate_runs=True))
    steps: dict[str, Callable[[], object]] = {
        "plan": lambda: house.service.plan(ADA, request.plan),
        "review": lambda: house.service.review(ADA, request),
        "submit": lambda: house.service.submit(ADA, request),
    }
    return calls(steps[step])


@pytest.mark.parametrize("step", ["plan", "review", "submit"])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_grows_with_the_runs(shape: str, step: str) -> None:
    few, many = cost(shape, step, FEW), cost(shape, step, FEW * TIMES)
    assert many <= SLACK * TIMES * few, f"{few} calls for {FEW} runs, {many} for {TIMES} times as many"
