"""The task instances of sensors: which have waited, and which were skipped before they looked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, one_in, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.accounts import NONE, RESCHEDULE, started, tries
from airflow_rerun_downstream.airflow3.lineage_facts.runs import TI
from airflow_rerun_downstream.domain.lineage_records import SensorInstance
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SKIPPED = "skipped"
ENDED = ("success", "failed", SKIPPED)
COLUMNS = (
    TI.id, TI.dag_id, TI.run_id, TI.task_id, TI.map_index, TI.state, TI.try_number, TI.start_date, TI.end_date,
    TI.pid, TI.scheduled_dttm, TI.next_method,
)  # fmt: skip


def sensor_instances(
    session: Session,
    sensors: Collection[tuple[str, str]],
    *,
    refs: Collection[RunRef] = (),
    since: datetime | None = None,
) -> list[SensorInstance]:
    """The instances of sensors in runs, or all that ended since a moment, in order. Skips take two statements more."""
    pairs = set(sensors)
    rows = list(ended(session, pairs, since) if since is not None else of_runs(session, pairs, refs))
    itself = skipped_themselves(session, [row for row in rows if row.state == SKIPPED and row.try_number])
    found = (
        SensorInstance(
            RunRef(row.dag_id, row.run_id), row.task_id, row.map_index, row.state, row.id in itself, row.end_date
        )
        for row in rows
    )
    return sorted(found, key=lambda one: (one.run, one.task_id, one.map_index))


def of_runs(session: Session, pairs: Collection[tuple[str, str]], refs: Collection[RunRef]) -> Iterator[Any]:
    """The rows of sensors in runs."""
    task_ids = sorted({task_id for _, task_id in pairs})
    for some in chunks(refs, 5_000):
        mine = pair_in(session, TI.dag_id, TI.run_id, names(some)), one_in(session, TI.task_id, task_ids)
        yield from (row for row in session.execute(select(*COLUMNS).where(*mine)) if (row.dag_id, row.task_id) in pairs)


def ended(session: Session, pairs: Collection[tuple[str, str]], since: datetime) -> Iterator[Any]:
    """The rows of sensors that have ended since a moment."""
    for some in chunks(sorted(pairs)):
        late = or_(TI.end_date >= since, TI.end_date.is_(None))
        mine = pair_in(session, TI.dag_id, TI.task_id, some), late, TI.state.in_(ENDED)
        yield from session.execute(select(*COLUMNS).where(*mine))


def skipped_themselves(session: Session, rows: Collection[Any]) -> set[Any]:
    """The ids of those skipped task instances whose own try began, and ended by itself: a branch skips others."""
    if not rows:
        return set()
    history = tries(session, {RunRef(row.dag_id, row.run_id) for row in rows})
    polls: dict[Any, datetime] = {}
    for some in chunks([row.id for row in rows]):
        last = select(RESCHEDULE.ti_id, func.max(RESCHEDULE.end_date)).where(RESCHEDULE.ti_id.in_(some))
        polls.update(dict(session.execute(last.group_by(RESCHEDULE.ti_id)).all()))
    return {
        row.id
        for row in rows
        if started(row, history.get((RunRef(row.dag_id, row.run_id), (row.task_id, row.map_index)), NONE))
        and row.end_date is not None
        and row.next_method is None
        and row.end_date != polls.get(row.id)
    }
