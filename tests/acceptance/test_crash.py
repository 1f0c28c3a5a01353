"""The api-server is killed between any two steps of a rerun; two of its workers share one conductor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.order import SELECTED
from tests.acceptance.story import AWAY, DAGS, Story
from tests.live.harness import Json, StartAirflow, wait_until

pytestmark = pytest.mark.acceptance


def reached(**wanted: str) -> Callable[[dict[str, Json]], bool]:
    """Whether members have come so far. One may have gone on while nobody looked."""
    order = ["pending", "running", "succeeded"]
    return lambda members: all(
        order.index(members[dag_id]["state"]) >= order.index(state) for dag_id, state in wanted.items()
    )


STEPS = {
    "the submit": reached(),
    "the first dispatch": reached(up="running"),
    "the source's success": reached(up="succeeded"),
    "one side of the diamond": reached(left="succeeded"),
    "both sides": reached(left="succeeded", right="succeeded"),
    "the join": reached(joined="succeeded"),
    "the last dispatch": reached(child="running"),
}


@pytest.fixture(scope="module")
def story(start_airflow: StartAirflow) -> Story:
    airflow = start_airflow(
        dags=[DAGS], database="postgresql", api_workers=2, env={"TASK_SECONDS": "1", "TASK_RETRIES": "20"}
    )
    story = Story(airflow)
    story.make_history()
    return story


KILLS = {"from the submit on": tuple(STEPS)[::2], "from the first dispatch on": tuple(STEPS)[1::2]}
"""Every second step, in a rerun of their own: an api-server takes longer to come up than a step takes."""


@pytest.mark.parametrize("steps", KILLS)
def test_a_kill_after_any_step_changes_neither_end_nor_count(story: Story, steps: str) -> None:
    before = clear_numbers(story)
    rerun = story.submit()["id"]
    for step in KILLS[steps]:
        story.wait_members(rerun, STEPS[step], step)
        story.airflow.kill9("api-server")
        story.airflow.start("api-server")
    assert story.wait_ended(rerun)["state"] == "succeeded"
    assert {member["attempt"] for member in story.members(rerun).values()} == {1}
    # Airflow's own retries of tasks that met no api-server are tries too: a clear is what a dispatch is known by.
    cleared = {key: number - before[key] for key, number in clear_numbers(story).items()}
    assert cleared == {key: int(key[0] in SELECTED) for key in before}, "dispatched once each, and no extra run"
    dispatched = story.rows(
        f"select count(*) from rerun_downstream_event where rerun_id = {rerun} and action = 'member_dispatched'"
    )
    assert dispatched == [(len(SELECTED),)]
    assert {one.state for one in story.tries().values()} == {"success"}


def clear_numbers(story: Story) -> dict[tuple[str, str], int]:
    """How often each run was cleared."""
    return {
        (dag_id, run_id): number
        for dag_id, run_id, number in story.rows("select dag_id, run_id, clear_number from dag_run")
    }


def test_two_workers_have_one_conductor(story: Story) -> None:
    def one_leads() -> bool:
        workers = story.rows("select count(*) from rerun_downstream_process where kind = 'api_server'")
        ((owner,),) = story.rows("select owner from rerun_downstream_lease")
        conductor: Json = story.call("GET", "/health")["components"]["conductor"]
        return workers[0][0] >= 2 and conductor["status"] == "healthy" and owner in conductor["detail"]

    wait_until(one_leads, 60, "one of two workers to conduct", ignore=AWAY)
