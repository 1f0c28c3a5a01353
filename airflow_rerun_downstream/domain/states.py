"""States of reruns and of their members, and every move between them.

The tables are the truth: a store moves nothing that they don't have, and nothing at all in a rerun that is final.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import TypeVar


class RerunState(str, Enum):
    """Where a rerun stands. Only ``succeeded`` and ``terminated`` are final. A ``proposed`` one isn't active: somebody
    has to approve it first."""

    PROPOSED = "proposed"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    TERMINATING = "terminating"
    SUCCEEDED = "succeeded"
    TERMINATED = "terminated"


class MemberState(str, Enum):
    """Where a member of a rerun stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    TERMINATED = "terminated"
    STOPPING = "stopping"
    FROZEN = "frozen"
    RELEASED = "released"


class Role(str, Enum):
    """Why a run is a member."""

    SOURCE = "source"
    DOWNSTREAM = "downstream"
    FROZEN = "frozen"


FINAL_RERUN_STATES = frozenset({RerunState.SUCCEEDED, RerunState.TERMINATED})
ACTIVE_RERUN_STATES = frozenset(RerunState) - FINAL_RERUN_STATES - {RerunState.PROPOSED}

RERUN_MOVES: Mapping[RerunState, frozenset[RerunState]] = {
    RerunState.PROPOSED: frozenset({RerunState.RUNNING, RerunState.TERMINATED}),
    RerunState.RUNNING: frozenset({RerunState.PAUSED, RerunState.FAILED, RerunState.SUCCEEDED, RerunState.TERMINATING}),
    RerunState.PAUSED: frozenset({RerunState.RUNNING, RerunState.TERMINATING}),
    RerunState.FAILED: frozenset({RerunState.RUNNING, RerunState.TERMINATING}),
    RerunState.TERMINATING: frozenset({RerunState.TERMINATED}),
    RerunState.SUCCEEDED: frozenset(),
    RerunState.TERMINATED: frozenset(),
}

MEMBER_MOVES: Mapping[MemberState, frozenset[MemberState]] = {
    MemberState.PENDING: frozenset({MemberState.RUNNING, MemberState.FAILED, MemberState.TERMINATED}),
    # back to pending: a task has made its run anew before its turn
    MemberState.RUNNING: frozenset(
        {MemberState.SUCCEEDED, MemberState.FAILED, MemberState.TERMINATED, MemberState.PENDING}
    ),
    MemberState.FAILED: frozenset(
        {MemberState.PENDING, MemberState.RUNNING, MemberState.SUCCEEDED, MemberState.SKIPPED}
    ),
    MemberState.STOPPING: frozenset({MemberState.PENDING, MemberState.FAILED, MemberState.TERMINATED}),
    MemberState.FROZEN: frozenset({MemberState.RELEASED}),
    # its run was cleared or made again, perhaps before its turn; or is gone; or the proof shows that it isn't right
    MemberState.SUCCEEDED: frozenset({MemberState.RUNNING, MemberState.FAILED, MemberState.PENDING}),
    MemberState.SKIPPED: frozenset(),
    MemberState.TERMINATED: frozenset(),
    MemberState.RELEASED: frozenset(),
}

SATISFIED = frozenset({MemberState.SUCCEEDED, MemberState.SKIPPED})
"""States of an upstream member for which a downstream one no longer waits."""

IN_FLIGHT = frozenset({MemberState.RUNNING, MemberState.STOPPING})


State = TypeVar("State", RerunState, MemberState)


class ImpossibleMove(ValueError):
    """A move that isn't in its table. It is a mistake in the code, never an answer to a person."""


def may_move(before: RerunState | MemberState, after: RerunState | MemberState) -> bool:
    """Whether the table of moves has ``before`` → ``after``."""
    if isinstance(before, RerunState):
        return after in RERUN_MOVES[before]
    return after in MEMBER_MOVES[before]


def starts_of(after: State, before: Collection[State] | None = None) -> frozenset[State]:
    """The states that a move to ``after`` may start from: those of the table, or ``before``, which are some of them.

    Raises `ImpossibleMove` where the table has no such move.
    """
    possible = frozenset(state for state in type(after) if may_move(state, after))
    wanted = possible if before is None else frozenset(before)
    if not possible or wanted - possible:
        raise ImpossibleMove(f"{'/'.join(sorted(state.value for state in wanted)) or 'nothing'} → {after.value}")
    return wanted


def starts_of_adoption(after: MemberState, before: Collection[MemberState]) -> frozenset[MemberState]:
    """Like `starts_of`, for a member that gets another run: it may also stay in the state that it is in."""
    return starts_of(after, frozenset(before) - {after}) | (frozenset(before) & {after})
