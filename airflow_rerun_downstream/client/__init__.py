"""A Python client of the REST API, for scripts, notebooks and event loops.

::

    from airflow_rerun_downstream.client import RerunDownstreamClient

    with RerunDownstreamClient("https://airflow.example.com", token="…") as client:
        source = {"dag_id": "orders", "run_id": "scheduled__2026-01-01T00:00:00+00:00"}
        plan = client.plan({"source": source})
        rerun = client.submit({"source": source, "plan_token": plan.plan_token})
        client.wait(rerun.id)

`AsyncRerunDownstreamClient` is the same with ``await``. What is sent and answered stands in `client.contract`.
"""

from airflow_rerun_downstream.client.async_client import AsyncRerunDownstreamClient
from airflow_rerun_downstream.client.client import RerunDownstreamClient
from airflow_rerun_downstream.client.exceptions import (
    ClientError,
    ConnectionProblem,
    NotConfigured,
    RefusedError,
    StillRunning,
)

__all__ = [
    "AsyncRerunDownstreamClient",
    "ClientError",
    "ConnectionProblem",
    "NotConfigured",
    "RefusedError",
    "RerunDownstreamClient",
    "StillRunning",
]
