"""Our own work inside a transaction of Airflow's: a SAVEPOINT, so that an error takes back our part and nothing else.

On PostgreSQL a statement that fails spoils its whole transaction; only going back to a savepoint mends it. Catching the
error alone would lose the task's success, or the scheduler's loop, in which we are guests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import false, update
from sqlalchemy.engine import Connection

from airflow_rerun_downstream.store.tables import lease

T = TypeVar("T")


class Savepoint(Protocol):
    """What SQLAlchemy's nested transactions have."""

    def commit(self) -> None:
        """Keep what was done since."""

    def rollback(self) -> None:
        """Take it back."""


class NoSavepoint:
    """A `Savepoint` where none is needed."""

    def commit(self) -> None:
        """Nothing was written."""

    def rollback(self) -> None:
        """Nothing was written."""


def savepoint(connection: Connection, *, writes: bool) -> Savepoint:
    """Where to go back to. SQLite needs none for reading: there a statement that fails harms nobody."""
    if connection.dialect.name != "sqlite":
        return connection.begin_nested()
    if not writes:
        return NoSavepoint()
    # Begins a transaction: the driver doesn't for a savepoint, whose end would then commit.
    connection.execute(update(lease).where(false()).values(number=0))
    return connection.begin_nested()


def apart(connection: Connection, work: Callable[[], T], *, writes: bool = False) -> T:
    """What ``work`` answers. Where it raises, all that it wrote is taken back; the error goes to the caller."""
    point = savepoint(connection, writes=writes)
    try:
        result = work()
        point.commit()
    except BaseException:
        point.rollback()
        raise
    return result
