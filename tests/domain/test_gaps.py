"""Gaps in a selection, against every path of small Dags."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.facts import DagStructure, TaskNode
from airflow_rerun_downstream.domain.gaps import Gap, gaps, waited_for
from airflow_rerun_downstream.domain.refs import TaskRef, normalised

SIZE = 6
NAMES = [f"t{number}" for number in range(SIZE)]


@st.composite
def dags(draw: st.DrawFn) -> DagStructure:
    pairs = [(one, two) for two in range(SIZE) for one in range(two)]
    edges = draw(st.sets(st.sampled_from(pairs), max_size=10))
    setups, teardowns = (
        draw(st.sets(st.sampled_from(NAMES), max_size=2)),
        draw(st.sets(st.sampled_from(NAMES), max_size=2)),
    )
    return DagStructure(
        "d",
        {
            name: TaskNode(
                name,
                "op",
                frozenset(NAMES[two] for one, two in edges if one == number),
                frozenset(NAMES[one] for one, two in edges if two == number),
                is_setup=name in setups,
                is_teardown=name in teardowns - setups,
            )
            for number, name in enumerate(NAMES)
        },
    )


def paths_to(structure: DagStructure, task_id: str) -> Iterator[tuple[str, ...]]:
    """Every way from some task to this one, without this one, nearest last."""
    for leader in structure.tasks[task_id].leaders:
        yield (leader,)
        for path in paths_to(structure, leader):
            yield (*path, leader)


@settings(max_examples=300, deadline=None)
@given(dags(), st.sets(st.sampled_from(NAMES)))
def test_a_task_that_starts_before_what_it_comes_after_is_told(structure: DagStructure, ids: set[str]) -> None:
    expected = []
    for task_id in sorted(ids):
        paths = list(paths_to(structure, task_id))
        waited = {path[0] for path in paths if ids.issuperset(path)}
        over_others = [path for path in paths if path[0] in ids and ids.isdisjoint(path[1:]) and len(path) > 1]
        setups = {name for name in NAMES if structure.tasks[name].is_setup and not structure.tasks[task_id].is_teardown}
        lost = {path[0] for path in over_others} - waited - setups
        reached = {name for path in paths if ids.isdisjoint(path) for name in path}
        between = {name for name in reached if any(path[0] in lost for path in paths_to(structure, name))}
        assert waited_for(structure, ids, task_id) == waited
        if lost:
            expected.append(Gap(task_id, tuple(sorted(lost)), tuple(sorted(between))))
    assert gaps(structure, normalised(map(TaskRef, ids))) == expected


def test_of_a_dag_that_is_gone_or_a_task_that_is_nothing_is_known() -> None:
    node = TaskNode("t", "op", frozenset(), frozenset({"gone"}))
    assert gaps(None, (TaskRef("t"),)) == []
    assert gaps(DagStructure("d", {"t": node}), (TaskRef("gone"), TaskRef("t"))) == []
    assert gaps(DagStructure("d", {"t": node, "u": node}), (TaskRef("gone"), TaskRef("t"))) == []
