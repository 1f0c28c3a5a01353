"""Keeps what goes wrong in our code away from Airflow, where Airflow has called it in its own work.

An error becomes Airflow's own behaviour, a line in the log, and a `Trouble`, which `GET /health` tells. A process
remembers the last one of each part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import wraps
from typing import Any, TypeVar

log = logging.getLogger(__name__)

Function = TypeVar("Function", bound=Callable[..., Any])

MAX_TEXT = 300
MAX_SAID = 100
"""Different errors that a process logs; more of them would be noise."""


@dataclass(frozen=True)
class Trouble:
    """What last went wrong in a part, such as ``asset_manager``. ``kind`` is the error's class; its text is in the log
    alone, for it may hold anything.
    """

    part: str
    kind: str
    at: datetime


_troubles: dict[str, Trouble] = {}
_said: set[tuple[str, str, str]] = set()


def log_error(part: str, error: BaseException) -> None:
    """Remember an error of a part; log it if it is the first of its kind. Never raises."""
    try:
        name = type(error).__name__
        _troubles[part] = Trouble(part, name, datetime.now(timezone.utc))
        said = (part, name, str(error)[:MAX_TEXT])
        if said not in _said and len(_said) < MAX_SAID:
            _said.add(said)
            log.error("airflow-rerun-downstream failed here (%s); Airflow goes on without it", part, exc_info=error)
    except Exception:
        pass


def troubles(*, since: datetime | None = None) -> list[Trouble]:
    """What has gone wrong in this process, the last of each part, at or after ``since``."""
    return [each for each in list(_troubles.values()) if since is None or each.at >= since]


def forget() -> None:
    """Begin anew, as in a new process."""
    _troubles.clear()
    _said.clear()


def harmless(part: str, otherwise: Any = None) -> Callable[[Function], Function]:
    """Make a function answer ``otherwise`` where it would raise an error, and tell it."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def shell(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                log_error(part, error)
            return otherwise

        return shell  # type: ignore[return-value]

    return decorate
