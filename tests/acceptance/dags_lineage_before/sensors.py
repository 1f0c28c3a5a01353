"""Dags of ``dags_lineage`` as they were before they were changed: whom they waited for, and how far back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import DAG

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
DELTAS = {"repointed": timedelta(), "moved": timedelta(days=1)}

for dag_id, delta in DELTAS.items():
    with DAG(dag_id, schedule="0 0 * * *", start_date=START, catchup=True):
        wait = ExternalTaskSensor(task_id="wait", external_dag_id="up", execution_delta=delta)
        wait >> EmptyOperator(task_id="use")
        EmptyOperator(task_id="aside")
