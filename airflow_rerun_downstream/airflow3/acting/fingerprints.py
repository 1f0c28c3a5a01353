"""Whether a run looks different from a moment ago, without reading its task instances: one row for each run.

Each thing that an observation says is in the numbers: the run's own columns, how many task instances are in each state,
how many tries they have had, and the first and last of their times. A task that leaves a state changes the counts; one
that starts changes the tries; whatever else Airflow writes, a heartbeat too, changes the time of the last change.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from typing import TYPE_CHECKING, Any

from airflow.utils.state import TaskInstanceState
from sqlalchemy import case, func, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.acting.observing import RUN, WAITS, with_dags
from airflow_rerun_downstream.airflow3.database.key_lists import pair_in
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TASK = task_tables.TASK.c
TIMES = (TASK.updated_at, TASK.start_date, TASK.end_date)
OWN = (RUN.dag_id, RUN.run_id, RUN.state, RUN.clear_number)


def printed() -> Any:
    """The statement, without the condition that names the runs."""
    in_state = [func.count(case((TASK.state == state.value, 1))) for state in TaskInstanceState]
    numbers = [func.count(TASK.task_id), *(func.sum(column) for column in (TASK.try_number, TASK.map_index))]
    moments = [side(column) for column in TIMES for side in (func.min, func.max, func.count)]
    return with_dags(select(*OWN, func.max(WAITS), *numbers, *in_state, *moments)).group_by(*OWN)


PRINTED = printed()


def fingerprints(session: Session, runs: Collection[tuple[str, str]]) -> Iterator[tuple[RunRef, Hashable]]:
    """The runs that exist among the pairs of Dag and run id, each with all its numbers."""
    for row in session.execute(PRINTED.where(pair_in(session, RUN.dag_id, RUN.run_id, runs))):
        yield RunRef(row.dag_id, row.run_id), tuple(row)
