"""How what went wrong ends a task: a failure that a retry may mend, one that it can't, or a skip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_rerun_downstream.client import ClientError, RefusedError
from airflow_rerun_downstream.client.retries import unavailable

if TYPE_CHECKING:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
else:
    try:
        from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
    except ImportError:  # Airflow 3.1
        from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException

__all__ = ["AirflowException", "AirflowFailException", "AirflowSkipException", "as_task_errors"]

NOT_NOW = frozenset({409, 500})
"""The statuses of refusals that may pass, besides those of a server that is away or busy."""

NOTHING = "empty_selection"


@contextmanager
def as_task_errors() -> Iterator[None]:
    """Raise what ends the task, with the server's sentence, in place of the client's errors."""
    try:
        yield
    except RefusedError as refusal:
        if refusal.reason == NOTHING:
            raise AirflowSkipException(f"Nothing to rerun: {refusal.detail}") from refusal
        passes = refusal.status in NOT_NOW or unavailable(refusal)
        raise (AirflowException if passes else AirflowFailException)(str(refusal)) from refusal
    except ClientError as error:
        raise AirflowException(str(error)) from error
