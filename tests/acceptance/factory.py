"""A live Airflow with producers and consumers of assets, whose cycles begin when a test says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from airflow_rerun_downstream.host import airflow_version
from tests.acceptance.story import Story
from tests.live.harness import Json, LiveAirflow, wait_until

DAGS = Path(__file__).parent / "dags_assets"
PLAIN = (
    *("make", "other", "single", "second", "both", "aliased"),
    *("moody", "first_time", "patient", "patient_reader", "sentinel"),
)
PARTITIONED = ("parts", "partitioned")
TICKS = {
    "make": "acceptance://tick",
    "other": "acceptance://tick-other",
    "moody": "acceptance://tick-moody",
    "patient": "acceptance://tick-patient",
}
SENTINEL = "acceptance://tick-sentinel"
QUEUE_SENTINEL = (
    "insert into asset_dag_run_queue (asset_id, target_dag_id, created_at) "
    "values (:asset, 'sentinel', current_timestamp)"
)
EVENT_OF_SENTINEL = "insert into asset_event (asset_id, extra, timestamp) values (:asset, '{}', current_timestamp)"
QUEUE_SENTINEL_BY_EVENT = (
    "insert into asset_dag_run_queue (asset_id, target_dag_id, created_at, asset_event_id) "
    "select :asset, 'sentinel', current_timestamp, max(id) from asset_event where asset_id = :asset"
)
"""Since Airflow 3.4 what is queued is an event."""

Run = tuple[str, str]
"""A Dag's id and a run's."""


class Factory(Story):
    """Producers, consumers, and a user who repairs."""

    def __init__(self, airflow: LiveAirflow, *, partitions: bool) -> None:
        super().__init__(airflow)
        self.partitions = partitions
        dags = (*PLAIN, *(PARTITIONED if partitions else ()))
        self.airflow.wait_for_dags(*dags)
        self.client.unpause(*dags)
        self.assets = wait_until(self.ticks, 60, "the assets to be active")

    def ticks(self) -> dict[str, int] | None:
        """The ids of the assets that start a cycle; None until Airflow has activated them all."""
        found = {one["name"]: one["id"] for one in self.client.pages("/api/v2/assets", "assets")}
        return found if found.keys() >= {SENTINEL, *TICKS.values()} else None

    def tick(self, producer: str) -> None:
        """Tell the world of a producer that it is time; the scheduler makes its run.

        No task runs meanwhile: since 3.2 Airflow's own API writes its audit log on the event loop, and on SQLite it
        hangs until a time-out if a task's success is being written at that moment.
        """
        wait_until(self.is_idle, 90, "all runs to end")
        asset = self.assets[TICKS[producer]]
        self.client.call("POST", "/api/v2/assets/events", json={"asset_id": asset, "extra": {}})

    def is_idle(self) -> bool:
        """Whether no run is going on or about to begin."""
        return self.rows("select 1 from dag_run where state in ('queued', 'running')") == []

    def cycle(self, producer: str, *consumers: str, state: str = "success") -> dict[str, str]:
        """A natural cycle: the new run of a producer and those of the consumers, all finished, by Dag."""
        before = self.counts()
        self.tick(producer)
        return self.next_runs(before, {producer: state, **dict.fromkeys(consumers, "success")})

    def next_runs(self, before: Counter[str], wanted: dict[str, str]) -> dict[str, str]:
        """Wait until each Dag has one more run that ended as wanted; their ids."""
        found = {}
        for dag_id, state in wanted.items():
            runs = self.client.wait_for_runs(dag_id, before[dag_id] + 1)
            assert runs[-1]["state"] == state, runs[-1]
            found[dag_id] = str(runs[-1]["dag_run_id"])
        return found

    def scheduled_partition(self) -> dict[str, str]:
        """The runs of the one partition that is scheduled."""
        if not self.partitions:
            return {}
        runs = {dag_id: self.client.wait_for_runs(dag_id, 1) for dag_id in PARTITIONED}
        return {dag_id: str(found[0]["dag_run_id"]) for dag_id, found in runs.items()}

    def next_partition(self) -> dict[str, str]:
        """The runs of one more partition, which a person starts: a scheduled one can't be had when a test wants."""
        if not self.partitions:
            return {}
        before = self.counts()
        self.client.trigger("parts", partition_key=f"2026-01-{before['parts']:02}T00:00:00")
        return self.next_runs(before, dict.fromkeys(PARTITIONED, "success"))

    def settle(self) -> None:
        """Wait until the scheduler has made every run that the events so far call for.

        One loop looks at the queues of all Dags: where a later event has already got its run, an earlier one would
        have too. Partitions are looked at a moment before, hence the second time.
        """
        for _ in range(2):
            before = self.counts()
            with self.airflow.db().begin() as connection:  # not over REST, for the reason that `tick` tells
                row = {"asset": self.assets[SENTINEL]}
                if airflow_version() < (3, 4):
                    connection.execute(text(QUEUE_SENTINEL), row)
                else:
                    connection.execute(text(EVENT_OF_SENTINEL), row)
                    connection.execute(text(QUEUE_SENTINEL_BY_EVENT), row)
            self.next_runs(before, {"sentinel": "success"})

    def plan(self, **body: Any) -> Json:
        """The preview of the rerun of a source."""
        return self.call("POST", "/plans", json=body)

    def submit(self, **body: Any) -> Json:
        """Submit the rerun of a source."""
        return self.call("POST", "/reruns", json=body)

    def rerun(self, dag_id: str, run_id: str, **body: Any) -> Json:
        """Rerun a run and what follows, to the end, and until the scheduler has seen it all."""
        rerun = self.submit(source={"dag_id": dag_id, "run_id": run_id}, **body)
        ended = self.wait_ended(rerun["id"])
        assert ended["state"] == "succeeded", ended
        self.settle()
        return ended

    def runs(self) -> set[Run]:
        """Every run but the sentinel's."""
        return {(d, r) for d, r in self.rows("select dag_id, run_id from dag_run") if d != "sentinel"}

    def counts(self) -> Counter[str]:
        """How many runs each Dag has."""
        return Counter(dag_id for (dag_id,) in self.rows("select dag_id from dag_run"))

    def consumed(self, dag_id: str, run_id: str) -> list[Run]:
        """Which run emitted each event that a run consumed."""
        return sorted(
            (source, source_run)
            for source, source_run in self.rows(
                "select e.source_dag_id, e.source_run_id from dagrun_asset_event x "
                "join asset_event e on e.id = x.event_id join dag_run d on d.id = x.dag_run_id "
                f"where d.dag_id = '{dag_id}' and d.run_id = '{run_id}'"
            )
        )

    def outdated(self, dag_id: str, run_id: str) -> int:
        """How many of the events that a run consumed the same run has emitted again since."""
        return int(
            self.rows(
                "select count(*) from dagrun_asset_event x join asset_event e on e.id = x.event_id "
                f"join dag_run d on d.id = x.dag_run_id where d.dag_id = '{dag_id}' and d.run_id = '{run_id}' "
                "and exists (select 1 from asset_event l where l.asset_id = e.asset_id and l.id > e.id "
                "and l.source_dag_id = e.source_dag_id and l.source_run_id = e.source_run_id)"
            )[0][0]
        )

    def queued(self) -> list[str]:
        """The Dags for which Airflow keeps half a condition."""
        return [dag_id for (dag_id,) in self.rows("select target_dag_id from asset_dag_run_queue order by 1")]

    def partition_rows(self) -> int:
        """How many runs of partitions Airflow has begun to collect events for."""
        return int(self.rows("select count(*) from asset_partition_dag_run")[0][0]) if self.partitions else 0

    def serve(self, *, asset_manager: bool) -> None:
        """Start the api-server again, with or without our asset manager."""
        self.airflow.asset_manager = asset_manager
        self.airflow.restart("api-server")

    def wait_known(self, *, active: bool) -> None:
        """Wait until the health of the installation says whether repeats are recognised."""

        def known() -> bool:
            health = self.call("GET", "/health")["components"]["asset_manager"]
            return bool((health["status"] == "healthy") is active)

        wait_until(known, 60, f"an asset manager that is {'' if active else 'not '}active", ignore=(httpx.HTTPError,))

    def task_state(self, dag_id: str, run_id: str) -> str | None:
        """The state of a run's only task instance."""
        (one,) = self.client.task_instances(dag_id, run_id)
        return None if one["state"] is None else str(one["state"])

    def wait_task(self, dag_id: str, run_id: str, state: str) -> None:
        """Wait until a run's only task instance is in a state."""
        wait_until(lambda: self.task_state(dag_id, run_id) == state, 90, f"the task of {dag_id} to be {state}")


def sources(**times: tuple[str, int]) -> list[Run]:
    """Events by their emitters: ``make=(run_id, 2)`` stands for two events of that run."""
    return sorted((dag_id, run_id) for dag_id, (run_id, number) in times.items() for _ in range(number))


def of(runs: Collection[Run], dag_id: str) -> set[str]:
    """The runs of one Dag."""
    return {run_id for dag, run_id in runs if dag == dag_id}
