"""A lease in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from airflow_rerun_downstream.ports.lease import MAX_CLOCK_OFFSET, Grant


@dataclass(frozen=True)
class FakeLeaseRow:
    """Who holds the lease."""

    owner: str | None
    number: int
    expires_at: datetime
    last_tick_at: datetime


class FakeLease:
    """`Lease` in memory."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.row: FakeLeaseRow | None = None
        self.now = now
        self.clock_offset = timedelta()

    def snapshot(self) -> FakeLeaseRow | None:
        return self.row

    def restore(self, state: FakeLeaseRow | None) -> None:
        self.row = state

    def read(self) -> FakeLeaseRow | None:
        return self.row

    def acquire(self, *, owner: str, lasts: timedelta) -> Grant:
        if abs(self.clock_offset) > MAX_CLOCK_OFFSET:
            self.release(owner=owner)
            return Grant(None, self.clock_offset)
        number, found = self.take(owner, lasts), self.row
        age = timedelta() if found is None else max(self.now() - found.last_tick_at, timedelta())
        return Grant(number, self.clock_offset, age)

    def take(self, owner: str, lasts: timedelta) -> int | None:
        found, now = self.row, self.now()
        mine = found is not None and found.owner == owner
        if found is None or mine:
            number = found.number if found else 1
        elif found.owner is None or found.expires_at < now or found.last_tick_at - now > MAX_CLOCK_OFFSET:
            number = found.number + 1
        else:
            return None
        if not (mine and found and lasts * 2 / 3 < found.expires_at - now <= lasts):
            self.row = FakeLeaseRow(owner, number, now + lasts, now)
        return number

    def confirm(self, *, owner: str, number: int, lasts: timedelta) -> bool:
        found, now = self.row, self.now()
        if found is None or (found.owner, found.number) != (owner, number) or found.expires_at < now:
            return False
        self.row = replace(found, last_tick_at=now, expires_at=now + lasts)
        return True

    def release(self, *, owner: str) -> None:
        if self.row is not None and self.row.owner == owner:
            self.row = replace(self.row, owner=None)
