"""What was written down of task instances: their rendered fields, and what sensors waited for."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.models.xcom import XComModel
from sqlalchemy import and_, func, select

from airflow_rerun_downstream.airflow3.facts.origins import XCOM, read_json
from airflow_rerun_downstream.airflow3.pairs import chunks, names, one_in, pair_in
from airflow_rerun_downstream.airflow3.sensors import WAITED_KEY, read_waited
from airflow_rerun_downstream.domain.facts import RecordedWait
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

RENDERED = RenderedTaskInstanceFields.__table__.c
WAITED = select(XCOM.dag_id, XCOM.run_id, XCOM.task_id, XCOM.map_index, XCOM.value).select_from(XComModel.__table__)


def rendered_fields(
    session: Session, tasks: Collection[tuple[str, str]], refs: Collection[RunRef]
) -> dict[tuple[RunRef, str, int], Mapping[str, object]]:
    """What Airflow rendered for task instances. It keeps the last runs of each task only."""
    wanted_tasks, task_ids = set(tasks), sorted({task_id for _, task_id in tasks})
    found: dict[tuple[RunRef, str, int], Mapping[str, object]] = {}
    for some in chunks(refs, 5_000):
        wanted = select(
            RENDERED.dag_id, RENDERED.run_id, RENDERED.task_id, RENDERED.map_index, RENDERED.rendered_fields
        ).where(
            pair_in(session, RENDERED.dag_id, RENDERED.run_id, names(some)), one_in(session, RENDERED.task_id, task_ids)
        )
        for row in session.execute(wanted):
            fields = read_json(row.rendered_fields)
            if (row.dag_id, row.task_id) in wanted_tasks and isinstance(fields, Mapping):
                found[RunRef(row.dag_id, row.run_id), row.task_id, row.map_index] = {
                    # A list may be kept as its text.
                    name: read_json(value) if name.endswith("_ids") else value
                    for name, value in fields.items()
                }
    return found


def recorded_waits(session: Session, sensors: Collection[tuple[str, str]], *, since: datetime) -> list[RecordedWait]:
    """What the worker listener recorded of sensors since a moment. A value of another form is logged and left out."""
    found: list[RecordedWait] = []
    for some in chunks(sorted(sensors)):
        wanted = WAITED.where(
            XCOM.key == WAITED_KEY, XCOM.timestamp >= since, pair_in(session, XCOM.dag_id, XCOM.task_id, some)
        )
        found.extend(waits(session.execute(wanted)))
    return found


def last_waits(session: Session, sensors: Collection[tuple[str, str]]) -> list[RecordedWait]:
    """What it recorded in the newest run of each sensor of which there is a record."""
    found: list[RecordedWait] = []
    for some in chunks(sorted(sensors)):
        newest = (
            select(XCOM.dag_id, XCOM.task_id, func.max(XCOM.dag_run_id).label("dag_run_id"))
            .where(XCOM.key == WAITED_KEY, pair_in(session, XCOM.dag_id, XCOM.task_id, some))
            .group_by(XCOM.dag_id, XCOM.task_id)
            .subquery()
        )
        wanted = (
            WAITED.join(newest, and_(XCOM.dag_run_id == newest.c.dag_run_id, XCOM.task_id == newest.c.task_id))
            .where(XCOM.key == WAITED_KEY)
            .order_by(XCOM.dag_id, XCOM.task_id, XCOM.map_index)
        )
        found.extend(waits(session.execute(wanted)))
    return found


def waits(rows: Iterable[Any]) -> Iterator[RecordedWait]:
    """The records in rows of `WAITED`; others are logged."""
    for row in rows:
        value = read_waited(read_json(row.value))
        if value is None:
            log.warning("The record of sensor %s in %s / %s can't be read", row.task_id, row.dag_id, row.run_id)
        else:
            yield RecordedWait(RunRef(row.dag_id, row.run_id), row.task_id, row.map_index, *value)
