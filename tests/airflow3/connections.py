"""How many database connections are in use at the same time, in any of the process's pools."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class CheckedOut:
    """Connections that were taken from pools while `checked_out` was open, and aren't given back."""

    peak: int = 0
    taken: int = 0
    out: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def now(self) -> int:
        """How many are out at this moment."""
        return len(self.out)

    def take(self, _connection: Any, record: Any, *_: Any) -> None:
        with self.lock:
            self.out.add(id(record))
            self.taken += 1
            self.peak = max(self.peak, self.now)

    def give_back(self, _connection: Any, record: Any) -> None:
        with self.lock:
            self.out.discard(id(record))  # one that was taken before comes back too: nobody has counted it


@contextmanager
def checked_out() -> Iterator[CheckedOut]:
    """Count from here on. Also what has no pool is counted: such an engine opens a connection for each check-out."""
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    found = CheckedOut()
    event.listen(Pool, "checkout", found.take)
    event.listen(Pool, "checkin", found.give_back)
    try:
        yield found
    finally:
        event.remove(Pool, "checkout", found.take)
        event.remove(Pool, "checkin", found.give_back)
