"""The processes that carry our hooks: each reports now and then, and health tells from it what is in place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from airflow_rerun_downstream.store.executor import Executor, changed
from airflow_rerun_downstream.store.tables import process


@dataclass(frozen=True)
class ProcessReport:
    """What a process says of itself. ``id`` is ``hostname:pid``, ``kind`` a word such as api_server or scheduler.

    ``job_id`` is the row of a scheduler in Airflow's table of jobs.
    """

    id: str
    kind: str
    asset_manager: bool
    freeze_hook: bool
    started_at: datetime
    seen_at: datetime
    job_id: int | None = None


def report_process(executor: Executor, report: ProcessReport) -> None:
    """Note that a process is alive; what it said before is replaced."""
    values = asdict(report)
    if changed(executor, update(process).where(process.c.id == report.id).values(values)):
        return
    try:
        with executor.begin_nested():
            executor.execute(insert(process).values(values))
    except IntegrityError:
        return  # another thread of the same process said the same


def live_processes(executor: Executor, *, since: datetime) -> list[ProcessReport]:
    """The processes that reported at or after ``since``, in the order of their ids."""
    wanted = select(process).where(process.c.seen_at >= since).order_by(process.c.id)
    return [ProcessReport(**row._mapping) for row in executor.execute(wanted)]


def forget_processes(executor: Executor, *, before: datetime) -> int:
    """Delete the reports of processes that weren't seen since; answer how many."""
    return changed(executor, delete(process).where(process.c.seen_at < before))
