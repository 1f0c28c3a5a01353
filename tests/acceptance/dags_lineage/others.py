"""Markers, inlets, runs that depend on the one before, and what only a file declares.

marking ─┬─ mark, mark_next, mark_month ── marked
         └─ mark_live ──────────────────── marked      its date is known to a running task only
rates, more_rates ── fetch ── rates_reader             read as an inlet
                           └─ rates_either             read as an inlet, and started by it or by the clock
past ───── a task that depends on its own past; strict_past: on what follows it, too
writer ─── reader                                      declared in lineage_links.yaml
dropper ── picker, named_picker                        declared, too; a person starts these
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskMarker
from airflow.sdk import DAG, Asset, task

try:
    from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable
except ImportError:  # Airflow 3.1
    from airflow.timetables.assets import AssetOrTimeSchedule
    from airflow.timetables.trigger import CronTriggerTimetable

START = datetime.fromisoformat(os.environ.get("LINEAGE_START", "2026-01-01T00:00:00+00:00"))
END = START + timedelta(hours=float(os.environ["LINEAGE_HOURS"])) if "LINEAGE_HOURS" in os.environ else None
ONCE = {"start_date": START, "end_date": END, "catchup": True}
"""When Dags run that a clock starts: from 2026 on, or for the hours that a live Airflow is to have."""

RATES = Asset("lineage://assets/rates")
NEXT = "{{ logical_date + macros.timedelta(days=1) }}"
NEXT_MONTH = "{{ logical_date + macros.dateutil.relativedelta.relativedelta(months=1) }}"
LIVE = "{{ ti.xcom_pull('load') }}"


@task
def work() -> None:
    """A task that a worker runs; its start is what inlets are told by."""


def mark(task_id: str, **arguments: str) -> ExternalTaskMarker:
    """A marker of the reading task of ``marked``."""
    return ExternalTaskMarker(task_id=task_id, external_dag_id="marked", external_task_id="read", **arguments)


with DAG("marking", schedule="0 0 * * *", **ONCE):
    first = EmptyOperator(task_id="load") >> mark("mark")
    first >> [mark("mark_next", logical_date=NEXT), mark("mark_month", logical_date=NEXT_MONTH)]
    mark("mark_live", logical_date=LIVE)

with DAG("marked", schedule="0 0 * * *", **ONCE):
    EmptyOperator(task_id="before") >> EmptyOperator(task_id="read") >> EmptyOperator(task_id="use")

with DAG("rates", schedule="0 0 * * *", **ONCE):
    work.override(task_id="fetch", outlets=[RATES])()
    EmptyOperator(task_id="aside")

with DAG("rates_reader", schedule="0 0 * * *", **ONCE):
    work.override(task_id="free")()
    work.override(task_id="read", inlets=[RATES])() >> EmptyOperator(task_id="use")

with DAG("more_rates", schedule="0 1 * * *", **ONCE):
    work.override(task_id="fetch", outlets=[RATES])()

EITHER = AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 6 * * *", timezone="UTC"), assets=[RATES])
with DAG("rates_either", schedule=EITHER, **ONCE):
    work.override(task_id="read", inlets=[RATES])()

with DAG("past", schedule="0 */6 * * *", max_active_runs=4, **ONCE):
    EmptyOperator(task_id="add", depends_on_past=True) >> EmptyOperator(task_id="show")

with DAG("strict_past", schedule="0 0 * * *", **ONCE):
    EmptyOperator(task_id="add", wait_for_downstream=True) >> EmptyOperator(task_id="show")

with DAG("writer", schedule="0 0 * * *", **ONCE):
    EmptyOperator(task_id="copy")
    EmptyOperator(task_id="aside")

with DAG("reader", schedule="0 6 * * *", **ONCE):
    EmptyOperator(task_id="fetch") >> EmptyOperator(task_id="use")

with DAG("dropper", schedule="0 0 * * *", **ONCE):
    EmptyOperator(task_id="drop")

for dag_id in ("picker", "named_picker"):
    with DAG(dag_id, schedule=None, start_date=START):
        EmptyOperator(task_id="pick")
