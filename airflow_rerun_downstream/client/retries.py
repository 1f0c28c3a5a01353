"""Which calls are sent again when they fail, and how long after.

A call that does no more when it is sent twice is sent again after any failure of the connection, and when the server
or a proxy says that it is away or busy. Any other one only if it certainly never reached the API.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx
from tenacity import (
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
    wait_random,
)

from airflow_rerun_downstream.client.call import Call
from airflow_rerun_downstream.client.exceptions import ConnectionProblem, RefusedError

RETRIES = 3
"""How often a call is sent again, where the caller doesn't say."""

PATIENCE = 60.0
"""Seconds after which a call isn't sent again, and for which a server is waited for at most."""

TOO_MANY = 429
AWAY = frozenset({502, 503, 504})
NOT_BEGUN = "busy"
"""The word for a call that waited for its turn for too long."""

LASTING = frozenset({"invalid_setting", "unsupported_airflow"})
"""Words for what stays as it is until somebody has seen to it."""

UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
HOPELESS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


def unavailable(error: BaseException) -> bool:
    """Whether the server is away or busy, and may be back soon."""
    if isinstance(error, RefusedError):
        return error.status == TOO_MANY or (error.status in AWAY and error.reason not in LASTING)
    if isinstance(error, ConnectionProblem) and error.status is not None:
        return error.status == TOO_MANY or error.status in AWAY
    return isinstance(error, ConnectionProblem) and transient(error.__cause__)


def unsent(error: BaseException) -> bool:
    """Whether a call that failed, and may do better, certainly did nothing."""
    if isinstance(error, RefusedError):
        return error.status == TOO_MANY or error.reason == NOT_BEGUN
    if isinstance(error, ConnectionProblem) and error.status is not None:
        return error.status == TOO_MANY
    return isinstance(error.__cause__, UNSENT) and transient(error.__cause__)


def transient(cause: BaseException | None) -> bool:
    """Whether a failure of the connection may pass; a certificate that isn't trusted stays so."""
    if not isinstance(cause, httpx.TransportError) or isinstance(cause, HOPELESS):
        return False
    seen: BaseException | None = cause
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return False
        seen = seen.__cause__ or seen.__context__
    return True


def policy(call: Call[Any], retries: int) -> dict[str, Any]:
    """How tenacity is to send a call; for its two kinds alike."""
    return {
        "retry": retry_if_exception(lambda error: worth_it(error, call)),
        "stop": stop_after_attempt(retries + 1) | stop_after_delay(PATIENCE),
        "wait": pause,
        "reraise": True,
    }


def worth_it(error: BaseException, call: Call[Any]) -> bool:
    """Whether the call is sent again. A server that wants to be left alone for longer than that isn't waited for."""
    if isinstance(error, (ConnectionProblem, RefusedError)) and (error.retry_after or 0) > PATIENCE:
        return False
    return unavailable(error) if call.repeatable else unsent(error)


BACK_OFF = wait_exponential(multiplier=0.5, max=9.5) + wait_random(0.0, 0.5)


def pause(state: RetryCallState) -> float:
    """Seconds until the next try: what the server said, or longer each time."""
    error = state.outcome.exception() if state.outcome else None
    said = error.retry_after if isinstance(error, (ConnectionProblem, RefusedError)) else None
    return BACK_OFF(state) if said is None else said
