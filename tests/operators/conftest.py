from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, RerunDownstreamClient
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.operators import following, proposing
from airflow_rerun_downstream.operators.server import RETRIES, Server
from tests.fakes.house import House
from tests.operators.fake_server import URL, FakeServer

try:
    from airflow.sdk.exceptions import TaskDeferred
except ImportError:  # Airflow 3.1
    from airflow.exceptions import TaskDeferred

__all__ = ["TaskDeferred"]

CONNECTION = {"conn_type": "rerun_downstream", "host": URL, "login": "ada", "password": "secret"}
Chain = tuple[RunRef, RunRef, RunRef]


@dataclass
class Instance:
    """A task instance, as far as a task's code sees it."""

    dag_id: str = "mine"
    run_id: str = "r1"
    task_id: str = "repair"
    map_index: int = -1
    try_number: int = 1
    max_tries: int = 2
    pushed: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@dataclass
class Run:
    dag_id: str = "mine"
    run_id: str = "r1"
    start_date: datetime = datetime(2026, 3, 1, tzinfo=timezone.utc)
    state: str = "running"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def chain(house: House) -> Chain:
    """a → b → c, joined by assets."""
    world = house.world
    world.dag("b", "in >> out")
    one, two, three = world.run("a"), world.run("b"), world.run("c")
    world.consumed(one, "t", by=two, asset="1")
    world.consumed(two, "out", by=three, asset="2")
    return one, two, three


@pytest.fixture
def server(house: House, mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """The server that ``rerun_downstream_default`` names. Whoever waits for a rerun sees it one step further."""
    fake = FakeServer(house)
    monkeypatch.setenv("AIRFLOW_CONN_RERUN_DOWNSTREAM_DEFAULT", json.dumps(CONNECTION))
    sync, asynchronous = httpx.MockTransport(fake), httpx.MockTransport(fake.later)

    def client(self: Server, retries: int = RETRIES) -> RerunDownstreamClient:
        return RerunDownstreamClient(self.url, transport=sync, **{**self._options(), "retries": retries})

    def async_client(self: Server) -> AsyncRerunDownstreamClient:
        return AsyncRerunDownstreamClient(self.url, transport=asynchronous, **self._options())

    mocker.patch.object(Server, "client", client)
    mocker.patch.object(Server, "async_client", async_client)
    mocker.patch.object(Server, "_http", lambda self, **options: httpx.Client(transport=sync, **options))
    mocker.patch.object(following, "sleep")
    mocker.patch("airflow_rerun_downstream.client.retries.pause", return_value=0)
    mocker.patch.object(proposing, "sleep")
    return fake
