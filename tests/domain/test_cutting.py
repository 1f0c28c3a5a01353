"""The order of runs, and how few stages are cut from them for it."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from airflow_rerun_downstream.domain.cutting import Cutting, Lost
from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.order import Order, put_in_order
from airflow_rerun_downstream.domain.readings import Member, Reading
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.structures import Structures
from tests.domain.proofs import dag

X, Y = RunRef("x", "r"), RunRef("y", "r")


def member(ref: RunRef, order: str, *ids: str) -> Member:
    """A run with ``go`` between selected tasks, which doesn't run again."""
    return Member(ref, tuple(TaskRef(task_id) for task_id in ids), dag(ref.dag_id, order), frozenset({"go"}))


@pytest.mark.parametrize("first", [X, Y])
def test_a_run_that_can_be_ended_goes_before_a_part_of_another(first: RunRef) -> None:
    """x can go on by itself, but not to its end; once y has ended, it can do so at once."""
    x = member(X, "one >> go >> two; reader", "one", "two", "reader")
    y = member(Y, "one >> go >> last", "one", "last")
    members = {one.ref: one for one in ((x, y) if first is X else (y, x))}
    cutting = Cutting(members, [Reading(Y, X, frozenset({"last"}), frozenset({"reader"}))], {})
    cutting.cut()
    assert y.done == [{"one"}, {"last"}]
    assert x.done == ([{"one"}, {"two", "reader"}] if first is X else [{"one", "reader"}, {"two"}])
    assert not cutting.lost


def test_the_source_is_nobodys_child() -> None:
    """A task of y had made the source x, and y has read from that in turn: y doesn't go before it."""
    selected = {ref: (TaskRef("t"),) for ref in (X, Y)}
    readings = [Reading(Y, X, None, None, maker="go"), Reading(X, Y, None, None)]
    order = put_in_order(readings, Structures(), selected, {}, {X: {Y}, Y: set()}, source=X, key=lambda ref: ref)
    (stage,) = order.stages[Y]
    assert (order.lost, stage.waits_for) == ((), {(X, 0)})


def test_runs_that_have_made_each_other_have_an_order_all_the_same() -> None:
    """A task's record may name any run, that of its own maker too."""
    z = RunRef("z", "r")
    selected = {ref: (TaskRef("go"), TaskRef("t")) for ref in (X, Y, z)}
    structures = Structures({ref.dag_id: dag(ref.dag_id, "go; t") for ref in selected})
    made = [Reading(Y, z, None, None, maker="go"), Reading(z, Y, None, None, maker="go")]
    readings = [*made, *(Reading(X, ref, None, None) for ref in (Y, z))]
    order = put_in_order(readings, structures, selected, {}, {X: {Y, z}, Y: {z}, z: set()}, source=X, key=str)
    assert order.made == {Y, z}
    assert {(X, 0)} <= order.stages[Y][0].waits_for | order.stages[z][0].waits_for


def ordered(readings: list[Reading], selected: dict[str, str], dags: dict[str, str], waiting: str = "") -> Order:
    """The order of runs by name, the first of which is the source; ``waiting``: a task that waits for what it makes."""
    structures = {}
    for name, order in dags.items():
        made = dag(name, order)
        nodes = {key: replace(node, waits_for_run=key == waiting) for key, node in made.tasks.items()}
        structures[name] = replace(made, tasks=nodes)
    tasks = {RunRef(name, "r"): tuple(map(TaskRef, ids.split())) for name, ids in selected.items()}
    refs = list(tasks)
    edges = {ref: set(refs[place + 1 :]) for place, ref in enumerate(refs)}
    return put_in_order(readings, Structures(structures), tasks, {}, edges, source=refs[0], key=str)


def reading(one: str, two: str, out: str | None, into: str | None, **more: Any) -> Reading:
    """``two`` has read what tasks of ``one`` made."""
    tasks = (None if ids is None else frozenset(ids.split()) for ids in (out, into))
    return Reading(RunRef(one, "r"), RunRef(two, "r"), *tasks, **more)


def test_only_what_is_still_to_come_is_lost() -> None:
    """c and d wait for each other; that e has read b, against the order of runs, is kept."""
    readings = [reading("y", "x", "b", "e"), reading("x", "y", "c", "d"), reading("y", "x", "d", "c")]
    found = ordered(readings, {"x": "c e", "y": "b d"}, {"x": "c; e", "y": "b; d"})
    (lost,) = found.lost
    assert lost == Lost(Y, X, "d", "c")


def test_what_is_made_before_what_it_reads_can_be_there_is_told_of_itself() -> None:
    """y reads from the task that makes z, and z from y: the maker can't wait for that."""
    readings = [
        reading("x", "z", None, None, maker="go"),
        reading("x", "y", "go", None),
        reading("y", "z", None, None),
    ]
    found = ordered(readings, {"x": "before go", "y": "t", "z": "t"}, {"x": "before >> go", "y": "t", "z": "t"}, "go")
    (lost,) = found.lost
    assert (lost.upstream, lost.downstream, lost.by_maker) == (Y, RunRef("z", "r"), True)


def test_what_stands_before_the_maker_is_right_anyway() -> None:
    """The run that it makes has read that; nothing is cut from the parent for it."""
    readings = [reading("x", "z", None, None, maker="go"), reading("x", "z", "before", None)]
    found = ordered(readings, {"x": "before go", "z": "t"}, {"x": "before >> go", "z": "t"})
    assert [len(found.stages[ref]) for ref in (X, RunRef("z", "r"))] == [1, 1]


def test_who_reads_from_a_task_that_waited_for_one_that_waited() -> None:
    """Neither of the two runs again, but others of their runs do: who reads the last has read what both waited for."""
    readings = [
        reading("x", "w", "t", "wait", through="wait"),
        reading("w", "v", "wait", "wait", through="wait"),
        reading("v", "y", "wait", "t"),
    ]
    selected = {"x": "t", "w": "other", "v": "other", "y": "t"}
    found = ordered(readings, selected, {"x": "t", "w": "wait; other", "v": "wait; other", "y": "t"})
    assert (X, 0) in found.stages[Y][0].waits_for


def test_three_runs_that_have_made_each_other_and_waited_have_an_end() -> None:
    """Whoever may write XComs has written that."""
    makers = [reading(one, two, None, None, maker="go", waits=True) for one, two in ("wy", "yz", "zw")]
    readings = [*makers, reading("w", "z", "t", None)]
    dags = {"x": "t", "w": "go; t", "y": "go; t", "z": "go; t"}
    found = ordered(readings, {"x": "t", **dict.fromkeys("wyz", "go t")}, dags, waiting="go")
    assert {ref.dag_id for ref in found.made} == {"w", "y", "z"}


def looped(name: str, order: str, *loops: str) -> DagStructure:
    """A Dag with loops."""
    return replace(dag(name, order), loops=tuple(frozenset(loop.split()) for loop in loops))


@pytest.mark.parametrize(
    ("order", "loops", "stages"),
    [
        ("a >> b >> end", ["a b"], [{"first"}, {"a", "b", "end"}]),
        ("a >> outside >> b >> end", ["a b"], [{"first"}, {"a", "outside", "b", "end"}]),
        ("a >> c >> b >> d >> end", ["a b", "c d"], [{"first"}, {"a", "b", "c", "d", "end"}]),
        ("a >> b >> c >> end", ["b c"], [{"first", "a"}, {"b", "c", "end"}]),
    ],
)
def test_a_loop_is_not_cut(order: str, loops: list[str], stages: list[set[str]]) -> None:
    """Another run that reads from the beginning of this one is read by a task of the loop."""
    structure = looped("x", f"{order}; first", *loops)
    x = Member(X, tuple(map(TaskRef, structure.tasks)), structure, frozenset())
    y = member(Y, "t", "t")
    readings = [
        Reading(X, Y, frozenset({"first"}), frozenset({"t"})),
        Reading(Y, X, frozenset({"t"}), frozenset({"b", "end"})),
    ]
    cutting = Cutting({X: x, Y: y}, readings, {})
    cutting.cut()
    assert (x.done, cutting.lost) == (stages, [])


def test_a_run_that_reads_within_a_loop_what_that_has_made_has_no_order() -> None:
    """y reads from a, and b from y, in the same loop: nothing of the loop can wait for y."""
    x = Member(X, (TaskRef("a"), TaskRef("b")), looped("x", "a >> b", "a b"), frozenset())
    readings = [
        Reading(X, Y, frozenset({"a"}), frozenset({"t"})),
        Reading(Y, X, frozenset({"t"}), frozenset({"b"})),
    ]
    cutting = Cutting({X: x, Y: member(Y, "t", "t")}, readings, {X: 0, Y: 1})
    cutting.cut()
    assert x.done == [{"a", "b"}]
    assert cutting.lost == readings[1:]


@pytest.mark.parametrize("seed", range(300))
def test_no_stage_has_a_loop_in_part(seed: int) -> None:
    """Whatever the Dag, what is selected of it and who reads what."""
    pick = random.Random(seed)
    members = {ref: looping(pick, ref) for ref in (X, Y, RunRef("z", "r"))}
    readings = []
    for _ in range(pick.randint(1, 8)):
        one, two = pick.sample(list(members), 2)
        made, read = pick.choice(list(members[one].ids)), pick.choice(list(members[two].ids))
        readings.append(Reading(one, two, frozenset({made}), frozenset({read, *after(members[two], read)})))
    cutting = WatchedCutting(members, readings, {ref: place for place, ref in enumerate(members)})
    cutting.cut()
    for one in members.values():
        assert one.structure is not None
        assert set().union(*one.done) == one.ids
        for loop in one.structure.loops:
            assert sum(not loop.isdisjoint(stage) for stage in one.done) == 1


class WatchedCutting(Cutting):
    """Looks at each stage when it is taken."""

    def finish(self, member: Member, batch: Collection[str]) -> None:
        """Nothing in it reads what isn't made anew yet, unless that was given up."""
        early = [each for each in self.into[member.ref] if self.open(each) and self.reached(each) & set(batch)]
        assert early == []
        super().finish(member, batch)


def looping(pick: random.Random, ref: RunRef) -> Member:
    """A run of some Dag, with one or two loops."""
    ids = [f"t{number}" for number in range(pick.randint(3, 8))]
    chains = [" >> ".join(sorted(pick.sample(ids, pick.randint(1, len(ids))))) for _ in range(pick.randint(1, 3))]
    loops = [" ".join(pick.sample(ids, pick.randint(1, 3)))]
    rest = sorted(set(ids) - set(loops[0].split()))
    if len(rest) > 1:
        loops.append(" ".join(pick.sample(rest, 2)))
    structure = looped(ref.dag_id, ";".join([*chains, *ids]), *loops)
    return Member(ref, tuple(map(TaskRef, ids)), structure, frozenset())


def after(member: Member, task_id: str) -> set[str]:
    """A task and what follows it in the same round of its loop: whoever gives no more must not get a loop cut."""
    assert member.structure is not None
    return reachable([task_id], member.structure.followers)
