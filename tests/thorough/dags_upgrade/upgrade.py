"""A chain over assets, a Dag that time starts and one that assets start; what waits does so while a file is there.

wrong ── asset ─┬─ first ── asset ── second ── asset ── third      each with a mapped task and one that adds it up
                ├─ timed                                           every minute; a task reads the asset (inlets)
                └─ side, an asset of its own ── waiting            with another asset, of which a test makes the events
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, Asset, task

FOLDER = Path(os.environ["FREEZE_FOLDER"])
BEGIN = datetime.fromisoformat(os.environ["FREEZE_BEGIN"])
YESTERDAY = datetime.fromisoformat(os.environ["STORY_DAY"]) - timedelta(days=1)
NUMBERS = [1, 2, 3]
# A scheduler that is stopped takes along what it runs, and Airflow itself fails what needs an api-server meanwhile.
RETRIES = {"retries": 20, "retry_delay": timedelta(seconds=1)}

WRONG, SIDE, OTHER = Asset("upgrade://wrong"), Asset("upgrade://side"), Asset("upgrade://other")
FIRST, SECOND = Asset("upgrade://first"), Asset("upgrade://second")


@task
def make() -> None:
    """Wait as the test's files say."""
    while (FOLDER / "wait").exists():
        time.sleep(0.1)


@task
def double(number: int) -> int:
    """One index of a mapped task."""
    return 2 * number


@task
def add(numbers: list[int], dag: object = None) -> int:
    """Read the results of all indexes, and wait as the test's files say."""
    numbers = list(numbers)
    if sorted(numbers) != [2 * number for number in NUMBERS]:
        raise ValueError(f"other results than those of {NUMBERS}: {numbers}")
    while (FOLDER / dag.dag_id).exists():  # type: ignore[attr-defined]
        time.sleep(0.1)
    return sum(numbers)


@task
def read() -> None:
    """Read what was made."""


with DAG(
    "wrong",
    schedule="0 0 * * *",
    start_date=YESTERDAY,
    end_date=YESTERDAY + timedelta(hours=12),
    catchup=True,
    default_args=RETRIES,
):
    make.override(outlets=[WRONG, SIDE])()

for name, upstream, made in (("first", WRONG, [FIRST]), ("second", FIRST, [SECOND]), ("third", SECOND, [])):
    with DAG(name, schedule=[upstream], start_date=YESTERDAY, default_args=RETRIES):
        add.override(outlets=made)(double.expand(number=NUMBERS))

with DAG("timed", schedule="* * * * *", start_date=BEGIN, catchup=True, default_args=RETRIES):
    read.override(inlets=[WRONG])()

with DAG(
    "waiting",
    schedule=[SIDE, OTHER],
    start_date=YESTERDAY,
    default_args=RETRIES,
    is_paused_upon_creation=False,
):
    read()
