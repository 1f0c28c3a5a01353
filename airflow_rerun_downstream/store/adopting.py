"""A member gets another run: one that a task of another member made in place of its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import ColumnElement

from airflow_rerun_downstream.domain.errors import RunInActiveRerun
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.store.executor import Executor, changed
from airflow_rerun_downstream.store.tables import active_run, child, member


def adopt(
    executor: Executor, member_id: int, guard: ColumnElement[bool], run: RunFacts, values: dict[str, Any]
) -> bool:
    """Give a member a run and the ``values`` that go with it, if ``guard`` holds of its row.

    Raises `RunInActiveRerun`; the transaction can't go on then.
    """
    names = {"run_id": run.ref.run_id, "logical_date": run.logical_date, "run_after": run.run_after}
    move = update(member).where(member.c.id == member_id, member.c.dag_id == run.ref.dag_id, guard)
    try:
        moved = changed(executor, move.values(**names, **values)) == 1
        if moved:
            claim = update(active_run).where(active_run.c.member_id == member_id)
            executor.execute(claim.values(run_id=run.ref.run_id))
    except IntegrityError as error:
        raise RunInActiveRerun(f"The run {run.ref} takes part in a rerun already", run=run.ref) from error
    return moved


def forget_children(executor: Executor, rerun_id: int) -> None:
    """Expect no runs any more for a rerun that has ended; where its runs go on, their tasks may still make some."""
    going_on = select(member.c.id).where(member.c.rerun_id == rerun_id, member.c.state_reason == "left_running")
    executor.execute(delete(child).where(child.c.rerun_id == rerun_id, ~exists(going_on.correlate(None))))
