"""The metadata database's clock, one for the process."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cache

from airflow_rerun_downstream.store.moments import DatabaseClock


@cache
def clock() -> DatabaseClock:
    """The metadata database's time. It is read whenever the tables are looked at, and with the lease."""
    return DatabaseClock()


def utc_now() -> datetime:
    """The machine's time, for whoever was given no clock."""
    return datetime.now(timezone.utc)
