"""A client may be newer than its server, as a worker is during an upgrade: it reads answers without newer fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from pydantic import BaseModel

from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.rest.api import Api
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody
from airflow_rerun_downstream.service import Service
from tests.rest.stub import SOURCE, StubService

NEWER = {
    *("dag_display_name", "task_display_name", "note", "wrong_data", "freeze_selected", "frozen_at_most"),
    *("sentence", "may_comment"),
}
"""The fields that answers didn't have before."""

BODY = {"source": {"dag_id": SOURCE.dag_id, "run_id": SOURCE.run_id}}

ANSWERS: dict[str, tuple[Callable[[Api], BaseModel], Callable[[Any], BaseModel]]] = {
    "plan": (lambda api: api.plan(PlanBody.model_validate(BODY)), lambda client: client.plan(BODY)),
    "review": (lambda api: api.review(RerunBody.model_validate(BODY)), lambda client: client.review(BODY)),
    "rerun": (lambda api: api.rerun(7), lambda client: client.rerun(7)),
    "members": (lambda api: api.members(7), lambda client: client.members(7)),
    "retry": (lambda api: api.retry(7, 1), lambda client: client.retry(7, 1)),
    "retry_members": (lambda api: api.retry_members(7, [1, 2]), lambda client: client.retry_members(7, [1, 2])),
    "events": (lambda api: api.events(7), lambda client: client.events(7)),
    "changes": (lambda api: api.changes(7), lambda client: client.changes(7)),
    "proposal_review": (lambda api: api.proposal_review(7), lambda client: client.proposal_review(7)),
    "dag_runs": (lambda api: api.dag_runs(), lambda client: client.dag_runs()),
    "task_instances": (lambda api: api.task_instances("d", "r"), lambda client: client.task_instances("d", "r")),
    "edges": (lambda api: api.edges("orders"), lambda client: client.edges("orders")),
    "health": (lambda api: api.health(), lambda client: client.health()),
}


def without(answer: Any) -> Any:
    """An answer as a server gives it that doesn't know the newer fields."""
    if isinstance(answer, dict):
        return {name: without(value) for name, value in answer.items() if name not in NEWER}
    return list(map(without, answer)) if isinstance(answer, list) else answer


@pytest.mark.parametrize("call", ANSWERS)
def test_an_answer_of_before_is_read(client: Callable[..., Any], call: str) -> None:
    answered, asked = ANSWERS[call]
    old = without(answered(Api(cast("Service", StubService()), Actor("1", "ana"))).model_dump(mode="json"))
    read = asked(client(lambda _request: httpx.Response(200, json=old))).model_dump(mode="json")
    assert without(read) == old
    assert_called_by_their_ids(read)


def assert_called_by_their_ids(answer: Any) -> None:
    for each in answer if isinstance(answer, list) else answer.values() if isinstance(answer, dict) else ():
        assert_called_by_their_ids(each)
    for kind in ("dag", "task") if isinstance(answer, dict) else ():
        assert answer.get(f"{kind}_display_name", answer.get(f"{kind}_id")) == answer.get(f"{kind}_id")
