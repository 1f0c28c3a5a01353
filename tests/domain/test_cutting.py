"""The order of runs, and how few stages are cut from them for it."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.cutting import Cutting
from airflow_rerun_downstream.domain.order import put_in_order
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
