"""Tasks that haven't run start when their run goes on: a plan says so, whether they are selected or not."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.plan import Plan
from airflow_rerun_downstream.domain.refs import TaskRef
from tests.fakes.world import World
from tests.lineage.planning import plan, selected


@pytest.fixture
def world() -> World:
    return World()


def told(found: Plan, code: str) -> list[tuple[str | None, str]]:
    return [(warning.task_id, warning.detail) for warning in found.warnings if warning.code == code]


def test_one_that_wrong_data_has_not_reached_starts_too(world: World) -> None:
    world.dag("b", "read >> check; report >> send")
    states = {"read": "success", "check": "failed", "report": None, "send": "success"}
    source, run = world.run("a"), world.run("b", state="failed", task_states=states)
    world.sensors.append(SensorDefinition("b", "read", "a", offset_known=True))
    found = plan(world, source)
    assert selected(found) == {"b": ["check", "read"]}
    ((task_id, detail),) = told(found, "starts_too")
    assert task_id == "report"
    assert detail.startswith(
        f"report of {run} hasn't run yet. Airflow will start it when the run continues, although not selected."
    )


def test_several(world: World) -> None:
    world.dag("a", "load; report; send")
    run = world.run("a", state="failed", task_states={"report": None, "send": None})
    ((task_id, detail),) = told(plan(world, run, tasks=(TaskRef("load"),)), "starts_too")
    assert task_id is None
    assert detail.startswith(f"report, send of {run} haven't run yet")


def test_a_person_leaves_it_out(world: World) -> None:
    world.dag("a", "load >> report")
    run = world.run("a", state="failed", task_states={"load": "failed", "report": None})
    assert told(plan(world, run), "starts_too") == []
    assert [task_id for task_id, _ in told(plan(world, run, tasks=(TaskRef("load"),)), "starts_too")] == ["report"]


def test_an_index_that_nobody_selects(world: World) -> None:
    world.dag("a", "load", mapped={"load"})
    run = world.run("a", state="failed", task_states={"load": None})
    world.expand(run, "load", 2)
    assert [task_id for task_id, _ in told(plan(world, run, tasks=(TaskRef("load", 0),)), "starts_too")] == ["load"]


def test_not_of_a_run_that_does_not_take_part(world: World) -> None:
    world.dag("b", "read; other")
    source, other = world.run("a"), world.run("b", state="failed", task_states={"other": None})
    world.consumed(source, "t", by=other)
    assert told(plan(world, source), "starts_too") == []  # the whole run has read it
    assert told(plan(world, source, rerun_source=False), "starts_too") == []


@pytest.mark.parametrize("state", [None, "success"])
def test_one_of_a_later_stage_starts_before_its_turn(world: World, state: str | None) -> None:
    """`check` waits for `b`, which reads `load`; once `load` is cleared, the run goes on with `check` as well."""
    world.dag("a", "load; check")
    source = world.run("a", state="failed", task_states={"check": state})
    other = world.run("b")
    world.consumed(source, "load", by=other)
    world.sensors.append(SensorDefinition("a", "check", "b", offset_known=True))
    found = plan(world, source, tasks=(TaskRef("load"), TaskRef("check")))
    assert [one.code for one in found.warnings if one.code == "in_stages"] == ["in_stages"]
    lost = told(found, "order_lost")
    assert [task_id for task_id, _ in lost] == (["check"] if state is None else [])
    if lost:
        assert f"before {other} is made anew" in lost[0][1]
