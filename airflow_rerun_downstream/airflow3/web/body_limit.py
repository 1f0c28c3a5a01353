"""How much a request may bring: it is read as JSON in the thread that serves everybody."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_rerun_downstream.domain.sentence import Sentence

MAX_BODY = 8 * 1024 * 1024
"""Largest body in bytes: ten thousand runs with the longest ids take less."""


def too_large() -> HTTPException:
    """The refusal of a larger one."""
    return HTTPException(413, Sentence("refusal.body_too_large", limit=MAX_BODY))


class BodyLimit:
    """Ends a request whose body is larger than `MAX_BODY`, whether it says so beforehand or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        said = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        beforehand = int(said) if said.isdigit() and len(said) < 20 else 0
        received = 0

        async def counted() -> Message:
            nonlocal received
            # Raised where the body is asked for, the refusal is answered like any other.
            if beforehand > MAX_BODY:
                raise too_large()
            message = await receive()
            received += len(message.get("body") or b"")
            if received > MAX_BODY:
                raise too_large()
            return message

        await self._app(scope, counted, send)
