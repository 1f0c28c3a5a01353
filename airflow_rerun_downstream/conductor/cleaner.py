"""The conductor removes old records by itself, where the deployment wants that: some rows after a tick."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.retention import Cleaning
from airflow_rerun_downstream.ports.telemetry import Telemetry
from airflow_rerun_downstream.ports.work import UnitOfWork

ROWS = 500
"""How many rows go after one tick: a transaction of some hundredths of a second."""

EVERY = timedelta(hours=1)
"""Between two cleanings."""


class Cleaner:
    """Cleans what ended longer than ``keep`` ago; None: nothing. After an error it waits for the next time."""

    def __init__(
        self, unit_of_work: UnitOfWork, clock: Clock, keep: timedelta | None, owner: str, telemetry: Telemetry
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._keep = keep
        self._owner = owner
        self._telemetry = telemetry
        self._cleaning: Cleaning | None = None
        self._next: datetime | None = None

    def clean(self) -> None:
        """Remove some rows, if it is time; a transaction of its own. Costs nothing in between, and never raises."""
        if self._keep is None:
            return
        now = self._clock.now()
        if self._cleaning is None:
            if self._next is not None and now < self._next:
                return
            self._cleaning = Cleaning(before=now - self._keep)
        try:
            self._go_on(self._cleaning)
        except Exception as error:
            self._telemetry.line("cleaning_failed", level=logging.ERROR, error=error)
            self._finish(now)

    def _go_on(self, cleaning: Cleaning) -> None:
        """A batch; at the end, a line for people if anything has gone."""
        with self._unit_of_work() as work:
            cleaning = work.retention.clean(cleaning, rows=ROWS)
            if cleaning.done and cleaning.total:
                work.retention.note(cleaning, actor=self._owner)
        self._cleaning = cleaning
        if cleaning.done:
            if cleaning.total:
                self._telemetry.line("records_cleaned", before=cleaning.before.isoformat(), rows=cleaning.total)
            self._finish(self._clock.now())

    def _finish(self, now: datetime) -> None:
        """Wait for the next time."""
        self._cleaning, self._next = None, now + EVERY
