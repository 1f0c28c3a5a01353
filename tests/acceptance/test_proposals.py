"""A live Airflow with per-Dag grants: who may only read proposes a rerun, and who may edit decides."""

from __future__ import annotations

import pytest

from tests.acceptance.story import DAGS, Story
from tests.acceptance.test_permissions import DIAMOND, grants
from tests.live.harness import Json, StartAirflow, wait_until

pytestmark = pytest.mark.acceptance

AGE = 120
"""Seconds for which a proposal waits."""


@pytest.fixture(scope="module")
def admin(start_airflow: StartAirflow) -> Story:
    env = {"AIRFLOW__RERUN_DOWNSTREAM__PROPOSAL_MAX_AGE": f"PT{AGE}S"}
    airflow = start_airflow(dags=[DAGS], auth="fab", env=env)
    story = Story(airflow)
    story.make_history()
    most = grants([dag for dag in DIAMOND if dag != "child"], "can_read", "can_edit")
    airflow.grant(
        users={"reader": ["reads all"], "partial": ["edits most", "reads child"], "approver": ["edits all"]},
        roles={
            "reads all": grants(DIAMOND, "can_read"),
            "reads child": grants(["child"], "can_read"),
            "edits most": most,
            "edits all": grants(DIAMOND, "can_read", "can_edit"),
        },
    )
    return story


def user(admin: Story, name: str) -> Story:
    """The same Airflow through another user's eyes."""
    return wait_until(lambda: Story(admin.airflow, name), 60, f"the user {name}", ignore=(Exception,))


def propose(by: Story, **body: object) -> Json:
    """A proposal of the diamond's rerun."""
    return by.call("POST", "/reruns", json={"source": by.source(), "propose": True, **body})


def audit(admin: Story, rerun_id: int) -> list[tuple[object, ...]]:
    """Who did what with a rerun, by Airflow's audit log."""
    told = "select event, owner from log where event like 'rerun_downstream.%' and extra like '%\"rerun_id\": {}}}%'"
    return admin.rows(f"{told.format(rerun_id)} order by id")


def test_proposed_by_who_may_read_and_approved_by_another(admin: Story) -> None:
    reader, partial, approver = (user(admin, name) for name in ("reader", "partial", "approver"))
    before = admin.airflow_rows()
    assert reader.refused("POST", "/reruns", json={"source": admin.source()})[0] == 403
    proposal = propose(reader, name="fix")
    number = proposal["id"]
    assert (proposal["state"], proposal["proposed_by"], proposal["allowed_actions"]) == (
        "proposed", "reader", ["reject"],
    )  # fmt: skip
    assert admin.rows("select count(*) from rerun_downstream_active_run") == [(0,)]
    assert admin.airflow_rows() == before
    for other in (reader, partial):
        status, refusal = other.refused("POST", f"/reruns/{number}/approve")
        assert (status, refusal["reason"]) == (403, "forbidden_dags")
    review = reader.call("GET", f"/reruns/{number}/review")
    assert (review["stale"], review["refusal"]) == (False, None)
    assert {one["dag_id"] for wave in review["review"]["waves"] for one in wave} == set(DIAMOND)
    assert admin.airflow_rows() == before
    rerun = approver.call("POST", f"/reruns/{number}/approve")
    assert (rerun["state"], rerun["approved_by"], rerun["created_by"]) == ("running", "approver", "approver")
    ended = admin.wait_ended(number)
    assert (ended["state"], ended["proposed_by"], ended["name"]) == ("succeeded", "reader", "fix")
    told = audit(admin, number)
    assert told[:2] == [("rerun_downstream.propose", "reader"), ("rerun_downstream.approve", "approver")]
    assert {owner for _, owner in told[1:]} <= {"approver", "rerun_downstream"}


def test_rejected_and_withdrawn(admin: Story) -> None:
    reader, approver = user(admin, "reader"), user(admin, "approver")
    before = admin.airflow_rows()
    for by in (approver, reader):
        number = propose(reader)["id"]
        ended = by.call("POST", f"/reruns/{number}/reject", json={"reason": "the feed is still wrong"})
        assert (ended["state"], ended["state_reason"], ended["final"]) == ("terminated", "proposal_rejected", True)
        assert approver.refused("POST", f"/reruns/{number}/approve")[1]["reason"] == "action_not_allowed"
        events = reader.call("GET", f"/reruns/{number}/events")["events"]
        assert [(one["action"], one["detail"]) for one in events[1:]] == [("reject", "the feed is still wrong")]
    assert admin.airflow_rows() == before


def test_gone_stale_and_approved_with_a_fresh_token(admin: Story) -> None:
    reader, approver = user(admin, "reader"), user(admin, "approver")
    marked = admin.run_id("marked")
    number = propose(reader)["id"]
    admin.client.clear("marked", marked)
    admin.client.wait_for_run("marked", marked)
    review = reader.call("GET", f"/reruns/{number}/review")
    assert review["stale"] is True
    assert {"dag_id": "marked", "run_id": marked, "change": "changed"} in review["changes"]
    status, refusal = approver.refused("POST", f"/reruns/{number}/approve")
    assert (status, refusal["reason"]) == (409, "stale_plan")
    token = approver.call("GET", f"/reruns/{number}/review")["plan_token"]
    assert approver.call("POST", f"/reruns/{number}/approve", json={"plan_token": token})["state"] == "running"
    assert admin.wait_ended(number)["state"] == "succeeded"


def test_it_expires_by_itself(admin: Story) -> None:
    number = propose(user(admin, "reader"))["id"]

    def ended() -> Json | None:
        found = admin.call("GET", f"/reruns/{number}")
        return found if found["state"] != "proposed" else None

    found = wait_until(ended, AGE + 30, "the proposal to expire")
    assert (found["state"], found["state_reason"]) == ("terminated", "proposal_expired")
    assert audit(admin, number)[-1] == ("rerun_downstream.expire", "rerun_downstream")
