"""Random reruns half-way through, and what an estimate of them must be, worked out slowly over pairs."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.durations import Past, past_of
from airflow_rerun_downstream.domain.estimate_jobs import Standing
from airflow_rerun_downstream.domain.member import Member, StageGate
from airflow_rerun_downstream.domain.passages import Passage
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.rerun_request import RerunSettings
from airflow_rerun_downstream.domain.room import DagRoom
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from tests.conductor.members import member

NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
Piece = tuple[int, int]
"""A member's id, and the number of a stage."""
DONE = (MemberState.SUCCEEDED, MemberState.SKIPPED)
OVER = (MemberState.FAILED, MemberState.TERMINATED)


def a_rerun(state: RerunState = RerunState.RUNNING, **more: object) -> Rerun:
    """A rerun without members."""
    began = NOW - timedelta(hours=2)
    values: dict[str, object] = {"ended_at": None, "state_reason": None, **more}
    return Rerun(
        1, RunRef("d0", "r"), state, settings=RerunSettings(), notifications=(), warnings=(), created_by="ada",
        created_by_id="1", created_at=began, started_at=began, **values,
    )  # type: ignore[arg-type]  # fmt: skip


def a_member(
    number: int,
    dag_id: str = "d",
    state: MemberState = MemberState.PENDING,
    state_reason: str | None = None,
    **more: object,
) -> Member:
    """A member with one task."""
    return member(number, dag_id, state, state_reason, **more)


def taken(*seconds: float) -> Past:
    """A past."""
    found = past_of(seconds)
    assert found is not None
    return found


def ago(seconds: float) -> datetime:
    """A moment before now."""
    return NOW - timedelta(seconds=seconds)


@dataclass
class Story:
    """A rerun that is being made up, member by member; each waits for earlier ones only."""

    chance: random.Random
    plain: bool = False
    members: list[Member] = field(default_factory=list)
    passages: list[Passage[int]] = field(default_factory=list)

    def standing(self) -> Standing:
        """A rerun, as it stands."""
        chance = self.chance
        wide = chance.random() < 0.5
        for number in range(1, chance.randint(3, 26)):
            if self.members and chance.random() < 0.25:
                self.add_passage()
            self.add(number, wide)
        kinds = {
            (one.ref.dag_id, frozenset(task.task_id for task in tasks))
            for one in self.members
            for tasks in (*one.stages, one.tasks)
        }
        few = 0.0 if self.plain else chance.choice((0.0, 0.0, 0.15))
        pasts = {
            kind: taken(*(chance.uniform(10, 900) for _ in range(chance.randint(1, 8))))
            for kind in sorted(kinds, key=lambda one: (one[0], sorted(one[1])))
            if chance.random() >= few
        }
        active = ActiveRerun(a_rerun(), tuple(self.members), passages=tuple(self.passages))
        return Standing(active, pasts, self.rooms(), chance.choice((1, 2, 3, 5, 99)))

    @staticmethod
    def crowd(size: int) -> Standing:
        """So many members, and as many behind them, by a passage; each of its own Dag."""
        above = [a_member(number, f"a{number % 50}") for number in range(size)]
        below = [a_member(size + number, f"b{number % 50}", passage=0) for number in range(size)]
        passages = (Passage(frozenset(one.id for one in above)),)
        active = ActiveRerun(a_rerun(), (*above, *below), passages=passages)
        pasts = {(one.ref.dag_id, frozenset({"t"})): taken(60.0 + one.id / 1e6) for one in active.members}
        return Standing(active, pasts, {}, 10**6)

    @staticmethod
    def night(chance: random.Random, size: int = 30) -> tuple[Standing, float]:
        """So many members, of which each waits for one to three before it, with ten earlier times of each; and in how
        many seconds it will end in truth."""
        members = [
            a_member(
                number,
                f"d{number:02}",
                waits_for=frozenset(
                    chance.sample(range(max(1, number - 8), number), min(number - 1, chance.randint(1, 3)))
                ),
            )
            for number in range(1, size + 1)
        ]
        usual = {one.id: chance.uniform(120, 1200) for one in members}
        truth = {number: seconds * chance.lognormvariate(0, 0.3) for number, seconds in usual.items()}
        pasts = {
            (one.ref.dag_id, frozenset({"t"})): taken(
                *(usual[one.id] * chance.lognormvariate(0, 0.3) for _ in range(10))
            )
            for one in members
        }
        standing = Standing(ActiveRerun(a_rerun(), tuple(members)), pasts, {}, chance.choice((3, 99)))
        true = {kind: taken(truth[one.id]) for kind, one in zip(pasts, members, strict=True)}
        ends = Oracle(replace(standing, earlier=true)).played().values()
        return standing, max(end for _, end in ends)

    def rooms(self) -> dict[str, DagRoom]:
        """What Dags can start."""
        chance, found = self.chance, dict[str, DagRoom]()
        for dag_id in sorted({one.ref.dag_id for one in self.members}):
            if chance.random() < 0.4:
                on = sum(one.ref.dag_id == dag_id and one.state is MemberState.RUNNING for one in self.members)
                found[dag_id] = DagRoom(limit=chance.randint(1, 4), running=on + chance.choice((0, 0, 1)))
            elif chance.random() < 0.05 and not self.plain:
                found[dag_id] = DagRoom("dag_paused")
        return found

    def add_passage(self) -> None:
        """What stands for many."""
        some = [one.id for one in self.members if self.chance.random() < 0.5]
        before = [number for number in range(len(self.passages)) if self.chance.random() < 0.3]
        self.passages.append(Passage(frozenset(some), frozenset(before)))

    def add(self, number: int, wide: bool) -> None:
        """One more member, somewhere on its way."""
        chance = self.chance
        fewer = 1.5 / len(self.members) if wide and self.members else 0.3
        count = chance.choice((1, 1, 1, 2, 3))
        tasks = tuple(TaskRef(f"t{place}_of_{number}") for place in range(count))
        stages = tuple((task,) for task in tasks) if count > 1 else ()
        gates = [
            StageGate(stage, one.id, until_of(chance, one))
            for stage in range(count)
            for one in self.members
            if (stages or one.stages) and chance.random() < fewer / 2
        ]
        partly = tuple(gate for gate in gates if gate.stage or gate.until is not None)
        made = a_member(
            number,
            f"d{chance.randint(0, 4)}",
            tasks=tasks,
            stages=stages,
            stage_gates=partly,
            waits_for=frozenset(one.id for one in self.members if chance.random() < fewer),
            passage=chance.randrange(len(self.passages)) if self.passages and chance.random() < 0.3 else None,
            run_after=ago(chance.randint(0, 5) * 3600),
            depth=len(self.members),
        )
        self.members.append(self.moved(made))

    def moved(self, one: Member) -> Member:
        """As far as it has come."""
        chance, known = self.chance, {each.id: each for each in self.members}
        reach = chance.choice((0.0, 0.6, 0.9))
        while chance.random() < reach and is_free(one, known, self.passages):
            if one.stage + 1 < max(len(one.stages), 1):
                one = replace(one, stage=one.stage + 1, attempt=one.attempt + 1)
                continue
            return replace(one, state=MemberState.SKIPPED if chance.random() < 0.2 else MemberState.SUCCEEDED)
        if not is_free(one, known, self.passages):
            return one
        roll = chance.random()
        if roll < 0.4:
            return replace(
                one, state=MemberState.RUNNING, attempt=one.attempt + 1, dispatched_at=ago(chance.uniform(0, 600))
            )
        if roll < 0.46 and not self.plain:
            return replace(one, state=chance.choice(OVER))
        return replace(one, state_reason="run_not_finished") if roll < 0.5 and not self.plain else one


def until_of(chance: random.Random, one: Member) -> int | None:
    """A stage that may be waited for; None: all of it."""
    return chance.randrange(len(one.stages)) if one.stages and chance.random() < 0.7 else None


def pairs(one: Member, stage: int, known: Mapping[int, Member], passages: list[Passage[int]]) -> set[Piece]:
    """The pieces for which a stage of a member waits, one by one."""
    found = {(one.id, stage - 1)} if stage > one.stage else set()
    for gate in one.stage_gates:
        if gate.stage == stage or (stage == one.stage and gate.stage < stage):
            found.add((gate.member, last_of(known[gate.member]) if gate.until is None else gate.until))
    if stage == one.stage:
        whole = set(one.waits_for)
        numbers = [] if one.passage is None else [one.passage]
        for number in numbers:
            whole |= passages[number].members
            numbers += [each for each in passages[number].before if each not in numbers]
        found |= {(other, last_of(known[other])) for other in whole}
    return {piece for piece in found if not is_past(piece, known | {one.id: one})}


def last_of(one: Member) -> int:
    """The number of the last stage."""
    return max(len(one.stages), 1) - 1


def is_past(piece: Piece, known: Mapping[int, Member]) -> bool:
    """Whether nobody waits for a piece any more."""
    member = known[piece[0]]
    return member.state in DONE or member.stage > piece[1]


def is_free(one: Member, known: Mapping[int, Member], passages: list[Passage[int]]) -> bool:
    """Whether the present stage waits for nobody."""
    return not pairs(one, one.stage, known, passages)


@dataclass
class Oracle:
    """The slow way: pairs instead of passages, every piece looked at again and again instead of heaps."""

    standing: Standing

    def __post_init__(self) -> None:
        active = self.standing.active
        known = active.by_id
        left = [one for one in active.members if one.state not in DONE]
        self.known = known
        self.waits = {
            (one.id, stage): pairs(one, stage, known, list(active.passages))
            for one in left
            for stage in range(one.stage, last_of(one) + 1)
        }
        order = sorted(left, key=lambda one: (one.run_after or NOW, one.depth, one.ref))
        self.rank = {one.id: place for place, one in enumerate(order)}
        self.unknown: set[Piece] = set()
        self.seconds = {piece: self.lasts(piece) for piece in self.waits}
        self.never = {piece for piece in self.waits if known[piece[0]].state in OVER}

    def begun(self, piece: Piece) -> bool:
        one = self.known[piece[0]]
        return one.state is MemberState.RUNNING and one.stage == piece[1]

    def lasts(self, piece: Piece) -> float:
        """How many seconds of it are left."""
        one = self.known[piece[0]]
        tasks = one.stages[piece[1]] if one.stages else one.tasks
        past = self.standing.earlier.get((one.ref.dag_id, frozenset(task.task_id for task in tasks)))
        room = self.standing.rooms.get(one.ref.dag_id)
        closed = room is not None and room.closed is not None and not self.begun(piece)
        if past is None or closed or (one.state_reason and one.stage == piece[1]):
            self.unknown.add(piece)
        if past is None:
            return 0.0
        if not self.begun(piece):
            return past.usual
        assert one.dispatched_at is not None
        elapsed = (NOW - one.dispatched_at).total_seconds()
        if elapsed > 2 * past.longest + 30:
            self.unknown.add(piece)
            return 0.0
        return past.left(elapsed)

    def longest(self) -> tuple[float, list[Piece]]:
        """The longest chain of pieces that wait for each other, by trying all."""
        found: dict[Piece, tuple[float, list[Piece]] | None] = {}

        def until(piece: Piece) -> tuple[float, list[Piece]] | None:
            if piece not in found:
                before = [] if self.begun(piece) else [until(other) for other in sorted(self.waits[piece])]
                if piece in self.never or any(one is None for one in before):
                    found[piece] = None
                else:
                    lasted, chain = max((one for one in before if one), default=(0.0, list[Piece]()))
                    found[piece] = lasted + self.seconds[piece], [*chain, piece]
            return found[piece]

        return max((one for one in map(until, sorted(self.waits)) if one), default=(0.0, []))

    def played(self) -> dict[Piece, tuple[float, float]]:
        """When each piece starts and ends, with as many at once as is allowed."""
        on = {piece: self.seconds[piece] for piece in self.waits if self.begun(piece)}
        found = {piece: (0.0, end) for piece, end in on.items()}
        done, now = set[Piece](), 0.0
        while True:
            for piece in sorted(self.waits.keys() - found.keys() - self.never, key=lambda one: self.rank[one[0]]):
                if self.waits[piece] <= done and len(on) < self.standing.places and self.has_room(piece, on):
                    on[piece] = now + self.seconds[piece]
                    found[piece] = now, on[piece]
            if not on:
                return found
            now = min(on.values())
            done |= {piece for piece, end in on.items() if end == now}
            on = {piece: end for piece, end in on.items() if end > now}

    def end(self) -> float:
        """When the last piece ends."""
        return max((end for _, end in self.played().values()), default=0.0)

    def has_room(self, piece: Piece, on: Iterable[Piece]) -> bool:
        """Whether its Dag can start it."""
        dag_id = self.known[piece[0]].ref.dag_id
        room = self.standing.rooms.get(dag_id)
        if room is None or room.limit is None:
            return True
        mine = sum(one.ref.dag_id == dag_id and one.state is MemberState.RUNNING for one in self.known.values())
        others = room.running - mine
        here = sum(self.known[other].ref.dag_id == dag_id for other, _ in on)
        return here < max(room.limit - others, 1)
