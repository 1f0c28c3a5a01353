"""Which Dags reruns name, and how often: what decides what of them somebody sees, and how much there is of it.

What is remembered here is about reruns, never about whoever asks: that is decided anew each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from airflow_rerun_downstream.ports.record_parts import Head, Lines
from airflow_rerun_downstream.ports.work import Work

RERUNS, NAMES = 256, 200_000
"""Of how many reruns a process remembers it, and how many names in all; more than that only of the latest rerun."""

T = TypeVar("T")
Members = Mapping[str, int]
Links = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Named:
    """The Dags that a rerun names as it was at ``revision``: its members' with their number, those that lines of its
    record are about, and ``others``."""

    revision: int
    members: Members
    others: frozenset[str]
    lines: Lines

    @property
    def size(self) -> int:
        """How many names that are."""
        return len(self.members) + len(self.others) + len(self.lines.members)

    def line_count(self, readable: Collection[str]) -> int:
        """How many lines are about members of these Dags, or about none."""
        return sum(count for dag_id, count in self.lines.members.items() if dag_id is None or dag_id in readable)


def member_count(members: Members, readable: Collection[str]) -> int:
    """How many members are of these Dags."""
    return sum(count for dag_id, count in members.items() if dag_id in readable)


def link_count(links: Links, readable: Collection[str]) -> int:
    """How many links join two of these Dags."""
    return sum(count for ends, count in links.items() if ends[0] in readable and ends[1] in readable)


class Latest(Generic[T]):
    """What was read lately, by rerun. Threads may share it."""

    def __init__(self, size: Callable[[T], int]) -> None:
        self._size = size
        self._names = 0
        self._lock = Lock()
        self._known: OrderedDict[tuple[int, datetime], T] = OrderedDict()

    def of(self, head: Head) -> T | None:
        """What is known of a rerun."""
        with self._lock:
            return self._known.get((head.id, head.created_at))

    def keep(self, head: Head, found: T) -> None:
        """Know this, and forget what was asked for longest ago."""
        with self._lock:
            self._forget(self._known.pop((head.id, head.created_at), None))
            self._known[head.id, head.created_at] = found
            self._names += self._size(found)
            while len(self._known) > RERUNS or (self._names > NAMES and len(self._known) > 1):
                self._forget(self._known.popitem(last=False)[1])

    def _forget(self, found: T | None) -> None:
        self._names -= 0 if found is None else self._size(found)


class Names:
    """Which Dags reruns name, as far as this process has read. Threads may share it.

    A rerun's members stay of the Dags that they were of at submit, its links stay as they were, and no line of its
    record is ever changed.
    """

    def __init__(self) -> None:
        self._named: Latest[Named] = Latest(lambda found: found.size)
        self._members: Latest[Members] = Latest(len)
        self._links: Latest[Links] = Latest(len)

    def of(self, work: Work, head: Head) -> Named:
        """All that a rerun names now. Nothing is read where it hasn't changed."""
        known = self._named.of(head)
        if known is None or known.revision > head.revision:
            known = self.first(work, head)
        elif known.revision < head.revision:
            lines = known.lines.and_later(work.store.lines(head.id, after=known.lines.last))
            known = Named(head.revision, known.members, known.others | lines.others, lines)
        self._named.keep(head, known)
        return known

    def first(self, work: Work, head: Head) -> Named:
        """All that a rerun names."""
        rerun, lines = work.store.get(head.id), work.store.lines(head.id)
        warned = frozenset(name for one in (rerun.warnings if rerun else ()) for name in one.names)
        return Named(head.revision, self.members(work, head), warned | lines.others, lines)

    def members(self, work: Work, head: Head) -> Members:
        """The Dags of a rerun's members, and how many members of each."""
        known = self._members.of(head)
        if known is None:
            known = work.store.member_dags([head.id])[head.id]
        self._members.keep(head, known)
        return known

    def links(self, work: Work, head: Head) -> Links:
        """How many of a rerun's links lead from which Dag to which."""
        known = self._links.of(head)
        if known is None:
            known = work.store.link_dags(head.id)
        self._links.keep(head, known)
        return known
