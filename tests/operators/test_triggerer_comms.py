"""What a trigger that is cancelled leaves behind on the one line between the triggerer's processes."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import msgspec
import pytest
from airflow.jobs.triggerer_job_runner import TriggerCommsDecoder
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import GetVariable, _RequestFrame, _ResponseFrame

from airflow_rerun_downstream.operators import RerunDownstreamHook
from tests.operators.fake_server import URL

CONN = "rerun_downstream_default"
ANSWERS: dict[str, dict[str, Any]] = {
    "GetConnection": {"type": "ConnectionResult", "conn_id": CONN, "conn_type": "rerun_downstream", "host": URL},
    "GetVariable": {"type": "VariableResult", "key": "x", "value": "y"},
}


async def supervisor(end: socket.socket, asked: asyncio.Event, go_on: asyncio.Event) -> None:
    """Answer what is asked, one after the other."""
    reader, writer = await asyncio.open_connection(sock=end)
    while True:
        length = int.from_bytes(await reader.readexactly(4), "big")
        frame = msgspec.msgpack.decode(await reader.readexactly(length), type=_RequestFrame)
        asked.set()
        await go_on.wait()
        answer = ANSWERS.get((frame.body or {})["type"])
        writer.write(_ResponseFrame(frame.id, answer).as_bytes())


async def asks_after_a_cancelled_read(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Cancel somebody who reads the connection; answer a question that comes after that."""
    ours, theirs = socket.socketpair()
    asked, go_on = asyncio.Event(), asyncio.Event()
    beside = [asyncio.create_task(supervisor(theirs, asked, go_on))]
    reader, writer = await asyncio.open_connection(sock=ours)
    comms = TriggerCommsDecoder(async_reader=reader, async_writer=writer, socket=ours)
    if hasattr(comms, "start_reader"):
        await comms.start_reader()
        beside.append(comms._reader_task)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)
    trigger = asyncio.create_task(RerunDownstreamHook().get_async_conn())
    await asked.wait()
    trigger.cancel()
    await asyncio.wait({trigger}, timeout=0.1)
    go_on.set()
    try:
        return await asyncio.wait_for(comms.asend(GetVariable(key="x")), 10)
    finally:
        for task in beside:
            task.cancel()


def test_a_cancelled_read_of_a_connection_leaves_the_line_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow 3.1 would mistake the next answer on it for its own, and the triggerer would end."""
    monkeypatch.delenv("AIRFLOW_CONN_RERUN_DOWNSTREAM_DEFAULT", raising=False)
    assert asyncio.run(asks_after_a_cancelled_read(monkeypatch)).value == "y"
