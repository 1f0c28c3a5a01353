"""The pages in a browser, with answers in the server's place: what is measured is the pages alone."""

from __future__ import annotations

import json
import mimetypes
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from airflow_rerun_downstream.airflow3.web.static_pages import INDEX, STATIC

ROOT = "/rerun-downstream/ui/"
HOST = "http://pages.invalid"
SOURCE = {"dag_id": "source", "run_id": "r0"}
WIZARD = f"{HOST}{ROOT}rerun?dag_id=source&run_id=r0&step=downstream"
LEVELS = 10
Json = dict[str, Any]


def ref(number: int, level: int) -> Json:
    """One of the runs: those of a level are of about half as many Dags."""
    return {"dag_id": f"dag_{level}_{number % max(level // 2, 1):04}", "run_id": f"scheduled__{number:05}"}


def run(named: Json) -> Json:
    task = {"task_id": "load", "map_index": -1, "state": "success", "status": "success", "operator": "PythonOperator"}
    when = "2026-01-05T01:00:00Z"
    return {
        **named,
        "run_type": "scheduled",
        "state": "success",
        "logical_date": when,
        "run_after": when,
        "data_interval_start": None,
        "data_interval_end": None,
        "partition_key": None,
        "status": "success",
        "exists": True,
        "next": False,
        "selectable": True,
        "reason": None,
        "freeze_action": None,
        "freeze_reason": None,
        "selected": True,
        "can_be_source": True,
        "source_reason": None,
        "task_ids": ["load"],
        "task_instances": [{**task, "selected": True, "reason": "polluted"}],
    }


def link(upstream: Json, downstream: Json) -> Json:
    ends = {"from_task_id": None, "to_task_id": None}
    return {"upstream": upstream, "downstream": downstream, "kind": "asset", "evidence": "recorded", "via": {}, **ends}


def links(count: int) -> list[Json]:
    """Two links to every run: from the level before, and from the one before that."""
    level = max(count // LEVELS, 1)
    found = []
    for number in range(count):
        found.append(link(SOURCE if number < level else ref(number - level, level), ref(number, level)))
        if number >= 2 * level:
            found.append(link(ref(number - 2 * level + number % 2, level), ref(number, level)))
    return found


def plan(count: int) -> Json:
    """A plan with so many runs, in ten levels."""
    level = max(count // LEVELS, 1)
    runs = [run(ref(number, level)) for number in range(count)]
    given = {"plan_token": "token", "warnings": [], "hidden_dags": 0}
    return {**given, "source": run(SOURCE), "runs": runs, "links": links(count)}


NO_REVIEW = {"warnings": [], "waves": [], "stopped": [], "frozen": []}
NO_TASKS = {"task_instances": [], "structure": [], "total_entries": 0}


def answer(page: Page, answers: dict[str, Any]) -> None:
    """Give the page its files, and to each path below the API, which may end in `*`, the JSON that is named for it."""
    bodies = {path: json.dumps(body) for path, body in answers.items()}

    def respond(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if "/api/v1/" in path:
            body = bodies.get(path.partition("/api/v1")[2])
            route.fulfill(status=404 if body is None else 200, body=body or "{}", content_type="application/json")
        elif path.startswith(ROOT):
            file = STATIC / path.removeprefix(ROOT)
            kind = mimetypes.guess_type(file.name)[0] if file.is_file() else "text/html"
            index = (STATIC / INDEX).read_text().replace('"./', f'"{ROOT}')
            route.fulfill(body=file.read_bytes() if file.is_file() else index, content_type=kind)
        else:
            route.fulfill(status=404, body="")

    page.route("**/*", respond)


def answer_plan(page: Page, count: int) -> None:
    """Let the wizard find a plan with so many runs."""
    answer(
        page,
        {
            "/plans": plan(count),
            "/reviews": NO_REVIEW,
            "/dag-runs/source/r0/task-instances": NO_TASKS,
            "/reruns": {"reruns": [], "total_entries": 0},
            "/notification-targets": {"notification_targets": []},
        },
    )
