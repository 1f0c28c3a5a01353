"""A run whose tasks trigger others, in every way that matters when such a task runs again.

parent ── fire ──── made ── asset ── made_reader       a new run each time
       │              └─ hand_on ── further ── asset ── further_reader
       ├─ renew ─── kept ── asset ── kept_reader       the same run, cleared
       └─ accompany ─ awaited ── asset ── awaited_reader   a new run each time, waited for
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Asset, task

YESTERDAY = datetime.fromisoformat(os.environ["STORY_DAY"]) - timedelta(days=1)
COMMON = {"start_date": YESTERDAY, "default_args": {"retries": 0}}
ONCE = {**COMMON, "end_date": YESTERDAY + timedelta(hours=12), "catchup": True}

MADE = Asset("adoption://made")
FURTHER = Asset("adoption://further")
KEPT = Asset("adoption://kept")
AWAITED = Asset("adoption://awaited")
SENTINEL = Asset("adoption://sentinel")


@task
def work() -> None:
    """Take a moment, so that a wrong order would show."""
    time.sleep(float(os.environ.get("TASK_SECONDS", "0.3")))


with DAG("parent", schedule="0 0 * * *", **ONCE):
    prepare = work.override(task_id="prepare")()
    prepare >> TriggerDagRunOperator(task_id="fire", trigger_dag_id="made")
    prepare >> TriggerDagRunOperator(
        task_id="renew", trigger_dag_id="kept", trigger_run_id="kept_{{ ds }}", reset_dag_run=True
    )
    prepare >> TriggerDagRunOperator(
        task_id="accompany", trigger_dag_id="awaited", wait_for_completion=True, poke_interval=1
    )

with DAG("made", schedule=None, **COMMON):
    hand_on = TriggerDagRunOperator(task_id="hand_on", trigger_dag_id="further")
    work.override(task_id="make", outlets=[MADE])() >> hand_on

with DAG("further", schedule=None, **COMMON):
    work.override(task_id="make", outlets=[FURTHER])()

with DAG("kept", schedule=None, **COMMON):
    work.override(task_id="make", outlets=[KEPT])()

with DAG("awaited", schedule=None, **COMMON):
    work.override(task_id="make", outlets=[AWAITED])()

for asset in (MADE, FURTHER, KEPT, AWAITED):
    with DAG(f"{asset.name.rpartition('/')[2]}_reader", schedule=[asset], **COMMON):
        work.override(task_id="read")()

with DAG("sentinel", schedule=[SENTINEL], **COMMON):
    EmptyOperator(task_id="seen")
