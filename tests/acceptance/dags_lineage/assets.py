"""Producers and consumers of assets.

make ─┬─ load ──── plain ── second         one asset, and what follows from it
      ├─ spare ─── spare_reader            another task's asset
      ├─ name_it ─ aliased                 an asset that is named by the task, through an alias
      └─ load ─┬── both, either            conditions of two assets
other ─────────┘
again ── load ──── plain                   a second producer of the same asset
many ─── each (mapped) ── many_reader
parts ── cut ───── part_reader             partitions; Airflow 3.1 has none
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow import sdk
from airflow.sdk import DAG, Asset, AssetAlias, task

START = datetime.fromisoformat(os.environ.get("LINEAGE_START", "2026-01-01T00:00:00+00:00"))
END = START + timedelta(hours=float(os.environ["LINEAGE_HOURS"])) if "LINEAGE_HOURS" in os.environ else None
ONCE = {"start_date": START, "end_date": END, "catchup": True}
"""When Dags run that a clock starts: from 2026 on, or for the hours that a live Airflow is to have."""

MADE = Asset("lineage://assets/made")
SPARE = Asset("lineage://assets/spare")
OTHER = Asset("lineage://assets/other")
PLAIN = Asset("lineage://assets/plain")
MANY = Asset("lineage://assets/many")
PARTS = Asset("lineage://assets/parts")
ALIAS = AssetAlias("lineage-alias")


@task
def load() -> None:
    """Succeed; the outlets make the events."""


@task(outlets=[ALIAS])
def name_it(*, outlet_events: object = None) -> None:
    """Name the asset only when it runs."""
    outlet_events[ALIAS].add(Asset("lineage://assets/through-alias"))  # type: ignore[index]


@task(outlets=[MANY])
def each(number: int) -> None:
    """One of several task instances that emit the same asset."""


with DAG("make", schedule="0 0 * * *", **ONCE):
    load.override(outlets=[MADE])()
    load.override(task_id="spare", outlets=[SPARE])()
    name_it()

with DAG("again", schedule="0 12 * * *", **ONCE):
    load.override(outlets=[MADE])()

with DAG("other", schedule="0 0 * * *", **ONCE):
    load.override(outlets=[OTHER])()

with DAG("many", schedule="0 0 * * *", **ONCE):
    each.expand(number=[1, 2, 3])

with DAG("plain", schedule=[MADE], start_date=START):
    load.override(outlets=[PLAIN])()

for dag_id, schedule in {
    "second": PLAIN,
    "spare_reader": SPARE,
    "aliased": ALIAS,
    "both": MADE & OTHER,
    "either": MADE | OTHER,
    "many_reader": MANY,
}.items():
    with DAG(dag_id, schedule=schedule if dag_id in ("both", "either") else [schedule], start_date=START):
        load()

if hasattr(sdk, "PartitionedAssetTimetable"):
    with DAG("parts", schedule=sdk.CronPartitionTimetable("0 0 * * *", timezone="UTC"), **ONCE):
        load.override(task_id="cut", outlets=[PARTS])()

    with DAG("part_reader", schedule=sdk.PartitionedAssetTimetable(assets=PARTS), start_date=START):
        load()
