"""Lets every rerun wait by passages, few as its runs may be, to show that nothing else comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_rerun_downstream.domain.order import Order, Stage, put_in_order
from airflow_rerun_downstream.domain.passages import Passage, behind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage import ordering


def everywhere(patch: pytest.MonkeyPatch) -> None:
    """Every run that waits for all of others, as a whole, does so by a passage."""
    patch.setattr(ordering, "put_in_order", lambda *given, **named: told_by_passages(put_in_order(*given, **named)))


def told_by_passages(order: Order) -> Order:
    """The same order with as many passages as there can be; those that stand for a part of another come before it.

    Runs that tasks make name whom they wait for.
    """
    found, stages = list[Passage[RunRef]](order.passages), dict[RunRef, tuple[Stage, ...]]()
    for ref, some in sorted(order.stages.items(), key=lambda one: len(one[1][0].waits_for)):
        first = some[0]
        whole = {(one, last) for one, last in first.waits_for if last + 1 == len(order.stages[one])}
        if ref in order.made or not whole or first.passage is not None:
            stages[ref] = some
            continue
        names, before = {one for one, _ in whole}, set[int]()
        for number in reversed(range(len(found))):
            if (part := behind(found, number)) <= names:
                before.add(number)
                names -= part
        found.append(Passage(frozenset(names), frozenset(before)))
        stages[ref] = (replace(first, waits_for=first.waits_for - whole, passage=len(found) - 1), *some[1:])
    return replace(order, stages={ref: stages[ref] for ref in order.stages}, passages=tuple(found))


def used(play: Any) -> bool:
    """Whether a rerun that was played waits by passages."""
    return bool(play.rerun and play.house.store.passages(play.rerun))
