"""How long tasks have taken in the latest runs of their Dags."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from sqlalchemy import case, func, select, union_all

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, one_in, pair_in
from airflow_rerun_downstream.domain.durations import MOST, Kind, PastRun, TaskSpan, times
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RUN = DagRun.__table__.c
TI = task_tables.TASK.c
HISTORY = task_tables.EARLIER.c

DAGS = 100
"""Of how many Dags the latest runs are asked for in one statement."""

ALL_RUNS = 3_000
"""How many runs are looked at, whatever the number of Dags; and no fewer than `FEWEST` of each."""

FEWEST, LOOKED_AT = 3, MOST + 5

NAMED = 5_000
"""Up to how many tasks are named in a statement; from there on all tasks of the runs are read."""

DONE = ("success", "skipped", "removed")
"""What a task may have come to in a run whose time counts."""


class PastTimes:
    """`Durations` on Airflow 3."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def times(self, kinds: Collection[Kind]) -> dict[Kind, tuple[float, ...]]:
        """See `Durations.times`."""
        dag_ids = sorted({dag_id for dag_id, _ in kinds})
        if not dag_ids:
            return {}
        rows = self._latest(dag_ids)
        task_ids = frozenset().union(*(tasks for _, tasks in kinds))
        spans = self._spans(rows, task_ids)
        runs: dict[str, list[PastRun]] = {}
        for ref, row in rows.items():
            past = PastRun(row.start_date, row.clear_number > 0, tuple(spans.get(ref, ())))
            runs.setdefault(ref.dag_id, []).append(past)
        found = {kind: times(runs.get(kind[0], ()), kind[1]) for kind in kinds}
        return {kind: some for kind, some in found.items() if some}

    def _latest(self, dag_ids: Sequence[str]) -> dict[RunRef, Any]:
        """The runs of Dags that were made last, of those that have ended, latest first.

        Each Dag has a limit of its own: so the database reads no others, however many there are.
        """
        limit = max(FEWEST, min(LOOKED_AT, ALL_RUNS // len(dag_ids)))
        columns = RUN.id, RUN.dag_id, RUN.run_id, RUN.start_date, RUN.clear_number
        ended = select(*columns).where(RUN.state.in_(sorted(FINISHED_RUN_STATES)), RUN.end_date.is_not(None))
        found: dict[RunRef, Any] = {}
        for some in chunks(dag_ids, DAGS):
            each = [ended.where(RUN.dag_id == one).order_by(RUN.id.desc()).limit(limit).subquery() for one in some]
            rows = self._session.execute(union_all(*(select(one) for one in each))).all()
            for row in sorted(rows, key=lambda row: -row.id):
                found[RunRef(row.dag_id, row.run_id)] = row
        return found

    def _spans(self, rows: Mapping[RunRef, Any], task_ids: Collection[str]) -> dict[RunRef, list[TaskSpan]]:
        """The tries of tasks in runs, those between two clears together; earlier ones of runs that were cleared."""
        cleared = [ref for ref, row in rows.items() if row.clear_number > 0]
        found: dict[RunRef, list[TaskSpan]] = {}
        for table, refs in ((TI, list(rows)), (HISTORY, cleared)):
            for some in chunks(names(refs), ALL_RUNS):
                wanted = spans_of(table).where(pair_in(self._session, table.dag_id, table.run_id, some))
                if len(task_ids) <= NAMED:
                    wanted = wanted.where(one_in(self._session, table.task_id, sorted(task_ids)))
                for row in self._session.execute(wanted):
                    found.setdefault(RunRef(row.dag_id, row.run_id), []).append(span_of(row, present=table is TI))
        return found


def spans_of(table: Any) -> Any:
    """Task instances, or their earlier tries, of a task between two clears as one row: ``max_tries`` tells those.

    An index counts as done if one of its tries is: in the history there are also those that Airflow tried again.
    """
    key = table.dag_id, table.run_id, table.task_id, table.max_tries
    done = func.count(case((table.state.in_(DONE), table.map_index)).distinct())
    return select(
        *key,
        func.min(table.start_date).label("start"),
        func.max(table.end_date).label("end"),
        func.max(case((func.lower(func.coalesce(table.operator, "")).contains("sensor"), 1), else_=0)).label("waits"),
        (done == func.count(table.map_index.distinct())).label("done"),
    ).group_by(*key)


def span_of(row: Any, *, present: bool) -> TaskSpan:
    """A row of `spans_of`."""
    start: datetime | None = row.start
    return TaskSpan(row.task_id, row.max_tries or 0, start, row.end, bool(row.done), bool(row.waits), present)
