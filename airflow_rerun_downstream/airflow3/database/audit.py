"""What a rerun leaves behind for people: rows in Airflow's audit log, and a note on the run.

Core statements: Airflow's ORM of a note wants the api-server's user.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from airflow.models.dagrun import DagRun, DagRunNote
from airflow.models.log import Log
from sqlalchemy import insert, select, update

from airflow_rerun_downstream.airflow3.versions import LOGS_HAVE_TEAMS, team_of
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.ports.retention import Cleaning

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

MAX_EVENT = 60
MAX_NOTE = 1000
MAX_OWNER = 500


@contextmanager
def best_effort(session: Session, what: str) -> Iterator[None]:
    """What is written inside is worth less than what it tells of: an error takes it back, alone, and is logged."""
    try:
        with session.begin_nested():
            yield
    except Exception:
        log.exception("%s left no trace in Airflow's audit log", what)


def log_event(
    ref: RunRef,
    event: str,
    *,
    rerun_id: int | None,
    actor: str,
    logical_date: datetime | None,
    now: datetime,
    session: Session,
) -> None:
    """Add a row ``rerun_downstream.<event>`` about a run to Airflow's audit log; its extra names the rerun."""
    team = {"team_name": team_of(ref.dag_id, session=session)} if LOGS_HAVE_TEAMS else {}
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
            **team,
        )
    )


def log_cleaning(cleaning: Cleaning, *, actor: str, now: datetime, session: Session) -> None:
    """Add a row ``rerun_downstream.db_clean`` to Airflow's audit log, with what has gone by table."""
    extra = {
        "before": cleaning.before.isoformat(),
        "archive": cleaning.archive,
        "done": cleaning.done,
        "rows": dict(sorted(cleaning.rows.items())),
    }
    owner = {"owner": actor[:MAX_OWNER], "owner_display_name": actor[:MAX_OWNER]}
    session.execute(insert(Log).values(dttm=now, event="rerun_downstream.db_clean", extra=json.dumps(extra), **owner))


def log_run_event(run: DagRun, event: str, *, rerun_id: int, actor: str, now: datetime, session: Session) -> None:
    """`log_event` about a run that is loaded."""
    log_event(
        RunRef(run.dag_id, run.run_id),
        event,
        rerun_id=rerun_id,
        actor=actor,
        logical_date=run.logical_date,
        now=now,
        session=session,
    )


def note_rerun(dag_run_id: int, *, rerun_id: int, actor: str, now: datetime, session: Session) -> None:
    """Name the rerun in the run's note, once. What a person wrote there stays, in full."""
    found = content(dag_run_id, session=session)
    write(dag_run_id, found, with_rerun(found or "", rerun_id=rerun_id, actor=actor), now=now, session=session)


def note_hold(dag_run_id: int, run_after: datetime, *, rerun_id: int, now: datetime, session: Session) -> None:
    """Say in the run's note which rerun holds it, and when it would have started."""
    found = content(dag_run_id, session=session)
    line = f"{held_by(rerun_id)}; its run_after is {run_after.isoformat()}"
    write(dag_run_id, found, with_line(found or "", line, instead_of=held_by(rerun_id)), now=now, session=session)


def note_release(dag_run_id: int, *, rerun_id: int, now: datetime, session: Session) -> None:
    """Say in the note of a run that was held that it isn't any more."""
    found = content(dag_run_id, session=session)
    if found is None or held_by(rerun_id) not in found:
        return
    line = f"Released by rerun downstream #{rerun_id}"
    write(dag_run_id, found, with_line(found, line, instead_of=held_by(rerun_id)), now=now, session=session)


def held_by(rerun_id: int) -> str:
    """How the line begins that says so."""
    return f"Held by rerun downstream #{rerun_id}"


def content(dag_run_id: int, *, session: Session) -> str | None:
    """A run's note; None if it has none."""
    found = session.execute(select(DagRunNote.content).where(DagRunNote.dag_run_id == dag_run_id)).one_or_none()
    return None if found is None else found.content or ""


def write(dag_run_id: int, before: str | None, after: str | None, *, now: datetime, session: Session) -> None:
    """Replace a run's note, or make it; None leaves it as it is."""
    if after is None:
        return
    if before is None:
        values = {"dag_run_id": dag_run_id, "content": after, "created_at": now, "updated_at": now}
        session.execute(insert(DagRunNote).values(values))
        return
    changed = update(DagRunNote).where(DagRunNote.dag_run_id == dag_run_id)
    session.execute(changed.values(content=after, updated_at=now).execution_options(synchronize_session=False))


def with_line(note: str, line: str, *, instead_of: str) -> str | None:
    """A note with a line in the place of the one that begins so, or at the end; None when there is no room for it."""
    lines = [each for each in note.splitlines() if not begins(each, instead_of)]
    made = "\n".join([*lines, line])
    return made if len(made) <= MAX_NOTE else None


def begins(line: str, start: str) -> bool:
    """Whether a line begins so, with a whole number at the end."""
    return line.startswith(start) and not line[len(start) : len(start) + 1].isdigit()


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
