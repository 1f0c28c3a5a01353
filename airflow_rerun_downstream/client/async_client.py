"""The client for event loops: the methods of `RerunDownstreamClient`, as coroutines and async iterators."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Concatenate, ParamSpec

import httpx

from airflow_rerun_downstream.client import calls, listings, waiting
from airflow_rerun_downstream.client.call import Answer, Call
from airflow_rerun_downstream.client.from_environment import from_environment
from airflow_rerun_downstream.client.listings import Item, Listed, Listing, Page
from airflow_rerun_downstream.client.retries import RETRIES
from airflow_rerun_downstream.client.signatures import asking, iterating
from airflow_rerun_downstream.client.tokens import AsyncProvider
from airflow_rerun_downstream.client.transport import AsyncTransport, Verify
from airflow_rerun_downstream.rest import record_payloads

P = ParamSpec("P")


def asks(
    describe: Callable[P, Call[Answer]],
) -> Callable[Concatenate[AsyncRerunDownstreamClient, P], Coroutine[Any, Any, Answer]]:
    """The method that makes a call."""

    async def method(self: AsyncRerunDownstreamClient, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        return await self._transport.ask(describe(*args, **kwargs))

    return asking(describe, method)


def iterates(of: Listed[P, Page, Item]) -> Callable[Concatenate[AsyncRerunDownstreamClient, P], AsyncIterator[Item]]:
    """The method that reads a list."""

    async def method(self: AsyncRerunDownstreamClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[Item]:
        listing = Listing(of.page(*args, **kwargs), of.items)
        while (call := listing.next_call()) is not None:
            for item in listing.new(await self._transport.ask(call)):
                yield item

    return iterating(of.page, method)


class AsyncRerunDownstreamClient:
    """Reruns of one Airflow, whose address is ``base_url``.

    The arguments are those of `RerunDownstreamClient`; the function that provides a token may be a coroutine function.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | AsyncProvider | None = None,
        username: str | None = None,
        password: str | None = None,
        timeout: float = 60.0,
        verify: Verify = True,
        retries: int = RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._transport = AsyncTransport(
            base_url,
            token=token,
            username=username,
            password=password,
            timeout=timeout,
            verify=verify,
            retries=retries,
            transport=transport,
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> AsyncRerunDownstreamClient:
        """A client of the server that environment variables name, such as ``AIRFLOW_RERUN_DOWNSTREAM_URL``."""
        return cls(**from_environment(environ))

    async def __aenter__(self) -> AsyncRerunDownstreamClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    def record_url(self, rerun_id: int) -> str:
        """Where people find a rerun's record in a browser; asks no server."""
        return self._transport.record_url(rerun_id)

    plan = asks(calls.plan)
    review = asks(calls.review)
    submit = asks(calls.submit)
    reruns = asks(calls.reruns)
    rerun = asks(calls.rerun)
    changes = asks(calls.changes)
    members = asks(calls.members)
    dags = asks(calls.dags)
    links = asks(calls.links)
    not_made_anew = asks(calls.not_made_anew)
    proof = asks(calls.proof)
    estimate = asks(calls.estimate)
    events = asks(calls.events)
    notifications = asks(calls.notifications)
    proposal_review = asks(calls.proposal_review)
    approve = asks(calls.approve)
    reject = asks(calls.reject)
    pause = asks(calls.pause)
    resume = asks(calls.resume)
    terminate = asks(calls.terminate)
    release = asks(calls.release)
    retry = asks(calls.retry)
    skip = asks(calls.skip)
    retry_members = asks(calls.retry_members)
    skip_members = asks(calls.skip_members)
    release_member = asks(calls.release_member)
    comment = asks(calls.comment)
    dag_runs = asks(calls.dag_runs)
    task_instances = asks(calls.task_instances)
    edges = asks(calls.edges)
    health = asks(calls.health)
    notification_targets = asks(calls.notification_targets)
    send_test = asks(calls.send_test)

    iter_reruns = iterates(listings.RERUNS)
    iter_members = iterates(listings.MEMBERS)
    iter_dags = iterates(listings.DAGS)
    iter_links = iterates(listings.LINKS)
    iter_not_made_anew = iterates(listings.NOT_MADE_ANEW)
    iter_events = iterates(listings.EVENTS)
    iter_notifications = iterates(listings.NOTIFICATIONS)
    iter_dag_runs = iterates(listings.DAG_RUNS)

    async def wait(
        self,
        rerun_id: int,
        *,
        timeout: float | None = None,
        on_change: Callable[[record_payloads.Rerun], None] | None = None,
        interval: float = 1.0,
    ) -> record_payloads.Rerun:
        """Wait until the rerun has succeeded, failed or been terminated; see `waiting.wait`."""
        return await waiting.wait_async(
            lambda: self.rerun(rerun_id), timeout=timeout, on_change=on_change, interval=interval
        )
