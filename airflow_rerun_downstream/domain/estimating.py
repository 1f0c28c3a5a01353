"""When a rerun is expected to end, what decides that, and what delays it now. Pure, from what is stored and known.

It is worked out as the conductor will go about it, each member taking as long as its tasks usually do; and many times
more, with times that differ as they did from run to run: that tells when, and how late, it may be. What isn't known
isn't made up: the end is then the earliest of all plays, and it is said of how many members nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil
from random import Random
from statistics import median

from airflow_rerun_downstream.domain.estimate import Decisive, Delay, Estimate, Expected, Outlook, PathStep
from airflow_rerun_downstream.domain.estimate_jobs import MEMBER_FAILED, MUCH_LONGER, NO_PAST, Jobs, Standing
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.room import word_of
from airflow_rerun_downstream.domain.simulation import Schedule, WaitedFor, simulate, tails
from airflow_rerun_downstream.domain.states import RerunState

LATE = 0.9
"""The part of all plays that has ended by the late end."""

MOST_PLAYS, FEWEST_PLAYS = 100, 10
PLAYED_JOBS = 40_000
"""How many jobs are played in all, as long as there are enough plays."""

SOONER = 0.001
"""Seconds from which on one end is earlier than another: the same times added in another order differ by less."""


def estimate(standing: Standing, now: datetime, *, plays: int = MOST_PLAYS) -> Estimate:
    """What can be said of the end of a rerun. Linear in members and gates, but for the lines in which they stand.

    ``plays``: how often it is played at most; 0: only once, with the usual times.
    """
    rerun = standing.active.rerun
    if not rerun.active:
        return Estimate(now, Outlook.OPEN if rerun.state is RerunState.PROPOSED else Outlook.ENDED, rerun.ended_at)
    return Reckoning(standing, now, plays).estimate()


class Reckoning:
    """One estimate, while it is made."""

    def __init__(self, standing: Standing, now: datetime, plays: int) -> None:
        self.standing = standing
        self.rerun = standing.active.rerun
        self.now = now
        self.made = Jobs(standing, now)
        self.parts = self.made.parts
        self.rooms = self.made.rooms()
        self.schedule: Schedule = simulate(self.made.jobs, standing.places, self.rooms)
        self.doubtful = self.at_least()
        self.decided_by, self.chain = self.decisive()
        self.loose = self.loose_parts()
        self.last: list[float] = []
        self.stretched: list[float] = []
        self.starts, self.ends = self.schedule.starts, self.schedule.ends
        if plays and self.parts:
            jobs = len(self.made.jobs) * (2 if self.loose else 1)
            self.play(min(plays, max(PLAYED_JOBS // jobs, FEWEST_PLAYS)))

    def estimate(self) -> Estimate:
        """All of it."""
        decisive, chain = self.decided_by, self.chain
        stands = any(end is None for end in self.schedule.ends[: len(self.parts)])
        moves = self.rerun.state is RerunState.RUNNING
        outlook = Outlook.AT_LEAST if stands or any(self.doubtful) else Outlook.EXPECTED
        doubts = {part.member.id: part.doubt for part in self.parts if part.doubt is not None}
        return Estimate(
            self.now,
            outlook if moves else Outlook.OPEN,
            self.end(outlook) if moves else None,
            self.late() if moves and outlook is Outlook.EXPECTED else None,
            decisive if moves else None,
            tuple(self.steps(chain, decisive)) if moves else (),
            self.delay(chain),
            tuple(self.expected()),
            unknown=sum(doubt == NO_PAST for doubt in doubts.values()),
            held_up=sum(doubt not in (NO_PAST, MEMBER_FAILED) for doubt in doubts.values()),
            failed=sum(doubt == MEMBER_FAILED for doubt in doubts.values()),
            overdue=len({part.member.id for part in self.parts if part.overdue}),
        )

    def play(self, times: int) -> None:
        """Play it some times more, with other times each time, and keep when parts started and ended on average.

        The same chances each time: what is told changes with the rerun, not by itself.
        """
        chance, count = Random(self.rerun.id), len(self.parts)
        starts, ends = [0.0] * count, [0.0] * count
        pasts = {part.kind: part.past for part in self.parts if part.past is not None}
        for _ in range(times):
            anew = {kind: past.drawn_anew(chance) for kind, past in pasts.items()}
            seconds = [job.seconds for job in self.made.jobs]
            for number, part in enumerate(self.parts):
                if part.doubt != MUCH_LONGER and (past := anew.get(part.kind)) is not None:
                    seconds[number] = part.draw(past, chance)
            played = simulate(self.made.jobs, self.standing.places, self.rooms, seconds=seconds)
            for number in range(count):
                starts[number] += played.starts[number] or 0.0
                ends[number] += played.ends[number] or 0.0
            self.last.append(self.end_of(played))
            if self.loose:
                for number in self.loose:
                    seconds[number] = self.parts[number].stretched(seconds[number])
                longer = simulate(self.made.jobs, self.standing.places, self.rooms, seconds=seconds)
                self.stretched.append(self.end_of(longer))
        known = [end is not None for end in self.schedule.ends]
        self.starts = [start / times if there else None for start, there in zip(starts, known, strict=False)]
        self.ends = [end / times if there else None for end, there in zip(ends, known, strict=False)]

    def end_of(self, played: Schedule) -> float:
        """When the last part ends."""
        return max((end for end in played.ends[: len(self.parts)] if end is not None), default=0.0)

    def loose_parts(self) -> list[int]:
        """Parts off the critical path whose times may be off nobody knows how far, where all else is known so well."""
        if any(self.doubtful) or any(self.parts[number].loose for number in self.chain):
            return []
        return [number for number, part in enumerate(self.parts) if part.loose]

    def end(self, outlook: Outlook) -> datetime | None:
        """When it ends: half of the plays had ended by then; of a bound, none had."""
        if not self.chain:
            return self.now
        if not self.last:
            return self.moment(self.schedule.ends[self.chain[-1]])
        return self.moment(min(self.last) if outlook is Outlook.AT_LEAST else median(self.last))

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
            part, starts, ends = self.parts[number], self.starts[number], self.ends[number]
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
        which each waits for what the one before makes; otherwise one that also waits for places.

        Of the two limits it is the one without which it would end earlier. Where both would have to be higher, it is
        the one for which the chain waits last.
        """
        jobs, count = self.made.jobs, len(self.parts)
        last = self.schedule.last(count)
        if last is None:
            return None, []
        end = self.schedule.ends[last] or 0.0
        free = simulate(jobs, count)
        if (freely := free.last(count)) is not None and (free.ends[freely] or 0.0) >= end - SOONER:
            return Decisive.PATH, self.members_of(free.chain(freely))
        chain = self.schedule.chain(last)
        for without, ends in (
            (Decisive.PLACES, simulate(jobs, count, self.rooms)),
            (Decisive.DAG_LIMIT, simulate(jobs, self.standing.places)),
        ):
            if (one := ends.last(count)) is not None and (ends.ends[one] or 0.0) < end - SOONER:
                return without, self.members_of(chain)
        causes = [self.schedule.causes[number][0] for number in chain]
        waited = [cause for cause in causes if cause in (WaitedFor.PLACE, WaitedFor.DAG_LIMIT)]
        by_dag = waited[-1:] == [WaitedFor.DAG_LIMIT]
        return Decisive.DAG_LIMIT if by_dag else Decisive.PLACES, self.members_of(chain)

    def members_of(self, chain: Sequence[int]) -> list[int]:
        """Those of some jobs that are parts of members."""
        return [number for number in chain if number < len(self.parts)]

    def late(self) -> datetime | None:
        """When nine of ten would have ended, if times differ as they did.

        None: of one on the critical path it isn't known how they do; or of others, and it would be later if these took
        as long as is foretold at all.
        """
        if not self.last or any(self.parts[number].loose for number in self.chain):
            return None
        place = ceil(LATE * len(self.last)) - 1
        late = sorted(self.last)[place]
        if self.stretched and sorted(self.stretched)[place] > late + SOONER:
            return None
        return self.moment(late)

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
            self.moment(self.starts[numbers[0]]),
            self.moment(self.ends[numbers[-1]]),
            any(self.doubtful[number] for number in numbers),
            next((part.doubt for part in parts if part.doubt is not None), None),
            sum(past.usual for past in pasts) if known else None,
            sum(past.longest for past in pasts) if known else None,
            any(part.overdue for part in parts),
        )
