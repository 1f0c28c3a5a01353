from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_rerun_downstream.domain.errors import EmptySelection, NotFound
from airflow_rerun_downstream.domain.plan import FutureRef, LinkKind, PlanOptions, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import (
    Actor,
    MemberRequest,
    Notification,
    RerunRequest,
    RerunSettings,
)
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.lineage import RunFilter
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.rest.problems import of_errors
from airflow_rerun_downstream.rest.queries import DagRunQuery, PageQuery, RerunQuery
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody, known_id
from airflow_rerun_downstream.settings import MAX_TEXT
from tests.hostile import BODIES, PATTERNS
from tests.hostile import SOURCE as HOSTILE_SOURCE

SOURCE = {"dag_id": "a", "run_id": "r"}


def body(**fields: Any) -> RerunBody:
    return RerunBody.model_validate({"source": SOURCE, **fields})


def test_the_least_that_can_be_said_has_the_contracts_defaults() -> None:
    assert PlanBody.model_validate({"source": SOURCE}).plan_request() == PlanRequest(RunRef("a", "r"))
    assert body().rerun_request() == RerunRequest(PlanRequest(RunRef("a", "r")))


def test_everything_that_can_be_said_arrives() -> None:
    said = body(
        task_ids=["b", {"task_id": "m", "map_index": 3}, {"task_id": "a"}, "b"],
        rerun_source=False,
        members=[{"dag_id": "d", "run_id": "s", "task_ids": ["t"]}, {"dag_id": "e", "run_id": "s"}],
        freeze_mode=True,
        frozen=[
            SOURCE,
            {"dag_id": "f", "next": True},
            {"dag_id": "f", "logical_date": "2026-01-01T02:00:00+02:00"},
            {"dag_id": "f", "partition_key": "p"},
        ],
        options={"include_manual": True, "link_kinds": ["asset"], "max_runs": 5, "max_depth": 2},
        plan_token="t",
        name="n",
        reason="y",
        settings={"max_active_members": 2, "on_failure": "pause", "run_on_latest_version": True},
        notifications=[{"target": "x", "on": ["succeeded", "member_failed"]}],
    )
    assert said.rerun_request() == RerunRequest(
        plan=PlanRequest(
            source=RunRef("a", "r"),
            tasks=(TaskRef("a"), TaskRef("b"), TaskRef("m", 3)),
            rerun_source=False,
            options=PlanOptions(True, (LinkKind.ASSET,), 5, 2),
        ),
        members=(MemberRequest(RunRef("d", "s"), (TaskRef("t"),)), MemberRequest(RunRef("e", "s"))),
        freeze_mode=True,
        frozen=(
            RunRef("a", "r"),
            FutureRef("f", next=True),
            FutureRef("f", logical_date=datetime(2026, 1, 1, tzinfo=timezone.utc)),
            FutureRef("f", partition_key="p"),
        ),
        plan_token="t",
        name="n",
        reason="y",
        settings=RerunSettings(max_active_members=2, on_failure="pause", run_on_latest_version=True),
        notifications=(Notification("x", ("succeeded", "member_failed")),),
    )


def test_an_empty_list_of_members_is_the_source_alone() -> None:
    assert body(members=[]).rerun_request().members == ()
    assert body(members=None).rerun_request().members is None


@pytest.mark.parametrize("fields", [{"task_ids": []}, {"members": [{**SOURCE, "task_ids": []}]}])
def test_an_empty_selection_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(EmptySelection, match="a / r is empty"):
        body(**fields).rerun_request()


@pytest.mark.parametrize(
    "fields",
    [
        {"nmae": "typo"},
        {"source": {**SOURCE, "x": 1}},
        {"source": {"dag_id": "", "run_id": "r"}},
        {"source": {"dag_id": "a\x00", "run_id": "r"}},
        {"options": {"link_kinds": ["telepathy"]}},
        {"options": {"max_runs": 0}},
        {"options": {"max_runs": 2**31}},
        {"options": {"max_depth": -1}},
        {"task_ids": [{"task_id": "t", "map_index": -2}]},
        {"task_ids": [{"task_id": "t", "map_index": 2**63}]},
        {"task_ids": ["a\x00"]},
        {"task_ids": "a"},
        {"name": "n" * (MAX_TEXT + 1)},
        {"reason": "n" * (MAX_TEXT + 1)},
        {"name": "a\x00b"},
        {"reason": "\ud800"},
        {"plan_token": "\x00"},
        {"settings": {"on_failure": "panic"}},
        {"settings": {"max_active_members": 0}},
        {"settings": {"max_active": 1}},
        {"notifications": [{"target": "x", "on": []}]},
        {"notifications": [{"target": "x", "on": ["started"]}]},
        {"frozen": [{"dag_id": "f"}]},
        {"frozen": [{"dag_id": "f", "next": False}]},
        {"frozen": [{"dag_id": "f", "next": True, "partition_key": "p"}]},
        {"frozen": [{"dag_id": "f", "logical_date": "2026-01-01T00:00:00"}]},
        {"frozen": [{"dag_id": "f", "logical_date": "0001-01-01T00:00:00+14:00"}]},
    ],
    ids=str,
)
def test_what_cannot_be_understood_or_stored_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        body(**fields)


@pytest.mark.parametrize("runs", [16, 10_001, 50_000])
def test_the_token_of_a_large_plan_is_taken(runs: int) -> None:
    token = "t" * (16 * runs)  # as long as `make_token` makes it
    assert body(plan_token=token).rerun_request().plan_token == token


def test_a_proposal_is_asked_for() -> None:
    assert body(propose=True).rerun_request().propose
    assert not body().rerun_request().propose


def test_text_may_be_as_long_as_the_limit() -> None:
    assert body(name="é" * MAX_TEXT).rerun_request().name == "é" * MAX_TEXT


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 10**40])
def test_an_id_that_no_database_holds_is_not_found(number: int) -> None:
    with pytest.raises(NotFound, match=f"There is no rerun {number}"):
        known_id(number, "rerun")


def test_a_limit_above_the_maximum_is_cut() -> None:
    assert PageQuery().limit_within(100) == 50
    assert PageQuery(limit=10**30).limit_within(100) == 100


@pytest.mark.parametrize("query", [{"limit": -1}, {"offset": -1}, {"offset": 2**63}, {"limit": "x"}, {"page": 2}])
def test_a_page_that_makes_no_sense_is_refused(query: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PageQuery.model_validate(query)


def test_filters_of_reruns_arrive() -> None:
    query = RerunQuery.model_validate(
        {
            "state": ["running", "failed"],
            "dag_id": "a",
            "run_id": "r",
            "created_by": "ana",
            "created_at_gte": "2026-01-01T00:00:00Z",
            "frozen": "true",
            "limit": "7",
            "offset": "3",
            "order_by": "-created_at",
        }
    )
    assert query.wanted(Actor("1", "ana"), 5) == RerunFilter(
        states=frozenset({RerunState.RUNNING, RerunState.FAILED}),
        dag_id="a",
        run_id="r",
        created_by="ana",
        created_at_gte=datetime(2026, 1, 1, tzinfo=timezone.utc),
        frozen=True,
        limit=5,
        offset=3,
        order_by="-created_at",
    )


def test_filters_of_runs_arrive() -> None:
    query = DagRunQuery.model_validate({"dag_id": ["a", "b"], "state": ["failed"], "order_by": "run_after"})
    assert query.wanted(100) == RunFilter(
        dag_ids=frozenset({"a", "b"}), states=frozenset({"failed"}), order_by="run_after"
    )


@pytest.mark.parametrize("query", [RerunQuery, DagRunQuery])
@pytest.mark.parametrize("order", ["", "-", "--id", "secret", "id; drop table"])
def test_an_unknown_order_is_refused(query: type[PageQuery], order: str) -> None:
    with pytest.raises(ValidationError, match="is none of"):
        query.model_validate({"order_by": order})


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_with_few_words(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RerunBody.model_validate({**HOSTILE_SOURCE, **BODIES[name]})
    status, problem = of_errors(caught.value.errors(include_url=False))
    assert status == 422
    assert len(problem["errors"]) <= 20
    assert len(json.dumps(problem)) < 20_000
    # What would be told is cut; what is made before must not be endless either.
    assert caught.value.error_count() <= 25_000


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("query", [RerunQuery, DagRunQuery])
def test_a_hostile_pattern_is_refused(query: type[PageQuery], name: str) -> None:
    with pytest.raises(ValidationError):
        query.model_validate({"dag_id_pattern": PATTERNS[name]})
    assert query.model_validate({"dag_id_pattern": "|".join("a" * 20)})


def test_as_much_as_a_plan_may_have_is_taken() -> None:
    members = [{"dag_id": "d" * 250, "run_id": f"{number:0250}", "task_ids": ["t", "u"]} for number in range(10_000)]
    assert len(body(members=members, task_ids=["t"] * 10_000).members or ()) == 10_000


def test_the_place_of_an_error_is_told_however_long_the_list_is() -> None:
    members: list[Any] = [{"dag_id": "d", "run_id": "r"}] * 2_000
    members[777] = members[1_999] = {"dag_id": "d"}
    with pytest.raises(ValidationError) as caught:
        body(members=members)
    assert [error["loc"] for error in caught.value.errors()] == [("members", 777, "run_id")]
