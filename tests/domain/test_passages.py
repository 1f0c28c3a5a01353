"""Passages stand for exactly the pairs of members for which they are told, and for far fewer rows."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import replace
from unittest.mock import patch

import pytest

from airflow_rerun_downstream.domain import passages, task_dependencies
from airflow_rerun_downstream.domain.order import Order, put_in_order
from airflow_rerun_downstream.domain.passages import Passage, behind, of_each
from airflow_rerun_downstream.domain.readings import Reading
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, Tasks
from airflow_rerun_downstream.domain.structures import Structures
from tests.domain.proofs import dag

Case = tuple[list[Reading], Structures, dict[RunRef, Tasks], dict[RunRef, frozenset[str]], RunRef]
SEEDS = 1_000
IDS = ("a", "b", "c", "d")
SOURCE = RunRef("d0", "r")


def ordered(case: Case, *, pairs: bool = False, worth: int = 0) -> Order:
    """A case in order; ``pairs``: as if there were no passages."""
    readings, structures, selected, cuts, source = case
    begin = task_dependencies.Dependencies.__init__

    def by_pairs(self: task_dependencies.Dependencies, *given: object) -> None:
        begin(self, *given)  # type: ignore[arg-type]
        self.by_pairs()

    edges: dict[RunRef, set[RunRef]] = {}
    for each in readings:
        if each.upstream < each.downstream:  # the names say who is further up
            edges.setdefault(each.upstream, set()).add(each.downstream)
            edges.setdefault(each.downstream, set())
    with (
        patch.object(task_dependencies.Dependencies, "__init__", by_pairs if pairs else begin),
        patch.object(passages, "WORTH", worth),
    ):
        return put_in_order(readings, structures, selected, cuts, edges, source=source, key=lambda ref: ref)


def awaited(order: Order, ref: RunRef) -> list[set[tuple[RunRef, int]]]:
    """For whom each stage of a run waits, passages or not."""
    return [
        set(stage.waits_for) | {(other, 0) for other in behind(order.passages, stage.passage)}
        for stage in order.stages[ref]
    ]


def rows(order: Order) -> int:
    """The rows that are stored for the gates, and what passages name."""
    gates = sum(len(stage.waits_for) for stages in order.stages.values() for stage in stages)
    waiting = sum(stage.passage is not None for stages in order.stages.values() for stage in stages)
    return gates + waiting + sum(len(one.members) + len(one.before) for one in order.passages)


def told_twice(order: Order) -> int:
    """For how many a run waits itself, and by its passage too."""
    stages = [stage for stages in order.stages.values() for stage in stages]
    return sum(len({ref for ref, _ in one.waits_for} & behind(order.passages, one.passage)) for one in stages)


def case_of(seed: int) -> Case:
    """Some runs in a line, of which some aren't selected; what some tasks read of others before them.

    Now and then one reads what comes after it, is made by a task, or is cut.
    """
    chance = random.Random(seed)
    refs = [RunRef(f"d{number}", "r") for number in range(chance.randint(3, 14))]
    makes, circles, whole = (chance.random() < part for part in (0.3, 0.2, 0.5))
    latest = {}
    for ref in refs:
        order = "; ".join(
            [*IDS, *(f"{one} >> {two}" for one in IDS for two in IDS if one < two and chance.random() < 0.4)]
        )
        found = dag(ref.dag_id, order)
        if makes:
            waiting = {task_id for task_id in IDS if chance.random() < 0.3}
            found = replace(
                found,
                tasks={i: replace(node, waits_for_run=i in waiting) for i, node in found.tasks.items()},
            )
        if chance.random() < 0.9:
            latest[ref.dag_id] = found
    readings = []
    for _ in range(chance.randint(2, 50)):
        one, two = sorted(chance.sample(range(len(refs)), 2), reverse=circles and chance.random() < 0.1)
        maker = chance.choice(IDS) if makes and chance.random() < 0.25 else None
        readings.append(
            Reading(
                refs[one],
                refs[two],
                frozenset({maker}) if maker else some_of(chance, whole),
                None if maker else some_of(chance, whole),
                maker=maker,
                sensor=chance.random() < 0.2 and maker is None,
                waits=maker is not None and chance.random() < 0.5,
                through=chance.choice(IDS) if maker is None and makes and chance.random() < 0.1 else None,
            )
        )
    selected = {
        ref: tuple(TaskRef(task_id) for task_id in IDS if chance.random() < 0.7)
        for ref in refs
        if ref == SOURCE or chance.random() < 0.6
    }
    cuts = {ref: frozenset(chance.choice(IDS)) for ref in selected if makes and chance.random() < 0.1}
    return readings, Structures(latest), selected, cuts, SOURCE


def some_of(chance: random.Random, whole: bool) -> frozenset[str] | None:
    """Some tasks of a run, or all of them."""
    if whole or chance.random() < 0.2:
        return None
    return frozenset(chance.sample(IDS, chance.randint(1, 2)))


def walked(case: Case, ref: RunRef) -> set[RunRef]:
    """The nearest members before a run, by a walk up from it; for runs that no task makes, without circles."""
    readings, structures, selected, _, _ = case
    found, seen = set[RunRef](), set[tuple[RunRef, frozenset[str] | None, frozenset[str] | None]]()
    pending: list[Reading] = [each for each in readings if each.downstream == ref]
    while pending:
        last = pending.pop()
        if last.upstream in selected:
            ids = {task.task_id for task in selected[last.upstream]}
            known = structures.get(last.upstream)
            needed = set(last.from_tasks or ())
            while known and (more := {b for a in needed for b in known.tasks[a].leaders} - needed):
                needed |= more
            if last.from_tasks is None or not known or ids & needed:
                found.add(last.upstream)
            continue
        for each in readings:
            met = last.from_tasks is None or each.reached is None or last.from_tasks & each.reached
            state = (each.upstream, each.from_tasks, each.reached)
            if each.downstream == last.upstream and met and (state, last) not in seen:
                seen.add((state, last))  # type: ignore[arg-type]
                pending.append(each)
    return found


@pytest.mark.parametrize("worth", [0, -100, 3], ids=["where it pays", "everywhere", "seldom"])
def test_passages_stand_for_the_pairs(worth: int) -> None:
    by_passages = 0
    for seed in range(SEEDS):
        case = case_of(seed)
        pairs, order = ordered(case, pairs=True), ordered(case, worth=worth)
        by_passages += bool(order.passages)
        for ref in pairs.stages:
            assert awaited(order, ref) == awaited(pairs, ref), seed
            assert [(one.tasks, one.depth) for one in order.stages[ref]] == [
                (one.tasks, one.depth) for one in pairs.stages[ref]
            ], seed
        assert (order.lost, order.made) == (pairs.lost, pairs.made), seed
        assert not pairs.passages
        assert all(number < place for place, one in enumerate(order.passages) for number in one.before), seed
        assert worth < 0 or rows(order) <= rows(pairs) + told_twice(order), seed
    assert by_passages > {0: 30, -100: 150, 3: 3}[worth], by_passages


def test_pairs_are_the_nearest_members() -> None:
    tried = 0
    for seed in range(SEEDS):
        case = case_of(seed)
        readings = case[0]
        if any(each.maker or each.through or each.upstream > each.downstream for each in readings) or case[3]:
            continue
        tried += 1
        order = ordered(case, worth=-100)
        for ref in order.stages:
            assert [{other for other, _ in one} for one in awaited(order, ref)] == [walked(case, ref)], seed
    assert tried > 300


def left_out(refs: Iterable[RunRef], *readings: tuple[RunRef, RunRef]) -> Case:
    selected = {ref: (TaskRef("t"),) for ref in refs}
    return [Reading(one, two, None, None) for one, two in readings], Structures(), selected, {}, SOURCE


def names(letter: str, count: int) -> list[RunRef]:
    return [RunRef(f"d{letter}", f"{number:05}") for number in range(count)]


def test_a_run_that_is_left_out_is_one_passage() -> None:
    above, below, between = names("1", 100), names("3", 100), RunRef("d2", "r")
    made, read = [(one, between) for one in above], [(between, one) for one in below]
    order = ordered(left_out([SOURCE, *above, *below], *((SOURCE, one) for one in above), *made, *read))
    assert order.passages == (Passage(frozenset(above)),)
    assert {order.stages[one][0] for one in below} == {replace(order.stages[below[0]][0])}
    assert (order.stages[below[0]][0].waits_for, order.stages[below[0]][0].passage) == (frozenset(), 0)
    assert [order.stages[one][0].depth for one in (SOURCE, above[0], below[0])] == [0, 1, 2]
    assert rows(order) == 300


def test_a_long_chain_that_is_left_out_is_as_many_passages_as_runs_and_no_more() -> None:
    """Each of its runs reads from a member and the one before it, and is read by a member."""
    count = 3_000
    above, chain, below = names("1", count), names("2", count), names("3", count)
    made, read = zip(above, chain, strict=True), zip(chain, below, strict=True)
    order = ordered(left_out([SOURCE, *above, *below], *made, *read, *itertools.pairwise(chain)))
    assert rows(order) <= 4 * count
    assert len(order.passages) <= count
    for place in (0, 1, 7, count - 1):
        assert awaited(order, below[place]) == [{(one, 0) for one in above[: place + 1]}]
    assert {order.stages[one][0].depth for one in below} == {1}


def test_a_small_run_that_is_left_out_is_told_by_pairs() -> None:
    above, below, between = names("1", 2), names("3", 2), RunRef("d2", "r")
    order = ordered(
        left_out([SOURCE, *above, *below], *((one, between) for one in above), *((between, one) for one in below))
    )
    assert not order.passages
    assert awaited(order, below[0]) == [{(one, 0) for one in above}]


def test_who_waits_by_several_runs_names_one_passage_that_stands_for_them() -> None:
    above, below, between = names("1", 9), names("3", 9), names("2", 2)
    made = [(one, between[place // 5]) for place, one in enumerate(above)]
    order = ordered(left_out([SOURCE, *above, *below], *made, *((run, one) for run in between for one in below)))
    assert [one.before for one in order.passages] == [frozenset(), frozenset(), frozenset({0, 1})]
    assert {stage.passage for ref in below for stage in order.stages[ref]} == {2}
    assert awaited(order, below[3]) == [{(one, 0) for one in above}]


def test_what_is_true_of_those_for_whom_passages_stand() -> None:
    some = [
        Passage(frozenset({1, 2})),
        Passage(frozenset({3}), frozenset({0})),
        Passage(frozenset({4})),
        Passage(frozenset[int](), frozenset({1, 2})),
        Passage(frozenset[int]()),
    ]
    assert of_each(some, lambda one: one > 1, all) == [False, False, True, False, True]
    assert of_each(some, lambda one: one == 3, any) == [False, True, False, True, False]
    assert [behind(some, number) for number in (None, 0, 1, 3, 4)] == [set(), {1, 2}, {1, 2, 3}, {1, 2, 3, 4}, set()]
