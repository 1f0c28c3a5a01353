"""The operator's work as a function, for tasks that are functions."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import get_current_context

from airflow_rerun_downstream.operators.following import PATIENCE, POLL_INTERVAL, Result, judged, result, wait
from airflow_rerun_downstream.operators.hook import RerunDownstreamHook
from airflow_rerun_downstream.operators.keys import key_of
from airflow_rerun_downstream.operators.submitting import Submission
from airflow_rerun_downstream.operators.task_errors import AirflowFailException, as_task_errors
from airflow_rerun_downstream.operators.what import What
from airflow_rerun_downstream.rest.record_payloads import Rerun

log = logging.getLogger("airflow.task")


def rerun_downstream(
    *,
    key: str = "",
    rerun_downstream_conn_id: str = RerunDownstreamHook.default_conn_name,
    wait_for_completion: bool = True,
    poll_interval: float = POLL_INTERVAL,
    patience: float = PATIENCE,
    **what: Any,
) -> Result:
    """Rerun a Dag run and what is downstream of it from within a task; wait, and answer what the operator returns.

    ``what``: the operator's parameters that say what is rerun, such as ``source_dag_id`` and ``source_run_id``. A retry
    of the task goes on with the rerun of the try before, source by source; a task that reruns one source twice gives
    each call a ``key``. When the task is killed, the rerun goes on.
    """
    try:
        wanted = What(**what)
    except ValueError as error:
        raise AirflowFailException(str(error)) from error
    hook = RerunDownstreamHook(rerun_downstream_conn_id)
    with as_task_errors(), hook.get_conn() as client:
        own_key = key_of(get_current_context(), "function", key, wanted.source)

        def waited(rerun: Rerun) -> Rerun:
            options: dict[str, Any] = {"interval": poll_interval, "patience": patience}
            return wait(client, rerun.id, stop=lambda: False, log=log, **options)

        rerun = Submission(hook.server, wanted, own_key, log).made(client, waited)
        return judged(client, waited(rerun), hook.server) if wait_for_completion else result(rerun, hook.server)
