"""The idempotency key of a task, or of a failure: the same for each try, another one after a person has cleared it.

Airflow's own retries leave ``max_tries`` as it is, and the run's start, too; clearing a task that has ended moves
``max_tries``, and clearing one of a run that has ended gives the run another start, as a new run under an old id has.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from hashlib import sha256
from json import dumps
from typing import Any

ENDED = frozenset({"success", "failed"})
"""The states of a run that has ended."""


def key_of(context: Mapping[str, Any], *purpose: str) -> str:
    """The key for one purpose of the task instance that a context is about."""
    instance = context["ti"]
    place = (instance.dag_id, instance.run_id, instance.task_id, instance.map_index)
    return digest(*purpose, *place, instance.max_tries, start(context["dag_run"]))


def key_of_failure(context: Mapping[str, Any], *purpose: str) -> str:
    """The key for what is done about a failure: a missed deadline, a failed run, or a failed task.

    All tries of a task and all indexes of a mapped one have the same.
    """
    if deadline := context.get("deadline"):
        return digest("deadline", *purpose, str(deadline["id"]))
    began = start(context.get("dag_run"))
    if "ti" not in context or run_has_failed(context):
        return digest("run", *purpose, *own_run(context), began)
    instance = context["ti"]
    max_tries = getattr(instance, "max_tries", None)
    return digest("task", *purpose, instance.dag_id, instance.run_id, instance.task_id, max_tries, began)


def run_has_failed(context: Mapping[str, Any]) -> bool:
    """Whether it is the run that has failed, though a task instance is named: to a Dag's callback, one of the run's.

    Only then does Airflow give a reason and a run that has ended. Notifiers that were called before leave a reason of
    their own in a task's context; the run of a task that fails is still running.
    """
    return "reason" in context and getattr(context.get("dag_run"), "state", None) in ENDED


def own_run(context: Mapping[str, Any]) -> tuple[str, str]:
    """The Dag and the run that a callback's context is about."""
    run = context.get("dag_run")
    if isinstance(run, Mapping):  # of a missed deadline there is what the REST API answers
        return str(run["dag_id"]), str(run["dag_run_id"])
    if run is not None:
        return str(run.dag_id), str(run.run_id)
    return str(context["dag"].dag_id), str(context["run_id"])


def start(run: Any) -> str | None:
    """When a run began, in UTC."""
    found = getattr(run, "start_date", None)
    return found.astimezone(timezone.utc).isoformat() if isinstance(found, datetime) else None


def digest(*parts: object) -> str:
    """A key that any header can carry."""
    return f"airflow-{sha256(dumps(parts).encode()).hexdigest()}"
