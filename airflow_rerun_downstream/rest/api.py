"""The contract's calls, from the parsed request to the answer. Routes and the command line both make them here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Seen
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.rest import (
    delivery_presenters,
    estimate_payloads,
    estimate_presenters,
    installation_payloads,
    plan_payloads,
    presenters,
    proof_payloads,
    record_payloads,
)
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
    Chosen,
    CommentBody,
    MemberActionBody,
    MembersBody,
    PlanBody,
    RejectionBody,
    RerunActionBody,
    RerunBody,
    chosen_members,
    key_of,
    known_id,
)
from airflow_rerun_downstream.service import Service

MAXIMUM_LIMIT = 100
"""The largest page, where the deployment doesn't say."""


class Api:
    """What one user can call. Refusals pass through as they are raised; pages are no longer than ``maximum``.

    The calls are named, and take arguments, as those of `RerunDownstreamClient`: one can stand for the other.
    """

    def __init__(self, service: Service, actor: Actor, *, maximum: int = MAXIMUM_LIMIT) -> None:
        self._service = service
        self._actor = actor
        self._maximum = maximum

    # A plan, and what comes of it

    def plan(self, body: PlanBody, *, task_instances: bool = True) -> plan_payloads.Plan:
        """``POST /plans``: the preview of a rerun."""
        return presenters.plan(self._service.plan(self._actor, body.plan_request()), task_instances=task_instances)

    def review(self, body: RerunBody) -> plan_payloads.Review:
        """``POST /reviews``: what a submit of this body would do."""
        return plan_payloads.Review.model_validate(self._service.review(self._actor, body.rerun_request()))

    def submit(self, body: RerunBody, *, idempotency_key: str | None = None) -> record_payloads.Rerun:
        """``POST /reruns``: store a rerun, which the conductor carries out, or a proposal."""
        return self.submitted(body, idempotency_key=idempotency_key)[0]

    def submitted(self, body: RerunBody, *, idempotency_key: str | None) -> tuple[record_payloads.Rerun, bool]:
        """`submit`, and whether the rerun is a new one: an earlier submit may have had the key."""
        key = key_of(self._actor, idempotency_key, body)
        view = self._service.submit(self._actor, body.rerun_request(), key)
        return presenters.rerun(view), not view.made_earlier

    def approve(self, rerun_id: int, *, plan_token: str | None = None) -> record_payloads.Rerun:
        """``POST /reruns/{id}/approve``: carry out a proposal."""
        body = ApprovalBody(plan_token=plan_token)
        return presenters.rerun(self._service.approve(self._actor, known_id(rerun_id, "rerun"), body.plan_token))

    def reject(self, rerun_id: int, *, reason: str | None = None) -> record_payloads.Rerun:
        """``POST /reruns/{id}/reject``: end a proposal."""
        body = RejectionBody(reason=reason)
        return presenters.rerun(self._service.reject(self._actor, known_id(rerun_id, "rerun"), body.reason))

    def proposal_review(self, rerun_id: int) -> plan_payloads.ProposalReview:
        """``GET /reruns/{id}/review``: what an approval would do now, and what has changed since it was proposed."""
        return presenters.proposal_review(self._service.proposal_review(self._actor, known_id(rerun_id, "rerun")))

    # Records

    def reruns(self, **wanted: Any) -> record_payloads.Reruns:
        """``GET /reruns``: a page of the records; ``wanted`` are the fields of `RerunQuery`."""
        query = RerunQuery.model_validate({name: each for name, each in wanted.items() if each is not None})
        found, total = self._service.reruns(self._actor, query.wanted(self._actor, self._maximum))
        return record_payloads.Reruns(reruns=[presenters.rerun(each) for each in found], total_entries=total)

    def rerun(self, rerun_id: int) -> record_payloads.Rerun:
        """``GET /reruns/{id}``: one record."""
        return presenters.rerun(self._service.rerun(self._actor, known_id(rerun_id, "rerun")))

    def changes(self, rerun_id: int, *, since: str | None = None, limit: int = 50) -> record_payloads.Changes:
        """``GET /reruns/{id}/changes``: what has changed since an earlier answer; without ``since``: all there is."""
        query = ChangesQuery(since=since, limit=limit)
        most = min(query.limit, max(self._maximum, 1))
        return presenters.changes(
            self._service.changes(self._actor, known_id(rerun_id, "rerun"), since=query.since, limit=most)
        )

    def members(
        self, rerun_id: int, *, limit: int = 50, offset: int = 0, member_id: Collection[int] | None = None
    ) -> record_payloads.Members:
        """``GET /reruns/{id}/members``: the runs of a rerun, each with what it waits for."""
        query = MemberQuery(limit=limit, offset=offset, member_id=None if member_id is None else list(member_id))
        found, total = self._service.members(
            self._actor,
            known_id(rerun_id, "rerun"),
            limit=query.limit_within(self._maximum),
            offset=query.offset,
            only=query.member_id,
        )
        return record_payloads.Members(members=[presenters.member(each) for each in found], total_entries=total)

    def dags(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.RerunDags:
        """``GET /reruns/{id}/dags``: the Dags that take part, with their owners and tags."""
        found, total = self._service.dags(self._actor, known_id(rerun_id, "rerun"), **self._part(limit, offset))
        listed = [
            record_payloads.DagOwnership(dag_id=dag_id, owners=list(of.owners), tags=list(of.tags))
            for dag_id, of in found
        ]
        return record_payloads.RerunDags(dags=listed, total_entries=total)

    def links(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.Links:
        """``GET /reruns/{id}/links``: the links as they were at submit."""
        found, total = self._service.links(self._actor, known_id(rerun_id, "rerun"), **self._part(limit, offset))
        return record_payloads.Links(links=list(map(plan_payloads.Link.model_validate, found)), total_entries=total)

    def not_made_anew(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.NotMadeAnewList:
        """``GET /reruns/{id}/not-made-anew``: what wasn't made anew, why, and who accepted it."""
        part = self._part(limit, offset)
        found, total = self._service.not_made_anew(self._actor, known_id(rerun_id, "rerun"), **part)
        omissions = [presenters.not_made_anew(each) for each in found]
        return record_payloads.NotMadeAnewList(not_made_anew=omissions, total_entries=total)

    def proof(self, rerun_id: int, *, limit: int = 1_000) -> proof_payloads.Proof:
        """``GET /reruns/{id}/proof``: what the rerun can show for itself, as everything stands now."""
        query = ProofQuery(limit=limit)
        return presenters.proof(self._service.proof(self._actor, known_id(rerun_id, "rerun")), limit=query.limit)

    def estimate(self, rerun_id: int, *, limit: int = 100) -> estimate_payloads.Estimate:
        """``GET /reruns/{id}/estimate``: when it is expected to end, what decides that and what delays it."""
        query = EstimateQuery(limit=limit)
        found = self._service.estimate(self._actor, known_id(rerun_id, "rerun"))
        return estimate_presenters.estimate(found, limit=query.limit)

    def events(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.Events:
        """``GET /reruns/{id}/events``: what happened, oldest first."""
        found, total = self._service.events(self._actor, known_id(rerun_id, "rerun"), **self._part(limit, offset))
        return record_payloads.Events(events=[presenters.event(each) for each in found], total_entries=total)

    def notifications(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.Deliveries:
        """``GET /reruns/{id}/notifications``: what targets were told, or will be, oldest first."""
        part = self._part(limit, offset)
        found, total = self._service.notifications(self._actor, known_id(rerun_id, "rerun"), **part)
        told = list(map(delivery_presenters.delivery, found))
        return record_payloads.Deliveries(notifications=told, total_entries=total)

    def _part(self, limit: int, offset: int) -> dict[str, int]:
        """A part of a list, as large as the deployment allows."""
        query = PageQuery(limit=limit, offset=offset)
        return {"limit": query.limit_within(self._maximum), "offset": query.offset}

    # Control

    def pause(self, rerun_id: int, *, state: str | None = None, last_event: int | None = None) -> record_payloads.Rerun:
        """``POST /reruns/{id}/pause``: dispatch nothing new."""
        body = RerunActionBody.model_validate({"state": state, "last_event": last_event})
        return presenters.rerun(self._service.pause(self._actor, known_id(rerun_id, "rerun"), body.seen()))

    def resume(
        self, rerun_id: int, *, state: str | None = None, last_event: int | None = None
    ) -> record_payloads.Rerun:
        """``POST /reruns/{id}/resume``: go on; a failed rerun retries its failed members."""
        body = RerunActionBody.model_validate({"state": state, "last_event": last_event})
        return presenters.rerun(self._service.resume(self._actor, known_id(rerun_id, "rerun"), body.seen()))

    def terminate(
        self, rerun_id: int, *, state: str | None = None, last_event: int | None = None
    ) -> record_payloads.Rerun:
        """``POST /reruns/{id}/terminate``: end the rerun."""
        body = RerunActionBody.model_validate({"state": state, "last_event": last_event})
        return presenters.rerun(self._service.terminate(self._actor, known_id(rerun_id, "rerun"), body.seen()))

    def release(
        self, rerun_id: int, *, state: str | None = None, last_event: int | None = None
    ) -> record_payloads.Rerun:
        """``POST /reruns/{id}/release``: release its frozen runs."""
        body = RerunActionBody.model_validate({"state": state, "last_event": last_event})
        return presenters.rerun(self._service.release(self._actor, known_id(rerun_id, "rerun"), body.seen()))

    def retry(
        self, rerun_id: int, member_id: int, *, attempt: int | None = None, last_event: int | None = None
    ) -> record_payloads.Member:
        """``POST /reruns/{id}/members/{member_id}/retry``: dispatch a failed member again."""
        ids = known_id(rerun_id, "rerun"), known_id(member_id, "member")
        body = MemberActionBody(attempt=attempt, last_event=last_event)
        return presenters.member(self._service.retry(self._actor, *ids, body.seen()))

    def skip(
        self, rerun_id: int, member_id: int, *, attempt: int | None = None, last_event: int | None = None
    ) -> record_payloads.Member:
        """``POST /reruns/{id}/members/{member_id}/skip``: go on without a failed member."""
        ids = known_id(rerun_id, "rerun"), known_id(member_id, "member")
        body = MemberActionBody(attempt=attempt, last_event=last_event)
        return presenters.member(self._service.skip(self._actor, *ids, body.seen()))

    def retry_members(self, rerun_id: int, members: Chosen) -> record_payloads.MemberResults:
        """``POST /reruns/{id}/members/retry``: dispatch several failed members again."""
        return presenters.several(self._service.retry_members(self._actor, *several(rerun_id, members)))

    def skip_members(self, rerun_id: int, members: Chosen) -> record_payloads.MemberResults:
        """``POST /reruns/{id}/members/skip``: go on without several failed members."""
        return presenters.several(self._service.skip_members(self._actor, *several(rerun_id, members)))

    def comment(self, rerun_id: int, text: str) -> record_payloads.Rerun:
        """``POST /reruns/{id}/comment``: write into the record."""
        body = CommentBody(text=text)
        return presenters.rerun(self._service.comment(self._actor, known_id(rerun_id, "rerun"), body.text))

    def release_member(
        self, rerun_id: int, member_id: int, *, attempt: int | None = None, last_event: int | None = None
    ) -> record_payloads.Member:
        """``POST /reruns/{id}/members/{member_id}/release``: release one frozen run."""
        ids = known_id(rerun_id, "rerun"), known_id(member_id, "member")
        body = MemberActionBody(attempt=attempt, last_event=last_event)
        return presenters.member(self._service.release_member(self._actor, *ids, body.seen()))

    def release_lost(self) -> list[tuple[RunRef, datetime]]:
        """Release the held runs that no record names, each with its own time. Only at the machine: not over REST."""
        return self._service.release_lost(self._actor)

    # Airflow's runs and Dags

    def dag_runs(self, **wanted: Any) -> plan_payloads.DagRuns:
        """``GET /dag-runs``: runs, each with whether it can be a source; ``wanted`` are the fields of `DagRunQuery`."""
        query = DagRunQuery.model_validate({name: each for name, each in wanted.items() if each is not None})
        page = query.wanted(self._maximum)
        return presenters.dag_runs(self._service.dag_runs(self._actor, page, can_be_source=query.can_be_source))

    def task_instances(self, dag_id: str, run_id: str) -> plan_payloads.TaskInstances:
        """``GET /dag-runs/{dag_id}/{run_id}/task-instances``: what a rerun from this run would take by default."""
        return presenters.run_tasks(self._service.task_instances(self._actor, RunRef(dag_id, run_id)))

    def edges(self, dag_id: str) -> plan_payloads.DagEdges:
        """``GET /dags/{dag_id}/edges``: what is upstream and downstream of a Dag, without a run."""
        return presenters.edges(self._service.edges(self._actor, dag_id))

    # The installation

    def health(self, component: Collection[str] | None = None) -> installation_payloads.Health:
        """``GET /health``: the installation's components, or only some of them."""
        asked = HealthQuery.model_validate({"component": component})
        return presenters.health(self._service.health(self._actor, asked.component))

    def notification_targets(self) -> installation_payloads.NotificationTargets:
        """``GET /notification-targets``: whom a rerun may tell."""
        found = list(map(delivery_presenters.target, self._service.notification_targets(self._actor)))
        return installation_payloads.NotificationTargets(notification_targets=found)

    def send_test(self, target: str) -> installation_payloads.SentTest:
        """``POST /notification-targets/{name}/test``: send a target a test, whose state `notification_targets` has."""
        return delivery_presenters.sent_test(self._service.send_test(self._actor, target))


def several(rerun_id: int, members: Chosen) -> tuple[int, dict[int, Seen]]:
    """A rerun and some of its members, as the user saw them. Raises `NotFound` for a rerun that there can't be."""
    body = MembersBody.model_validate({"members": chosen_members(members)})
    return known_id(rerun_id, "rerun"), body.seen()
