"""Bad input gets its documented refusal over REST, and the database is unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.story import DAGS, Story
from tests.live.harness import Json, StartAirflow

pytestmark = pytest.mark.acceptance

LONG = "x" * 10_000


@pytest.fixture(scope="module")
def story(start_airflow: StartAirflow) -> Story:
    story = Story(start_airflow(dags=[DAGS], database="postgresql"))
    story.make_history()
    return story


@pytest.fixture
def unchanged(story: Story) -> Iterator[None]:
    before = story.airflow_rows(), story.our_rows()
    yield
    assert (story.airflow_rows(), story.our_rows()) == before


UNKNOWN = {"dag_id": "up", "run_id": "nope"}
CASES: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown Dag": ({"source": {"dag_id": "nope", "run_id": "nope"}}, 404, "not_found"),
    "unknown run": ({"source": UNKNOWN}, 404, "not_found"),
    "long ids": ({"source": {"dag_id": LONG, "run_id": LONG}}, 422, "invalid"),
    "unknown task": ({"task_ids": ["nope"]}, 422, "invalid"),
    "unknown map index": ({"task_ids": [{"task_id": "load", "map_index": 7}]}, 422, "invalid"),
    "huge map index": ({"task_ids": [{"task_id": "load", "map_index": 2**70}]}, 422, "invalid"),
    "unknown group": ({"task_ids": ["group.task"]}, 422, "invalid"),
    "no task": ({"task_ids": []}, 422, "empty_selection"),
    "unknown member": ({"members": [UNKNOWN]}, 404, "not_found"),
    "a member of nowhere": ({"members": [{"dag_id": "nope", "run_id": "nope"}]}, 404, "not_found"),
    "nothing at all": ({"members": [], "rerun_source": False}, 422, "empty_selection"),
    "long name": ({"name": LONG}, 422, "invalid"),
    "long reason": ({"reason": LONG}, 422, "invalid"),
    "a NUL in a name": ({"name": "a\x00b"}, 422, "invalid"),
    "a NUL in an id": ({"source": {"dag_id": "a\x00", "run_id": "b"}}, 422, "invalid"),
    "unknown field": ({"sauce": 1}, 422, "invalid"),
    "unknown setting": ({"settings": {"speed": "fast"}}, 422, "invalid"),
    "unknown failure mode": ({"settings": {"on_failure": "panic"}}, 422, "invalid"),
    "no parallelism": ({"settings": {"max_active_members": 0}}, 422, "invalid"),
    "wrong type": ({"source": "up"}, 422, "invalid"),
    "unknown link kind": ({"options": {"link_kinds": ["telepathy"]}}, 422, "invalid"),
    "negative depth": ({"options": {"max_depth": -1}}, 422, "invalid"),
    "too small a plan": ({"options": {"max_runs": 1}}, 409, "plan_too_large"),
    "unknown target": ({"notifications": [{"target": "nobody", "on": ["succeeded"]}]}, 422, "unknown_target"),
    "unknown condition": ({"notifications": [{"target": "nobody", "on": ["full moon"]}]}, 422, "invalid"),
    "a frozen run without freeze mode": ({"frozen": [{"dag_id": "left", "next": True}]}, 422, "invalid"),
    "a frozen run of no Dag": (
        {"freeze_mode": True, "frozen": [{"dag_id": "nothing", "next": True}]},
        404,
        "not_found",
    ),
    "a frozen run that has ended": (
        {"freeze_mode": True, "frozen": [{"dag_id": "up", "run_id": "x"}]},
        404,
        "not_found",
    ),
    "a frozen run with two names": (
        {"freeze_mode": True, "frozen": [{"dag_id": "left", "next": True, "partition_key": "x"}]},
        422,
        "invalid",
    ),
    "a token of somebody else": ({"plan_token": "AAAA"}, 422, "invalid"),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("case", CASES)
def test_a_bad_submit_is_refused(story: Story, case: str) -> None:
    body, status, reason = CASES[case]
    answer, refusal = story.refused("POST", "/reruns", json={"source": story.source(), **body})
    assert (answer, refusal["reason"]) == (status, reason), refusal
    assert isinstance(refusal["detail"], str)
    assert len(refusal["detail"]) < 2_000


QUERIES: dict[str, tuple[str, Json, int]] = {
    "negative limit": ("/reruns", {"limit": -1}, 422),
    "negative offset": ("/dag-runs", {"offset": -1}, 422),
    "a limit in words": ("/reruns", {"limit": "many"}, 422),
    "unknown state": ("/reruns", {"state": "happy"}, 422),
    "unknown order": ("/dag-runs", {"order_by": "mood"}, 422),
    "a date in words": ("/reruns", {"created_at_gte": "yesterday"}, 422),
    "unknown rerun": ("/reruns/999999", {}, 404),
    "a huge id": (f"/reruns/{2**70}", {}, 404),
    "no number": ("/reruns/first", {}, 422),
    "unknown path": ("/reruns/1/secrets", {}, 404),
    "unknown run": ("/dag-runs/up/nope/task-instances", {}, 404),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("case", QUERIES)
def test_a_bad_question_is_refused(story: Story, case: str) -> None:
    path, query, status = QUERIES[case]
    answer, refusal = story.refused("GET", path, params=query)
    assert answer == status
    assert refusal["detail"]
    assert refusal["reason"]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"source": NaN}', b"\xff\xfe"])
def test_a_body_that_is_no_request_is_refused(story: Story, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status, refusal = story.refused("POST", "/reruns", content=content, headers=headers)
    assert (status, refusal["reason"]) == (422, "invalid")


def test_a_large_limit_is_cut(story: Story) -> None:
    assert story.call("GET", "/dag-runs", params={"limit": 100_000})["total_entries"] >= 7


def test_a_run_that_vanished_since_the_plan_is_refused(story: Story) -> None:
    plan = story.plan()
    child = story.source("child")
    story.client.call("DELETE", f"/api/v2/dags/child/dagRuns/{child['run_id']}")
    before = story.our_rows()
    body = {"plan_token": plan["plan_token"], "members": [child]}
    status, refusal = story.refused("POST", "/reruns", json={"source": story.source(), **body})
    assert (status, refusal["reason"]) in {(404, "not_found"), (409, "stale_plan")}
    assert story.our_rows() == before
