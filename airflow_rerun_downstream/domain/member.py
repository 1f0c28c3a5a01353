"""A stored member, its stages, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.states import (
    SATISFIED,
    MemberState,
    Role,
)

RUN_GONE = "run_gone"
"""Why a member has failed whose run was deleted."""


@dataclass(frozen=True, slots=True)
class StageGate:
    """A member's stage number ``stage`` waits for stage number ``until`` of ``member``; None: for all of it."""

    stage: int
    member: int
    until: int | None


@dataclass(frozen=True)
class Member:
    """A stored member. ``waits_for`` are member ids; for more it waits by its ``passage``, a number among those of its
    rerun. ``original_run_id`` differs from the run's after adoption.

    The run id of a frozen member is empty until Airflow has made its run.

    ``attempt`` counts dispatches and adoptions; ``clear_number`` is the run's, right after the last one. Before the
    first one it is that of the submit, where a task of another member may clear the run.

    ``stages`` are the parts of ``tasks`` that are dispatched one after the other; empty: there is one. ``stage`` is the
    number of the present one, and ``stage_attempt`` what ``attempt`` was when that began.

    ``stage_ends``: when each stage before the present one has ended, or, of a member that has run them once more, those
    that it has ended since. ``runs_between``: the ids of the runs that it had between its first and its present one,
    oldest first.

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
    passage: int | None = None
    stages: tuple[Tasks, ...] = ()
    stage: int = 0
    stage_attempt: int = 0
    stage_gates: tuple[StageGate, ...] = ()
    stage_ends: tuple[datetime, ...] = ()
    runs_between: tuple[str, ...] = ()
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

    def ended(self, stage: int | None) -> datetime | None:
        """When it has last ended a stage; None: all of it. No answer: it hasn't ended that since it was begun again."""
        known = stage is not None and stage < len(self.stage_ends)
        return self.stage_ends[stage or 0] if known else self.ended_at

    def until(self, stage: int | None) -> Tasks:
        """The tasks of all stages until a certain one; None: all."""
        if stage is None or not self.stages:
            return self.tasks
        return tuple(task for tasks in self.stages[: stage + 1] for task in tasks)

    @property
    def gone(self) -> bool:
        """Whether it has failed because its run was deleted."""
        return self.state is MemberState.FAILED and self.state_reason == RUN_GONE

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
        """What the present stage waits for besides a passage, as did those before it. `ActiveRerun.gates` has all."""
        return self.gates_with(())

    def gates_with(self, more: Iterable[int]) -> tuple[StageGate, ...]:
        """`gates`, and those of more members for which it waits."""
        whole = (StageGate(0, other, None) for other in sorted(self.waits_for.union(more)))
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
    def stage_ended(self) -> bool:
        """Whether it has ended that stage and gone on."""
        return self.until is not None and self.member.stage > self.until


@dataclass(frozen=True)
class Child:
    """A member whose run a TriggerDagRun task of another member makes, once it runs again. Both are member ids."""

    parent: int
    task_id: str
    map_index: int
    child: int


def own_stages(member: Member) -> list[Awaited]:
    """The stages of its own that a member's present one comes after."""
    return [Awaited(member, number) for number in range(member.stage)]


def is_open(gate: StageGate, members: Mapping[int, Member]) -> bool:
    """Whether what a gate waits for is satisfied. Of a run that was deleted no stage is right any more."""
    other = members[gate.member]
    return other.state in SATISFIED or (gate.until is not None and other.stage > gate.until and not other.gone)
