"""The policy's mark, through Airflow's own parsing, serialization and rendering."""

from __future__ import annotations

import importlib.metadata
import logging
from datetime import datetime, timedelta, timezone
from typing import Any

import pendulum
import pytest
from dateutil.relativedelta import FR, relativedelta

from airflow_rerun_downstream import harmless
from airflow_rerun_downstream.airflow3.database.sensor_marks import (
    OFFSET_ATTRIBUTE,
    RESET_ATTRIBUTE,
    STANDARD_SENSOR,
    offset_mark,
)
from tests.airflow3 import scene  # noqa: F401  (Airflow is configured by it)

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def sensor(**arguments: Any) -> Any:
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk import DAG

    with DAG("looking", schedule=None, start_date=START):
        return ExternalTaskSensor(task_id="wait", external_dag_id="up", **arguments)


def apply(task: Any) -> Any:
    from airflow_rerun_downstream import policy

    policy.task_policy(task)
    return task


def serialized(dag: Any) -> dict[str, Any]:
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    tasks = LazyDeserializedDAG.from_dag(dag).data["dag"]["tasks"]
    return {task["__var"]["task_id"]: task["__var"] for task in tasks}


def dates(logical_date: datetime, **_: Any) -> datetime:
    return logical_date


DELTAS = {
    "none": (None, {"seconds": 0.0}),
    "hours": (timedelta(hours=3), {"seconds": 10800.0}),
    "negative": (timedelta(days=-1), {"seconds": -86400.0}),
    "parts of a second": (timedelta(milliseconds=1500), {"seconds": 1.5}),
    "pendulum": (pendulum.duration(days=1, hours=3), {"seconds": 97200.0}),
    "pendulum months": (
        pendulum.duration(months=1, weeks=1, days=2, hours=3, minutes=4, seconds=5),
        {"relative": {"months": 1, "days": 9, "hours": 3, "minutes": 4, "seconds": 5}},
    ),
    "pendulum interval": (pendulum.datetime(2026, 3, 1) - pendulum.datetime(2026, 1, 1), {"date_function": "Interval"}),
    "relativedelta": (relativedelta(months=1, hours=-2), {"relative": {"months": 1, "hours": -2}}),
    "relativedelta of days": (relativedelta(days=2), {"relative": {"days": 2}}),
    "midnight": (relativedelta(hour=0), {"date_function": "relativedelta"}),
    "first of the month": (relativedelta(day=1), {"date_function": "relativedelta"}),
    "last friday": (relativedelta(weekday=FR(-1)), {"date_function": "relativedelta"}),
}


@pytest.mark.parametrize("name", DELTAS)
def test_a_delta_is_serialized_as_numbers(name):
    delta, mark = DELTAS[name]
    task = apply(sensor(execution_delta=delta))
    assert serialized(task.dag)["wait"][OFFSET_ATTRIBUTE] == mark


@pytest.mark.parametrize("name", [name for name, (_, mark) in DELTAS.items() if "date_function" not in mark])
def test_the_mark_tells_the_dates_that_the_sensor_waits_for(name):
    delta, mark = DELTAS[name]
    task = sensor(execution_delta=delta)
    at = pendulum.datetime(2026, 3, 15, 7, 30)
    waited = task._get_dttm_filter({"logical_date": at})
    told = relativedelta(**mark["relative"]) if "relative" in mark else timedelta(seconds=mark["seconds"])
    assert waited == [at - told]


@pytest.mark.parametrize(("function", "name"), [(dates, "dates"), (lambda date: date, "<lambda>")])
def test_a_date_function_is_named(function, name):
    task = apply(sensor(execution_date_fn=function))
    assert serialized(task.dag)["wait"][OFFSET_ATTRIBUTE] == {"date_function": name}


def test_a_subclass_is_marked_and_one_that_reckons_by_itself_is_a_date_function():
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk import DAG

    class Daily(ExternalTaskSensor):
        def __init__(self, **arguments):
            super().__init__(execution_delta=timedelta(days=1), **arguments)

    class Own(ExternalTaskSensor):
        def _get_dttm_filter(self, context):
            return []

    with DAG("looking", schedule=None, start_date=START) as dag:
        apply(Daily(task_id="daily", external_dag_id="up"))
        apply(Own(task_id="own", external_dag_id="up"))
    found = serialized(dag)
    assert found["daily"][OFFSET_ATTRIBUTE] == {"seconds": 86400.0}
    assert found["own"][OFFSET_ATTRIBUTE] == {"date_function": "_get_dttm_filter"}


def code_of_its_own() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Attributes of a subclass, and arguments, by which what is waited for may be decided when it runs."""

    def method(self: Any, *_: Any, **__: Any) -> None: ...

    return {
        "execute": ({"execute": method}, {}),
        "what follows a deferral": ({"execute_complete": method}, {}),
        "poke": ({"poke": method}, {}),
        "pre_execute": ({"pre_execute": method}, {}),
        "a hook": ({}, {"pre_execute": method}),
        "a property": ({"external_task_ids": property(method, method)}, {}),
    }


@pytest.mark.parametrize("name", list(code_of_its_own()))
def test_a_subclass_that_may_wait_for_anything_is_said_to(name):
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk import DAG

    attributes, arguments = code_of_its_own()[name]
    with DAG("looking", schedule=None, start_date=START) as dag:
        made = type("Chooses", (ExternalTaskSensor,), attributes)
        apply(made(task_id="wait", external_dag_id="up", **arguments))
        apply(type("Plain", (ExternalTaskSensor,), {"ui_color": "#fff"})(task_id="plain", external_dag_id="up"))
    found = serialized(dag)
    assert found["wait"][OFFSET_ATTRIBUTE] == {"own_class": "Chooses", "recorded": True}
    assert found["plain"][OFFSET_ATTRIBUTE] == {"seconds": 0.0}


def test_a_mixin_may_bring_the_code_too():
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk import DAG

    class Mixin:
        def poke(self, context):
            return True

    class Both(Mixin, ExternalTaskSensor):
        pass

    with DAG("looking", schedule=None, start_date=START) as dag:
        apply(Both(task_id="wait", external_dag_id="up"))
    assert serialized(dag)["wait"][OFFSET_ATTRIBUTE] == {"own_class": "Both", "recorded": True}


def test_a_sensor_of_somebodys_own_is_marked_with_the_dags_that_it_names():
    from airflow.sdk import DAG, BaseSensorOperator

    class Latest(BaseSensorOperator):
        def __init__(self, external_dag_ids=(), **more):
            super().__init__(**more)
            self.external_dag_ids = external_dag_ids

        def poke(self, context):
            return True

    with DAG("looking", schedule=None, start_date=START) as dag:
        task = apply(Latest(task_id="wait", external_dag_ids={"up", "over", "{{ x }}"}))
        apply(Latest(task_id="plain"))
    mark = {"own_class": "Latest", "recorded": False, "dag_ids": ["over", "up"], "more": True}
    found = serialized(dag)
    assert found["wait"][OFFSET_ATTRIBUTE] == mark
    assert OFFSET_ATTRIBUTE not in found["plain"]
    task.render_template_fields({})
    assert getattr(task, OFFSET_ATTRIBUTE) == mark


def test_the_class_keeps_its_template_fields_and_a_repeat_changes_nothing():
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

    before = list(ExternalTaskSensor.template_fields)
    task = apply(apply(sensor()))
    assert task.template_fields == [*before, OFFSET_ATTRIBUTE]
    assert list(ExternalTaskSensor.template_fields) == before


def test_rendering_leaves_the_mark_as_it_is():
    task = apply(sensor(execution_delta=timedelta(hours=3), external_task_id="{{ name }}"))
    task.render_template_fields({"name": "made"})
    assert task.external_task_id == "made"
    assert getattr(task, OFFSET_ATTRIBUTE) == {"seconds": 10800.0}


def test_a_mapped_sensor_stays_as_it_is_and_unmaps():
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk import DAG

    with DAG("looking", schedule=None, start_date=START):
        task = ExternalTaskSensor.partial(task_id="wait", execution_delta=timedelta(hours=1)).expand(
            external_dag_id=["a", "b"]
        )
    before = dict(task.partial_kwargs)
    apply(task)
    assert task.partial_kwargs == before
    assert task.unmap({"external_dag_id": "a"}).execution_delta == timedelta(hours=1)


def test_the_default_arguments_of_a_dag_reach_a_mapped_sensor_when_it_runs():
    """They aren't among its serialized arguments, so the facts read them from the Dag."""
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk import DAG

    with DAG("looking", schedule=None, start_date=START, default_args={"execution_delta": timedelta(hours=7)}) as dag:
        task = ExternalTaskSensor.partial(task_id="wait").expand(external_dag_id=["a", "b"])
    assert "execution_delta" not in serialized(dag)["wait"].get("partial_kwargs", {})
    assert task.unmap({"external_dag_id": "a"}).execution_delta == timedelta(hours=7)


def test_other_tasks_stay_as_they_are():
    from airflow.providers.standard.operators.empty import EmptyOperator

    task = apply(EmptyOperator(task_id="t"))
    assert not hasattr(task, OFFSET_ATTRIBUTE)
    assert OFFSET_ATTRIBUTE not in task.template_fields


class BrokenSensor:
    """What a policy must survive."""

    task_id = "broken"

    def __getattribute__(self, name):
        raise RuntimeError(name)


def test_no_dag_fails_because_of_the_policy(caplog, mocker):
    from airflow_rerun_downstream import policy

    harmless.forget()
    mocker.patch.object(policy, "mark", side_effect=RuntimeError("odd"))
    with caplog.at_level(logging.ERROR):
        policy.task_policy(sensor())
        policy.task_policy(sensor())
    assert [record.name for record in caplog.records] == ["airflow_rerun_downstream.harmless"]
    assert [(trouble.part, trouble.kind) for trouble in harmless.troubles()] == [("policy", "RuntimeError")]
    mocker.stopall()
    policy.task_policy(BrokenSensor())


def test_airflow_finds_the_policy_and_applies_it_while_it_parses(tmp_path):
    """Through the entry point, as in every process of an installation."""
    entries = [entry.value for entry in importlib.metadata.entry_points(group="airflow.policy")]
    if "airflow_rerun_downstream.policy" not in entries:
        pytest.skip("the environment was made before the package had entry points")
    (tmp_path / "dag.py").write_text(
        "from datetime import datetime, timedelta\n"
        "from airflow.sdk import DAG\n"
        "from airflow.providers.standard.sensors.external_task import ExternalTaskSensor\n"
        "with DAG('parsed', schedule=None, start_date=datetime(2026, 1, 1)) as dag:\n"
        "    ExternalTaskSensor(task_id='wait', external_dag_id='up', execution_delta=timedelta(hours=3))\n"
    )
    bag = dag_bag()(dag_folder=str(tmp_path))
    assert not bag.import_errors
    assert serialized(bag.dags["parsed"])["wait"][OFFSET_ATTRIBUTE] == {"seconds": 10800.0}


def dag_bag() -> Any:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag  # 3.1
    return DagBag


def test_the_sensor_is_where_the_policy_looks_for_it():
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

    assert (ExternalTaskSensor.__module__, ExternalTaskSensor.__name__) == STANDARD_SENSOR
    assert offset_mark(None, None) == {"seconds": 0.0}


@pytest.mark.parametrize("resets", [True, False])
def test_a_trigger_says_whether_it_resets_the_run_that_exists(resets):
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.sdk import DAG

    with DAG("making", schedule=None, start_date=START) as dag:
        task = apply(TriggerDagRunOperator(task_id="go", trigger_dag_id="{{ name }}", reset_dag_run=resets))
    assert serialized(dag)["go"][RESET_ATTRIBUTE] is resets
    task.render_template_fields({"name": "made"})
    assert (task.trigger_dag_id, getattr(task, RESET_ATTRIBUTE)) == ("made", resets)
    assert RESET_ATTRIBUTE not in TriggerDagRunOperator.template_fields
