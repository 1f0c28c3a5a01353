"""What an answer means: JSON of the contract, a refusal, or something else."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from airflow_rerun_downstream.client.exceptions import ConnectionProblem, RefusedError


def understood(answer: httpx.Response) -> Any:
    """The answer's JSON. Raises `RefusedError` for a refusal, `ConnectionProblem` for what isn't of this API."""
    again = retry_after(answer)
    try:
        found = answer.json()
    except ValueError:
        raise ConnectionProblem(
            f"{answer.url} answered {answer.status_code} without JSON: is the plugin installed there?",
            status=answer.status_code,
            retry_after=again,
        ) from None
    if answer.is_success:
        return found
    if not isinstance(found, dict):
        found = {"detail": str(found)}
    extra = {name: value for name, value in found.items() if name not in ("reason", "detail")}
    reason = str(found.get("reason", "refused"))
    raise RefusedError(answer.status_code, reason, str(found.get("detail", reason)), extra, retry_after=again)


def retry_after(answer: httpx.Response) -> float | None:
    """In how many seconds the server says to try again; None: it doesn't, or not so that it can be read."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except (ValueError, IndexError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max((moment - datetime.now(timezone.utc)).total_seconds(), 0.0)
