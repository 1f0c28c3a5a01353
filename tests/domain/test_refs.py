"""Names of runs and tasks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, covers, normalised, shown, task_ids

TASKS = st.lists(st.builds(TaskRef, st.sampled_from("abc"), st.none() | st.integers(0, 12)))


@settings(deadline=None)
@given(TASKS, st.randoms())
def test_a_selection_has_one_form_and_means_what_was_named(tasks: list[TaskRef], random: object) -> None:
    found = normalised(tasks)
    random.shuffle(tasks)  # type: ignore[attr-defined]
    assert normalised(tasks) == normalised(found) == found
    assert len(set(found)) == len(found)
    for task_id in "abc":
        indexes = [task.map_index for task in found if task.task_id == task_id]
        assert indexes in ([], [None]) or indexes == sorted(indexes)
        for index in range(-1, 14):
            assert covers(found, task_id, index) == any(task.covers(task_id, index) for task in tasks)
    assert [task.task_id for task in found] == sorted(task.task_id for task in found)


@pytest.mark.parametrize(
    ("task", "instance", "meant"),
    [
        (TaskRef("a"), ("a", -1), True),
        (TaskRef("a"), ("a", 3), True),
        (TaskRef("a", 3), ("a", 3), True),
        (TaskRef("a", 3), ("a", 2), False),
        (TaskRef("a", 0), ("a", -1), False),
        (TaskRef("b"), ("a", -1), False),
        (TaskRef("b", 3), ("a", 3), False),
    ],
)
def test_a_task_means_its_indexes(task: TaskRef, instance: tuple[str, int], meant: bool) -> None:
    assert task.covers(*instance) == covers([TaskRef("z"), task], *instance) == meant


def test_the_tasks_of_runs_by_their_ids() -> None:
    ref = RunRef("d", "r")
    assert task_ids({ref: (TaskRef("a", 1), TaskRef("a", 2), TaskRef("b"))}) == {ref: {"a", "b"}}


def test_a_sentence_takes_whole_names_of_any_length_that_airflow_has() -> None:
    longest = "x" * 250
    assert shown(longest) == longest
    assert shown(longest + "y") == longest + "…"
    assert str(RunRef(longest + "y", "r")) == f"{longest}… / r"
    assert str(RunRef("d", longest + "y")) == f"d / {longest}…"
    assert [str(TaskRef("t")), str(TaskRef("t", 0)), str(TaskRef(longest + "y", 4))] == ["t", "t[0]", f"{longest}…[4]"]
