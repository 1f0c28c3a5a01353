"""The OpenAPI document in the repository is that of the code, and has what types can be made of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_rerun_downstream import __version__, host

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "ui" / "openapi.json"


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))["components"]["schemas"]
    return found


def check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dev.openapi", str(path), "--check"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(host.airflow_version() != (3, 3), reason="the file is written with Airflow 3.3")
def test_the_file_is_not_stale(tmp_path: Path) -> None:
    done = check(FILE)
    assert done.returncode == 0, done.stderr
    other = tmp_path / "openapi.json"
    other.write_text(FILE.read_text(encoding="utf-8").replace("make_plan", "plan"), encoding="utf-8")
    done = check(other)
    assert done.returncode == 1
    assert "is stale: write it anew" in done.stderr


def test_it_is_of_this_version() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8"))["info"]["version"] == __version__


@pytest.mark.parametrize("name", ["Counts", "PlanWarning", "Review", "TaskInstances", "DagRuns", "Rerun", "Member"])
def test_what_is_always_sent_is_required(schemas: dict[str, Any], name: str) -> None:
    assert set(schemas[name]["required"]) == set(schemas[name]["properties"])


def test_the_name_of_a_run_to_come_may_have_each_of_its_fields(schemas: dict[str, Any]) -> None:
    assert set(schemas["FutureRef"]["properties"]) == {"dag_id", "logical_date", "partition_key", "next"}
    assert schemas["FutureRef"]["required"] == ["dag_id"]
