"""Which failed runs somebody stopped, by Airflow's audit log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.models.log import Log
from sqlalchemy import select

from airflow_rerun_downstream.airflow3.database.key_lists import one_in
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

LOG = Log.__table__.c

PATCH, BULK = "patch_dag_run", "bulk_dag_runs"
"""What the UI and the REST API write when somebody marks one run, or several (3.3), as failed."""

OURS = ("rerun_downstream.stop", "rerun_downstream.terminate")
ANY_DAG = "~"
"""The Dag of a bulk request that names the Dags in its body."""

SLACK = timedelta(minutes=1)
"""A mark comes before the end that it makes; our own line may come a moment after it."""


def stopped(session: Session, failed: Mapping[RunRef, Any]) -> set[RunRef]:
    """The runs of ``failed`` that somebody stopped between their last start and their end. One statement.

    The rows have ``run_start_date``, ``queued_at`` and ``run_end_date``. A run that had failed by itself and was
    marked as failed once more has failed.
    """
    if not failed:
        return set()
    begun = [began(row) for row in failed.values()]
    dag_ids = sorted({ref.dag_id for ref in failed})
    wanted = select(LOG.dag_id, LOG.run_id, LOG.dttm, LOG.event, LOG.extra).where(
        LOG.event.in_((PATCH, BULK, *OURS)), one_in(session, LOG.dag_id, [*dag_ids, ANY_DAG])
    )
    if None not in begun:
        wanted = wanted.where(LOG.dttm >= min(moment for moment in begun if moment))
    return {
        ref
        for line in session.execute(wanted)
        for ref in stops(line)
        if ref in failed and in_time(line.dttm, failed[ref])
    }


def began(row: Any) -> datetime | None:
    """When a run last started; a run that was stopped before it started was queued then."""
    found: datetime | None = row.run_start_date or row.queued_at
    return found


def in_time(at: datetime, row: Any) -> bool:
    """Whether a line of the log belongs to a run's last attempt."""
    start, end = began(row), row.run_end_date
    return (start is None or at >= start) and (end is None or at <= end + SLACK)


def stops(line: Any) -> Iterator[RunRef]:
    """The runs that a line of the audit log says were to be stopped."""
    if line.event in OURS:
        yield RunRef(line.dag_id, line.run_id)
        return
    try:
        extra = json.loads(line.extra or "{}")
        if line.event == PATCH and extra.get("state") == "failed":
            yield RunRef(line.dag_id, line.run_id)
        if line.event == BULK:
            yield from bulk(line.dag_id, extra)
    except (ValueError, AttributeError, KeyError, TypeError):
        log.warning("A line of Airflow's audit log can't be read: %s %s", line.event, line.extra)


def bulk(dag_id: str, extra: Mapping[str, Any]) -> Iterator[RunRef]:
    """The runs that a bulk request marks as failed."""
    for action in extra["actions"]:
        for entity in action["entities"] if action["action"] == "update" else ():
            if entity.get("state") == "failed":
                yield RunRef(entity.get("dag_id") or dag_id, entity["dag_run_id"])
