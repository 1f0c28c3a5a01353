"""What the conductor sees of runs: their states and task instances, and why a queued one waits. One statement."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from sqlalchemy import and_, case, func, null, or_, select

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, one_in, pair_in
from airflow_rerun_downstream.airflow3.task_tables import TASK
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, Observation, TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import DagRoom

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RUN = DagRun.__table__.c
DAG = DagModel.__table__.c
TI = TASK.c

RESTARTING = "restarting"
SLACK = timedelta(seconds=30)
"""What a supervisor takes to end a task that ignores SIGTERM."""

REMEMBERED = timedelta(hours=1)
"""For how long a task instance that nobody asks about is remembered."""


class Silence:
    """Since when task instances have said nothing, by this process's own monotonic clock.

    A heartbeat's time is written by the clock of whichever api-server takes it. None is compared with another one: it
    is silence when what was written stays the same. A process that has just begun to look has seen none yet.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._seen: dict[tuple[Any, ...], tuple[tuple[Any, ...], float, float]] = {}

    def of(self, task_instance: Any) -> timedelta:
        """For how long a task instance has been seen as it is now."""
        key = (task_instance.dag_id, task_instance.run_id, task_instance.task_id, task_instance.map_index)
        said = (task_instance.try_number, task_instance.last_heartbeat_at, task_instance.updated_at)
        now = self._seconds()
        before = self._seen.get(key)
        since = before[1] if before is not None and before[0] == said else now
        if before is None:
            self._forget(now - REMEMBERED.total_seconds())
        self._seen[key] = (said, since, now)
        return timedelta(seconds=now - since)

    def _forget(self, before: float) -> None:
        self._seen = {key: seen for key, seen in self._seen.items() if seen[2] >= before}


SILENCE = Silence()
"""What this process has seen."""


CLOSED = (
    (or_(DAG.dag_id.is_(None), DAG.is_stale), "dag_gone"),
    (DAG.is_paused, "dag_paused"),
)
"""Why a Dag starts no run at all. One that is draining gets no new runs, and starts those that it has."""


def waiting() -> tuple[Any, Any]:
    """Why a queued run isn't started, and what that has to be joined with: how many runs of each Dag are running."""
    started = (
        select(RUN.dag_id, func.count().label("runs"))
        .where(RUN.state == "running", RUN.backfill_id.is_(None))
        .group_by(RUN.dag_id)
        .subquery()
    )
    full = and_(RUN.backfill_id.is_(None), started.c.runs >= DAG.max_active_runs)
    return case((RUN.state != "queued", null()), *CLOSED, (full, "at_max_active_runs"), else_=null()), started


WAITS, STARTED = waiting()


def with_dags(wanted: Any) -> Any:
    """A statement about runs and their task instances, with what `WAITS` looks at."""
    return (
        wanted.select_from(DagRun)
        .outerjoin(TASK, and_(TI.dag_id == DagRun.dag_id, TI.run_id == DagRun.run_id))
        .outerjoin(DagModel, DagModel.dag_id == DagRun.dag_id)
        .outerjoin(STARTED, STARTED.c.dag_id == DagRun.dag_id)
    )


def observed() -> Any:
    """The statement, without the condition that names the runs."""
    return with_dags(
        select(
            DagRun.dag_id,
            DagRun.run_id,
            DagRun.state.label("run_state"),
            DagRun.clear_number,
            WAITS.label("waits_because"),
            TI.task_id,
            TI.map_index,
            TI.state,
            TI.operator,
            TI.try_number,
            TI.start_date,
            TI.end_date,
            TI.last_heartbeat_at,
            TI.updated_at,
        )
    ).order_by(DagRun.dag_id, DagRun.run_id, TI.task_id, TI.map_index)


OBSERVED = observed()


def rooms(session: Session, dag_ids: Collection[str], *, now: datetime) -> dict[str, DagRoom]:
    """What each Dag can start now. A run that isn't due, such as a held one, isn't in the queue."""
    found = {dag_id: DagRoom("dag_gone") for dag_id in dag_ids}
    waiting = and_(RUN.state == "queued", RUN.run_after <= now)
    wanted = (
        select(
            DAG.dag_id,
            case(*CLOSED, else_=null()).label("closed"),
            DAG.max_active_runs,
            func.count(case((RUN.state == "running", 1))).label("running"),
            func.count(case((waiting, 1))).label("queued"),
        )
        .select_from(DagModel)
        .outerjoin(
            DagRun,
            and_(RUN.dag_id == DAG.dag_id, RUN.state.in_(("running", "queued")), RUN.backfill_id.is_(None)),
        )
        .group_by(DAG.dag_id)
    )
    for some in chunks(sorted(found)):
        for row in session.execute(wanted.where(one_in(session, DAG.dag_id, some))):
            found[row.dag_id] = DagRoom(row.closed, row.max_active_runs, row.running, row.queued)
    return found


def observations(session: Session, runs: Sequence[tuple[str, str]], *, silence: Silence) -> Iterator[Observation]:
    """The runs that exist among the pairs of Dag and run id."""
    rows = session.execute(OBSERVED.where(pair_in(session, RUN.dag_id, RUN.run_id, runs)))
    for key, group in groupby(rows, key=lambda row: (row.dag_id, row.run_id)):
        yield observation(RunRef(*key), list(group), silence=silence)


def observation(ref: RunRef, rows: Sequence[Any], *, silence: Silence) -> Observation:
    """One run from its joined rows; a run without task instances has one row with an empty half."""
    run_state = str(rows[0].run_state)
    return Observation(
        ref,
        run_state,
        rows[0].clear_number,
        tuple(
            TaskInstanceFacts(
                task_id=row.task_id,
                map_index=row.map_index,
                state=None if was_left(row, run_state=run_state, silence=silence) else row.state,
                operator=row.operator,
                try_number=row.try_number,
                start_date=row.start_date,
                end_date=row.end_date,
            )
            for row in rows
            if row.task_id is not None
        ),
        rows[0].waits_because,
    )


def was_left(task_instance: Any, *, run_state: str, silence: Silence) -> bool:
    """Whether a task instance of a run that has ended is restarting for ever: its process has surely ended.

    Its executor's report is lost when the scheduler is killed, and Airflow looks after running runs only. A task
    whose heartbeats aren't answered is killed by its supervisor, long before Airflow itself takes it for dead.
    """
    if task_instance.state != RESTARTING or run_state not in FINISHED_RUN_STATES:
        return False
    return silence.of(task_instance) > heartbeat_timeout() + SLACK


def heartbeat_timeout() -> timedelta:
    """The silence after which Airflow takes a task for dead, or that in which its supervisor gives up, if longer."""
    silent = conf.getint("scheduler", "task_instance_heartbeat_timeout", fallback=300)
    between = conf.getint("workers", "min_heartbeat_interval", fallback=5)
    failures = conf.getint("workers", "max_failed_heartbeats", fallback=3)
    return timedelta(seconds=max(silent, between * failures))
