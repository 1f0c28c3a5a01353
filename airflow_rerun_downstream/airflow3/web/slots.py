"""How many calls of ours are answered at the same time.

Airflow's own UI and the tasks' heartbeats need the same few database connections, the same thread pool and the same
interpreter. So our calls wait for their turn on the event loop, where waiting holds none of these.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.pool import Pool, QueuePool

from airflow_rerun_downstream.domain.sentence import Sentence

SHARE = 3
"""All that is ours in a process uses at most one of so many connections of its pool."""

THREADS = 2
"""The conductor, and in turn the reporter and the courier, each with one connection at most."""

USUAL_POOL = 15
"""Airflow's default: 5 connections, and 10 more when they are needed. Reckoned with where a pool has no limit."""

PATIENCE = 60.0
"""Seconds that a call waits for its turn; a browser or a proxy gives up about then."""

RETRY_AFTER = "5"
"""Seconds that a refused caller should wait."""


def calls_at_once(pool: Pool) -> int:
    """How many calls a process with that pool of connections may answer at the same time."""
    limit = pool.size() + pool._max_overflow if isinstance(pool, QueuePool) and pool._max_overflow >= 0 else USUAL_POOL
    return max(1, limit // SHARE - THREADS)


class Slots:
    """Places for calls, for one event loop. ``size`` is asked at the first call."""

    def __init__(self, size: Callable[[], int], patience: float = PATIENCE) -> None:
        self._size = size
        self._patience = patience
        self._free: anyio.Semaphore | None = None

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Hold a place, which whoever came first gets first. Raises a 503 after much too long a wait."""
        if self._free is None:
            self._free = anyio.Semaphore(self._size())
        try:
            with anyio.fail_after(self._patience):
                await self._free.acquire()
        except TimeoutError:
            told = {"reason": "busy", "message": Sentence("refusal.busy")}
            raise HTTPException(503, told, {"Retry-After": RETRY_AFTER}) from None
        try:
            yield
        finally:
            self._free.release()


def airflows_pool() -> int:
    """How many calls Airflow's pool of this process allows at the same time."""
    from airflow import settings

    engine = settings.engine
    assert engine is not None, "Airflow's database is set up before any server starts"
    return calls_at_once(engine.pool)


class SlotRoute(APIRoute):
    """A route whose calls take a place each: from the login to the finished answer, not while data is on its way."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, which waits for its turn."""
        handle = super().get_route_handler()

        async def wait_and_handle(request: Request) -> Response:
            await request.body()
            slots: Slots = request.app.state.slots
            async with slots.taken():
                request.state.began = time.monotonic()
                return await handle(request)

        return wait_and_handle
