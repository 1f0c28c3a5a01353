"""An api-server in memory, for clients: the real contract over fakes, behind a login whose tokens expire."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
from pydantic import ValidationError

from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.rest import problems
from airflow_rerun_downstream.rest.api import Api
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody
from tests.fakes.house import ADA, House

API = "/rerun-downstream/api/v1"
URL = "http://airflow.example.com/sub"

Reply = tuple[int, Any]


class FakeServer:
    """Answers as the routes do. ``away``: how many calls find nobody; ``on_look`` is called before a record is read.

    Async clients have an answer after ``takes`` seconds.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.api = Api(house.service, ADA)
        self.away = 0
        self.takes = 0.0
        self.waiting = 0
        self.tokens = 0
        self.valid: str | None = None
        self.asked: list[str] = []
        self.keys: list[str] = []
        self.dags: dict[str, list[str]] = {}
        self.on_look: Callable[[], object] = lambda: None

    def expire(self) -> None:
        """Let no token be valid any more."""
        self.valid = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            self.away -= 1
            raise httpx.ConnectError("nobody listens", request=request)
        path = request.url.path.removeprefix("/sub")
        if path == "/auth/token":
            return self.login(request)
        if request.headers.get("authorization") != f"Bearer {self.valid}":
            return httpx.Response(401, json={"detail": "Not authenticated"})
        self.asked.append(f"{request.method} {path.removeprefix(API)}")
        try:
            status, body = self.airflow(path, request) if path.startswith("/api/v2") else self.ours(path, request)
        except Refusal as refusal:
            status, body = problems.of_refusal(refusal)
        except ValidationError as error:
            status, body = problems.of_errors(error.errors())
        return httpx.Response(status, json=body)

    async def later(self, request: httpx.Request) -> httpx.Response:
        """Answer an async client."""
        self.waiting += 1
        try:
            await asyncio.sleep(self.takes)
            return self(request)
        finally:
            self.waiting -= 1

    def login(self, request: httpx.Request) -> httpx.Response:
        said = json.loads(request.content)
        if said != {"username": "ada", "password": "secret"}:
            return httpx.Response(401, json={"detail": "Invalid credentials"})
        self.tokens += 1
        self.valid = f"token-{self.tokens}"
        return httpx.Response(201, json={"access_token": self.valid})

    def ours(self, path: str, request: httpx.Request) -> Reply:
        call = f"{request.method} {path.removeprefix(API)}"
        query = {name: request.url.params[name] for name in request.url.params}
        body = json.loads(request.content) if request.content else None
        if call == "POST /reruns":
            key = request.headers.get("idempotency-key")
            self.keys += [key] if key else []
            rerun, new = self.api.submitted(RerunBody.model_validate(body), idempotency_key=key)
            return (201 if new else 200), rerun.model_dump(mode="json")
        if found := re.fullmatch(r"(GET|POST) /reruns/(\d+)(?:/(\w+))?", call):
            method, number, verb = found.groups()
            if method == "GET" and verb is None:
                self.on_look()
            does = getattr(self.api, verb or "rerun")
            pages = {name: int(value) for name, value in query.items()}
            return 200, does(int(number), **pages).model_dump(mode="json")
        answers: dict[str, Callable[[], Any]] = {
            "GET /health": self.api.health,
            "GET /reruns": lambda: self.api.reruns(**query),
            "GET /dag-runs": lambda: self.api.dag_runs(**query),
            "POST /plans": lambda: self.api.plan(PlanBody.model_validate(body), task_instances=False),
        }
        return 200, answers[call]().model_dump(mode="json")

    def airflow(self, path: str, request: httpx.Request) -> Reply:
        """Airflow's own API."""
        params = request.url.params
        if found := re.fullmatch(r"/api/v2/dags/([^/]+)/dagRuns", path):
            runs = [
                {"dag_run_id": ref.run_id}
                for ref, run in self.house.world.runs.items()
                if ref.dag_id == found[1] and run.logical_date
                if run.logical_date.isoformat() == params["logical_date_gte"] == params["logical_date_lte"]
            ]
            return 200, {"dag_runs": runs, "total_entries": len(runs)}
        assert (path, params["tags_match_mode"]) == ("/api/v2/dags", "any")
        offset, limit = int(params["offset"]), int(params["limit"])
        ids = sorted(dag_id for dag_id, tags in self.dags.items() if set(tags) & set(params.get_list("tags")))
        return 200, {"dags": [{"dag_id": one} for one in ids[offset : offset + limit]], "total_entries": len(ids)}
