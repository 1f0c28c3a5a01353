"""From an estimate to the contract's object. Nothing is decided here."""

from __future__ import annotations

from airflow_rerun_downstream.domain import words
from airflow_rerun_downstream.domain.estimate import Delay, Expected, PathStep
from airflow_rerun_downstream.domain.room import word_of
from airflow_rerun_downstream.domain.seeing import reason
from airflow_rerun_downstream.rest import estimate_payloads as payloads
from airflow_rerun_downstream.rest.record_payloads import Cause
from airflow_rerun_downstream.service import EstimatedMember, EstimateView


def estimate(of: EstimateView, *, limit: int) -> payloads.Estimate:
    """When a rerun is expected to end."""
    made = of.estimate
    return payloads.Estimate(
        rerun_id=of.rerun.id,
        state=of.rerun.state,
        as_of=made.as_of,
        outlook=made.outlook,
        started_at=of.rerun.started_at,
        ends_at=made.ends_at,
        ends_late_at=made.ends_late,
        decided_by=made.decided_by,
        unknown_members=made.unknown,
        held_up_members=made.held_up,
        failed_members=made.failed,
        overdue_members=made.overdue,
        delay=None if made.delay is None else delay(of, made.delay),
        path=[step(of, one) for one in made.path[:limit]],
        path_length=len(made.path),
        members=[expected(of.members[one.member_id], one) for one in of.expected[:limit]],
        total_entries=len(of.expected),
        hidden_members=of.hidden_members,
    )


def member(of: EstimatedMember | None) -> payloads.EstimateMember | None:
    """A member; None: nobody may be named."""
    return None if of is None else named(of)


def named(of: EstimatedMember) -> payloads.EstimateMember:
    """A member that may be named."""
    return payloads.EstimateMember(id=of.id, dag_id=of.ref.dag_id, run_id=of.ref.run_id, state=of.state)


def delay(of: EstimateView, found: Delay) -> payloads.EstimateDelay:
    """Who delays the end. Of a hidden member's reason the word alone: what follows it may name something."""
    known = of.members.get(found.member_id)
    why = words.cause(reason(found.why) if known is not None else word_of(found.why))
    return payloads.EstimateDelay(
        member=member(known),
        cause=None if why is None else Cause.model_validate(why),
        critical=found.critical,
    )


def step(of: EstimateView, one: PathStep) -> payloads.EstimateStep:
    """A part of the critical path."""
    return payloads.EstimateStep(
        member=member(of.members.get(one.member_id)),
        stage=one.stage + 1,
        waited_for=one.cause,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
    )


def expected(of: EstimatedMember, one: Expected) -> payloads.ExpectedMember:
    """When a member is expected to start and end."""
    return payloads.ExpectedMember(
        member=named(of),
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        at_least=one.at_least,
        unknown=one.doubt,
        usual_seconds=one.usual,
        longest_seconds=one.longest,
        overdue=one.overdue,
    )
