"""What is left of a rerun, as jobs: a part of a member each, how long it will take, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from random import Random
from statistics import median

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun, ready_time
from airflow_rerun_downstream.domain.durations import ENOUGH, Kind, Past, past_of
from airflow_rerun_downstream.domain.member import Member, StageGate, is_open
from airflow_rerun_downstream.domain.passages import Passage
from airflow_rerun_downstream.domain.refs import Tasks, by_name
from airflow_rerun_downstream.domain.room import CLOSED, DagRoom, word_of
from airflow_rerun_downstream.domain.simulation import Job
from airflow_rerun_downstream.domain.states import IN_FLIGHT, SATISFIED, MemberState, RerunState

NO_PAST = "no_past_runs"
MUCH_LONGER = "much_longer_than_before"
MEMBER_FAILED = "member_failed"

HELD_UP = frozenset(
    {
        *CLOSED - {"at_max_active_runs"},
        *("waits_for_approval", "pool_gone", "depends_on_past", "upstream_runs_again", "run_not_finished"),
        *("tasks_are_ending", "step_error", "stop_error"),
    }
)
"""Reasons of a member of which nobody can tell when it goes on."""

TO_COME = frozenset({MemberState.PENDING, MemberState.STOPPING})
LEFT = TO_COME | {MemberState.RUNNING, MemberState.FAILED, MemberState.TERMINATED}
"""States of a member with something left to do; of the last two somebody would have to see to it."""


@dataclass(frozen=True)
class Standing:
    """What an estimate is made from: a rerun, how long tasks have taken, what Dags can start, and how many members may
    be in flight at once."""

    active: ActiveRerun
    earlier: Mapping[Kind, Past]
    rooms: Mapping[str, DagRoom]
    places: int

    @cached_property
    def here(self) -> Mapping[Kind, Past]:
        """How long members took in this rerun, from their last dispatch to their end."""
        found: dict[Kind, list[float]] = {}
        for member in self.active.members:
            if member.state is MemberState.SUCCEEDED and member.dispatched_at and member.ended_at:
                lasted = (member.ended_at - member.dispatched_at).total_seconds()
                found.setdefault(kind_of(member, len(stages_of(member)) - 1), []).append(max(lasted, 0.0))
        return {kind: past for kind, some in found.items() if (past := past_of(some, whole=True)) is not None}

    @cached_property
    def beside(self) -> float:
        """What a member takes besides its tasks' own time, as this rerun has seen it: until they start, and until their
        end is noticed."""
        known = [(past.usual - self.earlier[kind].usual) for kind, past in self.here.items() if kind in self.earlier]
        return max(median(known), 0.0) if known else 0.0

    def past(self, kind: Kind) -> Past | None:
        """How long it took: in this rerun, where that has been seen often enough; else in earlier runs."""
        here = self.here.get(kind)
        return here if here is not None and len(here.seconds) >= ENOUGH else self.earlier.get(kind, here)


def stages_of(member: Member) -> tuple[Tasks, ...]:
    """The parts in which a member is dispatched, one or more."""
    return member.stages or (member.tasks,)


def kind_of(member: Member, stage: int) -> Kind:
    """What a stage of a member is compared with."""
    return member.ref.dag_id, frozenset(task.task_id for task in stages_of(member)[stage])


def kinds_left(active: ActiveRerun) -> set[Kind]:
    """All that one has to know the past of to foretell the rest of a rerun, and of what has ended, to compare."""
    found = set[Kind]()
    for member in active.members:
        if member.state in LEFT:
            found.update(kind_of(member, stage) for stage in range(member.stage, len(stages_of(member))))
        elif member.state is MemberState.SUCCEEDED:
            found.add(kind_of(member, len(stages_of(member)) - 1))
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """A stage of a member as a job. ``doubt``: why its time is unknown, or it can't go; None: neither.

    ``past``: what its time was told from. ``elapsed``: for how long it has been running, None: it hasn't begun.
    ``beside``: what it takes besides its tasks' own time. ``overdue``: it has lasted longer than it ever did.
    """

    member: Member
    stage: int
    past: Past | None
    doubt: str | None
    elapsed: float | None = None
    beside: float = 0.0
    overdue: bool = False

    @property
    def kind(self) -> Kind:
        """What it is compared with."""
        return kind_of(self.member, self.stage)

    def draw(self, past: Past, chance: Random) -> float:
        """How many seconds it may have left this time; ``past``: how long such parts take."""
        if self.elapsed is None or self.elapsed < self.beside:
            return past.draw(chance) + self.beside - (self.elapsed or 0.0)
        return past.draw(chance, self.elapsed - self.beside)

    @property
    def loose(self) -> bool:
        """Whether it isn't known how far its time may be off: too few times are known, or it has lasted longer than all
        of them."""
        return self.past is None or self.past.spread is None or self.overdue

    def stretched(self, seconds: float) -> float:
        """How many seconds it may have left before nothing is foretold of it any more, but no fewer than these."""
        if self.past is None:
            return seconds
        return max(seconds, self.past.stuck_after + self.beside - (self.elapsed or 0.0))


def seconds_left(past: Past | None, elapsed: float | None, beside: float) -> float:
    """How many seconds a part of a member will go on, ``elapsed`` seconds after its dispatch; None: it is to come.

    ``beside``: what it takes besides its tasks' own time. Where nothing is known of that, they are none.
    """
    if past is None:
        return 0.0
    if elapsed is None or elapsed < beside:
        return past.usual + beside - (elapsed or 0.0)
    return past.left(elapsed - beside)


class Jobs:
    """The jobs of what is left, first the parts of members, then passages; ``parts`` has the former, by number."""

    def __init__(self, standing: Standing, now: datetime) -> None:
        self.standing = standing
        self.active = standing.active
        self.now = now
        self.parts: list[Part] = []
        self.numbers: dict[tuple[int, int], int] = {}
        moves = self.active.rerun.state is RerunState.RUNNING
        left = [member for member in self.active.members if member.state in LEFT]
        for member in left:
            for stage in range(member.stage, len(stages_of(member))):
                self.numbers[member.id, stage] = len(self.numbers)
        self.ranks = {
            member.id: rank
            for rank, member in enumerate(sorted(left, key=lambda one: (ready_time(one), one.depth, by_name(one.ref))))
        }
        self.made = {one.child for one in self.active.children}
        self.jobs: list[Job] = [self.job(member, stage, moves) for member, stage in self.places_of(left)]
        self.jobs += map(self.passage, self.active.passages)

    @staticmethod
    def places_of(left: list[Member]) -> Iterator[tuple[Member, int]]:
        """Each stage that is left of each member."""
        for member in left:
            for stage in range(member.stage, len(stages_of(member))):
                yield member, stage

    def job(self, member: Member, stage: int, moves: bool) -> Job:
        """A stage of a member. ``moves``: the rerun dispatches something."""
        present = stage == member.stage
        past = self.standing.past(kind_of(member, stage))
        doubt = self.doubt(member, past, present=present)
        on = present and member.state is MemberState.RUNNING
        queued = on and word_of(member.state_reason) in CLOSED
        elapsed = self.elapsed(member) if on and not queued else None
        beside = 0.0 if past is None or past.whole else self.standing.beside
        overdue = past is not None and elapsed is not None and past.overdue(elapsed - beside)
        if past is not None and elapsed is not None and past.much_overdue(elapsed - beside):
            doubt = doubt or MUCH_LONGER
        self.parts.append(Part(member, stage, past, doubt, elapsed, beside, overdue))
        return Job(
            0.0 if doubt == MUCH_LONGER else seconds_left(past, elapsed, beside),
            self.ranks[member.id],
            member.ref.dag_id,
            () if on else self.waits(member, stage),
            begun=on and not queued,
            never=doubt == MEMBER_FAILED or not (moves or on),
            in_line=queued or (present and member.id in self.made),
        )

    def elapsed(self, member: Member) -> float | None:
        """The seconds since a member was dispatched."""
        return None if member.dispatched_at is None else (self.now - member.dispatched_at).total_seconds()

    def doubt(self, member: Member, past: Past | None, *, present: bool) -> str | None:
        """Why it can't be told how long a part of a member takes, or when it goes."""
        if member.state in (MemberState.FAILED, MemberState.TERMINATED):
            return MEMBER_FAILED
        room, word = self.standing.rooms.get(member.ref.dag_id), word_of(member.state_reason)
        if present and word in HELD_UP:
            return word
        if room is not None and room.closed is not None and not (present and member.state is MemberState.RUNNING):
            return room.closed
        return NO_PAST if past is None else None

    def waits(self, member: Member, stage: int) -> tuple[int, ...]:
        """The jobs for which a stage of a member waits."""
        present = stage == member.stage
        found = [] if present else [self.numbers[member.id, stage - 1]]
        gates = [gate for gate in member.stage_gates if gate.stage == stage or (present and gate.stage < stage)]
        if present:
            gates += [StageGate(0, other, None) for other in sorted(member.waits_for)]
            if member.passage is not None and not self.active.open_passages[member.passage]:
                found.append(len(self.numbers) + member.passage)
        found += [self.awaited(gate) for gate in gates if not is_open(gate, self.active.by_id)]
        return tuple(dict.fromkeys(found))

    def awaited(self, gate: StageGate) -> int:
        """The job with whose end a gate opens."""
        other = self.active.by_id[gate.member]
        last = len(stages_of(other)) - 1
        return self.numbers[other.id, last if gate.until is None else gate.until]

    def passage(self, one: Passage[int]) -> Job:
        """What stands for all those who wait by a passage."""
        members = self.active.by_id
        waits = [
            self.numbers[other, len(stages_of(members[other])) - 1]
            for other in sorted(one.members)
            if members[other].state not in SATISFIED
        ]
        before = (len(self.numbers) + number for number in sorted(one.before) if not self.active.open_passages[number])
        return Job(0.0, waits_for=(*waits, *before))

    def rooms(self) -> dict[str, int]:
        """How many members of each Dag may run at once, besides what else runs there and is taken to go on. The run of
        a member that is being stopped is its own: it ends, and the member goes once more."""
        mine: dict[str, int] = {}
        for member in self.active.members:
            if member.state in IN_FLIGHT:
                mine[member.ref.dag_id] = mine.get(member.ref.dag_id, 0) + 1
        found = {}
        for dag_id, room in self.standing.rooms.items():
            if room.limit is not None and room.closed is None:
                others = max(room.running + room.queued - mine.get(dag_id, 0), 0)
                found[dag_id] = max(room.limit - others, 1)
        return found
