"""How many database connections are in use at the same time, in any of the process's pools."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class CheckedOut:
    """Connections that were taken from pools while `checked_out` was open, and aren't given back."""

    now: int = 0
    peak: int = 0
    taken: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, *_: Any) -> None:
        with self.lock:
            self.now += 1
            self.taken += 1
            self.peak = max(self.peak, self.now)

    def give_back(self, *_: Any) -> None:
        with self.lock:
            self.now -= 1


@contextmanager
def checked_out() -> Iterator[CheckedOut]:
    """Count from here on. Also what has no pool is counted: such an engine opens a connection for each check-out."""
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    gc.collect()  # what an earlier test has dropped goes back to its pool when it is collected: not while we count
    found = CheckedOut()
    event.listen(Pool, "checkout", found.take)
    event.listen(Pool, "checkin", found.give_back)
    try:
        yield found
    finally:
        event.remove(Pool, "checkout", found.take)
        event.remove(Pool, "checkin", found.give_back)
