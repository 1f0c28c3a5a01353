"""Dags that can't be read: nobody knows what they read, and every plan says so."""

from __future__ import annotations

from airflow_rerun_downstream.domain.definitions import Definitions
from tests.fakes.world import World
from tests.lineage.planning import plan

CODE = "unreadable_dag"


def told(world: World, **more: object) -> list[str | None]:
    found = plan(world, next(iter(world.runs)), **more)
    return [warning.dag_id for warning in found.warnings if warning.code == CODE]


def test_a_dag_that_cannot_be_read_is_told() -> None:
    world = World()
    world.dag("broken", "t")
    world.run("a")
    world.run("broken")
    assert told(world) == []
    world.unreadable.add("broken")
    assert told(world) == ["broken"]


def test_so_is_an_earlier_version_of_one() -> None:
    world = World()
    world.run("a")
    world.earlier = Definitions(unreadable=frozenset({"once"}))
    assert told(world) == ["once"]


def test_a_dag_that_may_not_be_seen_is_not_named() -> None:
    world = World()
    world.dag("broken", "t")
    world.run("a")
    world.run("broken")
    world.unreadable.add("broken")
    assert told(world, unreadable=["broken"]) == []
    found = plan(world, next(iter(world.runs)), unreadable=["broken"])
    assert [warning.code for warning in found.warnings] == ["hidden_warnings"]
