"""Keeps a thread of ours from being inside a database driver while its process forks.

A scheduler forks the processes in which tasks run. What a driver has locked in another thread at that moment stays
locked for good in the child: with SQLite, its very first call would hang. So a fork waits until the thread is done.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_busy = threading.RLock()
_registered = threading.Event()


def watch() -> None:
    """Have forks of this process wait for `undisturbed`. A repeat does nothing."""
    if not _registered.is_set() and hasattr(os, "register_at_fork"):
        _registered.set()
        os.register_at_fork(before=_busy.acquire, after_in_parent=_busy.release, after_in_child=_busy.release)


@contextmanager
def undisturbed() -> Iterator[None]:
    """The process doesn't fork in here. To be left within milliseconds: the scheduler may be waiting."""
    with _busy:
        yield
