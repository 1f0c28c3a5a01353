"""What is told of sensors, for each run and map index by itself: recorded, derived, assumed, or not to be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.definitions import DagVersion, DeclaredLink, Definitions, SensorDefinition
from airflow_rerun_downstream.domain.facts import TaskInstanceFacts
from airflow_rerun_downstream.domain.lineage_records import DoubtfulRecord, RecordedWait
from airflow_rerun_downstream.domain.plan import Link, Plan
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.values import UNTOLD
from airflow_rerun_downstream.lineage.declarations import Declarations
from airflow_rerun_downstream.ports.lineage import LineageFacts
from tests.fakes.lineage import FakeFacts, FakeTaskRecords
from tests.fakes.world import START, World
from tests.lineage.planning import NOW, codes, links, plan

OPEN = {("up", "reader", "sensor", "unresolved")}
DERIVED = {("up", "reader", "sensor", "derived")}
RECORDED = {("up", "reader", "sensor", "recorded")}


@pytest.fixture
def world() -> World:
    made = World()
    made.dag("up", "load; side")
    made.dag("reader", "wait >> use")
    return made


def sensor(external: str = "up", **more: Any) -> SensorDefinition:
    return SensorDefinition("reader", "wait", external, **{"offset_known": True, **more})


BY_FUNCTION = sensor(has_date_function=True)


def record(
    consumer: RunRef, *dates: datetime, dag_id: str = "up", task_id: str = "wait", index: int = -1, tasks: str = ""
) -> tuple[datetime, RecordedWait]:
    return NOW, RecordedWait(consumer, task_id, index, dag_id, frozenset(tasks.split()), None, dates)


def unresolved(found: Plan) -> Link:
    (link,) = (each for each in found.links if each.evidence.value == "unresolved")
    return link


def test_one_record_does_not_silence_the_other_runs_of_a_date_function(world: World) -> None:
    world.sensors.append(BY_FUNCTION)
    source = world.run("up", day=3)
    readers = [world.run("reader", day=3 + hour / 24) for hour in range(3)]
    world.waits.append(record(readers[0], START + timedelta(days=3)))
    found = plan(world, source)
    assert links(found) == RECORDED | OPEN
    assert unresolved(found).via["run_ids"] == sorted(each.run_id for each in readers[1:])
    assert "2 of its runs" in unresolved(found).via["why"]
    world.waits += [record(each, START + timedelta(days=2)) for each in readers[1:]]
    assert links(plan(world, source)) == RECORDED


def test_only_runs_that_have_waited_since_the_source_may_have_waited_for_it(world: World) -> None:
    world.sensors.append(BY_FUNCTION)
    source = world.run("up", day=3)
    world.run("reader", day=2)
    world.run("reader", day=4, state="running")
    assert links(plan(world, source)) == set()
    failed = world.run("reader", day=5, state="failed")
    found = plan(world, source)
    assert links(found) == OPEN
    assert unresolved(found).via["run_id"] == failed.run_id


@pytest.mark.parametrize("definition", [BY_FUNCTION, sensor()])
def test_a_sensor_that_a_branch_skipped_has_read_nothing(world: World, definition: SensorDefinition) -> None:
    world.sensors.append(definition)
    source, reader = world.run("up"), world.run("reader")
    world.pass_by(reader, "wait")
    assert links(plan(world, source)) == set()


@pytest.mark.parametrize(("definition", "expected"), [(BY_FUNCTION, OPEN), (sensor(), DERIVED)])
def test_a_sensor_that_skipped_itself_had_waited(
    world: World, definition: SensorDefinition, expected: set[tuple[str, str, str, str]]
) -> None:
    world.sensors.append(definition)
    source, reader = world.run("up"), world.run("reader")
    world.skip_itself(reader, "wait", at=START + timedelta(hours=1))
    assert links(plan(world, source)) == expected


@pytest.mark.parametrize("state", ["removed", "upstream_failed"])
def test_a_sensor_that_never_looked_has_read_nothing(world: World, state: str) -> None:
    world.sensors.append(sensor())
    source = world.run("up")
    world.run("reader", task_states={"wait": state})
    assert links(plan(world, source)) == set()


def test_a_sensor_that_is_still_to_wait_counts_by_its_offset(world: World) -> None:
    world.sensors.append(sensor())
    source = world.run("up")
    world.run("reader", state="queued")
    assert links(plan(world, source)) == DERIVED


def test_a_run_without_the_sensors_instance_is_no_consumer(world: World) -> None:
    world.sensors.append(sensor())
    source, reader = world.run("up"), world.run("reader")
    world.tasks[reader] = [each for each in world.tasks[reader] if each.task_id != "wait"]
    assert links(plan(world, source)) == set()


NAMED = sensor("{{ params.dag }}", task_ids=frozenset({"{{ params.task }}"}), params=(("dag", "up"), ("task", "load")))


@pytest.mark.parametrize(
    ("definition", "conf", "expected"),
    [
        (NAMED, {}, [("derived", ["load"])]),
        (NAMED, {"task": "side"}, [("derived", ["side"])]),
        (NAMED, {"dag": "other"}, []),
        (NAMED, {"dag": UNTOLD}, [("unresolved", None)]),
        (replace(NAMED, params=None), {}, [("unresolved", None)]),
        (replace(NAMED, params=()), {}, [("unresolved", None)]),
        (replace(NAMED, params=()), {"dag": "up", "task": "load"}, [("derived", ["load"])]),
        (replace(NAMED, mapped=True), {}, [("unresolved", None)]),
        (replace(NAMED, mapped=True, map_indexes=frozenset({0})), {}, [("derived", ["load"])]),
        (sensor("{{ 'up' if ds_nodash > '20261031' else 'other' }}"), {}, [("derived", None)]),
        (sensor("{{ var.value.dag }}"), {}, [("unresolved", None)]),
    ],
)
def test_names_that_airflow_has_forgotten_are_told_by_params(
    world: World, definition: SensorDefinition, conf: dict[str, Any], expected: list[tuple[str, list[str] | None]]
) -> None:
    world.sensors.append(definition)
    source, reader = world.run("up"), world.run("reader")
    world.confs[reader] = conf
    found = plan(world, source)
    assert [(link.evidence.value, link.via.get("external_task_ids")) for link in found.links] == expected


def test_what_airflow_rendered_comes_before_what_can_be_reckoned(world: World, mocker: MockerFixture) -> None:
    world.sensors.append(NAMED)
    source, reader = world.run("up"), world.run("reader")
    world.rendered[reader, "wait", -1] = {"external_dag_id": "other"}
    facts = FakeFacts(world)
    asked = mocker.spy(facts.runs, "confs")
    assert links(plan(world, source, facts=facts)) == set()
    assert asked.call_count == 0, "nothing is left to be reckoned"


def test_a_configuration_is_left_aside_where_the_deployment_says_so(world: World) -> None:
    world.sensors.append(NAMED)
    source, reader = world.run("up"), world.run("reader")
    world.confs[reader] = {"dag": "other"}
    assert links(plan(world, source)) == set()
    world.conf_overrides = False
    assert links(plan(world, source)) == DERIVED


def test_a_sensor_without_an_offset_is_open_only_to_the_dag_that_its_params_name(world: World) -> None:
    world.dag("other", "load")
    world.sensors.append(replace(NAMED, has_date_function=True))
    source, another = world.run("up"), world.run("other")
    world.run("reader", day=1)
    assert links(plan(world, source)) == OPEN
    assert links(plan(world, another)) == set()


def test_each_map_index_is_told_by_itself(world: World) -> None:
    world.dag("other", "load")
    world.sensors += [
        sensor("other", mapped=True, map_indexes=frozenset({0})),
        sensor("up", mapped=True, map_indexes=frozenset({1, 2})),
    ]
    source, reader = world.run("up", day=1), world.run("reader", day=1)
    world.expand(reader, "wait", 3)
    world.waits.append(record(reader, START + timedelta(days=1), dag_id="other", index=0))
    assert links(plan(world, source)) == DERIVED
    world.waits.append(record(reader, START, index=1))
    assert links(plan(world, source)) == DERIVED
    world.waits.append(record(reader, START, index=2))
    assert links(plan(world, source)) == set()


def test_the_offset_of_a_map_index_is_its_own(world: World) -> None:
    world.sensors += [
        sensor(mapped=True, map_indexes=frozenset({0}), task_ids=frozenset({"load"})),
        sensor(mapped=True, map_indexes=frozenset({1}), task_ids=frozenset({"side"}), offset=86_400.0),
    ]
    source = world.run("up")
    readers = [world.run("reader", day=day) for day in (0, 1, 2)]
    for each in readers:
        world.expand(each, "wait", 2)
    found = plan(world, source)
    assert [(link.downstream, link.via["external_task_ids"]) for link in found.links] == [
        (readers[0], ["load"]),
        (readers[1], ["side"]),
    ]


def test_indexes_that_nobody_can_tell_apart_are_derived_beside_a_record(world: World) -> None:
    world.sensors.append(sensor(mapped=True, task_ids=frozenset({"load", "side"})))
    source, reader = world.run("up"), world.run("reader")
    world.expand(reader, "wait", 2)
    world.waits.append(record(reader, START, index=0, tasks="load"))
    assert links(plan(world, source)) == RECORDED | DERIVED
    world.waits.append(record(reader, START, index=1, tasks="side"))
    assert links(plan(world, source)) == RECORDED


def test_an_index_without_a_record_adds_nothing_to_what_a_record_tells(world: World) -> None:
    world.sensors.append(sensor(mapped=True, task_ids=frozenset({"load"})))
    source, reader = world.run("up"), world.run("reader")
    world.expand(reader, "wait", 2)
    world.waits.append(record(reader, START, index=0, tasks="load"))
    assert links(plan(world, source)) == RECORDED


def test_a_record_counts_whatever_the_dag_says_by_now(world: World) -> None:
    """The sensor waits for another Dag, has another name, or its Dag has gone."""
    world.dag("gone", "waited")
    source = world.run("up")
    moved, gone = world.run("reader"), world.run("gone")
    world.sensors.append(sensor("elsewhere", own_class="Chooses"))
    world.waits += [record(moved, START), record(gone, START, task_id="waited")]
    world.lose("gone")
    assert links(plan(world, source)) == {*RECORDED, ("up", "gone", "sensor", "recorded")}
    assert links(plan(world, world.run("elsewhere"))) == set()


def test_where_versions_are_too_many_to_read_every_record_is_looked_at(world: World) -> None:
    source, reader = world.run("up"), world.run("reader")
    world.sensors.append(sensor("elsewhere"))
    world.waits.append(record(reader, START))
    assert links(plan(world, source)) == set()
    world.earlier = Definitions(complete=False)
    assert links(plan(world, source)) == RECORDED


def test_where_versions_are_too_many_to_read_each_reader_is_asked_for_its_own(world: World) -> None:
    source, reader = world.run("up"), world.run("reader")
    world.sensors.append(sensor())
    world.earlier = Definitions(complete=False)
    assert links(plan(world, source)) == DERIVED
    world.versions[reader] = DagVersion(world.structures["reader"])
    assert links(plan(world, source)) == set()


def test_a_class_of_somebodys_own_may_have_waited_for_any_run(world: World) -> None:
    world.sensors.append(sensor(own_class="LatestRun", recordable=False))
    source = world.run("up")
    world.run("reader", day=1)
    found = plan(world, source)
    assert links(found) == OPEN
    assert "LatestRun" in unresolved(found).via["why"]
    assert "declared_links_file" in unresolved(found).via["advice"]
    assert links(plan(world, world.run("other"))) == set()


@pytest.mark.parametrize(("own_class", "expected"), [("LatestRun", OPEN), (None, set())])
def test_only_a_class_of_somebodys_own_finds_a_run_without_a_logical_date(
    world: World, own_class: str | None, expected: set[tuple[str, str, str, str]]
) -> None:
    world.sensors.append(sensor(own_class=own_class, has_date_function=own_class is None))
    source = world.run("up", run_type="asset_triggered", logical_date=None)
    world.run("reader", day=1)
    assert links(plan(world, source)) == expected


@pytest.mark.parametrize(("to_task", "told"), [("wait", False), (None, False), ("use", True)])
def test_a_declared_link_makes_such_a_sensor_known(world: World, to_task: str | None, told: bool) -> None:
    world.sensors.append(sensor(own_class="LatestRun", recordable=False))
    source = world.run("up")
    world.run("reader")
    declared = DeclaredLink("up", None, "reader", to_task, {}, "same", "", "links.yaml", 1)
    found = links(plan(world, source, declarations=Declarations((declared,))))
    assert found == {("up", "reader", "declared", "declared")} | (OPEN if told else set())


def test_an_unknown_offset_is_told_until_every_run_is_recorded(world: World) -> None:
    world.sensors.append(sensor(offset_known=False))
    source = world.run("up")
    readers = [world.run("reader", day=day) for day in (0, 1)]
    found = plan(world, source)
    assert links(found) == {("up", "reader", "sensor", "assumed")} | OPEN
    assert "unresolved_link" in codes(found)
    assert "reserialize" in unresolved(found).via["advice"]
    world.waits += [record(each, START) for each in readers]
    assert links(plan(world, source)) == RECORDED


def test_a_sensor_that_can_only_mean_other_tasks_is_not_told(world: World) -> None:
    world.sensors.append(replace(BY_FUNCTION, task_ids=frozenset({"side"})))
    source = world.run("up")
    world.run("reader")
    assert links(plan(world, source, tasks=(TaskRef("load"),))) == set()
    assert links(plan(world, source, tasks=(TaskRef("side"),))) == OPEN


def test_a_date_function_of_an_earlier_version_counts_for_its_runs(world: World) -> None:
    source, old, new = world.run("up"), world.run("reader"), world.run("reader", day=1)
    world.sensors.append(sensor())
    world.earlier = Definitions(sensors=(BY_FUNCTION,), changed=frozenset({"reader"}))
    assert links(plan(world, source)) == DERIVED
    world.versions[old] = DagVersion(world.structures["reader"], Definitions(sensors=(BY_FUNCTION,)))
    found = plan(world, source)
    assert links(found) == OPEN
    assert unresolved(found).via["run_id"] == old.run_id != new.run_id


def test_a_rendered_field_that_names_another_dag_is_an_answer(world: World) -> None:
    world.sensors.append(sensor("{{ params.up }}", has_date_function=True))
    source, reader = world.run("up"), world.run("reader")
    assert links(plan(world, source)) == OPEN
    world.rendered[reader, "wait", -1] = {"external_dag_id": "elsewhere"}
    assert links(plan(world, source)) == set()
    world.rendered[reader, "wait", -1] = {"external_dag_id": "up"}
    assert links(plan(world, source)) == OPEN


def test_a_record_that_cannot_be_read_leaves_the_sensor_open(world: World) -> None:
    world.sensors.append(BY_FUNCTION)
    source, reader = world.run("up"), world.run("reader")

    class Spoilt(FakeTaskRecords):
        def recorded_waits(self, *_: Any, **__: Any) -> Any:
            return [DoubtfulRecord(reader, "wait", -1, Sentence("link.no_run_recorded"))]

    facts = FakeFacts(world)
    found = plan(world, source, facts=LineageFacts(facts.runs, facts.dags, facts.assets, Spoilt(world)))
    assert links(found) == OPEN
    assert Sentence("link.no_run_recorded") in unresolved(found).via["why"]
    assert unresolved(found).via["to_do"] == ["look_by_hand"]


READERS = 4
KINDS = ("derived", "function", "own", "unmarked")


@given(
    kind=st.sampled_from(KINDS),
    states=st.lists(st.sampled_from(["success", "failed", "running", "passed_by", "skipped_itself", "missing"]),
                    min_size=READERS, max_size=READERS),
    recorded=st.lists(st.sampled_from([None, -1, 0, 1]), min_size=READERS, max_size=READERS),
)  # fmt: skip
def test_no_reader_is_lost_and_none_invented(kind: str, states: list[str], recorded: list[int | None]) -> None:
    """A day's run of ``up`` and readers of that day and later ones; a record names the day that was really read."""
    world = World()
    world.dag("reader", "wait >> use")
    source = world.run("up")
    definition = {
        "derived": sensor(),
        "function": BY_FUNCTION,
        "own": sensor(own_class="Own"),
        "unmarked": sensor(offset_known=False),
    }[kind]
    world.sensors.append(definition)
    proven, possible, certain = set(), set(), set()
    for day, (state, read) in enumerate(zip(states, recorded, strict=True)):
        reader = world.run("reader", day=day, state=state if state in ("success", "failed", "running") else "success")
        if state == "passed_by":
            world.pass_by(reader, "wait")
        elif state == "skipped_itself":
            world.skip_itself(reader, "wait", at=START + timedelta(days=day))
        elif state == "missing":
            world.tasks[reader] = [TaskInstanceFacts("use", -1, "success")]
        if state == "success" and read is not None:
            world.waits.append(record(reader, START + timedelta(days=read)))
            proven |= {reader} if read == 0 else set()
        elif state in ("success", "failed", "skipped_itself") and kind != "derived":
            possible.add(reader)
        if day == 0 and kind in ("derived", "unmarked") and (state, read is not None) != ("success", True):
            certain |= {reader} if state not in ("passed_by", "missing") else set()
    found = plan(world, source)
    by_evidence = {
        evidence: {link.downstream for link in found.links if link.evidence.value == evidence}
        for evidence in ("recorded", "derived", "assumed")
    }
    assert by_evidence["recorded"] == proven
    assert by_evidence["derived" if kind == "derived" else "assumed"] == certain
    told = [link for link in found.links if link.evidence.value == "unresolved"]
    named = {run_id for link in told for run_id in link.via.get("run_ids", [link.via.get("run_id")])}
    assert named == {each.run_id for each in possible}
