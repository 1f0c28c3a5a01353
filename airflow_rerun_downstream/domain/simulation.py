"""When each part of a rerun would start and end if all took as long as given, with as many at once as is allowed.

The conductor's own rules: what waits for nobody is dispatched in a fixed order, as far as there are places; what its
Dag can't start takes none, and is passed by. Each line in which jobs stand is a heap, so that it costs n log n.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from heapq import heappop, heappush


class WaitedFor(str, Enum):
    """What a part of a rerun had to wait for last."""

    NOTHING = "nothing"
    UPSTREAM = "upstream"
    PLACE = "place"
    DAG_LIMIT = "dag_limit"


@dataclass(frozen=True, slots=True)
class Job:
    """A part of a rerun: a stage of a member, or what stands for many of them.

    ``waits_for`` are numbers of jobs. Of those that may go, that with the lowest ``rank`` goes first. ``begun``: it
    runs already, whatever it waits for. ``never``: it can't go as things stand. ``in_line``: it needs no place of the
    rerun any more, only its Dag's. ``dag_id`` None: it stands for those that it waits for, and takes neither place nor
    time.
    """

    seconds: float
    rank: int = 0
    dag_id: str | None = None
    waits_for: tuple[int, ...] = ()
    begun: bool = False
    never: bool = False
    in_line: bool = False


@dataclass
class Schedule:
    """When jobs start and end, in seconds from now; None: never. ``causes``: what each waited for last, and the job
    with whose end that was over. ``order``: in which order they start."""

    starts: list[float | None]
    ends: list[float | None]
    causes: list[tuple[WaitedFor, int | None]]
    order: list[int] = field(default_factory=list)

    def last(self, first: int) -> int | None:
        """Of the ``first`` jobs the one that ends last; of several that with the lowest number."""
        ended = [(-end, number) for number, end in enumerate(self.ends[:first]) if end is not None]
        return min(ended)[1] if ended else None

    def chain(self, number: int | None) -> list[int]:
        """The jobs of which each waited for the one before, up to one."""
        found = list[int]()
        while number is not None:
            found.append(number)
            number = self.causes[number][1]
        return found[::-1]


@dataclass
class Simulation:
    """Jobs on their way. ``places``: how many may run at once; ``rooms``: how many of a Dag, where that is limited."""

    jobs: Sequence[Job]
    seconds: Sequence[float]
    places: int
    rooms: Mapping[str, int]
    ready: list[tuple[int, int]] = field(default_factory=list)
    kept: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    on: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        count = len(self.jobs)
        self.left = dict(self.rooms)
        self.open = [0 if job.begun else len(job.waits_for) for job in self.jobs]
        self.followers: list[list[int]] = [[] for _ in self.jobs]
        self.plan = Schedule([None] * count, [None] * count, [(WaitedFor.NOTHING, None)] * count)
        self.round = 0
        """How often places were given away. Who isn't among the first to get one has waited, if for no time."""
        self.since: list[int] = [0] * count
        self.by: list[int | None] = [None] * count
        self.freed: list[tuple[int, int] | None] = [None] * count
        """Of one whose Dag was full: at which round there was room again, and which job made it."""
        for number, job in enumerate(self.jobs):
            for other in () if job.begun else job.waits_for:
                self.followers[other].append(number)

    def run(self) -> Schedule:
        """Let all of it happen."""
        for number, job in enumerate(self.jobs):
            if job.never:
                continue
            if job.begun:
                self.start(number, 0.0)
            elif not job.waits_for and self.may_go(number, 0.0, None):
                self.let_go(number, 0.0)
        self.hand_out(0.0, None)
        while self.on:
            now, ended = self.on[0][0], list[int]()
            while self.on and self.on[0][0] == now:
                ended.append(heappop(self.on)[1])
                self.end(ended[-1], now)
            self.hand_out(now, ended[0])
        return self.plan

    def start(self, number: int, now: float) -> None:
        """A job takes its place."""
        job, end = self.jobs[number], now + self.seconds[number]
        self.plan.starts[number] = now
        self.plan.ends[number] = end
        self.plan.order.append(number)
        self.places -= 1
        if job.dag_id in self.left:
            self.left[job.dag_id] -= 1
        heappush(self.on, (end, number))

    def end(self, number: int, now: float) -> None:
        """A job ends: its place is free, and whoever waits for nobody else may go."""
        dag_id = self.jobs[number].dag_id
        if dag_id is not None:
            self.places += 1
            if dag_id in self.left:
                self.left[dag_id] += 1
                self.unkeep(dag_id, number)
        self.let_go(number, now)

    def let_go(self, number: int, now: float) -> None:
        """Nobody waits for a job any more, nor for what only stood for it."""
        ended = [number]
        while ended:
            number = ended.pop()
            for follower in self.followers[number]:
                self.open[follower] -= 1
                if not self.open[follower] and self.may_go(follower, now, number):
                    ended.append(follower)

    def unkeep(self, dag_id: str, by: int) -> None:
        """The next one that waits for its Dag stands in line with the others again."""
        if line := self.kept.get(dag_id):
            rank, number = heappop(line)
            self.freed[number] = self.round, by
            heappush(self.ready, (rank, number))

    def may_go(self, number: int, now: float, by: int | None) -> bool:
        """Nothing keeps a job from going, but for want of a place. Whether it has ended with that: it takes none."""
        job = self.jobs[number]
        if job.never:
            return False
        self.since[number], self.by[number] = self.round, by
        if job.dag_id is not None:
            heappush(self.ready, (-1 if job.in_line else job.rank, number))
            return False
        self.plan.starts[number] = self.plan.ends[number] = now
        self.plan.order.append(number)
        self.plan.causes[number] = (WaitedFor.UPSTREAM if by is not None else WaitedFor.NOTHING, by)
        return True

    def hand_out(self, now: float, by: int | None) -> None:
        """Give places away, in order. ``by``: a job that has ended now."""
        waiting = self.ready
        while waiting and (self.places > 0 or self.jobs[waiting[0][1]].in_line):
            rank, number = heappop(waiting)
            job = self.jobs[number]
            if job.dag_id is not None and self.left.get(job.dag_id, 1) <= 0:
                heappush(self.kept.setdefault(job.dag_id, []), (rank, number))
                continue
            self.plan.causes[number] = self.cause(number, by)
            self.start(number, now)
        self.round += 1

    def cause(self, number: int, by: int | None) -> tuple[WaitedFor, int | None]:
        """What a job that starts now waited for last."""
        if self.since[number] == self.round:
            return (WaitedFor.UPSTREAM, self.by[number]) if self.by[number] is not None else (WaitedFor.NOTHING, None)
        freed = self.freed[number]
        return (
            (WaitedFor.DAG_LIMIT, freed[1]) if freed is not None and freed[0] == self.round else (WaitedFor.PLACE, by)
        )


def simulate(
    jobs: Sequence[Job], places: int, rooms: Mapping[str, int] | None = None, *, seconds: Sequence[float] | None = None
) -> Schedule:
    """When each job starts and ends. Those on a circle never do. ``seconds``: how long each takes this time."""
    return Simulation(jobs, seconds or [job.seconds for job in jobs], places, rooms or {}).run()


def tails(jobs: Sequence[Job]) -> list[float]:
    """How many seconds of work hang on each job, itself included, along the longest way. On a circle: its own."""
    followers: list[list[int]] = [[] for _ in jobs]
    for number, job in enumerate(jobs):
        for other in job.waits_for:
            followers[other].append(number)
    found, open_ = [job.seconds for job in jobs], [len(some) for some in followers]
    pending = [number for number, some in enumerate(followers) if not some]
    while pending:
        number = pending.pop()
        for other in jobs[number].waits_for:
            found[other] = max(found[other], jobs[other].seconds + found[number])
            open_[other] -= 1
            if not open_[other]:
                pending.append(other)
    return found
