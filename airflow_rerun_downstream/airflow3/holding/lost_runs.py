"""Held runs that no hold names: whatever took our tables away left them queued until 2038.

Each is told by its ``run_after``. When it would have been due stands in its note, in its id, or follows from its data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun, DagRunNote
from sqlalchemy import exists, select, update

from airflow_rerun_downstream.airflow3.database import audit
from airflow_rerun_downstream.airflow3.holding.held_until import FAR
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store.executor import changed
from airflow_rerun_downstream.store.tables import hold

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RUN = DagRun.__table__.c
NOTE = DagRunNote.__table__.c

HELD = re.compile(r"^Held by rerun downstream #(\d+); its run_after is (\S+)$", re.MULTILINE)
"""The line that `audit.note_hold` writes."""


@dataclass(frozen=True)
class Lost:
    """A run that is held by nobody; ``rerun_id``: the rerun that held it, as far as its note says so."""

    id: int
    ref: RunRef
    due: datetime
    logical_date: datetime | None
    rerun_id: int | None


def lost(session: Session, ref: RunRef | None = None) -> list[Lost]:
    """All such runs, or the one of that name. One statement, by the index on ``run_after``."""
    named = exists().where(hold.c.dag_id == RUN.dag_id, hold.c.run_id == RUN.run_id)
    wanted = (
        select(RUN.id, RUN.dag_id, RUN.run_id, RUN.logical_date, RUN.data_interval_end, NOTE.content)
        .select_from(DagRun.__table__.outerjoin(DagRunNote.__table__, NOTE.dag_run_id == RUN.id))
        .where(RUN.run_after == FAR, RUN.state == "queued", RUN.run_type == "scheduled", ~named)
        .order_by(RUN.dag_id, RUN.run_id)
    )
    if ref is not None:
        wanted = wanted.where(RUN.dag_id == ref.dag_id, RUN.run_id == ref.run_id)
    return [lost_run(row) for row in session.execute(wanted)]


def lost_run(row: Any) -> Lost:
    """A run from its row."""
    said = HELD.search(row.content or "")
    due = next((each for each in times(row, said) if each is not None and each < FAR), row.logical_date)
    return Lost(
        row.id, RunRef(row.dag_id, row.run_id), due, row.logical_date, int(said[1]) if said is not None else None
    )


def times(row: Any, said: re.Match[str] | None) -> Iterator[datetime | None]:
    """What may be its ``run_after``, the surest first. Airflow names a scheduled run after its own."""
    yield moment(said[2]) if said is not None else None
    yield moment(row.run_id.partition("__")[2])
    yield row.data_interval_end


def moment(text: str) -> datetime | None:
    """A moment as it is written, if it is one."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)


def rescue(session: Session, ref: RunRef, *, actor: str, now: datetime) -> datetime | None:
    """Give a lost run its own ``run_after`` again, and say so in its note and in the audit log."""
    for one in lost(session, ref):
        free = update(DagRun).where(RUN.id == one.id, RUN.run_after == FAR, RUN.state == "queued")
        if not changed(session, free.values(run_after=one.due).execution_options(synchronize_session=False)):
            continue
        if one.rerun_id is not None:
            audit.note_release(one.id, rerun_id=one.rerun_id, now=now, session=session)
        audit.log_event(
            ref,
            "release",
            rerun_id=one.rerun_id,
            actor=actor,
            logical_date=one.logical_date,
            now=now,
            session=session,
        )
        return one.due
    return None
