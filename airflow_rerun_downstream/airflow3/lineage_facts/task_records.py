"""What was written down of task instances: their rendered fields, and what sensors waited for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, one_in, pair_in
from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY
from airflow_rerun_downstream.airflow3.database.untrusted_values import (
    AT_ONCE,
    Unreadable,
    read_fields,
    read_waited,
    text_of,
)
from airflow_rerun_downstream.airflow3.lineage_facts.online import XCOM
from airflow_rerun_downstream.domain.lineage_records import SHOWN_DATES, DoubtfulRecord, RecordedWait
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RENDERED = task_tables.RENDERED.c
WAITED = select(XCOM.dag_id, XCOM.run_id, XCOM.task_id, XCOM.map_index, text_of(XCOM.value)).select_from(
    task_tables.XCOM
)


def rendered_fields(
    session: Session, tasks: Collection[tuple[str, str]], refs: Collection[RunRef]
) -> dict[tuple[RunRef, str, int], Mapping[str, object]]:
    """What Airflow rendered for task instances. It keeps the last runs of each task only."""
    wanted_tasks, task_ids = set(tasks), sorted({task_id for _, task_id in tasks})
    found: dict[tuple[RunRef, str, int], Mapping[str, object]] = {}
    for some in chunks(refs, 5_000):
        columns = RENDERED.dag_id, RENDERED.run_id, RENDERED.task_id, RENDERED.map_index
        wanted = select(*columns, text_of(RENDERED.rendered_fields)).where(
            pair_in(session, RENDERED.dag_id, RENDERED.run_id, names(some)), one_in(session, RENDERED.task_id, task_ids)
        )
        for row in session.execute(wanted, execution_options=AT_ONCE):
            if (row.dag_id, row.task_id) in wanted_tasks and (fields := read_fields(row.value)) is not None:
                found[RunRef(row.dag_id, row.run_id), row.task_id, row.map_index] = fields
    return found


def recorded_waits(
    session: Session,
    sensors: Collection[tuple[str, str]],
    *,
    since: datetime,
    dates: Mapping[str, Collection[datetime]],
) -> list[RecordedWait | DoubtfulRecord]:
    """What the worker listener recorded of sensors since a moment, with those of its dates that are asked for."""
    found: list[RecordedWait | DoubtfulRecord] = []
    for some in chunks(sorted(sensors)):
        wanted = WAITED.where(
            XCOM.key == WAITED_KEY, XCOM.timestamp >= since, pair_in(session, XCOM.dag_id, XCOM.task_id, some)
        )
        found.extend(waits(session.execute(wanted, execution_options=AT_ONCE), dates))
    return found


def recorded_sensors(session: Session, *, since: datetime) -> frozenset[tuple[str, str]]:
    """The sensors of which the listener has recorded anything since a moment, whatever has become of their Dags."""
    wanted = select(XCOM.dag_id, XCOM.task_id).where(XCOM.key == WAITED_KEY, XCOM.timestamp >= since).distinct()
    return frozenset((row.dag_id, row.task_id) for row in session.execute(wanted))


def last_waits(session: Session, sensors: Collection[tuple[str, str]]) -> list[RecordedWait | DoubtfulRecord]:
    """What it recorded in the newest run of each sensor of which there is a record."""
    found: list[RecordedWait | DoubtfulRecord] = []
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
        found.extend(waits(session.execute(wanted, execution_options=AT_ONCE), {}))
    return found


def waits(rows: Iterable[Any], dates: Mapping[str, Collection[datetime]]) -> Iterator[RecordedWait | DoubtfulRecord]:
    """The records in rows of `WAITED`. Of their dates only what is needed is kept: there may be very many."""
    for row in rows:
        where = RunRef(row.dag_id, row.run_id), row.task_id, row.map_index
        try:
            value = read_waited(row.value)
        except Unreadable as problem:
            yield DoubtfulRecord(*where, Sentence("link.wait_unreadable", run=f"{where[0]}", problem=problem.args[0]))
            continue
        wanted = dates.get(value.external_dag_id, ())
        kept = tuple(date for number, date in enumerate(value.dates) if number < SHOWN_DATES or date in wanted)
        count = len(value.dates) if len(value.dates) > len(kept) else None
        yield RecordedWait(*where, value.external_dag_id, value.task_ids, value.group_id, kept, count)
