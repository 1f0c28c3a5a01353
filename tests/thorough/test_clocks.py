"""A conductor whose clock is an hour ahead, or behind, beside conductors whose clocks are right.

Only that process's clock is faked, its monotonic one isn't. What is looked at is what the tasks' processes wrote.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from tests.acceptance.story import Story
from tests.live.harness import Json, LiveAirflow, StartAirflow, wait_until
from tests.thorough.setup import need

pytestmark = [pytest.mark.live, pytest.mark.postgres]

DAGS = Path(__file__).parent / "dags_clocks"
TAKEN_OVER = 30.0
MARGIN = 0.5
"""Seconds by which two processes that write every 0.2 s may seem to touch."""


class Conductors:
    """Processes beside an Airflow; each writes a log."""

    def __init__(self, airflow: LiveAirflow, folder: Path) -> None:
        self.airflow = airflow
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *, off: str | None = None) -> subprocess.Popen[bytes]:
        """A conductor; ``off``: by how much its clock is."""
        fake = [] if off is None else [need("faketime", "faketime"), "-f", off]
        command = [*fake, sys.executable, "-m", "airflow_rerun_downstream.cli.main", "conductor"]
        environment = {**self.airflow.environment(), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with (self.folder / f"{name}.log").open("wb") as log:
            made = subprocess.Popen(
                command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.started.append(made)
        return made

    def log(self, name: str) -> str:
        """What one has said so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        """End what still runs."""
        for one in self.started:
            if one.poll() is None:
                for process in (*psutil.Process(one.pid).children(recursive=True), psutil.Process(one.pid)):
                    process.kill()
            one.wait()


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines") / "lines"


@pytest.fixture(scope="module")
def story(start_airflow: StartAirflow, lines: Path) -> Story:
    need("faketime", "faketime")
    env = {
        "CLOCKS_LINES": str(lines),
        "AIRFLOW__RERUN_DOWNSTREAM__CONDUCTOR": "external",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    }
    airflow = start_airflow(database="postgresql", dags=[DAGS], env=env)
    airflow.wait_for_dags("source", "slow")
    found = Story(airflow)
    found.client.make_history({"source": 1, "slow": 1})
    return found


@pytest.fixture
def conductors(story: Story, tmp_path: Path) -> Iterator[Conductors]:
    wait_until(lambda: leader(story) is None, 2 * TAKEN_OVER, "the lease of an earlier test's conductor to end")
    found = Conductors(story.airflow, tmp_path)
    yield found
    found.stop()


def component(story: Story, name: str) -> Json:
    found: Json = story.call("GET", "/health")["components"][name]
    return found


def leader(story: Story) -> int | None:
    """The process that leads, by the lease."""
    (row,) = story.rows("select owner from rerun_downstream_lease where expires_at > now()") or [(None,)]
    return None if row[0] is None else int(str(row[0]).split(":")[1])


def lives(lines: Path) -> list[tuple[float, float]]:
    """When each process of the slow task wrote first and last."""
    found: dict[str, list[float]] = {}
    for line in lines.read_text().splitlines():
        pid, at = line.split()
        found.setdefault(pid, []).append(float(at))
    return sorted((min(times), max(times)) for times in found.values())


def pid_of(process: subprocess.Popen[bytes]) -> int:
    """The conductor's own process: faketime replaces itself by it, or is its parent."""
    children = psutil.Process(process.pid).children()
    return children[0].pid if children else process.pid


@pytest.mark.parametrize(("off", "said"), [("+1h", "ahead of"), ("-1h", "behind")])
def test_nothing_runs_twice_and_somebody_leads(
    story: Story, conductors: Conductors, lines: Path, off: str, said: str
) -> None:
    wrong = conductors.start("wrong", off=off)
    wait_until(lambda: "doesn't lead" in conductors.log("wrong"), 120, "the wrong one to say so")
    assert re.search(rf"clock=.3[56]\d\d s {said} the database's", conductors.log("wrong"))
    assert leader(story) is None
    named = wait_until(lambda: component(story, "clocks"), 60, "health")
    wait_until(lambda: said in component(story, "clocks")["detail"], 60, f"health to name it, not {named}")
    assert f":{pid_of(wrong)}:" in component(story, "clocks")["detail"]
    assert component(story, "conductor")["status"] == "unhealthy"

    right = {name: conductors.start(name) for name in ("one", "two")}
    wait_until(lambda: leader(story) is not None, TAKEN_OVER + 60, "one of the right ones to lead")
    pids = {pid_of(each): name for name, each in right.items()}
    assert leader(story) in pids

    before = len(lives(lines))
    story.client.clear("slow", story.run_id("slow"))
    wait_until(lambda: len(lives(lines)) > before, 90, "the task to run")
    ref = {"dag_id": "slow", "run_id": story.run_id("slow")}
    body = {"rerun_source": False, "freeze_mode": True, "members": [ref]}
    rerun = story.call("POST", "/reruns", json={"source": story.source("source"), **body})["id"]
    story.wait_members(rerun, lambda found: found["slow"]["state_reason"] == "tasks_are_ending", "the stop")

    first = leader(story)
    assert first in pids
    os.kill(first, 9)
    killed = time.monotonic()
    wait_until(lambda: leader(story) not in (None, first), TAKEN_OVER, "a take-over", interval=0.2)
    print(f"\nclock {off}: taken over {time.monotonic() - killed:.1f} s after the kill")
    assert leader(story) in pids

    assert story.wait_ended(rerun, timeout=240)["state"] == "succeeded"
    found = lives(lines)[before:]
    assert len(found) == 2, "the one that was stopped, and the one of the rerun"
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(found)]
    print(f"clock {off}: {gaps[0]:.1f} s between the end of the stopped process and the start of the next")
    assert all(gap > -MARGIN for gap in gaps), "two processes of one task at once"
    assert conductors.log("wrong").count("doesn't lead") == 1, "it is said once"
    assert wrong.poll() is None
