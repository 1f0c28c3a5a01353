"""A scheduled Dag with three days of history, and the consumer of its asset."""

import os
from datetime import datetime, timedelta

from airflow.sdk import Asset, dag, task

numbers = Asset("numbers")
today = datetime.fromisoformat(os.environ["STORY_DAY"])


@dag(schedule="@daily", start_date=today - timedelta(days=2), end_date=today, catchup=True, max_active_runs=1)
def count():
    @task(outlets=[numbers])
    def one():
        return 1

    one()


@dag(schedule=[numbers])
def add():
    @task
    def two():
        return 2

    two()


count()
add()
