"""Ticking until told to stop."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from airflow_rerun_downstream.conductor.tick import Conductor, TickReport
from airflow_rerun_downstream.ports.metrics import ErrorKind

IDLE = timedelta(seconds=5)
"""Between ticks while no rerun is active."""

BREATH = 0.05
"""Seconds between ticks that take longer than the poll interval."""


def run(conductor: Conductor, stop: threading.Event, wake: threading.Event | None = None) -> None:
    """Tick until ``stop`` is set; ``wake`` makes an idle conductor look at once, also to see that it should stop.

    Errors (a database that is away, tables that aren't there yet) are logged when they begin and when they end.
    """
    wake = wake or threading.Event()
    trouble: str | None = None
    while not stop.is_set():
        began = time.monotonic()
        report, trouble = attempt(conductor, trouble)
        pause(conductor, report, stop, wake, spent=time.monotonic() - began)
    resign(conductor)


def attempt(conductor: Conductor, trouble: str | None) -> tuple[TickReport | None, str | None]:
    """One tick; the second value is what is wrong, to log only what is new."""
    try:
        report = conductor.tick()
    except Exception as error:
        conductor.telemetry.failed(ErrorKind.TICK)
        message = f"{type(error).__name__}: {error}"
        if message != trouble:
            conductor.telemetry.line("tick_failed", level=logging.ERROR, error=error, detail=message)
        return None, message
    if trouble is not None:
        conductor.telemetry.line("conductor_works_again")
    return report, None


def pause(
    conductor: Conductor, report: TickReport | None, stop: threading.Event, wake: threading.Event, *, spent: float
) -> None:
    """Wait for the next tick, a wake-up or the end. Ticks begin at most a poll interval apart, if they take less."""
    interval = conductor.settings.poll_interval
    if report is None or not report.active:
        wake.wait(max(IDLE, interval).total_seconds())
    else:
        # Where something has just happened, more is about to.
        share = 0.5 if report.steps else 1.0
        stop.wait(max(interval.total_seconds() * share - spent, BREATH))
    wake.clear()


def resign(conductor: Conductor) -> None:
    """Give the lease up, as far as the database can be reached."""
    try:
        conductor.resign()
    except Exception as error:
        conductor.telemetry.line("lease_not_released", level=logging.WARNING, error=error, detail=str(error))
