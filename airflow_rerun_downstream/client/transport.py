"""Sending a call and reading its answer: login, errors, JSON."""

from __future__ import annotations

from typing import Any

import httpx

from airflow_rerun_downstream.client.exceptions import ConnectionProblem, RefusedError

API = "/rerun-downstream/api/v1"


class Transport:
    """Calls of the API under one Airflow's address. Logs in by name and password where no token is given."""

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None,
        username: str | None,
        password: str | None,
        timeout: float,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._base = address(base_url)
        self._token = None if token is None else sendable(token)
        self._login = {"username": username, "password": password} if username else None
        self._http = httpx.Client(timeout=timeout, transport=transport)

    def call(self, method: str, path: str, *, params: Any = None, body: Any = None) -> Any:
        """The JSON answer to a call. Raises `RefusedError` and `ConnectionProblem`."""
        if self._token is None and self._login:
            self._token = self._new_token()
        answer = self._send(method, API + path, params=params, json=body)
        if answer.status_code == 401 and self._login:
            self._token = self._new_token()
            answer = self._send(method, API + path, params=params, json=body)
        return understood(answer)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _new_token(self) -> str:
        self._token = None
        found = understood(self._send("POST", "/auth/token", json=self._login))
        try:
            return sendable(str(found["access_token"]))
        except (KeyError, TypeError):
            raise ConnectionProblem(f"{self._base}/auth/token answered without a token") from None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            return self._http.request(method, self._base + path, headers=headers, **options)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ConnectionProblem(f"{self._base} can't be reached: {error}") from error


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


def sendable(token: str) -> str:
    """The token without the blanks and line ends around it, which come with files and secrets.

    Raises `ConnectionProblem`, which doesn't repeat it, for one that no header can carry.
    """
    bare = token.strip()
    if not bare or not all("!" <= character <= "~" for character in bare):
        raise ConnectionProblem(
            "The token is empty, or has characters that no token has, such as a space or an accented letter."
        )
    return bare


def understood(answer: httpx.Response) -> Any:
    """The answer's JSON. Raises `RefusedError` for a refusal, `ConnectionProblem` for what isn't of this API."""
    try:
        found = answer.json()
    except ValueError:
        raise ConnectionProblem(
            f"{answer.url} answered {answer.status_code} without JSON: is the plugin installed there?"
        ) from None
    if answer.is_success:
        return found
    if not isinstance(found, dict):
        found = {"detail": str(found)}
    extra = {name: value for name, value in found.items() if name not in ("reason", "detail")}
    reason = str(found.get("reason", "refused"))
    raise RefusedError(answer.status_code, reason, str(found.get("detail", reason)), extra)
