"""One conductor at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

MAX_CLOCK_OFFSET = timedelta(seconds=5)
"""How far a process's own clock may be off: Airflow's code in it writes that clock's time into Airflow's rows."""


def beside_the_database(offset: timedelta) -> str:
    """How far a clock is off, in words."""
    seconds = offset.total_seconds()
    return f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the database's"


@dataclass(frozen=True)
class Grant:
    """The answer to who asks for the lease: its fencing number, or None.

    ``clock_offset``: how far the asking process's own clock is ahead of the common one. ``age``: how long ago whoever
    holds the lease had written it.
    """

    number: int | None
    clock_offset: timedelta = timedelta()
    age: timedelta = timedelta()


class Lease(Protocol):
    """One conductor at a time, over every process that shares the database. One clock, common to all, reckons it."""

    def acquire(self, *, owner: str, lasts: timedelta) -> Grant:
        """Take or renew the lease; without a number while somebody else holds it.

        One whose own clock is off by more than `MAX_CLOCK_OFFSET` doesn't get it, and loses it if it has it. A lease
        that was written at a time that is still to come is free: it says nothing about whether its owner lives.
        """
        ...

    def confirm(self, *, owner: str, number: int, lasts: timedelta) -> bool:
        """Inside a transaction: lock the lease, say whether it is still ours, and renew it then."""
        ...

    def release(self, *, owner: str) -> None:
        """Give the lease up."""
        ...
