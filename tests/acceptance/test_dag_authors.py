"""What Dag authors have, in real Dags: a task has one rerun, whatever happens to its tries.

What else may happen to them is in `tests/thorough/test_dag_authors.py`.
"""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.acceptance.authors import AWAY, House, shut
from tests.live.harness import StartAirflow, wait_until

__all__ = ["shut"]

pytestmark = pytest.mark.acceptance

EXAMPLE = ("example_rerun_orders", "example_rerun_report", "example_rerun_check")
DAGS = ("sync", "deferred", "forbidden", *EXAMPLE)


@pytest.fixture(scope="module")
def airflow(start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory) -> House:
    return House.started(start_airflow, tmp_path_factory.mktemp("house"), sources=3, dags=DAGS)


def test_a_killed_worker_with_a_retry_and_a_deferred_task_have_one_rerun_each(shut: House) -> None:
    wanted = {"sync": "running", "deferred": "deferred"}
    sources = {dag_id: shut.new_source() for dag_id in wanted}
    shut.shut()
    runs = {dag_id: shut.start(dag_id, source) for dag_id, source in sources.items()}
    reruns = {dag_id: shut.waiting(dag_id, runs[dag_id], state) for dag_id, state in wanted.items()}
    pid = int(shut.task("sync", runs["sync"])["pid"])
    assert pid in {process.pid for process in psutil.Process().children(recursive=True)}
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: shut.task("sync", runs["sync"])["try_number"] == 2, 90, "the second try", ignore=AWAY)
    shut.open()
    tasks = {dag_id: shut.repaired(dag_id, runs[dag_id], sources[dag_id], reruns[dag_id]) for dag_id in wanted}
    assert {dag_id: task["try_number"] for dag_id, task in tasks.items()} == {"sync": 2, "deferred": 1}


def test_who_may_not_fails_the_task_with_the_sentence(airflow: House) -> None:
    source = airflow.sources[-1]["dag_run_id"]
    run = airflow.start("forbidden", source)
    task = airflow.ended("forbidden", run, "failed")
    assert (task["try_number"], airflow.reruns(source)) == (1, [])
    assert "forbidden_dags" in airflow.log("forbidden", run)


def test_the_example_of_a_check_repairs_what_it_has_found(airflow: House) -> None:
    orders, report, check = EXAMPLE

    def read() -> str | None:
        runs = [run for dag_id in (orders, report) for run in airflow.admin.dag_runs(dag_id)]
        ended = [run for run in runs if run["state"] == "success"]
        return str(runs[0]["dag_run_id"]) if len(runs) == len(ended) == 2 else None

    source = wait_until(read, 90, "the wrong report", ignore=AWAY)
    run = airflow.start(check, source)
    wait_until(lambda: airflow.admin.dag_run(check, run)["state"] == "success", 120, "the repair", ignore=AWAY)
    assert airflow.xcom(check, run, "return_value", "is_right") == 42
    assert len(airflow.reruns(source, orders)) == 1
