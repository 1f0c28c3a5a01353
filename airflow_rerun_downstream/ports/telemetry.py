"""What is told of the work to those who run the installation: metrics, lines of the log, and how a rerun went.

Nothing here raises, waits for a network or reads a database in a caller's transaction. Tell after the commit what was
committed: `Work.afterwards`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.ports.metrics import Delivery, ErrorKind

INFO = logging.INFO

MAX_VALUE = 300
"""Longest value of a field in a line of the log, in characters: somebody else may have written it."""

log = logging.getLogger("airflow_rerun_downstream.actions")


@dataclass(frozen=True)
class Standing:
    """How all active reruns stand; ``oldest_frozen``: for how long the first of the frozen runs has been held."""

    reruns: Mapping[RerunState, int] = field(default_factory=dict)
    members: Mapping[MemberState, int] = field(default_factory=dict)
    oldest_frozen: timedelta = timedelta()


class Telemetry(Protocol):
    """Hears what happened. No method raises, and none blocks."""

    def stands(self, standing: Standing | None) -> None:
        """How all active reruns stand, as the leading conductor sees them; None: this process doesn't lead."""
        ...

    def lease(self, age: timedelta) -> None:
        """How long ago the lease was written."""
        ...

    def ticked(self, *, seconds: float, steps: int) -> None:
        """The leading conductor has done a tick."""
        ...

    def dispatched(self, rerun: Rerun, member: Member, *, clear_number: int | None, waited: timedelta) -> None:
        """A member's run was cleared and queued, ``waited`` after nothing kept it any more."""
        ...

    def planned(self, *, seconds: float, runs: int) -> None:
        """A plan was computed."""
        ...

    def submitted(self, rerun: Rerun, source: RunFacts) -> None:
        """A rerun was stored; ``source`` is its source, as it was then."""
        ...

    def ended(self, rerun: Rerun) -> None:
        """A rerun came to the state that it has now, at its ``ended_at``: succeeded, terminated, or failed."""
        ...

    def notified(self, result: Delivery) -> None:
        """What became of an attempt to notify somebody."""
        ...

    def failed(self, kind: ErrorKind) -> None:
        """Something unexpected went wrong. It is counted; a line of the log is another call."""
        ...

    def line(self, action: str, *, level: int = INFO, error: BaseException | None = None, **fields: Any) -> None:
        """A line of the log: what happened, in one word, and to what. Fields that are None are left out."""
        ...


class LogOnly:
    """`Telemetry` that writes lines, and hears nothing else: where nobody counts."""

    def stands(self, standing: Standing | None) -> None:
        """See `Telemetry.stands`."""

    def lease(self, age: timedelta) -> None:
        """See `Telemetry.lease`."""

    def ticked(self, *, seconds: float, steps: int) -> None:
        """See `Telemetry.ticked`."""

    def dispatched(self, rerun: Rerun, member: Member, *, clear_number: int | None, waited: timedelta) -> None:
        """See `Telemetry.dispatched`."""

    def planned(self, *, seconds: float, runs: int) -> None:
        """See `Telemetry.planned`."""

    def submitted(self, rerun: Rerun, source: RunFacts) -> None:
        """See `Telemetry.submitted`."""

    def ended(self, rerun: Rerun) -> None:
        """See `Telemetry.ended`."""

    def notified(self, result: Delivery) -> None:
        """See `Telemetry.notified`."""

    def failed(self, kind: ErrorKind) -> None:
        """See `Telemetry.failed`."""

    def line(self, action: str, *, level: int = INFO, error: BaseException | None = None, **fields: Any) -> None:
        """See `Telemetry.line`: the fields stand after the action, as ``key=value``."""
        known = told(fields)
        text = " ".join([action, *(f"{key}={value!r}" for key, value in known.items())])
        log.log(level, "%s", text, exc_info=error)


LOG_ONLY = LogOnly()


def told(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a line that have a value, none longer than a line may hold."""
    found = {key: value for key, value in fields.items() if value is not None}
    return {key: value if isinstance(value, (int, float)) else shortened(str(value)) for key, value in found.items()}


def shortened(text: str) -> str:
    """A text that fits in a line."""
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
