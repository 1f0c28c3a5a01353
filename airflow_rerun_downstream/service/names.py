"""Which Dags reruns name: what decides what of them somebody sees."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from airflow_rerun_downstream.ports.record_parts import Head
from airflow_rerun_downstream.ports.work import Work

REMEMBERED = 256
"""Reruns of which a process remembers it."""


@dataclass(frozen=True)
class Named:
    """The Dags that a rerun names as it was at ``revision``: its members' and others. ``line``: the last line read."""

    revision: int
    members: Mapping[str, int]
    others: frozenset[str]
    line: int


class Names:
    """Which Dags reruns name, as far as this process has read. Threads may share it.

    A rerun's members stay of the Dags that they were of at submit, and no line of its record is ever changed.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[int, datetime], Named] = OrderedDict()

    def of(self, work: Work, head: Head) -> Named:
        """All that a rerun names now. Nothing is read where it hasn't changed."""
        key = (head.id, head.created_at)
        with self._lock:
            known = self._known.get(key)
        if known is None or known.revision > head.revision:
            known = self.first(work, head)
        elif known.revision < head.revision:
            more, line = work.store.named_dags(head.id, after=known.line)
            known = Named(head.revision, known.members, known.others | more, line)
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known

    def first(self, work: Work, head: Head) -> Named:
        """All that a rerun names."""
        rerun, (more, line) = work.store.get(head.id), work.store.named_dags(head.id)
        warned = frozenset(name for one in (rerun.warnings if rerun else ()) for name in one.names)
        return Named(head.revision, work.store.member_dags([head.id])[head.id], warned | more, line)
