"""A task of a newer version that follows a trigger which can't make a second run: it has a stage of its own.

Airflow adds it to the run with the first stage, and starts it then, on what the run made before holds.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from tests.conductor.scheduler import Scheduler
from tests.conductor.test_stages import member, ran, submit
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def parent(house: House) -> RunRef:
    """A parent with a trigger at its end, and a newer version in which ``new`` follows it, and ``prepare``."""
    world = house.world
    world.dag("parent", "prepare >> fire")
    parent = world.run("parent")
    world.trigger_task("parent", "fire", "child", one_run=True, waits=True)
    world.made(parent, "fire", world.run("child", run_type="operator_triggered", online=True))
    house.clock.advance(hours=1)
    version = world.new_version("parent")
    world.dag("parent", "prepare >> fire >> new; prepare >> new")
    world.structures["parent"] = replace(world.structures["parent"], version=version)
    world.trigger_task("parent", "fire", "child", one_run=True, waits=True)
    return parent


def begin(house: House, parent: RunRef, new: str) -> None:
    """The first stage, with what Airflow has added."""
    house.tick()
    some, at = house.world.tasks[parent], house.clock.now()
    added = replace(some[0], task_id="new", state=None, try_number=0, start_date=None, end_date=None)
    house.world.tasks[parent] = [*some, added]
    for task_id in ("prepare", "fire", "new"):
        house.world.move(parent, task_id)
    house.world.set_tasks(parent, "success", only=["prepare"], at=at)
    house.world.set_tasks(parent, new, only=["new"], at=at)
    house.world.set_run(parent, state=new)


@pytest.mark.parametrize("new", ["success", "failed"])
def test_it_runs_again_after_the_child_whatever_came_of_it_before(house: House, parent: RunRef, new: str) -> None:
    rerun = submit(house, parent)
    stages = member(house, rerun, "parent").stages
    assert [[str(task) for task in stage] for stage in stages] == [["prepare"], ["new"]]
    begin(house, parent, new)
    scheduler = Scheduler(house)
    scheduler.play([0])
    assert ran(scheduler) == ["child.t", "parent.new"]
    assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"
    assert not list(house.store.not_made_anew(rerun))
    assert "member_failed" not in {event.action for event in house.store.events(rerun)}


def test_the_review_says_so(house: House, parent: RunRef) -> None:
    plan = house.service.plan(ADA, PlanRequest(parent))
    assert [str(task) for task in plan.source.tasks] == ["prepare"]
    (told,) = [warning.detail for warning in plan.warnings if warning.code == "in_stages"]
    assert told.endswith("in 2 stages, each after what it reads from: prepare; then new.")
