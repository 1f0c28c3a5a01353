"""Waiting until a rerun has come to an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from airflow_rerun_downstream.client.exceptions import ClientError, ConnectionProblem, RefusedError, StillRunning
from airflow_rerun_downstream.client.retries import unavailable
from airflow_rerun_downstream.domain.states import FINAL_RERUN_STATES, RerunState
from airflow_rerun_downstream.rest.record_payloads import Rerun

ENDS = FINAL_RERUN_STATES | {RerunState.FAILED}
"""A failed rerun goes on only when a person does something."""

PATIENCE = 60.0
"""Seconds for which the server may be away while it is waited for: it may be restarting."""

OnChange = Callable[[Rerun], None]


class Wait:
    """What is known while a rerun is waited for, and when that ends; looking and sleeping are the caller's."""

    def __init__(self, *, timeout: float | None, on_change: OnChange | None, patience: float, interval: float) -> None:
        self._began = self._heard = time.monotonic()
        self._timeout = timeout
        self._on_change = on_change
        self._patience = patience
        self._interval = interval
        self._last: Rerun | None = None

    def has_ended(self, found: Rerun) -> bool:
        """Whether this look was the last; a change is told."""
        self._heard = time.monotonic()
        if self._on_change and found != self._last:
            self._on_change(found)
        self._last = found
        return found.state in ENDS

    def pass_over(self, error: ClientError) -> None:
        """Let a look be that didn't reach the server, for some time. Raises it after that, and any other at once."""
        away = isinstance(error, ConnectionProblem) or unavailable(error)
        if not away or time.monotonic() - self._heard > self._patience:
            raise error

    def pause(self) -> float:
        """Seconds until the next look. Raises `StillRunning`."""
        if self._timeout is not None and time.monotonic() - self._began + self._interval > self._timeout:
            state = self._last.state.value if self._last else "unknown"
            raise StillRunning(f"The rerun is {state} after {self._timeout:g} seconds; it continues.")
        return self._interval


def wait(
    look: Callable[[], Rerun],
    *,
    timeout: float | None = None,
    on_change: OnChange | None = None,
    interval: float = 1.0,
    patience: float = PATIENCE,
) -> Rerun:
    """Look again and again until the rerun has succeeded, failed or been terminated; answer its last state.

    ``on_change`` is told of the first look and of every one that differs from the one before. Raises
    `StillRunning` after ``timeout`` seconds and `ConnectionProblem` when the server stays away.
    """
    waiting = Wait(timeout=timeout, on_change=on_change, patience=patience, interval=interval)
    while True:
        try:
            found = look()
        except (ConnectionProblem, RefusedError) as error:
            waiting.pass_over(error)
        else:
            if waiting.has_ended(found):
                return found
        time.sleep(waiting.pause())


async def wait_async(
    look: Callable[[], Awaitable[Rerun]],
    *,
    timeout: float | None = None,
    on_change: OnChange | None = None,
    interval: float = 1.0,
    patience: float = PATIENCE,
) -> Rerun:
    """The same without blocking the event loop."""
    waiting = Wait(timeout=timeout, on_change=on_change, patience=patience, interval=interval)
    while True:
        try:
            found = await look()
        except (ConnectionProblem, RefusedError) as error:
            waiting.pass_over(error)
        else:
            if waiting.has_ended(found):
                return found
        await asyncio.sleep(waiting.pause())
