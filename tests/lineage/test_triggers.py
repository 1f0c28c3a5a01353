"""Runs that tasks made: what a record tells, and the open edge where it tells less or is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_rerun_downstream.domain.advice import SENTENCES, Advice
from airflow_rerun_downstream.domain.definitions import (
    AssetSchedule,
    DagVersion,
    DeclaredLink,
    Definitions,
    OutletDefinition,
    SensorDefinition,
)
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.declarations import Declarations
from airflow_rerun_downstream.lineage.kinds.trigger import LOST_PARENT
from airflow_rerun_downstream.lineage.lost_triggers import FORGOTTEN
from tests.fakes.records import Record
from tests.fakes.world import World
from tests.lineage.planning import plan


@pytest.fixture
def world() -> World:
    return World()


def maker(world: World, target: str = "child", *, waits: bool = False, order: str = "t >> go", **more: Any) -> RunRef:
    """A run of a Dag whose task ``go`` makes a run of another one."""
    world.dag("parent", order, **more)
    world.trigger_task("parent", "go", target, waits=waits)
    return world.run("parent")


def trigger_links(world: World, source: RunRef, *task_ids: str) -> list[Link]:
    tasks = tuple(map(TaskRef, task_ids)) or None
    return [link for link in plan(world, source, tasks=tasks).links if link.kind is LinkKind.TRIGGER]


def open_edge(upstream: RunRef, dag_id: str, why: str, to_do: Advice, **more: Any) -> Link:
    via = {"task_id": "go", "why": why, "to_do": [to_do.value], "advice": SENTENCES[to_do], **more.pop("via", {})}
    return Link(upstream, FutureRef(dag_id), LinkKind.TRIGGER, Evidence.UNRESOLVED, via, **more)


class TestARecordThatCannotBeTrue:
    """Whoever may write XComs has written it: it is shown, and nothing is made of it."""

    @pytest.mark.parametrize("map_index", [-1, 3])
    def test_the_run_is_gone(self, world: World, map_index: int) -> None:
        parent, child = maker(world), RunRef("child", "gone")
        world.dag("child")
        world.recorded.append(Record(parent, "go", map_index, child.run_id, child.dag_id))
        why = Sentence("link.recorded_run_gone", run=f"{child}")
        expected = open_edge(parent, "child", why, Advice.LOOK_BY_HAND, via={"map_index": map_index})
        found = [link for link in trigger_links(world, parent) if link.via["map_index"] == map_index]
        assert found == [replace(expected, from_task_id="go")]

    def test_no_task_has_made_the_run(self, world: World) -> None:
        parent, child = maker(world), world.run("child")
        world.recorded.append(Record(parent, "go", -1, child.run_id, child.dag_id))
        (found,) = trigger_links(world, parent)
        assert found.downstream == FutureRef("child")
        assert found.via["why"] == Sentence("link.recorded_run_not_made", run=f"{child}")

    def test_the_run_is_of_another_dag(self, world: World) -> None:
        parent, other = maker(world), world.run("other", run_type="operator_triggered")
        world.recorded.append(Record(parent, "go", -1, other.run_id, other.dag_id))
        (found,) = trigger_links(world, parent)
        assert found.downstream == FutureRef("other")
        assert found.via["why"] == Sentence("link.recorded_run_of_another_dag", run=f"{other}")


class TestARecordThatIsGone:
    @pytest.mark.parametrize(
        ("state", "told"),
        [("success", True), ("failed", True), ("skipped", False), ("upstream_failed", False), (None, False)],
    )
    def test_of_a_run_that_a_task_has_made(self, world: World, state: str | None, told: bool) -> None:
        """A task that failed may have made its run, and waited for it; one that never ran has made none."""
        maker(world)
        parent = world.run("parent", day=1, task_states={"go": state})
        world.dag("child")
        edge = open_edge(parent, "child", FORGOTTEN, Advice.KEEP_XCOMS, via={"map_index": -1}, from_task_id="go")
        assert trigger_links(world, parent) == ([edge] if told else [])

    def test_only_tasks_whose_data_is_wrong_are_looked_at(self, world: World) -> None:
        maker(world, order="t; go")
        parent = world.run("parent", day=1)
        assert trigger_links(world, parent, "t") == []
        assert len(trigger_links(world, parent, "go")) == 1

    def test_one_that_has_still_to_be_expanded_has_made_none(self, world: World) -> None:
        parent = maker(world, mapped=["go"])
        assert trigger_links(world, parent) == []
        world.expand(parent, "go", 2)
        (found,) = trigger_links(world, parent)
        assert (found.downstream, found.via["map_index"]) == (FutureRef("child"), 0)

    def test_each_index_counts_by_itself(self, world: World) -> None:
        parent, child = maker(world, mapped=["go"]), world.run("child", run_type="operator_triggered")
        world.expand(parent, "go", 2)
        world.recorded.append(Record(parent, "go", 0, child.run_id, child.dag_id))
        known, lost = trigger_links(world, parent)
        assert (known.downstream, known.via["map_index"]) == (child, 0)
        assert (lost.downstream, lost.via["map_index"], lost.via["why"]) == (FutureRef("child"), 1, FORGOTTEN)

    @pytest.mark.parametrize(
        ("run_type", "waits"), [("operator_triggered", True), ("scheduled", True), ("operator_triggered", False)]
    )
    def test_of_the_task_that_made_a_run_and_waited(self, world: World, run_type: str, waits: bool) -> None:
        maker(world, waits=waits, order="go >> after")
        child = world.run("child", run_type=run_type)
        edge = open_edge(child, "parent", LOST_PARENT, Advice.KEEP_XCOMS, to_task_id="go")
        found = [link for link in trigger_links(world, child) if "behind" not in link.via]
        assert found == ([edge] if waits and run_type == "operator_triggered" else [])

    def test_a_task_that_nothing_follows_has_waited_in_vain(self, world: World) -> None:
        maker(world, waits=True, order="t >> go")
        assert trigger_links(world, world.run("child", run_type="operator_triggered")) == []

    @pytest.mark.parametrize("reader", ["sensor", "sensor of the task", "asset", "declared", "another that waited"])
    def test_unless_another_dag_reads_of_it(self, world: World, reader: str) -> None:
        """Nothing follows it in its own Dag; who waits for that Dag, or takes what the task has told, reads the run."""
        maker(world, waits=True, order="t >> go")
        world.dag("reader", "wait >> t")
        declared = Declarations(())
        match reader:
            case "sensor":
                world.sensors.append(SensorDefinition("reader", "wait", "parent", offset_known=True))
            case "sensor of the task":
                world.sensors.append(SensorDefinition("reader", "wait", "parent", frozenset({"go"}), offset_known=True))
            case "asset":
                world.outlets.append(OutletDefinition("parent", "go", 1, "x"))
                world.asset_schedules.append(AssetSchedule("reader", 1))
            case "declared":
                declared = Declarations((DeclaredLink("parent", None, "reader", None, {}, "same", "", "a.yaml", 1),))
            case _:
                world.trigger_task("reader", "wait", "parent", waits=True)
        child = world.run("child", run_type="operator_triggered")
        found = plan(world, child, declarations=declared).links
        assert open_edge(child, "parent", LOST_PARENT, Advice.KEEP_XCOMS, to_task_id="go") in found
        assert "reader" in {link.downstream.dag_id for link in found}

    def test_a_sensor_that_may_wait_for_any_dag_is_no_such_reader(self, world: World) -> None:
        maker(world, waits=True, order="t >> go")
        world.dag("reader", "wait >> t")
        world.sensors.append(SensorDefinition("reader", "wait", "{{ conf.any }}", offset_known=True))
        assert trigger_links(world, world.run("child", run_type="operator_triggered")) == []

    def test_but_not_if_the_other_one_waits_for_another_task(self, world: World) -> None:
        maker(world, waits=True, order="t >> go")
        world.dag("reader", "wait >> t")
        world.sensors.append(SensorDefinition("reader", "wait", "parent", frozenset({"t"}), offset_known=True))
        assert trigger_links(world, world.run("child", run_type="operator_triggered")) == []


def test_a_task_that_waited_reads_what_the_run_made(world: World) -> None:
    parent = maker(world, waits=True, order="go >> after")
    child = world.run("child", run_type="operator_triggered")
    world.triggered.append((parent, "go", child))
    (found,) = trigger_links(world, child)
    via = {"task_id": "go", "map_index": -1, "xcom": "trigger_run_id", "wait_for_completion": True}
    assert found == Link(child, parent, LinkKind.TRIGGER, Evidence.RECORDED, via, to_task_id="go")


def test_the_version_of_a_run_says_whether_its_task_has_waited(world: World) -> None:
    """In the present one it waits, as another task of that version did already."""
    parent = maker(world, waits=True, order="go >> after; other >> after")
    child = world.run("child", run_type="operator_triggered")
    world.triggered.append((parent, "go", child))
    own = world.structures["parent"]
    did_not = tuple(
        replace(one, task_id=task_id, waits=waits)
        for one in world.triggers
        for task_id, waits in (("go", False), ("other", True))
    )
    world.versions[parent] = DagVersion(own, Definitions(triggers=did_not))
    world.structures["parent"] = replace(own, version=own.version + 1)
    world.earlier = Definitions(changed=frozenset({"parent"}))
    assert trigger_links(world, child) == []


def test_the_open_edge_of_a_run_that_may_not_be_read_is_part_of_what_is_hidden(world: World) -> None:
    source, parent = world.run("a"), maker(world)
    world.dag("child")
    world.consumed(source, "t", by=parent, asset="x")
    world.recorded.append(Record(parent, "go", -1, "gone", "child"))
    found = plan(world, source, unreadable={"parent"})
    assert (found.links, found.hidden_dags) == ((), 1)
    assert [warning.code for warning in found.warnings] == ["hidden_downstream"]


def test_of_the_dags_that_a_mapped_task_may_have_meant_those_with_a_run_of_which_nothing_tells(world: World) -> None:
    parent = maker(world)
    world.trigger_task("parent", "go", "other")
    world.dag("child")
    world.run("other", run_type="operator_triggered", made_by_task=True)
    edge = open_edge(
        parent, "other", FORGOTTEN, Advice.KEEP_XCOMS, via={"map_index": -1, "one_of": 2}, from_task_id="go"
    )
    assert trigger_links(world, parent) == [edge]


def test_a_run_that_is_told_by_its_id_alone_says_so(world: World) -> None:
    parent = maker(world, "{{ var.value.child }}")
    child = world.run("child", run_type="operator_triggered")
    world.recorded.append(Record(parent, "go", -1, child.run_id))
    via = {"task_id": "go", "map_index": -1, "xcom": "trigger_run_id", "dag_by": "run_id"}
    assert trigger_links(world, parent) == [
        Link(parent, child, LinkKind.TRIGGER, Evidence.DERIVED, via, from_task_id="go")
    ]


def test_a_template_stands_for_the_dags_with_a_run_of_which_nothing_tells(world: World) -> None:
    template = "ch{{ var.value.rest }}"
    parent = maker(world, template)
    for dag_id in ("child", "elsewhere"):
        world.run(dag_id, run_type="operator_triggered", made_by_task=True)
    edge = open_edge(
        parent,
        "child",
        FORGOTTEN,
        Advice.KEEP_XCOMS,
        via={"map_index": -1, "trigger_dag_id": template},
        from_task_id="go",
    )
    assert trigger_links(world, parent) == [edge]


def test_of_a_run_that_nothing_tells_of_any_more_params_still_name_the_dag(world: World) -> None:
    world.dag("parent", "t >> go")
    world.trigger_task("parent", "go", "{{ params.to }}", params=(("to", "child"),))
    parent = world.run("parent")
    edge = open_edge(parent, "child", FORGOTTEN, Advice.KEEP_XCOMS, via={"map_index": -1}, from_task_id="go")
    assert trigger_links(world, parent) == [edge]


def test_a_mapped_group_beside_it_changes_nothing(world: World) -> None:
    parent = maker(world, order="t >> go; inner", groups={"group": {"inner"}}, mapped_groups=["group"])
    assert len(trigger_links(world, parent)) == 1
