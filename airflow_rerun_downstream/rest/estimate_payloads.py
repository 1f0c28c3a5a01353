"""What travels over HTTP: when a rerun is expected to end. As of plans, field names stay."""

from __future__ import annotations

from datetime import datetime

from airflow_rerun_downstream.domain.estimate import Decisive, Outlook
from airflow_rerun_downstream.domain.simulation import WaitedFor
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.rest import word_lists as words
from airflow_rerun_downstream.rest.fields import Payload
from airflow_rerun_downstream.rest.record_payloads import Cause


class EstimateMember(Payload):
    """A member, by its id and its run, as it stood when the estimate was made."""

    id: int
    dag_id: str
    run_id: str
    state: MemberState


class EstimateStep(Payload):
    """A part of the critical path; ``member`` null: it is of a Dag that you may not read.

    ``waited_for``: what it waits for last, and that is over when the step before ends: upstream, the run before makes
    what it reads; place, the rerun has no more members in flight; dag_limit, its Dag runs no more at once; nothing, it
    is the first. ``stage`` is the number of the member's stage, from 1.
    """

    member: EstimateMember | None
    stage: int
    waited_for: WaitedFor
    starts_at: datetime
    ends_at: datetime


class EstimateDelay(Payload):
    """The member that delays the end now; null: it is of a Dag that you may not read.

    ``cause``: what it waits for, or what is wrong; null: it is running, or about to. ``critical``: it is on the
    critical path. What can't go on by itself is told first, on it or not.
    """

    member: EstimateMember | None
    cause: Cause | None
    critical: bool


class ExpectedMember(Payload):
    """When a member is expected to start and end; null: it isn't, as things stand.

    ``at_least``: it may be later, nobody knows how much; ``unknown``: why its own time isn't known. ``usual_seconds``
    and ``longest_seconds``: how long its tasks take. ``overdue``: it has been running for longer than ever before.
    """

    member: EstimateMember
    starts_at: datetime | None
    ends_at: datetime | None
    at_least: bool
    unknown: words.CauseWord | None
    usual_seconds: float | None
    longest_seconds: float | None
    overdue: bool


class Estimate(Payload):
    """When a rerun is expected to end, as of ``as_of``.

    ``outlook``: expected, at ``ends_at``, and 90 % likely by ``ends_late_at``, if that much is known; at_least: not
    before ``ends_at``, for something isn't known or can't go on; open: it is paused or failed and somebody has to see
    to it first, or it is being terminated; ended, at ``ends_at``. The counts are of members, of all Dags:
    ``unknown_members`` without earlier runs to compare, ``held_up_members`` that stand still for who knows how long,
    ``failed_members``, and ``overdue_members``.

    ``decided_by``: path, the members on ``path``, each of which needs what the one before makes; max_active_members or
    max_active_runs: members wait for that limit, too; a higher one helps, unless the other then holds them up as long.
    ``path`` and ``members`` are at most as many as were asked for, of ``path_length`` and ``total_entries``;
    ``hidden_members`` are of Dags that you may not read.
    """

    rerun_id: int
    state: RerunState
    as_of: datetime
    outlook: Outlook
    started_at: datetime | None
    ends_at: datetime | None
    ends_late_at: datetime | None
    decided_by: Decisive | None
    unknown_members: int
    held_up_members: int
    failed_members: int
    overdue_members: int
    delay: EstimateDelay | None
    path: list[EstimateStep]
    path_length: int
    members: list[ExpectedMember]
    total_entries: int
    hidden_members: int
    look_again_after: float = 15.0
