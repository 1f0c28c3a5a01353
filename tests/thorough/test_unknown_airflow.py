"""An Airflow whose minor version isn't known, with our asset manager configured: as if the package weren't there.

Where this one is known, it runs with a copy of the package that doesn't know it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import inspect

from airflow_rerun_downstream import host
from dev.environment import ROOT
from tests.live.harness import LiveAirflow, StartAirflow
from tests.thorough import chain

API = "/rerun-downstream/api/v1"
PACKAGE = "airflow_rerun_downstream"
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="PYTHONSAFEPATH, which puts the copy first, is new in 3.11"),
]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the package is one that doesn't know this Airflow."""
    folder = tmp_path_factory.mktemp("older")
    unwanted = shutil.ignore_patterns("static", "__pycache__")
    shutil.copytree(ROOT / PACKAGE, folder / PACKAGE, ignore=unwanted)
    copy = folder / PACKAGE / "host.py"
    text, this = copy.read_text(), host.airflow_version()
    known = [each for each in host.KNOWN if each != this]
    copy.write_text(re.sub(r"^KNOWN = .*$", f"KNOWN = {tuple(known)}", text, count=1, flags=re.MULTILINE))
    return {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}


@pytest.fixture(scope="module")
def sentence(env: dict[str, str]) -> str:
    """What is said of this Airflow."""
    code = "from airflow_rerun_downstream import host; print(host.supported(), host.why_not())"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **env}
    )
    supported, _, found = said.stdout.strip().partition(" ")
    assert supported == "False"
    return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def airflow(request: pytest.FixtureRequest, start_airflow: StartAirflow, env: dict[str, str]) -> Iterator[LiveAirflow]:
    airflow = start_airflow(database=request.param, env=env)
    assert "RerunAssetManager" in airflow.environment()["AIRFLOW__CORE__ASSET_MANAGER_CLASS"]
    yield airflow
    airflow.stop()


def test_the_sentence_names_the_version_and_what_is_known(sentence: str) -> None:
    this, *known = (".".join(map(str, each)) for each in (host.airflow_version(), *host.KNOWN))
    assert f"not {this}, and does nothing here" in sentence
    assert all(each in sentence for each in known)


def test_everything_runs_as_without_the_package(airflow: LiveAirflow) -> None:
    for name in ("first", "second"):
        assert chain.run(airflow, name) == chain.right(name)


def test_calls_and_pages_say_the_sentence(airflow: LiveAirflow, sentence: str) -> None:
    client = airflow.login("admin")
    answer = client.http.get(f"{API}/reruns")
    assert (answer.status_code, answer.json()) == (
        503,
        {"detail": sentence, "reason": "unsupported_airflow"},
    )
    page = httpx.get(f"{airflow.base_url}/rerun-downstream/ui/")
    assert page.status_code == 503
    assert sentence in page.text
    health = client.call("GET", f"{API}/health")
    assert health["components"] == {"airflow": {"status": "unhealthy", "detail": sentence}}


@pytest.mark.parametrize("command", ["list", "db migrate", "db check"])
def test_commands_say_it(airflow: LiveAirflow, sentence: str, command: str) -> None:
    with pytest.raises(RuntimeError) as ended:
        airflow.run_module("airflow_rerun_downstream.cli.main", *command.split())
    assert sentence in str(ended.value)


def test_nothing_is_in_the_way_of_going_back(airflow: LiveAirflow) -> None:
    assert "Ready: no run is frozen" in airflow.run_module("airflow_rerun_downstream.cli.main", "check-upgrade")


def test_no_table_of_ours_was_made_and_no_log_speaks_of_an_error(airflow: LiveAirflow, sentence: str) -> None:
    assert not [name for name in inspect(airflow.db()).get_table_names() if "rerun_downstream" in name]
    logs = "\n".join(path.read_text(errors="replace") for path in airflow.logs_folder.iterdir())
    ours = [line for line in logs.splitlines() if "rerun_downstream" in line or "rerun-downstream" in line]
    assert [line for line in ours if sentence not in line and "/rerun-downstream/" not in line] == []
