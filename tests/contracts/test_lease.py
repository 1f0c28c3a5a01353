"""What every `Lease` promises: the fake, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from datetime import timezone as timezones
from typing import Any

import pytest
from sqlalchemy import literal
from sqlalchemy.orm import Session

from airflow_rerun_downstream.ports.lease import Grant, Lease
from airflow_rerun_downstream.store.lease import SqlLease
from airflow_rerun_downstream.store.moments import DatabaseClock, Moments
from airflow_rerun_downstream.store.types import UtcDateTime
from tests.fakes.lease import FakeLease
from tests.store.databases import EVERY, database

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=timezones.utc)
LASTS = timedelta(seconds=30)

Opened = Callable[..., AbstractContextManager[Lease]]
"""Opens the lease at a moment of the common clock; ``off``: by how much the opening process's own is ahead of it."""


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def standing(at: float) -> Moments:
    """A database whose clock stands."""

    def moments(span: timedelta = timedelta()) -> Any:
        return literal(after(at) + span, UtcDateTime())

    return moments


@pytest.fixture(params=EVERY)
def opened(request: pytest.FixtureRequest) -> Opened:
    if request.param == "fake":
        times = [NOW]
        fake = FakeLease(lambda: times[-1])

        @contextmanager
        def in_memory(at: float = 0, off: float = 0) -> Iterator[Lease]:
            times.append(after(at))
            fake.clock_offset = timedelta(seconds=off)
            yield fake

        return in_memory
    engine = database(request.param)

    @contextmanager
    def transaction(at: float = 0, off: float = 0) -> Iterator[Lease]:
        with Session(engine) as session, session.begin():
            clock = DatabaseClock(machine=lambda: after(at + off))
            yield SqlLease(session, clock=clock, moments=standing(at))

    return transaction


def acquire(opened: Opened, owner: str, at: float, off: float = 0) -> int | None:
    with opened(at, off) as lease:
        return lease.acquire(owner=owner, lasts=LASTS).number


def confirm(opened: Opened, owner: str, number: int, at: float) -> bool:
    with opened(at) as lease:
        return lease.confirm(owner=owner, number=number, lasts=LASTS)


def test_the_first_who_asks_gets_it(opened: Opened) -> None:
    assert acquire(opened, "a", 0) == 1
    assert acquire(opened, "b", 1) is None
    assert acquire(opened, "b", 30) is None


def test_an_owner_keeps_number_and_lease_by_asking_again(opened: Opened) -> None:
    assert [acquire(opened, "a", at) for at in (0, 5, 15, 25, 35, 45, 60)] == [1] * 7
    assert acquire(opened, "b", 75) is None


def test_it_lasts_two_thirds_of_its_length_at_least_after_any_asking(opened: Opened) -> None:
    acquire(opened, "a", 0)
    acquire(opened, "a", 9.9)
    assert acquire(opened, "b", 29.9) is None
    assert acquire(opened, "b", 30.1) == 2


def test_an_expired_lease_goes_to_whoever_asks_with_a_new_number(opened: Opened) -> None:
    assert acquire(opened, "a", 0) == 1
    assert acquire(opened, "b", 31) == 2
    assert acquire(opened, "a", 32) is None
    assert acquire(opened, "a", 62) == 3


def test_an_owner_whose_lease_expired_unnoticed_keeps_the_number(opened: Opened) -> None:
    assert acquire(opened, "a", 0) == 1
    assert acquire(opened, "a", 100) == 1
    assert acquire(opened, "b", 101) is None


def test_only_the_owner_with_the_number_confirms(opened: Opened) -> None:
    number = acquire(opened, "a", 0)
    assert number is not None
    assert confirm(opened, "a", number, 1)
    assert not confirm(opened, "a", number + 1, 1)
    assert not confirm(opened, "b", number, 1)


def test_an_expired_lease_is_not_confirmed(opened: Opened) -> None:
    acquire(opened, "a", 0)
    assert not confirm(opened, "a", 1, 30.1)


def test_a_confirmation_renews_it(opened: Opened) -> None:
    acquire(opened, "a", 0)
    assert confirm(opened, "a", 1, 30)
    assert confirm(opened, "a", 1, 60)
    assert acquire(opened, "b", 89) is None
    assert not confirm(opened, "a", 1, 90.1)


def test_who_was_overtaken_does_not_confirm(opened: Opened) -> None:
    acquire(opened, "a", 0)
    acquire(opened, "b", 31)
    assert not confirm(opened, "a", 1, 31)
    assert confirm(opened, "b", 2, 31)


def test_nothing_is_confirmed_before_anybody_asked(opened: Opened) -> None:
    assert not confirm(opened, "a", 1, 0)


def test_a_lease_that_is_given_up_is_free_at_once(opened: Opened) -> None:
    acquire(opened, "a", 0)
    with opened() as lease:
        lease.release(owner="a")
    assert not confirm(opened, "a", 1, 1)
    assert acquire(opened, "b", 1) == 2
    with opened() as lease:
        lease.release(owner="b")
    assert acquire(opened, "b", 2) == 3


def test_only_the_owner_gives_it_up(opened: Opened) -> None:
    with opened() as lease:
        lease.release(owner="a")
    acquire(opened, "a", 0)
    with opened() as lease:
        lease.release(owner="b")
    assert confirm(opened, "a", 1, 1)


def test_health_reads_owner_and_last_tick(opened: Opened) -> None:
    with opened() as lease:
        assert lease.read() is None  # type: ignore[attr-defined]
    acquire(opened, "a", 0)
    confirm(opened, "a", 1, 5)
    with opened() as lease:
        found = lease.read()  # type: ignore[attr-defined]
    assert (found.owner, found.number, found.expires_at, found.last_tick_at) == ("a", 1, after(35), after(5))


@pytest.mark.parametrize("off", [-3600, -5.5, 5.5, 3600])
class TestAClockThatIsOff:
    def test_its_process_does_not_get_the_lease(self, opened: Opened, off: float) -> None:
        with opened(0, off) as lease:
            assert lease.acquire(owner="a", lasts=LASTS) == Grant(None, timedelta(seconds=off))
        assert acquire(opened, "b", 0) == 1

    def test_its_process_loses_the_lease_at_once(self, opened: Opened, off: float) -> None:
        assert acquire(opened, "a", 0) == 1
        assert acquire(opened, "a", 1, off) is None
        assert not confirm(opened, "a", 1, 1)
        assert acquire(opened, "b", 1) == 2

    def test_it_takes_nothing_from_another_one(self, opened: Opened, off: float) -> None:
        assert acquire(opened, "a", 0) == 1
        assert acquire(opened, "b", 1, off) is None
        assert confirm(opened, "a", 1, 1)


@pytest.mark.parametrize("off", [-5, 0, 5])
def test_a_few_seconds_do_not_matter(opened: Opened, off: float) -> None:
    with opened(0, off) as lease:
        assert lease.acquire(owner="a", lasts=LASTS) == Grant(1, timedelta(seconds=off))


def test_a_lease_written_at_a_time_to_come_is_free(opened: Opened) -> None:
    """The common clock was set back, or isn't common: nothing says that the owner lives."""
    assert acquire(opened, "a", 3600) == 1
    assert acquire(opened, "b", 0) == 2
    assert acquire(opened, "a", 1) is None


def test_its_owner_keeps_it_all_the_same(opened: Opened) -> None:
    assert acquire(opened, "a", 3600) == 1
    assert acquire(opened, "a", 0) == 1
    assert acquire(opened, "b", 1) is None
    assert acquire(opened, "b", 31) == 2
