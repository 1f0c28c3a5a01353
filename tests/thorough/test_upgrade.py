"""One PostgreSQL database goes from Airflow 3.2 over 3.3 to 3.4 while a rerun is in flight.

The rerun holds a run that time starts, and freezes a Dag that assets start, whose events come on each of the versions.
Every step migrates Airflow's tables and ours with the commands of the new version, and loses nothing; after the last
one the rerun goes on in order, and what was frozen is released just as it would have been.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from itertools import pairwise

import pytest

from dev.environment import ROOT
from tests.live.harness import StartAirflow
from tests.thorough.upgrading import CHAIN, PARKED, Upgraded

VERSIONS = ("3.2", "3.3", "3.4")
OVER = ("succeeded", "released")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="Airflow 3.4 needs Python 3.11"),
]


@pytest.fixture(scope="module")
def upgraded(start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    for version in VERSIONS:
        subprocess.run([sys.executable, ROOT / "dev" / "environment.py", version], check=True, cwd=ROOT)
    return Upgraded(start_airflow, tmp_path_factory.mktemp("upgrade"), VERSIONS[0])


def test_nothing_is_lost_and_the_rerun_goes_on(upgraded: Upgraded) -> None:
    upgraded.begin()
    events = [upgraded.event("upgrade://side")]
    before = {dag_id: upgraded.tries_of(dag_id) for dag_id in CHAIN}
    for version, asset in zip(VERSIONS[1:], ("upgrade://other", "upgrade://side"), strict=True):
        upgraded.airflow.stop("scheduler")
        kept = upgraded.kept()
        assert kept["parked"], "an event has come for the frozen Dag"
        upgraded.upgrade(version)
        upgraded.wait_in_the_middle()
        assert upgraded.kept() == kept
        events.append(upgraded.event(asset))
    assert len(upgraded.client.dag_runs("waiting")) == 1
    assert upgraded.never_started("timed", upgraded.held_run)

    upgraded.file("second").unlink()
    upgraded.wait_members(upgraded.rerun, lambda found: all(one["state"] in OVER for one in found.values()), "its end")
    assert upgraded.wait_ended(upgraded.rerun)["state"] == "succeeded"
    went_on_in_order(upgraded, before)
    released_as_it_would_have_been(upgraded, events)


def went_on_in_order(upgraded: Upgraded, before: dict[str, list[tuple[object, ...]]]) -> None:
    """The chain was made anew in its order, each index of a mapped task too; and that is proven."""
    assert {state for dag_id, state in upgraded.states().items() if dag_id in CHAIN} == {"succeeded"}
    after = {dag_id: upgraded.tries_of(dag_id) for dag_id in CHAIN}
    assert [one[:2] for one in after["third"]] == [one[:2] for one in before["third"]]
    assert [one[3] for dag_id in CHAIN for one in after[dag_id]] == ["success"] * (1 + 3 * 4)
    assert [one[2] for one in after["third"]] == [2, 2, 2, 2]
    assert min(one[4] for one in after["third"]) > max(one[5] for one in before["third"])
    for upstream, downstream in pairwise(CHAIN):
        assert min(one[4] for one in after[downstream]) >= max(one[5] for one in after[upstream])
    proof = upgraded.call("GET", f"/reruns/{upgraded.rerun}/proof")
    assert proof["findings"] == []
    older = {(one["dag_id"], one["run_id"]) for one in proof["older"] if one["dag_id"] != "timed"}
    assert older == {("waiting", upgraded.before["dag_run_id"])}, "what was left out is still told"


def released_as_it_would_have_been(upgraded: Upgraded, events: list[int]) -> None:
    """The held run has its own times, and one run of assets has consumed the parked events; nothing stays behind."""
    made = upgraded.wait_natural("timed", upgraded.foreseen)
    assert made["dag_run_id"] == upgraded.held_run
    assert upgraded.no_gap("timed", timedelta(minutes=1))
    _, last = upgraded.client.wait_for_runs("waiting", 2)
    assert upgraded.consumed(last["dag_run_id"]) == events
    assert not set(upgraded.consumed(upgraded.before["dag_run_id"])) & set(events)
    assert (upgraded.holds(), upgraded.held_runs()) == ([], [])
    assert (upgraded.rows(PARKED), upgraded.rows("select * from asset_dag_run_queue")) == ([], [])
    assert len(upgraded.client.dag_runs("waiting")) == 2
