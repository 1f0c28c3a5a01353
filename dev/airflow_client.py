"""Airflow's public REST API in the words that stories and tests use."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx

from dev.waiting import wait_until

Json = dict[str, Any]
FINISHED = ("success", "failed")
PAGE = 100
LOCKED = 120.0
"""Seconds for which a change is sent again."""


class AirflowClient:
    """One logged-in user of one api-server. `http` is the plain client, for everything not named here."""

    def __init__(self, base_url: str, username: str, password: str, timeout: float = 90) -> None:
        self.username = username
        self.http = httpx.Client(base_url=base_url, timeout=timeout)
        answer = self.http.post("/auth/token", json={"username": username, "password": password})
        answer.raise_for_status()
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, **options: Any) -> Json:
        """Send a request and return its JSON; a refusal raises HTTPStatusError with the server's words."""
        answer = self._answer(method, path, **options)
        if answer.is_error:
            message = f"{method} {path}: {answer.status_code} {answer.text}"
            raise httpx.HTTPStatusError(message, request=answer.request, response=answer)
        return dict(answer.json()) if answer.content else {}

    def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; a change that Airflow's own API could not begin, because SQLite was locked, is sent again.

        Since 3.2 Airflow commits its audit log on the api-server's event loop, before the change itself. If a task's
        success is just being written, both wait for each other until SQLite's time-out; then the log's commit fails.
        """
        deadline = time.monotonic() + LOCKED
        while True:
            answer = self.http.request(method, path, **options)
            again = answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR and path.startswith("/api/v2/")
            if not again or method == "GET" or time.monotonic() > deadline:
                return answer
            time.sleep(0.5)

    def pages(self, path: str, items: str, **params: Any) -> list[Json]:
        """Read a whole collection, page by page."""
        found: list[Json] = []
        while True:
            page = self.call("GET", path, params={**params, "limit": PAGE, "offset": len(found)})
            found += page[items]
            if not page[items] or len(found) >= page["total_entries"]:
                return found

    def dags(self) -> list[Json]:
        """All Dags that the user may read."""
        return self.pages("/api/v2/dags", "dags")

    def import_errors(self) -> list[Json]:
        """Dag files that didn't parse."""
        return self.pages("/api/v2/importErrors", "import_errors")

    def unpause(self, *dag_ids: str) -> None:
        """Let the scheduler run these Dags."""
        self._set_paused(dag_ids, paused=False)

    def pause(self, *dag_ids: str) -> None:
        """Keep the scheduler from running these Dags."""
        self._set_paused(dag_ids, paused=True)

    def _set_paused(self, dag_ids: Iterable[str], *, paused: bool) -> None:
        wanted = set(dag_ids)
        if wanted == {dag["dag_id"] for dag in self.dags()}:  # one call, so that no task runs before the last
            self.call("PATCH", "/api/v2/dags", params={"dag_id_pattern": "~"}, json={"is_paused": paused})
            return
        for dag_id in sorted(wanted):
            self.call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": paused})

    def trigger(self, dag_id: str, **body: Any) -> Json:
        """Start a manual run; `body` is Airflow's: dag_run_id, conf, logical_date, …"""
        return self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None, **body})

    def dag_runs(self, dag_id: str = "~", **filters: Any) -> list[Json]:
        """The runs of a Dag, or of all, oldest first."""
        return self.pages(f"/api/v2/dags/{dag_id}/dagRuns", "dag_runs", order_by="id", **filters)

    def dag_run(self, dag_id: str, run_id: str) -> Json:
        """One run."""
        return self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """The task instances of a run."""
        return self.pages(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances")

    def clear(
        self, dag_id: str, run_id: str, task_ids: Sequence[str | Sequence[Any]] | None = None, **body: Any
    ) -> Json:
        """Clear a run's tasks, by default all and whatever their state, as a person does in the UI."""
        payload = {
            "dag_run_id": run_id,
            "dry_run": False,
            "only_failed": False,
            "reset_dag_runs": True,
            **body,
        }
        if task_ids is not None:
            payload["task_ids"] = task_ids
        return self.call("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", json=payload)

    def set_run_state(self, dag_id: str, run_id: str, state: str) -> Json:
        """Mark a run, as a person does in the UI."""
        return self.call("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", json={"state": state})

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str, map_index: int | None = None) -> Json:
        """Mark a task instance, as a person does in the UI."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        mapped = "" if map_index is None else f"/{map_index}"
        return self.call("PATCH", path + mapped, json={"new_state": state})

    def wait_for_run(self, dag_id: str, run_id: str, states: Sequence[str] = FINISHED, timeout: float = 90) -> Json:
        """Wait until the run is in one of the states, and return it."""

        def run_in_state() -> Json | None:
            run = self.dag_run(dag_id, run_id)
            return run if run["state"] in states else None

        what = f"{dag_id} {run_id} to be {' or '.join(states)}"
        return wait_until(run_in_state, timeout, what, ignore=(httpx.TransportError,))

    def wait_for_runs(
        self, dag_id: str, count: int, states: Sequence[str] = FINISHED, timeout: float = 120
    ) -> list[Json]:
        """Wait until the Dag has `count` runs in one of the states, and return these."""

        def enough() -> list[Json] | None:
            runs = [run for run in self.dag_runs(dag_id) if run["state"] in states]
            return runs if len(runs) >= count else None

        what = f"{count} runs of {dag_id} to be {' or '.join(states)}"
        return wait_until(enough, timeout, what, ignore=(httpx.TransportError,))

    def make_history(
        self, expected: Mapping[str, int], timeout: float = 300, failures: bool = False
    ) -> dict[str, list[Json]]:
        """Unpause Dags and wait until the scheduler has made, and finished, so many runs of each.

        With `catchup=True` and a `start_date` some days ago these are scheduled runs; consumers of their
        assets get theirs as in daily life. Returns the runs by Dag, oldest first. A failed run raises,
        unless `failures` are wanted.
        """
        self.unpause(*expected)

        def made() -> dict[str, list[Json]] | None:
            finished: dict[str, list[Json]] = {dag_id: [] for dag_id in expected}
            for run in self.dag_runs():
                if run["state"] == "failed" and run["dag_id"] in expected and not failures:
                    raise RuntimeError(f"{run['dag_id']} {run['dag_run_id']} has failed")
                if run["state"] in FINISHED and run["dag_id"] in expected:
                    finished[run["dag_id"]].append(run)
            return finished if all(len(finished[dag_id]) >= n for dag_id, n in expected.items()) else None

        what = ", ".join(f"{count} runs of {dag_id}" for dag_id, count in expected.items())
        return wait_until(made, timeout, what, interval=0.5, ignore=(httpx.TransportError,))
