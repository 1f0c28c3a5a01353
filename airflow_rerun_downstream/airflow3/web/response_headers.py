"""What every answer says to browsers and proxies, whoever made it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNKEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""An answer is one person's, of one moment: it is neither kept nor guessed to be something else."""


class AnswerHeaders:
    """Adds `UNKEPT` to each answer that doesn't say something of its own, as the files of the pages do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in UNKEPT.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, completed)
