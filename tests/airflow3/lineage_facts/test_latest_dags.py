"""What serialized Dags tell, from Dags that Airflow itself serialized."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta

from airflow_rerun_downstream.domain.definitions import MarkerDefinition, SensorDefinition, TriggerDefinition
from airflow_rerun_downstream.domain.values import UNTOLD
from tests.airflow3 import scene

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
UNKNOWN = "{{ mapped }}"
MAX_INDEXES = 100


def parsed(build: Any, *, policy: bool = True, **arguments: Any) -> Any:
    """A Dag named ``here`` with the tasks that ``build`` makes, serialized by Airflow and read by us."""
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    from airflow_rerun_downstream.airflow3.lineage_facts.serialized_dag import parse
    from airflow_rerun_downstream.policy import task_policy

    with DAG("here", schedule=None, start_date=START, **arguments) as dag:
        build()
    for task in dag.tasks if policy else ():
        task_policy(task)
    return parse("here", LazyDeserializedDAG.from_dag(dag).data["dag"])


def sensor_type() -> Any:
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

    return ExternalTaskSensor


def mapped(of: Any = None, **arguments: Any) -> Any:
    return (of or sensor_type()).partial(task_id="wait", **arguments)


def the_sensor(build: Any, **arguments: Any) -> SensorDefinition:
    (found,) = parsed(build, **arguments).definitions.sensors
    return found


def yesterday(date: datetime) -> datetime:
    return date - timedelta(days=1)


PLAIN = {
    "a task": ({"external_task_id": "t"}, {"task_ids": frozenset({"t"})}),
    "several tasks": ({"external_task_ids": ["t", "u"]}, {"task_ids": frozenset({"t", "u"})}),
    "a group": ({"external_task_group_id": "g"}, {"group_id": "g"}),
    "the whole Dag": ({}, {}),
    "a template": ({"external_task_id": "{{ params.t }}"}, {"task_ids": frozenset({"{{ params.t }}"})}),
    "hours": ({"execution_delta": timedelta(hours=3)}, {"offset": 10800.0}),
    "a month": ({"execution_delta": relativedelta(months=1)}, {"offset": {"months": 1}}),
    "a function": ({"execution_date_fn": yesterday}, {"has_date_function": True}),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_sensor_with_the_policys_mark(name):
    arguments, expected = PLAIN[name]
    found = the_sensor(lambda: sensor_type()(task_id="wait", external_dag_id="up", **arguments))
    assert found == SensorDefinition("here", "wait", "up", offset_known=True, **expected)


PARAMS = {
    "a text": ({"up": "a"}, {}, (("up", "a"),)),
    "a number, a list and nothing": ({"n": 1, "l": ["a"], "none": None}, {}, (("n", 1), ("l", UNTOLD), ("none", None))),
    "a long text": ({"up": "a" * 1_001}, {}, (("up", UNTOLD),)),
    "the task's own come first": ({"up": "a", "b": 1}, {"up": "c"}, (("up", "c"), ("b", 1))),
    "too many": ({f"p{number}": 1 for number in range(101)}, {}, None),
}


@pytest.mark.parametrize("name", PARAMS)
def test_the_params_of_a_sensor_with_templates(name):
    of_dag, own, expected = PARAMS[name]
    arguments = {"external_dag_id": "{{ params.up }}", "params": own}
    found = the_sensor(lambda: sensor_type()(task_id="wait", **arguments), params=of_dag)
    assert found.params == expected
    assert the_sensor(lambda: mapped(**arguments).expand(external_task_id=["t"]), params=of_dag).params == expected


def test_a_param_without_a_default_is_none():
    from airflow.sdk import Param

    build = lambda: sensor_type()(task_id="wait", external_dag_id="{{ params.up }}")  # noqa: E731
    params = {"up": Param(type="string"), "other": Param("a", type="string")}
    assert the_sensor(build, params=params).params == (("other", "a"),)


def test_params_that_nobody_can_tell():
    build = lambda: sensor_type()(task_id="wait", external_dag_id="{{ params.up }}")  # noqa: E731
    assert the_sensor(build, params={"up": "a"}, render_template_as_native_obj=True).params is None
    expanded = lambda: mapped(external_dag_id="{{ params.up }}").expand(params=[{"up": "a"}])  # noqa: E731
    assert {each.params for each in parsed(expanded, params={"up": "a"}).definitions.sensors} == {None}


def test_without_the_mark_the_offset_is_not_known():
    build = lambda: sensor_type()(task_id="wait", external_dag_id="up", execution_delta=timedelta(hours=3))  # noqa: E731
    assert the_sensor(build, policy=False) == SensorDefinition("here", "wait", "up", offset_known=False)


MAPPED = {
    "no delta": ({}, {"offset_known": True}),
    "hours": ({"execution_delta": timedelta(hours=3)}, {"offset": 10800.0, "offset_known": True}),
    "a month": ({"execution_delta": relativedelta(months=1)}, {"offset": {"months": 1}, "offset_known": True}),
    "first of month": ({"execution_delta": relativedelta(day=1)}, {"has_date_function": True, "offset_known": True}),
    "a function": ({"execution_date_fn": yesterday}, {"has_date_function": True, "offset_known": True}),
}


@pytest.mark.parametrize("name", MAPPED)
def test_a_mapped_sensor_needs_no_mark(name):
    arguments, expected = MAPPED[name]
    found = parsed(lambda: mapped(external_dag_id="up", **arguments).expand(external_task_id=["t", "u"]), policy=False)
    assert found.definitions.sensors == tuple(
        SensorDefinition(
            "here", "wait", "up", frozenset({name}), mapped=True, map_indexes=frozenset({index}), **expected
        )
        for index, name in enumerate("tu")
    )


def test_a_mapped_sensor_has_the_default_arguments_of_its_dag():
    found = the_sensor(
        lambda: mapped(external_dag_id="up").expand(external_task_id=["t"]),
        default_args={"execution_delta": timedelta(hours=7), "retries": 3},
    )
    assert (found.offset, found.offset_known) == (25200.0, True)


def test_a_delta_that_is_expanded_over_is_told_for_each_index():
    deltas = [timedelta(hours=1), timedelta(hours=2), timedelta(hours=1)]
    found = parsed(lambda: mapped(external_dag_id="up").expand(execution_delta=deltas)).definitions.sensors
    assert {each.map_indexes: each.offset for each in found} == {frozenset({0, 2}): 3600.0, frozenset({1}): 7200.0}
    assert all(each.offset_known and not each.decides_itself for each in found)


def test_arguments_of_each_index_are_told_where_the_dag_writes_them_down():
    each = [
        {"external_dag_id": "a", "execution_delta": timedelta(hours=1)},
        {"external_dag_id": "b", "external_task_id": "t"},
        {"external_dag_id": "a", "execution_date_fn": yesterday},
    ]
    found = parsed(lambda: mapped().expand_kwargs(each)).definitions.sensors
    assert [(one.external_dag_id, one.offset, one.has_date_function, one.map_indexes) for one in found] == [
        ("a", 3600.0, False, {0}),
        ("b", 0.0, False, {1}),
        ("a", 0.0, True, {2}),
    ]


def test_of_two_lists_nobody_can_tell_the_index():
    """A product: every Dag is waited for with every delta, and the order of the lists isn't kept."""
    deltas = [timedelta(hours=1), timedelta(hours=2)]
    several = parsed(lambda: mapped(external_task_id="t").expand(external_dag_id=["a", "b"], execution_delta=deltas))
    assert [(one.external_dag_id, one.decides_itself, one.map_indexes) for one in several.definitions.sensors] == [
        ("a", True, None),
        ("b", True, None),
    ]
    names = parsed(lambda: mapped().expand(external_dag_id=["a", "b"], external_task_id=["t", "u"])).definitions.sensors
    assert [(one.external_dag_id, one.task_ids, one.decides_itself) for one in names] == [
        ("a", {"t", "u"}, False),
        ("b", {"t", "u"}, False),
    ]
    (few,) = parsed(
        lambda: mapped(external_dag_id="up").expand(external_task_id=["t"], execution_delta=deltas[:1])
    ).definitions.sensors
    assert (few.offset, few.map_indexes) == (3600.0, {0})


def test_of_very_many_indexes_only_the_dags_are_told():
    tasks = [f"t{number}" for number in range(MAX_INDEXES + 1)]
    found = the_sensor(lambda: mapped(external_dag_id="up").expand(external_task_id=tasks))
    assert (found.task_ids, found.map_indexes) == (set(tasks), None)


def test_an_argument_of_a_mapped_group_is_no_text():
    from airflow.sdk import task_group

    def build() -> None:
        @task_group
        def each(name: Any) -> None:
            sensor_type()(task_id="wait", external_dag_id="up", external_task_id=name)
            sensor_type()(task_id="when", external_dag_id="up", execution_delta=name)

        each.expand(name=["x", "y"])

    one, two = parsed(build).definitions.sensors
    assert (one.external_dag_id, one.task_ids, one.templated, one.offset_known) == ("up", {UNKNOWN}, True, True)
    assert (two.external_dag_id, two.templated, two.has_date_function) == ("up", False, True)


def own_sensor(**attributes: Any) -> Any:
    from airflow.sdk import BaseSensorOperator

    class OwnSensor(BaseSensorOperator):
        def __init__(self, external_dag_id: Any = None, external_dag_ids: Any = None, **more: Any) -> None:
            super().__init__(**more)
            self.external_dag_id, self.external_dag_ids = external_dag_id, external_dag_ids

        def poke(self, context: Any) -> bool:
            return True

    return type("OwnSensor", (OwnSensor,), attributes)


FIELD = {"template_fields": ("external_dag_id",)}


@pytest.mark.parametrize(
    ("attributes", "arguments", "named"),
    [
        ({}, {"external_dag_id": "up"}, ["up"]),
        ({}, {"external_dag_ids": ("up", "over")}, ["over", "up"]),
        ({}, {"external_dag_ids": {"up": ["load"]}}, ["up"]),
        (FIELD, {"external_dag_id": "up"}, ["up"]),
        (FIELD, {"external_dag_id": "up_{{ params.x }}"}, ["up_{{ params.x }}"]),
        (FIELD, {"external_dag_id": "up", "external_dag_ids": ["over"]}, ["over", "up"]),
        ({}, {"external_dag_id": object()}, [UNKNOWN]),
        ({}, {"external_dag_ids": ["up", "{{ no field }}"]}, ["up", UNKNOWN]),
        ({"template_ext": (".sql",)}, {"external_dag_id": "up.sql"}, [UNKNOWN]),
        ({}, {}, []),
    ],
)
def test_a_sensor_of_somebodys_own_that_names_dags(attributes, arguments, named):
    found = parsed(lambda: own_sensor(**attributes)(task_id="wait", **arguments)).definitions.sensors
    assert [each.external_dag_id for each in found] == named
    assert all((each.own_class, each.recordable, each.offset_known) == ("OwnSensor", False, True) for each in found)


def test_without_the_mark_it_is_known_by_the_field_that_airflow_serializes():
    found = the_sensor(lambda: own_sensor(**FIELD)(task_id="wait", external_dag_id="up"), policy=False)
    assert (found.external_dag_id, found.own_class, found.offset_known) == ("up", "OwnSensor", False)


def test_a_mapped_one_needs_no_mark():
    build = lambda: own_sensor().partial(task_id="wait").expand(external_dag_id=["up", "over"])  # noqa: E731
    found = parsed(build, policy=False).definitions.sensors
    assert [(each.external_dag_id, each.own_class) for each in found] == [("up", "OwnSensor"), ("over", "OwnSensor")]


def test_a_mapped_subclass_may_have_an_offset_of_its_own():
    class Daily(sensor_type()):  # type: ignore[misc]
        pass

    build = lambda: mapped(Daily, external_dag_id="up").expand(external_task_id=["t"])  # noqa: E731
    assert not the_sensor(build).offset_known


def test_a_sensor_that_is_expanded_over_dags_has_a_definition_for_each():
    found = parsed(lambda: mapped(external_task_id="t").expand(external_dag_id=["a", "b"])).definitions.sensors
    assert [(each.external_dag_id, each.task_ids) for each in found] == [("a", {"t"}), ("b", {"t"})]


def test_a_sensor_that_is_expanded_over_another_tasks_result_is_a_template():
    from airflow.sdk import task

    @task
    def dags() -> list[dict[str, str]]:
        return []

    assert the_sensor(lambda: mapped().expand(external_dag_id=dags())).templated
    assert the_sensor(lambda: mapped().expand_kwargs(dags())).templated


def test_a_sensor_that_is_expanded_over_arguments():
    each = [{"external_dag_id": "a"}, {"external_dag_id": "b", "external_task_id": "t"}]
    found = parsed(lambda: mapped().expand_kwargs(each))
    assert [each.external_dag_id for each in found.definitions.sensors] == ["a", "b"]


def test_a_subclass_of_the_sensor_is_one():
    class Patient(sensor_type()):  # type: ignore[misc]
        template_fields = ("external_dag_id",)

    found = the_sensor(lambda: Patient(task_id="wait", external_dag_id="up", execution_delta=timedelta(hours=1)))
    assert found == SensorDefinition("here", "wait", "up", offset=3600.0, offset_known=True)


def marker_type() -> Any:
    from airflow.providers.standard.sensors.external_task import ExternalTaskMarker

    return ExternalTaskMarker


def test_markers():
    class Own(marker_type()):  # type: ignore[misc]
        pass

    def build() -> None:
        marker_type()(task_id="mark", external_dag_id="down", external_task_id="t")
        Own(task_id="own", external_dag_id="down", external_task_id="t", logical_date="{{ ds }}")
        marker_type().partial(task_id="many", external_dag_id="down").expand(external_task_id=["t", "u"])

    default = "{{ logical_date.isoformat() }}"
    found = parsed(build)
    assert set(found.definitions.markers) == {
        MarkerDefinition("here", "mark", "down", "t", default),
        MarkerDefinition("here", "own", "down", "t", "{{ ds }}"),
        MarkerDefinition("here", "many", "down", "t", default, mapped=True),
        MarkerDefinition("here", "many", "down", "u", default, mapped=True),
    }
    assert found.definitions.sensors == ()


def trigger_type() -> Any:
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

    return TriggerDagRunOperator


def test_triggers():
    class Own(trigger_type()):  # type: ignore[misc]
        pass

    def build() -> None:
        trigger_type()(task_id="go", trigger_dag_id="down")
        Own(task_id="own", trigger_dag_id="{{ params.down }}")
        trigger_type().partial(task_id="many").expand(trigger_dag_id=["a", "b"])
        trigger_type().partial(task_id="same", trigger_dag_id="down").expand(conf=[{}, {}])

    found = parsed(build)
    assert set(found.definitions.triggers) == {
        TriggerDefinition("here", "go", "down", last=True),
        TriggerDefinition("here", "own", "{{ params.down }}", params=(), last=True),
        TriggerDefinition("here", "many", "a", mapped=True, last=True),
        TriggerDefinition("here", "many", "b", mapped=True, last=True),
        TriggerDefinition("here", "same", "down", mapped=True, last=True),
    }
    assert all(node.triggers_dag_run for node in found.structure.tasks.values())


def test_the_structure():
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import TaskGroup

    def build() -> None:
        up = EmptyOperator(task_id="up").as_setup()
        with TaskGroup("outer"):
            first = EmptyOperator(task_id="first")
            with TaskGroup("inner"):
                second = EmptyOperator(task_id="second")
            with TaskGroup("flat", prefix_group_id=False):
                third = EmptyOperator(task_id="third")
        down = EmptyOperator(task_id="down").as_teardown(setups=up)
        up >> first >> [second, third] >> down

    found = parsed(build).structure
    nodes = found.tasks
    assert nodes["outer.first"].followers == {"outer.inner.second", "third"}
    assert nodes["outer.first"].leaders == {"up"}
    assert nodes["up"].is_setup
    assert nodes["down"].is_teardown
    assert nodes["down"].leaders == {"up", "outer.inner.second", "third"}
    assert (nodes["up"].operator, nodes["up"].triggers_dag_run) == ("EmptyOperator", False)
    assert found.groups == {
        "outer": {"outer.first", "outer.inner.second", "third"},
        "outer.inner": {"outer.inner.second"},
        "outer.flat": {"third"},
    } or found.groups == {
        "outer": {"outer.first", "outer.inner.second", "third"},
        "outer.inner": {"outer.inner.second"},
        "flat": {"third"},
    }


def simple(dag_id: str, *tasks: str, **arguments: Any) -> Any:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG(dag_id, schedule=None, start_date=START, **arguments) as dag:
        for task_id in tasks:
            EmptyOperator(task_id=task_id)
    return dag


def facts(session: Any) -> Any:
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    return readers(session)


@pytest.fixture
def forgetful(mocker):
    from airflow_rerun_downstream.airflow3.lineage_facts import latest_dags

    return mocker.patch.object(latest_dags, "MEMORY", latest_dags.Remembered())


def test_the_latest_version_counts_with_what_the_dags_row_says(session):
    scene.save(simple("a", "t", max_active_runs=3), session=session)
    scene.create_run("a", session=session)  # so that the version is in use, and the next one a new one
    scene.save(simple("a", "t", "u", max_active_runs=4), session=session)
    found = facts(session).dags.structures(["a", "gone"])
    assert set(found) == {"a"}
    assert set(found["a"].tasks) == {"t", "u"}
    assert (found["a"].is_paused, found["a"].max_active_runs) == (False, 4)


def test_a_version_that_is_written_anew_is_read_anew(session):
    scene.save(simple("a", "t"), session=session)
    assert set(facts(session).dags.structures(["a"])["a"].tasks) == {"t"}
    scene.save(simple("a", "v"), session=session)
    assert set(facts(session).dags.structures(["a"])["a"].tasks) == {"v"}


def test_a_dag_that_is_gone_has_a_structure_but_declares_nothing(session):
    from airflow.models.dag import DagModel
    from sqlalchemy import update

    def build(dag_id: str) -> Any:
        from airflow.sdk import DAG

        with DAG(dag_id, schedule=None, start_date=START) as dag:
            trigger_type()(task_id="go", trigger_dag_id="down")
        return dag

    scene.save(build("a"), build("b"), session=session)
    session.execute(update(DagModel).where(DagModel.dag_id == "a").values(is_stale=True))
    assert [each.dag_id for each in facts(session).dags.definitions().triggers] == ["b"]
    assert set(facts(session).dags.structures(["a", "b"])) == {"a", "b"}


def test_a_dag_is_parsed_once_in_a_process(database, session, forgetful):
    scene.save(*(simple(f"d{number}", "t") for number in range(30)), session=session)
    with database.counted() as first:
        facts(session).dags.definitions()
    with database.counted() as second:
        facts(session).dags.definitions()
        facts(session).dags.structures([f"d{number}" for number in range(30)])
    assert (len(first), len(second)) == (3, 3)
    assert not any("serialized_dag.data" in text for text in second.texts)


def test_compressed_dags_are_read(session, forgetful, mocker):
    from airflow.models import serialized_dag

    names = {"COMPRESS_SERIALIZED_DAGS", "_COMPRESS_SERIALIZED_DAGS"} & set(vars(serialized_dag))
    mocker.patch.object(serialized_dag, names.pop(), True)
    scene.save(simple("a", "t"), session=session)
    assert scene.rows("serialized_dag", session=session)[0]["data_compressed"]
    assert set(facts(session).dags.structures(["a"])["a"].tasks) == {"t"}


@pytest.mark.parametrize("data", [{}, {"dag": None}, {"dag": {"tasks": 7}}, {"dag": {"tasks": [{"__var": {}}, 3]}}])
def test_an_odd_dag_is_logged_and_the_others_are_told(session, forgetful, caplog, data):
    from airflow.models.serialized_dag import SerializedDagModel
    from sqlalchemy import update

    scene.save(simple("a", "t"), simple("odd", "t"), session=session)
    table = SerializedDagModel.__table__
    session.execute(update(table).where(table.c.dag_id == "odd").values(data=data))
    with caplog.at_level(logging.WARNING):
        found = facts(session).dags.structures(["a", "odd"])
        facts(session).dags.definitions()
    assert set(found["a"].tasks) == {"t"}
    assert "odd" in caplog.text
