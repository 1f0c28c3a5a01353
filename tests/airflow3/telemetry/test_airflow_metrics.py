"""Metrics reach a StatsD server by Airflow's own client, under the names that the list has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream import host
from airflow_rerun_downstream.airflow3.telemetry import airflow_telemetry, run_events
from airflow_rerun_downstream.airflow3.telemetry.airflow_metrics import AirflowMetrics, gauges
from airflow_rerun_downstream.airflow3.telemetry.airflow_telemetry import AirflowTelemetry
from airflow_rerun_downstream.airflow3.telemetry.lane import Lane
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.metrics import METRICS, ErrorKind, MetricKind
from airflow_rerun_downstream.ports.telemetry import Standing
from dev.waiting import wait_until
from tests.airflow3.telemetry.receivers import StatsDServer, statsd_server

ROOT = Path(__file__).resolve().parents[3]
STATSD_KINDS = {MetricKind.COUNTER: "c", MetricKind.GAUGE: "g", MetricKind.TIMER: "ms"}


def publish(tmp_path: Path, *, section: str = "METRICS", **env: str) -> str:
    """What a process prints that tells of everything."""
    settings = {f"AIRFLOW__{section}__{name}": value for name, value in env.items()}
    found = subprocess.run(
        [sys.executable, "-m", "tests.airflow3.telemetry.publishing"],
        cwd=ROOT,
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO", **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout + found.stderr  # Airflow 3.1 logs there


def statsd(server: StatsDServer, **more: str) -> dict[str, str]:
    return {"STATSD_ON": "True", "STATSD_HOST": "127.0.0.1", "STATSD_PORT": str(server.port), **more}


def test_every_metric_arrives_by_its_name(tmp_path: Path) -> None:
    with statsd_server() as server:
        publish(tmp_path, **statsd(server))
        expected = {f"airflow.{one.name}": STATSD_KINDS[one.kind] for one in METRICS}
        wait_until(lambda: server.names >= expected.keys(), 10, "every metric")
    assert {name: kind for name, _, kind in server.lines if ".rerun_downstream." in name} == expected
    assert server.values("airflow.rerun_downstream.tick.duration") == [250.0]
    assert server.values("airflow.rerun_downstream.plan.runs") == [7.0]
    assert server.values("airflow.rerun_downstream.active_reruns.running") == [1.0, 0.0]
    assert server.values("airflow.rerun_downstream.oldest_frozen_age") == [3600.0, 0.0]
    assert server.values("airflow.rerun_downstream.rerun.duration") == [60_000.0] * 3


def test_prefix_and_allow_list_hold_for_them(tmp_path: Path) -> None:
    with statsd_server() as server:
        allowed = r"rerun_downstream\.errors"
        publish(tmp_path, **statsd(server, STATSD_PREFIX="night", METRICS_ALLOW_LIST=allowed))
        expected = {f"night.rerun_downstream.errors.{kind.value}" for kind in ErrorKind}
        wait_until(lambda: server.names >= expected, 10, "the errors")
    assert server.names == expected


def test_nothing_is_published_where_airflow_publishes_nothing() -> None:
    assert airflow_telemetry.serving().metrics is None


def test_a_configuration_that_cannot_be_read_is_nobodys_problem(mocker: MockerFixture) -> None:
    mocker.patch("airflow.configuration.conf.getboolean", side_effect=ValueError("not a boolean"))
    mocker.patch.object(run_events, "find_spec", side_effect=ModuleNotFoundError("airflow.providers"))
    made = airflow_telemetry.serving()
    assert (made.metrics, made.run_events, made.traces) == (None, None, False)


def test_lines_of_the_log_have_their_fields_by_name(tmp_path: Path) -> None:
    """By Airflow's own configuration of logging."""
    found = publish(tmp_path)
    line = next(one for one in found.splitlines() if "eve\\n" in one)
    assert "rerun_id=7" in line
    assert "member_id" not in line
    assert "ValueError: no such table" in found


def test_lines_in_json_have_them_as_members(tmp_path: Path) -> None:
    found = publish(tmp_path, section="LOGGING", JSON_LOGS="True").splitlines()
    if host.airflow_version() == (3, 1):
        assert not any(one.startswith("{") for one in found), "it has no such option yet"
        return
    (told,) = [json.loads(one) for one in found if "eve\\n" in one]
    assert (told["event"], told["rerun_id"], told["actor"]) == ("submit", 7, "eve\nsubmit rerun_id=8")
    (broken,) = [json.loads(one) for one in found if '"step_failed"' in one]
    assert (broken["level"], broken["member_id"]) == ("error", 3)
    assert "no such table" in json.dumps(broken["exception"])


class Recorded:
    """Airflow's client, as a list."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, float]] = []

    def __getattr__(self, method: str) -> Callable[[str, float], None]:
        return lambda name, value: self.calls.append((method, name, value))


class Straight(Lane):
    """A lane that does calls at once."""

    def put(self, call: Callable[[], None]) -> None:
        call()


def published() -> tuple[AirflowMetrics, Recorded]:
    client = Recorded()
    return AirflowMetrics(Straight("test"), lambda: client), client


def test_gauges_are_published_when_they_change_and_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, client = published()
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    every = len(gauges(Standing()))
    looks = ((100.0, 1, every), (101.0, 1, 0), (102.0, 2, every), (106.0, 2, 0), (107.0, 2, every))
    for now, reruns, expected in looks:
        client.calls.clear()
        metrics.stands(Standing({RerunState.RUNNING: reruns}))
        assert len(client.calls) == expected, now


def test_who_stops_leading_publishes_zeros_once() -> None:
    metrics, client = published()
    metrics.stands(None)
    assert client.calls == [], "it has never led"
    metrics.stands(Standing({RerunState.RUNNING: 3}, oldest_frozen=timedelta(hours=1)))
    client.calls.clear()
    metrics.stands(None)
    assert {value for _, _, value in client.calls} == {0}
    assert len(client.calls) == len(gauges(Standing()))
    client.calls.clear()
    metrics.stands(None)
    assert client.calls == []


def test_a_client_that_raises_is_left_alone_and_nobody_notices(caplog: pytest.LogCaptureFixture) -> None:
    asked = []

    def broken() -> Any:
        asked.append(1)
        raise OSError("no such host")

    telemetry = AirflowTelemetry(AirflowMetrics(Lane("test-broken"), broken))
    for _ in range(100):
        telemetry.failed(ErrorKind.STEP)
    assert telemetry.metrics is not None
    wait_until(lambda: telemetry.metrics.lane.rests_until > 0, 5, "the rest")
    telemetry.metrics.lane.drain(5)
    assert len(asked) == 3
    assert len([one for one in caplog.records if "no such host" in str(one.exc_info)]) == 1
