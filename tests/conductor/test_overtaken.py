"""A member fails, and what it had read is made anew once more: also what of it is right has read older data."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from tests.fakes.house import ADA, House

Named = set[tuple[str, str, str, str | None]]


@pytest.fixture
def house() -> House:
    """src → mid → leaf; mid's task x is right, y has failed."""
    house = House()
    house.world.dag("mid", "x; y")
    runs = [house.world.run(dag_id) for dag_id in ("src", "mid", "leaf")]
    house.world.consumed(runs[0], "t", by=runs[1], asset="a")
    house.world.consumed(runs[1], "x", by=runs[2], asset="b")
    house.service.submit(ADA, RerunRequest(PlanRequest(runs[0])))
    house.tick()
    finish(house, runs[0])
    half(house, runs[1])
    return house


def run(house: House, dag_id: str) -> RunRef:
    return next(ref for ref in house.world.runs if ref.dag_id == dag_id)


def finish(house: House, ref: RunRef) -> None:
    house.clock.advance(seconds=1)
    house.world.finish(ref, at=house.clock.now())
    house.tick()
    house.tick()


def half(house: House, ref: RunRef) -> None:
    """x is right, y fails."""
    house.clock.advance(seconds=1)
    house.world.set_tasks(ref, "success", only={"x"}, at=house.clock.now())
    house.world.set_tasks(ref, "failed", only={"y"}, at=house.clock.now())
    house.world.set_run(ref, state="failed")
    house.tick()


def failed(house: House) -> int:
    return next(one.id for one in house.store.members(1) if one.state is MemberState.FAILED)


def named(house: House) -> Named:
    found = house.store.not_made_anew(1)
    because = [(one, what, what.because_of.dag_id if what.because_of else None) for one, what in found]
    return {(one.ref.dag_id, what.task_id, what.reason, dag_id) for one, what, dag_id in because}


@pytest.mark.parametrize("again", [False, True])
def test_a_retry_makes_all_of_it_anew(house: House, again: bool) -> None:
    if again:
        house.world.clear_by_hand(run(house, "src"))
    house.service.retry(ADA, 1, failed(house))
    house.tick()
    if again:
        finish(house, run(house, "src"))
    states = {task.task_id: task.state for task in house.world.tasks[run(house, "mid")]}
    assert states == {"x": None if again else "success", "y": None}
    finish(house, run(house, "mid"))
    finish(house, run(house, "leaf"))
    assert house.service.rerun(ADA, 1).rerun.state.value == "succeeded"


@pytest.mark.parametrize("again", [False, True])
def test_a_skip_names_all_of_it_and_who_reads_that(house: House, again: bool) -> None:
    if again:
        house.world.clear_by_hand(run(house, "src"))
    house.service.skip(ADA, 1, failed(house))
    house.tick()
    finish(house, run(house, "leaf"))
    if again:
        finish(house, run(house, "src"))
    assert house.service.rerun(ADA, 1).rerun.state.value == "succeeded"
    skipped = {("mid", "y", "skipped_by_user", None)}
    more = {("mid", "x", "rebuilt_on_polluted", "src"), ("leaf", "t", "rebuilt_on_polluted", "src")}
    assert named(house) == (skipped | more if again else skipped)


def test_the_run_whose_task_makes_another_goes_on_beside_that() -> None:
    """It ends later than that was taken, and nothing is older for it."""
    house = House()
    world = house.world
    world.dag("parent", "work >> fire >> after")
    world.dag("child", "x; y")
    world.trigger_task("parent", "fire", "child")
    parent, child = world.run("parent"), world.run("child", run_type="operator_triggered", online=True)
    world.made(parent, "fire", child)
    house.service.submit(ADA, RerunRequest(PlanRequest(parent)))
    house.tick()
    world.set_run(parent, state="running")
    world.set_tasks(parent, "success", only=["work", "fire"], at=house.clock.now())
    new = world.run("child", run_type="operator_triggered", run_id="new", state="queued", day=50)
    world.triggered = [(parent, "fire", new)]
    house.tick()
    half(house, new)
    finish(house, parent)
    house.service.skip(ADA, 1, failed(house))
    house.tick()
    assert house.service.rerun(ADA, 1).rerun.state.value == "succeeded"
    assert named(house) == {("child", "y", "skipped_by_user", None)}
