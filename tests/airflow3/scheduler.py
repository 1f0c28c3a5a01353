"""Parts of Airflow's own scheduler, one call at a time: the making of runs, and their start."""

from __future__ import annotations

import inspect
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def runner(*, session: Session) -> Any:
    """A scheduler that isn't started, and reports nothing."""
    from airflow.executors.local_executor import LocalExecutor
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    from airflow_rerun_downstream.airflow3.hooks import listener

    takes_executors = "executors" in inspect.signature(SchedulerJobRunner).parameters  # since 3.2
    job = Job() if takes_executors else Job(executor=LocalExecutor())
    listener.before_stopping(job)
    session.add(job)
    session.commit()
    return SchedulerJobRunner(job, **({"executors": [LocalExecutor()]} if takes_executors else {}))


def make_runs(*, session: Session) -> None:
    """What the scheduler does at each turn for Dags that need a run, whether time or assets ask for it."""
    from airflow.utils.sqlalchemy import prohibit_commit

    made = runner(session=session)
    with prohibit_commit(session) as guard:
        made._create_dagruns_for_dags(guard, session)
    session.commit()


def start_runs(*, session: Session) -> None:
    """What the scheduler does at each turn with queued runs."""
    runner(session=session)._start_queued_dagruns(session)
    session.commit()


def make_next(dag_id: str, *, session: Session) -> RunRef:
    """The scheduler makes the Dag's next run."""
    before = refs(dag_id, session=session)
    make_runs(session=session)
    (made,) = refs(dag_id, session=session) - before
    return made


def pass_over(dag_id: str, by: timedelta, *, session: Session) -> None:
    """The Dag's next run is a later one, as if its timetable had been asked late and didn't catch up."""
    from airflow.models.dag import DagModel

    dag = session.get(DagModel, dag_id)
    assert dag is not None
    start, end = dag.next_dagrun_data_interval
    dag.next_dagrun, dag.next_dagrun_data_interval = dag.next_dagrun + by, (start + by, end + by)
    dag.next_dagrun_create_after += by
    session.commit()


def refs(dag_id: str, *, session: Session) -> set[RunRef]:
    """The runs of a Dag."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    return {RunRef(dag_id, run_id) for run_id in session.scalars(select(DagRun.run_id).where(DagRun.dag_id == dag_id))}


def due_in(delta: timedelta) -> datetime:
    """A moment from now on, to the minute."""
    return (datetime.now(timezone.utc) + delta).replace(second=0, microsecond=0)


def callback() -> Any:
    """Something for a deadline to call."""
    try:
        from airflow.sdk import AsyncCallback
    except ImportError:
        from airflow.sdk.definitions.deadline import AsyncCallback
    return AsyncCallback(alarm)


async def alarm(**_: Any) -> None:
    """Nothing is late here."""
