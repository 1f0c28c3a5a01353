"""A quality check that repairs: it finds a wrong day, corrects the source, and reruns what has read it.

``example_rerun_orders`` loads a day's orders and tells by an asset that they are there, ``example_rerun_report`` adds
them up. Start ``example_rerun_check`` with the id of a run of the orders: it corrects the feed, reruns the load and the
report that has read it, in order, and looks again.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from airflow.sdk import DAG, Asset, Variable, task

from airflow_rerun_downstream.operators import RerunDownstreamOperator

ORDERS = Asset("example_rerun_orders")


def folder() -> Path:
    """Where the example keeps its tables; the Variable ``example_rerun_folder`` says where, if not among the temporary
    files."""
    path = Path(Variable.get("example_rerun_folder", default=str(Path(gettempdir(), "example_rerun_downstream"))))
    path.mkdir(parents=True, exist_ok=True)
    return path


def table(name: str) -> dict[str, Any]:
    """A table: one value for each day."""
    path = folder() / f"{name}.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def write(name: str, day: str, value: object) -> None:
    """Put a day's value into a table."""
    path = folder() / f"{name}.json"
    path.write_text(json.dumps({**table(name), day: value}))


def day_of(run_id: str) -> str:
    """The day of a scheduled run: ``2026-01-01`` of ``scheduled__2026-01-01T01:00:00+00:00``."""
    return run_id.partition("__")[2][:10]


with DAG(
    "example_rerun_orders",
    schedule="0 1 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    tags=["example", "rerun"],
) as orders:

    @task(outlets=[ORDERS])
    def load(run_id: str, outlet_events: Any) -> None:
        """Load what the feed has for the day; without a feed, a wrong amount."""
        day = day_of(run_id)
        write("orders", day, table("feed").get(day, -1))
        outlet_events[ORDERS].extra = {"day": day}

    load()

with DAG("example_rerun_report", schedule=ORDERS, tags=["example", "rerun"]) as report:

    @task
    def add_up(triggering_asset_events: Any) -> None:
        """Report the days that have come."""
        for events in triggering_asset_events.values():
            for event in events:
                day = event.extra["day"]
                write("report", day, 2 * table("orders")[day])

    add_up()

with DAG("example_rerun_check", schedule=None, params={"run_id": ""}, tags=["example", "rerun"]) as check:

    @task.short_circuit
    def is_wrong(params: dict[str, Any]) -> bool:
        """Whether the day's orders can't be right."""
        return bool(table("orders")[day_of(params["run_id"])] < 0)

    @task
    def correct_the_feed(params: dict[str, Any]) -> None:
        """Repair the source."""
        write("feed", day_of(params["run_id"]), 21)

    repair = RerunDownstreamOperator(
        task_id="rerun_what_has_read_it",
        source_dag_id="example_rerun_orders",
        source_run_id="{{ params.run_id }}",
        reason="The orders were wrong",
        retries=2,
    )

    @task
    def is_right(params: dict[str, Any]) -> int:
        """The report of the day, which must be right now."""
        day = day_of(params["run_id"])
        found = int(table("report")[day])
        if found != 2 * table("feed")[day]:
            raise ValueError(f"The report of {day} is {found}")
        return found

    is_wrong() >> correct_the_feed() >> repair >> is_right()
