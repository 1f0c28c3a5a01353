"""The trigger: waits for the end of a rerun in the triggerer, while the task holds no worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_rerun_downstream.client import ClientError
from airflow_rerun_downstream.client.waiting import wait_async
from airflow_rerun_downstream.operators.following import PATIENCE, POLL_INTERVAL
from airflow_rerun_downstream.operators.hook import RerunDownstreamHook

TOLD_OF_KILLS = hasattr(BaseTrigger, "on_kill")
"""Airflow 3.3 tells a trigger that somebody has ended its task; earlier ones cancel it, as after a time-out, or when a
triggerer stops."""

KILL_PATIENCE = 30.0
"""Seconds for the termination of the rerun, as by default in Airflow 3.3."""


class RerunEndedTrigger(BaseTrigger):
    """Fires when a rerun has succeeded, failed or been terminated; with an ``error`` when the server stays away.

    :param rerun_id: the rerun
    :param rerun_downstream_conn_id: the connection
    :param poll_interval: seconds between two looks
    :param patience: seconds for which the server may be away
    :param terminate: whether the rerun is terminated when somebody ends the task
    """

    def __init__(
        self,
        *,
        rerun_id: int,
        rerun_downstream_conn_id: str,
        poll_interval: float = POLL_INTERVAL,
        patience: float = PATIENCE,
        terminate: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.rerun_id = rerun_id
        self.rerun_downstream_conn_id = rerun_downstream_conn_id
        self.poll_interval = poll_interval
        self.patience = patience
        self.terminate = terminate

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The trigger as Airflow stores it."""
        said = ("rerun_id", "rerun_downstream_conn_id", "poll_interval", "patience", "terminate")
        return f"{__name__}.{type(self).__name__}", {name: getattr(self, name) for name in said}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and say that it is over; the task itself looks at how."""
        try:
            async with await self._hook().get_async_conn() as client:
                ended = await wait_async(
                    lambda: client.rerun(self.rerun_id), interval=self.poll_interval, patience=self.patience
                )
        except ClientError as error:
            yield event(self.rerun_id, error=str(error))
        except asyncio.CancelledError:
            if not TOLD_OF_KILLS and self.terminate:
                await to_the_end(self._terminate_if_killed())
            raise
        else:
            yield event(ended.id, state=ended.state.value)

    async def on_kill(self) -> None:
        """Terminate the rerun, if that is wanted: somebody has ended the task."""
        if self.terminate:
            await to_the_end(self._terminate())

    async def _terminate(self) -> None:
        async with await self._hook().get_async_conn() as client:
            await client.terminate(self.rerun_id)

    async def _terminate_if_killed(self) -> None:
        if not self._timed_out() and not await self._still_deferred():
            await self._terminate()

    def _timed_out(self) -> bool:
        limit: datetime | None = getattr(self, "timeout_after", None)
        return limit is not None and limit.replace(tzinfo=limit.tzinfo or timezone.utc) < datetime.now(timezone.utc)

    async def _still_deferred(self) -> bool:
        """Whether the task waits on: the triggerer stops, and another one goes on."""
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        task: Any = self.task_instance
        asked: dict[str, Any] = {"task_ids": [task.task_id], "run_ids": [task.run_id], "map_index": task.map_index}
        found = await sync_to_async(RuntimeTaskInstance.get_task_states)(dag_id=task.dag_id, **asked)
        return "deferred" in found.get(task.run_id, {}).values()

    def _hook(self) -> RerunDownstreamHook:
        return RerunDownstreamHook(self.rerun_downstream_conn_id)


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do it whoever cancels it: until a trigger has ended, the triggerer cancels it again each second."""
    doing = asyncio.ensure_future(asyncio.wait_for(work, KILL_PATIENCE))
    while not doing.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(doing)
    await doing


def event(rerun_id: int, **said: str) -> TriggerEvent:
    """What the trigger fires."""
    return TriggerEvent({"rerun_id": rerun_id, **said})  # type: ignore[no-untyped-call]
