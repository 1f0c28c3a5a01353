"""A quality check that proposes: nothing is rerun before somebody has looked at the plan and approved it.

``example_rerun_prices`` fetches a day's price and tells by an asset that it is there; ``example_rerun_quality`` looks
at it. Where it can't be right, that run fails, and the notifier proposes to rerun the fetch and whatever has read it:
this check, too. Put a price above 0 into the Variable ``example_rerun_price`` and approve the proposal.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import DAG, Asset, Variable, task

from airflow_rerun_downstream.operators import ProposeRerunNotifier

PRICES = Asset("example_rerun_prices")

WRONG = "triggering_asset_events.values() | first | selectattr('extra.price', 'lt', 0)"
"""The events that tell of a wrong price, in a template."""

with DAG(
    "example_rerun_prices",
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    tags=["example", "rerun"],
) as prices:

    @task(outlets=[PRICES])
    def fetch(outlet_events: Any) -> None:
        """Fetch the day's price; without the Variable, a wrong one."""
        outlet_events[PRICES].extra = {"price": float(Variable.get("example_rerun_price", default=-1))}

    fetch()

with DAG(
    "example_rerun_quality",
    schedule=PRICES,
    on_failure_callback=ProposeRerunNotifier(
        source_dag_id="example_rerun_prices",
        source_run_id=f"{{{{ ({WRONG} | first).source_run_id }}}}",
        reason="The price is below 0",
    ),
    tags=["example", "rerun"],
) as quality:

    @task(retries=1, retry_delay=timedelta(seconds=5))
    def check(triggering_asset_events: Any) -> None:
        """Look at the prices that have come."""
        found = [event.extra["price"] for events in triggering_asset_events.values() for event in events]
        if any(price < 0 for price in found):
            raise ValueError(f"The prices are {found}")

    check()
