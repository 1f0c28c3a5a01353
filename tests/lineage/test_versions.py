"""Plans over runs that aren't of their Dags' latest versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.definitions import (
    DagVersion,
    Definitions,
    InletDefinition,
    MarkerDefinition,
    PastDependency,
    SensorDefinition,
)
from airflow_rerun_downstream.domain.facts import TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.structures import Structures, merged
from tests.fakes.world import START, World
from tests.lineage.planning import codes, links, plan, selected


@pytest.fixture
def world() -> World:
    return World()


def new_version(
    world: World, dag_id: str, order: str, *refs: RunRef, pinned: bool = False, latest: bool = False
) -> None:
    """Change a Dag; the runs stay of the version before."""
    old = world.structures[dag_id]
    mine = Definitions(
        tuple(each for each in world.sensors if each.dag_id == dag_id),
        tuple(each for each in world.markers if each.dag_id == dag_id),
        tuple(each for each in world.triggers if each.dag_id == dag_id),
        tuple(each for each in world.past_dependencies if each.dag_id == dag_id),
        tuple(each for each in world.inlets if each.dag_id == dag_id),
    )
    world.dag(dag_id, order)
    world.structures[dag_id] = replace(world.structures[dag_id], version=old.version + 1, reruns_on_latest=latest)
    for ref in refs:
        world.versions[ref] = DagVersion(old, mine)
        world.set_run(ref, pinned=pinned)
    world.earlier = replace(mine, changed=frozenset({dag_id}))


def sensor(external: str, *, offset: float = 0.0) -> SensorDefinition:
    return SensorDefinition("reader", "wait", external, offset=offset, offset_known=True)


@pytest.fixture
def renamed(world: World) -> tuple[RunRef, RunRef]:
    """A reader's run of the version before a task in its middle was renamed."""
    world.dag("reader", "wait >> shape_old >> publish")
    world.sensors.append(sensor("src"))
    source, reader = world.run("src"), world.run("reader")
    new_version(world, "reader", "wait >> shape_new >> publish", reader)
    return source, reader


def test_what_follows_in_the_runs_own_version_is_polluted(world: World, renamed: tuple[RunRef, RunRef]) -> None:
    found = plan(world, renamed[0])
    assert selected(found) == {"reader": ["publish", "shape_old", "wait"]}
    (warning,) = [each for each in found.warnings if each.code == "task_gone_in_latest"]
    assert (warning.dag_id, warning.run_id, warning.task_id) == ("reader", renamed[1].run_id, "shape_old")
    assert "unknown_task" not in codes(found)


@pytest.mark.parametrize(("latest", "gone"), [(False, False), (True, True)])
def test_a_pinned_run_stays_on_its_version_unless_airflow_is_told_otherwise(
    world: World, renamed: tuple[RunRef, RunRef], latest: bool, gone: bool
) -> None:
    world.set_run(renamed[1], pinned=True)
    world.structures["reader"] = replace(world.structures["reader"], reruns_on_latest=latest)
    found = plan(world, renamed[0])
    assert selected(found) == {"reader": ["publish", "shape_old", "wait"]}
    assert ("task_gone_in_latest" in codes(found)) is gone


def test_of_many_runs_one_warning_names_a_task(world: World) -> None:
    world.dag("reader", "wait >> old")
    world.sensors.append(sensor("src"))
    source = world.run("src")
    readers = [world.run("reader", run_id=f"r{number}") for number in range(3)]
    new_version(world, "reader", "wait >> new", *readers)
    (warning,) = [each for each in plan(world, source).warnings if each.code == "task_gone_in_latest"]
    assert warning.run_id is None
    assert "2 more runs" in warning.detail


def test_what_its_own_version_orders_stays_in_order(world: World) -> None:
    """The new version has lost an edge, and has another one: both count for what is selected."""
    old, new = World(), World()
    old.dag("d", "a >> b; c", groups={"g": {"a"}})
    new.dag("d", "a; b >> c", groups={"g": {"b"}})
    found = merged(old.structures["d"], new.structures["d"])
    assert {name: set(node.followers) for name, node in found.tasks.items()} == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert found.groups == {"g": {"a", "b"}}


def test_a_task_that_its_dag_does_not_know_pollutes_the_run_and_is_told(world: World) -> None:
    world.dag("reader", "first >> last")
    source, reader = world.run("src"), world.run("reader")
    world.sensors.append(SensorDefinition("reader", "nowhere", "src", offset_known=True))
    world.tasks[reader].append(TaskInstanceFacts("nowhere", -1, "success"))
    found = plan(world, source)
    assert selected(found) == {"reader": ["first", "last", "nowhere"]}
    (warning,) = [each for each in found.warnings if each.code == "unknown_task"]
    assert (warning.dag_id, warning.run_id, warning.task_id) == ("reader", reader.run_id, "nowhere")


def test_a_chosen_task_that_its_dag_does_not_know_pollutes_the_source(world: World) -> None:
    world.dag("src", "known; other")
    source, reader = world.run("src"), world.run("reader")
    world.consumed(source, "other", by=reader)
    world.structures["src"] = replace(world.structures["src"], tasks={"other": world.structures["src"].tasks["other"]})
    assert links(plan(world, source, tasks=(TaskRef("known"),))) == {("src", "reader", "asset", "recorded")}


def test_a_sensor_pointed_elsewhere_when_the_run_ran(world: World) -> None:
    world.dag("reader", "wait")
    world.sensors.append(sensor("a"))
    old_source, new_source, reader = world.run("a"), world.run("b"), world.run("reader")
    new_version(world, "reader", "wait", reader)
    world.sensors[:] = [sensor("b")]
    assert links(plan(world, old_source)) == {("a", "reader", "sensor", "derived")}
    assert links(plan(world, new_source)) == set()
    later = world.run("reader", day=1), world.run("b", day=1), world.run("a", day=1)
    assert later
    assert links(plan(world, later[1])) == {("b", "reader", "sensor", "derived")}
    assert links(plan(world, later[2])) == set()


def test_an_offset_was_another_when_the_run_ran(world: World) -> None:
    world.dag("reader", "wait")
    world.sensors.append(sensor("a", offset=86_400.0))
    source = world.run("a")
    reader = world.run("reader", day=1)
    new_version(world, "reader", "wait", reader)
    world.sensors[:] = [sensor("a", offset=2 * 86_400.0)]
    world.run("reader", day=2)
    found = {link.downstream for link in plan(world, source).links}
    assert found == {reader, RunRef("reader", f"scheduled__{(START.replace(day=3)).isoformat()}")}


def test_a_task_read_another_asset_when_the_run_ran(world: World) -> None:
    world.dag("reader", "read")
    world.inlets.append(InletDefinition("reader", "read", 1, "asset://1"))
    source, reader = world.run("src"), world.run("reader")
    world.set_tasks(reader, "success", at=START + timedelta(hours=1))
    for asset_id in (1, 2):
        world.emitted(source, "t", START, asset_id=asset_id)
    new_version(world, "reader", "read", reader)
    world.inlets[:] = [InletDefinition("reader", "read", 2, "asset://2")]
    (link,) = plan(world, source).links
    assert (link.downstream, link.via["asset"]) == (reader, "asset://1")


@pytest.mark.parametrize("then", [True, False])
def test_a_run_depended_on_its_past_when_it_ran(world: World, then: bool) -> None:
    """The Dag does so no more, or only since."""
    depends = PastDependency("a", "t", frozenset({"t"}))
    world.past_dependencies[:] = [depends] if then else []
    first, second = world.run("a"), world.run("a", day=1)
    new_version(world, "a", "t", first, second)
    world.past_dependencies[:] = [] if then else [depends]
    third = world.run("a", day=2)
    found = {link.downstream for link in plan(world, first).links}
    assert found == ({second} if then else set())
    assert {link.downstream for link in plan(world, second).links} == (set() if then else {third})


def test_a_marker_named_another_dag_when_the_run_ran(world: World) -> None:
    world.dag("a", "mark")
    world.markers.append(MarkerDefinition("a", "mark", "before", "t", "{{ logical_date }}"))
    source = world.run("a")
    world.run("before"), world.run("now")
    new_version(world, "a", "mark", source)
    world.markers[:] = [MarkerDefinition("a", "mark", "now", "t", "{{ logical_date }}")]
    assert links(plan(world, source)) == {("a", "before", "marker", "derived")}


def test_structures_of_nothing() -> None:
    found, ref = Structures(), RunRef("a", "r")
    assert found.was(ref) is found.get(ref) is None
    assert not found.moves(ref, True)
    assert found.gone(ref, True) == frozenset()


def test_a_dag_that_is_gone_has_read_all_the_same(world: World) -> None:
    for dag_id in ("src", "reader", "later"):
        world.dag(dag_id, "wait >> use")
    source, reader = world.run("src"), world.run("reader")
    following = world.run("reader", day=1)
    world.sensors.append(sensor("src"))
    world.past_dependencies.append(PastDependency("reader", "use", frozenset({"use"})))
    world.markers.append(MarkerDefinition("reader", "use", "later", "use", "{{ logical_date.isoformat() }}"))
    world.run("later")
    world.lose("reader")
    assert links(plan(world, source)) == {
        ("src", "reader", "sensor", "derived"),
        ("reader", "reader", "previous_run", "derived"),
        ("reader", "later", "marker", "derived"),
    }
    assert {run.ref for run in plan(world, reader).runs} >= {following}
