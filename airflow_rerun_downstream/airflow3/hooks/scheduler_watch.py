"""Sees to it that each scheduler has the hook of freeze mode, and tells the other processes so."""

from __future__ import annotations

import logging
import threading
from typing import Any

from airflow_rerun_downstream.airflow3.database import forks
from airflow_rerun_downstream.airflow3.database.models import load_models
from airflow_rerun_downstream.airflow3.hooks import dag_run_insert
from airflow_rerun_downstream.airflow3.installation.process_reports import SCHEDULER, Reporter

log = logging.getLogger(__name__)

KNOWN_WITHIN = 60.0
LOOK_EVERY = 0.2
"""Seconds in which a job is told apart: Airflow says that it starts before it says which one it is."""


class Watch:
    """Tells the other processes that a scheduler with the hook lives; other jobs are left alone."""

    def __init__(self, job: Any) -> None:
        self._job = job
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rerun-downstream-reports", daemon=True)

    def start(self) -> None:
        """Begin to look, beside the job; a scheduler makes its workers next."""
        forks.watch()
        self._thread.start()

    def stop(self) -> None:
        """Say that the scheduler ends."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        try:
            job_id = self._scheduler_id()
            if job_id is not None:
                from airflow_rerun_downstream.airflow3.hooks.asset_events import active_here

                Reporter(SCHEDULER, asset_manager=active_here, job_id=job_id, freeze_hook=True).run(self._stop)
        except Exception:
            log.exception("This scheduler can't report itself; scheduled runs can't be frozen before they are created")

    def _scheduler_id(self) -> int | None:
        """The job's number, once it has one; None if it isn't a scheduler's."""
        waited = 0.0
        while waited < KNOWN_WITHIN and not self._stop.wait(LOOK_EVERY):
            waited += LOOK_EVERY
            known = vars(self._job)  # as the main thread has left it: nothing is loaded from here
            if known.get("job_type") not in (None, "SchedulerJob"):
                return None
            if known.get("job_type") and known.get("id") is not None:
                return int(known["id"])
        return None


_watches: dict[int, Watch] = {}


def on_starting(job: Any) -> None:
    """A job of Airflow starts in this process; it may turn out to be a scheduler."""
    dag_run_insert.install()
    load_models()
    watch = _watches[id(job)] = Watch(job)
    watch.start()


def on_stopping(job: Any) -> None:
    """A job of Airflow ends."""
    if (watch := _watches.pop(id(job), None)) is not None:
        watch.stop()
