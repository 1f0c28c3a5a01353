"""What Dag authors have, in real Dags: a task has one rerun, whatever happens to its tries.

What else may happen to them is in `tests/thorough/test_dag_authors.py`.
"""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.acceptance.authors import AWAY, House, shut
from tests.live.harness import Json, StartAirflow, wait_until

__all__ = ["shut"]

pytestmark = pytest.mark.acceptance

EXAMPLE = ("example_rerun_orders", "example_rerun_report", "example_rerun_check")
PROPOSAL = ("example_rerun_quality", "example_rerun_prices")
DAGS = ("sync", "deferred", "forbidden", "late", *EXAMPLE)


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


def test_the_example_of_a_failed_check_proposes_what_somebody_approves(airflow: House) -> None:
    quality, prices = PROPOSAL
    airflow.airflow.wait_for_dags(*PROPOSAL)
    for dag_id in PROPOSAL:  # the reader first: an event that comes while it is paused starts no run
        airflow.admin.unpause(dag_id)

    def proposed() -> list[Json]:
        return list(airflow.call("GET", "/reruns", params={"dag_id": prices})["reruns"])

    (proposal,) = wait_until(proposed, 120, "the proposal", ignore=AWAY)
    (source,), (read,) = airflow.admin.dag_runs(prices), airflow.admin.dag_runs(quality)
    assert (proposal["state"], proposal["reason"]) == ("proposed", "The price is below 0")
    assert proposal["source"] == {"dag_id": prices, "run_id": source["dag_run_id"]}
    assert (proposal["counts"]["pending"], read["state"]) == (2, "failed")
    assert airflow.task(quality, read["dag_run_id"])["try_number"] == 2, "a retry has failed, too"
    assert airflow.task(prices, source["dag_run_id"])["try_number"] == 1, "nothing has run again"
    airflow.admin.call("POST", "/api/v2/variables", json={"key": "example_rerun_price", "value": "3.5"})
    airflow.call("POST", f"/reruns/{proposal['id']}/approve")
    wait_until(lambda: airflow.state(proposal["id"]) == "succeeded", 150, "the check to be right", ignore=AWAY)
    assert airflow.admin.dag_run(quality, read["dag_run_id"])["state"] == "success"
    assert [one["id"] for one in proposed()] == [proposal["id"]]


def test_a_deadline_that_is_missed_proposes(shut: House) -> None:
    source = str(shut.admin.dag_runs("reader")[0]["dag_run_id"])
    shut.shut()
    shut.start("late", source)
    (rerun,) = wait_until(lambda: shut.reruns(source, "reader"), 90, "the proposal", ignore=AWAY)
    assert shut.state(rerun) == "proposed"
