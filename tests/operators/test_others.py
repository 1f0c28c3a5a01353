"""Trigger, sensor and function."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.operators import (
    RerunDownstreamSensor,
    function,
    rerun_downstream,
)
from airflow_rerun_downstream.operators.ended_trigger import RerunEndedTrigger
from airflow_rerun_downstream.operators.task_errors import AirflowException, AirflowFailException
from tests.fakes.house import House
from tests.operators.conftest import Chain, Instance, TaskDeferred
from tests.operators.fake_server import FakeServer
from tests.operators.test_operator import context, goes_on, operator

CONN = "rerun_downstream_default"


@pytest.fixture
def submitted(house: House, server: FakeServer, chain: Chain) -> int:
    found = operator(chain, wait_for_completion=False).execute(context())
    server.on_look = lambda: goes_on(house)
    return int(found["rerun_id"])


def fired(trigger: RerunEndedTrigger) -> dict[str, Any]:
    async def first() -> TriggerEvent:
        return await anext(trigger.run())

    return dict(asyncio.run(first()).payload)


def trigger(rerun_id: int, **options: Any) -> RerunEndedTrigger:
    return RerunEndedTrigger(rerun_id=rerun_id, rerun_downstream_conn_id=CONN, poll_interval=0, **options)


class TestTrigger:
    def test_it_fires_at_the_end(self, submitted: int) -> None:
        assert fired(trigger(submitted)) == {"rerun_id": 1, "state": "succeeded"}

    def test_it_is_made_again_of_what_is_stored(self) -> None:
        one = trigger(7, patience=3, terminate=True)
        path, said = one.serialize()
        assert path == f"{RerunEndedTrigger.__module__}.RerunEndedTrigger"
        assert RerunEndedTrigger(**said).serialize() == (path, said)

    def test_what_it_may_not_see_is_an_error_that_the_task_tells(self, house: House, submitted: int) -> None:
        house.permissions.unreadable.add("a")
        event = fired(trigger(submitted))
        assert (event["rerun_id"], "not_found" in event["error"]) == (1, True)

    @pytest.mark.parametrize("terminate", [False, True])
    def test_a_kill(self, house: House, submitted: int, terminate: bool) -> None:
        asyncio.run(trigger(submitted, terminate=terminate).on_kill())
        assert house.store.rows.reruns[1].state is (RerunState.TERMINATING if terminate else RerunState.RUNNING)


class TestSensor:
    def sensor(self, rerun_id: Any, **options: Any) -> RerunDownstreamSensor:
        return RerunDownstreamSensor(task_id="wait", rerun_id=rerun_id, poke_interval=0.01, **options)

    def test_it_waits_for_the_end(self, submitted: int) -> None:
        assert self.sensor(str(submitted)).execute(context())["state"] == "succeeded"

    def test_one_look_at_a_time(self, server: FakeServer, submitted: int) -> None:
        server.away = 1_000
        assert self.sensor(submitted).poke(context()).is_done is False
        server.away = 0
        assert self.sensor(submitted).poke(context()).is_done is False

    def test_a_failure_fails_it(self, house: House, server: FakeServer, submitted: int) -> None:
        server.on_look = lambda: goes_on(house, "failed")
        with pytest.raises(AirflowException, match="has failed"):
            self.sensor(submitted).execute(context())

    def test_one_that_may_not_be_read_fails_it(self, house: House, submitted: int) -> None:
        with pytest.raises(AirflowFailException, match="not_found"):
            self.sensor(99).execute(context())

    def test_deferred(self, submitted: int) -> None:
        sensor = self.sensor(submitted, deferrable=True, timeout=60)
        with pytest.raises(TaskDeferred) as deferred:
            sensor.execute(context())
        assert deferred.value.timeout.total_seconds() == 60
        event = fired(deferred.value.trigger)
        assert sensor.execute_complete(context(), event)["state"] == "succeeded"


class TestFunction:
    @pytest.fixture
    def within(self, mocker: MockerFixture) -> Callable[..., None]:
        def task(instance: Instance | None = None) -> None:
            mocker.patch.object(function, "get_current_context", return_value=context(instance))

        task()
        return task

    def test_it_does_what_the_operator_does(
        self, house: House, server: FakeServer, chain: Chain, within: Callable[..., None]
    ) -> None:
        server.on_look = lambda: goes_on(house)
        source = {"source_dag_id": chain[0].dag_id, "source_run_id": chain[0].run_id}
        assert rerun_downstream(**source)["state"] == "succeeded"
        within(Instance(try_number=2))
        assert rerun_downstream(**source)["rerun_id"] == 1
        assert rerun_downstream(**source, key="again")["rerun_id"] == 2
        assert rerun_downstream(**source, key="third", wait_for_completion=False)["state"] == "running"

    def test_each_source_has_its_own(
        self, house: House, server: FakeServer, chain: Chain, within: Callable[..., None]
    ) -> None:
        server.on_look = lambda: goes_on(house)
        found = [rerun_downstream(source_dag_id=ref.dag_id, source_run_id=ref.run_id) for ref in chain[:2]]
        assert [one["rerun_id"] for one in found] == [1, 2]

    def test_what_makes_no_sense(self, server: FakeServer, within: Callable[..., None]) -> None:
        with pytest.raises(AirflowFailException):
            rerun_downstream(source_dag_id="a")
