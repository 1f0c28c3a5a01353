"""A source, and a Dag that reads from it with a task that takes long to be stopped: it doesn't listen to SIGTERM."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, Asset, task

YESTERDAY = datetime.fromisoformat(os.environ["STORY_DAY"]) - timedelta(days=1)
MADE = Asset("clocks://made")


@task
def make() -> None:
    """Nothing takes long here."""


@task
def hold() -> None:
    """Say when this process begins and ends, in lines that no other process's run into."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    lines = Path(os.environ["CLOCKS_LINES"])
    seconds = float(os.environ.get("CLOCKS_SECONDS", "12"))
    until = time.monotonic() + seconds
    while True:
        with lines.open("a") as file:
            file.write(f"{os.getpid()} {time.time():.3f}\n")
        if time.monotonic() >= until:
            return
        time.sleep(0.2)


with DAG("source", schedule="0 0 * * *", start_date=YESTERDAY, end_date=YESTERDAY + timedelta(hours=12), catchup=True):
    make.override(outlets=[MADE])()

with DAG("slow", schedule=[MADE], start_date=YESTERDAY):
    hold()
