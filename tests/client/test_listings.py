"""Lists in full, from both clients, while they change."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, RerunDownstreamClient, calls, listings
from airflow_rerun_downstream.client.listings import MEMBERS, Listing
from airflow_rerun_downstream.rest import presenters, record_payloads
from airflow_rerun_downstream.service import RerunView
from tests.rest.stub import RERUN

Client = Callable[..., Any]
RECORD = presenters.rerun(RerunView(RERUN, ())).model_dump(mode="json")
LISTS = ["reruns", "members", "links", "not_made_anew", "events", "notifications", "dag_runs"]


class Records:
    """A server with a list of reruns, which cuts pages."""

    def __init__(self, ids: list[int], longest: int) -> None:
        self.ids = ids
        self.longest = longest
        self.asked: list[tuple[int, int]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        limit, offset = (int(request.url.params.get(name, 0)) for name in ("limit", "offset"))
        self.asked.append((limit, offset))
        return httpx.Response(200, json=self.page(limit, offset))

    def page(self, limit: int, offset: int) -> dict[str, Any]:
        found = self.ids[offset : offset + min(limit, self.longest)]
        return {"reruns": [{**RECORD, "id": each} for each in found], "total_entries": len(self.ids)}


@pytest.mark.parametrize("longest", [1, 2, 3, 50, 100])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 100, 101])
def test_every_entry_comes_once_and_in_order(client: Client, length: int, longest: int) -> None:
    ids = list(range(1, length + 1))
    assert [each.id for each in client(Records(ids, longest)).iter_reruns()] == ids


def test_a_short_list_takes_one_call(client: Client) -> None:
    server = Records([1, 2, 3], 100)
    assert len(list(client(server).iter_reruns())) == 3
    assert server.asked == [(100, 0)]


@pytest.mark.parametrize(("limit", "offset", "found"), [(2, None, [1, 2]), (0, None, []), (5, 7, [8, 9]), (1, 2, [3])])
def test_a_limit_is_for_all_and_an_offset_is_where_it_begins(
    client: Client, limit: int, offset: int | None, found: list[int]
) -> None:
    server = Records(list(range(1, 10)), 3)
    assert [each.id for each in client(server).iter_reruns(limit=limit, offset=offset)] == found


def test_nothing_is_asked_before_the_first_entry_is_wanted(client: Client) -> None:
    server = Records([1], 1)
    entries = client(server).iter_reruns()
    assert server.asked == []
    assert next(iter(entries)).id == 1


def test_filters_are_asked_for_with_each_page(client: Client) -> None:
    states: list[list[str]] = []
    server = Records(list(range(1, 6)), 2)

    def answer(request: httpx.Request) -> httpx.Response:
        states.append(request.url.params.get_list("state"))
        return server(request)

    assert len(list(client(answer).iter_reruns(state=["running", "failed"], order_by="id"))) == 5
    assert states
    assert all(each == ["running", "failed"] for each in states)


def test_an_entry_that_changes_meanwhile_comes_once() -> None:
    call = calls.reruns()
    listing = Listing(call, listings.RERUNS.items)
    for offset, name in ((0, "before"), (2, "after")):
        asked = listing.next_call()
        assert asked is not None
        assert asked.params["offset"] == offset
        entries = [{**RECORD, "id": each, "name": name} for each in range(offset + 1, offset + 4)]
        found = listing.new(record_payloads.Reruns.model_validate({"reruns": entries, "total_entries": 5}))
        assert [each.id for each in found] == [[1, 2, 3], [4, 5]][offset // 2]


@given(st.integers(0, 60), st.integers(1, 9), st.randoms(use_true_random=False), st.integers(0, 6))
def test_what_is_there_all_the_time_comes_once_whatever_comes_and_goes(
    length: int, longest: int, chance: random.Random, changes: int
) -> None:
    """New ones come anywhere, others go. With pages of one entry there is nothing to tell it by."""
    server = Records(list(range(1, length + 1)), max(longest, 2))
    lasting = set(server.ids)
    listing = Listing(calls.reruns(), listings.RERUNS.items)
    found: list[int] = []
    while (call := listing.next_call()) is not None:
        page = server.page(call.params["limit"], call.params["offset"])
        found += [each.id for each in listing.new(record_payloads.Reruns.model_validate(page))]
        for _ in range(changes):
            if server.ids and chance.random() < 0.5:
                lasting.discard(server.ids.pop(chance.randrange(len(server.ids))))
            else:
                server.ids.insert(chance.randrange(len(server.ids) + 1), 1000 + len(found) + chance.randrange(10**6))
        changes = max(changes - 1, 0)
    assert len(found) == len(set(found))
    assert lasting <= set(found)
    assert [each for each in found if each in lasting] == sorted(lasting)


def test_both_clients_have_each_list() -> None:
    for name in LISTS:
        assert hasattr(RerunDownstreamClient, f"iter_{name}")
        assert hasattr(AsyncRerunDownstreamClient, f"iter_{name}")
    assert MEMBERS.page is calls.members
