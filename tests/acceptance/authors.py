"""A live Airflow with Dags that repair a source, in each of the ways that a Dag author has.

Tokens live for a few seconds there, so whatever waits for longer has renewed its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_rerun_downstream import example_dags
from tests.acceptance.story import API
from tests.live.harness import AirflowClient, Json, LiveAirflow, StartAirflow, wait_until

__all__ = ["shut"]

DAGS = Path(__file__).parent / "dags_authors"
EXAMPLES = Path(example_dags.__file__).parent
AWAY = (httpx.TransportError, httpx.HTTPStatusError)
TOKEN_LASTS = 30
"""Seconds."""


@dataclass
class House:
    """A live Airflow, the gate that keeps source and reader from ending, and the tables of the examples."""

    airflow: LiveAirflow
    gate: Path
    tables: Path
    sources: list[Json]

    @classmethod
    def started(cls, start: StartAirflow, folder: Path, *, sources: int, dags: tuple[str, ...]) -> House:
        """With so many runs of the source, each read by one of the reader; and these Dags beside them."""
        gate, tables = folder / "shut", folder / "tables"
        env = {
            "GATE": str(gate),
            "SOURCES": str(sources),
            "AIRFLOW_VAR_EXAMPLE_RERUN_FOLDER": str(tables),
            "AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME": str(TOKEN_LASTS),
        }
        found = cls(start(dags=[DAGS, EXAMPLES], env=env), gate, tables, [])
        found.airflow.wait_for_dags(*dags)
        for name, user in (("rerun_downstream_default", "admin"), ("viewer", "viewer")):
            connection = {"connection_id": name, "conn_type": "rerun_downstream", "host": found.airflow.base_url}
            found.admin.call("POST", "/api/v2/connections", json={**connection, "login": user, "password": user})
        found.admin.unpause("source", "reader", *dags)

        def history() -> list[Json] | None:
            there = {dag_id: found.admin.dag_runs(dag_id) for dag_id in ("source", "reader")}
            ended = all(run["state"] == "success" for runs in there.values() for run in runs)
            return there["source"] if ended and all(len(runs) == sources for runs in there.values()) else None

        found.sources = wait_until(history, 240, "the history", interval=1, ignore=AWAY)
        return found

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

    def xcom(self, dag_id: str, run_id: str, key: str, task_id: str = "repair", map_index: int = -1) -> Any:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        answer = self.admin.http.get(path, params={"deserialize": True, "map_index": map_index})
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

    def repaired(self, dag_id: str, run_id: str, source: str, rerun: int) -> Json:
        """The task, once it has succeeded: with that one rerun, its result and the button that leads to it."""
        task = self.ended(dag_id, run_id, "success")
        assert self.reruns(source) == [rerun]
        result = self.xcom(dag_id, run_id, "return_value")
        assert (result["rerun_id"], result["state"]) == (rerun, "succeeded")
        assert result["counts"]["succeeded"] == 2
        link = self.admin.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/repair/links")
        assert link["extra_links"]["Rerun"] == result["url"]
        return task

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


@pytest.fixture
def shut(airflow: House) -> Iterator[House]:
    """Reruns don't end while the gate is shut."""
    yield airflow
    airflow.open()
