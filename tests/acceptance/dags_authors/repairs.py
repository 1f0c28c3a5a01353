"""A source and its reader, and Dags that repair them in each of the ways that a Dag author has."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, Asset, task
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference

from airflow_rerun_downstream.operators import ProposeRerunNotifier, RerunDownstreamOperator, RerunDownstreamSensor

DAY = datetime.fromisoformat(os.environ["STORY_DAY"])
YESTERDAY = DAY - timedelta(days=1)
LAST = YESTERDAY + timedelta(hours=3 * int(os.environ["SOURCES"]) - 1)
DATA = Asset("authors_data")
GATE = Path(os.environ["GATE"])


def work(dag_id: str, **options: object) -> DAG:
    """A Dag whose only task waits while the gate is shut."""
    with DAG(dag_id, start_date=YESTERDAY, **options) as dag:

        @task(task_id="work", outlets=[DATA] if dag_id == "source" else [])
        def wait_for_the_gate() -> None:
            while GATE.exists():
                time.sleep(0.2)

        wait_for_the_gate()
    return dag


source = work("source", schedule="0 */3 * * *", catchup=True, end_date=LAST, max_active_runs=1)
reader = work("reader", schedule=DATA)

SOURCE = {"source_dag_id": "source", "source_run_id": "{{ params.run_id }}"}
NO_PAUSE = {"retries": 5, "retry_delay": timedelta(seconds=1)}


def repair(dag_id: str, **options: object) -> DAG:
    """A Dag that repairs by the operator."""
    with DAG(dag_id, schedule=None, params={"run_id": "", "date": ""}) as dag:
        RerunDownstreamOperator(task_id="repair", poll_interval=1, **{**SOURCE, **NO_PAUSE, **options})
    return dag


sync = repair("sync")
deferred = repair("deferred", deferrable=True)
terminates = repair("terminates", when_killed="terminate", retries=0, members=[])
terminates_deferred = repair("terminates_deferred", when_killed="terminate", retries=0, deferrable=True, members=[])
leaves = repair("leaves", retries=0, members=[])
forbidden = repair("forbidden", rerun_downstream_conn_id="viewer")
by_date = repair("by_date", dag_id_pattern="read%", source_run_id=None, source_logical_date="{{ params.date }}")

with DAG("waits", schedule=None, params={"rerun_id": 0}) as waits:
    RerunDownstreamSensor(task_id="wait", rerun_id="{{ params.rerun_id }}", poke_interval=1, deferrable=True)

LATE = {"source_dag_id": "reader", "source_run_id": "{{ dag_run.conf.run_id }}", "reason": "late"}
late = work(
    "late",
    schedule=None,
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=1),
        callback=AsyncCallback(ProposeRerunNotifier, LATE),
    ),
)
