"""What a page of a stored rerun costs: statements and rows of the page, not of the rerun."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event, insert

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.database.transactions import transactions
from airflow_rerun_downstream.airflow3.installation.permissions import LocalPermissions
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.ports.installation import Permissions
from airflow_rerun_downstream.ports.record_parts import Part
from airflow_rerun_downstream.service import ChangesView, Service
from airflow_rerun_downstream.store import tables
from airflow_rerun_downstream.store.rerun_store import SqlRerunStore
from tests.airflow3 import scene
from tests.airflow3.database import Database
from tests.contracts.test_store import NOW, member, rerun

ADA = Actor("1", "ada")
PAGE = 100
SMALL, LARGE = 900, 10_000
MOST_STATEMENTS = 9
MOST_TO_FOLLOW = 16
DAGS = ("a", "b", "c")


class Without(LocalPermissions):
    """Somebody who may not read one of the Dags."""

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        return frozenset(dag_ids) - {"c"}


PERMISSIONS = {"everything": LocalPermissions, "without c": Without}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    transactions.cache_clear()
    yield
    transactions.cache_clear()


def refs(size: int) -> list[RunRef]:
    return [RunRef(DAGS[number % len(DAGS)], f"of {size}: {number:05}") for number in range(size)]


def store_rerun(database: Database, size: int) -> int:
    """A chain of runs of three Dags, a link between each two, and as many lines in the record."""
    named = refs(size)
    new = [member(one, depth=place, waits_for=tuple(named[place - 1 : place])) for place, one in enumerate(named)]
    links = [Link(one, other, LinkKind.SENSOR, Evidence.DERIVED) for one, other in itertools.pairwise(named)]
    with database.engine.begin() as connection:
        store = SqlRerunStore(connection)
        rerun_id = store.add(rerun(*new, links=tuple(links)), now=NOW)
        line = {"rerun_id": rerun_id, "at": NOW, "actor": "ada", "action": "dispatch"}
        lines = [{**line, "member_id": one.id} for one in store.members(rerun_id)]
        connection.execute(insert(tables.event), lines)
    return rerun_id


@dataclass
class Cost:
    """What was sent to the database, and how many rows came back where its driver says so."""

    statements: list[str] = field(default_factory=list)
    rows: int = 0


@contextmanager
def cost(database: Database) -> Iterator[Cost]:
    found = Cost()

    def note(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        found.statements.append(statement)
        found.rows += max(cursor.rowcount, 0)

    event.listen(database.engine, "after_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine, "after_cursor_execute", note)


def service(permissions: type[LocalPermissions]) -> Service:
    def made(_session: Any) -> Permissions:
        return permissions()

    return wiring.service(made)


Ask = Callable[[Service, int, int], tuple[list[Any], int]]
QUESTIONS: dict[str, Ask] = {
    "members": lambda asked, rerun_id, offset: asked.members(ADA, rerun_id, limit=PAGE, offset=offset),
    "links": lambda asked, rerun_id, offset: asked.links(ADA, rerun_id, limit=PAGE, offset=offset),
    "events": lambda asked, rerun_id, offset: asked.events(ADA, rerun_id, limit=PAGE, offset=offset),
}


def test_a_page_costs_what_is_on_it(database: Database) -> None:
    """Whether somebody may read all of a rerun or not."""
    scene.migrate(database)
    stored = {size: store_rerun(database, size) for size in (SMALL, LARGE)}
    for who, permissions in PERMISSIONS.items():
        asked = service(permissions)
        asked.rerun(ADA, stored[SMALL])  # the tables count as right from here
        costs = {size: {name: cost_of(database, asked, stored[size], name) for name in QUESTIONS} for size in stored}
        assert costs[SMALL] == costs[LARGE], who
        for statements, rows in costs[LARGE].values():
            assert statements <= MOST_STATEMENTS
            assert rows <= 4 * PAGE
        print(f"\n{database.backend}: a page of {PAGE} for who may read {who}, statements and rows: {costs[LARGE]}")


def test_following_costs_what_has_changed(database: Database) -> None:
    """Whoever looks again and nothing has happened costs one row; a change costs what it changes."""
    scene.migrate(database)
    stored = {size: store_rerun(database, size) for size in (SMALL, LARGE)}
    for who, permissions in PERMISSIONS.items():
        asked = service(permissions)
        asked.rerun(ADA, stored[SMALL])  # the tables count as right from here
        costs = {size: followed(database, asked, rerun_id) for size, rerun_id in stored.items()}
        assert costs[SMALL] == costs[LARGE], who
        assert costs[LARGE]["quiet"] == (1, 1 if database.backend == "postgres" else 0)
        for statements, rows in costs[LARGE].values():
            assert statements <= MOST_TO_FOLLOW
            assert rows <= 5 * PAGE
        print(f"\n{database.backend}: following for who may read {who}, statements and rows: {costs[LARGE]}")


def followed(database: Database, asked: Service, rerun_id: int) -> dict[str, tuple[int, int]]:
    """The statements and rows of the second part of a first look, of a quiet look, and of one after a change."""
    found: dict[str, tuple[int, int]] = {}

    def look(name: str, since: str | None) -> ChangesView:
        with cost(database) as paid:
            answer = asked.changes(ADA, rerun_id, since=since, limit=PAGE)
        found[name] = len(paid.statements), paid.rows
        return answer

    answer = look("first", None)
    assert answer.more
    while answer.more:
        answer = look("part", answer.cursor)
        if len(answer.members) == len(answer.events) == PAGE:
            found["whole part"] = found["part"]
    assert look("quiet", answer.cursor) == ChangesView(answer.cursor)
    with database.engine.begin() as connection:
        store = SqlRerunStore(connection)
        number = store.members(rerun_id, Part(limit=1))[0].id
        store.set_member_reason(number, f"why {answer.cursor}", state=MemberState.PENDING)
    changed = look("changed", answer.cursor)
    assert [one.member.depth for one in changed.members] == [0, 1], "and who waits for it"
    del found["part"]
    return found


def cost_of(database: Database, asked: Service, rerun_id: int, name: str) -> tuple[int, int]:
    """The statements and the rows of the second page."""
    with cost(database) as paid:
        found, total = QUESTIONS[name](asked, rerun_id, PAGE)
    assert len(found) == PAGE
    assert total > 2 * PAGE
    return len(paid.statements), paid.rows


def test_what_is_hidden_is_left_out_of_pages_and_counts(database: Database) -> None:
    scene.migrate(database)
    rerun_id = store_rerun(database, 30)
    asked = service(Without)
    members, total = asked.members(ADA, rerun_id, limit=5, offset=3)
    visible = [one for one in refs(30) if one.dag_id != "c"]
    assert [one.member.ref for one in members] == visible[3:8]
    assert total == 20
    # Of a chain a → b → c → a, the one of Dag a waits for a hidden one: it is neither named nor counted.
    assert {one.member.ref.dag_id: len(one.waiting_on) for one in members} == {"a": 0, "b": 1}
    some = [one.member.id for one in members] + [99_999]
    everyone = service(LocalPermissions).members(ADA, rerun_id, limit=30, offset=0)[0]
    some += [one.member.id for one in everyone if one.member.ref.dag_id == "c"]
    assert asked.members(ADA, rerun_id, limit=100, offset=0, only=some) == (members, 5)
    assert asked.members(ADA, rerun_id, limit=2, offset=4, only=some) == (members[4:], 5)
    links, links_total = asked.links(ADA, rerun_id, limit=100, offset=0)
    assert {(one.upstream.dag_id, one.downstream.dag_id) for one in links} == {("a", "b")}
    assert len(links) == links_total == 10
    events, events_total = asked.events(ADA, rerun_id, limit=7, offset=14)
    assert (len(events), events_total) == (6, 20)
