from __future__ import annotations

import csv
import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from pydantic import BaseModel, ValidationError

from airflow_rerun_downstream.client import RerunDownstreamClient
from airflow_rerun_downstream.domain.errors import NotFound
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Seen
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.rest import presenters
from airflow_rerun_downstream.rest.api import Api
from airflow_rerun_downstream.rest.exports import cell, proof_csv
from airflow_rerun_downstream.rest.queries import DagRunQuery, PageQuery, RerunQuery
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody
from airflow_rerun_downstream.service import Service
from tests.rest.stub import NOON, PROPOSAL_REVIEW, SALES, SOURCE, StubService

ANA = Actor("1", "ana")
BODY = {"source": {"dag_id": SOURCE.dag_id, "run_id": SOURCE.run_id}}

# The names that the contract fixes, as it writes them.
RUN = (
    "dag_id run_id run_type state logical_date run_after data_interval_start data_interval_end partition_key status "
    "exists next selectable reason freeze_action freeze_reason selected can_be_source"
)
RERUN = (
    "id name reason state state_reason source freeze_mode created_by created_at started_at ended_at counts "
    "hidden_members settings options notifications allowed_actions warnings"
)
MEMBER = (
    "id rerun_id dag_id run_id original_run_id logical_date run_after role state state_reason waiting_on depth attempt "
    "dispatched_at ended_at task_ids stage stages final_run_state live allowed_actions"
)


@pytest.fixture
def stub() -> StubService:
    return StubService()


@pytest.fixture
def service(stub: StubService) -> Service:
    return cast("Service", stub)


@pytest.fixture
def api(service: Service) -> Api:
    return Api(service, ANA)


def as_json(payload: BaseModel) -> dict[str, Any]:
    """What travels; the answer must also be readable as what it says it is."""
    text = payload.model_dump_json()
    assert type(payload).model_validate_json(text) == payload
    found: dict[str, Any] = json.loads(text)
    return found


def has(found: dict[str, Any], names: str) -> bool:
    return set(names.split()) <= set(found)


def test_a_plan_has_the_contracts_names(api: Api, stub: StubService) -> None:
    found = as_json(api.plan(PlanBody.model_validate(BODY)))
    assert has(found, "plan_token source runs links warnings hidden_dags")
    assert has(found["source"], RUN + " task_instances")
    assert has(found["source"]["task_instances"][0], "task_id map_index state status operator selected reason")
    assert has(found["links"][0], "upstream downstream kind evidence via")
    assert found["plan_token"] == "token-1"
    assert found["source"]["task_ids"] == ["load", {"task_id": "split", "map_index": 2}]
    assert found["runs"][0]["reason"] == "run_is_running"
    assert found["links"][0]["via"] == {"asset": "orders", "at": "2026-03-01T12:00:00+00:00"}
    assert stub.calls[0][:2] == ("plan", ANA)


def test_the_runs_of_a_plan_that_are_not_made_yet(api: Api) -> None:
    runs = as_json(api.plan(PlanBody.model_validate(BODY)))["runs"]
    exists, timed, partition, after_assets = runs
    assert exists["exists"]
    assert set(timed) == set(exists)
    for run in (timed, partition, after_assets):
        assert (run["exists"], run["run_id"], run["state"], run["status"]) == (False, None, None, "not_ready")
        assert (run["selectable"], run["selected"], run["reason"]) == (False, False, "not_created")
        assert (run["task_ids"], run["task_instances"]) == ([], [])
    assert [timed[name] for name in ("run_type", "logical_date", "run_after", "partition_key", "next")] == [
        "scheduled", "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z", None, False,
    ]  # fmt: skip
    assert (partition["run_type"], partition["partition_key"], partition["next"]) == ("asset_triggered", "north", False)
    assert (after_assets["run_after"], after_assets["partition_key"], after_assets["next"]) == (None, None, True)
    assert [(run["freeze_action"], run["freeze_reason"]) for run in (timed, after_assets)] == [
        ("hold", None), (None, "asset_watcher"),
    ]  # fmt: skip
    short = as_json(api.plan(PlanBody.model_validate(BODY), task_instances=False))
    assert all(run["task_instances"] is None for run in short["runs"])


def test_a_run_to_come_is_named_by_what_is_known_of_it(api: Api) -> None:
    links = as_json(api.plan(PlanBody.model_validate(BODY)))["links"]
    assert [link["downstream"] for link in links] == [
        {"dag_id": SALES.dag_id, "run_id": SALES.run_id},
        {"dag_id": "report", "logical_date": "2026-03-02T12:00:00Z"},
        {"dag_id": "unknown"},
    ]


def test_task_instances_can_be_left_out(api: Api) -> None:
    found = api.plan(PlanBody.model_validate(BODY), task_instances=False)
    assert found.source.task_instances is None
    assert found.source.task_ids


def test_the_edges_of_a_dag_have_the_contracts_names(api: Api, stub: StubService) -> None:
    found = as_json(api.edges("orders"))
    assert set(found) == {"dag_id", "edges", "total_entries", "hidden_dags", "warnings"}
    names = "upstream_dag_id downstream_dag_id kind evidence why sentence advice to_do via from_task_id to_task_id"
    assert all(set(edge) == set(names.split()) for edge in found["edges"])
    assert (found["dag_id"], found["total_entries"], found["hidden_dags"]) == ("orders", 2, 2)
    assert found["edges"][0]["upstream_dag_id"] is None
    assert stub.calls[0] == ("edges", ANA, "orders")


def test_a_submitted_rerun_has_the_contracts_names(api: Api) -> None:
    found = as_json(api.submit(RerunBody.model_validate(BODY)))
    assert has(found, RERUN)
    states = "pending running succeeded failed frozen released stopping skipped terminated"
    assert set(found["counts"]) == set(states.split())
    settings = "max_active_members on_failure run_on_latest_version stop_running_on_terminate"
    assert set(found["settings"]) == {*settings.split(), "accept_duplicate_runs", "accept_unknown_offsets"}
    assert found["notifications"] == [{"target": "data-team", "on": ["succeeded"]}]
    assert found["created_at"] == "2026-03-01T12:00:00Z"
    assert found["hidden_members"] == 1


def test_a_review_has_the_contracts_names(api: Api, stub: StubService) -> None:
    found = as_json(api.review(RerunBody.model_validate({**BODY, "name": "fix"})))
    assert set(found) == {"warnings", "waves", "stopped", "frozen", "frozen_at_most"}
    sales = {"dag_id": SALES.dag_id, "run_id": SALES.run_id}
    assert found["waves"] == [[{"dag_id": SOURCE.dag_id, "run_id": SOURCE.run_id}], [sales]]
    assert (found["stopped"], [each["code"] for each in found["warnings"]]) == ([sales], ["paused_dag"])
    assert found["frozen"] == [{"dag_id": "report", "logical_date": "2026-03-02T12:00:00Z"}]
    assert (stub.calls[0][0], stub.calls[0][2].name) == ("review", "fix")


def test_pages_are_cut_at_the_maximum(service: Service, stub: StubService) -> None:
    short = Api(service, ANA, maximum=20)
    found = as_json(short.reruns(limit=1000))
    assert found["total_entries"] == 11
    assert stub.calls[0][2].limit == 20
    assert as_json(short.links(7))["total_entries"] == 3
    assert as_json(short.events(7, offset=1))["total_entries"] == 2
    left = as_json(short.not_made_anew(7))
    assert left["total_entries"] == 2
    asked = [("links", ANA, 7, 20, 0), ("events", ANA, 7, 20, 1), ("not_made_anew", ANA, 7, 20, 0)]
    assert stub.calls[1:] == asked


def test_members_have_the_contracts_names(api: Api) -> None:
    found = as_json(api.members(7))
    assert all(has(member, MEMBER) for member in found["members"])
    assert found["members"][1]["waiting_on"] == [{"dag_id": SOURCE.dag_id, "run_id": SOURCE.run_id}]
    assert set(found["members"][0]["live"]) == {"state", "run_after", "run_id"}


def test_events_have_the_contracts_names(api: Api) -> None:
    found = as_json(api.events(7))
    assert set(found["events"][0]) == {"id", "at", "actor", "action", "member_id", "detail", "sentence", "cause"}


def test_changes_have_the_contracts_names(api: Api, stub: StubService) -> None:
    found = as_json(api.changes(7))
    assert set(found) == {"cursor", "whole", "more", "rerun", "members", "events", "look_again_after"}
    assert (found["cursor"], found["whole"], found["more"]) == ("now", True, False)
    assert found["rerun"] == as_json(api.rerun(7))
    assert found["members"] == as_json(api.members(7))["members"]
    assert found["events"] == as_json(api.events(7))["events"]
    nothing = {"cursor": "now", "whole": False, "more": False, "rerun": None, "members": [], "events": []}
    nothing["look_again_after"] = 2.0
    assert as_json(api.changes(7, since="now", limit=1000)) == nothing
    asked = [call for call in stub.calls if call[0] == "changes"]
    assert asked == [("changes", ANA, 7, None, 50), ("changes", ANA, 7, "now", 100)]
    for bad in ({"limit": 0}, {"since": "x" * 1000}):
        with pytest.raises(ValidationError):
            api.changes(7, **bad)  # type: ignore[arg-type]


def test_a_proof_has_the_contracts_names(api: Api) -> None:
    found = as_json(api.proof(7))
    assert (found["rerun_id"], found["at"], found["hidden_runs"]) == (7, "2026-03-01T12:00:00Z", 1)
    assert (found["hidden_findings"], found["hidden_older"]) == (1, 0)
    assert (found["kept"]["at"], found["kept"]["counts"]["links"]) == ("2026-03-01T12:00:00Z", 3)
    assert (found["verdict"], found["kept"]["verdict"]) == ("violated", "nothing_checked")
    assert found["counts"] == {
        "links": 3,
        "tasks": 8,
        "orders": 5,
        "proven": 13,
        "not_provable": 1,
        "violations": 1,
        "accepted": 1,
        "open": 0,
        "older": 1,
    }
    wrong, accepted = found["findings"]
    load = {"dag_id": SOURCE.dag_id, "run_id": SOURCE.run_id, "task_id": "load"}
    assert wrong == {
        "outcome": "violation",
        "reason": "read_too_early",
        "reader": {"dag_id": SALES.dag_id, "run_id": SALES.run_id, "task_id": None},
        "writer": load,
        "read_at": "2026-03-01T12:00:00Z",
        "written_at": "2026-03-01T12:00:00Z",
        "accepted_by": None,
    }
    assert (accepted["reader"], accepted["writer"], accepted["accepted_by"]) == (load, None, "ana")
    assert found["older"] == [
        {"dag_id": "sales", "run_id": "=1+1", "task_id": None, "because_of": load, "accepted_by": None}
    ]


def test_an_estimate_has_the_contracts_names(api: Api, stub: StubService) -> None:
    found = as_json(api.estimate(7))
    assert (found["outlook"], found["decided_by"], found["state"]) == ("expected", "max_active_members", "running")
    assert (found["as_of"], found["ends_at"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:25:00Z")
    assert (found["ends_late_at"], found["hidden_members"]) == ("2026-03-01T12:30:00Z", 1)
    source = {"id": 1, "dag_id": SOURCE.dag_id, "run_id": SOURCE.run_id, "state": "running"}
    assert found["delay"] == {
        "member": source,
        "cause": {"word": "no_pool_slots", "by": None, "detail": "of the pool small"},
        "critical": True,
    }
    assert [(one["member"] and one["member"]["id"], one["stage"]) for one in found["path"]] == [
        (1, 1),
        (None, 2),
        (2, 1),
    ]
    assert [one["waited_for"] for one in found["path"]] == ["nothing", "upstream", "place"]
    one, two = found["members"]
    assert (one["member"], one["usual_seconds"], one["overdue"], one["unknown"]) == (source, 600, True, None)
    assert (two["ends_at"], two["at_least"], two["unknown"]) == (None, True, "no_past_runs")
    assert stub.calls == [("estimate", ANA, 7)]


def test_an_estimate_shows_as_much_as_was_asked_for(api: Api) -> None:
    found = api.estimate(7, limit=1)
    assert (len(found.path), found.path_length, len(found.members), found.total_entries) == (1, 3, 1, 2)
    with pytest.raises(ValidationError):
        api.estimate(7, limit=1_001)


def test_of_a_hidden_member_that_delays_a_rerun_the_word_is_told_and_no_more(api: Api, stub: StubService) -> None:
    stub.expected = replace(stub.expected, members={}, expected=())
    found = as_json(api.estimate(7))
    assert found["delay"] == {
        "member": None,
        "cause": {"word": "no_pool_slots", "by": None, "detail": None},
        "critical": True,
    }
    assert [one["member"] for one in found["path"]] == [None] * 3


def test_a_proof_shows_as_much_as_was_asked_for(api: Api) -> None:
    found = api.proof(7, limit=1)
    assert [each.outcome.value for each in found.findings] == ["violation"], "the gravest"
    none = api.proof(7, limit=0)
    assert none.older == []
    assert proof_csv(none).split("\r\n")[-2] == f"left_out{',' * 11}3"


def test_a_proof_as_a_file(api: Api) -> None:
    """No id of a run makes a formula of a cell, and what has no line of its own is counted."""
    lines = proof_csv(api.proof(7)).split("\r\n")
    head, wrong, accepted, older, *rest, end = (next(csv.reader([line]), []) for line in lines)
    assert head[:6] == ["outcome", "reason", "dag_id", "run_id", "task_id", "other_dag_id"]
    assert wrong[:2] == ["violation", "read_too_early"]
    assert dict(zip(head, wrong, strict=True))["read_at"] == "2026-03-01T12:00:00+00:00"
    assert (accepted[-2:], accepted[5]) == (["ana", "1"], "")
    assert [(one[0], one[-1]) for one in rest] == [("proven", "13"), ("hidden", "1")]
    assert (older[0], older[3], end) == ("older", "'=1+1", [])


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *((each, f"'{each}") for each in ("=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "\n1")),
        ("x;=HYPERLINK(A1)", "x;'=HYPERLINK(A1)"),
        ("x;;-1;+2", "x;;'-1;'+2"),
        ("x\t@SUM(A1)", "x\t'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("x\n=1", "x\n'=1"),
        ('x;"=1"', 'x;"\'=1"'),
        ("a=1; b=-2", "a=1; b=-2"),
        (None, ""),
    ],
)
def test_a_cell_is_guarded_as_in_the_files_of_the_web_pages(value: str | None, written: str) -> None:
    """The cases are those of ``ui/src/domain/files/csv.test.ts``."""
    assert cell(value) == written


def test_what_was_not_made_anew_has_the_contracts_names(api: Api) -> None:
    task, whole = as_json(api.not_made_anew(7))["not_made_anew"]
    assert task == {
        "member_id": 1,
        "dag_id": SOURCE.dag_id,
        "run_id": SOURCE.run_id,
        "task_id": "load",
        "map_index": 2,
        "reason": "tasks_skipped",
        "accepted_by": None,
        "read_by": [{"dag_id": "sales", "run_id": SOURCE.run_id}],
        "because_of": None,
    }
    assert (whole["member_id"], whole["task_id"], whole["accepted_by"]) == (None, None, "ana")
    assert as_json(api.rerun(7))["not_made_anew"] == 2


@pytest.mark.parametrize("call", ["rerun", "pause", "resume", "terminate", "release"])
def test_a_rerun_is_moved(call: str, api: Api, stub: StubService) -> None:
    move: Callable[[int], BaseModel] = getattr(api, call)
    assert has(as_json(move(7)), RERUN)
    assert stub.calls == [(call, ANA, 7)]
    with pytest.raises(NotFound):
        move(2**63)
    assert len(stub.calls) == 1


@pytest.mark.parametrize("call", ["pause", "resume", "terminate", "release"])
def test_a_rerun_is_moved_as_it_was_seen(call: str, api: Api, stub: StubService) -> None:
    getattr(api, call)(7, state="failed", last_event=12)
    assert stub.calls == [(call, ANA, 7, Seen(state=RerunState.FAILED, line=12))]
    for wrong in ({"state": "odd"}, {"last_event": -1}):
        with pytest.raises(ValidationError):
            getattr(api, call)(7, **wrong)


@pytest.mark.parametrize("call", ["retry", "skip", "release_member"])
def test_a_member_is_moved_as_it_was_seen(call: str, api: Api, stub: StubService) -> None:
    getattr(api, call)(7, 3, attempt=1, last_event=12)
    assert stub.calls == [(call, ANA, 7, 3, Seen(attempt=1, line=12))]


def test_a_proposal_is_looked_at_and_decided(api: Api, stub: StubService) -> None:
    found = as_json(api.proposal_review(7))
    assert (found["rerun_id"], found["stale"], found["plan_token"], found["refusal"]) == (7, True, "token-2", None)
    assert found["changes"] == [{"dag_id": SALES.dag_id, "run_id": SALES.run_id, "change": "changed"}]
    assert found["review"] == as_json(api.review(RerunBody.model_validate(BODY)))
    assert has(as_json(api.approve(7, plan_token="t")), RERUN)
    assert has(as_json(api.reject(7, reason="no")), RERUN)
    assert [call for call in stub.calls if call[0] != "review"] == [
        ("proposal_review", ANA, 7),
        ("approve", ANA, 7, "t"),
        ("reject", ANA, 7, "no"),
    ]
    for wrong in (lambda: api.approve(7, plan_token="t" * 1_000_000), lambda: api.reject(7, reason="n" * 501)):
        with pytest.raises(ValidationError):
            wrong()
    for unknown in (api.proposal_review, api.approve, api.reject):
        with pytest.raises(NotFound):
            unknown(2**63)


def test_what_would_refuse_a_proposal_is_said(api: Api, stub: StubService, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = replace(PROPOSAL_REVIEW, review=None, plan_token=None, stale=None, refusal=NotFound("It is gone."))
    monkeypatch.setattr(stub, "proposal_review", lambda *_: refused)
    found = as_json(api.proposal_review(7))
    assert (found["review"], found["plan_token"], found["stale"]) == (None, None, None)
    assert found["refusal"] == {"reason": "not_found", "detail": "It is gone.", "sentence": None}


@pytest.mark.parametrize("state", RerunState)
def test_a_record_says_who_proposed_and_who_approved_it(api: Api, stub: StubService, state: RerunState) -> None:
    stub.state = state
    plain = as_json(api.rerun(7))
    assert [plain[name] for name in ("proposed_by", "proposed_at", "approved_by", "expires_at")] == [None] * 4
    started = None if state is RerunState.PROPOSED else NOON
    more = {"proposed_by": "rita", "proposed_at": NOON, "expires_at": NOON, "started_at": started, "state": state}
    view = stub.rerun(ANA, 7)
    found = as_json(presenters.rerun(replace(view, rerun=replace(view.rerun, **more), may_withdraw=True)))
    assert (found["proposed_by"], found["may_withdraw"], plain["may_withdraw"]) == ("rita", True, False)
    assert found["approved_by"] == (None if started is None else view.rerun.created_by)
    assert (found["expires_at"] is not None) == (state is RerunState.PROPOSED)


@pytest.mark.parametrize("call", ["retry", "skip", "release_member"])
def test_a_member_is_moved(call: str, api: Api, stub: StubService) -> None:
    move: Callable[[int, int], BaseModel] = getattr(api, call)
    assert has(as_json(move(7, 1)), MEMBER)
    assert stub.calls == [(call, ANA, 7, 1)]
    for ids in ((2**40, 1), (7, 2**40)):
        with pytest.raises(NotFound):
            move(*ids)


@pytest.mark.parametrize("call", ["members", "links", "events", "not_made_anew"])
def test_a_part_that_nobody_can_have_is_refused(call: str, api: Api, stub: StubService) -> None:
    for part in ({"limit": -1}, {"offset": -1}):
        with pytest.raises(ValidationError):
            getattr(api, call)(7, **part)
    assert stub.calls == []


def test_the_client_has_every_call_with_its_arguments() -> None:
    """So that the command line can speak to either."""
    only_here = {"release_lost", "submitted"}
    queries: dict[str, type[PageQuery]] = {"reruns": RerunQuery, "dag_runs": DagRunQuery}
    calls = {name for name in vars(Api) if not name.startswith("_")} - only_here
    theirs_alone = {name for name in vars(RerunDownstreamClient) if name.startswith(("_", "iter_"))}
    assert calls == set(vars(RerunDownstreamClient)) - theirs_alone - {"close", "from_env", "record_url", "wait"}
    for name in calls:
        ours, theirs = (inspect.signature(getattr(one, name)).parameters for one in (Api, RerunDownstreamClient))
        wanted = queries[name].model_fields if "wanted" in ours else ()
        assert set(theirs) <= {*ours, *wanted}, name


def test_runs_and_task_instances_have_the_contracts_names(api: Api, stub: StubService) -> None:
    runs = as_json(api.dag_runs(can_be_source=True))
    assert has(runs["dag_runs"][0], RUN)
    assert "task_instances" not in runs["dag_runs"][0]
    assert runs["source_ready_since"] == "2026-03-01T12:00:00Z"
    assert stub.calls[0][3] is True
    tasks = as_json(api.task_instances("orders", "r/1"))
    assert tasks["total_entries"] == 2
    assert stub.calls[1] == ("task_instances", ANA, RunRef("orders", "r/1"))


def test_a_runs_tasks_come_with_the_structure_of_the_dag(api: Api) -> None:
    found = as_json(api.task_instances("orders", "r"))
    assert found["structure"] == [
        {"task_id": "load", "downstream_task_ids": ["split", "sums"], "group": None},
        {"task_id": "split", "downstream_task_ids": [], "group": "after.all"},
        {"task_id": "sums", "downstream_task_ids": [], "group": "after.all"},
    ]
    assert as_json(api.task_instances("gone", "r"))["structure"] == []


def test_health_is_as_good_as_the_worst_component(api: Api) -> None:
    found = as_json(api.health())
    assert found["status"] == "unhealthy"
    conductor = {"status": "unhealthy", "detail": "No conductor leads.", "sentence": None, "since": None}
    assert found["components"]["conductor"] == conductor
    assert as_json(api.health(["policy"])) == {
        "status": "degraded",
        "components": {"policy": found["components"]["policy"]},
    }
    with pytest.raises(ValidationError):
        api.health(["weather"])


def test_notification_targets_are_listed_without_their_settings(api: Api) -> None:
    found = as_json(api.notification_targets())
    (target,) = found["notification_targets"]
    test = target.pop("last_test")
    assert target == {"name": "data-team", "kind": "webhook", "description": "The team", "may_test": True}
    assert (test["state"], test["created_by"], test["next_try_at"]) == ("sent", "ada", None)


def test_a_test_is_answered_as_it_stands(api: Api, stub: StubService) -> None:
    assert as_json(api.send_test("data-team"))["message_id"] == "4f0c3f38-6d1e-4bb2-8a0e-5b7c53b3c0aa"


def test_notifications_tell_how_they_stand(api: Api) -> None:
    found = as_json(api.notifications(7, limit=1))
    assert found["total_entries"] == 4
    (one,) = found["notifications"]
    assert one["members"] == [{"dag_id": SALES.dag_id, "run_id": SALES.run_id}]
    assert (one["state"], one["tries"], one["error"], one["occurrences"]) == ("pending", 2, "http_status:503", 3)
    assert one["next_try_at"] == "2026-03-01T12:03:00Z"
    assert one["ended_at"] is None
