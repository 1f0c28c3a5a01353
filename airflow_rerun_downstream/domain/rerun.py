"""A rerun, its members, its settings and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from airflow_rerun_downstream.domain.plan import FutureRef, Link, PlanOptions, PlanRequest, PlanWarning
from airflow_rerun_downstream.domain.proof import Counts as ProofCounts
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.states import (
    ACTIVE_RERUN_STATES,
    SATISFIED,
    MemberState,
    RerunState,
    Role,
)

NOTIFICATION_CONDITIONS = ("succeeded", "terminated", "member_failed")


@dataclass(frozen=True)
class RerunSettings:
    """What the person chose in step 3. ``max_active_members`` None: the deployment's default."""

    max_active_members: int | None = None
    on_failure: Literal["continue_other_branches", "pause"] = "continue_other_branches"
    run_on_latest_version: bool | None = None
    stop_running_on_terminate: bool = True
    accept_duplicate_runs: bool = False
    accept_unknown_offsets: bool = False


@dataclass(frozen=True)
class Notification:
    """Whom to tell, and of which of `NOTIFICATION_CONDITIONS`."""

    target: str
    on: tuple[str, ...]


@dataclass(frozen=True)
class MemberRequest:
    """A downstream run that the person selected; ``tasks`` None: the default selection of the plan."""

    ref: RunRef
    tasks: Tasks | None = None


@dataclass(frozen=True)
class RerunRequest:
    """Everything that a submit says. ``members`` None: the plan's default selection; empty: the source alone."""

    plan: PlanRequest
    members: tuple[MemberRequest, ...] | None = None
    freeze_mode: bool = False
    frozen: tuple[RunRef | FutureRef, ...] = ()
    plan_token: str | None = None
    name: str | None = None
    reason: str | None = None
    settings: RerunSettings = field(default_factory=RerunSettings)
    notifications: tuple[Notification, ...] = ()


@dataclass(frozen=True)
class Actor:
    """Who asks. ``id`` and ``name`` are text, as the auth manager has them; ``native`` is its own user object."""

    id: str
    name: str
    native: Any = None


CONDUCTOR = Actor(id="", name="rerun_downstream")
"""The actor of what happens by itself."""


@dataclass(frozen=True)
class NewStageGate:
    """A member's stage number ``stage`` waits for stage number ``until`` of another member; None: for all of that."""

    stage: int
    ref: RunRef
    until: int | None


@dataclass(frozen=True)
class NewMember:
    """A member to be stored. ``waits_for`` names the members that must be satisfied before it starts.

    ``stages`` are the parts of ``tasks`` that are dispatched one after the other; empty: there is one. ``depths`` tells
    how deep in the order each is.
    """

    ref: RunRef
    role: Role
    state: MemberState
    tasks: Tasks
    depth: int
    waits_for: frozenset[RunRef] = frozenset()
    logical_date: datetime | None = None
    run_after: datetime | None = None
    state_reason: str | None = None
    clear_number: int | None = None
    stages: tuple[Tasks, ...] = ()
    stage_gates: tuple[NewStageGate, ...] = ()
    depths: tuple[int, ...] = ()

    @property
    def reads_from(self) -> frozenset[RunRef]:
        """The members of which at least a part must be satisfied before it starts."""
        return self.waits_for | {gate.ref for gate in self.stage_gates if not gate.stage}


@dataclass(frozen=True)
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
class NewRerun:
    """A rerun to be stored: the snapshot of the plan at submit."""

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


@dataclass(frozen=True)
class Rerun:
    """A stored rerun. Times are aware and in UTC; ``counts`` has one entry per member state.

    ``proven_at``: when the last proof was made of which nobody was the worse; ``proof``: what it counted.
    """

    id: int
    source: RunRef
    state: RerunState
    state_reason: str | None
    settings: RerunSettings
    notifications: tuple[Notification, ...]
    warnings: tuple[PlanWarning, ...]
    created_by: str
    created_by_id: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    name: str | None = None
    reason: str | None = None
    freeze_mode: bool = False
    counts: Mapping[MemberState, int] = field(default_factory=dict)
    proven_at: datetime | None = None
    proof: ProofCounts | None = None

    @property
    def active(self) -> bool:
        """Whether the rerun may still move."""
        return self.state in ACTIVE_RERUN_STATES

    @property
    def final(self) -> bool:
        """Whether nothing can happen in it any more: it has ended, and it holds no frozen run."""
        return not self.active and not self.counts.get(MemberState.FROZEN, 0)


@dataclass(frozen=True, slots=True)
class StageGate:
    """A member's stage number ``stage`` waits for stage number ``until`` of ``member``; None: for all of it."""

    stage: int
    member: int
    until: int | None


@dataclass(frozen=True)
class Member:
    """A stored member. ``waits_for`` are member ids. ``original_run_id`` differs from the run's after adoption.

    The run id of a frozen member is empty until Airflow has made its run.

    ``attempt`` counts dispatches and adoptions; ``clear_number`` is the run's, right after the last one. Before the
    first one it is that of the submit, where a task of another member may clear the run.

    ``stages`` are the parts of ``tasks`` that are dispatched one after the other; empty: there is one. ``stage`` is the
    number of the present one, and ``stage_attempt`` what ``attempt`` was when that began.

    ``release_asked``: a person wants its frozen run released, whatever its ``state_reason`` says meanwhile.
    """

    id: int
    rerun_id: int
    ref: RunRef
    original_run_id: str
    role: Role
    state: MemberState
    state_reason: str | None
    tasks: Tasks
    depth: int
    attempt: int
    clear_number: int | None
    logical_date: datetime | None
    run_after: datetime | None
    dispatched_at: datetime | None
    ended_at: datetime | None
    final_run_state: str | None
    waits_for: frozenset[int] = frozenset()
    stages: tuple[Tasks, ...] = ()
    stage: int = 0
    stage_attempt: int = 0
    stage_gates: tuple[StageGate, ...] = ()
    release_asked: bool = False

    @property
    def present(self) -> Tasks:
        """The tasks of the present stage."""
        return self.stages[self.stage] if self.stages else self.tasks

    @property
    def so_far(self) -> Tasks:
        """The tasks of the present stage and of those before it."""
        return self.until(self.stage)

    @property
    def begun(self) -> Tasks:
        """The tasks that have been dispatched, also in stages before."""
        if not self.stages:
            return self.tasks if self.attempt else ()
        return self.until(self.stage if self.dispatched_in_stage else self.stage - 1)

    def until(self, stage: int | None) -> Tasks:
        """The tasks of all stages until a certain one; None: all."""
        if stage is None or not self.stages:
            return self.tasks
        return tuple(task for tasks in self.stages[: stage + 1] for task in tasks)

    @property
    def dispatched_in_stage(self) -> bool:
        """Whether the present stage has been dispatched before."""
        return self.attempt > self.stage_attempt

    @property
    def last_stage(self) -> bool:
        """Whether nothing is dispatched after the present stage."""
        return self.stage + 1 >= len(self.stages)

    @property
    def gates(self) -> tuple[StageGate, ...]:
        """What the present stage waits for, as did those before it."""
        whole = (StageGate(0, other, None) for other in sorted(self.waits_for))
        return (*whole, *(gate for gate in self.stage_gates if gate.stage <= self.stage))


@dataclass(frozen=True)
class Awaited:
    """A member that another one waits for: until it has ended its stage number ``until``; None: all of it."""

    member: Member
    until: int | None = None

    @property
    def part(self) -> Member:
        """The member with only those tasks that are waited for."""
        return replace(self.member, tasks=self.member.until(self.until), stages=())

    @property
    def let_go(self) -> bool:
        """Whether it has ended that stage and gone on."""
        return self.until is not None and self.member.stage > self.until


@dataclass(frozen=True)
class RerunEvent:
    """One line of a rerun's record.

    ``dag_ids``: every Dag besides the member's that ``detail`` names, or of which it names a run or a task; None:
    nobody wrote that down, it may be any Dag of the rerun.
    """

    id: int
    rerun_id: int
    at: datetime
    actor: str
    action: str
    member_id: int | None
    detail: str | None
    dag_ids: frozenset[str] | None = frozenset()


@dataclass(frozen=True)
class Child:
    """A member whose run a TriggerDagRun task of another member makes, once it runs again. Both are member ids."""

    parent: int
    task_id: str
    map_index: int
    child: int


@dataclass(frozen=True)
class ActiveRerun:
    """A rerun with its members, as the conductor sees it."""

    rerun: Rerun
    members: tuple[Member, ...]
    children: tuple[Child, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[int, Member]:
        """The members by their ids."""
        return {member.id: member for member in self.members}


ACTIONS: Mapping[RerunState, tuple[str, ...]] = {
    RerunState.RUNNING: ("pause", "terminate"),
    RerunState.PAUSED: ("resume", "terminate"),
    RerunState.FAILED: ("resume", "terminate"),
    RerunState.TERMINATING: (),
    RerunState.SUCCEEDED: (),
    RerunState.TERMINATED: (),
}
"""What a person may do with a rerun in each state."""


MEMBER_ACTIONS: Mapping[MemberState, tuple[str, ...]] = {
    MemberState.FAILED: ("retry", "skip"),
    MemberState.FROZEN: ("release",),
}
"""What a person may do with a member in each state; nothing in the others."""


def rerun_actions(rerun: Rerun) -> tuple[str, ...]:
    """The actions that a person may take on a rerun now."""
    frozen = rerun.counts.get(MemberState.FROZEN, 0)
    return ACTIONS[rerun.state] + (("release",) if frozen else ())


def member_actions(rerun: Rerun, member: Member) -> tuple[str, ...]:
    """The actions that a person may take on a member now."""
    if not rerun.active or rerun.state is RerunState.TERMINATING:
        return ()
    return MEMBER_ACTIONS.get(member.state, ())


def own_stages(member: Member) -> list[Awaited]:
    """The stages of its own that a member's present one comes after."""
    return [Awaited(member, number) for number in range(member.stage)]


def lets_go(gate: StageGate, members: Mapping[int, Member]) -> bool:
    """Whether what a gate waits for is satisfied."""
    other = members[gate.member]
    return other.state in SATISFIED or (gate.until is not None and other.stage > gate.until)


def is_free(member: Member, members: Mapping[int, Member], *, besides: int | None = None) -> bool:
    """Whether the present stage of a member waits for nobody; ``besides`` names one whom it needn't wait for."""
    return all(gate.member == besides or lets_go(gate, members) for gate in member.gates)
