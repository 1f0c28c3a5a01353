"""A server that answers as the REST API does, from the contract's own calls, and remembers what it was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, cast

import httpx
from pydantic import BaseModel

from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.rest.api import Api
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody
from airflow_rerun_downstream.service import Service
from tests.rest.stub import StubService

API = "/rerun-downstream/api/v1"
Asked = tuple[str, str, Any]


class RestServer:
    """Takes a token; whatever isn't asked here is 404, and whatever would change something is done all the same."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.api = Api(cast("Service", StubService()), Actor("1", "ana"))
        self.refusal: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(API)
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, path, body))
        if self.refusal is not None:
            return self.refusal
        found = self.found(request.method, path, body, request.url.params)
        if found is None:
            return httpx.Response(404, json={"detail": f"There is no {path}.", "reason": "not_found"})
        return httpx.Response(200, json=found.model_dump(mode="json"))

    def found(self, method: str, path: str, body: Any, params: httpx.QueryParams) -> BaseModel | None:
        """The contract's answer."""
        api = self.api
        fixed: dict[tuple[str, str], Callable[[], BaseModel]] = {
            ("POST", "/plans"): lambda: api.plan(
                PlanBody.model_validate(body), task_instances=params["task_instances"] == "true"
            ),
            ("POST", "/reviews"): lambda: api.review(RerunBody.model_validate(body)),
            ("POST", "/reruns"): lambda: api.submit(RerunBody.model_validate(body)),
            ("GET", "/reruns"): lambda: api.reruns(),
            ("GET", "/dag-runs"): lambda: api.dag_runs(),
        }
        of_one: dict[str, Callable[[int], BaseModel]] = {
            "": api.rerun,
            "/changes": api.changes,
            "/estimate": api.estimate,
            "/members": lambda rerun_id: api.members(
                rerun_id, member_id=[int(each) for each in params.get_list("member_id")] or None
            ),
        }
        if (method, path) in fixed:
            return fixed[method, path]()
        one = re.fullmatch(r"/reruns/(\d+)(/\w+)?", path)
        if method == "GET" and one and (one[2] or "") in of_one:
            return of_one[one[2] or ""](int(one[1]))
        return None
