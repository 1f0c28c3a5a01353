"""States of reruns and of their members, and every move between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class RerunState(str, Enum):
    """Where a rerun stands. Only ``succeeded`` and ``terminated`` are final."""

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
ACTIVE_RERUN_STATES = frozenset(RerunState) - FINAL_RERUN_STATES

RERUN_MOVES: Mapping[RerunState, frozenset[RerunState]] = {
    RerunState.RUNNING: frozenset({RerunState.PAUSED, RerunState.FAILED, RerunState.SUCCEEDED, RerunState.TERMINATING}),
    RerunState.PAUSED: frozenset({RerunState.RUNNING, RerunState.TERMINATING}),
    RerunState.FAILED: frozenset({RerunState.RUNNING, RerunState.TERMINATING}),
    RerunState.TERMINATING: frozenset({RerunState.TERMINATED}),
    RerunState.SUCCEEDED: frozenset(),
    RerunState.TERMINATED: frozenset(),
}

MEMBER_MOVES: Mapping[MemberState, frozenset[MemberState]] = {
    MemberState.PENDING: frozenset({MemberState.RUNNING, MemberState.FAILED, MemberState.TERMINATED}),
    MemberState.RUNNING: frozenset({MemberState.SUCCEEDED, MemberState.FAILED, MemberState.TERMINATED}),
    MemberState.FAILED: frozenset(
        {MemberState.PENDING, MemberState.RUNNING, MemberState.SUCCEEDED, MemberState.SKIPPED}
    ),
    MemberState.STOPPING: frozenset({MemberState.PENDING, MemberState.FAILED, MemberState.TERMINATED}),
    MemberState.FROZEN: frozenset({MemberState.RELEASED}),
    MemberState.SUCCEEDED: frozenset(),
    MemberState.SKIPPED: frozenset(),
    MemberState.TERMINATED: frozenset(),
    MemberState.RELEASED: frozenset(),
}

SATISFIED = frozenset({MemberState.SUCCEEDED, MemberState.SKIPPED})
"""States of an upstream member that let a downstream one go."""

IN_FLIGHT = frozenset({MemberState.RUNNING, MemberState.STOPPING})


def may_move(before: RerunState | MemberState, after: RerunState | MemberState) -> bool:
    """Whether the table of moves has ``before`` → ``after``."""
    if isinstance(before, RerunState):
        return after in RERUN_MOVES[before]
    return after in MEMBER_MOVES[before]
