"""In what order runs are rerun, by the tasks that read from each other, and which of them in stages.

Mostly runs can be put in order as wholes. Where two of them read from each other, or a task between selected ones
doesn't run again, a run is rerun in stages: parts of its selection, each of which waits for what *its* tasks read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from airflow_rerun_downstream.domain.cutting import Cutting, Lost, loss
from airflow_rerun_downstream.domain.graph import Node, levels
from airflow_rerun_downstream.domain.passages import Passage, Passages
from airflow_rerun_downstream.domain.readings import Member, Reading
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.domain.task_dependencies import Dependencies

StageOf = tuple[RunRef, int]
"""A stage of a run, counted from 0."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Selected tasks of a run that are dispatched together, once the places that they read from are right.

    ``passage`` is the number of the one that stands for more of those places; None: there is none.
    """

    tasks: Tasks
    waits_for: frozenset[StageOf]
    depth: int
    passage: int | None = None


@dataclass(frozen=True)
class Order:
    """The stages of every run, most runs have one; the readings that no order could keep; and the runs that tasks of
    others make anew, whether they are selected or not.

    ``passages`` by their numbers: of an order in which each run has one stage.
    """

    stages: Mapping[RunRef, tuple[Stage, ...]]
    lost: tuple[Lost, ...] = ()
    made: frozenset[RunRef] = frozenset()
    passages: tuple[Passage[RunRef], ...] = ()


def put_in_order(
    readings: Iterable[Reading],
    structures: Structures,
    selected: Mapping[RunRef, Tasks],
    cuts: Mapping[RunRef, frozenset[str]],
    edges: Mapping[RunRef, Collection[RunRef]],
    *,
    source: RunRef,
    key: Callable[[RunRef], Any],
) -> Order:
    """The order of the ``selected`` runs, also across runs in between that aren't selected.

    ``cuts``: triggering tasks between selected ones that don't run again. ``edges`` are those between runs without
    cycles: where tasks can't be put in order, they decide, and what they lose is told.
    """
    members = {
        ref: Member(ref, tasks, structures.get(ref), cuts.get(ref, frozenset())) for ref, tasks in selected.items()
    }
    dependencies = Dependencies(members, readings, source)
    cut = {ref for ref, one in members.items() if one.cuts}
    circular = cut or in_circles(before_whom(dependencies))
    if circular:
        dependencies.by_pairs()
        circular = cut | in_circles(before_whom(dependencies)) & members.keys()
    kept, lost = dependencies.found, list[Reading]()
    if circular:
        cutting = Cutting({ref: members[ref] for ref in sorted(circular, key=key)}, kept, levels(edges))
        cutting.cut()
        kept, lost = [each for each in kept if each not in cutting.dropped], cutting.lost
    passages = Passages(dependencies.ways, besides=dependencies.making, counts=partial(counts, members))
    stages = with_gates(dependencies, kept, passages)
    made = frozenset(dependencies.making)
    return Order(stages, tuple(losses(dependencies, lost, kept)), made, tuple(passages.found))


def before_whom(dependencies: Dependencies) -> dict[Any, set[Any]]:
    """What comes before what: members, and the places of other runs by which they are reached."""
    forward: dict[Any, set[Any]] = {ref: set() for ref in dependencies.members}
    for each in dependencies.found:
        forward[each.upstream].add(each.downstream)
    for before, after in dependencies.ways.edges():
        forward.setdefault(before, set()).add(after)
        forward.setdefault(after, set())
    return forward


def losses(dependencies: Dependencies, lost: Iterable[Reading], kept: Iterable[Reading]) -> dict[Lost, None]:
    """What is lost in words: readings without an order, and those of runs that are made too early.

    Where a making task can't wait for what its run reads, it is that run which goes before it.
    """
    found: dict[Lost, None] = {}
    for each in lost:
        reading = dependencies.because.get(each, each)
        found[replace(loss(dependencies.members, reading), by_maker=reading is not each)] = None
    for each in kept:
        if dependencies.comes_too_early(each):
            found[replace(loss(dependencies.members, each), by_maker=True)] = None
    return found


def in_circles(forward: Mapping[Node, Collection[Node]]) -> set[Node]:
    """What is on circles, and between circles; nothing where there is an order."""
    back: dict[Node, set[Node]] = {ref: set() for ref in forward}
    for ref, after in forward.items():
        for other in after:
            back[other].add(ref)
    left = set(forward)
    for ahead, behind in ((forward, back), (back, forward)):
        waits = {ref: sum(other in left for other in behind[ref]) for ref in left}
        queue = deque(ref for ref, count in waits.items() if not count)
        while queue:
            ref = queue.popleft()
            left.discard(ref)
            for other in ahead[ref]:
                if other in left:
                    waits[other] -= 1
                    if not waits[other]:
                        queue.append(other)
    return left


def counts(members: Mapping[RunRef, Member], reading: Reading) -> bool:
    """Whether a reading makes anybody wait: a run of which nothing is selected that comes before it doesn't."""
    upstream = members[reading.upstream]
    return bool(upstream.needed(reading.from_tasks)) or not upstream.knows(reading.from_tasks)


def with_gates(
    dependencies: Dependencies, readings: Iterable[Reading], passages: Passages
) -> dict[RunRef, tuple[Stage, ...]]:
    """The stages with what each waits for, and how deep in the order it is."""
    members = dependencies.members
    parts = {ref: one.stages() for ref, one in members.items()}
    waits: dict[StageOf, set[StageOf]] = {
        (ref, number): set() for ref, some in parts.items() for number in range(len(some))
    }
    for ref, others in passages.waits.items():
        waits[ref, 0].update((other, 0) for other in others)
    for each in readings:
        if each.upstream == each.downstream or dependencies.comes_anyway(each) or not counts(members, each):
            continue
        upstream, downstream = members[each.upstream], members[each.downstream]
        made = upstream.stage_of(upstream.needed(each.from_tasks)) if len(parts[each.upstream]) > 1 else 0
        if made is None:
            continue
        if len(parts[each.downstream]) == 1:
            waits[each.downstream, 0].add((each.upstream, made))
            continue
        read = downstream.named(each.reached)
        first = next((number for number, batch in enumerate(downstream.done) if batch & read), 0)
        waits[each.downstream, first].add((each.upstream, made))
    depth = depths(waits, passages)
    return {
        ref: tuple(
            Stage(tasks, frozenset(waits[ref, number]), depth[ref, number], passages.of.get(ref))
            for number, tasks in enumerate(some)
        )
        for ref, some in parts.items()
    }


def depths(waits: Mapping[StageOf, Collection[StageOf]], passages: Passages) -> dict[StageOf | int, int]:
    """How deep in the order stages are, and passages by their numbers."""
    forward: dict[StageOf | int, set[StageOf | int]] = {place: set() for place in (*waits, *range(len(passages.found)))}
    for place, before in waits.items():
        for other in before:
            forward[other].add(place)
        if place[1]:
            forward[place[0], place[1] - 1].add(place)
    for number, one in enumerate(passages.found):
        for ref in one.members:
            forward[ref, 0].add(number)
        for earlier in one.before:
            forward[earlier].add(number)
    for ref, number in passages.of.items():
        forward[number].add((ref, 0))
    return levels(forward, between=set(range(len(passages.found))))
