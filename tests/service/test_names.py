"""What a process remembers of a rerun is true for everybody, whatever happens, and there is only so much of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import pytest

from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.record_parts import Head
from airflow_rerun_downstream.service import names
from airflow_rerun_downstream.service.names import Latest
from tests.fakes.house import ADA, House

NAMES = ["a", "b", "c", "d"]
COUNTING = ("lines", "link_dags", "member_dags")
"""What asks for all there is of a rerun."""


@pytest.fixture
def submitted() -> tuple[House, int]:
    """a → b → c → d."""
    house = House()
    runs = [house.world.run(name) for name in NAMES]
    for one, two in itertools.pairwise(runs):
        house.world.consumed(one, "t", by=two, asset=str(one))
    return house, house.service.submit(ADA, RerunRequest(PlanRequest(runs[0]))).rerun.id


def add_line(house: House, rerun_id: int, about: str | None = None) -> None:
    ids = {one.ref.dag_id: one.id for one in house.store.members(rerun_id)}
    member_id = None if about is None else ids[about]
    house.store.add_event(rerun_id, at=house.clock.now(), actor="x", action="pause", member_id=member_id)


def totals(house: House, rerun_id: int) -> dict[str, int]:
    """What pages say that there is in all; each is as much as is on them."""
    found = {}
    for ask in (house.service.members, house.service.links, house.service.events):
        (every, total), (_, again) = (ask(ADA, rerun_id, limit=limit, offset=0) for limit in (1_000, 1))
        assert len(every) == total == again
        found[ask.__name__] = total
    return found


@contextmanager
def asked(house: House) -> Iterator[list[str]]:
    """Which of the large questions the store is asked meanwhile."""
    found: list[str] = []

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **more: (found.append(name), call(*given, **more))[1]

    with pytest.MonkeyPatch.context() as patched:
        for name in COUNTING:
            patched.setattr(house.store, name, noted(name, getattr(house.store, name)))
        yield found


def test_only_what_is_new_is_counted(submitted: tuple[House, int]) -> None:
    house, rerun_id = submitted
    with asked(house) as first:
        totals(house, rerun_id)
    assert sorted(first) == sorted(COUNTING)
    with asked(house) as again:
        totals(house, rerun_id)
    assert again == []
    add_line(house, rerun_id, "b")
    with asked(house) as later:
        totals(house, rerun_id)
    assert later == ["lines"]


def test_counts_are_each_readers_own_while_lines_come(submitted: tuple[House, int]) -> None:
    """Whoever reads all of it comes first, so that it is known."""
    house, rerun_id = submitted
    for about in (None, "b", "c", "b", None, "d"):
        house.permissions.unreadable.clear()
        before = totals(house, rerun_id)
        add_line(house, rerun_id, about)
        after = totals(house, rerun_id)
        assert after == before | {"events": before["events"] + 1}
        house.permissions.unreadable.add("b")
        assert totals(house, rerun_id)["members"] == 3
        assert totals(house, rerun_id)["links"] == 1
        shown, _ = house.service.events(ADA, rerun_id, limit=1_000, offset=0)
        about_b = {one.id for one in house.store.members(rerun_id) if one.ref.dag_id == "b"}
        assert len(shown) == len([one for one in house.store.events(rerun_id) if one.member_id not in about_b])


def test_a_line_that_comes_while_a_page_is_read_is_counted(
    submitted: tuple[House, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, rerun_id = submitted
    totals(house, rerun_id)
    read = house.store.events

    def read_late(*given: Any, **more: Any) -> Any:
        add_line(house, rerun_id)
        return read(*given, **more)

    monkeypatch.setattr(house.store, "events", read_late)
    found, total = house.service.events(ADA, rerun_id, limit=1_000, offset=0)
    assert len(found) == total


def test_a_database_that_was_set_back_is_read_anew(submitted: tuple[House, int]) -> None:
    house, rerun_id = submitted
    before, then = house.store.snapshot(), totals(house, rerun_id)
    for about in ("b", "c", None):
        add_line(house, rerun_id, about)
    assert totals(house, rerun_id)["events"] == then["events"] + 3
    house.store.restore(before)
    assert totals(house, rerun_id) == then


def head(number: int) -> Head:
    return Head(number, RunRef("a", "r"), RerunState.RUNNING, datetime(2026, 1, 1, tzinfo=timezone.utc), 0)


def test_so_many_reruns_are_known_and_the_latest_at_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "RERUNS", 3)
    known: Latest[str] = Latest(len)
    for number in range(5):
        known.keep(head(number), "x")
    known.keep(head(2), "y")
    known.keep(head(5), "z")
    assert [known.of(head(number)) for number in range(6)] == [None, None, "y", None, "x", "z"]


def test_so_many_names_are_known_and_the_latest_rerun_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "NAMES", 10)
    known: Latest[str] = Latest(len)
    for number in range(3):
        known.keep(head(number), "four")
    assert [known.of(head(number)) for number in range(3)] == [None, "four", "four"]
    for _ in range(9):
        known.keep(head(2), "as large as ever")
    assert [known.of(head(number)) for number in range(3)] == [None, None, "as large as ever"]
    known.keep(head(1), "one")
    known.keep(head(2), "two")
    assert [known.of(head(number)) for number in range(3)] == [None, "one", "two"]
