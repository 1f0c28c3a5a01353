"""Which processes lack the package, as far as Airflow's own tables tell: Dag processors and workers report nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.jobs.job import Job
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from sqlalchemy import and_, func, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, one_in, pair_in
from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SCHEDULER, DAG_PROCESSOR = "SchedulerJob", "DagProcessorJob"
LATELY = timedelta(days=1)
"""For how long back sensors are looked at."""

DAG = DagModel.__table__.c
RUN = DagRun.__table__.c
TI = task_tables.TASK.c
XCOM = task_tables.XCOM.c


@dataclass(frozen=True)
class Worker:
    """A host on which sensors have lately succeeded, the last of them without a record."""

    hostname: str
    without_record: int
    last: datetime


def live_jobs(session: Session, job_type: str, *, now: datetime) -> dict[int, str]:
    """The jobs whose heartbeat Airflow itself would call healthy, with their hosts."""
    thresholds = {
        SCHEDULER: ("scheduler", "scheduler_health_check_threshold", 30),
        DAG_PROCESSOR: ("dag_processor", "health_check_threshold", 50),
    }
    section, key, usual = thresholds[job_type]
    silent = timedelta(seconds=conf.getint(section, key, fallback=usual))
    alive = (Job.job_type == job_type, Job.state == "running", Job.latest_heartbeat >= now - silent)
    return {row.id: row.hostname for row in session.execute(select(Job.id, Job.hostname).where(*alive))}


def last_parsed(session: Session, dag_ids: Collection[str]) -> datetime | None:
    """When the last of some Dags was parsed."""
    wanted = select(func.max(DAG.last_parsed_time))
    moments = [session.scalar(wanted.where(one_in(session, DAG.dag_id, some))) for some in chunks(sorted(dag_ids))]
    return max((moment for moment in moments if moment is not None), default=None)


def workers_without(session: Session, sensors: Collection[tuple[str, str]], *, since: datetime) -> list[Worker]:
    """The hosts whose last sensor succeeded without being recorded, in the runs that were ready since a moment."""
    last: dict[tuple[str, bool], Any] = {}
    for some in chunks(sorted(sensors)):
        for row in session.execute(successes(session, some, since)):
            key = row.hostname, bool(row.recorded)
            known = last.get(key)
            number, at = row.number + (known[0] if known else 0), max(row.last, known[1]) if known else row.last
            last[key] = number, at
    return [
        Worker(hostname, number, at)
        for (hostname, recorded), (number, at) in sorted(last.items())
        if not recorded and at > last.get((hostname, True), (0, at - LATELY))[1]
    ]


def successes(session: Session, sensors: Collection[tuple[str, str]], since: datetime) -> Any:
    """How many sensors have succeeded on each host, and when the last one did, with a record and without."""
    recorded = XCOM.dag_run_id.is_not(None)
    joined = DagRun.__table__.join(task_tables.TASK, and_(TI.dag_id == RUN.dag_id, TI.run_id == RUN.run_id)).outerjoin(
        task_tables.XCOM,
        and_(
            XCOM.dag_run_id == RUN.id,
            XCOM.task_id == TI.task_id,
            XCOM.map_index == TI.map_index,
            XCOM.key == WAITED_KEY,
        ),
    )
    return (
        select(
            TI.hostname, recorded.label("recorded"), func.count().label("number"), func.max(TI.end_date).label("last")
        )
        .select_from(joined)
        .where(
            RUN.run_after >= since,
            one_in(session, RUN.dag_id, sorted({dag_id for dag_id, _ in sensors})),
            pair_in(session, TI.dag_id, TI.task_id, sensors),
            TI.state == "success",
            TI.hostname != "",
            TI.end_date.is_not(None),
        )
        .group_by(TI.hostname, recorded)
    )
