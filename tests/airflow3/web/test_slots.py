"""How many calls are answered at the same time, and what becomes of those that wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool, Pool, QueuePool, SingletonThreadPool, StaticPool

from airflow_rerun_downstream.airflow3.web import error_handlers
from airflow_rerun_downstream.airflow3.web.routes import router
from airflow_rerun_downstream.airflow3.web.slots import SlotRoute, Slots, airflows_pool, calls_at_once
from tests.airflow3.database import Database


def pool(kind: type[Pool], **options: Any) -> Pool:
    return create_engine("sqlite://", poolclass=kind, **options).pool


@pytest.mark.parametrize(
    ("made", "calls"),
    [
        (pool(QueuePool, pool_size=5, max_overflow=10), 3),
        (pool(QueuePool, pool_size=50, max_overflow=10), 18),
        (pool(QueuePool, pool_size=9, max_overflow=0), 1),
        (pool(QueuePool, pool_size=1, max_overflow=0), 1),
        (pool(QueuePool, pool_size=5, max_overflow=-1), 3),
        (pool(NullPool), 3),
        (pool(StaticPool), 3),
        (pool(SingletonThreadPool), 3),
    ],
)
def test_the_calls_and_our_threads_have_a_third_of_the_pool(made: Pool, calls: int) -> None:
    assert calls_at_once(made) == calls


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_airflows_own_pool_is_asked(database: Database) -> None:
    assert airflows_pool() == 3
    assert isinstance(database.engine.pool, QueuePool)


def test_every_route_of_ours_takes_a_place() -> None:
    assert {type(route) for route in router.routes} == {SlotRoute}


class Served:
    """An app of one route, which answers when it is allowed to, and how many of its calls there were at a time."""

    def __init__(self, *, size: int, patience: float = 60) -> None:
        self.go_on = threading.Event()
        self.now = self.peak = self.begun = 0
        self.lock = threading.Lock()
        made = APIRouter(route_class=SlotRoute)
        made.add_api_route("/slow", self.slow)
        made.add_api_route("/broken", self.broken)
        self.app = FastAPI()
        self.app.state.slots = Slots(lambda: size, patience)
        error_handlers.install(self.app)
        self.app.include_router(made)

    def slow(self) -> dict[str, bool]:
        with self.lock:
            self.now += 1
            self.begun += 1
            self.peak = max(self.peak, self.now)
        answered = self.go_on.wait(30)
        with self.lock:
            self.now -= 1
        return {"answered": answered}

    def broken(self) -> None:
        raise RuntimeError("broken")

    def run(self, story: Callable[[httpx.AsyncClient], Any]) -> None:
        async def main() -> None:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://x", timeout=60) as client:
                with anyio.fail_after(60):
                    await story(client)

        anyio.run(main)

    async def until(self, what: Callable[[], bool]) -> None:
        with anyio.fail_after(30):
            while not what():
                await anyio.sleep(0.005)


async def gather(client: httpx.AsyncClient, count: int, found: list[httpx.Response]) -> None:
    async def ask() -> None:
        found.append(await client.get("/slow"))

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(ask)


def test_no_more_than_that_are_answered_at_a_time_and_all_are() -> None:
    served, found = Served(size=2), list[httpx.Response]()

    async def story(client: httpx.AsyncClient) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(gather, client, 60, found)
            await served.until(lambda: served.begun == 2)
            threads = anyio.to_thread.current_default_thread_limiter().borrowed_tokens
            assert threads == 2, "waiting holds none of the threads that Airflow's own calls need"
            served.go_on.set()

    served.run(story)
    assert (served.peak, served.begun) == (2, 60)
    assert {answer.status_code for answer in found} == {200}


def test_whoever_waits_much_too_long_is_refused_and_told_when_to_ask_again() -> None:
    served, found = Served(size=1, patience=0.2), list[httpx.Response]()

    async def story(client: httpx.AsyncClient) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(gather, client, 3, found)
            await served.until(lambda: len(found) == 2)
            served.go_on.set()

    served.run(story)
    refused = [answer for answer in found if answer.status_code == 503]
    assert [answer.status_code for answer in found] == [503, 503, 200]
    assert {answer.headers["retry-after"] for answer in refused} == {"5"}
    assert {answer.json()["reason"] for answer in refused} == {"busy"}
    assert served.begun == 1


def test_a_place_is_given_back_by_a_call_that_fails_and_by_one_that_is_given_up() -> None:
    served, found = Served(size=1), list[httpx.Response]()

    async def story(client: httpx.AsyncClient) -> None:
        for _ in range(3):
            assert (await client.get("/broken")).status_code == 500
        async with anyio.create_task_group() as group:
            group.start_soon(gather, client, 1, found)
            await served.until(lambda: served.begun == 1)
            with anyio.move_on_after(0.1):
                await client.get("/slow")  # the client goes away while it waits
            served.go_on.set()
        await gather(client, 2, found)

    served.run(story)
    assert [answer.status_code for answer in found] == [200, 200, 200]
