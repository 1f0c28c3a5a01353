"""What can go wrong between here and the server.

ClientError
├── ConnectionProblem   no answer, or not an answer of this API
├── RefusedError        the server said no, and why
└── StillRunning        waiting took longer than allowed; the rerun goes on
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Any of the errors of this module."""


class ConnectionProblem(ClientError):
    """No answer, or one that this API doesn't give, such as a proxy's page."""


class RefusedError(ClientError):
    """The server refused. ``reason`` is a word for programs, ``detail`` a sentence, ``extra`` the further fields."""

    def __init__(self, status: int, reason: str, detail: str, extra: Mapping[str, Any]) -> None:
        super().__init__(f"{detail} ({reason})")
        self.status = status
        self.reason = reason
        self.detail = detail
        self.extra = extra


class StillRunning(ClientError):
    """The rerun hadn't come to an end in the time that was given."""
