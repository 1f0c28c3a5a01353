"""What a process remembers of the estimates that it made, so that many who look cost as much as one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_rerun_downstream.domain.durations import Kind, Past
from airflow_rerun_downstream.domain.estimate import Estimate
from airflow_rerun_downstream.ports.record_parts import Head
from airflow_rerun_downstream.service.views import EstimatedMember

FRESH, FOR_EACH = timedelta(seconds=10), timedelta(milliseconds=4)
"""For how long an estimate is answered again, if nothing has happened in the rerun; and longer for each member."""

AT_ONCE = timedelta(seconds=1)
"""For how long it is even if something has happened, for each 500 members."""

TIMES_LAST = timedelta(minutes=5)
"""For how long it isn't asked again how long tasks have taken before."""


@dataclass(frozen=True)
class Kept:
    """An estimate of a rerun as it stood at ``revision``, about everybody. ``earlier``: how long tasks took before, as
    it was read at ``read_at`` for ``asked``."""

    revision: int
    estimate: Estimate
    members: Mapping[int, EstimatedMember]
    earlier: Mapping[Kind, Past]
    asked: frozenset[Kind]
    read_at: datetime

    def holds(self, head: Head, now: datetime) -> bool:
        """Whether it can be answered again: one of a large rerun costs something, and is right a little longer."""
        age, count = now - self.estimate.as_of, len(self.members)
        return age < (FRESH + count * FOR_EACH if self.revision == head.revision else count // 500 * AT_ONCE)

    def knows(self, kinds: Collection[Kind], now: datetime) -> bool:
        """Whether it was asked lately how long these took."""
        return self.asked.issuperset(kinds) and now - self.read_at < TIMES_LAST
