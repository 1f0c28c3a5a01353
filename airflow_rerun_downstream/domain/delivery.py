"""A notification on its way to one target: one for each occurrence of a condition that the target is to be told of.

What it says of its rerun is read when it is sent; what it keeps is what nobody can read any more then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from airflow_rerun_downstream.domain.rerun_request import Notification

NAMED = 5
"""How many members a delivery names; the others it counts."""

GATHERED = timedelta(seconds=5)
"""How long a delivery about failed members waits for more of them."""

APART, FURTHEST_APART = timedelta(minutes=1), timedelta(minutes=15)
"""How far two deliveries about failed members of one rerun are apart: so much more after each one, and at most."""


class DeliveryState(str, Enum):
    """Where a delivery stands. Only a pending one is tried."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ToldMember:
    """A member that a delivery names, and why it stood where it stood."""

    member_id: int
    reason: str | None = None


@dataclass(frozen=True)
class NewDelivery:
    """A delivery to be stored. ``rerun_id`` None: a test. ``members`` are the first of its ``occurrences``."""

    rerun_id: int | None
    target: str
    condition: str
    created_at: datetime
    due_at: datetime
    actor: str
    reason: str | None = None
    members: tuple[ToldMember, ...] = ()
    occurrences: int = 1


@dataclass(frozen=True)
class Delivery:
    """A stored delivery. ``message_id`` is its own for ever, and goes with each try.

    ``due_at``: when it is tried next; while it is being tried, when somebody else may. ``error``: why the last try
    failed, a word of `words.DELIVERY_ERRORS` and perhaps a number after a colon.
    """

    id: int
    message_id: str
    rerun_id: int | None
    target: str
    condition: str
    created_at: datetime
    due_at: datetime
    actor: str
    reason: str | None
    members: tuple[ToldMember, ...]
    occurrences: int
    state: DeliveryState = DeliveryState.PENDING
    tries: int = 0
    ended_at: datetime | None = None
    error: str | None = None

    @property
    def gathers(self) -> bool:
        """Whether it may still be told of more: nobody has tried to send it."""
        return self.state is DeliveryState.PENDING and not self.tries


def wanted_by(notifications: Iterable[Notification], conditions: Iterable[str]) -> dict[str, str]:
    """Who is to be told of something that meets several conditions: by target, the first one that it has chosen."""
    chosen: dict[str, set[str]] = {}
    for each in notifications:
        chosen.setdefault(each.target, set()).update(each.on)
    found = {
        target: next((condition for condition in conditions if condition in on), None) for target, on in chosen.items()
    }
    return {target: condition for target, condition in found.items() if condition is not None}


def due_after(now: datetime, earlier: Iterable[Delivery]) -> datetime:
    """When a new delivery about failed members is due, after earlier ones about the same rerun to the same target.

    The more there are, the rarer they get; after some quiet, the next one comes at once.
    """
    times = sorted(each.created_at for each in earlier)
    apart = min(len(times) * APART, FURTHEST_APART)
    quiet = not times or now - times[-1] >= 2 * apart
    return now + (GATHERED if quiet else apart)
