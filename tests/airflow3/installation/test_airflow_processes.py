"""Which Dag processors and workers lack the package, told by what they leave in Airflow's tables."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY, waited_value
from tests.airflow3 import history, scene

NOW = scene.START + timedelta(days=3)
DAY = timedelta(days=1)


class Clock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def health() -> Any:
    from airflow.listeners.listener import get_listener_manager

    from airflow_rerun_downstream.airflow3.hooks import listener
    from airflow_rerun_downstream.airflow3.installation.health import AirflowHealth
    from airflow_rerun_downstream.settings import Settings

    get_listener_manager().add_listener(listener)  # other tests make Airflow forget its plugins
    return AirflowHealth(settings=Settings, clock=Clock())


def waiting(dag_id: str, *, marked: bool) -> Any:
    """A Dag with a sensor, parsed with the package or without."""
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

    from airflow_rerun_downstream.policy import task_policy

    def build() -> None:
        task = ExternalTaskSensor(task_id="t", external_dag_id="up")
        if marked:
            task_policy(task)

    return history.dag(dag_id, build)


def ran(dag_id: str, hostname: str, *, session: Any, day: float, recorded: bool, state: str = "success") -> None:
    """The sensor's run on a worker."""
    ref = scene.create_run(dag_id, session=session, day=day, state=state)
    scene.instance(ref, "t", session=session).hostname = hostname
    if recorded:
        history.xcom(ref, "t", WAITED_KEY, waited_value("up", [], None, [scene.START]), session=session)
    session.commit()


def job(number: int, hostname: str, *, session: Any, job_type: str = "DagProcessorJob", ago: float = 0) -> None:
    """A job of Airflow's."""
    from airflow.jobs.job import Job
    from sqlalchemy import insert

    beat = NOW - timedelta(seconds=ago)
    values = {"id": number, "job_type": job_type, "state": "running", "hostname": hostname, "latest_heartbeat": beat}
    session.execute(insert(Job.__table__).values(**values))
    session.commit()


def test_dag_processors_are_named_where_sensors_were_parsed_without_the_package(health, session):
    scene.save(waiting("with", marked=True), session=session)
    assert health.policy().status == "healthy"
    scene.save(waiting("without", marked=False), session=session)
    job(1, "scheduling", session=session, job_type="SchedulerJob")
    job(2, "parsing", session=session)
    job(3, "dead", session=session, ago=600)
    found = health.policy()
    assert (found.status, found.tasks) == ("degraded", (("without", "t"),))
    assert "1 sensor was parsed without it" in found.detail
    assert "job #2 on parsing" in found.detail
    assert "scheduling" not in found.detail
    assert "dead" not in found.detail


def test_a_mapped_sensor_has_no_mark_to_miss(health, session):
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

    build = lambda: ExternalTaskSensor.partial(task_id="t").expand(external_dag_id=["up"])  # noqa: E731
    scene.save(history.dag("mapped", build), session=session)
    assert health.policy().status == "healthy"


def test_workers_are_named_on_which_the_last_sensor_was_not_recorded(health, session):
    scene.save(waiting("a", marked=True), waiting("b", marked=True), session=session)
    assert health.listener().status == "healthy"
    ran("a", "installed-since", session=session, day=2.1, recorded=False)
    ran("a", "installed-since", session=session, day=2.2, recorded=True)
    ran("a", "without", session=session, day=2.3, recorded=True)
    ran("a", "without", session=session, day=2.4, recorded=False)
    ran("b", "without", session=session, day=2.5, recorded=False)
    ran("b", "with", session=session, day=2.6, recorded=True)
    ran("b", "failing", session=session, day=2.7, recorded=False, state="failed")
    ran("b", "long-ago", session=session, day=1.5, recorded=False)
    ran("b", "", session=session, day=2.8, recorded=False)  # a person said that it succeeded
    found = health.listener()
    assert found.status == "degraded"
    assert "without (2)." in found.detail
    for other in ("installed-since", "with ", "failing", "long-ago"):
        assert other not in found.detail.replace("without", "")


def test_other_sensors_are_no_evidence(health, session):
    """Nobody records a sensor that isn't made from Airflow's."""
    from airflow.sdk import BaseSensorOperator

    from airflow_rerun_downstream.policy import task_policy

    class Latest(BaseSensorOperator):
        external_dag_id = "up"

        def poke(self, context: Any) -> bool:
            return True

    scene.save(history.dag("a", lambda: task_policy(Latest(task_id="t"))), session=session)
    ran("a", "worker", session=session, day=2.5, recorded=False)
    assert health.listener().status == "healthy"


def test_times_are_aware(session):
    from airflow_rerun_downstream.airflow3.installation import airflow_processes

    scene.save(waiting("a", marked=True), session=session)
    parsed = airflow_processes.last_parsed(session, ["a"])
    assert parsed is not None
    assert abs(parsed - datetime.now(timezone.utc)) < DAY
    assert airflow_processes.last_parsed(session, []) is None
