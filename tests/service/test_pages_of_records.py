"""The pages of a record put together are the whole of it, whatever a user may not read."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest
from tests.conductor.test_conductor import finish, member_id
from tests.fakes.house import ADA, House

NAMES = ["a", "b", "c", "d", "e", "f"]


def recorded() -> tuple[House, int]:
    """a → b → c → d → e → f; c failed and was skipped, e and f weren't selected."""
    house = House()
    runs = [house.world.run(name) for name in NAMES]
    for one, two in itertools.pairwise(runs):
        house.world.consumed(one, "t", by=two, asset=str(one))
    members = tuple(MemberRequest(ref) for ref in runs[1:4])
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(runs[0]), members=members)).rerun.id
    house.tick()
    for ref, state in zip(runs[:3], ("success", "success", "failed"), strict=True):
        finish(house, ref, as_=state)
    house.service.skip(ADA, rerun, member_id(house, rerun, "c"))
    house.tick()
    return house, rerun


HOUSE, RERUN = recorded()
KINDS: dict[str, Callable[..., tuple[list[Any], int]]] = {
    "members": HOUSE.service.members,
    "links": HOUSE.service.links,
    "events": HOUSE.service.events,
    "not_made_anew": HOUSE.service.not_made_anew,
}


def dags_of(kind: str, one: Any) -> set[str | None]:
    """The Dags that a line is about."""
    if kind == "members":
        return {one.member.ref.dag_id}
    if kind == "links":
        return {one.upstream.dag_id, one.downstream.dag_id}
    if kind == "events":
        members = {member.id: member.ref.dag_id for member in HOUSE.store.members(RERUN)}
        return {members[one.member_id]} if one.member_id else set()
    return {one.ref.dag_id}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(hidden=st.sets(st.sampled_from(NAMES[1:])), limit=st.integers(1, 5))
def test_pages_put_together_are_what_may_be_read(kind: str, hidden: set[str], limit: int) -> None:
    ask = KINDS[kind]
    HOUSE.permissions.unreadable.clear()
    everything, count = ask(ADA, RERUN, limit=1000, offset=0)
    assert len(everything) == count > 1
    HOUSE.permissions.unreadable |= hidden
    whole, total = ask(ADA, RERUN, limit=1000, offset=0)
    pages = [ask(ADA, RERUN, limit=limit, offset=offset) for offset in range(0, total + limit, limit)]
    assert {number for _, number in pages} == {total}
    assert all(len(lines) <= limit for lines, _ in pages)
    assert [line for lines, _ in pages for line in lines] == whole
    assert len(whole) == total
    left = [dags_of(kind, line) for line in everything if not dags_of(kind, line) & hidden]
    assert [dags_of(kind, line) for line in whole] == left


@settings(max_examples=60, deadline=None)
@given(hidden=st.sets(st.sampled_from(NAMES[1:])), wanted=st.sets(st.sampled_from(NAMES[:4])), limit=st.integers(1, 3))
def test_some_of_the_members_are_paged_by_themselves(hidden: set[str], wanted: set[str], limit: int) -> None:
    HOUSE.permissions.unreadable.clear()
    HOUSE.permissions.unreadable |= hidden
    only = [member_id(HOUSE, RERUN, name) for name in wanted]
    found = []
    for offset in range(0, 6, limit):
        page, total = HOUSE.service.members(ADA, RERUN, limit=limit, offset=offset, only=only)
        assert (len(page) <= limit, total) == (True, len(wanted - hidden))
        found += [one.member.ref.dag_id for one in page]
    assert found == sorted(wanted - hidden)
