"""OpenLineage events of a rerun reach a catalogue through Airflow's own provider, and nobody waits for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat import sdk as compat

from airflow_rerun_downstream.airflow3.telemetry import run_events
from dev.environment import openlineage
from tests.airflow3.telemetry.receivers import Catalogue, catalogue

ROOT = Path(__file__).resolve().parents[3]
NEEDS_PROVIDER = pytest.mark.skipif(
    sys.version_info < (3, 11) or not hasattr(compat, "conf"),
    reason="Airflow's provider of the tests takes Python 3.11, and a newer common.compat than its first release had",
)


def publish(home: Path, url: str, **more: str) -> None:
    """Let a process tell of a rerun."""
    transport = {"type": "http", "url": url, "endpoint": "api/v1/lineage", "timeout": 2, "retry": {"total": 0}}
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "night",
        "PYTHONPATH": str(openlineage()),
        **more,
    }
    command = [sys.executable, "-m", "tests.airflow3.telemetry.publishing"]
    found = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr


def of_kind(found: Catalogue, kind: str) -> dict[str, Any]:
    """The only event of a type."""
    (event,) = [one for one in found.events if one["eventType"] == kind]
    return event


@NEEDS_PROVIDER
def test_a_catalogue_hears_of_a_rerun_and_of_the_runs_that_it_repairs(tmp_path: Path) -> None:
    with catalogue() as found:
        publish(tmp_path, f"http://127.0.0.1:{found.port}")
    kinds = [one["eventType"] for one in found.events]
    assert kinds == ["OTHER", "START", "COMPLETE", "FAIL", "ABORT"], "as they were told"
    begun, done = of_kind(found, "START"), of_kind(found, "COMPLETE")
    assert begun["job"]["namespace"] == "night"
    assert begun["job"]["name"] == done["job"]["name"] == "a.rerun_downstream"
    assert begun["run"]["runId"] == done["run"]["runId"] == str(uuid.UUID(begun["run"]["runId"]))
    parent = begun["run"]["facets"]["parent"]
    assert (parent["job"]["namespace"], parent["job"]["name"]) == ("night", "a")
    repaired = of_kind(found, "OTHER")
    assert repaired["job"]["name"] == "a"
    assert repaired["run"]["runId"] != parent["run"]["runId"], "it was cleared since"
    tags = {tag["key"]: tag["value"] for tag in repaired["run"]["facets"]["tags"]["tags"]}
    assert tags["repaired_by"] == "rerun 1"
    assert repaired["run"]["facets"]["rerunDownstream"]["runId"] == begun["run"]["runId"]
    assert "parent" not in repaired["run"]["facets"], "a catalogue would make another job of it"
    assert done["eventTime"] > begun["eventTime"]


@NEEDS_PROVIDER
def test_of_dags_that_must_ask_for_it_nothing_is_sent(tmp_path: Path) -> None:
    with catalogue() as found:
        publish(tmp_path, f"http://127.0.0.1:{found.port}", AIRFLOW__OPENLINEAGE__SELECTIVE_ENABLE="True")
    assert found.events == [], "neither of runs nor of reruns, which name their source"


@NEEDS_PROVIDER
def test_a_catalogue_that_does_not_answer_holds_nobody_up_for_long(tmp_path: Path) -> None:
    with catalogue(delay=60) as found:
        publish(tmp_path, f"http://127.0.0.1:{found.port}")
        assert found.events == [], "it has answered nothing, and the process has ended"


def test_without_the_provider_nothing_is_sent() -> None:
    assert not run_events.switched_on()
