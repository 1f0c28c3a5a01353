"""What is sent again when it fails, and what never is."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from tenacity import RetryCallState, Retrying

from airflow_rerun_downstream.client import ConnectionProblem, RefusedError, calls
from airflow_rerun_downstream.client.answers import retry_after
from airflow_rerun_downstream.client.call import Call
from airflow_rerun_downstream.client.retries import PATIENCE, pause, worth_it
from airflow_rerun_downstream.rest import presenters
from airflow_rerun_downstream.service import RerunView
from tests.rest.stub import RERUN

Client = Callable[..., Any]
Failure = Callable[[httpx.Request], httpx.Response]
BODY = {"source": {"dag_id": "a", "run_id": "r"}}
RECORD = presenters.rerun(RerunView(RERUN, ("pause",))).model_dump(mode="json")


def raises(error: Exception) -> Failure:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise error

    return answer


def says(status: int, *, text: str | None = None, reason: str = "unavailable") -> Failure:
    body: dict[str, Any] = {"json": {"detail": "Not now.", "reason": reason}} if text is None else {"text": text}
    return lambda _request: httpx.Response(status, **body)


UNSENT = {
    "refused": raises(httpx.ConnectError("refused")),
    "no connection in time": raises(httpx.ConnectTimeout("slow")),
    "429": says(429),
    "429 of a proxy": says(429, text="Slow down"),
    "503 before its turn": says(503, reason="busy"),
}
MAYBE_SENT = {
    "no answer in time": raises(httpx.ReadTimeout("slow")),
    "closed": raises(httpx.RemoteProtocolError("closed")),
    "broken": raises(httpx.ReadError("reset")),
    "502 of a proxy": says(502, text="Bad gateway"),
    "503": says(503),
    "504": says(504, text="<html>"),
}
FINAL = {
    "400": says(400),
    "404": says(404),
    "409": says(409),
    "500": says(500),
    "503 until it is seen to": says(503, reason="invalid_setting"),
    "503 on an Airflow that isn't known": says(503, reason="unsupported_airflow"),
    "a page": says(200, text="<html>"),
    "not HTTP": raises(httpx.UnsupportedProtocol("ftp")),
}


class Server:
    """Fails some times; counts how often it is asked."""

    def __init__(self, failure: Failure, times: int) -> None:
        self.failure = failure
        self.times = times
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return self.failure(request) if self.asked <= self.times else httpx.Response(200, json=RECORD)


def read(client: Any) -> Any:
    return client.rerun(7)


def submit_with_key(client: Any) -> Any:
    return client.submit(BODY, idempotency_key="k")


def submit(client: Any) -> Any:
    return client.submit(BODY)


def resume(client: Any) -> Any:
    return client.resume(7)


REPEATABLE = [read, submit_with_key]
ONCE = [submit, resume]


@pytest.mark.parametrize("call", REPEATABLE)
@pytest.mark.parametrize("failure", [*UNSENT.values(), *MAYBE_SENT.values()], ids=[*UNSENT, *MAYBE_SENT])
def test_what_may_be_repeated_is_sent_again(client: Client, call: Callable[[Any], Any], failure: Failure) -> None:
    server = Server(failure, 3)
    assert call(client(server)).id == 7
    assert server.asked == 4


@pytest.mark.parametrize("call", ONCE)
@pytest.mark.parametrize("failure", UNSENT.values(), ids=UNSENT)
def test_what_did_nothing_is_sent_again(client: Client, call: Callable[[Any], Any], failure: Failure) -> None:
    server = Server(failure, 1)
    assert call(client(server)).id == 7
    assert server.asked == 2


@pytest.mark.parametrize("call", ONCE)
@pytest.mark.parametrize("failure", MAYBE_SENT.values(), ids=MAYBE_SENT)
def test_what_may_have_been_done_is_never_sent_again(
    client: Client, call: Callable[[Any], Any], failure: Failure
) -> None:
    server = Server(failure, 1)
    with pytest.raises((ConnectionProblem, RefusedError)):
        call(client(server))
    assert server.asked == 1


@pytest.mark.parametrize("call", [*REPEATABLE, *ONCE])
@pytest.mark.parametrize("failure", FINAL.values(), ids=FINAL)
def test_a_refusal_is_final(client: Client, call: Callable[[Any], Any], failure: Failure) -> None:
    server = Server(failure, 1)
    with pytest.raises((ConnectionProblem, RefusedError)):
        call(client(server))
    assert server.asked == 1


@pytest.mark.parametrize("retries", [0, 2])
def test_it_ends_after_the_retries_that_were_allowed(client: Client, retries: int) -> None:
    server = Server(says(503), 100)
    with pytest.raises(RefusedError) as caught:
        read(client(server, retries=retries))
    assert caught.value.status == 503
    assert server.asked == retries + 1


def test_a_login_that_fails_is_tried_again(client: Client) -> None:
    logins: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/auth/token"):
            return httpx.Response(200, json=RECORD)
        logins.append(request)
        return (
            says(503, text="starting")(request) if len(logins) == 1 else httpx.Response(201, json={"access_token": "t"})
        )

    assert read(client(answer, username="ana", password="p")).id == 7
    assert len(logins) == 2


def test_a_certificate_that_is_not_trusted_stays_so(client: Client) -> None:
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    server = Server(raises(error), 1)
    with pytest.raises(ConnectionProblem):
        read(client(server))
    assert server.asked == 1


def test_the_key_is_sent_each_time(client: Client) -> None:
    keys: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers.get("idempotency-key"))
        return httpx.Response(200, json=RECORD) if len(keys) == 2 else says(502)(request)

    submit_with_key(client(answer))
    assert keys == ["k", "k"]


@pytest.mark.parametrize("key", ["", "a b", "ä", "a\nb", "x" * 251], ids=ascii)
def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_sent(client: Client, key: str) -> None:
    server = Server(says(500), 1)
    with pytest.raises(RefusedError) as caught:
        client(server).submit(BODY, idempotency_key=key)
    assert (caught.value.status, caught.value.reason, server.asked) == (422, "invalid", 0)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("0", 0.0), ("7", 7.0), (" 7 ", 7.0), ("", None), ("soon", None), ("-1", None), ("1.5", None)],
)
def test_the_server_may_say_when_to_try_again(said: str, seconds: float | None) -> None:
    assert retry_after(httpx.Response(503, headers={"Retry-After": said})) == seconds


def test_or_at_what_time() -> None:
    now = datetime.now(timezone.utc)
    for after, low, high in ((30, 25, 30), (-30, 0, 0)):
        said = format_datetime(now + timedelta(seconds=after), usegmt=True)
        found = retry_after(httpx.Response(503, headers={"Retry-After": said}))
        assert found is not None
        assert low <= found <= high


def state(error: Exception, attempt: int) -> RetryCallState:
    found = RetryCallState(Retrying(), None, (), {})
    found.attempt_number = attempt
    found.set_exception((type(error), error, None))
    return found


def test_pauses_grow_and_are_those_the_server_wants() -> None:
    plain = ConnectionProblem("away")
    assert [0.5 * 2**n <= pause(state(plain, n + 1)) <= 0.5 * 2**n + 0.5 for n in range(4)] == [True] * 4
    assert pause(state(plain, 50)) <= 10
    assert pause(state(RefusedError(429, "busy", "Busy.", {}, retry_after=7.0), 1)) == 7.0


def test_a_server_that_wants_to_be_left_alone_for_long_is() -> None:
    call = calls.rerun(7)
    for seconds, again in ((PATIENCE, True), (PATIENCE + 1, False)):
        assert worth_it(RefusedError(503, "away", "Away.", {}, retry_after=seconds), call) is again


def test_what_is_safe_to_repeat_is_what_changes_nothing_and_a_submit_with_a_key() -> None:
    """All others change something each time, or do something else the second time."""
    made: list[Call[Any]] = [calls.plan(BODY), calls.review(BODY), calls.submit(BODY, idempotency_key="k")]
    assert all(each.repeatable for each in made)
    once = [
        calls.submit(BODY),
        *(each(1) for each in (calls.approve, calls.reject, calls.pause, calls.resume, calls.terminate, calls.release)),
        *(each(1, 2) for each in (calls.retry, calls.skip, calls.release_member)),
        *(each(1, [2]) for each in (calls.retry_members, calls.skip_members)),
        calls.comment(1, "said twice is said twice"),
        calls.send_test("t"),
    ]
    assert not any(each.repeatable for each in once)
