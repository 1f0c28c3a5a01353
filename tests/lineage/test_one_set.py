"""Pollution and selection are one set: what the walk takes for wrong in a run is what is selected by default."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.plan import Plan
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.fakes.world import World
from tests.lineage.planning import plan, selected


@pytest.fixture
def world() -> World:
    return World()


def source_tasks(found: Plan) -> list[str]:
    return [str(task) for task in found.source.tasks]


def left(found: Plan) -> set[tuple[str | None, str | None]]:
    return {(one.dag_id, one.task_id) for one in found.warnings if one.code == "stays_polluted"}


def reasons(found: Plan) -> dict[str, str | None]:
    return {task.task_id: task.reason for task in found.source.task_instances}


@pytest.mark.parametrize("failed", ["close", "branch"])
def test_what_a_run_tolerated_does_not_shrink_the_default_selection(world: World, failed: str) -> None:
    world.dag("a", "load >> close; branch >> join", teardown="close")
    source, reader = world.run("a", task_states={failed: "failed"}), world.run("b")
    world.consumed(source, "load", by=reader)
    found = plan(world, source)
    assert source_tasks(found) == ["branch", "close", "join", "load"]
    assert selected(found) == {"b": ["t"]}
    assert reasons(found)[failed] == "failed"
    assert reasons(found)["load"] == "whole_run"


def test_what_is_broken_is_preselected_with_all_that_follows(world: World) -> None:
    """``join`` had run on the failure (``all_done``): what it made is as wrong as what it read."""
    world.dag("a", "fast >> join >> publish; other")
    source, reader = world.run("a", state="failed", task_states=FAILED_FAST), world.run("b")
    world.consumed(source, "publish", by=reader)
    found = plan(world, source)
    assert source_tasks(found) == ["fast", "join", "publish"]
    assert reasons(found) == {
        "fast": "failed", "join": "follows_selected", "publish": "follows_selected", "other": "succeeded"
    }  # fmt: skip
    assert selected(found) == {"b": ["t"]}


FAILED_FAST = {"fast": "failed", "join": "success", "publish": "success", "other": "success"}


def test_what_is_left_out_is_told_by_task(world: World) -> None:
    world.dag("a", "fast >> load >> publish; other")
    source, reader = world.run("a"), world.run("b")
    world.consumed(source, "publish", by=reader)
    found = plan(world, source, tasks=(TaskRef("fast"),))
    assert source_tasks(found) == ["fast"]
    assert selected(found) == {"b": ["t"]}
    assert left(found) == {("a", "load"), ("a", "publish")}


def test_only_what_has_succeeded_and_is_not_taken_says_why(world: World) -> None:
    """What isn't taken although it is right; whatever else isn't speaks for itself by its state."""
    world.dag("a", "read >> write; aside; broken; never")
    source = world.run("a", task_states={"broken": "failed", "never": None, "write": "failed"})
    found = plan(world, source, tasks=(TaskRef("read"), TaskRef("write"))).source.task_instances
    assert {task.task_id: (task.selected, task.reason) for task in found} == {
        "read": (True, None),
        "write": (True, None),
        "aside": (False, "succeeded"),
        "broken": (False, None),
        "never": (False, None),
    }


def test_a_task_that_holds_no_data_is_not_told_of(world: World) -> None:
    world.dag("a", "fast >> load; fast >> alert")
    source = world.run("a", task_states={"alert": "skipped"})
    assert left(plan(world, source, tasks=(TaskRef("fast"),))) == {("a", "load")}


def test_other_indexes_than_those_that_were_asked_for_are_not_wrong(world: World) -> None:
    world.dag("a", "each >> sum")
    source = world.run("a")
    first, second = world.tasks[source]
    world.tasks[source] = [*(replace(first, map_index=index) for index in range(3)), second]
    found = plan(world, source, tasks=(TaskRef("each", 1),))
    assert left(found) == {("a", "sum")}


def test_a_source_that_is_right_leaves_nothing_wrong(world: World) -> None:
    world.dag("a", "fast >> load")
    assert left(plan(world, world.run("a"), tasks=(TaskRef("fast"),), rerun_source=False)) == set()


def test_what_follows_a_failed_task_that_comes_along_is_followed_to_its_readers(world: World) -> None:
    """``late`` failed before the polluted ``join``, so it runs again; ``note`` had run on its failure."""
    world.dag("b", "wait >> join; late >> join; late >> note")
    source = world.run("a")
    middle = world.run("b", state="failed", task_states={"late": "failed", "wait": "success", "note": "success"})
    reader = world.run("c")
    world.sensors.append(SensorDefinition("b", "wait", "a", offset_known=True))
    world.consumed(middle, "note", by=reader)
    found = plan(world, source)
    assert selected(found) == {"b": ["join", "late", "note", "wait"], "c": ["t"]}
    assert {task.task_id: task.reason for task in found.runs[0].task_instances} == {
        "wait": "polluted", "join": "polluted", "late": "failed_upstream", "note": "follows_selected"
    }  # fmt: skip


def test_a_setup_that_comes_along_pollutes_nothing_that_follows_it(world: World) -> None:
    world.dag("a", "open >> load >> close; open >> other >> close; open >> close", setup="open", teardown="close")
    source, reader = world.run("a"), world.run("b")
    world.consumed(source, "other", by=reader)
    found = plan(world, source, tasks=(TaskRef("load"),))
    assert selected(found) == {}
    assert left(found) == set()


@dataclass
class Graph:
    """A run: its tasks' order, their states, whether Airflow calls it a success, and what a person names."""

    edges: set[tuple[int, int]]
    states: list[str]
    state: str
    entry: int
    named: set[int] | None


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(1, 6))
    nodes = st.integers(0, size - 1)
    pairs = draw(st.sets(st.tuples(nodes, nodes), max_size=2 * size))
    states = draw(st.lists(st.sampled_from(["success", "failed", "skipped"]), min_size=size, max_size=size))
    named = draw(st.none() | st.sets(nodes, min_size=1))
    state = draw(st.sampled_from(["success", "failed"]))
    return Graph({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}, states, state, draw(nodes), named)


def closure(graph: Graph, start: set[int]) -> set[int]:
    """The oracle: tasks and what follows them, by brute force."""
    found = set(start)
    while more := {two for one, two in graph.edges if one in found} - found:
        found |= more
    return found


def build(world: World, dag_id: str, graph: Graph) -> RunRef:
    chains = [*(f"{one} >> {two}" for one, two in sorted(graph.edges)), *map(str, range(len(graph.states)))]
    world.dag(dag_id, "; ".join(chains))
    states = {str(number): state for number, state in enumerate(graph.states)}
    return world.run(dag_id, state=graph.state, task_states=states)


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_a_source_selects_what_is_wrong_or_says_so(graph: Graph) -> None:
    world = World()
    source = build(world, "a", graph)
    everything = set(range(len(graph.states)))
    broken = {number for number in everything if graph.states[number] == "failed"}
    tasks = None if graph.named is None else tuple(TaskRef(str(number)) for number in sorted(graph.named))
    found = plan(world, source, tasks=tasks)
    chosen = {int(task) for task in source_tasks(found)}
    if graph.named is None:
        assert chosen == (everything if graph.state == "success" or not broken else closure(graph, broken))
        assert left(found) == set()
    else:
        assert chosen == graph.named
        wrong = {number for number in closure(graph, graph.named) if graph.states[number] != "skipped"}
        assert left(found) == {("a", str(number)) for number in wrong - graph.named}


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_a_member_selects_all_that_is_wrong_and_what_would_fail_with_all_that_follows_it(graph: Graph) -> None:
    world = World()
    source = world.run("up")
    build(world, "a", graph)
    world.sensors.append(SensorDefinition("a", str(graph.entry), "up", offset_known=True))
    found = plan(world, source)
    wrong = closure(graph, {graph.entry})
    backwards = Graph({(two, one) for one, two in graph.edges}, graph.states, graph.state, graph.entry, None)
    while more := {n for n in closure(backwards, wrong) if graph.states[n] == "failed"} - wrong:
        wrong |= closure(graph, more)
    assert selected(found) == {"a": [str(number) for number in sorted(wrong)]}
    assert left(found) == set()
