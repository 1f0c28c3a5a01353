"""A chain of Dags that takes every way by which Airflow meets us: parsed, made by time, by an asset, waited for."""

from __future__ import annotations

from typing import Any

from tests.live.harness import LiveAirflow, wait_until

SOURCE = '''"""Chain {name}: a run that time starts, a sensor in it, and a consumer of its asset."""

from datetime import datetime, timezone

from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import DAG, Asset, task

MADE = Asset("harm://{name}")
COMMON = {{"start_date": datetime(2026, 1, 1, tzinfo=timezone.utc), "is_paused_upon_creation": False}}


@task
def work() -> None:
    """Succeed."""


with DAG("timed_{name}", schedule="@daily", catchup=False, **COMMON):
    made = work.override(task_id="make", outlets=[MADE])()
    ExternalTaskSensor(
        task_id="wait", external_dag_id="timed_{name}", external_task_id="make", poke_interval=1, timeout=120
    )

with DAG("consumer_{name}", schedule=[MADE], **COMMON):
    work()
'''


def run(airflow: LiveAirflow, name: str, *, timeout: float = 150) -> dict[str, Any]:
    """Write a new chain of Dags and wait for its end; answer what each task came to."""
    airflow.write_dag(f"{name}.py", SOURCE.format(name=name))
    client = airflow.login("admin")
    ended: dict[str, Any] = {}

    def over() -> bool:
        assert client.import_errors() == []
        if not {f"timed_{name}", f"consumer_{name}"} <= {dag["dag_id"] for dag in client.dags()}:
            return False
        for dag_id in (f"timed_{name}", f"consumer_{name}"):
            runs = client.dag_runs(dag_id)
            if not runs or runs[0]["state"] not in ("success", "failed"):
                return False
            tasks = client.task_instances(dag_id, runs[0]["dag_run_id"])
            ended.update({f"{dag_id}.{each['task_id']}": each["state"] for each in tasks})
        return True

    wait_until(over, timeout, f"the Dags of {name}")
    return ended


def right(name: str) -> dict[str, str]:
    """What a chain comes to where nothing is harmed."""
    return dict.fromkeys((f"timed_{name}.make", f"timed_{name}.wait", f"consumer_{name}.work"), "success")
