"""One function per REST call: from the parsed request to the answer. Refusals pass through as they are raised."""

from __future__ import annotations

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Actor
from airflow_rerun_downstream.rest import payloads, presenters
from airflow_rerun_downstream.rest.queries import DagRunQuery, MemberQuery, PageQuery, ProofQuery, RerunQuery
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody, known_id
from airflow_rerun_downstream.service import Service

MAXIMUM_LIMIT = 100
"""The largest page, where the deployment doesn't say."""


def make_plan(service: Service, actor: Actor, body: PlanBody, *, task_instances: bool = True) -> payloads.Plan:
    """``POST /plans``: the preview of a rerun."""
    return presenters.plan(service.plan(actor, body.plan_request()), task_instances=task_instances)


def review_rerun(service: Service, actor: Actor, body: RerunBody) -> payloads.Review:
    """``POST /reviews``: what a submit of this body would do."""
    return presenters.review(service.review(actor, body.rerun_request()))


def submit_rerun(service: Service, actor: Actor, body: RerunBody) -> payloads.Rerun:
    """``POST /reruns``: store a rerun; the conductor carries it out."""
    return presenters.rerun(service.submit(actor, body.rerun_request()))


def list_reruns(service: Service, actor: Actor, query: RerunQuery, *, maximum: int = MAXIMUM_LIMIT) -> payloads.Reruns:
    """``GET /reruns``: a page of the records."""
    reruns, total = service.reruns(actor, query.wanted(maximum))
    return payloads.Reruns(reruns=[presenters.rerun(each) for each in reruns], total_entries=total)


def get_rerun(service: Service, actor: Actor, rerun_id: int) -> payloads.Rerun:
    """``GET /reruns/{id}``: one record."""
    return presenters.rerun(service.rerun(actor, known_id(rerun_id, "rerun")))


def list_members(
    service: Service, actor: Actor, rerun_id: int, query: MemberQuery, *, maximum: int = MAXIMUM_LIMIT
) -> payloads.Members:
    """``GET /reruns/{id}/members``: the runs of a rerun, each with what it waits for."""
    found, total = service.members(
        actor,
        known_id(rerun_id, "rerun"),
        limit=query.limit_within(maximum),
        offset=query.offset,
        only=query.member_id,
    )
    return payloads.Members(members=[presenters.member(each) for each in found], total_entries=total)


def list_links(
    service: Service, actor: Actor, rerun_id: int, query: PageQuery, *, maximum: int = MAXIMUM_LIMIT
) -> payloads.Links:
    """``GET /reruns/{id}/links``: the links as they were at submit."""
    found, total = service.links(
        actor, known_id(rerun_id, "rerun"), limit=query.limit_within(maximum), offset=query.offset
    )
    return payloads.Links(links=[presenters.link(each) for each in found], total_entries=total)


def list_not_made_anew(
    service: Service, actor: Actor, rerun_id: int, query: PageQuery, *, maximum: int = MAXIMUM_LIMIT
) -> payloads.NotMadeAnewList:
    """``GET /reruns/{id}/not-made-anew``: what wasn't made anew, why, and who accepted it."""
    found, total = service.not_made_anew(
        actor, known_id(rerun_id, "rerun"), limit=query.limit_within(maximum), offset=query.offset
    )
    return payloads.NotMadeAnewList(
        not_made_anew=[presenters.not_made_anew(each) for each in found], total_entries=total
    )


def get_proof(service: Service, actor: Actor, rerun_id: int, query: ProofQuery) -> payloads.Proof:
    """``GET /reruns/{id}/proof``: what the rerun can show for itself, as everything stands now."""
    return presenters.proof(service.proof(actor, known_id(rerun_id, "rerun")), limit=query.limit)


def list_events(
    service: Service, actor: Actor, rerun_id: int, query: PageQuery, *, maximum: int = MAXIMUM_LIMIT
) -> payloads.Events:
    """``GET /reruns/{id}/events``: what happened, oldest first."""
    found, total = service.events(
        actor, known_id(rerun_id, "rerun"), limit=query.limit_within(maximum), offset=query.offset
    )
    return payloads.Events(events=[presenters.event(each) for each in found], total_entries=total)


def pause_rerun(service: Service, actor: Actor, rerun_id: int) -> payloads.Rerun:
    """``POST /reruns/{id}/pause``: dispatch nothing new."""
    return presenters.rerun(service.pause(actor, known_id(rerun_id, "rerun")))


def resume_rerun(service: Service, actor: Actor, rerun_id: int) -> payloads.Rerun:
    """``POST /reruns/{id}/resume``: go on; a failed rerun retries its failed members."""
    return presenters.rerun(service.resume(actor, known_id(rerun_id, "rerun")))


def terminate_rerun(service: Service, actor: Actor, rerun_id: int) -> payloads.Rerun:
    """``POST /reruns/{id}/terminate``: end the rerun."""
    return presenters.rerun(service.terminate(actor, known_id(rerun_id, "rerun")))


def release_rerun(service: Service, actor: Actor, rerun_id: int) -> payloads.Rerun:
    """``POST /reruns/{id}/release``: release its frozen runs."""
    return presenters.rerun(service.release(actor, known_id(rerun_id, "rerun")))


def retry_member(service: Service, actor: Actor, rerun_id: int, member_id: int) -> payloads.Member:
    """``POST /reruns/{id}/members/{member_id}/retry``: dispatch a failed member again."""
    found = service.retry(actor, known_id(rerun_id, "rerun"), known_id(member_id, "member"))
    return presenters.member(found)


def skip_member(service: Service, actor: Actor, rerun_id: int, member_id: int) -> payloads.Member:
    """``POST /reruns/{id}/members/{member_id}/skip``: go on without a failed member."""
    found = service.skip(actor, known_id(rerun_id, "rerun"), known_id(member_id, "member"))
    return presenters.member(found)


def release_member(service: Service, actor: Actor, rerun_id: int, member_id: int) -> payloads.Member:
    """``POST /reruns/{id}/members/{member_id}/release``: release one frozen run."""
    found = service.release_member(actor, known_id(rerun_id, "rerun"), known_id(member_id, "member"))
    return presenters.member(found)


def list_dag_runs(
    service: Service, actor: Actor, query: DagRunQuery, *, maximum: int = MAXIMUM_LIMIT
) -> payloads.DagRuns:
    """``GET /dag-runs``: runs, each with whether it can be a source."""
    return presenters.dag_runs(service.dag_runs(actor, query.wanted(maximum), can_be_source=query.can_be_source))


def list_task_instances(service: Service, actor: Actor, dag_id: str, run_id: str) -> payloads.TaskInstances:
    """``GET /dag-runs/{dag_id}/{run_id}/task-instances``: what a rerun from this run would take by default."""
    return presenters.run_tasks(service.task_instances(actor, RunRef(dag_id, run_id)))


def list_edges(service: Service, actor: Actor, dag_id: str) -> payloads.DagEdges:
    """``GET /dags/{dag_id}/edges``: what is upstream and downstream of a Dag, without a run."""
    return presenters.edges(service.edges(actor, dag_id))


def get_health(service: Service, actor: Actor) -> payloads.Health:
    """``GET /health``: the installation's components."""
    return presenters.health(service.health(actor))


def list_notification_targets(service: Service, actor: Actor) -> payloads.NotificationTargets:
    """``GET /notification-targets``: whom a rerun may tell."""
    found = [
        payloads.NotificationTarget(name=name, kind=kind, description=description)
        for name, kind, description in service.notification_targets(actor)
    ]
    return payloads.NotificationTargets(notification_targets=found)
