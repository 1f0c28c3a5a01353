"""The tries of runs' task instances, each with when it began and ended, and on which host."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.airflow3.lineage_facts.accounts import NONE, accounts_from, read
from airflow_rerun_downstream.airflow3.lineage_facts.online import word
from airflow_rerun_downstream.airflow3.lineage_facts.runs import BY_TASK
from airflow_rerun_downstream.domain.proof import RunTries, TaskTries, Try
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.run_accounts import Moments, Places, RunAccount

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


def tries(
    session: Session, refs: Collection[RunRef], *, places: Places | None = None, since: Moments | None = None
) -> dict[RunRef, RunTries]:
    """See `TaskRecords.tries`: the statements of `accounts`."""
    rows = read(session, refs, places)
    found = dict[RunRef, RunTries]()
    for ref, account in accounts_from(session, refs, rows, since or {}).items():
        here = rows.present[ref]
        tasks = sorted((row for row in here if row.task_id is not None), key=BY_TASK)
        every = (
            of_task(row, earlier(rows.history.get((ref, (row.task_id, row.map_index)), NONE).rows), account)
            for row in tasks
        )
        found[ref] = RunTries(here[0].clear_number, tuple(every))
    return found


def earlier(history: Iterable[Any]) -> list[Try]:
    """The earlier tries of a task instance that were started, oldest first.

    A task instance that is cleared before its try was started leaves the dates of the one before once more.
    """
    known: list[Try] = []
    begun = (row for row in history if row.start_date is not None)
    for row in sorted(begun, key=lambda row: (row.try_number, row.start_date)):
        if not (known and known[-1].start == row.start_date):
            known.append(a_try(row))
    return known


def of_task(row: Any, history: list[Try], told: RunAccount) -> TaskTries:
    """The tries of one task instance."""
    account = told.tasks[row.task_id, row.map_index]
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
