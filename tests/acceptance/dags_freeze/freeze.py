"""Runs that are not ready, and runs that are running, downstream of ``wrong``, whose task waits while a test wants it.

wrong ── asset ─┬─ minutely, latest_only, one_at_a_time   cron Dags of which a task reads the asset (inlets)
                ├─ quick, quick_too, quick_three          the same, every few seconds
                ├─ drifting                               the same, by an interval: its dates are not fixed
                └─ stubborn                               started by the asset; ignores SIGTERM
"""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, Asset, task

FOLDER = Path(os.environ["FREEZE_FOLDER"])
BEGIN = datetime.fromisoformat(os.environ["FREEZE_BEGIN"])
YESTERDAY = datetime.fromisoformat(os.environ["STORY_DAY"]) - timedelta(days=1)
CATCHUP = os.environ.get("QUICK_CATCHUP") == "yes"
WRONG = Asset("freeze://wrong")


@task(outlets=[WRONG])
def make() -> None:
    """Fail or wait as the test's files say."""
    while (FOLDER / "wait").exists():
        time.sleep(0.1)
    if (FOLDER / "fail").exists():
        raise ValueError("as arranged")


@task(inlets=[WRONG])
def read() -> None:
    """Read what was made."""


@task
def stubborn(ti: object = None) -> None:
    """Write down when this process lives, and don't end before the test wants it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    name = FOLDER / f"stubborn-{os.getpid()}-{time.time()}"
    while True:
        with name.open("a") as file:
            file.write(f"{time.time()}\n")
        if not (FOLDER / "stubborn").exists():
            return
        time.sleep(0.1)


# Airflow itself fails the tasks that need an api-server while there is none.
RETRIES = {"retries": int(os.environ.get("TASK_RETRIES", "0")), "retry_delay": timedelta(seconds=1)}
ONCE = {"start_date": YESTERDAY, "end_date": YESTERDAY + timedelta(hours=12), "catchup": True}

with DAG("wrong", schedule="0 0 * * *", default_args=RETRIES, **ONCE):
    make()

CRON = {"schedule": "* * * * *", "start_date": BEGIN, "default_args": {"retries": 0}}

with DAG("minutely", catchup=True, **CRON):
    read()

with DAG("latest_only", catchup=False, **CRON):
    read()

with DAG("one_at_a_time", catchup=True, max_active_runs=1, **CRON):
    read()

# By the clock, so that the dates stay as they are foreseen: without catchup those of an interval begin anew when the
# Dag is parsed between the time that a run is due and the scheduler's turn.
QUICK = {"schedule": "* * * * * */15", "start_date": BEGIN, "catchup": CATCHUP, "max_active_runs": 30}

for name in ("quick", "quick_too", "quick_three"):
    with DAG(name, default_args=RETRIES, **QUICK):
        read()

with DAG("drifting", schedule=timedelta(seconds=15), start_date=BEGIN, catchup=False):
    read()

with DAG("stubborn", schedule=[WRONG], start_date=YESTERDAY, default_args={"retries": 2, "retry_delay": timedelta(0)}):
    stubborn()
