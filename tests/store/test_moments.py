"""The database's clock, and what a process knows of it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.dialects import mysql, oracle
from sqlalchemy.engine import Engine

from airflow_rerun_downstream.store.moments import DatabaseClock, machine_time, moment
from airflow_rerun_downstream.store.tables import process
from tests.store.databases import REAL, database

SOON = timedelta(seconds=2)


@pytest.fixture(params=REAL)
def engine(request: pytest.FixtureRequest) -> Engine:
    return database(request.param)


@pytest.mark.parametrize("span", [timedelta(), timedelta(days=400, microseconds=500_000), timedelta(seconds=-0.25)])
def test_it_is_now_or_so_much_later(engine: Engine, span: timedelta) -> None:
    with engine.connect() as connection:
        found = connection.execute(select(moment(span))).scalar_one()
    assert abs(found - span - machine_time()) < SOON


def test_it_goes_on_within_a_transaction(engine: Engine) -> None:
    with engine.begin() as connection:
        first = connection.execute(select(moment())).scalar_one()
        time.sleep(0.02)  # what is measured here is that time goes by
        assert connection.execute(select(moment())).scalar_one() > first


def test_it_is_stored_and_compared_as_other_moments_are(engine: Engine) -> None:
    row = {"id": "a", "kind": "x", "asset_manager": True, "freeze_hook": True}
    minute = timedelta(minutes=1)
    with engine.begin() as connection:
        connection.execute(insert(process).values(**row, started_at=machine_time(), seen_at=moment(minute)))
        connection.execute(update(process).values(started_at=moment(-minute)))
        found = connection.execute(select(process.c.started_at, process.c.seen_at)).one()
        assert abs(found.seen_at - found.started_at - 2 * minute) < SOON
        for earlier, later in [(process.c.started_at, machine_time()), (machine_time(), process.c.seen_at)]:
            assert connection.execute(select(process.c.id).where(earlier < later)).all()  # type: ignore[operator]
        assert connection.execute(select(process.c.id).where(process.c.seen_at > moment(minute + SOON))).all() == []
        assert connection.execute(select(process.c.id).where(process.c.seen_at > moment(minute - SOON))).all()


def test_other_databases() -> None:
    assert "UTC_TIMESTAMP(6)" in str(moment().compile(dialect=mysql.dialect()))  # type: ignore[no-untyped-call]
    with pytest.raises(NotImplementedError, match="The clock of oracle"):
        str(moment().compile(dialect=oracle.dialect()))  # type: ignore[no-untyped-call]


class Machine:
    """A machine's clocks; the first one is off by so much."""

    def __init__(self, off: float) -> None:
        self.off = timedelta(seconds=off)
        self.seconds = 100.0

    def wall(self) -> datetime:
        return machine_time() + self.off

    def monotonic(self) -> float:
        return self.seconds


@pytest.mark.parametrize("off", [-3600.0, -0.5, 0.0, 3600.0])
def test_a_process_with_another_clock_knows_the_time(engine: Engine, off: float) -> None:
    machine = Machine(off)
    clock = DatabaseClock(machine=machine.wall, seconds=machine.monotonic)
    assert abs(clock.now() - machine.wall()) < SOON
    with engine.connect() as connection:
        read = clock.read(connection)
    assert abs(clock.offset - machine.off) < SOON
    assert clock.now() == read
    machine.seconds += 12.5
    machine.off += timedelta(days=1)
    assert clock.now() == read + timedelta(seconds=12.5)


def test_a_slow_answer_makes_no_clock_wrong() -> None:
    times = iter([machine_time() - timedelta(seconds=30), machine_time() + timedelta(seconds=30)])
    clock = DatabaseClock(machine=lambda: next(times))
    clock.reading(machine_time, lambda found: found)
    assert clock.offset == timedelta()
