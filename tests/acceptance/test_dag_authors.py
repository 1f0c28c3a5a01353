"""What Dag authors have, in real Dags: a task has one rerun, whatever happens to its tries.

Tokens live for a few seconds here, so whatever waits for longer has renewed its own.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from airflow_rerun_downstream import example_dags
from tests.acceptance.story import API
from tests.live.harness import AirflowClient, Json, LiveAirflow, StartAirflow, wait_until

pytestmark = pytest.mark.acceptance

DAGS = Path(__file__).parent / "dags_authors"
EXAMPLES = Path(example_dags.__file__).parent
AWAY = (httpx.TransportError, httpx.HTTPStatusError)
SOURCES = 8
ENDING = ("terminating", "terminated")
TOKEN_LASTS = 30
"""Seconds."""


@dataclass
class House:
    """A live Airflow, and the gate that keeps the tasks of source and reader from ending."""

    airflow: LiveAirflow
    gate: Path
    sources: list[Json]

    @property
    def admin(self) -> AirflowClient:
        """An administrator who has just logged in."""
        return self.airflow.login("admin")

    def call(self, method: str, path: str, **options: Any) -> Json:
        return self.admin.call(method, API + path, **options)

    def new_source(self) -> str:
        """The id of a run of the source that no test has had."""
        return str(self.sources.pop()["dag_run_id"])

    def start(self, dag_id: str, source: str, **params: Any) -> str:
        """Start a Dag that repairs a source."""
        run = self.admin.trigger(dag_id, conf={"run_id": source, **params})
        return str(run["dag_run_id"])

    def task(self, dag_id: str, run_id: str) -> Json:
        (found,) = self.admin.task_instances(dag_id, run_id)
        return found

    def xcom(self, dag_id: str, run_id: str, key: str, task_id: str = "repair") -> Any:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        answer = self.admin.http.get(path, params={"deserialize": True})
        return answer.json()["value"] if answer.is_success else None

    def waiting(self, dag_id: str, run_id: str, state: str = "running") -> int:
        """The rerun for which a task waits now."""

        def there() -> int | None:
            found = self.xcom(dag_id, run_id, "rerun_id")
            return int(found) if found and self.task(dag_id, run_id)["state"] == state else None

        return wait_until(there, 90, f"{dag_id} to wait for its rerun, {state}", ignore=AWAY)

    def ended(self, dag_id: str, run_id: str, state: str) -> Json:
        """The task, once its run has ended in that state."""

        def over() -> bool:
            return bool(self.admin.dag_run(dag_id, run_id)["state"] == state)

        try:
            wait_until(over, 150, f"{dag_id} {run_id} to be {state}", interval=1, ignore=AWAY)
        except TimeoutError:
            print(self.log(dag_id, run_id))
            raise
        return self.task(dag_id, run_id)

    def log(self, dag_id: str, run_id: str, task_id: str = "repair", number: int = 1) -> str:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{number}"
        return self.admin.http.get(path, headers={"accept": "application/json"}).text

    def state(self, rerun_id: int) -> str:
        return str(self.call("GET", f"/reruns/{rerun_id}")["state"])

    def reruns(self, source: str, dag_id: str = "source") -> list[int]:
        """All reruns from a source."""
        found = self.call("GET", "/reruns", params={"limit": 100})["reruns"]
        return [one["id"] for one in found if one["source"] == {"dag_id": dag_id, "run_id": source}]

    def shut(self) -> None:
        self.gate.touch()

    def open(self) -> None:
        self.gate.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def airflow(start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory) -> House:
    gate = tmp_path_factory.mktemp("gate") / "shut"
    env = {
        "GATE": str(gate),
        "AIRFLOW_VAR_EXAMPLE_RERUN_FOLDER": str(tmp_path_factory.mktemp("example")),
        "AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME": str(TOKEN_LASTS),
        "AIRFLOW__CORE__PARALLELISM": "12",
    }
    found = House(start_airflow(dags=[DAGS, EXAMPLES], env=env), gate, [])
    dags = ("source", "reader", "sync", "deferred", "terminates", "terminates_deferred", "leaves", "forbidden")
    dags += ("by_date", "waits")
    found.airflow.wait_for_dags(*dags)
    found.admin.unpause(*dags)

    def history() -> list[Json] | None:
        there = {dag_id: found.admin.dag_runs(dag_id) for dag_id in ("source", "reader")}
        ended = all(run["state"] == "success" for runs in there.values() for run in runs)
        return there["source"] if ended and there["reader"] and len(there["source"]) == SOURCES else None

    found.sources = wait_until(history, 240, "the history", interval=2, ignore=AWAY)
    for name, user in (("rerun_downstream_default", "admin"), ("viewer", "viewer")):
        connection = {"connection_id": name, "conn_type": "rerun_downstream", "host": found.airflow.base_url}
        found.admin.call("POST", "/api/v2/connections", json={**connection, "login": user, "password": user})
    return found


@pytest.fixture
def shut(airflow: House) -> Iterator[House]:
    """Reruns don't end while the gate is shut."""
    yield airflow
    airflow.open()


def test_airflow_shows_what_there_is(airflow: House) -> None:
    shown = {
        "hooks": "rerun_downstream",
        "triggers": "airflow_rerun_downstream.operators.ended_trigger",
        "links": "RerunLink",
    }
    for what, name in shown.items():
        assert name in airflow.airflow.airflow("providers", what, "--output", "plain"), what


def test_a_killed_worker_and_a_retry_make_one_rerun(shut: House) -> None:
    source = shut.new_source()
    shut.shut()
    run = shut.start("sync", source)
    rerun = shut.waiting("sync", run)
    pid = int(shut.task("sync", run)["pid"])
    assert pid in {process.pid for process in psutil.Process().children(recursive=True)}
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: shut.task("sync", run)["try_number"] == 2, 90, "the second try", ignore=AWAY)
    shut.open()
    task = shut.ended("sync", run, "success")
    assert (task["try_number"], shut.reruns(source)) == (2, [rerun])
    assert shut.xcom("sync", run, "return_value")["state"] == "succeeded"


def test_what_becomes_of_the_rerun_when_the_task_is_marked_failed(shut: House) -> None:
    wanted = {"terminates": "running", "leaves": "running", "terminates_deferred": "deferred"}
    sources = {dag_id: shut.new_source() for dag_id in wanted}
    shut.shut()
    runs = {dag_id: shut.start(dag_id, source) for dag_id, source in sources.items()}
    reruns = {dag_id: shut.waiting(dag_id, runs[dag_id], state) for dag_id, state in wanted.items()}
    for dag_id, run in runs.items():
        shut.admin.set_task_state(dag_id, run, "repair", "failed")
    for dag_id in ("terminates", "terminates_deferred"):
        rerun = reruns[dag_id]
        wait_until(lambda rerun=rerun: shut.state(rerun) in ENDING, 60, f"the end of {dag_id}", ignore=AWAY)
    assert shut.state(reruns["leaves"]) == "running"
    shut.open()
    wait_until(lambda: shut.state(reruns["leaves"]) == "succeeded", 60, "the other to go on", ignore=AWAY)


def test_a_cleared_task_starts_another_rerun(shut: House) -> None:
    source = shut.new_source()
    run = shut.start("sync", source)
    shut.ended("sync", run, "success")
    shut.admin.clear("sync", run)
    wait_until(lambda: len(shut.reruns(source)) == 2, 60, "another rerun", ignore=AWAY)
    shut.ended("sync", run, "success")
    assert shut.xcom("sync", run, "rerun_id") == max(shut.reruns(source))


def test_who_may_not_fails_the_task_with_the_sentence(airflow: House) -> None:
    source = airflow.sources[-1]["dag_run_id"]
    run = airflow.start("forbidden", source)
    task = airflow.ended("forbidden", run, "failed")
    assert (task["try_number"], airflow.reruns(source)) == (1, [])
    assert "forbidden_dags" in airflow.log("forbidden", run)


def test_a_source_by_its_date_a_pattern_and_a_sensor(airflow: House) -> None:
    source, date = airflow.sources[-1]["dag_run_id"], airflow.sources.pop()["logical_date"]
    run = airflow.start("by_date", "", date=date)
    airflow.ended("by_date", run, "success")
    (rerun,) = airflow.reruns(source)
    waits = airflow.start("waits", "", rerun_id=rerun)
    airflow.ended("waits", waits, "success")
    assert airflow.xcom("waits", waits, "return_value", "wait")["rerun_id"] == rerun


def test_the_example_of_a_check_repairs_what_it_has_found(airflow: House) -> None:
    dags = [f"example_rerun_{name}" for name in ("orders", "report", "check")]
    airflow.airflow.wait_for_dags(*dags)
    airflow.admin.unpause(*dags)

    def read() -> str | None:
        runs = [run for dag_id in dags[:2] for run in airflow.admin.dag_runs(dag_id)]
        ended = [run for run in runs if run["state"] == "success"]
        return str(runs[0]["dag_run_id"]) if len(runs) == len(ended) == 2 else None

    source = wait_until(read, 90, "the wrong report", ignore=AWAY)
    run = airflow.start(dags[2], source)
    wait_until(lambda: airflow.admin.dag_run(dags[2], run)["state"] == "success", 120, "the repair", ignore=AWAY)
    assert airflow.xcom(dags[2], run, "return_value", "is_right") == 42
    assert len(airflow.reruns(source, dags[0])) == 1


def test_an_api_server_that_is_away_and_a_token_that_has_expired(shut: House) -> None:
    sources = {dag_id: shut.new_source() for dag_id in ("sync", "deferred")}
    shut.shut()
    runs = {dag_id: shut.start(dag_id, source) for dag_id, source in sources.items()}
    states = {"sync": "running", "deferred": "deferred"}
    reruns = {dag_id: shut.waiting(dag_id, run, states[dag_id]) for dag_id, run in runs.items()}
    began = time.monotonic()
    shut.airflow.stop("api-server")
    gone = time.monotonic()
    wait_until(lambda: time.monotonic() - gone > 10, 60, "the tasks to have met nobody")
    shut.airflow.start("api-server")
    wait_until(lambda: time.monotonic() - began > TOKEN_LASTS + 5, 120, "the token to expire")
    shut.open()
    for dag_id, run in runs.items():
        shut.ended(dag_id, run, "success")
        assert shut.reruns(sources[dag_id]) == [reruns[dag_id]]
        result = shut.xcom(dag_id, run, "return_value")
        assert (result["rerun_id"], result["state"]) == (reruns[dag_id], "succeeded")
        assert result["counts"]["succeeded"] == 2
        link = shut.admin.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run}/taskInstances/repair/links")
        assert link["extra_links"]["Rerun"] == result["url"]
