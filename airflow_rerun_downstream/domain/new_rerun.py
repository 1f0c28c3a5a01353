"""A rerun to be stored, as a submit has made it of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_rerun_downstream.domain.passages import Passage
from airflow_rerun_downstream.domain.plan import Link, PlanOptions, PlanWarning
from airflow_rerun_downstream.domain.proposal import Proposal
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.rerun_request import Actor, Notification, RerunSettings
from airflow_rerun_downstream.domain.states import (
    MemberState,
    Role,
)


@dataclass(frozen=True, slots=True)
class NewStageGate:
    """A member's stage number ``stage`` waits for stage number ``until`` of another member; None: for all of that."""

    stage: int
    ref: RunRef
    until: int | None


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member to be stored. ``waits_for`` names members that must be satisfied before it starts, ``passage`` is the
    number of the one of its rerun that stands for the others.

    ``stages`` are the parts of ``tasks`` that are dispatched one after the other; empty: there is one. ``depths`` tells
    how deep in the order each is.
    """

    ref: RunRef
    role: Role
    state: MemberState
    tasks: Tasks
    depth: int
    waits_for: frozenset[RunRef] = frozenset()
    passage: int | None = None
    logical_date: datetime | None = None
    run_after: datetime | None = None
    state_reason: str | None = None
    clear_number: int | None = None
    stages: tuple[Tasks, ...] = ()
    stage_gates: tuple[NewStageGate, ...] = ()
    depths: tuple[int, ...] = ()

    @property
    def reads_from(self) -> frozenset[RunRef]:
        """The members of which at least a part must be satisfied before it starts, but for those of its passage."""
        return self.waits_for | {gate.ref for gate in self.stage_gates if not gate.stage}


@dataclass(frozen=True, slots=True)
class NewChild:
    """A run that a task of ``parent`` is going to make anew, or to clear; ``child`` is the one that it made before."""

    parent: RunRef
    task_id: str
    map_index: int
    child: RunRef


@dataclass(frozen=True)
class NewFrozen:
    """A run to be held: one that waits for its time, or (``run_id`` None) one that Airflow hasn't made yet."""

    dag_id: str
    run_id: str | None
    logical_date: datetime | None = None
    run_after: datetime | None = None


@dataclass(frozen=True)
class NewProposal:
    """What makes a rerun that is to be stored a proposal. ``frozen``: the runs that it would hold."""

    content: Proposal
    expires_at: datetime
    frozen: tuple[NewFrozen, ...] = ()


@dataclass(frozen=True)
class NewRerun:
    """A rerun to be stored: the snapshot of the plan at submit. ``passages`` by their numbers.

    ``proposal``: it is only proposed, and claims no run.
    """

    source: RunRef
    members: tuple[NewMember, ...]
    links: tuple[Link, ...]
    settings: RerunSettings
    notifications: tuple[Notification, ...]
    options: PlanOptions
    warnings: tuple[PlanWarning, ...]
    actor: Actor
    name: str | None = None
    reason: str | None = None
    freeze_mode: bool = False
    children: tuple[NewChild, ...] = ()
    passages: tuple[Passage[RunRef], ...] = ()
    proposal: NewProposal | None = None
