"""A stored rerun, its record, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import PlanOptions, PlanWarning
from airflow_rerun_downstream.domain.proof import Counts as ProofCounts
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor, Notification, RerunSettings
from airflow_rerun_downstream.domain.sentence import Sentence, sentence_in
from airflow_rerun_downstream.domain.states import (
    ACTIVE_RERUN_STATES,
    FINAL_RERUN_STATES,
    MemberState,
    RerunState,
)
from airflow_rerun_downstream.domain.words import RERUN_ACTIONS


@dataclass(frozen=True)
class Rerun:
    """A stored rerun. Times are aware and in UTC; ``counts`` has one entry per member state.

    ``proven_at``: when the last proof was made of which nobody was the worse; ``proof``: what it counted.

    ``proposed_by`` None: nobody had to approve it. An approved rerun is its approver's, from then on: ``created_by``
    and ``created_at`` are those of a submit, ``proposed_by`` and ``proposed_at`` stay. A proposal hasn't started, and
    can be approved until ``expires_at``.
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
    options: PlanOptions = field(default_factory=PlanOptions)
    counts: Mapping[MemberState, int] = field(default_factory=dict)
    proven_at: datetime | None = None
    proof: ProofCounts | None = None
    proposed_by: str | None = None
    proposed_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def approved_by(self) -> str | None:
        """Who approved it; None: it wasn't proposed, or nobody has."""
        return None if self.proposed_by is None or self.started_at is None else self.created_by

    @property
    def active(self) -> bool:
        """Whether the rerun may still move."""
        return self.state in ACTIVE_RERUN_STATES

    @property
    def final(self) -> bool:
        """Whether nothing can happen in it any more: it has ended, and it holds no frozen run."""
        return self.state in FINAL_RERUN_STATES and not self.counts.get(MemberState.FROZEN, 0)


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

    @property
    def sentence(self) -> Sentence | None:
        """The detail as its code and parameters."""
        return sentence_in(self.detail)


@dataclass(frozen=True)
class Seen:
    """How a user saw what an action is about: the state of the rerun, the attempt of the member, the newest line of the
    record. None: the user doesn't say."""

    state: RerunState | None = None
    attempt: int | None = None
    line: int | None = None

    def missed(self, event: RerunEvent, member: Member | None) -> bool:
        """Whether a line that the user hasn't seen is about the same: the member, or the state of the rerun."""
        if member is not None:
            return event.member_id == member.id
        return event.member_id is None and (event.action in RERUN_ACTIONS or event.action.startswith("rerun_"))


UNSAID = Seen()
"""Whatever it is: the action is carried out as it can be."""

ACTIONS: Mapping[RerunState, tuple[str, ...]] = {
    RerunState.PROPOSED: ("approve", "reject"),
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


def may_withdraw(rerun: Rerun, actor: Actor) -> bool:
    """Whether it is a proposal of the user's own: whoever made it may take it back, without any right to rerun."""
    mine = rerun.created_by_id == actor.id if actor.id else rerun.created_by == actor.name
    return rerun.state is RerunState.PROPOSED and mine


def member_actions(state: RerunState, member: Member) -> tuple[str, ...]:
    """The actions that a person may take now on a member of a rerun in this state."""
    if state not in ACTIVE_RERUN_STATES or state is RerunState.TERMINATING:
        return ()
    return MEMBER_ACTIONS.get(member.state, ())
