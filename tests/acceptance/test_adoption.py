"""Trigger tasks that a person selects on purpose: what they make takes the old runs' place, and nothing runs twice.

On SQLite the conductor looks seldom, and each run has emitted its asset events before it is adopted; on PostgreSQL it
looks often, and the runs are slow: they emit afterwards.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.story import Story, Try
from tests.live.harness import Json, StartAirflow, wait_until

pytestmark = pytest.mark.acceptance

CHILDREN = {"made": "fire", "further": "hand_on", "kept": "renew", "awaited": "accompany"}
"""The Dags of the runs that are triggered, each with the task that does so."""

ANEW = ("made", "further", "awaited")
READERS = tuple(f"{dag_id}_reader" for dag_id in CHILDREN)
PACE = {"sqlite": ("4", "0.3"), "postgresql": ("0.5", "3")}
"""The conductor's interval and how long a task takes, in seconds."""

TASKS = ["prepare", "fire", "renew", "accompany"]


class Adoption(Story):
    """A live Airflow with one run of each Dag."""

    def make_history(self) -> None:
        dags = ("parent", *CHILDREN, *READERS)
        self.airflow.wait_for_dags(*dags, "sentinel")
        self.client.unpause("sentinel")
        self.client.make_history(dict.fromkeys(dags, 1))

    def source(self, dag_id: str = "parent") -> Json:
        return super().source(dag_id)

    def settle(self) -> None:
        """Wait until the scheduler has made every run that the asset events so far call for, and all have ended."""
        wait_until(self.is_idle, 90, "all runs to end")
        seen = len(self.client.dag_runs("sentinel"))
        (asset,) = (one["id"] for one in self.client.pages("/api/v2/assets", "assets") if "sentinel" in one["uri"])
        self.client.call("POST", "/api/v2/assets/events", json={"asset_id": asset})
        self.client.wait_for_runs("sentinel", seen + 1)
        wait_until(self.is_idle, 90, "all runs to end")

    def is_idle(self) -> bool:
        return self.rows("select 1 from dag_run where state in ('queued', 'running')") == []

    def counts(self) -> Counter[str]:
        """How many runs each Dag has."""
        return Counter(dag_id for (dag_id,) in self.rows("select dag_id from dag_run where dag_id <> 'sentinel'"))


@dataclass
class Outcome:
    """What a rerun with all trigger tasks did."""

    plan: Json
    rerun: Json
    members: dict[str, Json]
    events: list[Json]
    before: dict[tuple[str, str, str], Try]
    after: dict[tuple[str, str, str], Try]


@pytest.fixture(scope="module", params=list(PACE))
def story(request: pytest.FixtureRequest, start_airflow: StartAirflow) -> Adoption:
    interval, seconds = PACE[request.param]
    pace = {"AIRFLOW__RERUN_DOWNSTREAM__POLL_INTERVAL": interval, "TASK_SECONDS": seconds}
    dags = Path(__file__).parent / "dags_adoption"
    story = Adoption(start_airflow(dags=[dags], database=request.param, env=pace))
    story.make_history()
    story.settle()
    return story


@pytest.fixture(scope="module")
def outcome(story: Adoption) -> Outcome:
    before, plan = story.tries(), story.plan(task_ids=TASKS)
    submitted = story.submit(task_ids=TASKS)
    rerun = story.wait_ended(submitted["id"])
    story.settle()
    members, events = story.members(rerun["id"]), story.call("GET", f"/reruns/{rerun['id']}/events")["events"]
    return Outcome(plan, rerun, members, events, before, story.tries())


def test_the_plan_says_what_the_tasks_will_make(outcome: Outcome) -> None:
    told = {one["task_id"]: one["detail"] for one in outcome.plan["warnings"] if one["code"] == "makes_a_new_run"}
    assert told.keys() == {"fire", "renew", "accompany", "hand_on"}, "all of what is made runs, too"
    assert all("in place of" in detail for detail in told.values())


def test_the_rerun_succeeds_with_every_run_in_it(outcome: Outcome) -> None:
    assert outcome.rerun["state"] == "succeeded"
    assert {dag_id: one["state"] for dag_id, one in outcome.members.items()} == dict.fromkeys(
        ("parent", *CHILDREN, *READERS), "succeeded"
    )


def test_each_task_makes_one_run_and_no_more(outcome: Outcome, story: Adoption) -> None:
    expected = dict.fromkeys(("parent", "kept", *READERS), 1) | dict.fromkeys(ANEW, 2)
    assert story.counts() == expected
    assert story.rows("select * from asset_dag_run_queue") == []


@pytest.mark.parametrize("dag_id", ANEW)
def test_the_member_shows_the_new_run(outcome: Outcome, story: Adoption, dag_id: str) -> None:
    old, new = sorted(story.client.dag_runs(dag_id), key=lambda run: str(run["run_after"]))
    member = outcome.members[dag_id]
    assert (member["run_id"], member["original_run_id"]) == (new["dag_run_id"], old["dag_run_id"])
    for (dag, run_id, task_id), one in outcome.after.items():
        if (dag, run_id) == (dag_id, old["dag_run_id"]):
            assert one == outcome.before[dag, run_id, task_id], "the old run was touched"
        if (dag, run_id) == (dag_id, new["dag_run_id"]):
            assert (one.number, one.state) == (1, "success"), "the new run was run once"


def test_the_run_that_was_cleared_stays(outcome: Outcome) -> None:
    member = outcome.members["kept"]
    assert member["run_id"] == member["original_run_id"]
    assert outcome.after["kept", member["run_id"], "make"].number == 2


@pytest.mark.parametrize("dag_id", CHILDREN)
def test_the_record_tells_of_the_adoption(outcome: Outcome, dag_id: str) -> None:
    member = outcome.members[dag_id]
    (told,) = (one for one in outcome.events if (one["action"], one["member_id"]) == ("member_adopted", member["id"]))
    assert CHILDREN[dag_id] in told["detail"]
    assert dag_id == "kept" or member["run_id"] in told["detail"]
    dispatched = {one["member_id"] for one in outcome.events if one["action"] == "member_dispatched"}
    assert member["id"] not in dispatched


@pytest.mark.parametrize("dag_id", CHILDREN)
def test_the_reader_runs_once_more_and_after_it(outcome: Outcome, dag_id: str) -> None:
    member, reader = outcome.members[dag_id], outcome.members[f"{dag_id}_reader"]
    read = outcome.after[f"{dag_id}_reader", reader["run_id"], "read"]
    made = outcome.after[dag_id, member["run_id"], "make"]
    assert read.number == 2
    assert read.start is not None
    assert made.end is not None
    assert read.start >= made.end


def test_a_run_that_is_not_selected_is_made_beside_the_rerun(outcome: Outcome, story: Adoption) -> None:
    before = story.counts()
    submitted = story.submit(task_ids=["fire"], members=[])
    (told,) = (one for one in submitted["warnings"] if one["code"] == "makes_a_new_run")
    assert "isn't selected" in told["detail"]
    assert story.wait_ended(submitted["id"])["state"] == "succeeded"
    story.settle()
    assert story.members(submitted["id"]).keys() == {"parent"}
    assert story.counts() - before == dict.fromkeys(("made", "made_reader", "further", "further_reader"), 1)
