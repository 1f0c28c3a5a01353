"""Sensors that wait for ``up``, each in a Dag of its own that is named after what is special about it.

up ─┬─ load          waits ── use
    ├─ side          └─ aside
    └─ group ─┬─ one
              └─ two
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from airflow import sdk
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import DAG, BaseSensorOperator, TaskGroup, task_group
from dateutil.relativedelta import relativedelta
from lineage_timetable import EveryThirdDay

try:
    from airflow.sdk import CronDataIntervalTimetable, CronTriggerTimetable
except ImportError:  # Airflow 3.1
    from airflow.timetables.interval import CronDataIntervalTimetable
    from airflow.timetables.trigger import CronTriggerTimetable

START = datetime.fromisoformat(os.environ.get("LINEAGE_START", "2026-01-01T00:00:00+00:00"))
END = START + timedelta(hours=float(os.environ["LINEAGE_HOURS"])) if "LINEAGE_HOURS" in os.environ else None
ONCE = {"start_date": START, "end_date": END, "catchup": True}
"""When Dags run that a clock starts: from 2026 on, or for the hours that a live Airflow is to have."""

QUICK: dict[str, Any] = {"poke_interval": 0.5, "timeout": 120}
BERLIN = CronTriggerTimetable("0 6 * * *", timezone="Europe/Berlin")


def hour_before(date: datetime) -> datetime:
    """A function that finds one date."""
    return date - timedelta(hours=1)


def week_before(date: datetime) -> list[datetime]:
    """The seven days before."""
    return [date - timedelta(days=days) for days in range(1, 8)]


def hours_of(date: datetime) -> list[datetime]:
    """The hours of the day that begins at a date."""
    return [date + timedelta(hours=hour) for hour in range(24)]


class Patient(ExternalTaskSensor):
    """A sensor of somebody's own. A mapped one may have an offset of its own, too."""


class Stubborn(ExternalTaskSensor):
    """A sensor that reckons its dates itself."""

    def _get_dttm_filter(self, context: Any) -> list[datetime]:
        return [context["logical_date"] - timedelta(days=3)]


class Chooses(ExternalTaskSensor):
    """A sensor that decides in each run for which Dag it waits."""

    def execute(self, context: Any) -> None:
        self.external_dag_id = "up_other"
        super().execute(context)


class LatestRun(BaseSensorOperator):
    """A sensor that isn't made from Airflow's, and names a Dag in an argument."""

    def __init__(self, *, external_dag_id: str, **more: Any) -> None:
        super().__init__(**more)
        self.external_dag_id = external_dag_id

    def poke(self, context: Any) -> bool:
        return True


def upstream(dag_id: str, schedule: Any) -> None:
    """A Dag to wait for."""
    with DAG(dag_id, schedule=schedule, **ONCE):
        EmptyOperator(task_id="load")
        EmptyOperator(task_id="side")
        with TaskGroup("group"):
            EmptyOperator(task_id="one") >> EmptyOperator(task_id="two")


def reader(
    dag_id: str,
    schedule: Any = "0 0 * * *",
    *,
    up: str = "up",
    mapped: Any = None,
    sensor: Any = ExternalTaskSensor,
    **arguments: Any,
) -> None:
    """A Dag with one sensor, one task that follows it and one that doesn't."""
    params = {"up": "up", "task": "load"}
    with DAG(dag_id, schedule=schedule, params=params, **ONCE):
        if mapped is None:
            wait = sensor(task_id="wait", external_dag_id=up, **arguments, **QUICK)
        else:
            wait = sensor.partial(task_id="wait", **arguments, **QUICK).expand_kwargs(mapped)
        wait >> EmptyOperator(task_id="use")
        EmptyOperator(task_id="aside")


upstream("up", "0 0 * * *")
upstream("up_own", "0 0 * * *")
upstream("up_other", "0 0 * * *")
upstream("up_one", "0 0 * * *")
upstream("up_week", "0 0 * * *")
upstream("up_hourly", "0 * * * *")
upstream("up_interval", CronDataIntervalTimetable("0 0 * * *", timezone="UTC"))
upstream("up_berlin", BERLIN)
upstream("up_custom", EveryThirdDay())

# What is waited for
reader("one_task", external_task_id="load")
reader("two_tasks", external_task_ids=["load", "side"])
reader("a_group", external_task_group_id="group")
reader("the_run")
reader("mapped", mapped=[{"external_dag_id": "up", "external_task_id": name} for name in ("load", "side")])
reader("templated", up="{{ params.up }}", external_task_id="{{ params.task }}")
reader("by_list", up="{{ [params.up][0] }}", external_task_id="load")
reader("deferrable", external_task_id="load", deferrable=True)
reader("own", sensor=Patient, external_task_id="load", execution_delta=timedelta(days=1))
reader("own_mapped", sensor=Patient, mapped=[{"external_dag_id": "up", "external_task_id": "load"}])
reader("own_dates", up="up_own", sensor=Stubborn)
reader("choosing", up="up_own", sensor=Chooses)
reader("latest", up="up_other", sensor=LatestRun)
reader("two_dags", mapped=[{"external_dag_id": name, "external_task_id": "load"} for name in ("up", "up_other")])
reader("two_deltas", mapped=[{"external_dag_id": "up", "execution_delta": timedelta(days=day)} for day in (0, 1)])
reader("repointed", up="up_other")
reader("moved", execution_delta=timedelta(days=2))

with DAG("in_groups", schedule="0 0 * * *", **ONCE):

    @task_group
    def each(name: str) -> None:
        """One group for each task that is waited for."""
        wait = ExternalTaskSensor(task_id="wait", external_dag_id="up", external_task_id=name, **QUICK)
        wait >> EmptyOperator(task_id="use")

    each.expand(name=["load", "side"])

# When it was
reader("an_hour_later", "0 1 * * *", execution_delta=timedelta(hours=1))
reader("two_days_later", execution_delta=timedelta(days=2))
reader("an_hour_earlier", "0 23 * * *", execution_delta=timedelta(hours=-1))
reader("a_month_later", execution_delta=relativedelta(months=1))
reader("by_function", "0 1 * * *", up="up_one", execution_date_fn=hour_before)
reader("after_function", "0 1 * * *", up="by_function")
reader("after_all", "0 1 * * *", up="after_function")
reader("weekly", "0 0 * * 0", up="up_week", execution_date_fn=week_before)
reader("daily", up="up_hourly", execution_date_fn=hours_of)

# What starts the runs
reader("of_interval", up="up_interval", execution_delta=timedelta(days=1))
reader("of_trigger", CronDataIntervalTimetable("0 0 * * *", timezone="UTC"))
reader("berlin", BERLIN, up="up_berlin")
reader("berlin_day_after", BERLIN, up="up_berlin", execution_delta=timedelta(days=1))
reader("utc_after_berlin", "0 5 * * *", up="up_berlin", execution_delta=timedelta(hours=1))
reader("custom", EveryThirdDay(), up="up_custom")
if hasattr(sdk, "CronPartitionTimetable"):  # its runs have no logical date; Airflow 3.1 has none
    reader("undated", sdk.CronPartitionTimetable("0 0 * * *", timezone="UTC"))
