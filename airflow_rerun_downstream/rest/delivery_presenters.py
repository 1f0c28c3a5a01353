"""Notifications as the contract tells them."""

from __future__ import annotations

from datetime import datetime

from airflow_rerun_downstream.domain.delivery import Delivery, DeliveryState
from airflow_rerun_downstream.rest import installation_payloads, plan_payloads, record_payloads
from airflow_rerun_downstream.service import DeliveryView, TargetView


def next_try(of: Delivery) -> datetime | None:
    """When it is tried again, at the latest; None: it isn't."""
    return of.due_at if of.state is DeliveryState.PENDING else None


def delivery(of: DeliveryView) -> record_payloads.Delivery:
    """A notification of a rerun."""
    one = of.delivery
    return record_payloads.Delivery(
        id=one.id,
        message_id=one.message_id,
        target=one.target,
        condition=one.condition,
        state=one.state,
        occurrences=one.occurrences,
        members=[plan_payloads.RunRef(dag_id=ref.dag_id, run_id=ref.run_id) for ref in of.members],
        tries=one.tries,
        created_at=one.created_at,
        next_try_at=next_try(one),
        ended_at=one.ended_at,
        error=one.error,
    )


def sent_test(of: Delivery) -> installation_payloads.SentTest:
    """A test of a target."""
    return installation_payloads.SentTest(
        message_id=of.message_id,
        state=of.state,
        tries=of.tries,
        created_by=of.actor,
        created_at=of.created_at,
        next_try_at=next_try(of),
        ended_at=of.ended_at,
        error=of.error,
    )


def target(of: TargetView) -> installation_payloads.NotificationTarget:
    """A target, without anything of its settings."""
    return installation_payloads.NotificationTarget(
        name=of.name,
        kind=of.kind,
        description=of.description,
        may_test=of.may_test,
        last_test=None if of.last_test is None else sent_test(of.last_test),
    )
