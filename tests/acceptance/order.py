"""What a rerun of the diamond must show, wherever it is told."""

from __future__ import annotations

from tests.acceptance.story import Story, ran_between

SELECTED = {
    "up": ["extract", "load", "mark"],
    "left": ["refine"],
    "right": ["use", "wait"],
    "joined": ["join"],
    "child": ["export"],
    "marked": ["read"],
}
LINKS = {
    ("up", "left", "asset", "recorded"),
    ("up", "right", "sensor", "recorded"),
    ("up", "marked", "marker", "derived"),
    ("left", "joined", "asset", "recorded"),
    ("right", "joined", "asset", "recorded"),
    ("joined", "child", "trigger", "recorded"),
}


def rerun_in_order_once(story: Story) -> None:
    """Every selected task runs once more, none before its upstream members have ended, and nothing else moves."""
    before, runs_before = story.tries(), {(r["dag_id"], r["dag_run_id"]) for r in story.client.dag_runs()}
    plan = story.plan()
    assert {
        (link["upstream"]["dag_id"], link["downstream"]["dag_id"], link["kind"], link["evidence"])
        for link in plan["links"]
    } == LINKS
    rerun = story.submit(plan_token=plan["plan_token"], name="wrong rate")
    assert story.wait_ended(rerun["id"])["state"] == "succeeded"

    members = story.members(rerun["id"])
    assert {dag_id: sorted(member["task_ids"]) for dag_id, member in members.items()} == SELECTED
    assert {member["state"] for member in members.values()} == {"succeeded"}
    after = story.tries()
    assert {(r["dag_id"], r["dag_run_id"]) for r in story.client.dag_runs()} == runs_before, "no extra run"
    for (dag_id, run_id, task_id), one in after.items():
        more = 1 if task_id in SELECTED.get(dag_id, ()) else 0
        assert one.number == before[dag_id, run_id, task_id].number + more, (dag_id, task_id)
        assert one.state == "success"
        if not more:
            assert one == before[dag_id, run_id, task_id], "an unselected task was touched"
    for upstream, downstream, _, _ in LINKS:
        _, ended = ran_between(after, upstream, SELECTED[upstream])
        began, _ = ran_between(after, downstream, SELECTED[downstream])
        assert began >= ended, f"{downstream} began before {upstream} had ended"
    assert story.rows("select * from asset_dag_run_queue") == []
    proof = story.call("GET", f"/reruns/{rerun['id']}/proof")
    assert (proof["findings"], proof["older"]) == ([], [])
    assert proof["counts"] == proof["kept"]["counts"], "as at its end"
    assert proof["counts"]["links"] >= len(LINKS)
    assert proof["counts"]["tasks"] == sum(map(len, SELECTED.values()))
