"""Freeze mode on a live Airflow: what isn't ready waits, what runs is stopped, and nothing is lost.

The runs that time starts are held by the scheduler's hook, so these tests wait for real due times.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.acceptance.freezing import Frozen, lateness
from tests.acceptance.story import AWAY, moment
from tests.live.harness import Json, StartAirflow, wait_until

pytestmark = pytest.mark.acceptance

MINUTE = timedelta(minutes=1)
CRON = ("minutely", "latest_only", "one_at_a_time")
QUICK = ("quick", "quick_too", "quick_three")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def frozen(
    request: pytest.FixtureRequest, start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory
) -> Frozen:
    folder = tmp_path_factory.mktemp("freeze")
    return Frozen(start_airflow, folder, "stubborn", database=request.param)


@pytest.fixture(autouse=True)
def by_itself(frozen: Frozen) -> Iterator[None]:
    """Each test begins with nothing waiting, and leaves no Dag running for the next one."""
    for name in ("wait", "fail", "stubborn"):
        frozen.file(name).unlink(missing_ok=True)
    yield
    frozen.client.pause(*CRON, *QUICK, "drifting")


def test_the_next_run_of_a_cron_dag_is_held_and_then_runs_as_if_nothing_had_been(frozen: Frozen) -> None:
    """Frozen before it is made, through two due times; later runs of its Dag go on, none is lost."""
    rerun, upcoming = frozen.freeze_running(*CRON, name="wrong rate")
    frozen.wait_held(rerun, *CRON)
    for dag_id in ("minutely", "latest_only"):
        frozen.wait_later_runs(dag_id, upcoming[dag_id]["logical_date"], 2)
    members = frozen.frozen_members(rerun)
    for dag_id, run in upcoming.items():
        held = members[dag_id]
        assert (held["state"], held["state_reason"]) == ("frozen", "held")
        assert lateness(held, run, "run_after") == lateness(held, run, "logical_date"), "the true ready time"
        assert dag_id == "latest_only" or moment(held["logical_date"]) == moment(run["logical_date"])
        assert frozen.never_started(dag_id, held["run_id"])
        note = frozen.client.dag_run(dag_id, held["run_id"])["note"]
        assert f"{rerun}" in note
    assert frozen.call("GET", "/reruns", params={"frozen": True})["total_entries"] == 1
    listed = frozen.airflow.run_module("airflow_rerun_downstream.cli.main", "list", "--frozen")
    assert all(held["run_id"][:20] in listed for held in members.values())
    later = [run for run in frozen.client.dag_runs("one_at_a_time") if later_than(run, upcoming["one_at_a_time"])]
    assert later == [], "a held run counts towards max_active_runs, as documented"

    frozen.go_on()
    assert frozen.wait_ended(rerun)["state"] == "succeeded"
    assert {one["state"] for one in frozen.frozen_members(rerun).values()} == {"released"}
    for dag_id, run in upcoming.items():
        made = frozen.wait_natural(dag_id, run)
        assert made["dag_run_id"] == members[dag_id]["run_id"]
        assert made["run_type"] == "scheduled"
    frozen.wait_later_runs("one_at_a_time", upcoming["one_at_a_time"]["logical_date"], 2)
    assert frozen.no_gap("minutely", MINUTE)
    assert frozen.no_gap("one_at_a_time", MINUTE)
    assert frozen.no_gap("latest_only", MINUTE)
    assert (frozen.holds(), frozen.held_runs()) == ([], [])


def later_than(run: Json, other: Json) -> bool:
    """Whether a run's logical date comes after another one's."""
    return moment(run["logical_date"]) > moment(other["logical_date"])  # type: ignore[operator]


def test_what_airflow_makes_in_place_of_a_frozen_run_is_held(frozen: Frozen) -> None:
    """Without catchup a Dag that is paused for a while gets a later date."""
    rerun, upcoming = frozen.freeze("drifting", lead=None)
    foreseen = upcoming["drifting"]

    def passed_over() -> bool:
        dag = frozen.client.call("GET", "/api/v2/dags/drifting")
        return later_than({"logical_date": dag["next_dagrun_logical_date"]}, foreseen)

    wait_until(passed_over, 180, "the Dag processor to look again", ignore=AWAY)
    frozen.client.unpause("drifting")
    held = frozen.wait_held(rerun, "drifting")["drifting"]
    assert later_than(held, foreseen)
    frozen.wait_later_runs("drifting", held["logical_date"], 1)
    assert frozen.frozen_members(rerun)["drifting"]["state_reason"] == "held"
    assert frozen.never_started("drifting", held["run_id"])
    told = [event["detail"] for event in frozen.call("GET", f"/reruns/{rerun}/events")["events"]]
    assert any("in place of" in (detail or "") for detail in told)
    frozen.go_on()
    frozen.wait_state(rerun, "succeeded")
    assert frozen.wait_natural("drifting", foreseen)["dag_run_id"] == held["run_id"]
    assert (frozen.holds(), frozen.held_runs()) == ([], [])


def test_failure_keeps_what_is_frozen_and_a_resume_that_succeeds_lets_it_go(frozen: Frozen) -> None:
    rerun, upcoming = frozen.freeze_running("quick")
    frozen.file("fail").touch()
    frozen.wait_held(rerun, "quick")
    frozen.go_on()
    frozen.wait_state(rerun, "failed")
    held = frozen.frozen_members(rerun)["quick"]
    frozen.wait_later_runs("quick", held["logical_date"], 2)
    held = frozen.frozen_members(rerun)["quick"]
    assert held["state"] == "frozen"
    assert frozen.never_started("quick", held["run_id"])
    frozen.file("fail").unlink()
    frozen.call("POST", f"/reruns/{rerun}/resume")
    frozen.wait_state(rerun, "succeeded")
    assert frozen.wait_natural("quick", upcoming["quick"])["dag_run_id"] == held["run_id"]


def test_termination_lets_it_go_at_once(frozen: Frozen) -> None:
    rerun, upcoming = frozen.freeze_running("quick", "quick_too")
    frozen.wait_held(rerun, "quick")
    frozen.call("POST", f"/reruns/{rerun}/terminate")
    frozen.wait_state(rerun, "terminated")
    assert (frozen.holds(), frozen.held_runs()) == ([], [])
    for dag_id, run in upcoming.items():
        frozen.wait_natural(dag_id, run)


def test_a_person_lets_one_go_and_then_everything(frozen: Frozen) -> None:
    rerun, upcoming = frozen.freeze_running("quick", "quick_too")
    members = frozen.wait_held(rerun, "quick", "quick_too")
    frozen.call("POST", f"/reruns/{rerun}/members/{members['quick']['id']}/release")
    assert frozen.wait_natural("quick", upcoming["quick"])["dag_run_id"] == members["quick"]["run_id"]
    assert frozen.never_started("quick_too", members["quick_too"]["run_id"])
    frozen.airflow.run_module("airflow_rerun_downstream.cli.main", "release", "--all", "--wait", "--timeout", "120")
    assert frozen.wait_natural("quick_too", upcoming["quick_too"])["dag_run_id"] == members["quick_too"]["run_id"]
    frozen.go_on()
    frozen.wait_state(rerun, "succeeded")


def test_what_a_person_does_to_a_held_run_breaks_nothing(frozen: Frozen) -> None:
    """Cleared, marked, deleted in Airflow's own UI: the record says what happened."""
    rerun, upcoming = frozen.freeze_running(*QUICK)
    members = frozen.wait_held(rerun, *QUICK)
    cleared, marked, deleted = (members[dag_id]["run_id"] for dag_id in QUICK)
    frozen.client.clear("quick", cleared)
    frozen.client.set_run_state("quick_too", marked, "success")
    frozen.client.call("DELETE", f"/api/v2/dags/quick_three/dagRuns/{deleted}")
    frozen.wait_members(rerun, lambda found: found["quick_three"]["state"] == "released", "the deletion to be noticed")
    frozen.wait_members(rerun, lambda found: found["quick_too"]["state"] == "released", "the mark to be noticed")
    found = frozen.frozen_members(rerun)
    assert found["quick_too"]["state_reason"] == "marked_by_hand"
    assert found["quick_three"]["state_reason"] == "run_gone"
    assert found["quick"]["state"] == "frozen", "a clear doesn't let it go"
    assert frozen.never_started("quick", cleared)
    kept = frozen.client.dag_run("quick_too", marked)
    assert (kept["state"], moment(kept["run_after"])) == ("success", moment(members["quick_too"]["run_after"]))
    frozen.go_on()
    frozen.wait_state(rerun, "succeeded")
    assert frozen.wait_natural("quick", upcoming["quick"])["dag_run_id"] == cleared
    for dag_id in QUICK:
        frozen.wait_later_runs(dag_id, upcoming[dag_id]["logical_date"], 1)
    assert (frozen.holds(), frozen.held_runs()) == ([], [])


def test_a_running_run_is_stopped_and_rerun_in_its_turn(frozen: Frozen) -> None:
    """Its task ignores SIGTERM; two processes of it never live at the same time, and no retry is lost."""
    (run,) = frozen.client.dag_runs("stubborn")
    frozen.file("stubborn").touch()
    frozen.client.clear("stubborn", run["dag_run_id"])
    lives = frozen.folder.glob
    before = set(lives("stubborn-*"))
    (first,) = wait_until(lambda: set(lives("stubborn-*")) - before or None, 90, "the task to run")
    ti = task_of(frozen, run)
    left = ti["max_tries"] - ti["try_number"]

    frozen.file("wait").touch()
    member = {"dag_id": "stubborn", "run_id": run["dag_run_id"]}
    rerun = frozen.submit(members=[member], freeze_mode=True)["id"]
    frozen.wait_members(rerun, lambda found: found["stubborn"]["state"] == "pending", "the run to have ended")
    ended = float(first.read_text().split()[-1])
    frozen.file("stubborn").unlink()
    frozen.go_on()
    assert frozen.wait_ended(rerun)["state"] == "succeeded"

    later = [each for each in set(lives("stubborn-*")) - before - {first} if each.exists()]
    assert len(later) == 1
    assert float(later[0].read_text().split()[0]) > ended, "the two processes overlapped"
    assert first.read_text().split()[-1] == f"{ended}", "the first process lived on"
    ti = task_of(frozen, run)
    assert (ti["state"], ti["max_tries"] - ti["try_number"]) == ("success", left)
    source = frozen.client.task_instances("wrong", frozen.run_id("wrong"))[0]
    assert moment(ti["start_date"]) > moment(source["end_date"]), "it was not its turn"  # type: ignore[operator]


def task_of(frozen: Frozen, run: Json) -> Json:
    """The only task instance of a run."""
    (found,) = frozen.client.task_instances("stubborn", run["dag_run_id"])
    return found
