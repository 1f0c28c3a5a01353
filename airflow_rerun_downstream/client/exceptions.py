"""What can go wrong between here and the server.

ClientError
├── ConnectionProblem   no answer, or not an answer of this API
├── RefusedError        the server said no, and why
├── NotConfigured       the environment doesn't say which server, or says it wrongly
└── StillRunning        waiting took longer than allowed; the rerun goes on
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Any of the errors of this module."""


class ConnectionProblem(ClientError):
    """No answer, or one that this API doesn't give, such as a proxy's page.

    ``status`` is that of the answer, if there was one; ``retry_after``: in how many seconds it said to try again.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class RefusedError(ClientError):
    """The server refused. ``reason`` is a word for programs, ``detail`` a sentence, ``extra`` the further fields."""

    def __init__(
        self, status: int, reason: str, detail: str, extra: Mapping[str, Any], *, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{detail} ({reason})")
        self.status = status
        self.reason = reason
        self.detail = detail
        self.extra = extra
        self.retry_after = retry_after


class NotConfigured(ClientError):
    """The environment doesn't say which server, or says something wrong."""


class StillRunning(ClientError):
    """The rerun hadn't come to an end in the time that was given."""
