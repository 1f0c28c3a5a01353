"""The client: one method per call of the REST API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from airflow_rerun_downstream.client import waiting
from airflow_rerun_downstream.client.exceptions import ConnectionProblem
from airflow_rerun_downstream.client.transport import Transport
from airflow_rerun_downstream.rest import (
    estimate_payloads,
    installation_payloads,
    plan_payloads,
    proof_payloads,
    record_payloads,
)
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody

Answer = TypeVar("Answer", bound=BaseModel)


class RerunDownstreamClient:
    """Reruns of one Airflow, whose address is ``base_url``.

    Give a token, or a name and a password to log in with. Answers are objects of the contract; a refusal raises
    `RefusedError`, a server that can't be reached `ConnectionProblem`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._transport = Transport(
            base_url, token=token, username=username, password=password, timeout=timeout, transport=transport
        )

    def __enter__(self) -> RerunDownstreamClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def plan(self, body: PlanBody | Mapping[str, Any], *, task_instances: bool = True) -> plan_payloads.Plan:
        """Preview a rerun; changes nothing."""
        return self._ask(plan_payloads.Plan, "POST", "/plans", {"task_instances": task_instances}, body)

    def review(self, body: RerunBody | Mapping[str, Any]) -> plan_payloads.Review:
        """What a submit of this body would do; changes nothing, and is refused as the submit would be."""
        return self._ask(plan_payloads.Review, "POST", "/reviews", None, body)

    def submit(self, body: RerunBody | Mapping[str, Any]) -> record_payloads.Rerun:
        """Rerun the source and the selected downstream runs."""
        return self._ask(record_payloads.Rerun, "POST", "/reruns", None, body)

    def reruns(self, **wanted: Any) -> record_payloads.Reruns:
        """A page of the records; ``wanted`` are the filters, ``limit``, ``offset`` and ``order_by``."""
        return self._ask(record_payloads.Reruns, "GET", "/reruns", wanted)

    def rerun(self, rerun_id: int) -> record_payloads.Rerun:
        """One record."""
        return self._ask(record_payloads.Rerun, "GET", f"/reruns/{rerun_id}")

    def changes(self, rerun_id: int, *, since: str | None = None, limit: int = 50) -> record_payloads.Changes:
        """What has changed since an earlier answer, whose cursor is ``since``; without one: all there is."""
        wanted = {"since": since, "limit": limit}
        return self._ask(record_payloads.Changes, "GET", f"/reruns/{rerun_id}/changes", wanted)

    def members(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.Members:
        """A page of a rerun's members."""
        return self._ask(record_payloads.Members, "GET", f"/reruns/{rerun_id}/members", page(limit, offset))

    def links(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.Links:
        """A page of the links as they were at submit."""
        return self._ask(record_payloads.Links, "GET", f"/reruns/{rerun_id}/links", page(limit, offset))

    def not_made_anew(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.NotMadeAnewList:
        """A page of what wasn't made anew."""
        path = f"/reruns/{rerun_id}/not-made-anew"
        return self._ask(record_payloads.NotMadeAnewList, "GET", path, page(limit, offset))

    def proof(self, rerun_id: int, *, limit: int = 1_000) -> proof_payloads.Proof:
        """What a rerun can show for itself, as everything stands now."""
        return self._ask(proof_payloads.Proof, "GET", f"/reruns/{rerun_id}/proof", {"limit": limit})

    def estimate(self, rerun_id: int, *, limit: int = 100) -> estimate_payloads.Estimate:
        """When a rerun is expected to end, which members decide that, and what delays it now."""
        return self._ask(estimate_payloads.Estimate, "GET", f"/reruns/{rerun_id}/estimate", {"limit": limit})

    def events(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.Events:
        """A page of what happened, oldest first."""
        return self._ask(record_payloads.Events, "GET", f"/reruns/{rerun_id}/events", page(limit, offset))

    def notifications(self, rerun_id: int, *, limit: int = 50, offset: int = 0) -> record_payloads.Deliveries:
        """A page of what targets were told of a rerun, or will be, oldest first."""
        path = f"/reruns/{rerun_id}/notifications"
        return self._ask(record_payloads.Deliveries, "GET", path, page(limit, offset))

    def pause(self, rerun_id: int) -> record_payloads.Rerun:
        """Dispatch nothing new."""
        return self._ask(record_payloads.Rerun, "POST", f"/reruns/{rerun_id}/pause")

    def resume(self, rerun_id: int) -> record_payloads.Rerun:
        """Go on; a failed rerun retries its failed members."""
        return self._ask(record_payloads.Rerun, "POST", f"/reruns/{rerun_id}/resume")

    def terminate(self, rerun_id: int) -> record_payloads.Rerun:
        """End the rerun."""
        return self._ask(record_payloads.Rerun, "POST", f"/reruns/{rerun_id}/terminate")

    def release(self, rerun_id: int) -> record_payloads.Rerun:
        """Release the frozen runs."""
        return self._ask(record_payloads.Rerun, "POST", f"/reruns/{rerun_id}/release")

    def retry(self, rerun_id: int, member_id: int) -> record_payloads.Member:
        """Dispatch a failed member again."""
        return self._ask(record_payloads.Member, "POST", f"/reruns/{rerun_id}/members/{member_id}/retry")

    def skip(self, rerun_id: int, member_id: int) -> record_payloads.Member:
        """Continue as if a failed member had succeeded."""
        return self._ask(record_payloads.Member, "POST", f"/reruns/{rerun_id}/members/{member_id}/skip")

    def release_member(self, rerun_id: int, member_id: int) -> record_payloads.Member:
        """Release one frozen run."""
        return self._ask(record_payloads.Member, "POST", f"/reruns/{rerun_id}/members/{member_id}/release")

    def dag_runs(self, **wanted: Any) -> plan_payloads.DagRuns:
        """A page of Dag runs; ``wanted`` are the filters, ``limit``, ``offset`` and ``order_by``."""
        return self._ask(plan_payloads.DagRuns, "GET", "/dag-runs", wanted)

    def task_instances(self, dag_id: str, run_id: str) -> plan_payloads.TaskInstances:
        """A run's task instances, with those preselected that a rerun from it would take."""
        path = f"/dag-runs/{quote(dag_id, safe='')}/{quote(run_id, safe='')}/task-instances"
        return self._ask(plan_payloads.TaskInstances, "GET", path)

    def edges(self, dag_id: str) -> plan_payloads.DagEdges:
        """What is upstream and downstream of a Dag, and how each edge is known."""
        return self._ask(plan_payloads.DagEdges, "GET", f"/dags/{quote(dag_id, safe='')}/edges")

    def health(self) -> installation_payloads.Health:
        """The installation's components."""
        return self._ask(installation_payloads.Health, "GET", "/health")

    def notification_targets(self) -> installation_payloads.NotificationTargets:
        """Whom a rerun may notify."""
        return self._ask(installation_payloads.NotificationTargets, "GET", "/notification-targets")

    def send_test(self, target: str) -> installation_payloads.SentTest:
        """Send a notification target a test; `notification_targets` tells how it went."""
        path = f"/notification-targets/{quote(target, safe='')}/test"
        return self._ask(installation_payloads.SentTest, "POST", path)

    def wait(
        self,
        rerun_id: int,
        *,
        timeout: float | None = None,
        on_change: Callable[[record_payloads.Rerun], None] | None = None,
        interval: float = 1.0,
    ) -> record_payloads.Rerun:
        """Wait until the rerun has succeeded, failed or been terminated; see `waiting.wait`."""
        return waiting.wait(lambda: self.rerun(rerun_id), timeout=timeout, on_change=on_change, interval=interval)

    def _ask(
        self, answer: type[Answer], method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Answer:
        if isinstance(body, BaseModel):
            body = body.model_dump(mode="json", exclude_unset=True)
        found = self._transport.call(method, path, params=query(params or {}), body=body)
        try:
            return answer.model_validate(found)
        except ValidationError as error:
            raise ConnectionProblem(f"The answer to {method} {path} is not of this API: {error}") from error


def page(limit: int, offset: int) -> dict[str, int]:
    """The part of a list that is wanted."""
    return {"limit": limit, "offset": offset}


def query(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as texts; None is left out, collections are repeated."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, (list, tuple, set, frozenset)):
            found[name] = [text(each) for each in value]
        elif value is not None:
            found[name] = text(value)
    return found


def text(value: Any) -> str:
    """A parameter's value as the query string has it."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)
