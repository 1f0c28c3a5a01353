"""The stages on which what a port promises is tested: the fake, and Airflow on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.ports.installation import Clock, Health, Notifier
from airflow_rerun_downstream.ports.work import UnitOfWork
from airflow_rerun_downstream.settings import Settings
from tests.airflow3.conftest import emptied
from tests.contracts.stages import FakeStage, Stage
from tests.fakes.house import House
from tests.fakes.installation import FakeClock, FakeHealth, FakeNotifier

BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=["fake", *BACKENDS])
def airflow(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """An empty Airflow."""
    if request.param == "fake":
        yield FakeStage()
        return
    database = emptied(request.param)
    from tests.contracts.airflow_stage import AirflowStage

    with database.session() as session:
        yield AirflowStage(session)


@dataclass
class Installation:
    """One implementation of each port."""

    unit_of_work: UnitOfWork
    clock: Clock
    health: Health
    notifier: Notifier


@pytest.fixture(params=["fake", *BACKENDS])
def installed(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An installation."""
    if request.param == "fake":
        house = House()
        yield Installation(house.unit_of_work, FakeClock(), FakeHealth(house.unit_of_work), FakeNotifier())
        return
    from airflow_rerun_downstream.airflow3 import wiring
    from airflow_rerun_downstream.airflow3.database.transactions import Transactions
    from airflow_rerun_downstream.airflow3.installation import health
    from airflow_rerun_downstream.store.moments import DatabaseClock
    from tests.airflow3 import scene

    database = emptied(request.param)
    scene.migrate(database)
    settings = Settings(
        notification_targets={
            "data-team": {"kind": "webhook", "url": "https://example.org/hook/secret", "description": "the data team"}
        }
    )
    yield Installation(
        wiring.AirflowUnitOfWork(Transactions()),
        DatabaseClock(),
        health.AirflowHealth(settings=lambda: settings, clock=DatabaseClock()),
        ConfiguredTargets(settings),
    )
