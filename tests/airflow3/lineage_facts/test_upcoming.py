"""The runs to come of a plan over a real Airflow database, held against what Airflow's scheduler then makes."""

from __future__ import annotations

from typing import Any

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.lineage_facts import readers
from airflow_rerun_downstream.domain.plan import FreezeAction, FutureRef, Plan, PlanRequest, WrongData
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor
from tests.airflow3 import assets, history, scene, scheduler

HOURLY = {"schedule": "0 * * * *", "catchup": True}


def wait_for(dag_id: str) -> Any:
    def build() -> None:
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

        ExternalTaskSensor(task_id="wait", external_dag_id=dag_id) >> EmptyOperator(task_id="write")

    return build


def plan(source: RunRef) -> Plan:
    return wiring.local_service().plan(Actor("1", "ada"), PlanRequest(source))


def finish(ref: RunRef, session: Any) -> None:
    scene.run_of(ref, session=session).state = "success"
    for task in scene.instances(ref, session=session).values():
        scene.put(task, "success")
    session.commit()


def test_a_run_that_is_foreseen_is_the_one_that_the_scheduler_makes(session):
    scene.save(history.dag("up", **HOURLY), session=session)
    source = scheduler.make_next("up", session=session)
    finish(source, session)
    scene.save(history.dag("report", wait_for("up"), **HOURLY), session=session)
    found = plan(source)
    [future] = found.upcoming
    assert (future.ref, future.freeze_action) == (FutureRef("report", logical_date=scene.START), FreezeAction.HOLD)
    assert [(link.upstream, link.downstream, link.kind.value) for link in found.links] == [
        (source, future.ref, "sensor")
    ]
    assert [warning.code for warning in found.warnings] == ["upcoming_run"]

    made = scheduler.make_next("report", session=session)
    facts = readers(session).runs.among([made])[made]
    run = future.run
    assert run is not None
    assert (run.run_id, run.logical_date, run.run_after) == (made.run_id, facts.logical_date, facts.run_after)
    assert (run.data_interval_start, run.data_interval_end) == (facts.data_interval_start, facts.data_interval_end)
    after = plan(source)
    assert after.upcoming == ()
    assert [(each.ref, each.freeze_action) for each in after.runs] == [(made, FreezeAction.STOP)]
    assert [str(task) for task in after.runs[0].tasks] == ["wait", "write"]


def test_the_next_run_of_a_dag_that_assets_start(session):
    both = history.dag("both", schedule=[assets.asset("orders"), assets.asset("rates")])
    scene.save(history.dag("up", **HOURLY), both, session=session)
    source = scheduler.make_next("up", session=session)
    finish(source, session)
    assert plan(source).upcoming == ()
    assets.emit(source, "orders", session=session)
    found = plan(source)
    expected = (FutureRef("both", next=True), WrongData.READS)
    assert [(future.ref, future.wrong_data) for future in found.upcoming] == [expected]
    assert [(link.kind.value, link.from_task_id) for link in found.links] == [("asset", "t")]
