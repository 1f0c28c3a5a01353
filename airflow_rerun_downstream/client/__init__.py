"""A Python client of the REST API.

::

    from airflow_rerun_downstream.client import RerunDownstreamClient

    with RerunDownstreamClient("https://airflow.example.com", token="…") as client:
        source = {"dag_id": "orders", "run_id": "scheduled__2026-01-01T00:00:00+00:00"}
        plan = client.plan({"source": source})
        rerun = client.submit({"source": source, "plan_token": plan.plan_token})
        client.wait(rerun.id)
"""

from airflow_rerun_downstream.client.client import RerunDownstreamClient
from airflow_rerun_downstream.client.exceptions import ClientError, ConnectionProblem, RefusedError, StillRunning

__all__ = ["ClientError", "ConnectionProblem", "RefusedError", "RerunDownstreamClient", "StillRunning"]
