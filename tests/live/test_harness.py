"""The live Airflow does what the tests on it rely on."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from tests.live.harness import COMPONENTS, LiveAirflow, StartAirflow, wait_until

pytestmark = pytest.mark.live

DAGS = Path(__file__).parent / "dags"


@pytest.fixture(scope="module")
def airflow(start_airflow: StartAirflow) -> LiveAirflow:
    airflow = start_airflow(dags=[DAGS])
    airflow.wait_for_dags("count", "add")
    return airflow


def test_the_scheduler_makes_a_history(airflow: LiveAirflow) -> None:
    history = airflow.login().make_history({"count": 3, "add": 1})
    assert {run["run_type"] for run in history["count"]} == {"scheduled"}
    assert {run["state"] for run in history["count"] + history["add"]} == {"success"}


def test_a_person_triggers_clears_and_marks(airflow: LiveAirflow) -> None:
    client = airflow.login("op")
    run_id = client.trigger("count")["dag_run_id"]
    assert client.wait_for_run("count", run_id)["state"] == "success"
    client.clear("count", run_id)
    client.wait_for_run("count", run_id, ["queued", "running"])
    client.wait_for_run("count", run_id, ["success"])
    assert [task["try_number"] for task in client.task_instances("count", run_id)] == [2]
    client.set_run_state("count", run_id, "failed")
    assert client.dag_run("count", run_id)["state"] == "failed"


def test_a_viewer_may_not(airflow: LiveAirflow) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        airflow.login("viewer").trigger("count")


def test_the_database_can_be_asked(airflow: LiveAirflow) -> None:
    with airflow.db().connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM dag WHERE dag_id IN ('count', 'add')")) == 2


def test_a_killed_scheduler_is_gone_until_it_is_started(airflow: LiveAirflow) -> None:
    client = airflow.login()
    airflow.kill9("scheduler")
    assert not airflow.running("scheduler")
    run_id = client.trigger("add")["dag_run_id"]
    assert client.dag_run("add", run_id)["state"] == "queued"
    airflow.start("scheduler")
    assert client.wait_for_run("add", run_id)["state"] == "success"


def test_a_new_dag_file_is_found(airflow: LiveAirflow) -> None:
    empty = "from airflow.sdk import DAG\nempty = DAG(dag_id='empty', schedule=None)\n"
    airflow.write_dag("empty.py", empty)
    airflow.wait_for_dags("empty")


def test_everything_ends_with_it(airflow: LiveAirflow) -> None:
    processes = airflow.processes()
    assert len(processes) >= len(COMPONENTS)
    airflow.stop()
    wait_until(lambda: not any(process.is_running() for process in processes), 5, "all processes to end")
