"""The plan token: it tells what a person has to look at again, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.errors import Invalid
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind, Plan, PlannedRun
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.token import Change, changes, make_token, read_token
from tests.fakes.world import World
from tests.lineage.planning import plan

A, B, C = (RunRef(name, f"scheduled__2026-11-0{day}T00:00:00+00:00") for day, name in enumerate("abc", 1))


@pytest.fixture
def seen() -> Plan:
    """a → b → c."""
    world = World()
    for day, name in enumerate("abc"):
        world.run(name, day=day)
    world.consumed(A, "t", by=B, asset="1")
    world.consumed(B, "t", by=C, asset="2")
    return plan(world, A)


def altered(of: Plan, ref: RunRef, **values: object) -> Plan:
    def one(run: PlannedRun) -> PlannedRun:
        return replace(run, **values) if run.ref == ref else run  # type: ignore[arg-type]

    return replace(of, source=one(of.source), runs=tuple(map(one, of.runs)))


def linked(of: Plan, **values: object) -> Plan:
    """With another link into b."""
    links = [replace(link, **values) if link.downstream == B else link for link in of.links]  # type: ignore[arg-type]
    return replace(of, links=tuple(links))


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "other tasks": lambda of: altered(of, B, tasks=(TaskRef("u"),)),
    "one index": lambda of: altered(of, B, tasks=(TaskRef("t", 0),)),
    "not selected": lambda of: altered(of, B, selected=False),
    "not selectable": lambda of: altered(of, B, selectable=False),
    "cleared": lambda of: altered(of, B, facts=replace(of.by_ref[B].facts, clear_number=7)),
    "of another run": lambda of: linked(of, upstream=RunRef(A.dag_id, "other")),
    "of another Dag": lambda of: linked(of, upstream=RunRef("other", A.run_id)),
    "of another kind": lambda of: linked(of, kind=LinkKind.SENSOR),
    "one link less": lambda of: replace(of, links=tuple(link for link in of.links if link.downstream != B)),
}
NO_CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "nothing": lambda of: of,
    "why": lambda of: altered(of, B, reason="because"),
    "how it is known": lambda of: linked(of, via={}, evidence=Evidence.DERIVED),
    "another order": lambda of: replace(of, runs=of.runs[::-1], links=of.links[::-1]),
    "a link twice": lambda of: replace(of, links=(*of.links, *of.links)),
    "an open edge": lambda of: replace(
        of, links=(*of.links, Link(A, FutureRef("b"), LinkKind.ASSET, Evidence.UNRESOLVED, {}))
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_a_run_is_told_of_that_run(seen: Plan, change: Callable[[Plan], Plan]) -> None:
    now = change(seen)
    assert changes(make_token(seen), now, [C, B, A]) == [Change(B, "changed")]
    assert changes(make_token(seen), now, [C, A]) == []


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES)
def test_what_changes_nothing_is_not_told(seen: Plan, change: Callable[[Plan], Plan]) -> None:
    now = change(seen)
    assert changes(make_token(seen), now, [A, B, C]) == []
    assert make_token(seen) == make_token(now)


def test_a_run_that_was_not_there_is_told_as_new_in_order(seen: Plan) -> None:
    before = make_token(replace(seen, runs=()))
    assert changes(before, seen, [C, B, A]) == [Change(B, "added"), Change(C, "added")]


def test_a_run_that_is_gone_has_changed(seen: Plan) -> None:
    assert changes(make_token(seen), replace(seen, runs=seen.runs[1:]), [B, C]) == [Change(B, "changed")]


def test_it_is_short_and_safe_in_an_address(seen: Plan) -> None:
    token = make_token(seen)
    assert re.fullmatch(r"[\w-]{48}", token)  # twelve bytes for each of three runs
    assert len(read_token(token)) == 3
    assert all(len(part) == 6 for pair in read_token(token).items() for part in pair)


@pytest.mark.parametrize("token", ["", "=", "a", "aaaa", "not a token", "ü" * 16, "a" * 15, "a" * 16 + "\n"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Invalid, match=r"^plan_token is not a plan token\.$"):
        read_token(token)
