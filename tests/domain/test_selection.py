"""Which tasks are rerun."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.errors import EmptySelection, Invalid
from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE, TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, normalised
from airflow_rerun_downstream.domain.selection import (
    TaskSelection,
    default_selection,
    downstream_tasks,
    explicit_selection,
    selected_instances,
    setups_and_teardowns,
)
from tests.fakes.world import World

REF = RunRef("d", "r")


def instances(**states: str | None) -> list[TaskInstanceFacts]:
    return [TaskInstanceFacts(task_id, -1, state) for task_id, state in states.items()]


def world(order: str, **more: object) -> World:
    made = World()
    made.dag("d", order, **more)  # type: ignore[arg-type]
    return made


def ids(tasks: object) -> list[str]:
    return [str(task) for task in tasks]  # type: ignore[attr-defined]


def test_followers_are_transitive() -> None:
    assert downstream_tasks(world("a >> b >> c; a >> x").structures["d"], ["b"]) == {"b", "c"}


def test_followers_of_a_dag_that_is_gone_are_the_tasks_themselves() -> None:
    assert downstream_tasks(None, ["b"]) == {"b"}


def test_a_trigger_task_that_made_a_run_is_left_out_by_default() -> None:
    made = world("a >> trigger >> b")
    made.trigger_task("d", "trigger", "child")
    chosen = default_selection(
        dict.fromkeys(["a", "trigger", "b"], "polluted"),
        made.structures["d"],
        instances(a="success", trigger="success", b="success"),
    )
    assert ids(chosen.tasks) == ["a", "b"]
    assert chosen.reasons["trigger"] == "makes_a_new_run"


def test_a_trigger_task_that_made_nothing_is_taken() -> None:
    made = world("trigger")
    made.trigger_task("d", "trigger", "child")
    chosen = default_selection({"trigger": "failed"}, made.structures["d"], instances(trigger="failed"))
    assert ids(chosen.tasks) == ["trigger"]


@pytest.mark.parametrize(
    ("order", "one_run", "adopted", "tasks", "reason", "behind"),
    [
        ("a >> fire >> new", False, True, ["a", "fire"], "polluted", []),
        ("a >> fire >> new", False, False, ["a"], "makes_a_new_run", ["new"]),
        ("a >> fire >> new", True, True, ["a"], "makes_one_run", ["new"]),
        ("a >> fire; a >> new", False, True, ["a"], "makes_a_new_run", []),
        ("fire >> new; a", True, True, ["a"], "makes_one_run", ["new"]),
    ],
)
def test_what_airflow_will_add_follows_a_trigger_task(
    order: str, one_run: bool, adopted: bool, tasks: list[str], reason: str, behind: list[str]
) -> None:
    made = world(order)
    made.trigger_task("d", "fire", "child", one_run=one_run, waits=True)
    here = instances(a="success", fire="success")
    wanted = dict.fromkeys(["a", "fire"], "polluted")
    chosen = default_selection(wanted, made.structures["d"], here, {"fire": adopted}, {"new"})
    assert (ids(chosen.tasks), chosen.reasons["fire"], sorted(chosen.coming)) == (tasks, reason, behind)
    assert chosen.cuts == (frozenset({"fire"}) if behind else frozenset())


def test_nothing_is_added_to_a_run_of_which_nothing_runs() -> None:
    made = world("fire >> new")
    made.trigger_task("d", "fire", "child", one_run=True, waits=True)
    chosen = default_selection(
        {"fire": "polluted"}, made.structures["d"], instances(fire="success"), {"fire": True}, {"new"}
    )
    assert (chosen.tasks, chosen.coming) == ((), frozenset())


def test_failed_upstream_tasks_come_along() -> None:
    chosen = default_selection(
        {"c": "polluted"}, world("a >> b >> c").structures["d"], instances(a="success", b="failed", c="success")
    )
    assert ids(chosen.tasks) == ["b", "c"]
    assert chosen.reasons["b"] == "failed_upstream"


def test_removed_tasks_are_never_selected() -> None:
    chosen = default_selection({"a": "polluted", "b": "polluted"}, None, instances(a="removed", b="success"))
    assert ids(chosen.tasks) == ["b"]


def test_setup_and_teardown_come_along() -> None:
    structure = world("up >> work >> down; up >> down; up >> other", setup="up", teardown="down").structures["d"]
    assert setups_and_teardowns(structure, ["work"]) == {"up", "down"}
    chosen = explicit_selection(
        REF, (TaskRef("work"),), structure, instances(up="success", work="success", down="success")
    )
    assert ids(chosen.tasks) == ["down", "up", "work"]


def test_a_setup_whose_teardown_is_elsewhere_stays() -> None:
    structure = world("up >> work; up >> side >> down; up >> down", setup="up", teardown="down").structures["d"]
    assert setups_and_teardowns(structure, ["work"]) == set()


def test_the_setup_and_teardown_of_what_airflow_will_add_come_along() -> None:
    """It would run without what its setup makes."""
    dag = world("up >> new >> down; up >> down; a", setup="up", teardown="down").structures["d"]
    here = instances(up="success", down="success", a="success")
    for coming, expected in (((), ["a"]), ({"new"}, ["a", "down", "up"])):
        chosen = default_selection({"a": "polluted"}, dag, here, coming=coming)
        named = explicit_selection(REF, (TaskRef("a"),), dag, here, coming)
        assert ids(chosen.tasks) == ids(named.tasks) == expected
        assert {task_id for task_id, why in chosen.reasons.items() if why == "setup_or_teardown"} == set(expected) - {
            "a"
        }
    assert default_selection({}, dag, here, coming={"new"}).tasks == ()


def test_explicit_tasks_mean_exactly_these() -> None:
    structure = world("a >> b >> c").structures["d"]
    chosen = explicit_selection(REF, (TaskRef("b"),), structure, instances(a="failed", b="success", c="success"))
    assert ids(chosen.tasks) == ["b"]


def test_a_group_means_its_tasks() -> None:
    structure = world("a >> b", groups={"g": {"a", "b", "gone"}}).structures["d"]
    chosen = explicit_selection(REF, (TaskRef("g"),), structure, instances(a="success", b="success"))
    assert ids(chosen.tasks) == ["a", "b"]


@pytest.mark.parametrize("task", [TaskRef("nope"), TaskRef("a", 3), TaskRef("gone"), TaskRef("g", 0)])
def test_unknown_tasks_indexes_and_groups_are_refused_by_name(task: TaskRef) -> None:
    structure = world("a", groups={"g": {"a"}}).structures["d"]
    with pytest.raises(Invalid, match="has no task or task group") as refusal:
        explicit_selection(REF, (task,), structure, instances(a="success", gone="removed"))
    assert refusal.value.extra["task_id"] == task.task_id


def test_an_empty_selection_is_refused() -> None:
    with pytest.raises(EmptySelection):
        explicit_selection(REF, (), None, instances(a="success"))


def test_a_whole_task_swallows_its_indexes() -> None:
    assert normalised([TaskRef("m", 1), TaskRef("m"), TaskRef("a", 2), TaskRef("a", 2)]) == (
        TaskRef("a", 2),
        TaskRef("m"),
    )


def test_a_selection_means_its_instances_that_are_still_there() -> None:
    tasks = normalised([TaskRef("whole"), TaskRef("mapped", 1)])
    here = [
        TaskInstanceFacts("whole", -1, "success"),
        TaskInstanceFacts("whole", 0, REMOVED_TASK_STATE),
        TaskInstanceFacts("mapped", 0, "success"),
        TaskInstanceFacts("mapped", 1, None),
        TaskInstanceFacts("other", -1, "success"),
    ]
    assert selected_instances(tasks, here) == [here[0], here[3]]
    assert [one for one in here if TaskSelection(tasks, {}).covers(one)] == [here[0], here[3]]


def test_a_loop_comes_as_a_whole_with_what_its_tasks_need() -> None:
    dag = world("a >> first >> second >> gate >> z; up >> first; up >> down; gate >> down", setup="up", teardown="down")
    looping = replace(dag.structures["d"], loops=(frozenset({"first", "second", "gate"}),))
    here = instances(**dict.fromkeys(("a", "first", "second", "gate", "z", "up", "down"), "success"))
    chosen = default_selection({"second": "polluted", "gate": "follows_selected", "z": "polluted"}, looping, here)
    assert ids(chosen.tasks) == ["down", "first", "gate", "second", "up", "z"]
    assert chosen.reasons["first"] == "in_loop_with_selected"
    named = explicit_selection(REF, (TaskRef("second", -1),), looping, here)
    assert ids(named.tasks) == ["down", "first", "gate", "second", "up"]
    assert all(task.map_index is None for task in named.tasks)
    assert ids(explicit_selection(REF, (TaskRef("a"),), looping, here).tasks) == ["a"]


def test_in_a_loop_each_task_follows_each() -> None:
    dag = world("a >> t; b >> t >> gate >> z").structures["d"]
    looping = replace(dag, loops=(frozenset({"a", "b", "t", "gate"}),))
    assert downstream_tasks(looping, ["a"]) == {"a", "b", "t", "gate", "z"}
    assert downstream_tasks(looping, ["z"]) == {"z"}
