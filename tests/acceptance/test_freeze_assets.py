"""Freeze mode for runs that assets start: none while frozen, and afterwards just the natural ones.

One asset, two assets, a partition. The rerun is paused while the upstreams go through another cycle.
"""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tests.acceptance.factory import DAGS, Factory, sources
from tests.live.harness import Json, StartAirflow

pytestmark = pytest.mark.acceptance

PARTITIONS = not version("apache-airflow-core").startswith("3.1.")
FROZEN = ("single", "both", *(("partitioned",) if PARTITIONS else ()))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def factory(
    request: pytest.FixtureRequest, start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory
) -> Factory:
    gate = tmp_path_factory.mktemp("gate") / "open"
    gate.touch()
    airflow = start_airflow(dags=[DAGS], database=request.param, env={"GATE": str(gate)})
    return Factory(airflow, partitions=PARTITIONS)


def freeze(factory: Factory, dag_id: str, run_id: str, *consumers: str) -> int:
    """Submit a rerun of a run alone that holds the next runs of its consumers, and pause it.

    The Dag is paused until then: the rerun must not be over before.
    """
    frozen = [{"dag_id": each, "next": True} for each in consumers]
    factory.client.pause(dag_id)
    rerun = factory.submit(source={"dag_id": dag_id, "run_id": run_id}, members=[], freeze_mode=True, frozen=frozen)
    factory.call("POST", f"/reruns/{rerun['id']}/pause")
    factory.client.unpause(dag_id)
    return int(rerun["id"])


def resume(factory: Factory, rerun_id: int) -> Json:
    """Let a rerun go on to its end."""
    factory.call("POST", f"/reruns/{rerun_id}/resume")
    ended = factory.wait_ended(rerun_id)
    assert ended["state"] == "succeeded", ended
    return ended


def test_no_run_while_frozen_and_the_natural_one_afterwards(factory: Factory) -> None:
    first = factory.cycle("make", "single", "second", "aliased")
    first |= factory.cycle("other", "both")
    rerun = freeze(factory, "make", first["make"], "single", "both")
    before = factory.counts()
    then = factory.cycle("make", "aliased")
    then |= factory.cycle("other")
    factory.settle()
    held = factory.counts()
    assert (held["single"], held["both"]) == (before["single"], before["both"])
    assert factory.queued() == []

    before = factory.counts()
    resume(factory, rerun)
    then |= factory.next_runs(before, {"single": "success", "second": "success", "both": "success"})
    factory.settle()
    after = factory.counts()
    assert after["single"] == before["single"] + 1
    assert after["both"] == before["both"] + 1
    assert factory.consumed("single", then["single"]) == sources(make=(then["make"], 1))
    assert factory.consumed("both", then["both"]) == sources(make=(then["make"], 1), other=(then["other"], 1))
    assert factory.queued() == []
    assert factory.rows("select * from rerun_downstream_hold") == []
    assert factory.rows("select * from rerun_downstream_parked") == []


def test_half_a_condition_that_stands_already_waits_too(factory: Factory) -> None:
    """The wrong run has filled half of a condition; the other half comes while the Dag is frozen."""
    first = factory.cycle("make", "single", "second", "aliased")
    plan = factory.plan(source={"dag_id": "make", "run_id": first["make"]})
    assert [run["dag_id"] for run in plan["runs"] if not run["exists"] and run["next"]].count("both") == 1
    assert "upcoming_run" in {warning["code"] for warning in plan["warnings"]}
    rerun = freeze(factory, "make", first["make"], "both")
    before = factory.counts()
    then = factory.cycle("other")
    factory.settle()
    assert factory.counts()["both"] == before["both"]
    resume(factory, rerun)
    made = factory.next_runs(before, {"both": "success"})["both"]
    factory.settle()
    # The repeated event stands where the wrong one stood: the run reads both, as every rerun consumer does.
    assert set(factory.consumed("both", made)) == {("make", first["make"]), ("other", then["other"])}
    assert factory.queued() == []


@pytest.mark.skipif(not PARTITIONS, reason="Airflow 3.1 has no partitioned assets")
def test_a_partition_waits(factory: Factory) -> None:
    first = factory.scheduled_partition()
    rerun = freeze(factory, "parts", first["parts"], "partitioned")
    before = factory.counts()
    factory.client.trigger("parts", partition_key=f"2026-01-{before['parts']:02}T00:00:00")
    made = factory.next_runs(before, {"parts": "success"})
    factory.settle()
    assert factory.counts()["partitioned"] == before["partitioned"]
    resume(factory, rerun)
    made |= factory.next_runs(before, {"partitioned": "success"})
    factory.settle()
    assert factory.counts()["partitioned"] == before["partitioned"] + 1
    assert factory.consumed("partitioned", made["partitioned"]) == sources(parts=(made["parts"], 1))


def test_termination_lets_it_go(factory: Factory) -> None:
    first = factory.cycle("make", "single", "second", "aliased")
    rerun = freeze(factory, "make", first["make"], "single")
    before = factory.counts()
    then = factory.cycle("make", "aliased")
    factory.settle()
    assert factory.counts()["single"] == before["single"]
    factory.call("POST", f"/reruns/{rerun}/terminate")
    factory.wait_ended(rerun)
    made = factory.next_runs(before, {"single": "success", "second": "success"})
    assert factory.consumed("single", made["single"]) == sources(make=(then["make"], 1))
