"""One suite for both clients: the async one, with each call driven to its end."""

from __future__ import annotations

import asyncio
import atexit
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, RerunDownstreamClient

LOOP = asyncio.new_event_loop()
atexit.register(LOOP.close)

Server = Callable[[httpx.Request], httpx.Response]


class Driven:
    """An async client whose methods are called as those of the other."""

    def __init__(self, client: AsyncRerunDownstreamClient) -> None:
        self._client = client

    def __enter__(self) -> Driven:
        LOOP.run_until_complete(self._client.__aenter__())
        return self

    def __exit__(self, *error: Any) -> None:
        LOOP.run_until_complete(self._client.__aexit__(None, None, None))

    def __getattr__(self, name: str) -> Any:
        of = getattr(self._client, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            found = of(*args, **kwargs)
            return self._entries(found) if inspect.isasyncgen(found) else LOOP.run_until_complete(found)

        return called

    def _entries(self, of: AsyncIterator[Any]) -> Iterator[Any]:
        while True:
            try:
                yield LOOP.run_until_complete(of.__anext__())
            except StopAsyncIteration:
                return


def sync_twin(server: Server, url: str = "http://airflow/sub/", **options: Any) -> Any:
    """The client."""
    return RerunDownstreamClient(url, transport=httpx.MockTransport(server), **options)


def async_twin(server: Server, url: str = "http://airflow/sub/", **options: Any) -> Any:
    """Its twin."""
    return Driven(AsyncRerunDownstreamClient(url, transport=httpx.MockTransport(server), **options))


TWINS = [sync_twin, async_twin]
