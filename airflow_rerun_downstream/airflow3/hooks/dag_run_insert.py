"""What a scheduler does for freeze mode: a run that is frozen before it exists is born held.

It runs inside the transaction in which Airflow's scheduler makes runs. An error in here would stop the scheduler: it
is told, and the run is born as it would be without us. Nothing is written but where a hold waits, and that `apart`.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from sqlalchemy import event, exists, select, update
from sqlalchemy.exc import DBAPIError

from airflow_rerun_downstream.airflow3.holding.held_until import FAR
from airflow_rerun_downstream.harmless import harmless
from airflow_rerun_downstream.store.apart import apart
from airflow_rerun_downstream.store.guard import SchemaGuard
from airflow_rerun_downstream.store.tables import hold

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

PART = "freeze_hook"
DAG_RUN = DagRun.__table__.c
BEFORE_INSERT = "before_insert"

guard = SchemaGuard()


@harmless(PART)
def hold_at_birth(_mapper: Any, connection: Connection, run: DagRun) -> None:
    """Hold a run that the scheduler makes, if holds wait for its Dag and its logical date, or an earlier one.

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


def waiting_for(run: DagRun) -> tuple[Any, ...]:
    """The holds that wait for a run."""
    taken = exists().where(DAG_RUN.dag_id == hold.c.dag_id, DAG_RUN.logical_date == hold.c.logical_date)
    return (
        *(hold.c.dag_id == run.dag_id, hold.c.logical_date <= run.logical_date),
        *(hold.c.run_id.is_(None), hold.c.assets.is_(False), ~taken),
    )


def expected(connection: Connection, run: DagRun) -> bool:
    """Whether a hold waits for a run."""
    return connection.execute(select(hold.c.member_id).where(*waiting_for(run)).limit(1)).first() is not None


def hold_now(connection: Connection, run: DagRun) -> None:
    """Give the holds that wait their run, with one statement: a release at the same time comes before or after it."""
    held = {"run_id": run.run_id, "run_after": run.run_after, "held_at": datetime.now(timezone.utc)}
    if connection.execute(update(hold).where(*waiting_for(run)).values(held)).rowcount:
        run.run_after = FAR


def install() -> None:
    """Have every run that is made in this process looked at. A repeat does nothing."""
    if not installed():
        event.listen(DagRun, BEFORE_INSERT, hold_at_birth)


def installed() -> bool:
    """Whether runs that are made in this process are looked at."""
    return event.contains(DagRun, BEFORE_INSERT, hold_at_birth)
