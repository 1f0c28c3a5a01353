"""A loop of tasks is rerun as a whole, as Airflow clears it. (Airflow 3.4.)"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from airflow_rerun_downstream.host import airflow_version
from tests.acceptance.story import Story
from tests.live.harness import Json, StartAirflow

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(airflow_version() < (3, 4), reason="there are no loops before Airflow 3.4"),
]

LOOPS = Path(__file__).parent / "dags_loops"
LOOP = ("refine.enough", "refine.evaluate", "refine.improve")


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loops")
    shutil.copy(LOOPS / "loops.py", folder)
    (folder / "rounds.txt").write_text("3")
    return folder


@pytest.fixture(scope="module")
def story(dags: Path, start_airflow: StartAirflow) -> Story:
    story = Story(start_airflow(dags=[dags], database="postgresql"))
    story.airflow.wait_for_dags("source", "looping", "mapped_in_loop")
    story.client.make_history({"looping": 1, "mapped_in_loop": 1, "source": 1})
    return story


def rounds(story: Story, task_id: str) -> list[tuple[int, int, str]]:
    """The live task instances of a task of the loop: round, number and state."""
    wanted = "select region_index, try_number, state from task_instance where working_set and task_id = '{}' order by 1"
    return [(row[0], row[1], row[2]) for row in story.rows(wanted.format(task_id))]


def rerun(story: Story, **body: object) -> tuple[Json, dict[str, Json]]:
    done = story.wait_ended(story.call("POST", "/reruns", json={"source": story.source("source"), **body})["id"])
    return done, story.members(done["id"])


@pytest.mark.parametrize(("count", "tries"), [(3, (2, 1, 1)), (5, (3, 1, 1, 1, 1)), (2, (4, 1))], ids=str)
def test_a_loop_makes_as_many_rounds_as_it_needs_this_time(
    story: Story, dags: Path, count: int, tries: tuple[int, ...]
) -> None:
    (dags / "rounds.txt").write_text(str(count))
    done, members = rerun(story)
    assert (done["state"], set(members)) == ("succeeded", {"source", "looping"})
    assert members["looping"]["state_reason"] is None
    for task_id in LOOP:
        assert rounds(story, task_id) == [(index, number, "success") for index, number in enumerate(tries)]


def test_one_task_of_it_brings_the_others_along(story: Story) -> None:
    before = {task_id: rounds(story, task_id)[0][1] for task_id in LOOP}
    member = {**story.source("looping"), "task_ids": ["refine.evaluate"]}
    done, members = rerun(story, members=[member])
    assert done["state"] == "succeeded"
    assert set(members["looping"]["task_ids"]) == set(LOOP)
    assert {task_id: rounds(story, task_id)[0][1] for task_id in LOOP} == {
        task_id: number + 1 for task_id, number in before.items()
    }


def test_what_nobody_could_tell_apart_cannot_be_selected(story: Story) -> None:
    plan = story.call("POST", "/plans", json={"source": story.source("source")})
    mixed = [run for run in plan["runs"] if run["dag_id"] == "mapped_in_loop" and run["run_id"]]
    assert {(run["selectable"], run["reason"]) for run in mixed} == {(False, "mapped_in_loop")}
    members = [{"dag_id": "mapped_in_loop", "run_id": mixed[0]["run_id"], "task_ids": None}]
    status, refusal = story.refused("POST", "/reruns", json={"source": story.source("source"), "members": members})
    assert (status, refusal["reason"]) == (409, "not_selectable")
    assert refusal["runs"][0]["reason"] == "mapped_in_loop"
