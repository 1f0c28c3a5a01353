"""A message, a rerun and a delivery to send in tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from airflow_rerun_downstream.domain.delivery import Delivery, ToldMember
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.rerun_request import RerunSettings
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.notify.messages import Message, Scene, message
from airflow_rerun_downstream.notify.target import Target, Webhook

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=timezone.utc)
ID = "4f0c3f38-6d1e-4bb2-8a0e-5b7c53b3c0aa"
URL = "https://airflow.example.com/rerun-downstream/ui/records/7"

RERUN = Rerun(
    id=7,
    source=RunRef("daily_sales", "scheduled__2026-03-01"),
    state=RerunState.RUNNING,
    state_reason=None,
    settings=RerunSettings(),
    notifications=(),
    warnings=(),
    created_by="ada",
    created_by_id="1",
    created_at=NOW,
    started_at=NOW,
    ended_at=None,
    name="the bad export",
    reason="prices were wrong",
    counts={**dict.fromkeys(MemberState, 0), MemberState.SUCCEEDED: 12, MemberState.FAILED: 1, MemberState.PENDING: 47},
)

DELIVERY = Delivery(
    id=3,
    message_id=ID,
    rerun_id=7,
    target="ops",
    condition="member_failed",
    created_at=NOW,
    due_at=NOW,
    actor="rerun_downstream",
    reason=None,
    members=(ToldMember(5, "tasks_failed"),),
    occurrences=3,
)


def member(number: int = 5, dag_id: str = "report", run_id: str = "r1") -> Member:
    return Member(
        id=number,
        rerun_id=7,
        ref=RunRef(dag_id, run_id),
        original_run_id=run_id,
        role=Role.DOWNSTREAM,
        state=MemberState.FAILED,
        state_reason="tasks_failed",
        tasks=(TaskRef("t"),),
        depth=1,
        attempt=1,
        clear_number=1,
        logical_date=None,
        run_after=None,
        dispatched_at=None,
        ended_at=None,
        final_run_state=None,
    )


def scene(delivery: Delivery = DELIVERY, rerun: Rerun | None = RERUN, *members: Member, **more: Any) -> Scene:
    return Scene(replace(delivery, **more), rerun, members or (member(),), URL, NOW)


def target(call: Any = None, **more: Any) -> Target:
    return Target("ops", "webhook", call or Webhook(url="https://example.com/"), **more)


def sample(to: Target | None = None, **more: Any) -> Message:
    return message(scene(**more), to or target())
