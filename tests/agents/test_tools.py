"""Every tool, called by the official SDK's client: what it answers, what it asks of REST, and what it never does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from airflow_rerun_downstream.agents.shortening import LARGEST
from airflow_rerun_downstream.client import AsyncRerunDownstreamClient
from airflow_rerun_downstream.domain.words import MEMBER_ACTIONS, RERUN_ACTIONS
from tests.agents.rest_server import RestServer
from tests.rest.stub import SALES, SOURCE

pytest.importorskip("mcp", reason="its SDK isn't there beside the first release of an Airflow")

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

REF = {"dag_id": SOURCE.dag_id, "run_id": SOURCE.run_id}
REQUEST = {"source": REF}

ARGUMENTS: dict[str, dict[str, Any]] = {
    "list_dag_runs": {"dag_id_pattern": "ord", "can_be_source": True, "limit": 3},
    "list_reruns": {"state": "running"},
    "plan": {"request": REQUEST},
    "review": {"request": {**REQUEST, "members": []}},
    "propose": {"request": {**REQUEST, "reason": "wrong rate"}},
    "explain_run": {"source": REF, "run": {"dag_id": SALES.dag_id, "run_id": SALES.run_id}},
    "explain_member": {"rerun_id": 7, "member_id": 1},
    "explain_word": {"word": "in_active_rerun"},
    "watch": {"rerun_id": 7},
}
"""For each tool, arguments with which it succeeds. A tool without some fails `test_every_tool_is_called`."""

CHANGES_NOTHING = {("POST", "/plans"), ("POST", "/reviews")}
Use = Callable[["Client"], Any]


@asynccontextmanager
async def connected(server: RestServer) -> AsyncIterator[Client]:
    """A client of the SDK, in memory, of a server whose REST API is a fake."""
    from mcp import Client

    from airflow_rerun_downstream.agents.agent_server import agent_server

    transport = httpx.MockTransport(server)
    rest = AsyncRerunDownstreamClient("http://airflow", token="s3cret", retries=0, transport=transport)
    async with rest, Client(agent_server(rest)) as client:
        yield client


def used(server: RestServer, use: Use) -> Any:
    async def run() -> Any:
        async with connected(server) as client:
            return await use(client)

    return anyio.run(run)


def called(server: RestServer, name: str, **arguments: Any) -> CallToolResult:
    found: CallToolResult = used(server, lambda client: client.call_tool(name, arguments))
    return found


def answered(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


def listed() -> dict[str, Tool]:
    return {tool.name: tool for tool in used(RestServer(), lambda client: client.list_tools()).tools}


def test_every_tool_is_called() -> None:
    assert set(listed()) == set(ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_tool_answers_in_bounds_and_without_the_token(name: str) -> None:
    result = called(RestServer(), name, **ARGUMENTS[name])
    assert answered(result)
    assert len(json.dumps(result.structured_content)) <= LARGEST
    assert "s3cret" not in result.model_dump_json()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_no_tool_changes_anything_and_one_proposes(name: str) -> None:
    """Whatever it is asked: it reads and previews, or stores what a person has to approve."""
    server = RestServer()
    for arguments in (ARGUMENTS[name], asking_for_more(ARGUMENTS[name])):
        called(server, name, **arguments)
    assert server.asked or name == "explain_word"
    for method, path, body in server.asked:
        proposed = name == "propose" and (method, path) == ("POST", "/reruns") and body["propose"] is True
        assert method == "GET" or (method, path) in CHANGES_NOTHING or proposed, (method, path, body)
    writes = [path for method, path, _ in server.asked if method == "POST" and path == "/reruns"]
    assert len(writes) == (2 if name == "propose" else 0)


def asking_for_more(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same, for somebody who wants it done without being asked."""
    if "request" not in arguments:
        return arguments
    return {**arguments, "request": {**arguments["request"], "propose": False}}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_client_is_told_whether_a_tool_changes_anything(name: str) -> None:
    tool = listed()[name]
    assert tool.description
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint is (name != "propose")
    assert tool.annotations.destructive_hint in (None, False)
    assert set(tool.input_schema["properties"]) >= set(ARGUMENTS[name])


def test_there_is_no_tool_that_approves_or_controls() -> None:
    assert not {"submit", *RERUN_ACTIONS, *MEMBER_ACTIONS} & set(listed())


def test_a_review_is_asked_for_as_of_a_proposal() -> None:
    """With the right to read alone, it is refused otherwise."""
    server = RestServer()
    for arguments in (ARGUMENTS["review"], asking_for_more(ARGUMENTS["review"])):
        answered(called(server, "review", **arguments))
    assert [body["propose"] for *_, body in server.asked] == [True, True]


def test_a_plan_has_runs_links_and_a_token_but_no_task_instances() -> None:
    found = answered(called(RestServer(), "plan", request=REQUEST))
    assert found["plan_token"] == "token-1"
    assert [run["dag_id"] for run in found["runs"]][:1] == ["sales"]
    assert found["source"]["task_instances"] is None


def test_what_is_cut_is_counted() -> None:
    whole = answered(called(RestServer(), "plan", request=REQUEST, limit=100))
    found = answered(called(RestServer(), "plan", request=REQUEST, limit=1))
    assert len(found["links"]) == 1
    assert found["left_out"]["links"] == len(whole["links"]) - 1
    assert not whole["left_out"]


def test_a_run_of_the_plan_is_explained() -> None:
    found = answered(called(RestServer(), "explain_run", **ARGUMENTS["explain_run"]))
    assert found["in_plan"] is True
    assert found["links"]
    assert all(link["downstream"]["dag_id"] == "sales" for link in found["links"])


def test_a_run_that_is_not_in_it_is_explained_too() -> None:
    found = answered(called(RestServer(), "explain_run", source=REF, run={"dag_id": "other", "run_id": "r"}))
    assert found["in_plan"] is False
    assert found["meaning"] == "the run is not downstream of the source"


def test_words_are_explained_and_unknown_ones_are_not_made_up() -> None:
    assert answered(called(RestServer(), "explain_word", word="dag_paused"))["meaning"].startswith("the Dag is paused")
    assert answered(called(RestServer(), "explain_word", word="nothing_like_it"))["meaning"] is None


def test_a_refusal_says_why_and_is_an_error() -> None:
    server = RestServer()
    server.refusal = httpx.Response(409, json={"detail": "Too many runs.", "reason": "plan_too_large", "found": 3})
    result = called(server, "plan", request=REQUEST)
    assert result.is_error
    (said,) = result.content
    assert said.type == "text"
    assert "Too many runs. (plan_too_large)" in said.text
    assert '"found": 3' in said.text
    assert "s3cret" not in said.text


def test_a_member_that_is_not_there_is_an_error() -> None:
    result = called(RestServer(), "explain_member", rerun_id=7, member_id=99)
    assert result.is_error
    assert "has no member 99" in str(result.content)


def test_an_error_of_ours_is_not_told() -> None:
    server = RestServer()
    server.found = lambda *_: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    result = called(server, "list_reruns")
    assert result.is_error
    assert "division" not in str(result.content)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("plan", {}), ("plan", {"request": {"source": "orders"}}), ("watch", {"rerun_id": 7, "limit": 101})],
)
def test_wrong_arguments_reach_nobody(name: str, arguments: dict[str, Any]) -> None:
    server = RestServer()
    assert called(server, name, **arguments).is_error
    assert server.asked == []
