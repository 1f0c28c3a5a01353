"""The steps that a tick can take. Each is carried out in a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.domain.verdict import NotMadeAnew

ENDS = frozenset({RerunState.FAILED, RerunState.SUCCEEDED, RerunState.TERMINATED})
"""States that a rerun comes to when nothing in it can move."""


@dataclass(frozen=True)
class MoveMember:
    """A member's state follows what was observed of its run; ``clear_number`` is the one that the run had then.

    ``not_made_anew`` is what the member counts without that.
    """

    member: Member
    after: MemberState
    reason: str | None = None
    run_state: str | None = None
    clear_number: int | None = None
    not_made_anew: tuple[NotMadeAnew, ...] = ()


@dataclass(frozen=True)
class NoteRunState:
    """Airflow has closed the run of a member that had been judged before."""

    member: Member
    run_state: str


@dataclass(frozen=True)
class NextStage:
    """A stage of a member is right: the next one waits for its turn. ``clear_number`` is the run's as it was seen."""

    member: Member
    clear_number: int
    reason: str | None = None
    not_made_anew: tuple[NotMadeAnew, ...] = ()


@dataclass(frozen=True)
class StageBack:
    """A stage that was right is judged again: somebody has cleared the run. The later ones follow anew."""

    member: Member
    stage: int
    reason: str


@dataclass(frozen=True)
class Dispatch:
    """Clear a member's selected tasks and queue its run, if what it reads from is still right.

    ``in_line``: also where its Dag has as many running runs as it may have. ``whole``: also what of it is right
    already, because it has read what was made once more since.
    """

    member: Member
    in_line: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Adopt:
    """Take the run that a task of ``parent`` has made, or cleared, for a member's; Airflow has started it already.

    ``after`` is pending where the run was started before all upstream members had ended: it is dispatched in its turn.
    """

    member: Member
    run: RunFacts
    parent: RunRef
    task_id: str
    after: MemberState


@dataclass(frozen=True)
class Halt:
    """Stop a member's run, so that it can be dispatched in its turn."""

    member: Member


@dataclass(frozen=True)
class NameFrozenRun:
    """The scheduler has made the run of a frozen member, or another one in its place, and holds it."""

    member: Member
    run_id: str
    run_after: datetime | None
    logical_date: datetime | None


@dataclass(frozen=True)
class Release:
    """Release a frozen member's run."""

    member: Member
    reason: str


@dataclass(frozen=True)
class StopMember:
    """End a member of a rerun that is being terminated; ``stop_run``: its run too.

    ``gave_up``: its run couldn't be stopped, and goes on.
    """

    member: Member
    stop_run: bool
    gave_up: bool = False


@dataclass(frozen=True)
class EndPending:
    """End the members of a rerun that is being terminated that wait for their turn: of these nothing runs."""


@dataclass(frozen=True)
class Explain:
    """Say why a member that could go doesn't."""

    member: Member
    reason: str | None


@dataclass(frozen=True)
class ExplainAll:
    """Say of many members why they wait, or that they don't any more."""

    members: tuple[Member, ...]
    reason: str | None


@dataclass(frozen=True)
class MoveRerun:
    """The rerun's state follows its members'."""

    before: RerunState
    after: RerunState
    reason: str | None = None


@dataclass(frozen=True)
class Expire:
    """End a proposal that nobody has approved in time."""


@dataclass(frozen=True)
class Prove:
    """Make sure that a rerun is right before its frozen runs are released."""

    before: RerunState


@dataclass(frozen=True)
class TellFrozen:
    """Tell that members have been frozen for too long, unless that was told."""

    members: tuple[Member, ...]


Step = (
    MoveMember
    | NoteRunState
    | NextStage
    | StageBack
    | Dispatch
    | Adopt
    | Halt
    | NameFrozenRun
    | Release
    | StopMember
    | EndPending
    | Explain
    | ExplainAll
    | MoveRerun
    | Expire
    | Prove
    | TellFrozen
)


def can_wait(step: Step) -> bool:
    """Whether the next look decides the same step again, so that it can be left to that.

    Not what follows a member: a failure pauses the rerun in the look that has seen it.
    """
    if isinstance(step, MoveRerun):
        return step.after in ENDS
    return not isinstance(step, (MoveMember, NextStage, StageBack, Adopt))
