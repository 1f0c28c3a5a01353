"""On MariaDB, which isn't supported: Airflow works as without the package, and what can't be done is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.story import Story
from tests.live.harness import StartAirflow, wait_until
from tests.thorough.mariadb import PrivateMariaDB

pytestmark = pytest.mark.live

DAGS = Path(__file__).parent / "dags_clocks"
SENTENCE = "the package supports PostgreSQL and SQLite"

MIGRATING = """
import sys
from concurrent.futures import ThreadPoolExecutor
sys.path.insert(0, {drivers!r})
from sqlalchemy import create_engine, text
from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.tables import metadata, rerun

def state(engine):
    with engine.connect() as connection:
        return schema.state(connection).name

engines = [create_engine({url!r}) for _ in range(4)]
with ThreadPoolExecutor(4) as pool:
    list(pool.map(schema.upgrade, engines))
print("at once:", state(engines[0]))
schema.downgrade(engines[0], "base")
print("removed:", state(engines[0]))
for name in ("rerun_downstream_rerun", "rerun_downstream_process"):
    metadata.tables[name].create(engines[0])
print("interrupted:", state(engines[0]))
schema.upgrade(engines[0], last_id=lambda connection: 41)
print("repeated:", state(engines[0]))
with engines[0].begin() as connection:
    connection.execute(text("UPDATE alembic_version_rerun_downstream SET version_num = '0001'"))
schema.upgrade(engines[0])
print("interrupted later:", state(engines[0]))
with engines[0].connect() as connection:
    wanted = "SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'alone' AND TABLE_NAME = :name"
    print("next id:", connection.execute(text(wanted), {{"name": rerun.name}}).scalar())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateMariaDB]:
    found = PrivateMariaDB()
    try:
        found.start()
        yield found
    finally:
        found.stop()


def test_migrations_lock_and_can_be_repeated(server: PrivateMariaDB) -> None:
    code = MIGRATING.format(drivers=str(server.drivers), url=server.create("alone"))
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [
        "at once: READY",
        "removed: MISSING",
        "interrupted: INCOMPLETE",
        "repeated: READY",
        "interrupted later: READY",
        "next id: 42",
    ]


@pytest.fixture(scope="module")
def story(start_airflow: StartAirflow, server: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Story:
    url = server.create("airflow")
    env = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url.replace("mysqldb", "aiomysql"),
        "PYTHONPATH": str(server.drivers),
        "CLOCKS_LINES": str(tmp_path_factory.mktemp("lines") / "lines"),
        "CLOCKS_SECONDS": "0.3",
    }
    airflow = start_airflow(dags=[DAGS], env=env)
    airflow.wait_for_dags("source", "slow")
    return Story(airflow)


def test_producers_succeed_and_consumers_start(story: Story) -> None:
    story.client.make_history({"source": 1, "slow": 1})
    states = {run["dag_id"]: run["state"] for run in story.client.dag_runs()}
    assert states == {"source": "success", "slow": "success"}


def test_health_says_what_does_not_work(story: Story) -> None:
    found = story.call("GET", "/health")["components"]
    for name in ("database", "asset_manager", "freeze_hook"):
        assert (found[name]["status"], SENTENCE in found[name]["detail"]) == ("degraded", True)
    wait_until(lambda: story.call("GET", "/health")["components"]["conductor"]["status"] == "healthy", 60, "a leader")
    for name in ("conductor", "clocks", "frozen"):
        assert story.call("GET", "/health")["components"][name]["status"] == "healthy", found[name]


def test_a_rerun_with_events_has_to_be_asked_for(story: Story) -> None:
    plan = story.call("POST", "/plans", json={"source": story.source("source")})
    assert [run["dag_id"] for run in plan["runs"] if run["exists"]] == ["slow"]
    status, body = story.refused("POST", "/reruns", json={"source": story.source("source")})
    assert (status, body["reason"]) == (409, "asset_manager_inactive")


def test_nothing_can_be_frozen(story: Story) -> None:
    body = {"freeze_mode": True, "frozen": [{"dag_id": "slow", "next": True}]}
    body |= {"settings": {"accept_duplicate_runs": True}}
    status, answer = story.refused("POST", "/reruns", json={"source": story.source("source"), **body})
    assert (status, answer["reason"]) == (409, "freeze_unavailable"), answer
    assert SENTENCE in answer["detail"]


def test_a_rerun_without_freezing_works(story: Story) -> None:
    """The source's repeated event starts a run of its own, as the refusal says; the members are rerun in order."""
    body = {"settings": {"accept_duplicate_runs": True}}
    rerun = story.call("POST", "/reruns", json={"source": story.source("source"), **body})["id"]
    assert story.wait_ended(rerun)["state"] == "succeeded"
    found = story.members(rerun)
    assert {name: one["state"] for name, one in found.items()} == {"source": "succeeded", "slow": "succeeded"}
    for name in ("source", "slow"):
        run_id = found[name]["run_id"]
        assert [one["try_number"] for one in story.client.task_instances(name, run_id)] == [2]


def test_the_tables_are_kept_while_they_are_needed(story: Story) -> None:
    body = {"settings": {"accept_duplicate_runs": True}, "members": []}
    rerun = story.call("POST", "/reruns", json={"source": story.source("source"), **body})["id"]
    story.call("POST", f"/reruns/{rerun}/pause")
    command = ("airflow_rerun_downstream.cli.main", "db", "downgrade", "--revision", "base", "--yes")
    with pytest.raises(RuntimeError, match="tables_in_use"):
        story.airflow.run_module(*command)
    assert story.call("GET", f"/reruns/{rerun}")["state"] == "paused"
