"""The contract's calls. Routes are plain functions: the service blocks, so they run in the thread pool."""

# No ``from __future__ import annotations``: FastAPI reads the annotations of every route.
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.installation.permissions import sees_installation
from airflow_rerun_downstream.airflow3.web.appointments import Appointments
from airflow_rerun_downstream.airflow3.web.dependencies import ActorDep, ApiDep, KeyHeader, service_of
from airflow_rerun_downstream.airflow3.web.slots import SlotRoute
from airflow_rerun_downstream.rest import (
    estimate_payloads,
    installation_payloads,
    plan_payloads,
    presenters,
    proof_payloads,
    record_payloads,
)
from airflow_rerun_downstream.rest.api import Api
from airflow_rerun_downstream.rest.exports import proof_csv
from airflow_rerun_downstream.rest.fields import Id
from airflow_rerun_downstream.rest.queries import (
    ChangesQuery,
    DagRunQuery,
    EstimateQuery,
    HealthQuery,
    MemberQuery,
    PageQuery,
    ProofQuery,
    RerunQuery,
)
from airflow_rerun_downstream.rest.requests import (
    ApprovalBody,
    CommentBody,
    MemberActionBody,
    MembersBody,
    PlanBody,
    RejectionBody,
    RerunActionBody,
    RerunBody,
)
from airflow_rerun_downstream.settings import InvalidSetting

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": installation_payloads.Problem, "description": description}
    for status, description in {
        400: "Not JSON",
        401: "Not logged in",
        403: "Not allowed",
        404: "Unknown, or not readable",
        409: "Not now",
        413: "Too large",
        422: "Can't be understood",
        503: "The package's tables aren't there",
    }.items()
}

router = APIRouter(prefix="/api/v1", responses=PROBLEMS, tags=["Rerun Downstream"], route_class=SlotRoute)

CSV = "text/csv"
AS_CSV: dict[str, Any] = {"content": {CSV: {"schema": {"type": "string"}}}}

RerunId = Annotated[int, Path(description="The rerun's id")]
MemberId = Annotated[int, Path(description="The member's id")]


async def wake_after(request: Request) -> AsyncIterator[None]:
    """After the call, let the conductor look at once, if it is in this process."""
    yield
    request.app.state.wake()


WAKES = [Depends(wake_after)]
NO_TOKEN, NO_REASON = ApprovalBody(), RejectionBody()
RERUN_UNSEEN, MEMBER_UNSEEN = RerunActionBody(), MemberActionBody()

EARLIER: dict[int | str, dict[str, Any]] = {
    200: {"model": record_payloads.Rerun, "description": "The rerun that came of the same idempotency key earlier"}
}

Answer = TypeVar("Answer")


def time_of(request: Request) -> float:
    """The seconds since a call had its turn."""
    return time.monotonic() - float(request.state.began)


def answered(request: Request, answer: Answer) -> Answer:
    """The answer to an open page, which is reckoned with when others are told when to look again."""
    appointments: Appointments = request.app.state.appointments
    appointments.spent(time_of(request))
    return answer


@router.get("/health", operation_id="get_health")
def get_health(
    request: Request, actor: ActorDep, query: Annotated[HealthQuery, Query()]
) -> installation_payloads.Health:
    """The installation's components; why one isn't healthy is told to who may see Airflow's jobs and plugins.

    Answers also when nothing else works.
    """
    try:
        return Api(service_of(request), actor).health(**dict(query))
    except InvalidSetting:
        return presenters.health(wiring.health_without_settings(details=sees_installation(actor), only=query.component))


@router.get("/dag-runs", operation_id="list_dag_runs")
def list_dag_runs(api: ApiDep, query: Annotated[DagRunQuery, Query()]) -> plan_payloads.DagRuns:
    """Dag runs, each with whether it can be the source of a rerun."""
    return api.dag_runs(**dict(query))


@router.get("/dag-runs/{dag_id}/{run_id:path}/task-instances", operation_id="list_task_instances")
def list_task_instances(api: ApiDep, dag_id: Id, run_id: Id) -> plan_payloads.TaskInstances:
    """A run's task instances, with those preselected that a rerun from it would take."""
    return api.task_instances(dag_id, run_id)


@router.get("/dags/{dag_id}/edges", operation_id="list_edges")
def list_edges(api: ApiDep, dag_id: Id) -> plan_payloads.DagEdges:
    """What is upstream and downstream of a Dag, and how each edge is known."""
    return api.edges(dag_id)


@router.post("/plans", operation_id="make_plan")
def make_plan(api: ApiDep, body: PlanBody, task_instances: bool = True) -> plan_payloads.Plan:
    """Preview a rerun. Changes nothing."""
    return api.plan(body, task_instances=task_instances)


@router.post("/reviews", operation_id="review_rerun")
def review_rerun(api: ApiDep, body: RerunBody) -> plan_payloads.Review:
    """What a submit of this body would do, or why it would be refused. Changes nothing."""
    return api.review(body)


@router.post("/reruns", operation_id="submit_rerun", status_code=201, responses=EARLIER, dependencies=WAKES)
def submit_rerun(
    response: Response, api: ApiDep, body: RerunBody, idempotency_key: KeyHeader = None
) -> record_payloads.Rerun:
    """Rerun the source and the selected downstream runs, in dependency order; or propose it."""
    rerun, new = api.submitted(body, idempotency_key=idempotency_key)
    if not new:
        response.status_code = 200
    return rerun


@router.get("/reruns", operation_id="list_reruns")
def list_reruns(api: ApiDep, query: Annotated[RerunQuery, Query()]) -> record_payloads.Reruns:
    """The records."""
    return api.reruns(**dict(query))


@router.get("/reruns/{rerun_id}", operation_id="get_rerun")
def get_rerun(api: ApiDep, rerun_id: RerunId) -> record_payloads.Rerun:
    """One record, with the progress of its members in counts."""
    return api.rerun(rerun_id)


@router.get("/reruns/{rerun_id}/changes", operation_id="get_changes")
def get_changes(
    request: Request,
    api: ApiDep,
    rerun_id: RerunId,
    query: Annotated[ChangesQuery, Query()],
) -> record_payloads.Changes:
    """What has changed in a rerun, its members and its record since an earlier answer."""
    found = api.changes(rerun_id, **dict(query))
    if found.more:
        return answered(request, found)
    appointments: Appointments = request.app.state.appointments
    return found.model_copy(update={"look_again_after": appointments.next_after(time_of(request))})


@router.get("/reruns/{rerun_id}/members", operation_id="list_members")
def list_members(
    request: Request,
    api: ApiDep,
    rerun_id: RerunId,
    query: Annotated[MemberQuery, Query()],
) -> record_payloads.Members:
    """The runs of a rerun, each with its state and what it waits for."""
    return answered(request, api.members(rerun_id, **dict(query)))


@router.get("/reruns/{rerun_id}/dags", operation_id="list_rerun_dags")
def list_rerun_dags(
    api: ApiDep,
    rerun_id: RerunId,
    query: Annotated[PageQuery, Query()],
) -> record_payloads.RerunDags:
    """The Dags that take part in a rerun, each with its owners and tags."""
    return api.dags(rerun_id, **dict(query))


@router.get("/reruns/{rerun_id}/links", operation_id="list_links")
def list_links(
    request: Request,
    api: ApiDep,
    rerun_id: RerunId,
    query: Annotated[PageQuery, Query()],
) -> record_payloads.Links:
    """The links between the runs as they were at submit."""
    return answered(request, api.links(rerun_id, **dict(query)))


@router.get("/reruns/{rerun_id}/not-made-anew", operation_id="list_not_made_anew")
def list_not_made_anew(
    api: ApiDep,
    rerun_id: RerunId,
    query: Annotated[PageQuery, Query()],
) -> record_payloads.NotMadeAnewList:
    """What the rerun didn't make anew although wrong data had reached it: why, and who accepted it."""
    return api.not_made_anew(rerun_id, **dict(query))


@router.get(
    "/reruns/{rerun_id}/proof", operation_id="get_proof", responses={200: AS_CSV}, response_model=proof_payloads.Proof
)
def get_proof(
    api: ApiDep,
    rerun_id: RerunId,
    query: Annotated[ProofQuery, Query()],
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> proof_payloads.Proof | Response:
    """What the rerun can show for itself, as everything stands now: as JSON, or as a CSV file."""
    found = api.proof(rerun_id, limit=query.limit)
    if query.format == "csv" or (query.format is None and accept.startswith(CSV)):
        name = f"rerun-{found.rerun_id}-proof.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(proof_csv(found), media_type=CSV, headers=headers)
    return found


@router.get("/reruns/{rerun_id}/estimate", operation_id="get_estimate")
def get_estimate(
    request: Request,
    api: ApiDep,
    rerun_id: RerunId,
    query: Annotated[EstimateQuery, Query()],
) -> estimate_payloads.Estimate:
    """When a rerun is expected to end, which members decide that, and what delays it now."""
    return answered(request, api.estimate(rerun_id, limit=query.limit))


@router.get("/reruns/{rerun_id}/events", operation_id="list_events")
def list_events(
    api: ApiDep,
    rerun_id: RerunId,
    query: Annotated[PageQuery, Query()],
) -> record_payloads.Events:
    """What happened, oldest first."""
    return api.events(rerun_id, **dict(query))


@router.get("/reruns/{rerun_id}/notifications", operation_id="list_notifications")
def list_notifications(
    api: ApiDep,
    rerun_id: RerunId,
    query: Annotated[PageQuery, Query()],
) -> record_payloads.Deliveries:
    """What targets were told of the rerun, or will be, oldest first."""
    return api.notifications(rerun_id, **dict(query))


@router.get("/reruns/{rerun_id}/review", operation_id="review_proposal")
def review_proposal(api: ApiDep, rerun_id: RerunId) -> plan_payloads.ProposalReview:
    """What an approval of a proposal would do now, and what has changed since. Changes nothing."""
    return api.proposal_review(rerun_id)


@router.post("/reruns/{rerun_id}/approve", operation_id="approve_rerun", dependencies=WAKES)
def approve_rerun(api: ApiDep, rerun_id: RerunId, body: ApprovalBody = NO_TOKEN) -> record_payloads.Rerun:
    """Carry out a proposal, as if you submitted it. A repeat changes nothing."""
    return api.approve(rerun_id, plan_token=body.plan_token)


@router.post("/reruns/{rerun_id}/reject", operation_id="reject_rerun")
def reject_rerun(api: ApiDep, rerun_id: RerunId, body: RejectionBody = NO_REASON) -> record_payloads.Rerun:
    """End a proposal; your own needs no right but that. A repeat changes nothing."""
    return api.reject(rerun_id, reason=body.reason)


@router.post("/reruns/{rerun_id}/pause", operation_id="pause_rerun")
def pause_rerun(api: ApiDep, rerun_id: RerunId, body: RerunActionBody = RERUN_UNSEEN) -> record_payloads.Rerun:
    """Dispatch nothing new; runs in flight go on. A repeat changes nothing."""
    return api.pause(rerun_id, **dict(body))


@router.post("/reruns/{rerun_id}/resume", operation_id="resume_rerun", dependencies=WAKES)
def resume_rerun(api: ApiDep, rerun_id: RerunId, body: RerunActionBody = RERUN_UNSEEN) -> record_payloads.Rerun:
    """Let a paused rerun go on; a failed one retries its failed members."""
    return api.resume(rerun_id, **dict(body))


@router.post("/reruns/{rerun_id}/terminate", operation_id="terminate_rerun", dependencies=WAKES)
def terminate_rerun(api: ApiDep, rerun_id: RerunId, body: RerunActionBody = RERUN_UNSEEN) -> record_payloads.Rerun:
    """End the rerun; by its settings, runs in flight are stopped."""
    return api.terminate(rerun_id, **dict(body))


@router.post("/reruns/{rerun_id}/release", operation_id="release_rerun", dependencies=WAKES)
def release_rerun(api: ApiDep, rerun_id: RerunId, body: RerunActionBody = RERUN_UNSEEN) -> record_payloads.Rerun:
    """Release the frozen runs of the rerun."""
    return api.release(rerun_id, **dict(body))


@router.post("/reruns/{rerun_id}/comment", operation_id="comment_rerun")
def comment_rerun(api: ApiDep, rerun_id: RerunId, body: CommentBody) -> record_payloads.Rerun:
    """Write into the record. Each call adds a line."""
    return api.comment(rerun_id, body.text)


@router.post("/reruns/{rerun_id}/members/retry", operation_id="retry_members", dependencies=WAKES)
def retry_members(api: ApiDep, rerun_id: RerunId, body: MembersBody) -> record_payloads.MemberResults:
    """Dispatch several failed members again, each as if it were asked for alone."""
    return api.retry_members(rerun_id, body.chosen())


@router.post("/reruns/{rerun_id}/members/skip", operation_id="skip_members", dependencies=WAKES)
def skip_members(api: ApiDep, rerun_id: RerunId, body: MembersBody) -> record_payloads.MemberResults:
    """Go on as if several failed members had succeeded, each as if it were asked for alone."""
    return api.skip_members(rerun_id, body.chosen())


@router.post("/reruns/{rerun_id}/members/{member_id}/retry", operation_id="retry_member", dependencies=WAKES)
def retry_member(
    api: ApiDep, rerun_id: RerunId, member_id: MemberId, body: MemberActionBody = MEMBER_UNSEEN
) -> record_payloads.Member:
    """Dispatch a failed member again, in its turn."""
    return api.retry(rerun_id, member_id, **dict(body))


@router.post("/reruns/{rerun_id}/members/{member_id}/skip", operation_id="skip_member", dependencies=WAKES)
def skip_member(
    api: ApiDep, rerun_id: RerunId, member_id: MemberId, body: MemberActionBody = MEMBER_UNSEEN
) -> record_payloads.Member:
    """Go on as if a failed member had succeeded."""
    return api.skip(rerun_id, member_id, **dict(body))


@router.post("/reruns/{rerun_id}/members/{member_id}/release", operation_id="release_member", dependencies=WAKES)
def release_member(
    api: ApiDep, rerun_id: RerunId, member_id: MemberId, body: MemberActionBody = MEMBER_UNSEEN
) -> record_payloads.Member:
    """Release one frozen run."""
    return api.release_member(rerun_id, member_id, **dict(body))


@router.get("/notification-targets", operation_id="list_notification_targets")
def list_notification_targets(api: ApiDep) -> installation_payloads.NotificationTargets:
    """Whom a rerun may notify."""
    return api.notification_targets()


@router.post("/notification-targets/{name}/test", operation_id="send_test", status_code=202)
def send_test(api: ApiDep, name: Id) -> installation_payloads.SentTest:
    """Send a target a test. It is sent like every notification; the list of targets tells how it went."""
    return api.send_test(name)
