"""Tokens that a function provides, in both clients."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from airflow_rerun_downstream.client import (
    AsyncRerunDownstreamClient,
    ConnectionProblem,
    RefusedError,
    RerunDownstreamClient,
)
from airflow_rerun_downstream.rest import presenters
from airflow_rerun_downstream.service import RerunView
from tests.client.twins import Driven, async_twin
from tests.rest.stub import RERUN

Client = Callable[..., Any]
RECORD = presenters.rerun(RerunView(RERUN, ("pause",))).model_dump(mode="json")


class Server:
    """Takes one token and refuses others with 401."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.given: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.given.append(request.headers.get("authorization"))
        if self.given[-1] == f"Bearer {self.token}":
            return httpx.Response(200, json=RECORD)
        return httpx.Response(401, json={"detail": "Token Expired", "reason": "not_authenticated"})


class Tokens:
    """Provides the next one each time."""

    def __init__(self, *tokens: Any) -> None:
        self.tokens = list(tokens)
        self.asked = 0

    def __call__(self) -> Any:
        self.asked += 1
        found = self.tokens.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def test_it_is_asked_once_and_again_when_the_token_has_expired(client: Client) -> None:
    server, tokens = Server("one"), Tokens("one", "two\n")
    opened = client(server, token=tokens)
    assert tokens.asked == 0
    assert [opened.rerun(7).id, opened.rerun(7).id] == [7, 7]
    assert tokens.asked == 1
    server.token = "two"
    assert opened.rerun(7).id == 7
    assert opened.rerun(7).id == 7
    assert tokens.asked == 2
    assert server.given == ["Bearer one", "Bearer one", "Bearer one", "Bearer two", "Bearer two"]


def test_a_new_token_that_is_refused_too_is_a_refusal(client: Client) -> None:
    server, tokens = Server("good"), Tokens("bad", "worse", "good")
    with pytest.raises(RefusedError, match="not_authenticated"):
        client(server, token=tokens).rerun(7)
    assert server.given == ["Bearer bad", "Bearer worse"]


def test_a_token_that_is_given_is_not_renewed(client: Client) -> None:
    server = Server("good")
    with pytest.raises(RefusedError, match="not_authenticated"):
        client(server, token="bad", username="ana", password="p").rerun(7)
    assert server.given == ["Bearer bad"]


def test_without_any_no_header_is_sent(client: Client) -> None:
    server = Server("good")
    with pytest.raises(RefusedError):
        client(server).health()
    assert server.given == [None]


@pytest.mark.parametrize("found", [None, "s3cret b", b"s3cret", ""], ids=ascii)
def test_what_is_no_token_is_not_sent_and_not_repeated(client: Client, found: Any) -> None:
    server = Server("good")
    with pytest.raises(ConnectionProblem) as caught:
        client(server, token=Tokens(found)).rerun(7)
    assert "s3cret" not in str(caught.value)
    assert server.given == []


def test_what_the_function_raises_passes(client: Client) -> None:
    with pytest.raises(LookupError, match="no vault"):
        client(Server("good"), token=Tokens(LookupError("no vault"))).rerun(7)


def test_in_the_async_client_it_may_be_a_coroutine_function() -> None:
    tokens = Tokens("one", "two")

    async def provide() -> str:
        return str(tokens())

    server = Server("one")
    opened: Driven = async_twin(server, token=provide)
    assert opened.rerun(7).id == 7
    server.token = "two"
    assert opened.rerun(7).id == 7


def test_in_the_other_one_it_may_not() -> None:
    async def provide() -> str:
        return "t"

    found: list[Any] = []

    def kept() -> Any:
        found.append(provide())
        return found[0]

    transport = httpx.MockTransport(Server("t"))
    with pytest.raises(ConnectionProblem, match="answered with a coroutine"):
        RerunDownstreamClient("http://airflow", token=kept, transport=transport).rerun(7)
    found[0].close()


def test_a_token_that_another_call_has_renewed_meanwhile_is_used() -> None:
    """Two calls at once with an expired token log in once."""
    logins: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/token"):
            logins.append("login")
            return httpx.Response(201, json={"access_token": f"t{len(logins)}"})
        if request.headers["authorization"] == "Bearer t1":
            if request.url.path.endswith("/reruns/7"):
                assert opened.rerun(8).id == 7  # a call of somebody else, which renews it
            return httpx.Response(401, json={"detail": "Token Expired"})
        return httpx.Response(200, json=RECORD)

    transport = httpx.MockTransport(answer)
    opened = RerunDownstreamClient("http://airflow", username="ana", password="p", transport=transport)
    assert opened.rerun(7).id == 7
    assert len(logins) == 2


@pytest.mark.parametrize(
    "twin", [RerunDownstreamClient, lambda url, **more: Driven(AsyncRerunDownstreamClient(url, **more))]
)
def test_a_login_waits_no_longer_than_any_call(twin: Any) -> None:
    """On a server that takes a connection and never answers. Nothing but a real one has a time-out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = twin(url, username="ada", password="secret", timeout=0.2, retries=0)
        end = threading.Timer(10, silent.close)  # otherwise a failure would hang
        end.start()
        began = time.monotonic()
        with pytest.raises(ConnectionProblem):
            client.rerun(1)
        end.cancel()
        assert time.monotonic() - began < 5
        client.close()
