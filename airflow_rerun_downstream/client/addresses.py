"""Where people find in a browser what the API tells of."""

from __future__ import annotations

RECORDS = "/rerun-downstream/ui/records"


def record_url(base_url: str, rerun_id: int) -> str:
    """The page of a rerun's record, in the Airflow at that address."""
    return f"{base_url.rstrip('/')}{RECORDS}/{rerun_id}"
