"""What was skipped by force isn't shown as a success, and is part of what has to be repaired."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.plan import Plan, PlannedRun, RunStatus
from airflow_rerun_downstream.domain.refs import RunRef
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import START, World
from tests.lineage.planning import plan


@pytest.fixture
def world() -> World:
    world = World()
    world.dag("a", "load >> publish; check")
    return world


def begun(world: World) -> RunRef:
    """A run of ``a`` in which ``load`` has succeeded and nothing else has begun."""
    ref = world.run("a", state="running", task_states=dict.fromkeys(("publish", "check")))
    world.tasks[ref] = [replace(t, state="success") if t.task_id == "load" else t for t in world.tasks[ref]]
    world.tasks[ref] = [replace(t, try_number=0) if t.state is None else t for t in world.tasks[ref]]
    return ref


def shown(run: PlannedRun) -> dict[str, tuple[RunStatus, bool, str | None]]:
    return {task.task_id: (task.status, task.selected, task.reason) for task in run.task_instances}


def chosen(found: Plan) -> list[str]:
    return [str(task) for task in found.source.tasks]


def test_what_fail_fast_skipped_is_preselected_with_all_that_follows(world: World) -> None:
    world.structures["a"] = replace(world.structures["a"], fail_fast=True)
    source = begun(world)
    world.fail_fast(source, "check", at=START)
    found = plan(world, source)
    assert chosen(found) == ["check", "publish"]
    assert shown(found.source)["publish"] == (RunStatus.REVOKED, True, "revoked")
    assert shown(found.source)["load"][0] is RunStatus.SUCCESS


def test_what_a_time_out_cut_off_is_preselected(world: World) -> None:
    source = begun(world)
    world.set_tasks(source, "running", only={"check"}, at=START)
    world.time_out(source)
    assert chosen(plan(world, source)) == ["check", "publish"]


def test_what_the_dag_skipped_itself_in_a_failed_run_is_not(world: World) -> None:
    source = begun(world)
    world.choose(source, "load", (), at=START)
    world.set_tasks(source, "failed", only={"check"}, at=START)
    world.set_run(source, state="failed")
    found = plan(world, source)
    assert chosen(found) == ["check"]
    assert shown(found.source)["publish"][0] is RunStatus.SUCCESS


def test_a_downstream_run_shows_what_was_cut_off_too(world: World) -> None:
    source, reader = world.run("source"), begun(world)
    world.consumed(source, "t", by=reader)
    world.time_out(reader)
    (run,) = plan(world, source).runs
    assert shown(run)["publish"][:2] == (RunStatus.REVOKED, True)


def test_nothing_is_asked_where_no_skip_is_in_doubt(world: World, mocker) -> None:  # type: ignore[no-untyped-def]
    source, facts = begun(world), FakeFacts(world)
    asked = mocker.spy(facts.tasks, "accounts")
    world.set_tasks(source, "success", only={"check"})
    world.set_tasks(source, "skipped", only={"publish"})
    world.set_run(source, state="success")
    plan(world, source, facts=facts)
    assert asked.call_count == 0
    world.set_run(source, state="failed")
    plan(world, source, facts=facts)
    assert asked.call_count == 1
