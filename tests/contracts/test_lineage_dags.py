"""What every `LineageFacts` promises of Dags: their tasks, versions and schedules, and what they declare."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from airflow_rerun_downstream.domain.definitions import (
    Definitions,
    MarkerDefinition,
    PastDependency,
    SensorDefinition,
    TriggerDefinition,
)
from airflow_rerun_downstream.domain.facts import DagOwnership, DagStructure, TaskNode
from airflow_rerun_downstream.domain.refs import RunRef
from tests.contracts.stages import GONE, Shape, Stage
from tests.fakes.world import START

LATER = datetime(2100, 1, 1, tzinfo=timezone.utc)
EVERY = Shape(
    "a",
    "wait >> mark; go; hand_on; add",
    sensors={"wait": ("up", "load")},
    markers={"mark": ("down", "read")},
    triggers={"go": "b", "hand_on": "c"},
    waits={"hand_on"},
    past={"add"},
)
THIS_DATE = "{{ logical_date.isoformat() }}"
DECLARED = Definitions(
    (SensorDefinition("a", "wait", "up", frozenset({"load"})),),
    (MarkerDefinition("a", "mark", "down", "read", THIS_DATE),),
    (TriggerDefinition("a", "go", "b", last=True), TriggerDefinition("a", "hand_on", "c", waits=True, last=True)),
    (PastDependency("a", "add", frozenset({"add"})),),
)


def same(found: Definitions, wanted: Definitions) -> bool:
    """Whether both declare the same; in what order doesn't matter."""
    return all(sorted(getattr(found, name), key=repr) == sorted(getattr(wanted, name), key=repr) for name in KINDS)


KINDS = ("sensors", "markers", "triggers", "past_dependencies", "inlets", "outlets", "asset_schedules")


class TestStructures:
    def test_the_tasks_of_a_dag(self, airflow):
        airflow.dag(EVERY)
        nodes = [
            TaskNode("wait", "ExternalTaskSensor", followers=frozenset({"mark"}), makes_data=False),
            TaskNode("mark", "ExternalTaskMarker", leaders=frozenset({"wait"}), makes_data=False),
            TaskNode("go", "TriggerDagRunOperator", triggers_dag_run=True),
            TaskNode("hand_on", "TriggerDagRunOperator", triggers_dag_run=True, waits_for_run=True),
            TaskNode("add", "PythonOperator"),
        ]
        structure = DagStructure(
            "a", {node.task_id: node for node in nodes}, max_active_runs=16, reruns_on_latest=False
        )
        assert airflow.facts.dags.structures(["a", "a"]) == {"a": structure}

    def test_unknown_paused_and_gone_ones(self, airflow):
        airflow.dag(Shape("a"))
        airflow.dag(Shape("b"))
        airflow.pause("a")
        airflow.lose("b")
        found = airflow.facts.dags.structures(["a", "b", "nowhere"])
        assert {dag_id: structure.is_paused for dag_id, structure in found.items()} == {"a": True, "b": False}
        assert airflow.facts.dags.structures([]) == {}

    def test_a_mapped_task(self, airflow):
        airflow.dag(Shape("a", "t; u", mapped={"t"}))
        assert {node.task_id: node.mapped for node in airflow.facts.dags.structures(["a"])["a"].tasks.values()} == {
            "t": True,
            "u": False,
        }

    def test_a_version_of_which_there_is_no_run_is_written_over(self, airflow):
        numbers = []
        for order in ("t", "t; u", "t; u; v"):
            airflow.dag(Shape("a", order))
            numbers.append(airflow.facts.dags.structures(["a"])["a"].version)
            if order == "t; u":
                airflow.run("a")
        assert numbers == [1, 1, 2]
        assert set(airflow.facts.dags.structures(["a"])["a"].tasks) == {"t", "u", "v"}


class TestDefinitions:
    def test_of_all_kinds(self, airflow):
        airflow.dag(EVERY)
        assert same(airflow.facts.dags.definitions(), DECLARED)

    def test_with_the_structures_of_the_dags_that_are_there(self, airflow):
        airflow.dag(EVERY)
        airflow.dag(Shape("z", triggers={"t": "a"}))
        airflow.dag(replace(EVERY, dag_id="paused"))
        airflow.pause("paused")
        airflow.lose("z")
        found = airflow.facts.dags.definitions().structures
        assert found == airflow.facts.dags.structures({"a", "paused"})
        assert found.keys() >= {"a", "paused"}
        assert found["paused"].is_paused

    def test_paused_dags_declare_and_those_that_are_gone_do_not(self, airflow):
        airflow.dag(EVERY)
        airflow.dag(Shape("z", triggers={"t": "a"}))
        airflow.pause("a")
        airflow.lose("z")
        assert same(airflow.facts.dags.definitions(), DECLARED)

    def test_a_newer_version_replaces_them(self, airflow):
        airflow.dag(EVERY)
        airflow.run("a")
        airflow.dag(Shape("a", "go", triggers={"go": "c"}))
        assert same(
            airflow.facts.dags.definitions(), Definitions(triggers=(TriggerDefinition("a", "go", "c", last=True),))
        )
        found = airflow.facts.dags.earlier_definitions(since=START)
        assert same(found, DECLARED)
        assert found.changed == {"a"}

    def test_earlier_ones_as_far_back_as_is_asked(self, airflow):
        airflow.dag(EVERY)
        assert airflow.facts.dags.earlier_definitions(since=START) == Definitions()
        airflow.run("a")
        airflow.dag(Shape("a"))
        assert airflow.facts.dags.earlier_definitions(since=LATER) == Definitions()

    def test_the_last_ones_of_a_dag_that_is_gone_count_as_earlier(self, airflow):
        airflow.dag(EVERY)
        run = airflow.run("a")
        airflow.lose("a")
        found = airflow.facts.dags.earlier_definitions(since=START)
        assert same(found, DECLARED)
        assert found.changed == {"a"}
        (own,) = airflow.facts.dags.own_versions([run]).values()
        assert same(own.definitions, DECLARED)


def followers(version: Any) -> dict[str, Collection[str]]:
    return {node.task_id: set(node.followers) for node in version.structure.tasks.values()}


class TestOwnVersions:
    @pytest.fixture
    def refs(self, airflow: Stage) -> list[RunRef]:
        """A run of the version before, and one of the latest."""
        airflow.dag(Shape("a", "t >> u; go", triggers={"go": "b"}))
        old = airflow.run("a")
        airflow.dag(Shape("a", "u >> t; go", triggers={"go": "c"}))
        return [old, airflow.run("a", day=1)]

    def test_those_that_are_not_of_the_latest(self, airflow, refs):
        airflow.pause("a")
        found = airflow.facts.dags.own_versions([*refs, GONE, RunRef("a", "nowhere")])
        assert set(found) == {refs[0]}
        version = found[refs[0]]
        assert followers(version) == {"t": {"u"}, "u": set(), "go": set()}
        assert same(version.definitions, Definitions(triggers=(TriggerDefinition("a", "go", "b", last=True),)))
        assert (version.structure.version, version.structure.is_paused) == (2, True)
        assert airflow.facts.dags.own_versions([]) == {}

    def test_each_task_is_told_as_its_own_version_has_it(self, airflow, refs):
        airflow.move(refs[0], "go")
        airflow.move(refs[0], "t")
        version = airflow.facts.dags.own_versions(refs)[refs[0]]
        assert followers(version) == {"t": set(), "u": set(), "go": set()}
        assert same(version.definitions, Definitions(triggers=(TriggerDefinition("a", "go", "c", last=True),)))

    def test_a_run_that_has_moved_as_a_whole(self, airflow, refs):
        for task_id in ("go", "t", "u"):
            airflow.move(refs[0], task_id)
        assert airflow.facts.dags.own_versions(refs) == {}

    def test_a_run_without_task_instances(self, airflow, refs):
        airflow.drop_tasks(refs[0])
        assert airflow.facts.dags.own_versions(refs) == {}


class TestSchedules:
    def test_of_a_dag_that_time_starts_and_of_one_that_assets_start(self, airflow):
        airflow.dag(Shape("a"))
        airflow.dag(Shape("b", starts_with=["test://assets/one"]))
        found = airflow.facts.dags.schedules(["a", "b", "nowhere"])
        assert {dag_id: (one.asset_scheduled, one.partitioned) for dag_id, one in found.items()} == {
            "a": (False, False),
            "b": (True, False),
        }
        assert (len(found["a"].upcoming), found["b"].upcoming) == (10, ())
        dates = [run.logical_date for run in found["a"].upcoming]
        assert dates == sorted(set(dates))
        assert {run.dag_id for run in found["a"].upcoming} == {"a"}
        assert (found["a"].cannot_hold, found["b"].cannot_park) == (None, None)
        assert airflow.facts.dags.schedules([]) == {}

    def test_how_many_are_asked_for(self, airflow):
        airflow.dag(Shape("a"))
        ten = airflow.facts.dags.schedules(["a"])["a"].upcoming
        assert airflow.facts.dags.schedules(["a"], upcoming=3)["a"].upcoming == ten[:3]
        assert airflow.facts.dags.schedules(["a"], upcoming=0)["a"].upcoming == ()

    def test_a_run_that_exists_is_not_to_come(self, airflow):
        airflow.dag(Shape("a"))
        first, second, third = airflow.facts.dags.schedules(["a"], upcoming=3)["a"].upcoming
        airflow.run("a", by="person", day=(second.logical_date - START).total_seconds() / 86400)
        assert airflow.facts.dags.schedules(["a"], upcoming=3)["a"].upcoming == (first, third)

    def test_how_the_dag_stands(self, airflow):
        airflow.dag(Shape("a"))
        for day, (state, by) in enumerate(
            [("queued", "scheduler"), ("running", "person"), ("running", "backfill"), ("success", "scheduler")]
        ):
            airflow.run("a", day=day, state=state, by=by)
        airflow.pause("a")
        found = airflow.facts.dags.schedules(["a"])["a"]
        assert (found.active_runs, found.is_paused, found.max_active_runs) == (2, True, 16)


class TestObstacles:
    def seen(self, airflow: Stage, tasks: Any) -> list[tuple[Any, ...]]:
        return [
            (one.ref, one.task_id, one.why, one.before, one.lasting) for one in airflow.facts.tasks.obstacles(tasks)
        ]

    def test_pools(self, airflow):
        pools = {"t": ("small", 3), "u": ("gone", 1), "v": ("closed", 1), "w": ("endless", 9)}
        airflow.dag(Shape("a", "t; u; v; w; x", pools=pools))
        for name, slots in (("small", 2), ("gone", 1), ("closed", 0), ("endless", -1)):
            airflow.pool(name, slots)
        ref, other = airflow.run("a"), airflow.run("a", day=1)
        airflow.lose_pool("gone")
        assert self.seen(airflow, {ref: ["x", "w", "v", "u", "t"], other: ["t"], GONE: ["t"]}) == [
            (ref, "t", "no_pool_slots", None, True),
            (ref, "u", "pool_gone", None, True),
            (ref, "v", "no_pool_slots", None, True),
            (other, "t", "no_pool_slots", None, True),
        ]
        assert self.seen(airflow, {ref: []}) == self.seen(airflow, {}) == []

    @pytest.mark.parametrize(
        ("run", "task", "lasting"),
        [
            ("failed", "failed", True),
            ("failed", "upstream_failed", True),
            ("running", "failed", True),
            ("running", "running", False),
            ("queued", None, False),
            ("failed", None, True),
        ],
    )
    def test_a_past_that_is_not_right(self, airflow, run, task, lasting):
        airflow.dag(Shape("a", "t; u", past={"t"}))
        before = airflow.run("a", state=run, states={"t": task})
        ref = airflow.run("a", day=1)
        assert self.seen(airflow, {ref: ["t", "u"]}) == [(ref, "t", "depends_on_past", before, lasting)]
        assert self.seen(airflow, {ref: ["u"]}) == self.seen(airflow, {before: ["t"]}) == []

    @pytest.mark.parametrize("state", ["success", "skipped"])
    def test_a_past_that_is_right(self, airflow, state):
        airflow.dag(Shape("a", past={"t"}))
        airflow.run("a", states={"t": "failed"}, state="failed")
        airflow.run("a", day=1, states={"t": state})
        ref = airflow.run("a", day=2)
        assert self.seen(airflow, {ref: ["t"]}) == []

    def test_the_run_before_by_date_whoever_made_it(self, airflow):
        airflow.dag(Shape("a", past={"t"}))
        ref = airflow.run("a", day=2)
        mine = airflow.run("a", day=1, by="person", state="failed")
        airflow.run("a", day=1.5, by="person", state="failed", dated=False)
        assert [one[3] for one in self.seen(airflow, {ref: ["t"]})] == [mine]


def test_ownership_is_who_owns_a_dag_and_its_tags(airflow: Stage) -> None:
    for dag_id in ("a", "b"):
        airflow.dag(Shape(dag_id, "load"))
    airflow.label("a", owners="bob, Ada", tags=("shop", "daily"))
    found = airflow.facts.dags.ownership({"a", "b", "nowhere"})
    assert found["a"] == DagOwnership(("Ada", "bob"), ("daily", "shop"))
    assert found["b"].tags == ()
    assert set(found) == {"a", "b"}
