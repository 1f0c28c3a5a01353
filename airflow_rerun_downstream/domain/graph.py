"""Order over a graph of runs: what follows what, without cycles."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

Node = TypeVar("Node", bound=Hashable)
Edges = Mapping[Node, Collection[Node]]


def reachable(start: Iterable[Node], edges: Edges[Node]) -> set[Node]:
    """Every node that can be reached from ``start``, the start itself included."""
    seen = set(start)
    queue = deque(seen)
    while queue:
        for follower in edges.get(queue.popleft(), ()):
            if follower not in seen:
                seen.add(follower)
                queue.append(follower)
    return seen


def without_cycles(edges: Edges[Node], roots: Iterable[Node], key: Callable[[Node], Any]) -> dict[Node, set[Node]]:
    """Drop the edges that close a cycle, so that what remains has an order.

    The walk is depth first, from ``roots`` and then from every other node, siblings in the order of ``key``:
    the same graph always loses the same edges. A node's edge to itself is dropped too.
    """
    kept: dict[Node, set[Node]] = {}
    open_nodes: set[Node] = set()
    for root in [*roots, *sorted(edges, key=key)]:
        if root in kept:
            continue
        kept[root] = set()
        open_nodes.add(root)
        stack = [(root, iter(sorted(edges.get(root, ()), key=key)))]
        while stack:
            node, followers = stack[-1]
            for follower in followers:
                if follower in open_nodes:
                    continue
                kept[node].add(follower)
                if follower not in kept:
                    kept[follower] = set()
                    open_nodes.add(follower)
                    stack.append((follower, iter(sorted(edges.get(follower, ()), key=key))))
                    break
            else:
                open_nodes.discard(node)
                stack.pop()
    return kept


def levels(edges: Edges[Node], between: Collection[Node] = ()) -> dict[Node, int]:
    """The longest distance of each node from a node without predecessors. The graph must have no cycle.

    A node ``between`` others adds nothing to it: what follows is as far as it is itself.
    """
    waiting: dict[Node, int] = dict.fromkeys(edges, 0)
    for followers in edges.values():
        for follower in followers:
            waiting[follower] = waiting.get(follower, 0) + 1
    level = {node: 0 for node, count in waiting.items() if count == 0}
    queue = deque(level)
    while queue:
        node = queue.popleft()
        for follower in edges.get(node, ()):
            level[follower] = max(level.get(follower, 0), level[node] + (node not in between))
            waiting[follower] -= 1
            if waiting[follower] == 0:
                queue.append(follower)
    return level


def reached_by(edges: Edges[Node], wanted: Collection[Node]) -> Iterator[tuple[Node, int]]:
    """For each node, how many of the ``wanted`` ones can be reached from it, itself left out.

    The graph must have no cycle. What is known of a node is forgotten once all before it have been told.
    """
    place = {node: 1 << number for number, node in enumerate(wanted)}
    before: dict[Node, int] = {}
    for followers in edges.values():
        for follower in followers:
            before[follower] = before.get(follower, 0) + 1
    level, found = levels(edges), dict[Node, int]()
    for node in sorted(level, key=level.__getitem__, reverse=True):
        reached = 0
        for follower in edges.get(node, ()):
            reached |= found[follower]
            before[follower] -= 1
            if not before[follower]:
                del found[follower]
        yield node, bin(reached).count("1")
        found[node] = reached | place.get(node, 0)
