"""A message to an address of the web, signed as Standard Webhooks are.

No redirects, no proxies of the environment, no address that wasn't looked at; nothing of the answer is kept but its
status.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from airflow_rerun_downstream import __version__
from airflow_rerun_downstream.notify import network
from airflow_rerun_downstream.notify.messages import Message
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.target import Credentials, Target, Webhook
from airflow_rerun_downstream.notify.wording import render

TOTAL = 15.0
"""Seconds for all of it, once there is a connection."""

PREFIX = "whsec_"
PORTS = {"https": 443, "http": 80}


class WebhookSender:
    """`Sender` for webhooks. ``context``: how certificates are checked; ``seconds``: the time, for the signature."""

    def __init__(
        self,
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self._context = context
        self._seconds = seconds

    def send(self, target: Target, message: Message, credentials: Credentials | None) -> None:
        """Raises `NotSent` unless the answer is one of success."""
        call = target.call
        assert isinstance(call, Webhook)
        known = credentials or Credentials()
        url = split(call.url or url_of(known), allow_http=call.allow_http)
        body = json.dumps(body_of(call, message), ensure_ascii=False).encode()
        secret = call.secret or known.password
        headers = {
            **call.headers,
            **headers_of(known),
            "Content-Type": "application/json",
            "Connection": "close",
            "User-Agent": f"airflow-rerun-downstream/{__version__}",
            "webhook-id": message.id,
            **signed(message.id, int(self._seconds()), body, secret),
        }
        self.post(url, body, headers, private=call.allow_private_addresses)

    def post(self, url: SplitResult, body: bytes, headers: Mapping[str, str], *, private: bool) -> None:
        """Send it, within the time that there is."""
        host, port = url.hostname or "", url.port or PORTS[url.scheme]
        connection = network.connect(host, port, private=private)
        with connection, network.ended_after(connection, TOTAL):
            try:
                if url.scheme == "https":
                    connection = network.with_tls(connection, self._context(), host)
                status = answered(url, connection, body, headers)
            except TimeoutError:
                raise NotSent("timed_out") from None
            except (OSError, http.client.HTTPException, ValueError):
                raise NotSent("bad_answer") from None
            finally:
                connection.close()
        if not 200 <= status < 300:
            raise NotSent(f"http_status:{status}")


def answered(url: SplitResult, connection: Any, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer. Whatever follows it, or doesn't, the message has been taken or not by then."""
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    made = kind(url.hostname or "", url.port)
    made.sock = connection
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    made.request("POST", path, body=body, headers=dict(headers))
    with made.getresponse() as answer:
        return answer.status


def split(text: str, *, allow_http: bool) -> SplitResult:
    """An address, in parts. Raises `NotSent` for one that isn't to be called."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise NotSent("target_error") from None
    schemes = ("https", "http") if allow_http else ("https",)
    sound = text.isascii() and text.isprintable() and " " not in text and not url.fragment
    if not sound or url.scheme not in schemes or not url.hostname or url.username is not None or port == 0:
        raise NotSent("target_error")
    return url


def url_of(known: Credentials) -> str:
    """The address that a connection means: its host, which may be a whole address."""
    if "://" in known.host:
        return known.host
    port = f":{known.port}" if known.port else ""
    path = str(known.extra.get("path") or "")
    return f"{known.schema or 'https'}://{known.host}{port}{path}"


def headers_of(known: Credentials) -> dict[str, str]:
    """More headers that a connection has. Raises `NotSent` for odd ones."""
    found = known.extra.get("headers") or {}
    if not isinstance(found, Mapping) or not all(is_header(name, value) for name, value in found.items()):
        raise NotSent("target_error")
    return dict(found)


def is_header(name: object, value: object) -> bool:
    """Whether these may be a header of the deployment's: none that we set, and nothing that begins another one."""
    if not isinstance(name, str) or not isinstance(value, str):
        return False
    token = name.replace("-", "").replace("_", "")
    ours = name.lower() in ("host", "content-length", "content-type", "transfer-encoding", "connection", "user-agent")
    sound = token.isascii() and token.isalnum() and value.isascii() and value.isprintable()
    return sound and not ours and not name.lower().startswith("webhook-")


def body_of(call: Webhook, message: Message) -> Any:
    """The JSON object: the message's own, or the deployment's with its texts filled in."""
    if call.payload is None:
        return dict(message.fields)
    try:
        return filled(call.payload, {**message.fields, "html": message.html})
    except Exception:
        raise NotSent("message_error") from None


def filled(part: Any, names: Mapping[str, Any]) -> Any:
    """A part of the deployment's body with its texts as templates."""
    if isinstance(part, str):
        return render(part, names)
    if isinstance(part, Mapping):
        return {str(name): filled(each, names) for name, each in part.items()}
    return [filled(each, names) for each in part] if isinstance(part, list) else part


def signed(message_id: str, at: int, body: bytes, secret: str) -> dict[str, str]:
    """The headers of Standard Webhooks; without a secret only the time."""
    stamp = {"webhook-timestamp": str(at)}
    if not secret:
        return stamp
    content = b".".join((message_id.encode(), str(at).encode(), body))
    mac = hmac.new(key_of(secret), content, hashlib.sha256).digest()
    return {**stamp, "webhook-signature": f"v1,{base64.b64encode(mac).decode()}"}


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: Base64 after the usual prefix, else the text itself."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise NotSent("target_error") from None
