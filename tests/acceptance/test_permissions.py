"""With the FAB auth manager and per-Dag grants: a user needs every Dag of a rerun, and never learns a hidden name."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from tests.acceptance.story import DAGS, Story
from tests.live.harness import StartAirflow, wait_until

pytestmark = pytest.mark.acceptance

DIAMOND = ("up", "left", "right", "joined", "child", "marked")


def grants(dags: Iterable[str], *actions: str) -> list[tuple[str, str]]:
    """Grants on Dags; FAB gives runs and task instances to all Dags of a user at once."""
    own = [(action, f"DAG:{dag_id}") for dag_id in dags for action in actions]
    return [*own, *((action, kind) for action in actions for kind in ("DAG Runs", "Task Instances"))]


@pytest.fixture(scope="module")
def admin(start_airflow: StartAirflow) -> Story:
    airflow = start_airflow(dags=[DAGS], auth="fab")
    story = Story(airflow)
    story.make_history()
    edit = ("can_read", "can_edit")
    airflow.grant(
        users={"reader": ["reads all"], "partial": ["edits most", "reads child"], "blind": ["edits most"]},
        roles={
            "reads all": grants(DIAMOND, "can_read"),
            "edits most": grants([dag for dag in DIAMOND if dag != "child"], *edit),
            "reads child": grants(["child"], "can_read"),
        },
    )
    return story


def user(admin: Story, name: str) -> Story:
    """The same Airflow through another user's eyes."""
    return wait_until(lambda: Story(admin.airflow, name), 60, f"the user {name}", ignore=(Exception,))


def body(story: Story) -> dict[str, object]:
    return {"json": {"source": story.source()}}


def test_a_dag_without_permission_refuses_the_whole_rerun_and_is_named(admin: Story) -> None:
    partial = user(admin, "partial")
    before = admin.airflow_rows(), admin.our_rows()
    status, refusal = partial.refused("POST", "/reruns", **body(admin))
    assert (status, refusal["reason"], refusal["dag_ids"]) == (403, "forbidden_dags", ["child"])
    assert "child" in refusal["detail"]
    assert (admin.airflow_rows(), admin.our_rows()) == before


def test_a_reader_may_plan_and_not_submit(admin: Story) -> None:
    reader = user(admin, "reader")
    plan = reader.call("POST", "/plans", **body(admin))
    assert {w["dag_id"] for w in plan["warnings"] if w["code"] == "forbidden_dag"} == set(DIAMOND)
    status, refusal = reader.refused("POST", "/reruns", **body(admin))
    assert (status, set(refusal["dag_ids"])) == (403, set(DIAMOND))


def test_a_hidden_dag_is_named_nowhere(admin: Story) -> None:
    blind = user(admin, "blind")
    child = admin.run_id("child")
    plan = blind.call("POST", "/plans", **body(admin))
    assert plan["hidden_dags"] == 1
    everything = [
        plan,
        blind.refused("POST", "/plans", json={"source": {"dag_id": "child", "run_id": child}}),
        blind.refused(
            "POST",
            "/reruns",
            json={"source": admin.source(), "members": [{"dag_id": "other", "run_id": "x"}]},
        ),
        blind.call("GET", "/dag-runs", params={"limit": 100}),
        blind.refused("GET", f"/dag-runs/child/{child}/task-instances"),
    ]
    assert '"child' not in json.dumps(everything).replace("'child'", "").replace('"There is no', "")
    unknown = blind.refused("POST", "/plans", json={"source": {"dag_id": "nothing", "run_id": child}})
    hidden = everything[1]
    assert hidden[0] == unknown[0] == 404
    assert json.dumps(hidden).replace("child", "nothing") == json.dumps(unknown)


def test_a_rerun_of_others_hides_members_and_needs_all_dags_to_be_controlled(admin: Story) -> None:
    rerun = admin.submit()["id"]
    blind = user(admin, "blind")
    assert blind.call("GET", f"/reruns/{rerun}")["hidden_members"] == 1
    shown = [
        blind.call("GET", f"/reruns/{rerun}/{part}", params={"limit": 100}) for part in ("members", "links", "events")
    ]
    assert "child" not in json.dumps(shown)
    status, refusal = blind.refused("POST", f"/reruns/{rerun}/pause")
    assert (status, refusal["reason"], refusal["dag_ids"]) == (403, "forbidden_dags", [])
    assert "child" not in json.dumps(refusal)
    assert admin.wait_ended(rerun)["state"] == "succeeded"


def test_nobody_is_refused(admin: Story) -> None:
    answer = admin.client.http.post("/rerun-downstream/api/v1/plans", headers={"Authorization": ""}, json={})
    assert answer.status_code == 401
