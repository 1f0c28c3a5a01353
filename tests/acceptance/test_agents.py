"""An agent, by the official SDK's client, on a live Airflow: each tool answers, none changes a run, and one proposes.

The agent has the token of a user who may only read.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.acceptance.story import DAGS, Story
from tests.acceptance.test_permissions import DIAMOND
from tests.live.harness import StartAirflow

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.acceptance

SERVE = ["-m", "airflow_rerun_downstream.agents.serve"]
Answer = dict[str, Any]
Call = Callable[..., Awaitable[Answer]]


@pytest.fixture(scope="module")
def story(start_airflow: StartAirflow) -> Story:
    found = Story(start_airflow(dags=[DAGS]))
    found.make_history()
    return found


def agent(story: Story, use: Callable[[Client, Call], Awaitable[Any]]) -> Any:
    """What an agent finds out, whose MCP client starts the server and speaks with it over stdio."""
    from mcp import Client, StdioServerParameters

    token = story.airflow.login("viewer").http.headers["Authorization"].removeprefix("Bearer ")
    prefix = "AIRFLOW_RERUN_DOWNSTREAM_"
    env = {f"{prefix}URL": story.airflow.base_url, f"{prefix}TOKEN": token}

    async def run() -> Any:
        async with Client(StdioServerParameters(command=sys.executable, args=SERVE, env=env)) as client:

            async def call(tool: str, **arguments: Any) -> Answer:
                result = await client.call_tool(tool, arguments)
                assert not result.is_error, result.content
                assert result.structured_content is not None
                return result.structured_content

            return await use(client, call)

    # Not in this thread: a browser of another module's tests may be open, and Playwright runs a loop in it.
    with ThreadPoolExecutor(1) as other:
        return other.submit(anyio.run, run).result()


def test_each_tool_answers_and_changes_nothing_but_for_the_one_that_proposes(story: Story) -> None:
    source = story.source()
    rerun_id = story.submit(reason="wrong rate")["id"]
    assert story.wait_ended(rerun_id)["state"] == "succeeded"
    before = story.airflow_rows(), story.our_rows()
    used: set[str] = set()

    async def use(client: Client, call: Call) -> None:
        async def ask(tool: str, **arguments: Any) -> Answer:
            used.add(tool)
            return await call(tool, **arguments)

        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        runs = await ask("list_dag_runs", dag_id=source["dag_id"], can_be_source=True)
        assert source["run_id"] in [run["run_id"] for run in runs["dag_runs"]]
        plan = await ask("plan", request={"source": source})
        assert {run["dag_id"] for run in plan["runs"]} == {"left", "right", "joined", "child", "marked"}
        (joined,) = (run for run in plan["runs"] if run["dag_id"] == "joined" and run["selected"])
        run = {"dag_id": "joined", "run_id": joined["run_id"]}
        explained = await ask("explain_run", source=source, run=run)
        assert {link["upstream"]["dag_id"] for link in explained["links"]} == {"left", "right"}
        review = await ask("review", request={"source": source})
        assert [each["dag_id"] for each in review["waves"][0]] == ["up"]
        listed = await ask("list_reruns", state="succeeded")
        assert [each["id"] for each in listed["reruns"]] == [rerun_id]
        seen = await ask("watch", rerun_id=rerun_id)
        assert (seen["rerun"]["state"], seen["rerun"]["reason"]) == ("succeeded", "wrong rate")
        member = seen["members"][-1]["id"]
        assert (await ask("explain_member", rerun_id=rerun_id, member_id=member))["member"]["id"] == member
        assert (await ask("explain_word", word="dag_paused"))["meaning"]
        reading = {name for name, tool in tools.items() if tool.annotations and tool.annotations.read_only_hint}
        assert used == reading == tools.keys() - {"propose"}, "every tool is called, here or below"

    agent(story, use)
    assert (story.airflow_rows(), story.our_rows()) == before


def test_an_agent_proposes_a_person_approves_and_the_agent_sees_it_succeed(story: Story) -> None:
    source = story.source()
    before = story.airflow_rows()

    async def use(_: Client, call: Call) -> None:
        found = await call("propose", request={"source": source, "reason": "the check failed", "propose": False})
        number = found["rerun"]["id"]
        assert (found["rerun"]["state"], found["rerun"]["proposed_by"]) == ("proposed", "viewer")
        assert found["dag_ids"] == sorted(DIAMOND)
        assert found["expires_at"]
        assert found["address"].endswith(f"/rerun-downstream/ui/records/{number}")
        assert story.client.http.get(found["address"]).is_success
        seen = await call("watch", rerun_id=number)
        assert {member["state"] for member in seen["members"]} == {"pending"}
        assert story.airflow_rows() == before
        viewer = Story(story.airflow, "viewer")
        assert viewer.refused("POST", f"/reruns/{number}/approve")[0] == 403
        approved = story.call("POST", f"/reruns/{number}/approve")
        assert (approved["state"], approved["approved_by"]) == ("running", "admin")
        state = "proposed"
        with anyio.fail_after(180):
            while state in ("proposed", "running"):
                seen = await call("watch", rerun_id=number, since=seen["cursor"])
                state = (seen["rerun"] or {"state": state})["state"]
                await anyio.sleep(0 if seen["more"] else seen["look_again_after"])
        assert state == "succeeded"

    agent(story, use)
