"""Pollution and selection are one set, in plans over the fake's facts and over Airflow's."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.plan import Plan, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.lineage.planner import Planner
from tests.contracts.stages import NOW, Shape, Stage

ASSET = "test://assets/made"


@pytest.fixture
def reader(airflow: Stage) -> RunRef:
    """A run of ``b`` that an event of `source` will have started; ``publish`` of ``a`` makes the asset."""
    airflow.dag(Shape("a", "fast >> join >> publish; other", outlets={"publish": [ASSET]}))
    airflow.dag(Shape("b", "read >> tell", starts_with=[ASSET]))
    return airflow.run("b", by="asset", dated=False)


def plan(airflow: Stage, source: RunRef, *tasks: str) -> Plan:
    planner = Planner(
        airflow.facts,
        readable=frozenset,
        in_active_rerun=lambda refs: (),
        now=NOW,
        window_start=None,
        max_runs=100,
    )
    return planner.plan(PlanRequest(source, tuple(map(TaskRef, tasks)) or None))


def selected(found: Plan) -> dict[str, list[str]]:
    runs = (found.source, *found.runs)
    return {run.ref.dag_id: sorted(task.task_id for task in run.tasks) for run in runs if run.selected}


def left(found: Plan) -> list[str | None]:
    return sorted(one.task_id for one in found.warnings if one.code == "stays_polluted")


READ = {"b": ["read", "tell"]}


@pytest.mark.parametrize("failed", ["fast", "other"])
def test_what_a_run_tolerated_does_not_shrink_it(airflow, reader, failed) -> None:
    source = airflow.run("a", states={failed: "failed"})
    airflow.emit(source, ASSET, reader, task_id="publish")
    found = plan(airflow, source)
    assert selected(found) == {"a": ["fast", "join", "other", "publish"], **READ}
    assert left(found) == []


def test_what_is_broken_comes_with_all_that_follows(airflow, reader) -> None:
    source = airflow.run("a", state="failed", states={"fast": "failed", "join": "success", "other": "success"})
    airflow.put(source, "publish", "success", at=NOW)
    airflow.emit(source, ASSET, reader, task_id="publish")
    found = plan(airflow, source)
    assert selected(found) == {"a": ["fast", "join", "publish"], **READ}


def test_what_is_left_out_is_told_by_task(airflow, reader) -> None:
    source = airflow.run("a")
    airflow.emit(source, ASSET, reader, task_id="publish")
    found = plan(airflow, source, "fast")
    assert selected(found) == {"a": ["fast"], **READ}
    assert left(found) == ["join", "publish"]
