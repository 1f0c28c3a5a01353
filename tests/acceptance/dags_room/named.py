"""Names that a page has to find room for: display names, and an id as long as Airflow allows."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, task

YESTERDAY = datetime.fromisoformat(os.environ["STORY_DAY"]) - timedelta(days=1)
ONCE = {"start_date": YESTERDAY, "end_date": YESTERDAY + timedelta(hours=12), "catchup": True}

SALES = Asset("acceptance://sales")
LONG = "long_" + "x" * 245
"""Airflow allows 250 characters."""


@task
def work() -> None:
    """Do nothing, successfully."""


with DAG("sales", dag_display_name="Daily sales (华东区)", schedule="0 0 * * *", tags=["shop"], **ONCE):
    work.override(task_id="load", task_display_name="Load the day", owner="ada", outlets=[SALES])()

for name in ("stock", "report", LONG):
    with DAG(name, schedule=[SALES], start_date=YESTERDAY):
        work.override(task_id="read")()
