"""Waiting for a condition, instead of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    look: Callable[[], T | None],
    timeout: float,
    what: str,
    *,
    interval: float = 0.2,
    ignore: tuple[type[Exception], ...] = (),
) -> T:
    """Look again and again until something true comes back, and return that.

    Exceptions of the types in `ignore` count as "not yet". After `timeout` seconds TimeoutError says
    what was waited for and what was seen last.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            found = look()
            if found:
                return found
            seen = repr(found)
        except ignore as error:
            seen = repr(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}; last seen: {seen}")
        time.sleep(interval)
