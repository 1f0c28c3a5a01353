"""The processes that carry our hooks: each reports now and then, and health tells from it what is in place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from airflow_rerun_downstream.store.executor import Executor, changed
from airflow_rerun_downstream.store.moments import NOTHING, Moments, moment
from airflow_rerun_downstream.store.tables import process


@dataclass(frozen=True)
class ProcessReport:
    """What a process says of itself. ``id`` is ``hostname:pid``, ``kind`` a word such as api_server or scheduler.

    ``job_id`` is the row of a scheduler in Airflow's table of jobs; ``clock_offset`` is by how many seconds the
    process's own clock is ahead of the database's; ``trouble`` what has gone wrong lately in its part of Airflow's
    work. When it was seen is the database's to say.
    """

    id: str
    kind: str
    asset_manager: bool
    freeze_hook: bool
    started_at: datetime
    job_id: int | None = None
    clock_offset: float | None = None
    trouble: str | None = None


def report_process(
    executor: Executor, report: ProcessReport, *, ago: timedelta = NOTHING, moments: Moments = moment
) -> None:
    """Note that a process is alive, or was some time ago; what it said before is replaced."""
    values: dict[str, Any] = {**asdict(report), "seen_at": moments(-ago)}
    if changed(executor, update(process).where(process.c.id == report.id).values(values)):
        return
    try:
        with executor.begin_nested():
            executor.execute(insert(process).values(values))
    except IntegrityError:
        return  # another thread of the same process said the same


def live_processes(executor: Executor, *, within: timedelta, moments: Moments = moment) -> list[ProcessReport]:
    """The processes that reported in the last ``within``, in the order of their ids."""
    said = [column for column in process.c if column.name != "seen_at"]
    wanted = select(*said).where(process.c.seen_at >= moments(-within)).order_by(process.c.id)
    return [ProcessReport(**row._mapping) for row in executor.execute(wanted)]


def forget_processes(executor: Executor, *, silent: timedelta, moments: Moments = moment) -> int:
    """Delete the reports of processes that have been silent for longer; answer how many."""
    return changed(executor, delete(process).where(process.c.seen_at < moments(-silent)))
