"""What a retry clears, over structures written as text."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping

import pytest

from airflow_rerun_downstream.domain.again import needed_by_coming, to_clear_again
from airflow_rerun_downstream.domain.facts import DagStructure, TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import TaskRef
from airflow_rerun_downstream.domain.selection import downstream_tasks
from tests.fakes.world import World

CLUSTER = "make >> work >> drop; make >> drop"


def structure(order: str, setup: str = "", teardown: str = "") -> DagStructure:
    world = World()
    world.dag("d", order, setup=setup, teardown=teardown)
    return world.structures["d"]


def cleared(of: DagStructure | None, selected: str, **states: str | None) -> set[str]:
    """The ids of what is cleared; tasks that aren't named have succeeded."""
    ids = states.keys() | (set() if of is None else of.tasks.keys())
    found = to_clear_again(tasks(selected), of, instances({one: states.get(one, "success") for one in sorted(ids)}))
    assert {index for _, index in found} <= {-1}
    return {task_id for task_id, _ in found}


def tasks(names: str) -> tuple[TaskRef, ...]:
    return tuple(map(TaskRef, names.split()))


def instances(states: Mapping[str, str | None]) -> list[TaskInstanceFacts]:
    return [TaskInstanceFacts(task_id, -1, state) for task_id, state in states.items()]


def test_the_cluster_is_made_again_for_the_work_and_dropped() -> None:
    of = structure(CLUSTER, "make", "drop")
    assert cleared(of, "make work drop", work="failed") == {"make", "work", "drop"}


def test_what_prepares_comes_along_though_nobody_selected_it() -> None:
    of = structure(CLUSTER, "make", "drop")
    assert cleared(of, "work", work="failed") == {"make", "work", "drop"}


@pytest.mark.parametrize("broken", ["other", "work"])
def test_what_is_to_be_added_has_what_prepares_it(broken: str) -> None:
    of = structure("make >> new >> work >> drop; make >> drop; other; make >> new >> report", "make", "drop")
    there = {"work": "success", "drop": "success", "make": "success", "report": "success", "other": "success"}
    found = {one for one, _ in to_clear_again(tasks("work report other"), of, instances({**there, broken: "failed"}))}
    assert found == {"make", "work", "drop", "report"} | {broken}
    assert needed_by_coming(of, there) == {"make", "drop"}
    assert needed_by_coming(of, of.tasks) == needed_by_coming(of, []) == needed_by_coming(None, ["work"]) == set()


def test_what_is_to_be_added_has_what_prepares_it_though_nothing_has_failed() -> None:
    of = structure("make >> new >> drop; make >> drop; other", "make", "drop")
    there = dict.fromkeys(("drop", "make", "other"), "success")
    assert to_clear_again(tasks("other"), of, instances(there)) == {(one, -1) for one in there}


def test_a_teardown_alone_needs_no_setup() -> None:
    assert cleared(structure(CLUSTER, "make", "drop"), "make work drop", drop="failed") == {"drop"}


def test_what_follows_is_cleared_whatever_its_state() -> None:
    of = structure("a >> b >> c; x")
    assert cleared(of, "a b c x", a="failed", b="upstream_failed") == {"a", "b", "c"}


def test_what_follows_through_a_task_that_is_not_selected_is_cleared_too() -> None:
    assert cleared(structure("a >> m >> b"), "a b", a="failed") == {"a", "b"}


def test_what_is_not_selected_stays() -> None:
    assert cleared(structure("a >> b >> c"), "a", a="failed", b="failed") == {"a"}


def test_what_else_ran_on_the_old_cluster_runs_on_the_new_one() -> None:
    of = structure("make >> one >> drop; make >> two >> drop; make >> drop", "make", "drop")
    assert cleared(of, "make one two drop", one="failed") == {"make", "one", "two", "drop"}


@pytest.mark.parametrize("states", [{}, {"a": "success"}])
def test_where_nothing_is_red_the_whole_selection_is_made_anew(states: dict[str, str]) -> None:
    assert cleared(structure("a >> b >> c"), "a b", **states) == {"a", "b"}


def test_where_the_structure_does_not_know_what_failed_all_is_cleared() -> None:
    assert cleared(structure("a >> b"), "a b old", old="failed") == {"a", "b", "old"}
    assert cleared(None, "a b", a="failed", b="success") == {"a", "b"}


def test_removed_task_instances_stay_removed() -> None:
    assert cleared(structure("a >> b"), "a b", a="failed", b="removed") == {"a"}


@pytest.mark.parametrize("mapped", [True, False])
def test_in_a_mapped_group_index_follows_index(mapped: bool) -> None:
    world = World()
    world.dag(
        "d", "first >> g.a >> g.b >> last", groups={"g": {"g.a", "g.b"}}, mapped_groups={"g"} if mapped else set()
    )
    tasks = {"first": [-1], "g.a": [0, 1, 2], "g.b": [0, 1, 2], "last": [-1]}
    instances = [
        TaskInstanceFacts(task_id, index, "failed" if (task_id, index) == ("g.a", 1) else "success")
        for task_id, found in tasks.items()
        for index in found
    ]
    found = to_clear_again(tuple(TaskRef(one) for one in tasks), world.structures["d"], instances)
    followers_of_it = {("g.b", 1)} if mapped else {("g.b", index) for index in range(3)}
    assert found == {("g.a", 1), *followers_of_it, ("last", -1)}


@pytest.mark.parametrize("seed", range(200))
def test_no_gap_is_ever_left(seed: int) -> None:
    """Of any two selected tasks one of which follows the other: if the first is cleared, so is the second."""
    rng = random.Random(seed)
    names = "abcdefgh"
    edges = [f"{one} >> {two}" for one, two in itertools.combinations(names, 2) if rng.random() < 0.3]
    of = structure("; ".join([*names, *edges]), setup="a" if rng.random() < 0.5 else "")
    selected = [name for name in names if rng.random() < 0.7]
    states = {name: rng.choice(["success", "success", "failed", "upstream_failed", None, "skipped"]) for name in names}
    found = cleared(of, " ".join(selected), **states)
    broken = {name for name in selected if states[name] != "success"}
    assert broken <= found
    for one in found:
        assert downstream_tasks(of, [one]) & set(selected) <= found
    if broken:
        reasons = downstream_tasks(of, broken) | {"a"}
        assert found <= downstream_tasks(of, reasons)
