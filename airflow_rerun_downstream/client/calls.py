"""The calls of the REST API, each told once: both clients are made of these functions.

A function takes what a caller says and answers a `Call`, which touches nothing. A test holds them to the OpenAPI
document: path, parameters, answer.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from airflow_rerun_downstream.client.call import Call, Object, chosen, get, keyed, name, page, post
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.rest import (
    estimate_payloads,
    installation_payloads,
    plan_payloads,
    proof_payloads,
    record_payloads,
)
from airflow_rerun_downstream.rest.requests import Chosen, PlanBody, RerunBody

Words = str | Collection[str]


def plan(body: PlanBody | Object, *, task_instances: bool = True) -> Call[plan_payloads.Plan]:
    """Preview a rerun; changes nothing."""
    return Call("POST", "/plans", plan_payloads.Plan, {"task_instances": task_instances}, body, repeatable=True)


def review(body: RerunBody | Object) -> Call[plan_payloads.Review]:
    """What a submit of this body would do; changes nothing, and is refused as the submit would be."""
    return Call("POST", "/reviews", plan_payloads.Review, body=body, repeatable=True)


def submit(body: RerunBody | Object, *, idempotency_key: str | None = None) -> Call[record_payloads.Rerun]:
    """Rerun the source and the selected downstream runs, or propose it, where the body says so; once for each key."""
    headers = keyed(idempotency_key)
    return Call("POST", "/reruns", record_payloads.Rerun, body=body, headers=headers, repeatable=bool(headers))


def reruns(
    *,
    state: RerunState | str | Collection[RerunState | str] | None = None,
    dag_id: str | None = None,
    dag_id_pattern: str | None = None,
    run_id: str | None = None,
    search: str | None = None,
    created_by: str | None = None,
    created_at_gte: datetime | str | None = None,
    created_at_lte: datetime | str | None = None,
    frozen: bool | None = None,
    idempotency_key: str | None = None,
    order_by: str | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Call[record_payloads.Reruns]:
    """A page of the records. ``dag_id``, its pattern and ``run_id`` match any member; ``search``: name or reason."""
    return get(record_payloads.Reruns, "/reruns", **locals())


def rerun(rerun_id: int) -> Call[record_payloads.Rerun]:
    """One record."""
    return get(record_payloads.Rerun, f"/reruns/{rerun_id}")


def changes(rerun_id: int, *, since: str | None = None, limit: int = 50) -> Call[record_payloads.Changes]:
    """What has changed since an earlier answer, whose cursor is ``since``; without one: all there is."""
    return get(record_payloads.Changes, f"/reruns/{rerun_id}/changes", since=since, limit=limit)


def members(
    rerun_id: int, *, limit: int | None = None, offset: int | None = None, member_id: Collection[int] | None = None
) -> Call[record_payloads.Members]:
    """A page of a rerun's members; ``member_id``: of those among these."""
    path = f"/reruns/{rerun_id}/members"
    return get(record_payloads.Members, path, limit=limit, offset=offset, member_id=member_id)


def dags(rerun_id: int, *, limit: int | None = None, offset: int | None = None) -> Call[record_payloads.RerunDags]:
    """A page of the Dags that take part in a rerun, with their owners and tags."""
    return page(record_payloads.RerunDags, f"/reruns/{rerun_id}/dags", limit, offset)


def links(rerun_id: int, *, limit: int | None = None, offset: int | None = None) -> Call[record_payloads.Links]:
    """A page of the links as they were at submit."""
    return page(record_payloads.Links, f"/reruns/{rerun_id}/links", limit, offset)


def not_made_anew(
    rerun_id: int, *, limit: int | None = None, offset: int | None = None
) -> Call[record_payloads.NotMadeAnewList]:
    """A page of what wasn't made anew."""
    return page(record_payloads.NotMadeAnewList, f"/reruns/{rerun_id}/not-made-anew", limit, offset)


def proof(rerun_id: int, *, limit: int = 1_000) -> Call[proof_payloads.Proof]:
    """What a rerun can show for itself, as everything stands now."""
    return get(proof_payloads.Proof, f"/reruns/{rerun_id}/proof", limit=limit)


def estimate(rerun_id: int, *, limit: int = 100) -> Call[estimate_payloads.Estimate]:
    """When a rerun is expected to end, which members decide that, and what delays it now."""
    return get(estimate_payloads.Estimate, f"/reruns/{rerun_id}/estimate", limit=limit)


def events(rerun_id: int, *, limit: int | None = None, offset: int | None = None) -> Call[record_payloads.Events]:
    """A page of what happened, oldest first."""
    return page(record_payloads.Events, f"/reruns/{rerun_id}/events", limit, offset)


def notifications(
    rerun_id: int, *, limit: int | None = None, offset: int | None = None
) -> Call[record_payloads.Deliveries]:
    """A page of what targets were told of a rerun, or will be, oldest first."""
    return page(record_payloads.Deliveries, f"/reruns/{rerun_id}/notifications", limit, offset)


def proposal_review(rerun_id: int) -> Call[plan_payloads.ProposalReview]:
    """What an approval of a proposal would do now, and what has changed since it was made; changes nothing."""
    return get(plan_payloads.ProposalReview, f"/reruns/{rerun_id}/review")


def approve(rerun_id: int, *, plan_token: str | None = None) -> Call[record_payloads.Rerun]:
    """Carry out a proposal; ``plan_token`` accepts what has changed until that plan was made."""
    path = f"/reruns/{rerun_id}/approve"
    return Call("POST", path, record_payloads.Rerun, body={"plan_token": plan_token})


def reject(rerun_id: int, *, reason: str | None = None) -> Call[record_payloads.Rerun]:
    """End a proposal."""
    return Call("POST", f"/reruns/{rerun_id}/reject", record_payloads.Rerun, body={"reason": reason})


def pause(
    rerun_id: int, *, state: RerunState | str | None = None, last_event: int | None = None
) -> Call[record_payloads.Rerun]:
    """Dispatch nothing new."""
    return post(record_payloads.Rerun, f"/reruns/{rerun_id}/pause", state=state, last_event=last_event)


def resume(
    rerun_id: int, *, state: RerunState | str | None = None, last_event: int | None = None
) -> Call[record_payloads.Rerun]:
    """Go on; a failed rerun retries its failed members."""
    return post(record_payloads.Rerun, f"/reruns/{rerun_id}/resume", state=state, last_event=last_event)


def terminate(
    rerun_id: int, *, state: RerunState | str | None = None, last_event: int | None = None
) -> Call[record_payloads.Rerun]:
    """End the rerun."""
    return post(record_payloads.Rerun, f"/reruns/{rerun_id}/terminate", state=state, last_event=last_event)


def release(
    rerun_id: int, *, state: RerunState | str | None = None, last_event: int | None = None
) -> Call[record_payloads.Rerun]:
    """Release the frozen runs."""
    return post(record_payloads.Rerun, f"/reruns/{rerun_id}/release", state=state, last_event=last_event)


def retry(
    rerun_id: int, member_id: int, *, attempt: int | None = None, last_event: int | None = None
) -> Call[record_payloads.Member]:
    """Dispatch a failed member again."""
    path = f"/reruns/{rerun_id}/members/{member_id}/retry"
    return post(record_payloads.Member, path, attempt=attempt, last_event=last_event)


def skip(
    rerun_id: int, member_id: int, *, attempt: int | None = None, last_event: int | None = None
) -> Call[record_payloads.Member]:
    """Continue as if a failed member had succeeded."""
    path = f"/reruns/{rerun_id}/members/{member_id}/skip"
    return post(record_payloads.Member, path, attempt=attempt, last_event=last_event)


def retry_members(rerun_id: int, members: Chosen) -> Call[record_payloads.MemberResults]:
    """Dispatch several failed members again; those that are refused are told with the reason.

    A mapping has how the caller saw each: its attempt, or a `MemberActionBody` with the record's newest event, too.
    """
    return chosen(f"/reruns/{rerun_id}/members/retry", members)


def skip_members(rerun_id: int, members: Chosen) -> Call[record_payloads.MemberResults]:
    """Continue as if several failed members had succeeded; those that are refused are told with the reason."""
    return chosen(f"/reruns/{rerun_id}/members/skip", members)


def comment(rerun_id: int, text: str) -> Call[record_payloads.Rerun]:
    """Write into the record; each call adds a line."""
    return Call("POST", f"/reruns/{rerun_id}/comment", record_payloads.Rerun, body={"text": text})


def release_member(
    rerun_id: int, member_id: int, *, attempt: int | None = None, last_event: int | None = None
) -> Call[record_payloads.Member]:
    """Release one frozen run."""
    path = f"/reruns/{rerun_id}/members/{member_id}/release"
    return post(record_payloads.Member, path, attempt=attempt, last_event=last_event)


def dag_runs(
    *,
    dag_id: Words | None = None,
    dag_id_pattern: str | None = None,
    run_id_pattern: str | None = None,
    owner_pattern: str | None = None,
    tag: Words | None = None,
    state: Words | None = None,
    run_type: Words | None = None,
    run_after_gte: datetime | str | None = None,
    run_after_lte: datetime | str | None = None,
    can_be_source: bool | None = None,
    order_by: str | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Call[plan_payloads.DagRuns]:
    """A page of Dag runs, each with whether it can be a source."""
    return get(plan_payloads.DagRuns, "/dag-runs", **locals())


def task_instances(dag_id: str, run_id: str) -> Call[plan_payloads.TaskInstances]:
    """A run's task instances, with those preselected that a rerun from it would take."""
    return get(plan_payloads.TaskInstances, f"/dag-runs/{name(dag_id)}/{name(run_id)}/task-instances")


def edges(dag_id: str) -> Call[plan_payloads.DagEdges]:
    """What is upstream and downstream of a Dag, and how each edge is known."""
    return get(plan_payloads.DagEdges, f"/dags/{name(dag_id)}/edges")


def health(component: Collection[str] | None = None) -> Call[installation_payloads.Health]:
    """The installation's components, or only some of them."""
    return get(installation_payloads.Health, "/health", component=component)


def notification_targets() -> Call[installation_payloads.NotificationTargets]:
    """Whom a rerun may notify."""
    return get(installation_payloads.NotificationTargets, "/notification-targets")


def send_test(target: str) -> Call[installation_payloads.SentTest]:
    """Send a notification target a test; `notification_targets` tells how it went."""
    return post(installation_payloads.SentTest, f"/notification-targets/{name(target)}/test")
