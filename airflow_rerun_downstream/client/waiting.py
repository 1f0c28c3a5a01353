"""Waiting until a rerun has come to an end."""

from __future__ import annotations

import time
from collections.abc import Callable

from airflow_rerun_downstream.client.exceptions import ConnectionProblem, StillRunning
from airflow_rerun_downstream.domain.states import FINAL_RERUN_STATES, RerunState
from airflow_rerun_downstream.rest.record_payloads import Rerun

ENDS = FINAL_RERUN_STATES | {RerunState.FAILED}
"""A failed rerun goes on only when a person does something."""

PATIENCE = 60.0
"""Seconds for which the server may be away while it is waited for: it may be restarting."""


def wait(
    look: Callable[[], Rerun],
    *,
    timeout: float | None = None,
    on_change: Callable[[Rerun], None] | None = None,
    interval: float = 1.0,
    patience: float = PATIENCE,
) -> Rerun:
    """Look again and again until the rerun has succeeded, failed or been terminated; answer its last state.

    ``on_change`` is told of the first look and of every one that differs from the one before. Raises
    `StillRunning` after ``timeout`` seconds and `ConnectionProblem` when the server stays away.
    """
    began = heard = time.monotonic()
    last: Rerun | None = None
    while True:
        try:
            found = look()
            heard = time.monotonic()
        except ConnectionProblem:
            if time.monotonic() - heard > patience:
                raise
        else:
            if on_change and found != last:
                on_change(found)
            if found.state in ENDS:
                return found
            last = found
        if timeout is not None and time.monotonic() - began + interval > timeout:
            state = last.state.value if last else "unknown"
            raise StillRunning(f"The rerun is {state} after {timeout:g} seconds; it continues.")
        time.sleep(interval)
