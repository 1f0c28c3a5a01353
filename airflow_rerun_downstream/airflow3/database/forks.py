"""Keeps a thread of ours from being inside a database driver while its process forks.

A scheduler forks the processes in which tasks run. What a driver has locked in another thread at that moment stays
locked for good in the child: with SQLite, its very first call would hang. So a fork waits until the thread is done,
but not for long: a database that doesn't answer mustn't keep a scheduler from starting tasks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_rerun_downstream.harmless import harmless

PATIENCE = 5.0
"""Seconds that a fork waits."""

_busy = threading.RLock()
_registered = threading.Event()
_waited = threading.local()


@harmless("forks")
def before_fork() -> None:
    """Wait for the thread that is inside the driver."""
    _waited.got = _busy.acquire(timeout=PATIENCE)
    if not _waited.got:
        raise TimeoutError(f"a thread was still inside the database's driver after {PATIENCE:.0f} s")


@harmless("forks")
def after_fork() -> None:
    """Let the threads go on, in the parent and in the child."""
    if _waited.got:
        _busy.release()


def watch() -> None:
    """Have forks of this process wait for `undisturbed`. A repeat does nothing."""
    if not _registered.is_set():
        _registered.set()
        os.register_at_fork(before=before_fork, after_in_parent=after_fork, after_in_child=after_fork)


@contextmanager
def undisturbed() -> Iterator[None]:
    """The process doesn't fork in here. To be left within milliseconds: the scheduler may be waiting."""
    with _busy:
        yield
