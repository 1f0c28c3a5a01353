"""What the worker's listener leaves, from sensors that Airflow's own task runner ran."""

from __future__ import annotations

import inspect
import json
import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY, waited_value
from airflow_rerun_downstream.airflow3.database.untrusted_values import Waited, read_waited
from tests.airflow3 import history, scene

START = scene.START
DAY = timedelta(days=1)


def managers() -> list[Any]:
    """Where listeners are registered: 3.2 and 3.3 have a second place, for tasks."""
    from airflow.listeners import listener

    found = [listener.get_listener_manager()]
    try:
        from airflow.sdk import listener as of_tasks  # 3.2+
    except ImportError:
        return found
    return [*found, of_tasks.get_listener_manager()]


@cache
def ready_api() -> Any:
    """Airflow's execution API inside this process.

    Before 3.3 the first task doesn't wait until it has started, and nothing keeps it from being collected.
    """
    from airflow.api_fastapi.execution_api.app import InProcessExecutionAPI

    api = InProcessExecutionAPI()
    assert api.transport
    for _ in range(200):
        if hasattr(api.app.state, "svcs_registry"):
            return api
        time.sleep(0.05)
    raise TimeoutError("the execution API did not start")


@pytest.fixture
def listening(mocker: MockerFixture) -> Iterator[None]:
    """Our listener, registered as the plugin does it, for as long as the test runs."""
    from airflow.sdk.execution_time import supervisor

    from airflow_rerun_downstream.airflow3.hooks import listener

    mocker.patch.object(supervisor, "in_process_api_server", ready_api)
    added = [manager for manager in managers() if not manager.pm.is_registered(listener)]
    for manager in added:
        manager.add_listener(listener)
    yield
    for manager in added:
        manager.pm.unregister(listener)


def sensor(**arguments: Any) -> Any:
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

    arguments = {"external_dag_id": "up", "poke_interval": 0.1, "timeout": 5, **arguments}
    return ExternalTaskSensor(task_id="wait", **arguments)


def yesterday_and_today(date: datetime) -> list[datetime]:
    return [date - DAY, date]


def ran(session: Any, build: Any, *, days: tuple[int, ...] = (0, 1)) -> list[dict[str, Any]]:
    """Run a Dag of the day 1 whose sensor waits for ``up``; answer the values under our key by map index."""
    scene.save(history.dag("up"), session=session)
    for day in days:
        scene.create_run("up", session=session, day=day)
    dag = history.dag("waiting", build)
    scene.save(dag, session=session)
    dag.test(logical_date=START + DAY)
    session.rollback()
    return recorded(session)


def recorded(session: Any) -> list[Any]:
    from sqlalchemy import select

    from airflow_rerun_downstream.airflow3.task_tables import XCOM

    table = XCOM.c
    found = session.execute(select(table.value).where(table.key == WAITED_KEY).order_by(table.map_index))
    return [row.value for row in found]


WAITS = {
    "the same date": ({"external_task_id": "t"}, ["t"], None, [START + DAY]),
    "a day before": ({"external_task_id": "t", "execution_delta": DAY}, ["t"], None, [START]),
    "a function of several dates": ({"execution_date_fn": yesterday_and_today}, [], None, [START, START + DAY]),
    "a template": ({"external_task_ids": ["{{ 't' }}"]}, ["t"], None, [START + DAY]),
    "in reschedule mode": ({"external_task_id": "t", "mode": "reschedule"}, ["t"], None, [START + DAY]),
}


@pytest.mark.parametrize("name", WAITS)
def test_what_a_sensor_waited_for_is_recorded_once(session, listening, name):
    arguments, task_ids, group_id, dates = WAITS[name]
    assert ran(session, lambda: sensor(**arguments)) == [waited_value("up", task_ids, group_id, dates)]


def test_a_deferred_sensor_is_recorded_when_it_has_come_back(session, listening):
    values = ran(session, lambda: sensor(external_task_id="t", deferrable=True, execution_delta=DAY))
    assert values == [waited_value("up", ["t"], None, [START])]


def test_each_index_of_a_mapped_sensor_is_recorded(session, listening):
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

    def build() -> None:
        partial = ExternalTaskSensor.partial(task_id="wait", external_dag_id="up", poke_interval=0.1, timeout=5)
        partial.expand(execution_delta=[DAY, timedelta(0)])

    values = ran(session, build)
    assert values == [waited_value("up", [], None, [date]) for date in (START, START + DAY)]


def test_a_group_is_recorded(session, listening):
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import TaskGroup

    def upstream() -> None:
        with TaskGroup("g"):
            EmptyOperator(task_id="t")

    scene.save(history.dag("grouped", upstream), session=session)
    scene.create_run("grouped", session=session, day=1)
    values = ran(session, lambda: sensor(external_dag_id="grouped", external_task_group_id="g"))
    assert values == [waited_value("grouped", [], "g", [START + DAY])]


def test_the_facts_tell_what_was_recorded(session, listening):
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    ran(session, lambda: sensor(external_task_id="t", execution_delta=DAY))
    (found,) = readers(session).tasks.recorded_waits([("waiting", "wait")], since=START, dates={})
    assert (found.consumer.dag_id, found.task_id, found.external_dag_id) == ("waiting", "wait", "up")
    assert (found.task_ids, found.group_id, found.dates) == ({"t"}, None, (START,))


def test_a_sensor_that_did_not_succeed_leaves_nothing(session, listening):
    assert ran(session, lambda: sensor(external_task_id="t", timeout=0.2), days=(0,)) == []
    assert ran(session, lambda: sensor(external_task_id="t", timeout=0.2, soft_fail=True), days=()) == []


def test_the_authors_own_value_of_that_key_stays(session, listening):
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

    class Talkative(ExternalTaskSensor):
        def poke(self, context):
            context["ti"].xcom_push(key=WAITED_KEY, value="mine")
            return True

    values = ran(session, lambda: Talkative(task_id="wait", external_dag_id="up"))
    assert values == ["mine"]


def test_the_authors_own_value_stays_in_a_mapped_sensor(session, listening):
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

    class Talkative(ExternalTaskSensor):
        def poke(self, context):
            context["ti"].xcom_push(key=WAITED_KEY, value="mine")
            return True

    values = ran(session, lambda: Talkative.partial(task_id="wait").expand(external_dag_id=["up", "elsewhere"]))
    assert values == ["mine", "mine"]


@pytest.mark.parametrize("mapped", [False, True])
def test_looking_for_the_authors_value_leaves_nothing_in_any_log(session, listening, mocker, mapped):
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk.api import client
    from airflow.sdk.bases import xcom

    logs = [mocker.patch.object(module, "log") for module in (client, xcom)]

    def build() -> None:
        partial = ExternalTaskSensor.partial(task_id="wait", external_dag_id="up", poke_interval=0.1, timeout=5)
        partial.expand(execution_delta=[DAY, timedelta(0)])

    assert len(ran(session, build if mapped else lambda: sensor(external_task_id="t"))) == 1 + mapped
    said = [str(call) for log in logs for call in log.method_calls if "XCom" in str(call)]
    assert said == []


def test_an_error_of_ours_does_not_reach_the_task(session, listening, mocker):
    from airflow_rerun_downstream.airflow3.hooks import listener

    broken = mocker.patch.object(listener, "waited_dates", side_effect=RuntimeError("odd"))
    assert ran(session, lambda: sensor(external_task_id="t")) == []
    assert broken.called
    (run,) = scene.rows("dag_run", session=session, dag_id="waiting")
    assert run["state"] == "success"


def test_other_tasks_and_marks_by_hand_are_not_looked_at(session, caplog, mocker):
    from airflow_rerun_downstream.airflow3.hooks import listener

    record = mocker.patch.object(listener, "record")
    scene.save(history.dag("up"), history.dag("waiting", sensor), session=session)
    for dag_id, task_id in (("up", "t"), ("waiting", "wait")):
        marked = scene.instance(scene.create_run(dag_id, session=session), task_id, session=session)
        with caplog.at_level(logging.ERROR):
            listener.on_task_instance_success(None, marked)
    listener.on_task_instance_success(None, object())
    assert not record.called
    assert not caplog.records


def test_a_record_keeps_its_meaning():
    value = waited_value("up", ("b", "a"), "g", [datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))])
    assert value["dates"] == ["2026-01-01T00:00:00+00:00"]
    date = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert read_waited(json.dumps(value)) == Waited("up", frozenset({"a", "b"}), "g", (date,))


def test_what_is_called_of_airflow_is_as_it_was():
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    def parameters(function: Any) -> list[str]:
        return list(inspect.signature(function).parameters)

    assert parameters(ExternalTaskSensor._get_dttm_filter) == ["self", "context"]
    assert parameters(RuntimeTaskInstance.xcom_push) == ["self", "key", "value"]
    assert {"task_ids", "key"} <= set(parameters(RuntimeTaskInstance.xcom_pull))
    assert parameters(RuntimeTaskInstance.get_template_context) == ["self"]
    for manager in managers():
        hook = manager.pm.hook.on_task_instance_success
        assert set(hook.spec.argnames) >= {"previous_state", "task_instance"}
