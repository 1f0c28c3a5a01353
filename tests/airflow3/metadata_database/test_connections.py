"""A request of ours never holds two database connections: enough of such requests would stop the whole api-server.

Each would hold one connection and wait for another, which the others hold. Every route of the router is asked, through
Airflow's login, on real tables, so that a new one is in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pytest_mock import MockerFixture
from sqlalchemy import delete, text, update

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.installation.permissions import AuthManagerPermissions
from airflow_rerun_downstream.airflow3.installation.process_reports import API_SERVER
from airflow_rerun_downstream.airflow3.web.app import make_app
from airflow_rerun_downstream.domain.new_rerun import NewFrozen
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest, RerunSettings
from airflow_rerun_downstream.service import Service
from airflow_rerun_downstream.store import tables
from airflow_rerun_downstream.store.rerun_store import SqlRerunStore
from tests.airflow3 import history, logins, scene
from tests.airflow3.conftest import rewire
from tests.airflow3.connections import checked_out
from tests.airflow3.database import Database
from tests.contracts.test_store import member, rerun

pytestmark = [
    pytest.mark.usefixtures("unlimited"),
    pytest.mark.filterwarnings("ignore:The HMAC key is"),
]


def services() -> Service:
    return wiring.service(AuthManagerPermissions)


@cache
def app() -> FastAPI:
    return make_app(services)


def routes() -> list[APIRoute]:
    from airflow_rerun_downstream.airflow3.web.routes import router

    return [route for route in router.routes if isinstance(route, APIRoute)]


def route_of(name: str) -> APIRoute:
    (found,) = (route for route in routes() if route.operation_id == name)
    return found


@dataclass
class Story:
    """Two runs, the second of which consumed an asset event of the first, and a rerun of both."""

    up: RunRef
    down: RunRef
    rerun_id: int = 0
    member_ids: tuple[int, ...] = ()


@pytest.fixture
def story(database: Database, session: Any) -> Story:
    scene.migrate(database)
    daily = history.dag("daily", schedule="@daily", catchup=True)
    scene.save(history.dag("up"), history.dag("down"), daily, session=session)
    up = scene.create_run("up", session=session)
    down = history.run("down", "made", session=session, by="asset")
    history.emit(up, down, session=session)
    session.rollback()  # gives its connection back
    return Story(up, down)


def store_rerun(database: Database, story: Story, state: str = "running", **states: str) -> Story:
    """A stored rerun of the story with a frozen member, all in the states that are asked for."""
    with database.engine.begin() as connection:
        store = SqlRerunStore(connection)
        new = rerun(member(story.up, depth=0), member(story.down, waits_for=(story.up,)))
        rerun_id = store.add(new, now=scene.START)
        store.add_frozen(rerun_id, NewFrozen("down", "to_come", None, None))
        ids = {one.ref: one.id for one in store.members(rerun_id)}
        members = (ids[story.up], ids[story.down], ids[RunRef("down", "to_come")])
        for name, value in states.items():
            found = tables.member.c.id == members[("up", "down", "frozen").index(name)]
            connection.execute(update(tables.member).where(found).values(state=value))
        connection.execute(update(tables.rerun).where(tables.rerun.c.id == rerun_id).values(state=state))
        store.add_event(rerun_id, at=scene.START, actor="ada", action="submit", member_id=members[1])
    return replace(story, rerun_id=rerun_id, member_ids=members)


def request_of(route: APIRoute, story: Story) -> tuple[str, str, dict[str, Any] | None]:
    """The call of a route about the story: its method, its path and its body."""
    values = {
        "dag_id": story.up.dag_id,
        "run_id": story.up.run_id.replace("+", "%2B"),
        "name": "team",
        "rerun_id": story.rerun_id,
        "member_id": story.member_ids[2 if route.operation_id == "release_member" else 1] if story.member_ids else 1,
    }
    (method,) = route.methods
    path = route.path.replace(":path", "").format(**values)
    more = {"settings": {"accept_duplicate_runs": True}} if route.operation_id in ACCEPTING else {}
    if route.operation_id in SEVERAL:
        return method, path, {"members": [{"member_id": each} for each in story.member_ids[:2] or (1,)]}
    if route.operation_id == "comment_rerun":
        return method, path, {"text": "The feed is right now"}
    source = {"dag_id": story.up.dag_id, "run_id": story.up.run_id}
    return method, path, {"source": source, **more} if route.operation_id in FRESH else None


ACCEPTING = ("review_rerun", "submit_rerun")
SEVERAL = ("retry_members", "skip_members")
REPAIRS = ("resume_rerun", "retry_member", "skip_member", *SEVERAL)
FRESH = ("make_plan", "review_rerun", "submit_rerun")
PROPOSED = ("review_proposal", "approve_rerun", "reject_rerun")


def prepare(route: APIRoute, database: Database, story: Story) -> Story:
    """What the call of a route needs so that it succeeds."""
    forget(database)
    if route.operation_id in FRESH:
        return story
    if route.operation_id in PROPOSED:
        asked = RerunRequest(PlanRequest(story.up), settings=RerunSettings(accept_duplicate_runs=True), propose=True)
        return replace(story, rerun_id=wiring.local_service().submit(Actor("0", "zoe"), asked).rerun.id)
    if route.operation_id in REPAIRS:
        return store_rerun(database, story, state="failed", down="failed")
    return store_rerun(database, story)


def forget(database: Database) -> None:
    with database.engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(delete(table))


Login = Callable[[logins.Grants], str]


@pytest.fixture(params=[pytest.param(logins.simple, id="simple"), pytest.param(logins.fab, id="fab")])
def login(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, database: Database) -> Iterator[Login]:
    with request.param(monkeypatch, database) as found:
        yield found


@pytest.fixture(autouse=True)
def target(unlimited: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that can be tried; nothing is sent here."""
    told = '{"team": {"kind": "webhook", "url": "https://example.org/hook"}}'
    monkeypatch.setenv("AIRFLOW__RERUN_DOWNSTREAM__NOTIFICATION_TARGETS", told)
    rewire()


def client(token: str | None) -> TestClient:
    made = TestClient(app(), raise_server_exceptions=False)
    if token is not None:
        made.headers["authorization"] = f"Bearer {token}"
    return made


@dataclass(frozen=True)
class Asked:
    """How a call was answered, and how many connections it took: at the same time, and left over."""

    name: str
    status: int
    body: Any
    peak: int
    left: int
    taken: int


def ask(route: APIRoute, story: Story, by: TestClient, **more: Any) -> Asked:
    method, path, body = request_of(route, story)
    with checked_out() as connections:
        answer = by.request(method, path, json=None if body is None else {**body, **more})
    return Asked(
        str(route.operation_id),
        answer.status_code,
        answer.json(),
        connections.peak,
        connections.now,
        connections.taken,
    )


def assert_one_at_a_time(asked: list[Asked]) -> None:
    assert not [each for each in asked if each.peak > 1 or each.left]
    assert asked


def test_every_call_that_succeeds(database: Database, story: Story, login: Login) -> None:
    by = client(login(logins.EVERYTHING))
    asked = [ask(route, prepare(route, database, story), by) for route in routes()]
    # A test is for who may see Airflow's jobs and plugins; these logins are about Dags.
    assert {each.name for each in asked if each.status not in (200, 201)} == {"send_test"}
    assert_one_at_a_time(asked)
    assert not [each for each in asked if each.taken == 0 and each.name != "send_test"]


def test_a_second_connection_would_be_seen(
    database: Database, story: Story, login: Login, mocker: MockerFixture
) -> None:
    """The auth manager is asked as it would be without our session: it takes one of its own."""

    def listed(self: AuthManagerPermissions, actor: Actor) -> frozenset[str]:
        from airflow.api_fastapi.app import get_auth_manager

        return frozenset(get_auth_manager().get_authorized_dag_ids(user=actor.native))

    mocker.patch.object(AuthManagerPermissions, "_list", listed)
    by = client(login(logins.EVERYTHING))
    peaks = {
        asked.name: asked.peak for route in routes() for asked in [ask(route, prepare(route, database, story), by)]
    }
    assert peaks["list_members"] == peaks["make_plan"] == peaks["pause_rerun"] == 2


def test_every_call_of_somebody_who_may_nothing(database: Database, story: Story, login: Login) -> None:
    by = client(login([]))
    assert_one_at_a_time([ask(route, prepare(route, database, story), by) for route in routes()])


def test_every_call_of_somebody_who_isnt_logged_in(database: Database, story: Story, login: Login) -> None:
    asked = [ask(route, story, client(None)) for route in routes()]
    assert {each.status for each in asked} == {401}
    assert_one_at_a_time(asked)


def test_every_call_while_a_table_is_missing(database: Database, story: Story, login: Login) -> None:
    """A statement fails in the middle of a transaction, and the tables are looked at again."""
    by = client(login(logins.EVERYTHING))
    hidden = "hidden_meanwhile"
    asked = []
    for route in routes():
        ready = prepare(route, database, story)
        ask(route, ready, by) if route.operation_id == "get_health" else None  # the tables count as right from here
        rename(database, tables.rerun.name, hidden)
        try:
            asked.append(ask(route, ready, by))
        finally:
            rename(database, hidden, tables.rerun.name)
    assert_one_at_a_time(asked)
    assert {each.status for each in asked if each.name == "list_members"} == {503}


def test_a_submit_that_freezes_a_run(database: Database, story: Story, login: Login, session: Any) -> None:
    later = datetime.now(timezone.utc) + timedelta(days=2)
    waiting = scene.create_run("daily", session=session, state="queued")
    scene.run_of(waiting, session=session).run_after = later
    history.emit(story.up, waiting, session=session)
    session.rollback()
    freezes = {"freeze_mode": True, "frozen": [{"dag_id": "daily", "run_id": waiting.run_id}], "members": []}
    by = client(login(logins.EVERYTHING))
    for name, status in (("review_rerun", 200), ("submit_rerun", 201)):
        asked = ask(route_of(name), story, by, **freezes)
        assert (asked.status, asked.peak, asked.left) == (status, 1, 0), asked
    assert asked.body["counts"]["frozen"] == 1


def rename(database: Database, before: str, after: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


def test_a_submit_of_a_run_that_another_rerun_has(database: Database, story: Story, login: Login) -> None:
    """The refusal names the other rerun, for which it reads again."""
    by = client(login(logins.EVERYTHING))
    held = store_rerun(database, story)
    asked = ask(route_of("submit_rerun"), held, by)
    assert (asked.status, asked.body["reason"], asked.body["rerun_id"]) == (409, "run_in_active_rerun", held.rerun_id)
    assert_one_at_a_time([asked])


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_many_calls_at_the_same_time(database: Database, story: Story, login: Login) -> None:
    """More than the whole pool has connections: they take the places that are there, and all are answered."""
    held = store_rerun(database, story)
    token = login(logins.EVERYTHING)
    (_, path, _) = request_of(route_of("list_members"), held)
    answers: list[int] = []

    async def ask(client: httpx.AsyncClient) -> None:
        answers.append((await client.get(path)).status_code)

    async def main() -> None:
        transport = httpx.ASGITransport(make_app(services=services))
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers, timeout=60) as client:
            with anyio.fail_after(60):
                async with anyio.create_task_group() as group:
                    for _ in range(60):
                        group.start_soon(ask, client)

    with checked_out() as connections:
        anyio.run(main)
    assert answers == [200] * 60
    assert (connections.peak, connections.now) == (3, 0)


def test_the_threads_beside_the_requests(database: Database, story: Story) -> None:
    """The conductor through a dispatch and its end, and the reporter."""
    store_rerun(database, story)
    with checked_out() as connections:
        conductor = wiring.conductor()
        assert sum(conductor.tick().steps for _ in range(3)) > 0
        conductor.resign()
        stop = threading.Event()
        stop.set()
        wiring.reporter(API_SERVER).run(stop)
    assert (connections.peak, connections.now) == (1, 0)
    assert connections.taken > 3
