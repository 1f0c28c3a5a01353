"""The steps that a tick can take. Each is carried out in a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_rerun_downstream.domain.rerun import Member
from airflow_rerun_downstream.domain.states import MemberState, RerunState


@dataclass(frozen=True)
class MoveMember:
    """A member's state follows what was observed of its run."""

    member: Member
    after: MemberState
    reason: str | None = None
    run_state: str | None = None


@dataclass(frozen=True)
class Dispatch:
    """Clear a member's selected tasks and queue its run."""

    member: Member


@dataclass(frozen=True)
class StopMember:
    """End a member of a rerun that is being terminated; ``stop_run``: its run too."""

    member: Member
    stop_run: bool


@dataclass(frozen=True)
class Explain:
    """Say why a member that could go doesn't."""

    member: Member
    reason: str | None


@dataclass(frozen=True)
class MoveRerun:
    """The rerun's state follows its members'."""

    before: RerunState
    after: RerunState
    reason: str | None = None


Step = MoveMember | Dispatch | StopMember | Explain | MoveRerun
