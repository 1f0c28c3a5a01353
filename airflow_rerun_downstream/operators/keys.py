"""The idempotency key of a task: the same for each of its tries, another one after a person has cleared it.

Airflow's own retries leave ``max_tries`` as it is, and the run's start, too; clearing a task that has ended moves
``max_tries``, and clearing one of a run that has ended gives the run another start, as a new run under an old id has.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from hashlib import sha256
from json import dumps
from typing import Any


def key_of(context: Mapping[str, Any], *purpose: str) -> str:
    """The key for one purpose of the task instance that a context is about."""
    instance = context["ti"]
    started = getattr(context["dag_run"], "start_date", None)
    parts = (
        *(instance.dag_id, instance.run_id, instance.task_id, instance.map_index, instance.max_tries),
        started.astimezone(timezone.utc).isoformat() if isinstance(started, datetime) else None,
    )
    return digest(*purpose, *parts)


def digest(*parts: object) -> str:
    """A key that any header can carry."""
    return f"airflow-{sha256(dumps(parts).encode()).hexdigest()}"
