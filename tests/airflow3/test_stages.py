"""Runs in stages on Airflow's own tables: planned from serialized Dags and XComs, and cleared part by part."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_rerun_downstream.domain.plan import Plan, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest
from airflow_rerun_downstream.lineage.ordering import order_of
from airflow_rerun_downstream.lineage.planner import Planner
from airflow_rerun_downstream.service import members
from tests.airflow3 import history, scene
from tests.airflow3.conducting import Conducted, stand_in
from tests.airflow3.database import Database


@pytest.fixture
def conducted(database: Database) -> Conducted:
    return Conducted(database)


def parent(**more: Any) -> Any:
    """prepare >> go (makes a run of ``child``) >> report."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.sdk import DAG, chain

    with DAG("parent", schedule="@daily", start_date=scene.START, catchup=False) as made:
        chain(
            EmptyOperator(task_id="prepare"),
            TriggerDagRunOperator(task_id="go", trigger_dag_id="child", **more),
            EmptyOperator(task_id="report"),
        )
    return made


def history_of(conducted: Conducted, **more: Any) -> tuple[RunRef, RunRef]:
    """A run of ``parent``, and the run of ``child`` that it made."""
    conducted.save(parent(**more), stand_in("child"))
    source = conducted.run("parent")
    with conducted.database.session() as session:
        child = history.run("child", "made", session=session, by="operator")
        history.triggered(source, child, session=session)
        session.commit()
    conducted.put(child, "success", only=["t"], run_state="success")
    return source, child


def submit(conducted: Conducted, source: RunRef) -> Plan:
    """A rerun with the plan's default selection."""
    request = RerunRequest(PlanRequest(source))
    with conducted.unit_of_work() as work:
        planner = Planner(
            work.facts,
            readable=frozenset,
            in_active_rerun=lambda refs: (),
            now=conducted.clock.now(),
            window_start=None,
            max_runs=100,
        )
        plan = planner.plan(request.plan)
        taken = {run.ref: run.tasks for run in plan.runs if run.selected}
        order = order_of(plan, {source: plan.source.tasks, **taken}, rerun_source=True)
        taken_members = members.new_members(plan, request, taken, order)
        new = members.assemble(plan, request, taken_members, order, plan.warnings, Actor("1", "ann"))
        conducted.id = work.store.add(new, now=conducted.clock.now())
    return plan


@pytest.mark.parametrize("waits", [True, False])
def test_what_comes_before_the_child_and_what_follows_are_cleared_one_after_the_other(
    conducted: Conducted, waits: bool
) -> None:
    source, child = history_of(conducted, trigger_run_id="made", wait_for_completion=waits)
    plan = submit(conducted, source)
    assert [warning.code for warning in plan.warnings] == ["in_stages"]
    conducted.tick()
    assert conducted.states(source) == {"prepare": None, "go": "success", "report": "success"}
    assert conducted.states(child) == {"t": "success"}
    conducted.finish(source)
    conducted.tick()
    assert conducted.members() == {"parent": ("pending", None), "child": ("running", None)}
    assert conducted.states(source)["report"] == "success"
    conducted.finish(child)
    conducted.tick()
    assert conducted.states(source) == {"prepare": "success", "go": "success", "report": None}
    conducted.finish(source)
    conducted.tick()
    assert conducted.state() == "succeeded"
    with conducted.database.session() as session:
        assert scene.run_of(source, session=session).clear_number == 2
        assert scene.run_of(child, session=session).clear_number == 1


def test_a_stage_that_somebody_clears_again_is_awaited_again(conducted: Conducted) -> None:
    source, child = history_of(conducted, trigger_run_id="made")
    submit(conducted, source)
    conducted.tick()
    conducted.finish(source)
    member = conducted.member(source)
    with conducted.unit_of_work() as work:  # the stage is right, and nobody has dispatched what waits for it
        assert work.store.next_stage(
            member.id, before=member.state, stage=0, clear_number=1, ends=[conducted.clock.now()]
        )
    conducted.clear(source, "prepare")
    conducted.tick()
    assert conducted.members()["parent"] == ("running", "cleared_again")
    assert conducted.states(child) == {"t": "success"}
    conducted.finish(source)
    conducted.tick()
    assert conducted.members() == {"parent": ("pending", None), "child": ("running", None)}


def test_a_trigger_that_can_make_another_run_is_cleared_with_what_follows(conducted: Conducted) -> None:
    source, _ = history_of(conducted, wait_for_completion=True)
    plan = submit(conducted, source)
    assert [warning.code for warning in plan.warnings] == ["makes_a_new_run"]
    conducted.tick()
    assert conducted.states(source) == {"prepare": None, "go": None, "report": None}


def test_the_reader_behind_a_waiting_trigger_is_downstream_of_the_child(conducted: Conducted) -> None:
    source, child = history_of(conducted, wait_for_completion=True)
    submit(conducted, child)
    conducted.tick()
    assert conducted.states(source) == {"prepare": "success", "go": "success", "report": "success"}
    conducted.finish(child)
    conducted.tick()
    assert conducted.states(source) == {"prepare": "success", "go": "success", "report": None}


def test_what_has_not_run_starts_with_the_first_stage(conducted: Conducted) -> None:
    """And once more in its own: the plan says so."""
    from tests.airflow3.workers import Work

    source, child = history_of(conducted, trigger_run_id="made")
    with conducted.database.session() as session:
        scene.run_of(source, session=session).state = "failed"
        scene.instance(source, "report", session=session).state = None
        session.commit()
    plan = submit(conducted, source)
    lost = [warning for warning in plan.warnings if warning.code == "order_lost"]
    assert [(warning.task_id, f"before {child} is made anew" in warning.detail) for warning in lost] == [
        ("report", True)
    ]
    conducted.tick()
    with conducted.database.session() as session:
        Work(source, session=session).schedule()
        states = {ti.task_id: str(ti.state) for ti in scene.run_of(source, session=session).task_instances}
    assert states == dict.fromkeys(("prepare", "go", "report"), "success"), "empty tasks end at once"
