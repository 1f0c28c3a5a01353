"""The tries of runs' task instances, each with when it began and ended, and on which host."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import and_, select

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.accounts import HISTORY, accounts
from airflow_rerun_downstream.airflow3.lineage_facts.online import word
from airflow_rerun_downstream.airflow3.lineage_facts.runs import BY_TASK, RUN, TI
from airflow_rerun_downstream.domain.facts import Account, RunAccount
from airflow_rerun_downstream.domain.proof import RunTries, TaskTries, Try
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Key = tuple[RunRef, str, int]

ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})

PRESENT = (
    RUN.dag_id, RUN.run_id, RUN.clear_number,
    TI.task_id, TI.map_index, TI.state, TI.start_date, TI.end_date, TI.hostname,
)  # fmt: skip

EARLIER = (
    HISTORY.dag_id, HISTORY.run_id, HISTORY.task_id, HISTORY.map_index,
    HISTORY.state, HISTORY.start_date, HISTORY.end_date, HISTORY.hostname,
)  # fmt: skip


def tries(
    session: Session, refs: Collection[RunRef], *, places: Mapping[RunRef, RunRef] | None = None
) -> dict[RunRef, RunTries]:
    """See `LineageFacts.tries`: two statements for each eleven thousand runs, and those of `accounts`."""
    told = accounts(session, refs, places=places)
    history, found = earlier(session, told), dict[RunRef, RunTries]()
    for ref, rows in present(session, told).items():
        tasks = sorted((row for row in rows if row.task_id is not None), key=BY_TASK)
        every = (of_task(row, history.get((ref, row.task_id, row.map_index), []), told[ref]) for row in tasks)
        found[ref] = RunTries(rows[0].clear_number, tuple(every))
    return found


def present(session: Session, refs: Iterable[RunRef]) -> dict[RunRef, list[Any]]:
    """The task instances of runs; a run without any has one row with an empty half."""
    joined = DagRun.__table__.outerjoin(TaskInstance.__table__, and_(TI.dag_id == RUN.dag_id, TI.run_id == RUN.run_id))
    found: dict[RunRef, list[Any]] = {}
    for some in chunks(refs):
        wanted = select(*PRESENT).select_from(joined).where(pair_in(session, RUN.dag_id, RUN.run_id, names(some)))
        for row in session.execute(wanted):
            found.setdefault(RunRef(row.dag_id, row.run_id), []).append(row)
    return found


def earlier(session: Session, refs: Iterable[RunRef]) -> dict[Key, list[Try]]:
    """The earlier tries of runs' task instances that were started, oldest first.

    A task instance that is cleared before its try was started leaves the dates of the one before once more.
    """
    found: dict[Key, list[Try]] = {}
    for some in chunks(refs):
        wanted = select(*EARLIER).where(pair_in(session, HISTORY.dag_id, HISTORY.run_id, names(some)))
        for row in session.execute(wanted.order_by(HISTORY.try_number, HISTORY.start_date)):
            known = found.setdefault((RunRef(row.dag_id, row.run_id), row.task_id, row.map_index), [])
            if row.start_date is not None and not (known and known[-1].start == row.start_date):
                known.append(a_try(row))
    return found


def of_task(row: Any, history: list[Try], told: RunAccount) -> TaskTries:
    """The tries of one task instance; one that appeared in the meantime hasn't any."""
    account = told.tasks.get((row.task_id, row.map_index), Account(started=False, ended=False))
    return TaskTries(
        row.task_id,
        row.map_index,
        state_of(row),
        (*history, *([a_try(row)] if account.started else [])),
        present=account.started,
        by_hand=account.by_hand,
        held=account.succeeded_before,
        added=account.added,
    )


def a_try(row: Any) -> Try:
    """A try that was started. One that waits has the end of its last look."""
    state = state_of(row)
    return Try(state, row.start_date, row.end_date if state in ENDED else None, row.hostname or None)


def state_of(row: Any) -> str | None:
    """A state as a word."""
    return None if row.state is None else word(row.state)
