"""A run that freeze mode has stopped is a failed run for as long as it waits, for Airflow's count of failures too.

`docs/guide.md` says so; these tests fail when it isn't so any more.
"""

from __future__ import annotations

from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.airflow3 import scene


@pytest.fixture
def runs(database: Any, session: Any) -> list[RunRef]:
    """Two running runs of a Dag that is paused when two runs in a row have failed."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    scene.migrate(database)
    with DAG("d", schedule="@daily", start_date=scene.START, max_consecutive_failed_dag_runs=2) as dag:
        EmptyOperator(task_id="t")
    scene.save(dag, session=session)
    return [scene.create_run("d", session=session, day=day, state="running") for day in (1, 2)]


def paused(session: Any) -> bool:
    from airflow.models.dag import DagModel

    session.expire_all()
    return bool(session.get(DagModel, "d").is_paused)


def halt(session: Any, ref: RunRef) -> None:
    assert AirflowGateway(session).halt(ref, rerun_id=1, actor="ann")
    session.commit()


def fail(session: Any, ref: RunRef) -> None:
    """The run's task fails, and the scheduler looks at the run."""
    scene.instance(ref, "t", session=session).state = "failed"
    session.commit()
    run = scene.run_of(ref, session=session)
    run.dag = scene.latest("d", session=session)
    run.update_state(session=session)
    session.commit()
    assert scene.run_of(ref, session=session).state == "failed"


def test_to_stop_runs_pauses_no_dag(session: Any, runs: list[RunRef]) -> None:
    for ref in runs:
        halt(session, ref)
    assert not paused(session)


def test_one_that_waits_counts_when_another_one_fails(session: Any, runs: list[RunRef]) -> None:
    halt(session, runs[0])
    fail(session, runs[1])
    assert paused(session)


def test_one_that_has_been_dispatched_counts_no_more(session: Any, runs: list[RunRef]) -> None:
    halt(session, runs[0])
    scene.instance(runs[0], "t", session=session).state = None  # its process has ended
    session.commit()
    more: dict[str, Any] = {"rerun_id": 1, "actor": "ann", "retry": False, "run_on_latest_version": None}
    AirflowGateway(session).dispatch(runs[0], (TaskRef("t"),), **more)
    session.commit()
    fail(session, runs[1])
    assert not paused(session)
