"""Calls that nobody waits for: whoever tells something goes on at once, however slow those are who hear it."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from collections.abc import Callable

from airflow_rerun_downstream.harmless import log_error

log = logging.getLogger(__name__)

MOST = 5_000
"""Calls that wait at most; what comes on top is dropped."""

TRIES = 3
"""Calls that fail one after the other before a lane rests."""

REST = 300.0
"""Seconds for which a lane drops everything after that."""


class Lane:
    """One thread that does calls in their order. An error in one is logged once, and hurts nobody.

    The thread is started with the first call, in the process that makes it: also after a fork.
    """

    def __init__(self, name: str, *, most: int = MOST, at_exit: float = 2.0) -> None:
        self.name = name
        self.most = most
        self.dropped = 0
        self.failures = 0
        self.rests_until = float("-inf")
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue(most)
        atexit.register(self.drain, at_exit)

    def put(self, call: Callable[[], None]) -> None:
        """Have a call done, some time soon. Never waits."""
        if time.monotonic() < self.rests_until:
            return
        if self._pid != os.getpid():
            self._start()
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            self.dropped += 1
            if self.dropped == 1:
                log.warning("%s can't keep up: what doesn't fit is dropped", self.name)

    def drain(self, seconds: float) -> None:
        """Wait until all is done, but no longer than that."""
        until = time.monotonic() + seconds
        while self._pid == os.getpid() and self._calls.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)

    def _start(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._calls = queue.Queue(self.most)
                threading.Thread(target=self._work, args=(self._calls,), name=self.name, daemon=True).start()
                self._pid = os.getpid()

    def _work(self, calls: queue.Queue[Callable[[], None]]) -> None:
        while True:
            call = calls.get()
            try:
                if time.monotonic() >= self.rests_until:
                    call()
                    self.failures = 0
            except Exception as error:
                self._failed(error)
            finally:
                calls.task_done()

    def _failed(self, error: Exception) -> None:
        log_error(self.name, error)
        self.failures += 1
        if self.failures >= TRIES:
            self.failures = 0
            self.rests_until = time.monotonic() + REST
