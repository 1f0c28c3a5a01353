"""The client: a method for each call of the REST API. `AsyncRerunDownstreamClient` has the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Concatenate, ParamSpec

import httpx

from airflow_rerun_downstream.client import calls, listings, waiting
from airflow_rerun_downstream.client.call import Answer, Call, Object
from airflow_rerun_downstream.client.from_environment import from_environment
from airflow_rerun_downstream.client.listings import Item, Listed, Listing, Page
from airflow_rerun_downstream.client.retries import RETRIES
from airflow_rerun_downstream.client.signatures import asking, iterating
from airflow_rerun_downstream.client.tokens import Provider
from airflow_rerun_downstream.client.transport import Transport, Verify
from airflow_rerun_downstream.rest import record_payloads
from airflow_rerun_downstream.rest.requests import RerunBody

P = ParamSpec("P")


def asks(describe: Callable[P, Call[Answer]]) -> Callable[Concatenate[RerunDownstreamClient, P], Answer]:
    """The method that makes a call."""

    def method(self: RerunDownstreamClient, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        return self._transport.ask(describe(*args, **kwargs))

    return asking(describe, method)


def iterates(of: Listed[P, Page, Item]) -> Callable[Concatenate[RerunDownstreamClient, P], Iterator[Item]]:
    """The method that reads a list."""

    def method(self: RerunDownstreamClient, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Item]:
        listing = Listing(of.page(*args, **kwargs), of.items)
        while (call := listing.next_call()) is not None:
            yield from listing.new(self._transport.ask(call))

    return iterating(of.page, method)


class RerunDownstreamClient:
    """Reruns of one Airflow, whose address is ``base_url``.

    Give a token or a function that provides one, or a name and a password to log in with. ``verify`` is a file or a
    folder with certificates to trust. A call that is safe to repeat is sent again up to ``retries`` times when the
    server is away or busy. Answers are objects of the contract; a refusal raises `RefusedError`, a server that can't be
    reached `ConnectionProblem`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | Provider | None = None,
        username: str | None = None,
        password: str | None = None,
        timeout: float = 60.0,
        verify: Verify = True,
        retries: int = RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._transport = Transport(
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
    def from_env(cls, environ: Mapping[str, str] | None = None) -> RerunDownstreamClient:
        """A client of the server that environment variables name, such as ``AIRFLOW_RERUN_DOWNSTREAM_URL``."""
        return cls(**from_environment(environ))

    def __enter__(self) -> RerunDownstreamClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

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

    def wait(
        self,
        rerun_id: int,
        *,
        timeout: float | None = None,
        on_change: Callable[[record_payloads.Rerun], None] | None = None,
        interval: float = 1.0,
    ) -> record_payloads.Rerun:
        """Wait until the rerun has succeeded, failed or been terminated; see `waiting.wait`."""
        return waiting.wait(lambda: self.rerun(rerun_id), timeout=timeout, on_change=on_change, interval=interval)


def submitted(
    client: RerunDownstreamClient, body: RerunBody | Object, *, idempotency_key: str
) -> tuple[record_payloads.Rerun, bool]:
    """`submit`, and whether the rerun is new: not if an earlier request with the key has made it."""
    rerun, status = client._transport.ask_with_status(calls.submit(body, idempotency_key=idempotency_key))
    return rerun, status == httpx.codes.CREATED
