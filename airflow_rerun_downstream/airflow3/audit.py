"""What a rerun leaves behind for people: rows in Airflow's audit log, and a note on the run.

Core statements: Airflow's ORM of a note wants the api-server's user.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from airflow.models.dagrun import DagRunNote
from airflow.models.log import Log
from sqlalchemy import insert, select, update

from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MAX_EVENT = 60
MAX_NOTE = 1000
MAX_OWNER = 500


def log_event(
    ref: RunRef,
    event: str,
    *,
    rerun_id: int,
    actor: str,
    logical_date: datetime | None,
    now: datetime,
    session: Session,
) -> None:
    """Add a row ``rerun_downstream.<event>`` about a run to Airflow's audit log; its extra names the rerun."""
    session.execute(
        insert(Log).values(
            dttm=now,
            event=f"rerun_downstream.{event}"[:MAX_EVENT],
            owner=actor[:MAX_OWNER],
            owner_display_name=actor[:MAX_OWNER],
            dag_id=ref.dag_id,
            run_id=ref.run_id,
            logical_date=logical_date,
            extra=json.dumps({"rerun_id": rerun_id}),
        )
    )


def note_rerun(dag_run_id: int, *, rerun_id: int, actor: str, now: datetime, session: Session) -> None:
    """Name the rerun in the run's note, once. What a person wrote there stays, in full."""
    found = session.execute(select(DagRunNote.content).where(DagRunNote.dag_run_id == dag_run_id)).one_or_none()
    content = with_rerun((found.content or "") if found else "", rerun_id=rerun_id, actor=actor)
    if content is None:
        return
    if found is None:
        values = {"dag_run_id": dag_run_id, "content": content, "created_at": now, "updated_at": now}
        session.execute(insert(DagRunNote).values(values))
        return
    changed = update(DagRunNote).where(DagRunNote.dag_run_id == dag_run_id)
    session.execute(changed.values(content=content, updated_at=now).execution_options(synchronize_session=False))


def with_rerun(note: str, *, rerun_id: int, actor: str) -> str | None:
    """A note with a line that names the rerun; None when it has one already, or no room for one."""
    short = f"Rerun downstream #{rerun_id}"
    if any(line == short or line.startswith(f"{short} ") for line in note.splitlines()):
        return None
    start = f"{note}\n" if note else ""
    for line in (f"{short} by {actor}" if actor else short, short):
        if len(start) + len(line) <= MAX_NOTE:
            return start + line
    return None
