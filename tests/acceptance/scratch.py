"""What somebody else's project does with the client."""

from __future__ import annotations

SCRIPT = """
import asyncio, importlib.util

from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, RerunDownstreamClient

assert importlib.util.find_spec("airflow") is None
assert importlib.util.find_spec("sqlalchemy") is None


async def health() -> str:
    async with AsyncRerunDownstreamClient.from_env() as client:
        return (await client.health()).status


with RerunDownstreamClient.from_env() as client:
    print(client.health().status)
print(asyncio.run(health()))
"""

TYPED = """
import asyncio
from collections.abc import AsyncIterator, Iterator

from typing_extensions import assert_type

from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, RefusedError, RerunDownstreamClient
from airflow_rerun_downstream.client.contract import (
    Estimate,
    Member,
    MemberBody,
    Members,
    OptionsBody,
    Plan,
    PlanBody,
    Rerun,
    RerunBody,
    RerunState,
    RunRefBody,
    SettingsBody,
)


def repaired(client: RerunDownstreamClient) -> Rerun:
    source = RunRefBody(dag_id="orders", run_id="r")
    plan = client.plan(PlanBody(source=source, options=OptionsBody(max_depth=2)), task_instances=False)
    assert_type(plan, Plan)
    assert_type(plan.plan_token, str)
    body = RerunBody(
        source=source,
        members=[MemberBody(dag_id=run.dag_id, run_id=run.run_id) for run in plan.runs if run.run_id],
        settings=SettingsBody(max_active_members=2),
        plan_token=plan.plan_token,
    )
    try:
        rerun = client.submit(body, idempotency_key="k")
    except RefusedError as refusal:
        assert_type(refusal.reason, str)
        raise
    assert_type(rerun, Rerun)
    assert_type(rerun.state, RerunState)
    assert_type(client.members(rerun.id, limit=2), Members)
    assert_type(client.iter_members(rerun.id), Iterator[Member])
    assert_type(client.estimate(rerun.id), Estimate)
    return client.wait(rerun.id, timeout=3.0, on_change=lambda now: print(now.counts.failed))


async def followed(client: AsyncRerunDownstreamClient) -> list[Member]:
    assert_type(await client.plan({"source": {"dag_id": "orders", "run_id": "r"}}), Plan)
    assert_type(client.iter_members(7), AsyncIterator[Member])
    task = asyncio.create_task(client.rerun(7))
    assert_type(await task, Rerun)
    return [member async for member in client.iter_members(7) if member.state == "failed"]


def wrong(client: RerunDownstreamClient, other: AsyncRerunDownstreamClient) -> None:
    client.rerun("7")  # type: ignore[arg-type]
    client.plan(7)  # type: ignore[arg-type]
    client.reruns(states=["running"])  # type: ignore[call-arg]
    client.retry(7)  # type: ignore[call-arg]
    client.nothing()  # type: ignore[attr-defined]
    client.rerun(7).mood  # type: ignore[attr-defined]
    PlanBody(source="orders")  # type: ignore[arg-type]
    other.rerun("7")  # type: ignore[arg-type, unused-coroutine]
    for _ in other.iter_members(7):  # type: ignore[attr-defined]
        pass
"""
