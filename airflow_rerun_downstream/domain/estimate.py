"""What can be said of the end of a rerun."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from airflow_rerun_downstream.domain.simulation import WaitedFor


class Outlook(str, Enum):
    """What can be said of the end. ``open``: nothing, somebody would have to do something first."""

    EXPECTED = "expected"
    AT_LEAST = "at_least"
    OPEN = "open"
    ENDED = "ended"


class Decisive(str, Enum):
    """What decides when a rerun ends: what waits for what, its limit of members in flight, or a Dag's of its runs."""

    PATH = "path"
    PLACES = "max_active_members"
    DAG_LIMIT = "max_active_runs"


@dataclass(frozen=True, slots=True)
class Expected:
    """When what is left of a member is expected to start and to end, on average; None: it isn't, as things stand.

    ``at_least``: it may be later, it isn't known how much. ``doubt``: why the member's own time is unknown. ``usual``
    and ``longest``: the seconds that it takes, as far as that is known. ``overdue``: it has lasted longer than ever.
    """

    member_id: int
    starts_at: datetime | None
    ends_at: datetime | None
    at_least: bool = False
    doubt: str | None = None
    usual: float | None = None
    longest: float | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class PathStep:
    """A part of a member on the critical path, and what it waits for last: the one before, in which way.

    It starts and ends then on average: not always is the one before it the last for which it waits.
    """

    member_id: int
    stage: int
    cause: WaitedFor
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Delay:
    """The member that delays the end now. ``why``: what it waits for, or what is wrong with it; None: it is running, or
    about to. ``critical``: it is on the critical path."""

    member_id: int
    why: str | None
    critical: bool


@dataclass(frozen=True)
class Estimate:
    """What can be said of a rerun's end at the moment ``as_of``.

    ``ends_at`` is as likely too early as too late, or, as a bound, earlier than it is likely to be; ``ends_late``: nine
    of ten would have ended by then; None: too little is known to say so. ``path`` is the critical path where all takes
    as long as it usually does. ``unknown``, ``held_up``, ``failed`` and ``overdue`` count members: without a past, that
    stand still for who knows how long, that have failed, and that have lasted longer than ever. ``members`` has those
    with something left to do.
    """

    as_of: datetime
    outlook: Outlook
    ends_at: datetime | None = None
    ends_late: datetime | None = None
    decided_by: Decisive | None = None
    path: tuple[PathStep, ...] = ()
    delay: Delay | None = None
    members: tuple[Expected, ...] = ()
    unknown: int = 0
    held_up: int = 0
    failed: int = 0
    overdue: int = 0
