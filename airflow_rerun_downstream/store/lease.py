"""The lease: one conductor at a time, over every process that shares the database.

The number goes up with every change of owner. What a conductor does, it does in a transaction that first confirms
owner and number, which locks the row: one who lost the lease can't write any more, however late it wakes up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from airflow_rerun_downstream.store.executor import Executor, changed
from airflow_rerun_downstream.store.tables import lease

CONDUCTOR = "conductor"

RENEW_AFTER = 1 / 3
"""The part of the lease's length after which it is written again: ticks in between only read."""


@dataclass(frozen=True)
class LeaseRecord:
    """The lease as it stands; ``owner`` None: it was given up. Times are aware and in UTC."""

    owner: str | None
    number: int
    expires_at: datetime
    last_tick_at: datetime

    def held(self, now: datetime) -> bool:
        """Whether somebody holds it."""
        return self.owner is not None and self.expires_at >= now


class SqlLease:
    """`Lease` on the caller's session or connection."""

    def __init__(self, executor: Executor, name: str = CONDUCTOR) -> None:
        self._executor = executor
        self._name = name

    def read(self) -> LeaseRecord | None:
        """The lease as it stands; None: nobody ever took it."""
        row = self._executor.execute(select(lease).where(lease.c.name == self._name)).first()
        return None if row is None else LeaseRecord(row.owner, row.number, row.expires_at, row.last_tick_at)

    def acquire(self, *, owner: str, now: datetime, lasts: timedelta) -> int | None:
        """See `Lease.acquire`. An own lease is renewed when a third of it has passed; until then this only reads."""
        found = self.read()
        until = {"owner": owner, "expires_at": now + lasts, "last_tick_at": now}
        if found is None:
            return self._make({**until, "number": 1})
        if found.owner == owner and found.expires_at - now > lasts * (1 - RENEW_AFTER):
            return found.number
        number = found.number if found.owner == owner else found.number + 1
        free = or_(lease.c.owner == owner, lease.c.owner.is_(None), lease.c.expires_at < now)
        # The number was read without a lock: it must still be the same, or somebody was faster.
        taken = self._write([lease.c.number == found.number, free], {**until, "number": number})
        return number if taken else None

    def confirm(self, *, owner: str, number: int, now: datetime, lasts: timedelta) -> bool:
        """See `Lease.confirm`. A tick with many steps keeps its lease by that, however long it takes in all."""
        mine = [lease.c.owner == owner, lease.c.number == number, lease.c.expires_at >= now]
        return self._write(mine, {"last_tick_at": now, "expires_at": now + lasts})

    def release(self, *, owner: str) -> None:
        """See `Lease.release`. The next owner gets another number, whoever it is."""
        self._write([lease.c.owner == owner], {"owner": None})

    def _write(self, where: list[Any], values: dict[str, Any]) -> bool:
        return changed(self._executor, update(lease).where(lease.c.name == self._name, *where).values(values)) == 1

    def _make(self, values: dict[str, Any]) -> int | None:
        # Begins a transaction on SQLite, whose driver doesn't do it for a savepoint.
        self._write([lease.c.number == 0], {"number": 0})
        try:
            with self._executor.begin_nested():
                self._executor.execute(insert(lease).values(name=self._name, **values))
        except IntegrityError:
            return None
        return int(values["number"])
