"""The tool that proposes, over the real contract: what it stores, and what it answers."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest

from airflow_rerun_downstream.agents import tools as agent_tools
from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, RefusedError
from airflow_rerun_downstream.client.contract import RerunBody
from airflow_rerun_downstream.domain.states import RerunState
from tests.fakes.house import House
from tests.operators.fake_server import URL, FakeServer

SOURCE = "a"


@pytest.fixture
def house() -> House:
    house = House()
    one, two = house.world.run(SOURCE), house.world.run("b")
    house.world.consumed(one, "t", by=two, asset="1")
    return house


@pytest.fixture
def server(house: House) -> FakeServer:
    return FakeServer(house)


def proposed(server: FakeServer, times: int = 1, **more: Any) -> list[dict[str, Any]]:
    """What the tool answers, each time that it is called."""
    (source,) = (ref for ref in server.house.world.runs if ref.dag_id == SOURCE)
    body = RerunBody.model_validate({"source": {"dag_id": source.dag_id, "run_id": source.run_id}, **more})

    async def run() -> list[dict[str, Any]]:
        login = {"username": "ada", "password": "secret"}
        async with AsyncRerunDownstreamClient(URL, transport=httpx.MockTransport(server), **login) as client:
            return [await agent_tools.Tools(client).propose(body) for _ in range(times)]

    return anyio.run(run)


def test_a_proposal_is_stored_and_told_by_address_approvers_and_expiry(house: House, server: FakeServer) -> None:
    (found,) = proposed(server, reason="wrong rate", propose=False)
    assert [(one.id, one.state, one.reason) for one in house.store.rows.reruns.values()] == [
        (1, RerunState.PROPOSED, "wrong rate")
    ]
    assert found["address"] == f"{URL}/rerun-downstream/ui/records/1"
    assert (found["rerun"]["id"], found["rerun"]["state"]) == (1, "proposed")
    assert found["dag_ids"] == ["a", "b"]
    assert "edit the runs of every Dag" in found["who_may_approve"]
    assert found["expires_at"] == found["rerun"]["expires_at"] is not None


def test_nothing_comes_of_it_by_itself(house: House, server: FakeServer) -> None:
    proposed(server)
    house.tick()
    assert {one.state for one in house.store.rows.reruns.values()} == {RerunState.PROPOSED}
    assert {one.state.value for one in house.store.rows.members.values()} == {"pending"}


def test_the_right_to_read_is_enough(house: House, server: FakeServer) -> None:
    house.permissions.forbidden.update({"a", "b"})
    assert proposed(server)[0]["rerun"]["state"] == "proposed"


def test_an_answer_that_is_lost_makes_no_second_proposal_and_a_second_call_does(
    house: House, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_rerun_downstream.client.retries.pause", lambda *_: 0)
    submitted, lost = server.api.submitted, ["the first answer"]

    def losing(*args: Any, **options: Any) -> Any:
        answer = submitted(*args, **options)
        if lost and lost.pop():
            raise httpx.ReadError("gone")
        return answer

    monkeypatch.setattr(server.api, "submitted", losing)
    assert [one["rerun"]["id"] for one in proposed(server, times=2)] == [1, 2]
    assert len(house.store.rows.reruns) == 2


def test_one_that_can_not_be_read_any_more_is_still_told(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> Any:
        raise RefusedError(404, "not_found", "There is no rerun 1.", {})

    monkeypatch.setattr(AsyncRerunDownstreamClient, "iter_members", gone)
    (found,) = proposed(server)
    assert (found["rerun"]["id"], found["dag_ids"]) == (1, None)
