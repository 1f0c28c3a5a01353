"""Somebody clears a task that makes a run while the rerun makes the run anew that the task had made."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def rerun(house: House) -> int:
    """A parent whose trigger at the end isn't selected; its child is to be dispatched."""
    house.world.dag("parent", "prepare >> fire")
    parent = house.world.run("parent")
    house.world.trigger_task("parent", "fire", "child")
    house.world.made(parent, "fire", house.world.run("child", run_type="operator_triggered", online=True))
    house.clock.advance(hours=1)
    found = house.service.submit(ADA, RerunRequest(PlanRequest(parent))).rerun.id
    house.tick()
    house.world.finish(parent, at=house.clock.now())
    house.tick()
    house.tick()
    return found


def member(house: House, rerun: int, dag_id: str) -> Member:
    return next(one for one in house.store.members(rerun) if one.ref.dag_id == dag_id)


def state(house: House, rerun: int) -> str:
    return house.service.rerun(ADA, rerun).rerun.state.value


def cleared(house: House, rerun: int) -> RunRef:
    """Somebody clears the trigger, which makes another run; it goes on by now."""
    parent = member(house, rerun, "parent").ref
    house.world.clear_by_hand(parent, only=["fire"])
    house.world.set_tasks(parent, "success", only=["fire"], at=house.clock.now())
    house.world.set_run(parent, state="success")
    other = house.world.run("child", run_id="other", run_type="operator_triggered", state="queued")
    house.world.set_run(other, state="running")
    house.world.set_tasks(other, "running", at=house.clock.now())
    house.world.triggered = [(parent, "fire", other)]
    house.clock.advance(seconds=60)
    return other


def end(house: House, ref: RunRef) -> None:
    house.world.finish(ref, at=house.clock.now())
    for _ in range(30):  # the end waits a little for Airflow to close the runs
        house.tick()


def test_the_child_is_not_proven_and_a_retry_makes_it_anew(house: House, rerun: int) -> None:
    other, child = cleared(house, rerun), member(house, rerun, "child").ref
    house.world.set_tasks(child, "running", at=house.clock.now())
    house.clock.advance(seconds=60)
    house.world.set_tasks(other, "success", at=house.clock.now())
    house.world.set_run(other, state="success")
    house.clock.advance(seconds=60)
    house.world.set_tasks(child, "success", at=house.clock.now())
    end(house, child)
    found = member(house, rerun, "child")
    assert (found.state, found.state_reason, state(house, rerun)) == (MemberState.FAILED, "not_proven", "failed")
    (line,) = [event.detail for event in house.store.events(rerun) if event.action == "member_failed"]
    assert line == f"not_proven: began_too_early: {child} from {other}"
    house.service.retry(ADA, rerun, found.id)
    house.tick()
    house.clock.advance(seconds=60)
    end(house, child)
    assert state(house, rerun) == "succeeded"


def test_a_run_that_was_over_before_is_nobodys_business(house: House, rerun: int) -> None:
    other, child = cleared(house, rerun), member(house, rerun, "child").ref
    house.world.finish(other, at=house.clock.now())
    house.world.set_tasks(other, "success", at=house.clock.now())
    house.clock.advance(seconds=60)
    end(house, child)
    assert state(house, rerun) == "succeeded"


def test_another_index_made_a_run_of_its_own(house: House) -> None:
    """Each index of a mapped trigger makes one: they have places of their own."""
    world = house.world
    world.dag("parent", "prepare >> fire", mapped=["fire"])
    parent = world.run("parent")
    world.trigger_task("parent", "fire", "child")
    world.expand(parent, "fire", 2)
    for index in range(2):
        child = world.run("child", day=index, run_type="operator_triggered", online=True)
        world.record(parent, "fire", child.run_id, map_index=index)
        world.set_run(child, made_by_task=True)
    found = house.service.submit(ADA, RerunRequest(PlanRequest(parent))).rerun.id
    house.tick()
    end(house, parent)
    children = [one.ref for one in house.store.members(found) if one.ref.dag_id == "child"]
    assert len(children) == 2
    for ref in children:
        house.world.set_tasks(ref, "running", at=house.clock.now())
    house.clock.advance(seconds=60)
    for ref in children:
        house.world.set_tasks(ref, "success", at=house.clock.now())
        end(house, ref)
    assert state(house, found) == "succeeded"
