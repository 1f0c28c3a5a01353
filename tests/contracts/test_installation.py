"""What the ports about the installation itself promise: transactions, the clock, its health, notification targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.ports.installation import Clock, Health, Notifier
from airflow_rerun_downstream.ports.work import UnitOfWork
from airflow_rerun_downstream.settings import Settings
from tests.airflow3.conftest import emptied
from tests.contracts.conftest import BACKENDS
from tests.fakes.airflow import FakeClock
from tests.fakes.work import FakeHealth, FakeNotifier, House

COMPONENTS = {
    *("database", "conductor", "clocks", "asset_manager", "freeze_hook", "hooks", "frozen", "policy", "listener"),
    "declared_links",
}
LASTS = timedelta(seconds=30)


@dataclass
class Installation:
    """One implementation of each port."""

    unit_of_work: UnitOfWork
    clock: Clock
    health: Health
    notifier: Notifier


@pytest.fixture(params=["fake", *BACKENDS])
def installed(request: pytest.FixtureRequest) -> Iterator[Installation]:
    if request.param == "fake":
        house = House()
        yield Installation(house.unit_of_work, FakeClock(), FakeHealth(house.unit_of_work), FakeNotifier())
        return
    from airflow_rerun_downstream.airflow3 import wiring
    from airflow_rerun_downstream.airflow3.installation import health
    from airflow_rerun_downstream.store import schema
    from airflow_rerun_downstream.store.moments import DatabaseClock

    database = emptied(request.param)
    schema.upgrade(database.engine)
    settings = Settings(
        notification_targets={
            "data-team": {"kind": "webhook", "url": "https://example.org/hook/secret", "description": "the data team"}
        }
    )
    yield Installation(
        wiring.AirflowUnitOfWork(),
        DatabaseClock(),
        health.AirflowHealth(settings=lambda: settings, clock=DatabaseClock()),
        ConfiguredTargets(settings),
    )


def leads(installed: Installation, owner: str) -> bool:
    """Whether somebody gets the lease."""
    with installed.unit_of_work() as work:
        return work.lease.acquire(owner=owner, lasts=LASTS).number is not None


class TestUnitOfWork:
    def test_leaving_it_commits(self, installed: Installation) -> None:
        assert leads(installed, "one")
        assert not leads(installed, "two")

    def test_an_exception_goes_on_and_takes_everything_back(self, installed: Installation) -> None:
        self.fails(installed, ZeroDivisionError)

    def test_so_does_the_end_of_the_process(self, installed: Installation) -> None:
        self.fails(installed, SystemExit)

    def fails(self, installed: Installation, error: type[BaseException]) -> None:
        def half() -> None:
            with installed.unit_of_work() as work:
                assert work.lease.acquire(owner="one", lasts=LASTS).number is not None
                raise error

        with pytest.raises(error):
            half()
        assert leads(installed, "two")

    def test_the_ports_of_one_transaction_see_what_it_has_done(self, installed: Installation) -> None:
        with installed.unit_of_work() as work:
            first = work.lease.acquire(owner="one", lasts=LASTS)
            assert first.number is not None
            assert work.lease.confirm(owner="one", number=first.number, lasts=LASTS)
            assert work.store.all_active_runs() == {}


class TestClock:
    def test_it_is_aware_and_in_utc(self, installed: Installation) -> None:
        now = installed.clock.now()
        assert (isinstance(now, datetime), now.utcoffset()) == (True, timedelta())

    def test_it_does_not_go_back(self, installed: Installation) -> None:
        moments = [installed.clock.now() for _ in range(50)]
        assert moments == sorted(moments)


class TestHealth:
    def test_it_names_every_component(self, installed: Installation) -> None:
        found = installed.health.components()
        assert found.keys() == COMPONENTS
        assert {one.status for one in found.values()} <= {"healthy", "degraded", "unhealthy"}
        assert all(one.detail for one in found.values())

    @pytest.mark.parametrize("what", ["components", "asset_manager_active", "freeze_hook_active", "cannot_freeze"])
    def test_it_reads_in_a_transaction_of_its_own(self, installed: Installation, what: str) -> None:
        """Twice, so that the first has let go of it."""
        ask: Any = getattr(installed.health, what)
        assert ask() == ask()


class TestNotifier:
    def test_name_kind_and_description_and_nothing_secret(self, installed: Installation) -> None:
        (found,) = installed.notifier.targets()
        assert (found[0], found[2]) == ("data-team", "the data team")
        assert all(isinstance(text, str) and "secret" not in text for text in found)
