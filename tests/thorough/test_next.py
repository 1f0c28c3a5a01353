"""A pre-release of Airflow that isn't known, with our asset manager configured: as if the package weren't there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import inspect

from airflow_rerun_downstream import host
from dev.environment import NEXT, ROOT, python_of
from tests.live.harness import LiveAirflow, StartAirflow
from tests.thorough import chain

API = "/rerun-downstream/api/v1"
pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="Airflow's next version needs Python 3.11")


def sentence() -> str:
    version = NEXT[0].partition("==")[2]
    return host.why_not().replace(".".join(map(str, host.airflow_version())) + ", and", version[:3] + ", and")


@pytest.fixture(scope="module")
def python() -> Path:
    subprocess.run([sys.executable, ROOT / "dev" / "environment.py", "next"], check=True, cwd=ROOT)
    return python_of("next")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def airflow(request: pytest.FixtureRequest, start_airflow: StartAirflow, python: Path) -> Iterator[LiveAirflow]:
    airflow = start_airflow(python=python, database=request.param)
    assert "RerunAssetManager" in airflow.environment()["AIRFLOW__CORE__ASSET_MANAGER_CLASS"]
    yield airflow
    airflow.stop()


def test_it_is_a_version_that_is_not_known(python: Path) -> None:
    code = "from airflow_rerun_downstream import host; print(host.supported(), host.why_not())"
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "tests").stdout
    assert said.strip() == f"False {sentence()}"


def test_everything_runs_as_without_the_package(airflow: LiveAirflow) -> None:
    for name in ("first", "second"):
        assert chain.run(airflow, name) == chain.right(name)


def test_calls_and_pages_say_the_sentence(airflow: LiveAirflow) -> None:
    client = airflow.login("admin")
    answer = client.http.get(f"{API}/reruns")
    assert (answer.status_code, answer.json()) == (
        503,
        {"detail": sentence(), "reason": "unsupported_airflow"},
    )
    page = httpx.get(f"{airflow.base_url}/rerun-downstream/ui/")
    assert page.status_code == 503
    assert sentence() in page.text
    health = client.call("GET", f"{API}/health")
    assert health["components"] == {"airflow": {"status": "unhealthy", "detail": sentence()}}


@pytest.mark.parametrize("command", ["list", "db migrate", "db check"])
def test_commands_say_it(airflow: LiveAirflow, command: str) -> None:
    with pytest.raises(RuntimeError) as ended:
        airflow.run_module("airflow_rerun_downstream.cli.main", *command.split())
    assert sentence() in str(ended.value)


def test_nothing_is_in_the_way_of_going_back(airflow: LiveAirflow) -> None:
    assert "Ready: no run is frozen" in airflow.run_module("airflow_rerun_downstream.cli.main", "check-upgrade")


def test_no_table_of_ours_was_made_and_no_log_speaks_of_an_error(airflow: LiveAirflow) -> None:
    assert not [name for name in inspect(airflow.db()).get_table_names() if "rerun_downstream" in name]
    logs = "\n".join(path.read_text(errors="replace") for path in airflow.logs_folder.iterdir())
    ours = [line for line in logs.splitlines() if "rerun_downstream" in line or "rerun-downstream" in line]
    assert [line for line in ours if sentence() not in line and "/rerun-downstream/" not in line] == []
