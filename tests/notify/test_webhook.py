"""Webhooks: what arrives, how it is signed, and what is refused before anything is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from airflow_rerun_downstream.notify import network, webhook
from airflow_rerun_downstream.notify.network import is_public
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.target import Credentials, Target, Webhook
from airflow_rerun_downstream.notify.webhook import WebhookSender
from tests.notify.receivers import Receiver, certificate, running
from tests.notify.samples import ID, sample, target

SECRET = "whsec_" + base64.b64encode(b"a very secret key").decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running(Receiver()) as made:
        yield made


def here(receiver: Receiver, **more: Any) -> Target:
    return target(Webhook(url=receiver.url, allow_http=True, allow_private_addresses=True, **more))


def failing(to: Target, credentials: Credentials | None = None, **more: Any) -> str:
    with pytest.raises(NotSent) as failed:
        WebhookSender(**more).send(to, sample(), credentials)
    return failed.value.word


def test_it_arrives_as_json_with_its_id_and_a_signature_that_can_be_checked(receiver: Receiver) -> None:
    WebhookSender(seconds=lambda: 1_700_000_000.9).send(here(receiver, secret=SECRET), sample(), None)
    (call,) = receiver.calls
    assert call.path == "/hook"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["webhook-id"] == call.json["id"] == ID
    assert call.headers["webhook-timestamp"] == "1700000000"
    content = f"{ID}.1700000000.".encode() + call.body
    mac = base64.b64encode(hmac.new(b"a very secret key", content, hashlib.sha256).digest()).decode()
    assert call.headers["webhook-signature"] == f"v1,{mac}"
    assert call.json["rerun"]["counts"]["succeeded"] == 12
    assert call.json["members"][0]["dag_id"] == "report"


def test_without_a_secret_it_is_not_signed(receiver: Receiver) -> None:
    WebhookSender().send(here(receiver), sample(), None)
    assert "webhook-signature" not in receiver.calls[0].headers


def test_address_secret_and_headers_may_come_from_an_airflow_connection(receiver: Receiver) -> None:
    to = target(Webhook(allow_http=True, allow_private_addresses=True), conn_id="hook")
    extra = {"path": "/elsewhere?x=1", "headers": {"Authorization": "Bearer t"}}
    known = Credentials("127.0.0.1", receiver.port, "", "raw key", "http", extra)
    WebhookSender().send(to, sample(), known)
    WebhookSender().send(to, sample(), Credentials(host=receiver.url))
    first, second = receiver.calls
    assert (first.path, second.path) == ("/elsewhere?x=1", "/hook")
    assert first.headers["authorization"] == "Bearer t"
    assert "webhook-signature" in first.headers
    for text in (repr(known), str(to), repr(to.call)):
        assert "raw key" not in text
        assert "127.0.0.1" not in text


def test_the_deployments_own_body(receiver: Receiver) -> None:
    payload = {"text": "{{ headline }} {{ url }}", "blocks": [{"n": 1, "id": "{{ rerun.id }}"}], "on": True}
    WebhookSender().send(here(receiver, payload=payload), sample(), None)
    found = receiver.calls[0].json
    assert found["text"].startswith("Rerun 7 of daily_sales: 3 failures https://")
    assert found["blocks"] == [{"n": 1, "id": "7"}]
    assert found["on"] is True
    assert failing(here(receiver, payload={"x": "{{ 'y' * 99999999 }}"})) == "message_error"


@pytest.mark.parametrize("status", [199 + 102, 302, 307, 400, 404, 410, 429, 500, 503])
def test_anything_but_success_is_none_and_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    with running(Receiver()) as other:
        receiver.status, receiver.more = status, {"Location": other.url}
        assert failing(here(receiver)) == f"http_status:{status}"
        assert other.calls == []


def test_an_endless_answer_ends(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver.answer = b"x" * 5_000_000
    WebhookSender().send(here(receiver), sample(), None)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
AFTER_THE_STATUS = {
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
    "cut": CHUNKED + b"5\r\nab",
    "no chunk": CHUNKED + b"odd\r\n",
    "stays open": b"HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n",
    "open body": b"HTTP/1.1 202 Accepted\r\n\r\n",
    "reset": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
}


@pytest.mark.parametrize("how", AFTER_THE_STATUS)
def test_once_its_status_has_come_it_has_arrived_whatever_becomes_of_the_rest(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TOTAL", 3.0)
    listener, over = socket.create_server(("127.0.0.1", 0)), threading.Event()
    asked: list[bytes] = []

    def answer() -> None:
        found, _ = listener.accept()
        with found:
            asked.append(found.recv(65_536))
            if how == "reset":
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            found.sendall(AFTER_THE_STATUS[how])
            if how == "reset":
                found.settimeout(1)
                with suppress(OSError):  # as soon as we are gone, or while we wait for more
                    found.recv(1)
            elif "open" in how:
                over.wait(10)

    threading.Thread(target=answer, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    began = time.monotonic()
    try:
        WebhookSender().send(target(Webhook(url=url, allow_http=True, allow_private_addresses=True)), sample(), None)
    finally:
        over.set()
        listener.close()
    assert time.monotonic() - began < 2
    assert b"\r\nconnection: close\r\n" in asked[0].lower()


def test_one_that_does_not_answer_is_left_in_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TOTAL", 0.3)
    receiver.holds = threading.Event()
    began = time.monotonic()
    assert failing(here(receiver)) in ("bad_answer", "timed_out")
    assert time.monotonic() - began < 3
    receiver.holds.set()


def test_one_that_answers_a_byte_at_a_time_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TOTAL", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        found, _ = listener.accept()
        try:
            while True:
                found.sendall(b"H")
                time.sleep(0.1)
        except OSError:
            pass

    threading.Thread(target=drip, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    began = time.monotonic()
    to = target(Webhook(url=url, allow_http=True, allow_private_addresses=True))
    assert failing(to) in ("bad_answer", "timed_out")
    assert time.monotonic() - began < 3
    listener.close()


def test_one_that_is_not_there(receiver: Receiver) -> None:
    to = here(receiver)
    receiver.stop()
    try:
        assert failing(to) == "connection_failed"
    finally:
        receiver.start()


NOT_PUBLIC = (
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "224.0.0.1"),
    *("255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1"),
    *("::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1"),
)


class TestAddresses:
    def test_no_private_one_is_called_unless_it_is_allowed(self, receiver: Receiver) -> None:
        to = target(Webhook(url=receiver.url, allow_http=True))
        assert failing(to) == "address_not_allowed"
        assert receiver.calls == []

    @pytest.mark.parametrize(
        "address",
        NOT_PUBLIC,
    )
    def test_these_are_not_public(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"])
    def test_these_are(self, address: str) -> None:
        assert is_public(address)

    def test_a_host_with_one_private_address_among_public_ones_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(network, "resolve", lambda host, port: ["93.184.215.14", "10.0.0.1"])
        assert failing(target(Webhook(url="https://example.com/"))) == "address_not_allowed"

    def test_the_address_that_was_looked_at_is_called_whatever_the_name_means_then(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = iter([[(0, 0, 0, "", ("93.184.215.14", 80))], [(0, 0, 0, "", ("127.0.0.1", receiver.port))]])
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))
        called: list[Any] = []

        def connect(address: Any, seconds: float) -> socket.socket:
            called.append(address[0])
            raise OSError

        monkeypatch.setattr(network.socket, "create_connection", connect)
        url = f"http://rebinding.example.com:{receiver.port}/"
        assert failing(target(Webhook(url=url, allow_http=True))) == "connection_failed"
        assert called == ["93.184.215.14"]
        assert receiver.calls == []

    def test_a_name_that_is_not_answered_for_is_left_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(network, "RESOLVING", 0.2)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(5))
        assert failing(target(Webhook(url="https://example.com/"))) == "timed_out"

    def test_an_unknown_name(self) -> None:
        assert failing(target(Webhook(url="https://nobody.invalid/"))) == "host_unknown"


def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    WebhookSender().send(here(receiver), sample(), None)
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://user:password@example.com/",
        "https://user@example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "//example.com/",
        "https:///path",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com/a b",
        "https://exämple.com/",
        "https://example.com/#x",
        "javascript:alert(1)",
        "https://[::1",
        "",
    ],
)
def test_a_hostile_address_from_a_connection_is_refused(url: str) -> None:
    assert failing(target(Webhook(), conn_id="x"), Credentials(host=url or " ")) in ("target_error", "host_unknown")


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "x\r\nB: y"},
        {"A\r\nB": "y"},
        {"Host": "other"},
        {"Webhook-Id": "1"},
        {"Content-Length": "1"},
        {"A": 1},
        [1],
    ],
)
def test_hostile_headers_from_a_connection_are_refused(receiver: Receiver, headers: Any) -> None:
    to = target(Webhook(allow_http=True, allow_private_addresses=True), conn_id="x")
    assert failing(to, Credentials(host=receiver.url, extra={"headers": headers})) == "target_error"
    assert receiver.calls == []


class TestTls:
    def test_the_certificate_must_be_for_the_name_and_known(self, tmp_path: Path) -> None:
        server, client = certificate(tmp_path)
        with running(Receiver(tls=server)) as receiver:
            to = target(Webhook(url=receiver.url, allow_private_addresses=True))
            WebhookSender(client).send(to, sample(), None)
            assert json.loads(receiver.calls[0].body)["id"] == ID
            assert failing(to) == "tls_error"
            named = target(Webhook(url=receiver.url.replace("127.0.0.1", "localhost"), allow_private_addresses=True))
            assert failing(named, context=client) in ("tls_error", "connection_failed")
            assert len(receiver.calls) == 1
