"""A diamond over every kind of hop: assets, a sensor with a delta, a trigger and a marker. All dated yesterday.

                  ┌─ left ──┐ (assets)
up ── asset ──────┤         ├─ joined ── trigger ── child
   └─ sensor ─────┴─ right ─┘
   └─ marker ─── marked                             bystander (nothing reads, nothing is read)
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor
from airflow.sdk import DAG, Asset, task

YESTERDAY = datetime.fromisoformat(os.environ["STORY_DAY"]) - timedelta(days=1)
# Airflow itself fails the tasks that need an api-server while there is none.
RETRIES = {"retries": int(os.environ.get("TASK_RETRIES", "0")), "retry_delay": timedelta(seconds=3)}
ONCE = {"default_args": RETRIES, "start_date": YESTERDAY, "end_date": YESTERDAY + timedelta(hours=12), "catchup": True}

UP = Asset("acceptance://up")
LEFT = Asset("acceptance://left")
RIGHT = Asset("acceptance://right")


@task
def work() -> None:
    """A task that takes as long as the test wants: long enough that a wrong order would show."""
    time.sleep(float(os.environ.get("TASK_SECONDS", "0.3")))


with DAG("up", schedule="0 0 * * *", **ONCE):
    marker = ExternalTaskMarker(task_id="mark", external_dag_id="marked", external_task_id="read")
    work.override(task_id="extract")() >> work.override(task_id="load", outlets=[UP])() >> marker

with DAG("left", schedule=[UP], start_date=YESTERDAY, default_args=RETRIES):
    work.override(task_id="refine", outlets=[LEFT])()

with DAG("right", schedule="0 1 * * *", **ONCE):
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="up",
        external_task_id="load",
        execution_delta=timedelta(hours=1),
        poke_interval=0.5,
        timeout=120,
    )
    wait >> work.override(task_id="use", outlets=[RIGHT])()
    work.override(task_id="aside")()

with DAG("joined", schedule=[LEFT, RIGHT], start_date=YESTERDAY, default_args=RETRIES):
    hand_over = TriggerDagRunOperator(task_id="hand_over", trigger_dag_id="child")
    work.override(task_id="join")() >> hand_over

with DAG("child", schedule=None, start_date=YESTERDAY, default_args=RETRIES):
    work.override(task_id="export")()

with DAG("marked", schedule="0 0 * * *", **ONCE):
    work.override(task_id="read")()

with DAG("bystander", schedule="0 0 * * *", **ONCE):
    work.override(task_id="idle")()
