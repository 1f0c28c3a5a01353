"""A live Airflow in which our parts fail: producers succeed, consumers start, runs are made, sensors succeed.

Once for each hook, then with damaged tables, with imports that fail, and on a minor version that isn't known; all on
one Airflow. Health names what is off.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from airflow_rerun_downstream import host
from airflow_rerun_downstream.store import schema
from tests.live.harness import COMPONENTS, Json, LiveAirflow, StartAirflow, wait_until
from tests.thorough import chain

API = "/rerun-downstream/api/v1"
HERE = Path(__file__).parent

FAULTS = {
    "begin": "asset_manager",
    "before_queueing": "asset_manager",
    "expected": "freeze_hook",
    "record": None,  # in a worker, which health doesn't see; the task's log has it
    "mark": None,  # in the Dag processor; health sees the sensors that were parsed without it
    "root": "extra_link",
}
"""Functions of ours that raise while a file is there, and the part that health names."""

DAMAGES = {
    "a missing table": (
        "ALTER TABLE rerun_downstream_hold RENAME TO gone",
        "ALTER TABLE gone RENAME TO rerun_downstream_hold",
    ),
    "a missing column": (
        "ALTER TABLE rerun_downstream_hold RENAME COLUMN assets TO gone",
        "ALTER TABLE rerun_downstream_hold RENAME COLUMN gone TO assets",
    ),
    "another version": (
        "UPDATE alembic_version_rerun_downstream SET version_num = '9999'",
        f"UPDATE alembic_version_rerun_downstream SET version_num = '{schema.HEAD}'",
    ),
}


class Harmed:
    """A live Airflow and the folder that says what fails in it."""

    def __init__(self, airflow: LiveAirflow, control: Path) -> None:
        self.airflow = airflow
        self.control = control

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        (self.control / name).touch()
        yield
        (self.control / name).unlink()

    def restart(self) -> None:
        self.airflow.stop(*COMPONENTS)
        self.airflow.start(*COMPONENTS)

    def health(self) -> Json:
        """Every component of health, by its name."""
        found: Json = self.airflow.login("admin").call("GET", f"{API}/health")["components"]
        return found

    def told(self, component: str, wanted: Callable[[Json], bool]) -> None:
        def said() -> bool:
            return wanted(self.health()[component])

        wait_until(said, 60, f"health's {component}", ignore=(httpx.TransportError,))


@pytest.fixture(scope="module")
def harmed(start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory) -> Harmed:
    control = tmp_path_factory.mktemp("sabotage")
    path = os.pathsep.join([str(HERE / "sabotage"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    airflow = start_airflow(database="postgresql", env={"PYTHONPATH": path, "SABOTAGE": str(control)})
    return Harmed(airflow, control)


def test_unharmed(harmed: Harmed) -> None:
    assert chain.run(harmed.airflow, "unharmed") == chain.right("unharmed")
    harmed.told("hooks", lambda found: found["status"] == "healthy")


@pytest.mark.parametrize("name", FAULTS)
def test_a_hook_fails(harmed: Harmed, name: str) -> None:
    with harmed.fault(name):
        assert chain.run(harmed.airflow, name) == chain.right(name)
        if name == "root":
            links(harmed.airflow, name)
    if (part := FAULTS[name]) is not None:
        harmed.told("hooks", lambda found: f"{part}: Sabotage" in found["detail"])
    if name == "mark":
        harmed.told("policy", lambda found: found["status"] == "degraded" and "timed_mark" in found["detail"])
    if name == "record":
        assert "Sabotage" in task_log(harmed.airflow, name)


def links(airflow: LiveAirflow, name: str) -> None:
    """The buttons on a task instance: ours has no address, and the request is answered."""
    client = airflow.login("admin")
    (run,) = client.dag_runs(f"timed_{name}")
    path = f"/api/v2/dags/timed_{name}/dagRuns/{run['dag_run_id']}/taskInstances/make/links"
    assert client.http.get(path).status_code == 200


def task_log(airflow: LiveAirflow, name: str) -> str:
    logs = sorted((airflow.home / "logs").rglob(f"dag_id=timed_{name}/**/task_id=wait/*.log"))
    return "\n".join(path.read_text() for path in logs)


@pytest.mark.parametrize("damage", DAMAGES)
def test_tables_are_damaged(harmed: Harmed, damage: str) -> None:
    harm, repair = DAMAGES[damage]
    name = damage.replace(" ", "_")
    with harmed.airflow.db().begin() as connection:
        connection.execute(text(harm))
    assert chain.run(harmed.airflow, name) == chain.right(name)
    if damage == "a missing column":
        harmed.told("hooks", lambda found: "ProgrammingError" in found["detail"])
    else:
        harmed.told("database", lambda found: found["status"] == "unhealthy")
    with harmed.airflow.db().begin() as connection:
        connection.execute(text(repair))
    harmed.told("database", lambda found: found["status"] == "healthy")


def test_imports_fail(harmed: Harmed) -> None:
    """All parts of ours at once, in processes that begin so."""
    with harmed.fault("broken"):
        harmed.restart()
        assert chain.run(harmed.airflow, "broken") == chain.right("broken")
        answer = harmed.airflow.login("admin").http.get(f"{API}/health")
        assert answer.status_code != 200 or "json" not in answer.headers["content-type"], "the app is left out"
    assert "sabotage" in harmed.airflow.log_tail("api-server", 2000)


def test_the_asset_manager_alone_cannot_be_imported(harmed: Harmed) -> None:
    (harmed.control / "broken").unlink(missing_ok=True)
    (harmed.control / "only_recognition").touch()
    harmed.restart()
    assert chain.run(harmed.airflow, "alone") == chain.right("alone")
    harmed.told("asset_manager", lambda found: found["status"] == "degraded" and "not active" in found["detail"])
    harmed.told("hooks", lambda found: "asset_manager: ImportError" in found["detail"])
    (harmed.control / "only_recognition").unlink()


def test_the_minor_version_is_not_known(harmed: Harmed, tmp_path: Path) -> None:
    """Faked by the metadata of a core that is found first."""
    fake = tmp_path / "apache_airflow_core-3.99.0.dist-info"
    fake.mkdir()
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: apache-airflow-core\nVersion: 3.99.0\n")
    airflow = harmed.airflow
    environment = dict(airflow.env)
    airflow.env = {**environment, "PYTHONPATH": os.pathsep.join([str(tmp_path), environment["PYTHONPATH"]])}
    airflow.stop(*COMPONENTS)
    before = ours_of(airflow)
    airflow.start(*COMPONENTS)
    assert chain.run(airflow, "unknown") == chain.right("unknown")
    sentence = host.why_not().replace(".".join(map(str, host.airflow_version())) + ", and", "3.99, and")
    answer = airflow.login("admin").http.get(f"{API}/reruns")
    assert (answer.status_code, answer.json()["detail"]) == (503, sentence)
    page = httpx.get(f"{airflow.base_url}/rerun-downstream/ui/")
    assert (page.status_code, sentence in page.text) == (503, True)
    assert harmed.health()["airflow"]["detail"] == sentence
    airflow.airflow("db", "migrate")
    assert ours_of(airflow) == before, "nothing of ours was written"


def ours_of(airflow: LiveAirflow) -> dict[str, list[Any]]:
    """The rows of our tables."""
    with airflow.db().connect() as connection:
        names = connection.scalars(text("SELECT tablename FROM pg_tables WHERE tablename LIKE '%rerun_downstream%'"))
        return {name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))] for name in names.all()}
