"""Order over a graph: hand-made graphs, and properties over random ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.graph import levels, reachable, reached_by, without_cycles
from airflow_rerun_downstream.domain.order import in_circles

graphs = st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 12), max_size=4), max_size=12)


def identity(node: int) -> int:
    return node


def test_a_diamond_has_three_levels() -> None:
    assert levels({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}) == {"a": 0, "b": 1, "c": 1, "d": 2}


def test_the_longest_way_counts() -> None:
    assert levels({"a": {"b", "c"}, "b": {"c"}, "c": set()})["c"] == 2


def test_what_nothing_follows_needs_no_entry() -> None:
    assert levels({"a": {"b"}, "c": {"b"}}) == {"a": 0, "c": 0, "b": 1}


@given(graphs)
def test_what_lies_on_circles_or_between_them_has_no_order(edges: dict[int, set[int]]) -> None:
    forward = {node: edges.get(node, set()) for node in range(13)}
    after = {node: reachable(forward[node], forward) for node in forward}
    round_about = {node for node in forward if node in after[node]}
    between = {node for node in forward if after[node] & round_about and any(node in after[one] for one in round_about)}
    assert in_circles(forward) == round_about | between


def test_a_cycle_loses_the_edge_that_closes_it() -> None:
    kept = without_cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}}, ["a"], str)
    assert kept == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_an_edge_to_itself_is_no_edge() -> None:
    assert without_cycles({"a": {"a"}}, ["a"], str) == {"a": set()}


@given(graphs)
def test_what_is_left_has_no_cycle_and_reaches_the_same(edges: dict[int, set[int]]) -> None:
    roots = sorted(edges)[:1]
    kept = without_cycles(edges, roots, identity)
    for node in kept:
        after = set().union(*(reachable([follower], kept) for follower in kept[node])) if kept[node] else set()
        assert node not in after
    if roots:
        assert reachable(roots, kept) == reachable(roots, edges)


@given(graphs, st.sets(st.integers(0, 12)))
def test_what_is_reached_is_counted(edges: dict[int, set[int]], wanted: set[int]) -> None:
    kept = without_cycles(edges, [], identity)
    expected = {node: len((reachable([node], kept) - {node}) & wanted) for node in kept}
    assert dict(reached_by(kept, wanted)) == expected
