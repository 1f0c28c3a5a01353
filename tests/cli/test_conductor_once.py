"""`conductor --once` also sends what is due to be told."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from airflow_rerun_downstream import host
from airflow_rerun_downstream.cli import admin_commands
from airflow_rerun_downstream.cli.main import main
from airflow_rerun_downstream.domain.delivery import DeliveryState, NewDelivery
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.notify.courier import Courier
from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.settings import Settings
from tests.fakes.house import ADA, House
from tests.fakes.outbox import FakeOutbox
from tests.notify.receivers import Receiver, running


def courier(house: House, receiver: Receiver) -> Courier:
    hook = {"kind": "webhook", "url": receiver.url, "allow_http": True, "allow_private_addresses": True}
    return Courier(
        unit_of_work=house.unit_of_work,
        clock=house.clock,
        targets=ConfiguredTargets(Settings(notification_targets={"ops": hook})),
        address=lambda number: None,
        leads=lambda: house.conductor.leads,
    )


@pytest.fixture
def house() -> House:
    return House()


def due(house: House, *seconds: float) -> None:
    """Deliveries of a rerun, due in so many seconds."""
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(house.world.run("a")))).rerun.id
    now = house.clock.now()
    with house.unit_of_work() as work:
        work.outbox.add(
            [NewDelivery(rerun, "ops", "succeeded", now, now + timedelta(seconds=each), "x") for each in seconds]
        )


def once(house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> list[DeliveryState]:
    wiring = SimpleNamespace(conductor=lambda: house.conductor, courier=lambda made: courier(house, receiver))
    rooms = {"wiring": wiring, "configuration": SimpleNamespace(log_what_is_wrong=lambda: None)}
    monkeypatch.setattr(host, "room", rooms.__getitem__)
    assert main(["conductor", "--once"]) == 0
    return [each.state for each in house.unit_of_work.outbox.rows.values()]


SENT, PENDING = DeliveryState.SENT, DeliveryState.PENDING


def test_what_is_due_is_sent_and_what_is_not_waits(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    due(house, 0, 0, 5)
    with running(Receiver()) as receiver:
        assert once(house, receiver, monkeypatch) == [SENT, SENT, PENDING]
        assert len(receiver.calls) == 2
        house.clock.advance(seconds=6)
        assert once(house, receiver, monkeypatch) == [SENT] * 3
    assert capsys.readouterr().out.startswith("1 active reruns, ")
    assert not house.conductor.leads


def test_one_that_does_not_lead_sends_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    due(house, 0)
    other = house.new_conductor("other")
    other.tick()
    with running(Receiver()) as receiver:
        assert once(house, receiver, monkeypatch) == [PENDING]


def test_after_some_time_no_other_one_is_begun(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_commands, "TELLING", 0.0)
    due(house, 0)
    with running(Receiver()) as receiver:
        assert once(house, receiver, monkeypatch) == [PENDING]


def test_a_target_at_which_nothing_arrives_ends_the_command_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(house, 0, 0)
    with running(Receiver(status=500)) as receiver:
        assert once(house, receiver, monkeypatch) == [PENDING] * 2
        assert len(receiver.calls) == 1


def test_a_database_that_goes_away_meanwhile_fails_no_command(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    due(house, 0)

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("away")

    monkeypatch.setattr(FakeOutbox, "take", fail)
    with running(Receiver()) as receiver:
        assert once(house, receiver, monkeypatch) == [PENDING]
