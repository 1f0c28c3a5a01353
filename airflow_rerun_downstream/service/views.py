"""What a user gets to see of stored reruns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airflow_rerun_downstream.domain.delivery import Delivery
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.domain.estimate import Estimate, Expected
from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.labels import Labels
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import FutureRef, PlannedRun, PlannedTask, PlanWarning
from airflow_rerun_downstream.domain.proof import Finding, Older, Proof
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun, RerunEvent
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.domain.token import Change


@dataclass(frozen=True)
class RerunView:
    """A rerun as a user may see it, with what the user may do. Members whose Dags may not be read are counted.

    ``warnings``: those of the submit that the user may read.
    ``not_made_anew`` counts all of what wasn't made anew, in whatever Dag.
    ``may_withdraw``: it is a proposal of the user's own, which ends as withdrawn if the user rejects it.
    ``may_comment``: the user may rerun all its Dags, and so write into its record, also after its end.
    ``made_earlier``: it answers a submit, and an earlier one with the same key has made it.
    """

    rerun: Rerun
    allowed_actions: tuple[str, ...]
    hidden_members: int = 0
    not_made_anew: int = 0
    warnings: tuple[PlanWarning, ...] = ()
    made_earlier: bool = False
    may_withdraw: bool = False
    may_comment: bool = False


@dataclass(frozen=True)
class TargetView:
    """A notification target, whether the user may test it, and its last test, for those who may."""

    name: str
    kind: str
    description: str
    may_test: bool = False
    last_test: Delivery | None = None


@dataclass(frozen=True)
class DeliveryView:
    """A notification of a rerun, with the runs that it names and that the user may read."""

    delivery: Delivery
    members: tuple[RunRef, ...] = ()


@dataclass(frozen=True)
class Omission:
    """What a rerun counts, or leaves as it is, without having made it anew. No task: all that was wrong in the run.

    ``read_by``: the members that the user may read and that read it.
    """

    ref: RunRef
    task_id: str | None
    map_index: int | None
    reason: str
    accepted_by: str | None
    member_id: int | None = None
    read_by: tuple[RunRef, ...] = ()
    because_of: RunRef | None = None


@dataclass(frozen=True)
class ProofView:
    """A proof as a user may see it. ``findings`` and ``older`` are those about runs that the user may read.

    ``hidden_findings`` and ``hidden_older`` count the others, ``hidden_runs`` the runs because of which they are left
    out. The proof's own counts are of everything.
    """

    rerun: Rerun
    proof: Proof
    findings: tuple[Finding, ...]
    older: tuple[Older, ...]
    hidden_runs: int
    hidden_findings: int
    hidden_older: int


@dataclass(frozen=True)
class EstimateView:
    """An estimate as a user may see it. ``members``: those that the user may read, by their ids; of the others the
    estimate has times, and nobody is told whose. ``expected``: of those that may be read, soonest first."""

    rerun: Rerun
    estimate: Estimate
    members: Mapping[int, EstimatedMember]
    expected: tuple[Expected, ...]
    hidden_members: int


@dataclass(frozen=True, slots=True)
class EstimatedMember:
    """A member with something left to do, as it stood when the estimate was made."""

    id: int
    ref: RunRef
    state: MemberState
    state_reason: str | None


@dataclass(frozen=True)
class ReviewView:
    """What a submit would do: the runs in dispatch order, those to be stopped first, and those to be held.

    ``frozen_at_most``: how long these are held at most, whatever becomes of the rerun; None: as long as it takes.
    """

    warnings: tuple[PlanWarning, ...]
    waves: tuple[tuple[RunRef, ...], ...]
    stopped: tuple[RunRef, ...] = ()
    frozen: tuple[RunRef | FutureRef, ...] = ()
    frozen_at_most: timedelta | None = None


@dataclass(frozen=True)
class ProposalReviewView:
    """What an approval would do now; ``review`` None: it would be refused, and ``refusal`` says why.

    ``changes``: since it was proposed. ``stale`` None: the user may not read all of it and is told none, or there is no
    plan any more; then there is no ``plan_token``, which accepts the changes.
    """

    rerun: Rerun
    review: ReviewView | None
    plan_token: str | None
    stale: bool | None
    changes: tuple[Change, ...]
    refusal: Refusal | None


@dataclass(frozen=True)
class DagRunsView:
    """A page of Dag runs, and how many there are in all. ``source_ready_since`` None: the window is unlimited."""

    runs: tuple[PlannedRun, ...]
    total: int
    source_ready_since: datetime | None
    labels: Labels = field(default_factory=Labels)


@dataclass(frozen=True)
class RunTasksView:
    """A run's task instances, and its Dag's latest structure; None: the Dag isn't there any more."""

    task_instances: tuple[PlannedTask, ...]
    structure: DagStructure | None = None


@dataclass(frozen=True)
class EdgesView:
    """A Dag's edges to Dags that the user may read; ``hidden_dags`` counts the others."""

    dag_id: str
    edges: tuple[DagEdge, ...]
    hidden_dags: int = 0
    warnings: tuple[PlanWarning, ...] = ()


@dataclass(frozen=True)
class LiveRun:
    """What Airflow says of a member's run at this moment; ``state`` None: the run is gone."""

    run_id: str
    state: str | None
    run_after: datetime | None


@dataclass(frozen=True)
class MemberView:
    """A member with what it waits for, what Airflow says of its run now, and what the user may do.

    ``labels``: of its Dag and its run.
    """

    member: Member
    waiting_on: tuple[RunRef, ...]
    live: LiveRun
    allowed_actions: tuple[str, ...]
    labels: Labels = field(default_factory=Labels)


@dataclass(frozen=True)
class SeveralView:
    """Members after an action on several: those on which it was done, or had been before; and who was refused."""

    members: tuple[MemberView, ...]
    refused: tuple[tuple[int, Refusal], ...]


@dataclass(frozen=True)
class ChangesView:
    """What has changed in a rerun, or a part of it: then there is ``more``, to be asked for with ``cursor``.

    ``whole``: nothing that was known before counts any more; what follows is all there is. ``rerun`` None: it is as it
    was, or it came with an earlier part. ``members`` come in the order of their ids, ``events`` are new lines.
    """

    cursor: str
    whole: bool = False
    more: bool = False
    rerun: RerunView | None = None
    members: tuple[MemberView, ...] = ()
    events: tuple[RerunEvent, ...] = ()
