"""A deferred task that somebody ends, under Airflow's own runner of triggers.

The runner cancels a trigger again, each second, until that has ended.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.jobs.triggerer_job_runner import TriggerRunner
from airflow.sdk import Connection
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.operators import RerunDownstreamHook
from airflow_rerun_downstream.operators.ended_trigger import RerunEndedTrigger
from tests.fakes.house import House
from tests.operators.conftest import CONNECTION, Chain
from tests.operators.fake_server import FakeServer
from tests.operators.test_operator import context, operator

CONN = "rerun_downstream_default"
WITHIN = 10
"""Seconds after which a test gives up."""

AGAIN = 0.02
"""Seconds between two cancellations."""

SLOW = 5 * AGAIN


@pytest.fixture
def submitted(server: FakeServer, chain: Chain) -> int:
    return int(operator(chain, wait_for_completion=False).execute(context())["rerun_id"])


def of_task(
    rerun_id: int, mocker: MockerFixture, *, state: str = "failed", within: int = WITHIN, **options: Any
) -> RerunEndedTrigger:
    """The trigger of a task that is in that state by now; ``within``: how many seconds before its time-out."""
    trigger = RerunEndedTrigger(rerun_id=rerun_id, rerun_downstream_conn_id=CONN, poll_interval=WITHIN, **options)
    names = {"dag_id": "mine", "run_id": "r1", "task_id": "repair", "map_index": -1}
    trigger.task_instance = SimpleNamespace(id="0", try_number=1, context_carrier=None, **names)
    trigger.timeout_after = datetime.now(timezone.utc) + timedelta(seconds=within)

    def slowly(**asked: Any) -> dict[str, Any]:
        assert asked == {"dag_id": "mine", "run_ids": ["r1"], "task_ids": ["repair"], "map_index": -1}
        time.sleep(SLOW)
        return {"r1": {"repair": state}}

    mocker.patch.object(RuntimeTaskInstance, "get_task_states", side_effect=slowly)
    return trigger


async def ended(trigger: RerunEndedTrigger, when: Callable[[], Awaitable[object]], *, by: str = "somebody") -> None:
    """Run a trigger, and end its task at that moment."""
    runner = TriggerRunner()
    timed = "timeout_after" in inspect.signature(runner.run_trigger).parameters  # not on the first releases of 3.1
    task = asyncio.create_task(runner.run_trigger(1, trigger, *([trigger.timeout_after] if timed else [])))
    runner.triggers[1] = {"task": task, "is_watcher": False, "name": "one", "events": 0}
    await when()

    async def cancel() -> None:
        while not task.done():
            runner.to_cancel.append(1)
            await runner.cancel_triggers()
            await asyncio.sleep(AGAIN)

    if by == "somebody":
        await asyncio.wait_for(cancel(), WITHIN)
    else:
        task.cancel()
        await asyncio.wait({task}, timeout=WITHIN)
    assert task.cancelled()
    # Airflow 3.3 doesn't wait for what a trigger does when it is killed, but its loop goes on.
    if left := asyncio.all_tasks() - {asyncio.current_task()}:
        _, pending = await asyncio.wait(left, timeout=WITHIN)
        assert not pending


async def true(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0)


def test_while_it_reads_its_connection(house: House, submitted: int, mocker: MockerFixture) -> None:
    reads, go_on = threading.Event(), threading.Event()

    def slowly(conn_id: str) -> Connection:
        reads.set()
        assert go_on.wait(WITHIN)
        return Connection.from_json(json.dumps(CONNECTION), conn_id)

    async def reading() -> None:
        await true(reads.is_set)
        asyncio.get_running_loop().call_later(SLOW, go_on.set)

    mocker.patch.object(RerunDownstreamHook, "get_connection", staticmethod(slowly))
    asyncio.run(ended(of_task(submitted, mocker, terminate=True), reading))
    assert house.store.rows.reruns[submitted].state is RerunState.TERMINATING


@pytest.mark.parametrize("terminate", [False, True])
def test_while_it_looks(
    house: House, server: FakeServer, submitted: int, mocker: MockerFixture, terminate: bool
) -> None:
    server.takes = SLOW
    asyncio.run(ended(of_task(submitted, mocker, terminate=terminate), lambda: true(lambda: server.waiting)))
    wanted = RerunState.TERMINATING if terminate else RerunState.RUNNING
    assert house.store.rows.reruns[submitted].state is wanted


def test_between_two_looks(house: House, server: FakeServer, submitted: int, mocker: MockerFixture) -> None:
    async def looked() -> None:
        await true(lambda: f"GET /reruns/{submitted}" in server.asked and not server.waiting)
        server.takes = SLOW

    asyncio.run(ended(of_task(submitted, mocker, terminate=True), looked))
    assert house.store.rows.reruns[submitted].state is RerunState.TERMINATING


@pytest.mark.parametrize(
    ("by", "state", "within"), [("a triggerer that stops", "deferred", WITHIN), ("somebody", "scheduled", -1)]
)
def test_neither_a_triggerer_that_stops_nor_a_time_out_ends_the_rerun(
    house: House, server: FakeServer, submitted: int, mocker: MockerFixture, by: str, state: str, within: int
) -> None:
    server.takes = SLOW
    trigger = of_task(submitted, mocker, terminate=True, state=state, within=within)
    asyncio.run(ended(trigger, lambda: true(lambda: server.waiting), by=by))
    assert house.store.rows.reruns[submitted].state is RerunState.RUNNING
