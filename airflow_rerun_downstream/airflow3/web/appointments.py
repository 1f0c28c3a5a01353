"""When those who follow a rerun should look again: the more there are, the rarer each of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

LEAST, MOST = 2.0, 30.0
"""Seconds between two looks of one page."""

SHARE = 0.125
"""How much of the time an open page or another is being answered."""


class Appointments:
    """Gives each look the next free time for the next one, so that all together take no more than their share.

    Whoever doesn't come leaves a gap, which does no harm. Threads may share it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._free = 0.0

    def next_after(self, took: float) -> float:
        """In how many seconds whoever was answered just now should look again; ``took``: seconds of the answer."""
        with self._lock:
            now = self._clock()
            at = min(max(now + LEAST, self._free), now + MOST)
            self._free = at + took / SHARE
            return at - now

    def spent(self, took: float) -> None:
        """Reckon with what else was answered to an open page, which took so many seconds: it is part of the share."""
        with self._lock:
            now = self._clock()
            self._free = min(max(self._free, now) + took / SHARE, now + MOST)
