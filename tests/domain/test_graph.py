"""Order over a graph: hand-made graphs, and properties over random ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.graph import gates, levels, reachable, without_cycles

graphs = st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 12), max_size=4), max_size=12)


def identity(node: int) -> int:
    return node


def test_a_diamond_waits_for_both_sides() -> None:
    edges = {"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}
    assert gates("abcd", edges) == {"a": set(), "b": {"a"}, "c": {"a"}, "d": {"b", "c"}}
    assert levels(edges) == {"a": 0, "b": 1, "c": 1, "d": 2}


def test_order_holds_across_what_does_not_take_part() -> None:
    edges = {"a": {"x"}, "x": {"y"}, "y": {"b"}}
    assert gates("ab", edges) == {"a": set(), "b": {"a"}}


def test_the_longest_way_counts() -> None:
    assert levels({"a": {"b", "c"}, "b": {"c"}, "c": set()})["c"] == 2


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
def test_gates_respect_every_path_between_members(edges: dict[int, set[int]], members: set[int]) -> None:
    kept = without_cycles(edges, [], identity)
    waits = gates(members, kept)
    before = {member: reachable(waits[member], waits) for member in members}
    for member in members:
        for other in members - {member}:
            if other in reachable([member], kept):
                assert member in before[other]
