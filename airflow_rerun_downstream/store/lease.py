"""The lease: one conductor at a time, over every process that shares the database.

The number goes up with every change of owner. What a conductor does, it does in a transaction that first confirms
owner and number, which locks the row: one who lost the lease can't write any more, however late it wakes up.

Time is the database's, in the statement itself: no process's own clock decides who leads, or for how long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from airflow_rerun_downstream.ports.lease import MAX_CLOCK_OFFSET, Grant
from airflow_rerun_downstream.store.executor import Executor, changed
from airflow_rerun_downstream.store.moments import NOTHING, DatabaseClock, Moments, moment
from airflow_rerun_downstream.store.tables import lease

CONDUCTOR = "conductor"

RENEW_AFTER = 1 / 3
"""The part of the lease's length after which it is written again: ticks in between only read."""


@dataclass(frozen=True)
class LeaseRecord:
    """The lease as it stood at ``read_at``; ``owner`` None: it was given up. Times are aware and in UTC."""

    owner: str | None
    number: int
    expires_at: datetime
    last_tick_at: datetime
    read_at: datetime

    @property
    def silence(self) -> timedelta:
        """How long ago the last tick was; less than nothing where its clock was ahead of the database's."""
        return self.read_at - self.last_tick_at

    @property
    def impossible(self) -> bool:
        """Whether it was written at a time that hasn't come yet: by another clock, or before this one was set back."""
        return self.silence < -MAX_CLOCK_OFFSET


class SqlLease:
    """`Lease` on the caller's session or connection. ``clock`` learns the database's time from what is read anyway."""

    def __init__(
        self,
        executor: Executor,
        name: str = CONDUCTOR,
        *,
        clock: DatabaseClock | None = None,
        moments: Moments = moment,
    ) -> None:
        self._executor = executor
        self._name = name
        self._clock = clock or DatabaseClock()
        self._moments = moments

    def read(self) -> LeaseRecord | None:
        """The lease as it stands; None: nobody ever took it."""
        row = self._look()
        if row.name is None:
            return None
        return LeaseRecord(row.owner, row.number, row.expires_at, row.last_tick_at, row.read_at)

    def acquire(self, *, owner: str, lasts: timedelta) -> Grant:
        """See `Lease.acquire`. An own lease is renewed when a third of it has passed; until then this only reads."""
        found, offset = self.read(), self._clock.offset
        age = timedelta() if found is None else max(found.silence, timedelta())
        if abs(offset) > MAX_CLOCK_OFFSET:
            if found is not None and found.owner == owner:
                self.release(owner=owner)
            return Grant(None, offset, age)
        if found is None:
            return Grant(self._make(owner, lasts), offset)
        left = found.expires_at - found.read_at
        mine = found.owner == owner
        if mine and lasts * (1 - RENEW_AFTER) < left <= lasts:
            return Grant(found.number, offset, age)
        number = found.number if mine else found.number + 1
        now = self._moments(NOTHING)
        free = or_(
            lease.c.owner == owner,
            lease.c.owner.is_(None),
            lease.c.expires_at < now,
            lease.c.last_tick_at > self._moments(MAX_CLOCK_OFFSET),
        )
        # The number was read without a lock: it must still be the same, or somebody was faster.
        taken = self._write([lease.c.number == found.number, free], {"owner": owner, "number": number}, lasts)
        return Grant(number if taken else None, offset, timedelta() if taken else age)

    def confirm(self, *, owner: str, number: int, lasts: timedelta) -> bool:
        """See `Lease.confirm`. A tick with many steps keeps its lease by that, however long it takes in all."""
        mine = [lease.c.owner == owner, lease.c.number == number, lease.c.expires_at >= self._moments(NOTHING)]
        return self._write(mine, {}, lasts)

    def release(self, *, owner: str) -> None:
        """See `Lease.release`. The next owner gets another number, whoever it is."""
        self._update([lease.c.owner == owner], {"owner": None})

    def free(self) -> str | None:
        """Take the lease from whoever has it, and answer who that was; what they write later isn't accepted."""
        found = self.read()
        owner = None if found is None else found.owner
        if owner is not None:
            self.release(owner=owner)
        return owner

    def _look(self) -> Any:
        """The lease's row beside the present, which comes also when there is none. One statement."""
        one = select(literal(self._name).label("wanted"), self._moments(NOTHING).label("read_at")).subquery()
        wanted = select(one.c.read_at, lease).select_from(one.outerjoin(lease, lease.c.name == one.c.wanted))
        return self._clock.reading(lambda: self._executor.execute(wanted).one(), lambda row: row.read_at)

    def _write(self, where: list[Any], values: dict[str, Any], lasts: timedelta) -> bool:
        until = {"expires_at": self._moments(lasts), "last_tick_at": self._moments(NOTHING)}
        return self._update(where, {**values, **until})

    def _update(self, where: list[Any], values: dict[str, Any]) -> bool:
        return changed(self._executor, update(lease).where(lease.c.name == self._name, *where).values(values)) == 1

    def _make(self, owner: str, lasts: timedelta) -> int | None:
        # Begins a transaction on SQLite, whose driver doesn't do it for a savepoint.
        self._update([lease.c.number == 0], {"number": 0})
        made = {"owner": owner, "number": 1}
        until = {"expires_at": self._moments(lasts), "last_tick_at": self._moments(NOTHING)}
        try:
            with self._executor.begin_nested():
                self._executor.execute(insert(lease).values(name=self._name, **made, **until))
        except IntegrityError:
            return None
        return 1
