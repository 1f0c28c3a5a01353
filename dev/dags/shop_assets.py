"""The assets that join the shop's Dags, and how a consumer learns which days have changed.

A run that was started by assets has no date of its own. So each producer writes the days that it has
written into its asset's event, and a consumer works on the days of the events that started it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Asset

ORDERS = Asset("shop_orders")
CLEAN_ORDERS = Asset("shop_clean_orders")
REVENUE = Asset("shop_revenue")
CUSTOMERS = Asset("shop_customers")


def days_of(triggering_asset_events: Mapping[Any, Any]) -> list[str]:
    """Give the days that the events of a run speak of, each once."""
    events = [event for of_asset in triggering_asset_events.values() for event in of_asset]
    return sorted({day for event in events for day in event.extra["days"]})
