"""A producer of daily partitions and its consumer: ``parts`` ─── ``partitioned``. Airflow 3.1 has no partitions."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow import sdk
from airflow.sdk import DAG, Asset, task

YESTERDAY = datetime.fromisoformat(os.environ["STORY_DAY"]) - timedelta(days=1)
PARTS = Asset("acceptance://parts")


@task
def emit() -> None:
    """Succeed; the outlets make the events."""


if hasattr(sdk, "PartitionedAssetTimetable"):
    with DAG(
        "parts",
        schedule=sdk.CronPartitionTimetable("0 0 * * *", timezone="UTC"),
        start_date=YESTERDAY,
        end_date=YESTERDAY + timedelta(hours=12),
        catchup=True,
    ):
        emit.override(outlets=[PARTS])()

    with DAG("partitioned", schedule=sdk.PartitionedAssetTimetable(assets=PARTS), start_date=YESTERDAY):
        emit()
