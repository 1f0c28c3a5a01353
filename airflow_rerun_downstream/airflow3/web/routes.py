"""The contract's calls. Routes are plain functions: the service blocks, so they run in the thread pool."""

# No ``from __future__ import annotations``: FastAPI reads the annotations of every route.
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from airflow_rerun_downstream.airflow3.installation.permissions import sees_installation
from airflow_rerun_downstream.airflow3.web.dependencies import ActorDep, MaximumDep, ServiceDep, service_of
from airflow_rerun_downstream.airflow3.web.slots import SlotRoute
from airflow_rerun_downstream.ports.installation import ComponentHealth
from airflow_rerun_downstream.rest import handlers, payloads, presenters
from airflow_rerun_downstream.rest.exports import proof_csv
from airflow_rerun_downstream.rest.queries import DagRunQuery, MemberQuery, PageQuery, ProofQuery, RerunQuery
from airflow_rerun_downstream.rest.requests import Id, PlanBody, RerunBody
from airflow_rerun_downstream.service.health import shown_health
from airflow_rerun_downstream.settings import InvalidSetting

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": payloads.Problem, "description": description}
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


@router.get("/health", operation_id="get_health")
def get_health(request: Request, actor: ActorDep) -> payloads.Health:
    """The installation's components; why one isn't healthy is told to who may see Airflow's jobs and plugins.

    Answers also when nothing else works.
    """
    try:
        return handlers.get_health(service_of(request), actor)
    except InvalidSetting as error:
        components = {"settings": ComponentHealth("unhealthy", f"{error}.")}
        return presenters.health(shown_health(components, sees_installation(actor), frozenset))


@router.get("/dag-runs", operation_id="list_dag_runs")
def list_dag_runs(
    service: ServiceDep, actor: ActorDep, maximum: MaximumDep, query: Annotated[DagRunQuery, Query()]
) -> payloads.DagRuns:
    """Dag runs, each with whether it can be the source of a rerun."""
    return handlers.list_dag_runs(service, actor, query, maximum=maximum)


@router.get("/dag-runs/{dag_id}/{run_id:path}/task-instances", operation_id="list_task_instances")
def list_task_instances(service: ServiceDep, actor: ActorDep, dag_id: Id, run_id: Id) -> payloads.TaskInstances:
    """A run's task instances, with those preselected that a rerun from it would take."""
    return handlers.list_task_instances(service, actor, dag_id, run_id)


@router.get("/dags/{dag_id}/edges", operation_id="list_edges")
def list_edges(service: ServiceDep, actor: ActorDep, dag_id: Id) -> payloads.DagEdges:
    """What is upstream and downstream of a Dag, and how each edge is known."""
    return handlers.list_edges(service, actor, dag_id)


@router.post("/plans", operation_id="make_plan")
def make_plan(service: ServiceDep, actor: ActorDep, body: PlanBody, task_instances: bool = True) -> payloads.Plan:
    """Preview a rerun. Changes nothing."""
    return handlers.make_plan(service, actor, body, task_instances=task_instances)


@router.post("/reviews", operation_id="review_rerun")
def review_rerun(service: ServiceDep, actor: ActorDep, body: RerunBody) -> payloads.Review:
    """What a submit of this body would do, or why it would be refused. Changes nothing."""
    return handlers.review_rerun(service, actor, body)


@router.post("/reruns", operation_id="submit_rerun", status_code=201, dependencies=WAKES)
def submit_rerun(service: ServiceDep, actor: ActorDep, body: RerunBody) -> payloads.Rerun:
    """Rerun the source and the selected downstream runs, in dependency order."""
    return handlers.submit_rerun(service, actor, body)


@router.get("/reruns", operation_id="list_reruns")
def list_reruns(
    service: ServiceDep, actor: ActorDep, maximum: MaximumDep, query: Annotated[RerunQuery, Query()]
) -> payloads.Reruns:
    """The records."""
    return handlers.list_reruns(service, actor, query, maximum=maximum)


@router.get("/reruns/{rerun_id}", operation_id="get_rerun")
def get_rerun(service: ServiceDep, actor: ActorDep, rerun_id: RerunId) -> payloads.Rerun:
    """One record, with the progress of its members in counts."""
    return handlers.get_rerun(service, actor, rerun_id)


@router.get("/reruns/{rerun_id}/members", operation_id="list_members")
def list_members(
    service: ServiceDep,
    actor: ActorDep,
    maximum: MaximumDep,
    rerun_id: RerunId,
    query: Annotated[MemberQuery, Query()],
) -> payloads.Members:
    """The runs of a rerun, each with its state and what it waits for."""
    return handlers.list_members(service, actor, rerun_id, query, maximum=maximum)


@router.get("/reruns/{rerun_id}/links", operation_id="list_links")
def list_links(
    service: ServiceDep,
    actor: ActorDep,
    maximum: MaximumDep,
    rerun_id: RerunId,
    query: Annotated[PageQuery, Query()],
) -> payloads.Links:
    """The links between the runs as they were at submit."""
    return handlers.list_links(service, actor, rerun_id, query, maximum=maximum)


@router.get("/reruns/{rerun_id}/not-made-anew", operation_id="list_not_made_anew")
def list_not_made_anew(
    service: ServiceDep,
    actor: ActorDep,
    maximum: MaximumDep,
    rerun_id: RerunId,
    query: Annotated[PageQuery, Query()],
) -> payloads.NotMadeAnewList:
    """What the rerun didn't make anew although wrong data had reached it: why, and who accepted it."""
    return handlers.list_not_made_anew(service, actor, rerun_id, query, maximum=maximum)


@router.get(
    "/reruns/{rerun_id}/proof", operation_id="get_proof", responses={200: AS_CSV}, response_model=payloads.Proof
)
def get_proof(
    service: ServiceDep,
    actor: ActorDep,
    rerun_id: RerunId,
    query: Annotated[ProofQuery, Query()],
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> payloads.Proof | Response:
    """What the rerun can show for itself, as everything stands now: as JSON, or as a CSV file."""
    found = handlers.get_proof(service, actor, rerun_id, query)
    if query.format == "csv" or (query.format is None and accept.startswith(CSV)):
        name = f"rerun-{found.rerun_id}-proof.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(proof_csv(found), media_type=CSV, headers=headers)
    return found


@router.get("/reruns/{rerun_id}/events", operation_id="list_events")
def list_events(
    service: ServiceDep,
    actor: ActorDep,
    maximum: MaximumDep,
    rerun_id: RerunId,
    query: Annotated[PageQuery, Query()],
) -> payloads.Events:
    """What happened, oldest first."""
    return handlers.list_events(service, actor, rerun_id, query, maximum=maximum)


@router.post("/reruns/{rerun_id}/pause", operation_id="pause_rerun")
def pause_rerun(service: ServiceDep, actor: ActorDep, rerun_id: RerunId) -> payloads.Rerun:
    """Dispatch nothing new; runs in flight go on. A repeat changes nothing."""
    return handlers.pause_rerun(service, actor, rerun_id)


@router.post("/reruns/{rerun_id}/resume", operation_id="resume_rerun", dependencies=WAKES)
def resume_rerun(service: ServiceDep, actor: ActorDep, rerun_id: RerunId) -> payloads.Rerun:
    """Let a paused rerun go on; a failed one retries its failed members."""
    return handlers.resume_rerun(service, actor, rerun_id)


@router.post("/reruns/{rerun_id}/terminate", operation_id="terminate_rerun", dependencies=WAKES)
def terminate_rerun(service: ServiceDep, actor: ActorDep, rerun_id: RerunId) -> payloads.Rerun:
    """End the rerun; by its settings, runs in flight are stopped."""
    return handlers.terminate_rerun(service, actor, rerun_id)


@router.post("/reruns/{rerun_id}/release", operation_id="release_rerun", dependencies=WAKES)
def release_rerun(service: ServiceDep, actor: ActorDep, rerun_id: RerunId) -> payloads.Rerun:
    """Release the frozen runs of the rerun."""
    return handlers.release_rerun(service, actor, rerun_id)


@router.post("/reruns/{rerun_id}/members/{member_id}/retry", operation_id="retry_member", dependencies=WAKES)
def retry_member(service: ServiceDep, actor: ActorDep, rerun_id: RerunId, member_id: MemberId) -> payloads.Member:
    """Dispatch a failed member again, in its turn."""
    return handlers.retry_member(service, actor, rerun_id, member_id)


@router.post("/reruns/{rerun_id}/members/{member_id}/skip", operation_id="skip_member", dependencies=WAKES)
def skip_member(service: ServiceDep, actor: ActorDep, rerun_id: RerunId, member_id: MemberId) -> payloads.Member:
    """Go on as if a failed member had succeeded."""
    return handlers.skip_member(service, actor, rerun_id, member_id)


@router.post("/reruns/{rerun_id}/members/{member_id}/release", operation_id="release_member", dependencies=WAKES)
def release_member(service: ServiceDep, actor: ActorDep, rerun_id: RerunId, member_id: MemberId) -> payloads.Member:
    """Release one frozen run."""
    return handlers.release_member(service, actor, rerun_id, member_id)


@router.get("/notification-targets", operation_id="list_notification_targets")
def list_notification_targets(service: ServiceDep, actor: ActorDep) -> payloads.NotificationTargets:
    """Whom a rerun may notify."""
    return handlers.list_notification_targets(service, actor)
