"""Parts of a rerun's rows, as every `RerunStore` cuts them: always what is left of the whole."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, product
from typing import Any

import pytest

from airflow_rerun_downstream.domain.new_rerun import NewFrozen
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import SATISFIED, MemberState, Role
from airflow_rerun_downstream.ports.record_parts import Lines, Part
from airflow_rerun_downstream.ports.store import RerunStore
from tests.contracts.test_store import LATER, NOW, Opened, member, opened, rerun, run

__all__ = ["opened"]

READABLE = [None, frozenset(), frozenset({"a"}), frozenset({"a", "c"}), frozenset({"a", "b", "c", "other"})]
CUTS = [(None, 0), (None, 3), (0, 0), (2, 0), (2, 1), (3, 5), (100, 4), (2, 100)]
PARTS = [Part(readable, limit, offset) for readable, (limit, offset) in product(READABLE, CUTS)]


def every(dag_ids: frozenset[str] | None, *asked: str) -> bool:
    return dag_ids is None or all(dag_id in dag_ids for dag_id in asked)


def cut(found: list[Any], part: Part) -> list[Any]:
    return found[part.offset :] if part.limit is None else found[part.offset :][: part.limit]


def store_something(store: RerunStore, of_source: MemberState = MemberState.PENDING) -> int:
    """Members of three Dags on two levels, at known and unknown times; links, also to what isn't made yet; lines."""
    source = member(run("b", "s"), role=Role.SOURCE, state=of_source, depth=0)
    late = [member(run(dag_id, "late"), run_after=LATER) for dag_id in ("c", "a", "b")]
    soon = [member(run(dag_id), waits_for=(source.ref,)) for dag_id in ("b", "c", "a")]
    never = [member(run(dag_id, "never"), run_after=None) for dag_id in ("b", "a")]
    last = member(run("a", "last"), depth=2, waits_for=(soon[0].ref, soon[1].ref, late[1].ref))
    refs = [one.ref for one in (source, *late, *soon, last)]
    links = [Link(one, other, LinkKind.SENSOR, Evidence.DERIVED) for one, other in pairwise(refs)]
    links.append(Link(refs[2], FutureRef("c", next=True), LinkKind.ASSET, Evidence.ASSUMED))
    links.append(Link(run("elsewhere"), refs[2], LinkKind.ASSET, Evidence.RECORDED))
    rerun_id = store.add(rerun(source, last, *late, *soon, *never, links=tuple(links)), now=NOW)
    for place in range(2):
        store.add_frozen(rerun_id, NewFrozen("a", None, NOW, NOW if place else None))
    for place, one in enumerate(store.members(rerun_id)):
        store.add_event(rerun_id, at=LATER, actor="ann", action=f"line{place}", member_id=one.id)
        store.add_event(rerun_id, at=NOW, actor="ann", action=f"rerun{place}")
    store.add_event(rerun_id, at=NOW, actor="ann", action="gone", member_id=99_999)
    return rerun_id


@pytest.fixture
def two(opened: Opened) -> int:
    """A rerun, between others."""
    with opened() as store:
        store.add(rerun(member(run("a", "before"))), now=NOW)
        found = store_something(store)
        other = store.add(rerun(member(run("a", "after"))), now=NOW)
        store.add_event(other, at=NOW, actor="ann", action="other", member_id=store.members(other)[0].id)
    return found


def test_members_are_cut_from_those_that_may_be_read(opened: Opened, two: int) -> None:
    with opened() as store:
        whole = store.members(two)
        for part in PARTS:
            mine = [one for one in whole if every(part.readable, one.ref.dag_id)]
            assert store.members(two, part) == cut(mine, part), part
        assert store.members(two + 5, Part(limit=1)) == []
        some = [one.id for one in whole[1::2]] + [99_999]
        assert store.members(two, only=some) == whole[1::2]
        assert (
            store.members(two, Part(frozenset({"a"}), 2, 1), only=some)
            == [one for one in whole[1::2] if one.ref.dag_id == "a"][1:3]
        )
        assert store.members(two, only=[]) == store.members(two + 1, only=some) == []
    assert [one.id for one in whole] == [one.id for one in sorted(whole, key=in_turn)]


def in_turn(one: object) -> tuple[object, ...]:
    known = one.run_after is not None  # type: ignore[attr-defined]
    return one.depth, not known, known and one.run_after, one.ref, one.id  # type: ignore[attr-defined]


def test_one_member_is_as_all_have_it(opened: Opened, two: int) -> None:
    with opened() as store:
        for one in store.members(two):
            assert store.member(two, one.id) == one
            assert store.member(two + 1, one.id) is None
        assert store.member(two, 99_999) is None


def test_links_have_both_ends_readable(opened: Opened, two: int) -> None:
    with opened() as store:
        whole = store.links(two)
        for part in PARTS:
            mine = [one for one in whole if every(part.readable, one.upstream.dag_id, one.downstream.dag_id)]
            assert store.links(two, part) == cut(mine, part), part
        assert store.link_dags(two) == Counter((one.upstream.dag_id, one.downstream.dag_id) for one in whole)
        assert store.link_dags(two + 1) == {}
    assert len(whole) > 8


def test_the_links_of_some_runs(opened: Opened, two: int) -> None:
    with opened() as store:
        whole = store.links(two)
        ends = {end for one in whole for end in (one.upstream, one.downstream) if isinstance(end, RunRef)}
        for each in ends | {run("nowhere")}:
            assert store.links_into(two, each) == [one for one in whole if one.downstream == each]
            assert store.links_out_of(two, [each]) == [one for one in whole if one.upstream == each]
        many = [run("a", f"other{number}") for number in range(1_500)]
        found = store.links_out_of(two, [*ends, *many])
        assert sorted(found, key=whole.index) == whole
        assert store.links_out_of(two, []) == store.links_out_of(two + 1, list(ends)) == []
        assert store.links_into(two + 1, whole[0].upstream) == []
        members = {one.ref for one in store.members(two) if one.ref.run_id}
        assert members < {*members, run("elsewhere"), *many}
        assert store.taking_part(two, {*members, run("elsewhere"), *many}) == members
        assert store.taking_part(two, []) == frozenset()
        assert store.taking_part(two + 1, members) == {run("a", "after")} & members


def test_a_line_counts_for_the_dag_of_its_member(opened: Opened, two: int) -> None:
    """One about the rerun, or about a member that isn't there any more, for none."""
    with opened() as store:
        whole = store.events(two)
        dags = {one.id: one.ref.dag_id for one in store.members(two)}
        for part in PARTS:
            mine = [one for one in whole if one.member_id not in dags or every(part.readable, dags[one.member_id])]
            assert store.events(two, part) == cut(mine, part), part
        for place in (0, 3, len(whole) - 1):
            after = whole[place].id
            about = Counter(dags.get(one.member_id or 0) for one in whole[place + 1 :])
            assert store.lines(two, after=after) == Lines(about, frozenset(), whole[-1].id)
        assert store.lines(two).members == Counter(dags.get(one.member_id or 0) for one in whole)
    assert whole[-1].action == "gone"


@pytest.mark.parametrize("state", MemberState)
def test_what_is_still_awaited(opened: Opened, state: MemberState) -> None:
    """By the states of the members that are waited for, in the order of their ids."""
    with opened() as store:
        stored = store_something(store, state)
    with opened() as store:
        whole = store.members(stored)
        by_id = {one.id: one for one in whole}
        wanted: dict[int, list[RunRef]] = {
            one.id: [by_id[other].ref for other in sorted(one.waits_for) if by_id[other].state not in SATISFIED]
            for one in whole
        }
        assert store.awaited([one.id for one in whole]) == wanted
        assert store.awaited([]) == {}
        assert store.awaited([99_999]) == {99_999: []}
    assert any(wanted.values())
