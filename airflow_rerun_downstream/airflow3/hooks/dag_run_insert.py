"""What a scheduler does for freeze mode: a run that is frozen before it exists is born held.

It runs inside the transaction in which Airflow's scheduler makes runs. An error in here would stop the scheduler: it
is told, and the run is born as it would be without us. Nothing is written but for a ticket, and that `apart`.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from sqlalchemy import event, exists, select, update
from sqlalchemy.exc import DBAPIError

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.database import forks
from airflow_rerun_downstream.airflow3.installation.process_reports import SCHEDULER, Reporter
from airflow_rerun_downstream.harmless import harmless
from airflow_rerun_downstream.store.apart import apart
from airflow_rerun_downstream.store.guard import SchemaGuard
from airflow_rerun_downstream.store.tables import hold

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

log = logging.getLogger(__name__)

FAR = datetime(2038, 1, 1, tzinfo=timezone.utc)
"""The ``run_after`` of a held run: its scheduler passes over it. MySQL's timestamps end there."""

PART = "freeze_hook"
DAG_RUN = DagRun.__table__.c
BEFORE_INSERT = "before_insert"
KNOWN_WITHIN = 60.0
LOOK_EVERY = 0.2
"""Seconds in which a job is told apart: Airflow says that it starts before it says which one it is."""

guard = SchemaGuard()


@harmless(PART)
def hold_at_birth(_mapper: Any, connection: Connection, run: DagRun) -> None:
    """Hold a run that the scheduler makes, if there are tickets for its Dag and its logical date, or an earlier one.

    Airflow makes the runs of a Dag in order: it has passed over an earlier date that has no run, and makes this one
    in its place.
    """
    if run.logical_date is None or getattr(run.run_type, "value", run.run_type) != "scheduled":
        return
    if not guard.ready(connection):
        return
    true = run.run_after
    try:
        if apart(connection, lambda: expected(connection, run)):
            apart(connection, lambda: hold_now(connection, run), writes=True)
    except DBAPIError:
        run.run_after = true
        guard.doubt()
        raise
    except BaseException:
        run.run_after = true
        raise


def tickets(run: DagRun) -> tuple[Any, ...]:
    """The holds that wait for a run."""
    taken = exists().where(DAG_RUN.dag_id == hold.c.dag_id, DAG_RUN.logical_date == hold.c.logical_date)
    return (
        *(hold.c.dag_id == run.dag_id, hold.c.logical_date <= run.logical_date),
        *(hold.c.run_id.is_(None), hold.c.assets.is_(False), ~taken),
    )


def expected(connection: Connection, run: DagRun) -> bool:
    """Whether a hold waits for a run."""
    return connection.execute(select(hold.c.member_id).where(*tickets(run)).limit(1)).first() is not None


def hold_now(connection: Connection, run: DagRun) -> None:
    """Find the tickets and mark them, with one statement: a release at the same time comes before it or after it."""
    held = {"run_id": run.run_id, "run_after": run.run_after, "held_at": datetime.now(timezone.utc)}
    if connection.execute(update(hold).where(*tickets(run)).values(held)).rowcount:
        run.run_after = FAR


def install() -> None:
    """Have every run that is made in this process looked at. A repeat does nothing."""
    if not installed():
        event.listen(DagRun, BEFORE_INSERT, hold_at_birth)


def installed() -> bool:
    """Whether runs that are made in this process are looked at."""
    return event.contains(DagRun, BEFORE_INSERT, hold_at_birth)


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
                Reporter(SCHEDULER, job_id=job_id, freeze_hook=True).run(self._stop)
        except Exception:
            log.exception("This scheduler can't report itself; runs that time starts can't be frozen")

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
    install()
    wiring.load_models()
    watch = _watches[id(job)] = Watch(job)
    watch.start()


def on_stopping(job: Any) -> None:
    """A job of Airflow ends."""
    if (watch := _watches.pop(id(job), None)) is not None:
        watch.stop()
