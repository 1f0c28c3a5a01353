"""A diamond with an asset hop, a sensor hop with a delta, a trigger hop and a marker, rerun on a live Airflow.

Every selected task runs exactly once more, none before every upstream member has succeeded, and no other run or
task is touched.
"""

from __future__ import annotations

import pytest

from tests.acceptance.estimated import told_all_along
from tests.acceptance.order import LINKS, SELECTED, rerun_in_order_once
from tests.acceptance.story import DAGS, DIAMOND, Story
from tests.live.harness import StartAirflow

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, start_airflow: StartAirflow) -> Story:
    story = Story(start_airflow(dags=[DAGS], database=request.param))
    story.make_history()
    return story


def test_the_diamond_is_rerun_in_order_once(story: Story) -> None:
    rerun_in_order_once(story)


def test_the_runs_and_airflows_log_name_the_rerun(story: Story) -> None:
    (rerun,) = story.call("GET", "/reruns")["reruns"]
    for dag_id in SELECTED:
        (run,) = story.client.dag_runs(dag_id)
        assert f"{rerun['id']}" in run["note"]
    logged = story.rows("select dag_id, event, owner from log where event like 'rerun_downstream%'")
    assert ("up", "rerun_downstream.submit", "admin") in logged
    assert {dag_id for dag_id, event, _ in logged if event == "rerun_downstream.dispatch"} == set(SELECTED)


def test_a_second_rerun_finds_the_same_adds_nothing_and_tells_its_end_all_along(story: Story) -> None:
    runs = {dag_id: len(story.client.dag_runs(dag_id)) for dag_id in DIAMOND}
    rerun = story.submit()
    told_all_along(story, rerun["id"], {link[:2] for link in LINKS})
    assert len(story.members(rerun["id"])) == len(SELECTED)
    assert {dag_id: len(story.client.dag_runs(dag_id)) for dag_id in DIAMOND} == runs
