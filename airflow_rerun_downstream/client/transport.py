"""Sending a call and reading its answer, for either client: address, certificates, login, retries, JSON."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx
from tenacity import AsyncRetrying, Retrying

from airflow_rerun_downstream.client.addresses import record_url
from airflow_rerun_downstream.client.answers import understood
from airflow_rerun_downstream.client.call import Answer, Call
from airflow_rerun_downstream.client.exceptions import ConnectionProblem
from airflow_rerun_downstream.client.retries import RETRIES, policy
from airflow_rerun_downstream.client.tokens import AsyncProvider, authentication

API = "/rerun-downstream/api/v1"

Verify = bool | str | Path | ssl.SSLContext
"""Whose certificates are trusted: the usual ones, none checked, a file's or a folder's, or as a context says."""


class Exchange:
    """What both transports know of the server."""

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
    ) -> None:
        self._base = address(base_url)
        self._retries = retries
        self._options: dict[str, Any] = {
            "auth": authentication(self._base, token, username, password),
            "timeout": timeout,
            "verify": trusted(verify),
        }

    def record_url(self, rerun_id: int) -> str:
        """The page of a rerun's record."""
        return record_url(self._base, rerun_id)

    def _request(self, call: Call[Any]) -> dict[str, Any]:
        url = self._base + API + call.path
        return {
            "method": call.method,
            "url": url,
            "params": call.query(),
            "json": call.json(),
            "headers": dict(call.headers),
        }

    def _away(self, error: Exception) -> ConnectionProblem:
        return ConnectionProblem(f"{self._base} can't be reached: {str(error) or type(error).__name__}")


class Transport(Exchange):
    """Sends calls, one at a time."""

    def __init__(self, base_url: str, *, transport: httpx.BaseTransport | None = None, **options: Any) -> None:
        super().__init__(base_url, **options)
        self._http = httpx.Client(transport=transport, **self._options)

    def ask(self, call: Call[Answer]) -> Answer:
        """The answer to a call. Raises `RefusedError` and `ConnectionProblem`."""
        return self.ask_with_status(call)[0]

    def ask_with_status(self, call: Call[Answer]) -> tuple[Answer, int]:
        """The answer to a call, and its status."""
        found, status = Retrying(**policy(call, self._retries))(self._send, call)
        return call.answered(found), status

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(self, call: Call[Any]) -> tuple[Any, int]:
        try:
            answer = self._http.request(**self._request(call))
            return understood(answer), answer.status_code
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self._away(error) from error


class AsyncTransport(Exchange):
    """Sends calls without blocking the event loop."""

    def __init__(self, base_url: str, *, transport: httpx.AsyncBaseTransport | None = None, **options: Any) -> None:
        super().__init__(base_url, **options)
        self._http = httpx.AsyncClient(transport=transport, **self._options)

    async def ask(self, call: Call[Answer]) -> Answer:
        """The answer to a call. Raises `RefusedError` and `ConnectionProblem`."""
        return call.answered(await AsyncRetrying(**policy(call, self._retries))(self._send, call))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _send(self, call: Call[Any]) -> Any:
        try:
            return understood(await self._http.request(**self._request(call)))
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self._away(error) from error


def address(base_url: str) -> str:
    """Airflow's address. Raises `ConnectionProblem` for one that carries a login: errors and logs name addresses."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError):
        raise ConnectionProblem("The address is invalid.") from None  # nor repeated: it may hold a password
    if url.scheme not in ("http", "https") or not url.host:
        raise ConnectionProblem("The address must begin with https:// or http:// and a host.")
    if url.userinfo:
        raise ConnectionProblem("The address contains a login. Give the username and password, or a token, separately.")
    return base_url.rstrip("/")


def trusted(verify: Verify) -> bool | ssl.SSLContext:
    """Whose certificates are trusted, as httpx takes it. Raises `ConnectionProblem` for a file that has none."""
    if isinstance(verify, (bool, ssl.SSLContext)):
        return verify
    path = Path(verify)
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=str(path))
        return ssl.create_default_context(cafile=str(path))
    except OSError as error:  # ssl.SSLError is one
        raise ConnectionProblem(f"The certificates in {path} can't be read: {error}") from error
