"""What the acceptance tests do to a live Airflow, through the doors that a person has."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from tests.live.harness import AirflowClient, Json, LiveAirflow, wait_until

DAGS = Path(__file__).parent / "dags"
API = "/rerun-downstream/api/v1"
DIAMOND = ("up", "left", "right", "joined", "child", "marked", "bystander")
ENDED = ("succeeded", "failed", "terminated")
AWAY = (httpx.TransportError,)
"""An api-server that is just being restarted."""


@dataclass(frozen=True)
class Try:
    """The last try of a task instance."""

    number: int
    state: str | None
    start: datetime | None
    end: datetime | None


class Story:
    """A live Airflow with the diamond's history, and a user who repairs it."""

    def __init__(self, airflow: LiveAirflow, user: str = "admin") -> None:
        self.airflow = airflow
        self.client: AirflowClient = airflow.login(user)

    def make_history(self) -> None:
        """Let the scheduler make each Dag's run of yesterday."""
        self.airflow.wait_for_dags(*DIAMOND)
        self.client.make_history(dict.fromkeys(DIAMOND, 1))

    def run_id(self, dag_id: str) -> str:
        """The id of a Dag's only run."""
        (run,) = self.client.dag_runs(dag_id)
        return str(run["dag_run_id"])

    def source(self, dag_id: str = "up") -> Json:
        """A Dag's only run, as the contract names it."""
        return {"dag_id": dag_id, "run_id": self.run_id(dag_id)}

    def call(self, method: str, path: str, **options: Any) -> Json:
        """A call of our API that must succeed."""
        return self.client.call(method, API + path, **options)

    def refused(self, method: str, path: str, **options: Any) -> tuple[int, Json]:
        """A call of our API that must be refused: its status and body."""
        answer = self.client.http.request(method, API + path, **options)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()

    def plan(self, **body: Any) -> Json:
        """The preview."""
        return self.call("POST", "/plans", json={"source": self.source(), **body})

    def submit(self, **body: Any) -> Json:
        """Submit a rerun."""
        return self.call("POST", "/reruns", json={"source": self.source(), **body})

    def members(self, rerun_id: int) -> dict[str, Json]:
        """The members by their Dags."""
        found = self.call("GET", f"/reruns/{rerun_id}/members", params={"limit": 100})["members"]
        return {member["dag_id"]: member for member in found}

    def wait_ended(self, rerun_id: int, timeout: float = 180) -> Json:
        """Wait until a rerun can't move by itself any more."""

        def ended() -> Json | None:
            rerun = self.call("GET", f"/reruns/{rerun_id}")
            return rerun if rerun["state"] in ENDED else None

        return wait_until(ended, timeout, f"rerun {rerun_id} to end", ignore=AWAY)

    def wait_members(self, rerun_id: int, wanted: Callable[[dict[str, Json]], bool], what: str) -> dict[str, Json]:
        """Wait until the members are as wanted; if that fails, say how they stand."""
        members: dict[str, Json] = {}

        def reached() -> bool:
            members.update(self.members(rerun_id))
            return wanted(members)

        try:
            wait_until(reached, 120, what, ignore=AWAY)
        except TimeoutError as error:
            stand = [(name, one["run_id"], one["state"], one["state_reason"]) for name, one in members.items()]
            raise TimeoutError(f"{error}; the members: {stand}") from None
        return members

    def tries(self) -> dict[tuple[str, str, str], Try]:
        """The last try of every task instance: (Dag, run, task) → try, from Airflow's own REST."""
        found = {}
        for run in self.client.dag_runs():
            for one in self.client.task_instances(run["dag_id"], run["dag_run_id"]):
                key = (run["dag_id"], run["dag_run_id"], one["task_id"])
                found[key] = Try(one["try_number"], one["state"], moment(one["start_date"]), moment(one["end_date"]))
        return found

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the metadata database."""
        with self.airflow.db().connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def airflow_rows(self) -> list[list[tuple[Any, ...]]]:
        """Everything of Airflow's that a rerun changes: to show that nothing has changed."""
        return [
            self.rows("select dag_id, run_id, state, clear_number from dag_run order by 1, 2"),
            self.rows("select dag_id, run_id, task_id, state, try_number from task_instance order by 1, 2, 3"),
            self.rows("select count(*) from asset_event"),
        ]

    def our_rows(self) -> list[list[tuple[Any, ...]]]:
        """What we have stored."""
        return [self.rows(f"select count(*) from rerun_downstream_{name}") for name in ("rerun", "member", "link")]


def moment(text: str | None) -> datetime | None:
    """A date of Airflow's REST."""
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))


def ran_between(
    tries: dict[tuple[str, str, str], Try], dag_id: str, tasks: Collection[str]
) -> tuple[datetime, datetime]:
    """When the first of a Dag's tasks began and the last one ended."""
    chosen = [one for (dag, _, task_id), one in tries.items() if dag == dag_id and task_id in tasks]
    starts = [one.start for one in chosen if one.start is not None]
    ends = [one.end for one in chosen if one.end is not None]
    return min(starts), max(ends)
