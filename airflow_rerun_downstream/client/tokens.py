"""Who calls: by a token that is given, that a function provides, or that a name and a password log in for.

Both clients use the same flows; httpx runs them with either. A token that the server refuses with 401 is renewed once
for a call, where it can be.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

import httpx

from airflow_rerun_downstream.client.answers import understood
from airflow_rerun_downstream.client.exceptions import ConnectionProblem

Provider = Callable[[], str]
AsyncProvider = Callable[[], str | Awaitable[str]]
Flow = Generator[httpx.Request, httpx.Response, None]


class Bearer(httpx.Auth):
    """Puts a token on each request, if there is one."""

    requires_response_body = True

    def __init__(self, token: str | None = None) -> None:
        self._token = None if token is None else sendable(token)

    def auth_flow(self, request: httpx.Request) -> Flow:
        """The request with the token."""
        if self._token is not None:
            self._put_on(request, self._token)
        yield request

    def _put_on(self, request: httpx.Request, token: str) -> str:
        self._token = sendable(token)
        request.headers["Authorization"] = f"Bearer {self._token}"
        return self._token


class Login(Bearer):
    """Logs in with a name and a password, and again when the token has expired."""

    def __init__(self, base: str, username: str, password: str | None) -> None:
        super().__init__()
        self._url = f"{base}/auth/token"
        self._said = {"username": username, "password": password}

    def auth_flow(self, request: httpx.Request) -> Flow:
        """The request, with a login before it where there is no token, or where it is refused."""
        used = self._put_on(request, self._token or token_of((yield self._login(request))))
        answer = yield request
        if answer.status_code == 401:
            if self._token == used:  # otherwise somebody else has renewed it meanwhile
                self._token = None
            self._put_on(request, self._token or token_of((yield self._login(request))))
            yield request

    def _login(self, request: httpx.Request) -> httpx.Request:
        """Its time-out is that of the request: a request that no client has built has none at all."""
        return httpx.Request("POST", self._url, json=self._said, extensions={**request.extensions})


class Provided(Bearer):
    """Asks a function for a token, and again when that has expired. In the async client it may be a coroutine's."""

    def __init__(self, provider: AsyncProvider) -> None:
        super().__init__()
        self._provider = provider

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        """The request with the function's token."""
        used = self._put_on(request, self._token or checked(self._provider()))
        if (yield request).status_code == 401:
            self._put_on(request, self._other_than(used) or checked(self._provider()))
            yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The request with the function's token."""
        used = self._put_on(request, self._token or await self._asked())
        if (yield request).status_code == 401:
            self._put_on(request, self._other_than(used) or await self._asked())
            yield request

    def _other_than(self, used: str) -> str | None:
        """The token that somebody else has asked for meanwhile."""
        return self._token if self._token != used else None

    async def _asked(self) -> str:
        found = self._provider()
        return checked(await found if inspect.isawaitable(found) else found)


def authentication(
    base: str, token: str | AsyncProvider | None, username: str | None, password: str | None
) -> httpx.Auth:
    """What identifies the caller; a token is preferred to a login."""
    if callable(token):
        return Provided(token)
    return Login(base, username, password) if username and token is None else Bearer(token)


def checked(found: object) -> str:
    """A provider's answer. Raises `ConnectionProblem` for one that is no text, such as a coroutine's."""
    if not isinstance(found, str):
        raise ConnectionProblem(f"The token's provider answered with a {type(found).__name__}, not with a text.")
    return found


def token_of(answer: httpx.Response) -> str:
    """The token in the answer to a login. Raises `RefusedError` and `ConnectionProblem`."""
    found = understood(answer)
    try:
        return sendable(str(found["access_token"]))
    except (KeyError, TypeError):
        raise ConnectionProblem(f"{answer.url} answered without a token") from None


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
