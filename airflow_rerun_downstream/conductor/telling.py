"""What a conductor tells of its work, from what a tick has in memory: no statement is made for it."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.metrics import ErrorKind
from airflow_rerun_downstream.ports.telemetry import Standing, Telemetry

REMINDED = timedelta(minutes=5)
"""After which an error that comes again and again is logged once more."""

MAX_KNOWN = 1_000
"""Errors that a conductor remembers having logged."""


@dataclass
class Telling:
    """Tells of one conductor. In memory: since when members have been ready, and which errors are in the log."""

    telemetry: Telemetry
    clock: Clock
    leading: bool = False
    ready: dict[int, tuple[ActiveRerun, dict[int, datetime]]] = field(default_factory=dict)
    logged: dict[tuple[Any, ...], tuple[str, datetime]] = field(default_factory=dict)

    def looked(self, owner: str, reruns: Sequence[ActiveRerun]) -> None:
        """A tick has read the active reruns. Only of those that have changed are members looked at."""
        if not self.leading:
            self.telemetry.line("conductor_leads", owner=owner)
        self.leading, now = True, self.clock.now()
        before, self.ready = self.ready, {}
        for active in reruns:
            known = before.get(active.rerun.id)
            if known is not None and known[0] is active:
                self.ready[active.rerun.id] = known
            else:
                since = known[1] if known is not None else {}
                going = active.ready if active.rerun.state is RerunState.RUNNING else ()
                self.ready[active.rerun.id] = active, {one.id: since.get(one.id, now) for one in going}

    def ticked(self, reruns: Sequence[ActiveRerun], *, seconds: float, steps: int) -> None:
        """A tick is done."""
        self.telemetry.ticked(seconds=seconds, steps=steps)
        self.telemetry.stands(standing(reruns, self.clock.now()))

    def follows(self) -> None:
        """Another conductor leads, or this one ends: nothing that it has said of the reruns holds any more."""
        self.leading = False
        self.ready = {}
        self.telemetry.stands(None)

    def dispatched(self, rerun: Rerun, member: Member, clear_number: int | None) -> None:
        """A dispatch is committed."""
        now = self.clock.now()
        since = self.ready[rerun.id][1] if rerun.id in self.ready else {}
        waited = now - since.get(member.id, now)
        self.telemetry.dispatched(rerun, member, clear_number=clear_number, waited=waited)

    def failed(self, kind: ErrorKind, action: str, error: BaseException, rerun: Rerun, **fields: Any) -> None:
        """Something went wrong unexpectedly. It is counted each time, and logged when it begins."""
        self.telemetry.failed(kind)
        if self.is_new((action, rerun.id, *fields.values()), error):
            self.telemetry.line(action, level=logging.ERROR, error=error, rerun_id=rerun.id, **fields)

    def is_new(self, about: tuple[Any, ...], error: BaseException) -> bool:
        """Whether an error is another one than the last of its kind, or that was some time ago."""
        now, text = self.clock.now(), "".join(traceback.format_exception_only(error))
        last = self.logged.get(about)
        if last is not None and last[0] == text and now - last[1] < REMINDED:
            return False
        if len(self.logged) >= MAX_KNOWN:
            self.logged.clear()
        self.logged[about] = text, now
        return True


def standing(reruns: Iterable[ActiveRerun], now: datetime) -> Standing:
    """How reruns stand, by what was counted when they were read."""
    states, members = Counter[RerunState](), Counter[MemberState]()
    frozen = []
    for active in reruns:
        states[active.rerun.state] += 1
        members.update(active.rerun.counts)
        if active.rerun.counts.get(MemberState.FROZEN):
            frozen.append(active.rerun.created_at)
    return Standing(states, members, now - min(frozen) if frozen else timedelta())
