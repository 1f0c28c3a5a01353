from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest

from airflow_rerun_downstream.client import (
    AsyncRerunDownstreamClient,
    ClientError,
    ConnectionProblem,
    RefusedError,
    RerunDownstreamClient,
    StillRunning,
)
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.rest import presenters, record_payloads
from airflow_rerun_downstream.rest.requests import PlanBody, RunRefBody
from airflow_rerun_downstream.service import RerunView
from tests.rest.stub import RERUN

Answer = Callable[[httpx.Request], httpx.Response]
Client = Callable[..., Any]


def rerun(state: RerunState = RerunState.RUNNING, **changes: Any) -> record_payloads.Rerun:
    found = presenters.rerun(RerunView(RERUN, ("pause",)))
    return found.model_copy(update={"state": state, **changes})


def record(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=rerun().model_dump(mode="json"))


def test_a_call_goes_to_the_api_with_the_token(client: Client) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://airflow/sub/rerun-downstream/api/v1/reruns/7"
        assert request.headers["authorization"] == "Bearer t"
        return record(request)

    with client(answer, token="t") as opened:
        assert opened.rerun(7) == rerun()


def test_parameters_are_written_as_the_contract_reads_them(client: Client) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params.multi_items() == [
            ("state", "running"),
            ("state", "failed"),
            ("created_at_gte", "2026-01-01T00:00:00+00:00"),
            ("frozen", "true"),
            ("limit", "3"),
        ]
        return httpx.Response(200, json={"reruns": [], "total_entries": 0})

    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    client(answer).reruns(
        state=[RerunState.RUNNING, "failed"], dag_id=None, frozen=True, created_at_gte=moment, limit=3
    )


@pytest.mark.parametrize("of", [RerunDownstreamClient, AsyncRerunDownstreamClient])
def test_the_page_of_a_record_is_below_airflows_address(of: type[RerunDownstreamClient]) -> None:
    assert of("http://airflow/sub/", token="t").record_url(7) == "http://airflow/sub/rerun-downstream/ui/records/7"


def test_ids_are_quoted_in_the_path(client: Client) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path.endswith(b"/dag-runs/a%20b/r%2F1%2B00%3F/task-instances")
        return httpx.Response(200, json={"task_instances": [], "total_entries": 0, "structure": []})

    assert client(answer).task_instances("a b", "r/1+00?").total_entries == 0


def test_a_body_says_only_what_was_said(client: Client) -> None:
    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(409, json={"detail": "Too many.", "reason": "plan_too_large", "found": 3})

    for body in (PlanBody(source=RunRefBody(dag_id="a", run_id="r")), {"source": {"dag_id": "a", "run_id": "r"}}):
        with pytest.raises(RefusedError) as caught:
            client(answer).plan(body)
        assert (caught.value.status, caught.value.reason) == (409, "plan_too_large")
        assert (caught.value.detail, caught.value.extra) == ("Too many.", {"found": 3})
    assert bodies == [{"source": {"dag_id": "a", "run_id": "r"}}] * 2


def test_a_name_and_a_password_log_in_and_again_when_the_token_has_expired(client: Client) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/sub/auth/token":
            assert json.loads(request.content) == {"username": "ana", "password": "p"}
            asked.append("login")
            return httpx.Response(201, json={"access_token": f"t{asked.count('login')}"})
        asked.append(request.headers["authorization"])
        if asked[-1] == "Bearer t1":
            return httpx.Response(401, json={"detail": "Token Expired", "reason": "not_authenticated"})
        return record(request)

    assert client(answer, username="ana", password="p").rerun(7).id == 7
    assert asked == ["login", "Bearer t1", "login", "Bearer t2"]


def test_a_wrong_password_is_a_refusal(client: Client) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"detail": "Invalid credentials"})

    with pytest.raises(RefusedError, match="Invalid credentials"):
        client(answer, username="ana", password="p").health()


def away(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    "answer",
    [
        away,
        lambda _request: httpx.Response(200, text="<html>Airflow</html>"),
        lambda _request: httpx.Response(502, text="Bad gateway"),
        lambda _request: httpx.Response(200, json={"of": "another API"}),
        lambda _request: httpx.Response(200, json=[1]),
    ],
)
def test_what_is_not_an_answer_of_the_api_is_a_problem_of_the_connection(client: Client, answer: Answer) -> None:
    with pytest.raises(ConnectionProblem):
        client(answer).rerun(7)


def test_a_newer_server_may_say_more(client: Client) -> None:
    more = {**rerun().model_dump(mode="json"), "mood": "good"}
    assert client(lambda _request: httpx.Response(200, json=more)).rerun(7) == rerun()


def test_every_error_is_of_one_family() -> None:
    assert all(issubclass(kind, ClientError) for kind in (ConnectionProblem, RefusedError, StillRunning))


HOSTILE = ["", " ", "s3cret b", "s3cret\nb", "a\r\nX-Evil: 1", "tök-en", "sec\u2028ret", "a\x00b", "secr€t"]


@pytest.mark.parametrize("token", HOSTILE, ids=ascii)
def test_a_token_that_no_header_can_carry_is_refused_and_not_repeated(client: Client, token: str) -> None:
    with pytest.raises(ConnectionProblem) as refused:
        client(record, token=token)
    assert not token.strip() or token.strip() not in str(refused.value)


@pytest.mark.parametrize("token", ["t\n", " t", "\tt\r\n"], ids=ascii)
def test_line_ends_around_a_token_are_dropped(client: Client, token: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer t"
        return record(request)

    client(answer, token=token).rerun(7)


@pytest.mark.parametrize(
    "url",
    [
        "http://joe:s3cret@host",
        "https://s3cret@host/sub",
        "joe:s3cret@host:80",
        "//joe:s3cret@host",
        "http://joe:s3cret@[::1",
    ],
)
def test_an_address_with_a_login_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConnectionProblem) as refused:
        RerunDownstreamClient(url, token="t")
    assert "s3cret" not in str(refused.value)
