"""The rest of what may happen to the tasks of Dag authors; see `tests/acceptance/test_dag_authors.py`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import psutil
import pytest

from tests.acceptance.authors import AWAY, TOKEN_LASTS, House, shut
from tests.live.harness import StartAirflow, wait_until

__all__ = ["shut"]

DAGS = ("sync", "deferred", "terminates", "terminates_deferred", "leaves", "by_date", "waits")
EXAMPLE = ("example_rerun_orders", "example_rerun_report", "example_rerun_nightly")
SOURCES = 8
ENDING = ("terminating", "terminated")
MINUTE = 60

SOON = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
}
"""How the scheduler misses a task's heartbeat in seconds, not in minutes."""


@pytest.fixture(scope="module")
def airflow(start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory) -> House:
    return House.started(start_airflow, tmp_path_factory.mktemp("house"), sources=SOURCES, dags=DAGS)


def test_airflow_shows_what_there_is(airflow: House) -> None:
    shown = {
        "hooks": "rerun_downstream",
        "triggers": "airflow_rerun_downstream.operators.ended_trigger",
        "links": "RerunLink",
        "notifications": "ProposeRerunNotifier",
    }
    for what, name in shown.items():
        assert name in airflow.airflow.airflow("providers", what, "--output", "plain"), what


def test_what_becomes_of_the_rerun_when_the_task_is_marked_failed(shut: House) -> None:
    wanted = {"terminates": "running", "leaves": "running", "terminates_deferred": "deferred"}
    sources = {dag_id: shut.new_source() for dag_id in wanted}
    shut.shut()
    runs = {dag_id: shut.start(dag_id, source) for dag_id, source in sources.items()}
    reruns = {dag_id: shut.waiting(dag_id, runs[dag_id], state) for dag_id, state in wanted.items()}
    wait_until(lambda: triggered(shut, "terminates_deferred"), 30, "the triggerer to wait for the rerun")
    for dag_id, run in runs.items():
        shut.admin.set_task_state(dag_id, run, "repair", "failed")
    for dag_id in ("terminates", "terminates_deferred"):
        rerun = reruns[dag_id]
        wait_until(lambda rerun=rerun: shut.state(rerun) in ENDING, 60, f"the end of {dag_id}", ignore=AWAY)
    assert shut.state(reruns["leaves"]) == "running"
    shut.open()
    wait_until(lambda: shut.state(reruns["leaves"]) == "succeeded", 60, "the other to go on", ignore=AWAY)


def triggered(house: House, dag_id: str) -> list[Path]:
    """What triggers of a Dag have logged: nobody tells of the end of a task whose trigger hasn't begun."""
    return list((house.airflow.home / "logs" / f"dag_id={dag_id}").rglob("*.trigger.*"))


def test_a_cleared_task_starts_another_rerun(shut: House) -> None:
    source = shut.new_source()
    run = shut.start("sync", source)
    shut.ended("sync", run, "success")
    shut.admin.clear("sync", run)
    wait_until(lambda: len(shut.reruns(source)) == 2, 60, "another rerun", ignore=AWAY)
    shut.ended("sync", run, "success")
    assert shut.xcom("sync", run, "rerun_id") == max(shut.reruns(source))


def test_a_source_by_its_date_a_pattern_and_a_sensor(airflow: House) -> None:
    source, date = airflow.sources[-1]["dag_run_id"], airflow.sources.pop()["logical_date"]
    run = airflow.start("by_date", "", date=date)
    airflow.ended("by_date", run, "success")
    (rerun,) = airflow.reruns(source)
    waits = airflow.start("waits", "", rerun_id=rerun)
    airflow.ended("waits", waits, "success")
    assert airflow.xcom("waits", waits, "return_value", "wait")["rerun_id"] == rerun


def test_the_nightly_example_repairs_what_has_failed(airflow: House) -> None:
    orders, report, nightly = EXAMPLE
    airflow.tables.mkdir(exist_ok=True)
    feed = airflow.tables / "feed.json"
    feed.write_text("not what was agreed")
    airflow.airflow.wait_for_dags(*EXAMPLE)
    airflow.admin.unpause(orders, report)
    failed = airflow.admin.wait_for_runs(orders, 1, ["failed"])
    source = failed[0]["dag_run_id"]
    day = source.partition("__")[2][:10]
    feed.write_text(json.dumps({day: 21}))
    airflow.admin.unpause(nightly)
    (night,) = airflow.admin.wait_for_runs(nightly, 1, ["success"])
    assert night["run_type"] == "scheduled"
    rerun = airflow.xcom(nightly, night["dag_run_id"], "return_value", map_index=0)
    assert ([rerun], airflow.state(rerun)) == (airflow.reruns(source, orders), "succeeded")
    assert airflow.admin.dag_run(orders, source)["state"] == "success"
    airflow.admin.wait_for_runs(report, 1, ["success"])
    assert json.loads((airflow.tables / "report.json").read_text()) == {day: 42}


def test_an_api_server_that_is_away_for_a_minute_and_a_token_that_has_expired(shut: House) -> None:
    wanted = {"sync": "running", "deferred": "deferred"}
    sources = {dag_id: shut.new_source() for dag_id in wanted}
    shut.shut()
    runs = {dag_id: shut.start(dag_id, source) for dag_id, source in sources.items()}
    reruns = {dag_id: shut.waiting(dag_id, runs[dag_id], state) for dag_id, state in wanted.items()}
    shut.airflow.stop("api-server")
    gone = time.monotonic()
    assert MINUTE > TOKEN_LASTS
    wait_until(lambda: time.monotonic() - gone > MINUTE, 2 * MINUTE, "the tasks to have met nobody")
    shut.airflow.start("api-server")
    shut.open()
    for dag_id, run in runs.items():
        shut.repaired(dag_id, run, sources[dag_id], reruns[dag_id])


def test_a_supervisor_that_is_killed_and_a_retry_make_one_rerun(shut: House) -> None:
    """Nobody tells of the end; the scheduler misses the heartbeat. The try's own process ends when it next logs."""
    shut.airflow.env = {**shut.airflow.env, **SOON}
    shut.airflow.restart("scheduler")
    source = shut.new_source()
    shut.shut()
    run = shut.start("sync", source)
    rerun = shut.waiting("sync", run)
    first = psutil.Process(int(shut.task("sync", run)["pid"]))
    supervisor = first.parent()
    assert supervisor is not None
    assert "LocalExecutor" in " ".join(supervisor.cmdline())
    supervisor.kill()
    wait_until(lambda: shut.task("sync", run)["try_number"] == 2, 120, "the second try", ignore=AWAY)
    assert shut.waiting("sync", run) == rerun
    shut.open()
    assert shut.repaired("sync", run, source, rerun)["try_number"] == 2
    wait_until(lambda: has_ended(first), 60, "the end of the first try's process")


def has_ended(process: psutil.Process) -> bool:
    """Whether it has; one that has lost its parent may stay in the list of processes."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
