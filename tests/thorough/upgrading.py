"""An Airflow that is upgraded in the middle of a rerun, with a run that is held and events that are parked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dev.environment import python_of
from tests.acceptance.freezing import Frozen
from tests.acceptance.story import AWAY
from tests.live.harness import COMPONENTS, Json, StartAirflow, wait_until

DAGS = Path(__file__).parent / "dags_upgrade"
CHAIN = ("wrong", "first", "second", "third")
IN_FLIGHT = {
    "wrong": "succeeded",
    "first": "succeeded",
    "second": "running",
    "third": "pending",
    "timed": "frozen",
    "waiting": "frozen",
}
"""The members in the rerun's middle."""

ASSETS = ("upgrade://side", "upgrade://other")
OURS = "airflow_rerun_downstream.cli.main"
# Airflow finds out within seconds that the tasks of a scheduler that was stopped are no more.
SOON = {
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_DETECTION_INTERVAL": "3",
}
RUNS = "select dag_id, run_id, run_type, logical_date, run_after from dag_run where dag_id <> 'timed' order by 1, 2"
HOLDS = "select * from rerun_downstream_hold order by member_id"
PARKED = "select dag_id, asset_id, created_at from rerun_downstream_parked order by 1, 2"
CONSUMED = (
    "select x.event_id from dagrun_asset_event x join dag_run d on d.id = x.dag_run_id "
    "where d.dag_id = 'waiting' and d.run_id = '{}' order by 1"
)


class Upgraded(Frozen):
    """One database, one rerun, and an Airflow of one version after the other."""

    def __init__(self, start: StartAirflow, folder: Path, version: str) -> None:
        options = {"dags": DAGS, "database": "postgresql", "python": python_of(version), "env": SOON}
        super().__init__(start, folder, "timed", *CHAIN[1:], **options)
        self.rerun = 0
        self.foreseen: Json = {}
        self.held_run = ""
        self.assets = wait_until(self.active_assets, 60, "the assets to be active")
        self.event("upgrade://other")
        (self.before,) = self.client.wait_for_runs("waiting", 1)

    def active_assets(self) -> dict[str, int] | None:
        """The ids of the assets that start ``waiting``; None until Airflow has activated them."""
        found = {one["name"]: one["id"] for one in self.client.pages("/api/v2/assets", "assets")}
        return found if found.keys() >= set(ASSETS) else None

    def event(self, asset: str) -> int:
        """Make an event of an asset, as a person or another system does over REST; its id."""
        body = {"asset_id": self.assets[asset], "extra": {"on": self.airflow.python.parent.parent.name}}
        return int(self.client.call("POST", "/api/v2/assets/events", json=body)["id"])

    def begin(self) -> None:
        """Rerun the chain as far as its middle, with everything frozen that can be."""
        self.file("second").touch()
        members = [self.source(dag_id) for dag_id in CHAIN[1:]]
        self.rerun, upcoming = self.freeze("timed", members=members, frozen=[{"dag_id": "waiting", "next": True}])
        self.foreseen = upcoming["timed"]
        self.held_run = self.wait_held(self.rerun, "timed")["timed"]["run_id"]
        self.go_on()
        self.wait_in_the_middle()

    def wait_in_the_middle(self) -> None:
        """Wait until the rerun stands where the test keeps it: one task of it runs, and waits for a file."""
        waits = ("add", -1, "running")

        def stands() -> bool:
            tasks = [(task, index, state) for task, index, _, state, *_ in self.tries_of("second")]
            return self.states() == IN_FLIGHT and waits in tasks

        wait_until(stands, 180, f"{IN_FLIGHT} with {waits}", ignore=AWAY)

    def states(self) -> dict[str, str]:
        """The states of the members."""
        return {dag_id: member["state"] for dag_id, member in self.members(self.rerun).items()}

    def tries_of(self, dag_id: str) -> list[tuple[Any, ...]]:
        """Each task instance of a Dag's only run: its id, index, try, state, start and end."""
        names = ("task_id", "map_index", "try_number", "state", "start_date", "end_date")
        found = self.client.task_instances(dag_id, self.run_id(dag_id))
        return sorted(tuple(one[name] for name in names) for one in found)

    def kept(self) -> dict[str, Any]:
        """Everything that an upgrade must leave as it is, of ours and of Airflow's."""
        members = ("id", "dag_id", "run_id", "role", "state", "task_ids", "logical_date", "run_after")
        rerun = f"/reruns/{self.rerun}"
        return {
            "state": self.call("GET", rerun)["state"],
            "members": [[one[name] for name in members] for one in self.members(self.rerun).values()],
            "events": self.call("GET", f"{rerun}/events", params={"limit": 100})["events"][:5],
            "holds": self.rows(HOLDS),
            "held": self.held_runs(),
            "parked": self.rows(PARKED),
            "runs": self.rows(RUNS),
            "tries": {dag_id: self.tries_of(dag_id) for dag_id in CHAIN if dag_id != "second"},
        }

    def upgrade(self, version: str) -> None:
        """Stop everything, migrate with the commands of a version, and start that version."""
        self.airflow.stop(*COMPONENTS)
        for process in self.airflow.processes():  # a task that has outlived its scheduler
            process.kill()
        self.airflow.python = python_of(version)
        self.airflow.airflow("db", "migrate")
        self.airflow.run_module(OURS, "db", "migrate")
        self.airflow.start(*COMPONENTS)
        self.client = self.airflow.login("admin")
        assert self.call("GET", "/health")["components"]["database"]["status"] == "healthy"

    def consumed(self, run_id: str) -> list[int]:
        """The events that a run of ``waiting`` has consumed."""
        return [event for (event,) in self.rows(CONSUMED.format(run_id))]
