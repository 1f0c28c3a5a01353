"""When a rerun is expected to end, what decides that, and what delays it now. Pure, from what is stored and known.

It is worked out as the conductor will go about it, each member taking as long as its tasks usually do. What isn't known
isn't made up: the end is then a moment before which it won't be, and it is said how many members it doesn't know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from math import sqrt

from airflow_rerun_downstream.domain.durations import Kind, Past
from airflow_rerun_downstream.domain.estimate_jobs import MEMBER_FAILED, NO_PAST, Jobs, Standing, kind_of
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.room import word_of
from airflow_rerun_downstream.domain.simulation import Schedule, WaitedFor, simulate, tails
from airflow_rerun_downstream.domain.states import RerunState

NINE_OF_TEN = 1.2816
"""So many standard deviations above what is expected lie nine cases of ten."""


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
    """When what is left of a member is expected to start and to end; None: it isn't, as things stand.

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
    """A part of a member on the critical path, and what it waits for last: the one before, in which way."""

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

    ``ends_late``: nine of ten would have ended by then; None: too little is known to say so. ``unknown``, ``held_up``,
    ``failed`` and ``overdue`` count members: without a past, that stand still for who knows how long, that have failed,
    and that have lasted longer than ever. ``members`` has those with something left to do, in no order.
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


def estimate(standing: Standing, now: datetime) -> Estimate:
    """What can be said of the end of a rerun. Linear in members and gates, but for the lines in which they stand."""
    rerun = standing.active.rerun
    if not rerun.active:
        return Estimate(now, Outlook.ENDED, rerun.ended_at)
    return Reckoning(standing, now).estimate()


class Reckoning:
    """One estimate, while it is made."""

    def __init__(self, standing: Standing, now: datetime) -> None:
        self.standing = standing
        self.rerun = standing.active.rerun
        self.now = now
        self.made = Jobs(standing, now)
        self.parts = self.made.parts
        self.rooms = self.made.rooms()
        self.schedule: Schedule = simulate(self.made.jobs, standing.places, self.rooms)
        self.doubtful = self.at_least()

    def estimate(self) -> Estimate:
        """All of it."""
        decisive, chain = self.decisive()
        ends_at = self.moment(self.schedule.ends[chain[-1]]) if chain else self.now
        stands = any(end is None for end in self.schedule.ends[: len(self.parts)])
        moves = self.rerun.state is RerunState.RUNNING
        outlook = Outlook.AT_LEAST if stands or any(self.doubtful) else Outlook.EXPECTED
        doubts = {part.member.id: part.doubt for part in self.parts if part.doubt is not None}
        return Estimate(
            self.now,
            outlook if moves else Outlook.OPEN,
            ends_at if moves else None,
            self.late(chain) if moves and outlook is Outlook.EXPECTED else None,
            decisive if moves else None,
            tuple(self.steps(chain, decisive)) if moves else (),
            self.delay(chain),
            tuple(self.expected()),
            unknown=sum(doubt == NO_PAST for doubt in doubts.values()),
            held_up=sum(doubt not in (NO_PAST, MEMBER_FAILED) for doubt in doubts.values()),
            failed=sum(doubt == MEMBER_FAILED for doubt in doubts.values()),
            overdue=len({part.member.id for part in self.parts if part.overdue}),
        )

    def moment(self, seconds: float | None) -> datetime | None:
        """So many seconds from now."""
        return None if seconds is None else self.now + timedelta(seconds=seconds)

    def at_least(self) -> list[bool]:
        """Of each job, whether it may end later than the schedule says, nobody knows how much.

        So may all that waits for such a one, and what gets a place that such a one may hold longer.
        """
        starts, found = self.schedule.starts, [False] * len(self.made.jobs)
        first: float | None = None
        for number in self.schedule.order:
            start = starts[number] or 0.0
            doubt = number < len(self.parts) and self.parts[number].doubt is not None
            behind = any(found[other] for other in self.made.jobs[number].waits_for)
            placed = self.schedule.causes[number][0] in (WaitedFor.PLACE, WaitedFor.DAG_LIMIT)
            found[number] = doubt or behind or (placed and first is not None and first <= start)
            if found[number] and first is None:
                first = start
        return found

    def steps(self, chain: Sequence[int], decisive: Decisive | None) -> Iterator[PathStep]:
        """The critical path."""
        for place, number in enumerate(chain):
            part, starts, ends = self.parts[number], self.schedule.starts[number], self.schedule.ends[number]
            cause = WaitedFor.UPSTREAM if decisive is Decisive.PATH else self.schedule.causes[number][0]
            yield PathStep(
                part.member.id,
                part.stage,
                cause if place else WaitedFor.NOTHING,
                self.now + timedelta(seconds=starts or 0.0),
                self.now + timedelta(seconds=ends or 0.0),
            )

    def decisive(self) -> tuple[Decisive | None, list[int]]:
        """What decides the end, and the chain of parts that does: if it came as soon with everything at once, one of
        which each waits for what the one before makes; otherwise one that also waits for places."""
        jobs, count = self.made.jobs, len(self.parts)
        last = self.schedule.last(count)
        if last is None:
            return None, []
        end = self.schedule.ends[last]
        free = simulate(jobs, count)
        if (freely := free.last(count)) is not None and free.ends[freely] == end:
            return Decisive.PATH, self.members_of(free.chain(freely))
        limited = simulate(jobs, count, self.rooms)
        dags = (one := limited.last(count)) is not None and limited.ends[one] == end
        return Decisive.DAG_LIMIT if dags else Decisive.PLACES, self.members_of(self.schedule.chain(last))

    def members_of(self, chain: Sequence[int]) -> list[int]:
        """Those of some jobs that are parts of members."""
        return [number for number in chain if number < len(self.parts)]

    def late(self, chain: Sequence[int]) -> datetime | None:
        """When nine of ten would have ended: as far as the times on the critical path differ from run to run, and as
        few as they are known of. None: of one of them too few are known."""
        of_kind: dict[Kind, tuple[Past, int]] = {}
        total = 0.0
        for number in chain:
            part = self.parts[number]
            total += self.made.jobs[number].seconds
            if part.past is None or part.past.spread is None or part.overdue:
                return None
            kind = kind_of(part.member, part.stage)
            of_kind[kind] = part.past, of_kind.get(kind, (part.past, 0))[1] + 1
        spread = sum(
            (past.spread or 0.0) ** 2 * (times + times**2 / len(past.seconds)) for past, times in of_kind.values()
        )
        return self.moment(total + NINE_OF_TEN * sqrt(spread))

    def delay(self, chain: Sequence[int]) -> Delay | None:
        """Who delays the end now. What can't go by itself delays most: of those, the one on which most hangs."""
        stuck = [
            number
            for number, part in enumerate(self.parts)
            if part.doubt not in (None, NO_PAST) and self.is_first(number)
        ]
        if stuck:
            hangs = tails(self.made.jobs)
            number = max(stuck, key=lambda one: (hangs[one], -one))
            part = self.parts[number]
            return Delay(part.member.id, self.why(part.member, part.doubt), number in chain)
        if not chain or self.rerun.state is not RerunState.RUNNING:
            return None
        member = self.parts[chain[0]].member
        return Delay(member.id, self.why(member, None), True)

    def is_first(self, number: int) -> bool:
        """Whether a part waits for nobody who is still to go: what is behind others delays nothing yet."""
        waits = self.made.jobs[number].waits_for
        return self.parts[number].doubt == MEMBER_FAILED or not waits

    def why(self, member: Member, doubt: str | None) -> str | None:
        """Why a member doesn't go on: in its own words, where it has any."""
        if doubt in (None, MEMBER_FAILED, word_of(member.state_reason)):
            return member.state_reason or doubt
        return doubt

    def expected(self) -> list[Expected]:
        """What is expected of each member with something left to do."""
        numbers: dict[int, list[int]] = {}
        for number, part in enumerate(self.parts):
            numbers.setdefault(part.member.id, []).append(number)
        return [self.of_member(member_id, some) for member_id, some in numbers.items()]

    def of_member(self, member_id: int, numbers: Sequence[int]) -> Expected:
        """What is expected of a member, with the numbers of its parts."""
        parts = [self.parts[number] for number in numbers]
        pasts = [part.past for part in parts if part.past is not None]
        known = len(pasts) == len(parts)
        return Expected(
            member_id,
            self.moment(self.schedule.starts[numbers[0]]),
            self.moment(self.schedule.ends[numbers[-1]]),
            any(self.doubtful[number] for number in numbers),
            next((part.doubt for part in parts if part.doubt is not None), None),
            sum(past.usual for past in pasts) if known else None,
            sum(past.longest for past in pasts) if known else None,
            any(part.overdue for part in parts),
        )
