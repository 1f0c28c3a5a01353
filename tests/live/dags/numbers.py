"""A scheduled Dag with three days of history, and the consumer of its asset."""

from datetime import datetime, timedelta, timezone

from airflow.sdk import Asset, dag, task

numbers = Asset("numbers")
midnight = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)


@dag(schedule="@daily", start_date=midnight - timedelta(days=2), catchup=True, max_active_runs=1)
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
