"""The REST API as the api-server mounts it, with Airflow's own login, over a stub of the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast
from unittest.mock import ANY

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pytest_mock import MockerFixture
from sqlalchemy.exc import IntegrityError, OperationalError

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.web import background as background_module
from airflow_rerun_downstream.airflow3.web import routes as routes_module
from airflow_rerun_downstream.airflow3.web.appointments import LEAST, SHARE, Appointments
from airflow_rerun_downstream.airflow3.web.body_limit import MAX_BODY
from airflow_rerun_downstream.client import RefusedError, RerunDownstreamClient
from airflow_rerun_downstream.domain.errors import Forbidden, SchemaMismatch, StalePlan
from airflow_rerun_downstream.domain.idempotency import IdempotencyKey, users_key
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.rest import plan_payloads
from airflow_rerun_downstream.rest.queries import RERUN_ORDERS, RUN_ORDERS
from airflow_rerun_downstream.rest.requests import PlanBody
from airflow_rerun_downstream.settings import InvalidSetting, WrongOption
from tests.airflow3.conftest import rewire
from tests.airflow3.web.api_server import server
from tests.rest.stub import FUTURE, StubService

# Airflow looks a token up among the revoked ones.
pytestmark = [
    pytest.mark.usefixtures("database"),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.filterwarnings("ignore:The HMAC key is"),
]

API = "/rerun-downstream/api/v1"
BODY = {"source": {"dag_id": "orders", "run_id": "r"}}
CHOSEN = {"members": [{"member_id": 1}, {"member_id": 2}]}
BODIES = {
    **dict.fromkeys(("/plans", "/reviews", "/reruns"), BODY),
    **dict.fromkeys(("/reruns/7/members/retry", "/reruns/7/members/skip"), CHOSEN),
    "/reruns/7/comment": {"text": "The feed is right now"},
}


class StubBackground:
    """Keeps what the lifespan does."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def start(self) -> None:
        self.did.append("start")

    def wake(self) -> None:
        self.did.append("wake")

    def stop(self) -> None:
        self.did.append("stop")


@pytest.fixture
def stub() -> StubService:
    return StubService()


@pytest.fixture
def background() -> StubBackground:
    return StubBackground()


@pytest.fixture
def app(stub: StubService, background: StubBackground) -> FastAPI:
    state = server().state.mounted.state
    state.services = lambda: stub
    state.background = background
    state.wake = background.wake
    return server()


@pytest.fixture
def anonymous(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def client(anonymous: TestClient) -> TestClient:
    anonymous.headers["authorization"] = f"Bearer {token()}"
    return anonymous


def token() -> str:
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    manager = init_auth_manager()
    made: str = manager.generate_jwt(SimpleAuthManagerUser(username="ana", role="admin"))
    return made


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    document = app.state.mounted.openapi()
    for path, methods in document["paths"].items():
        for method in methods:
            yield method.upper(), "/rerun-downstream" + path


def test_every_call_needs_a_login(app: FastAPI, anonymous: TestClient) -> None:
    token()
    for method, path in routes(app):
        path = path.replace("{rerun_id}", "1").replace("{member_id}", "1")
        answer = anonymous.request(method, path, json=BODY if method == "POST" else None)
        assert (answer.status_code, answer.json()["reason"]) == (401, "not_authenticated"), path


def test_a_body_that_is_too_large_is_not_read(client: TestClient, stub: StubService) -> None:
    """Whether its size is said beforehand or not."""
    text = json.dumps(BODY).encode()
    large = text + b" " * (MAX_BODY + 1 - len(text))
    for content in (large, iter([large[: MAX_BODY // 2], large[MAX_BODY // 2 :]])):
        answer = client.post(f"{API}/plans", content=content, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["reason"]) == (413, "body_too_large")
    assert stub.calls == []
    answer = client.post(f"{API}/plans", content=large[:-1], headers={"content-type": "application/json"})
    assert answer.status_code == 200


def test_a_token_that_is_none_is_refused(anonymous: TestClient) -> None:
    token()
    answer = anonymous.get(f"{API}/reruns", headers={"authorization": "Bearer nonsense"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "forbidden")


def test_the_actor_is_airflows_user(client: TestClient, stub: StubService) -> None:
    assert client.get(f"{API}/reruns/7").status_code == 200
    (_, actor, rerun_id) = stub.calls[0]
    assert (actor, rerun_id) == (Actor("ana", "ana", native=actor.native), 7)
    assert actor.native.get_name() == "ana"


def test_all_that_open_pages_ask_delays_their_next_looks(
    app: FastAPI, client: TestClient, stub: StubService, mocker: MockerFixture
) -> None:
    """Each call takes a second here, and the clock stands still."""
    mocker.patch.object(routes_module, "time_of", return_value=1.0)
    app.state.mounted.state.appointments = Appointments(clock=lambda: 0.0)
    whole = stub.changes

    def look() -> float:
        found: float = client.get(f"{API}/reruns/7/changes").json()["look_again_after"]
        return found

    assert look() == LEAST
    for path in ("members", "links"):
        assert client.get(f"{API}/reruns/7/{path}").status_code == 200
    assert look() == LEAST + 3 / SHARE
    app.state.mounted.state.appointments = Appointments(clock=lambda: 0.0)
    stub.changes = lambda *given, **more: replace(whole(*given, **more), more=True)  # type: ignore[method-assign]
    look()
    stub.changes = whole  # type: ignore[method-assign]
    assert look() == 1 / SHARE


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/dag-runs?dag_id=a&dag_id=b&limit=1&can_be_source=true", 200),
        ("GET", "/dag-runs/orders/scheduled__2026-01-01T00:00:00%2B00:00/task-instances", 200),
        ("GET", "/dag-runs/orders/a%2Fb/task-instances", 200),
        ("POST", "/plans", 200),
        ("POST", "/plans?task_instances=false", 200),
        ("POST", "/reviews", 200),
        ("POST", "/reruns", 201),
        ("GET", "/reruns?state=running&state=failed&order_by=-id", 200),
        ("GET", "/reruns/7", 200),
        ("GET", "/reruns/7/changes", 200),
        ("GET", "/reruns/7/changes?since=now&limit=1", 200),
        ("GET", "/reruns/7/members?limit=1&offset=1", 200),
        ("GET", "/reruns/7/links", 200),
        ("GET", "/reruns/7/dags?limit=1", 200),
        ("GET", "/reruns/7/events", 200),
        ("GET", "/reruns/7/not-made-anew", 200),
        ("GET", "/reruns/7/proof?limit=5", 200),
        ("GET", "/reruns/7/estimate?limit=5", 200),
        ("GET", "/reruns/7/review", 200),
        ("POST", "/reruns/7/approve", 200),
        ("POST", "/reruns/7/reject", 200),
        ("POST", "/reruns/7/pause", 200),
        ("POST", "/reruns/7/resume", 200),
        ("POST", "/reruns/7/terminate", 200),
        ("POST", "/reruns/7/release", 200),
        ("POST", "/reruns/7/comment", 200),
        ("POST", "/reruns/7/members/retry", 200),
        ("POST", "/reruns/7/members/skip", 200),
        ("POST", "/reruns/7/members/1/retry", 200),
        ("POST", "/reruns/7/members/1/skip", 200),
        ("GET", "/notification-targets", 200),
        ("POST", "/notification-targets/data-team/test", 202),
        ("GET", "/reruns/7/notifications?limit=1", 200),
        ("GET", "/dags/orders/edges", 200),
    ],
)
def test_every_call_of_the_contract_answers(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, API + path, json=BODIES.get(path.split("?")[0]))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("?format=csv", None, "text/csv"),
        ("", "text/csv", "text/csv"),
        ("", "*/*", "application/json"),
        ("?format=json", "text/csv", "application/json"),
    ],
)
def test_a_proof_comes_as_a_file_to_who_asks_for_one(
    client: TestClient, query: str, accept: str | None, kind: str
) -> None:
    answer = client.get(f"{API}/reruns/7/proof{query}", headers={} if accept is None else {"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, kind)
    named = answer.headers.get("content-disposition")
    assert named == ('attachment; filename="rerun-7-proof.csv"' if kind == "text/csv" else None)
    assert ("read_too_early" in answer.text) is True


def test_what_was_asked_arrives(client: TestClient, stub: StubService) -> None:
    client.get(
        f"{API}/dag-runs?dag_id=a&dag_id=b&limit=100000&run_after_gte=2026-01-01T00:00:00%2B02:00&dag_id_pattern=x%25"
    )
    wanted = stub.calls[0][2]
    assert wanted.dag_ids == {"a", "b"}
    assert (wanted.limit, wanted.dag_id_pattern) == (100, "x%")
    assert wanted.run_after_gte.isoformat() == "2025-12-31T22:00:00+00:00"
    client.get(f"{API}/dag-runs/orders/a%2Fb/task-instances")
    assert str(stub.calls[1][2]) == "orders / a/b"
    client.get(f"{API}/dags/or%20ders/edges")
    assert stub.calls[2][2] == "or ders"
    client.get(f"{API}/reruns?dag_id_pattern=a_b")
    assert stub.calls[3][2].dag_id_pattern == "a_b"


def test_members_can_be_asked_for_by_their_ids(client: TestClient, stub: StubService) -> None:
    everyone = client.get(f"{API}/reruns/7/members").json()
    some = everyone["members"][-1:]
    query = "&".join(f"member_id={one['id']}" for one in some) + "&member_id=99"
    assert client.get(f"{API}/reruns/7/members?{query}").json() == {"members": some, "total_entries": 1}
    for bad in ("member_id=-1", "member_id=x", "member_id=99999999999", "&".join(["member_id=1"] * 101)):
        assert client.get(f"{API}/reruns/7/members?{bad}").status_code == 422


def test_a_call_that_makes_work_wakes_the_conductor(client: TestClient, background: StubBackground) -> None:
    client.get(f"{API}/reruns/7")
    client.post(f"{API}/reruns/7/pause")
    client.post(f"{API}/reviews", json=BODY)
    assert background.did == []
    client.post(f"{API}/reruns", json=BODY)
    client.post(f"{API}/reruns/7/resume")
    assert background.did == ["wake", "wake"]


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/rerun-downstream/", 404, "not_found"),
        ("GET", f"{API}/nothing", 404, "not_found"),
        ("GET", f"{API}/reruns/", 404, "not_found"),
        ("PUT", f"{API}/reruns", 405, "method_not_allowed"),
        ("GET", f"{API}/plans", 405, "method_not_allowed"),
        ("GET", f"{API}/reruns/99999999999999999999", 404, "not_found"),
        ("GET", f"{API}/reruns/0", 404, "not_found"),
        ("POST", f"{API}/reruns/7/members/4294967296/skip", 404, "not_found"),
        ("GET", f"{API}/reruns/seven", 422, "invalid"),
        ("GET", f"{API}/reruns?limit=-1", 422, "invalid"),
        ("GET", f"{API}/reruns?limit=many", 422, "invalid"),
        ("GET", f"{API}/reruns?stat=running", 422, "invalid"),
        ("GET", f"{API}/reruns?state=lost", 422, "invalid"),
        ("GET", f"{API}/reruns?order_by=secret", 422, "invalid"),
        ("GET", f"{API}/reruns?dag_id=%00", 422, "invalid"),
        ("GET", f"{API}/reruns/7/members?offset=99999999999999999999", 422, "invalid"),
        ("GET", f"{API}/dag-runs?run_after_gte=2026-01-01T00:00:00", 422, "invalid"),
        ("GET", f"{API}/dag-runs/orders/%00/task-instances", 422, "invalid"),
        ("POST", f"{API}/plans", 422, "invalid"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    client: TestClient, method: str, path: str, status: int, reason: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (b"{", "invalid", ""),
        (b"[]", "invalid", ""),
        (b'{"source": {"dag_id": "a", "run_id": "r"}, "name": "\\ud800"}', "invalid", "lone surrogate"),
        (b'{"source": {"dag_id": "a", "run_id": "r"}, "name": "\\u0000"}', "invalid", "NUL"),
        (b'{"source": {"dag_id": "a", "run_id": "r"}, "x\\ud800": 1}', "invalid", ""),
        (b'{"source": {"dag_id": "a", "run_id": "r"}, "task_ids": []}', "empty_selection", "task_ids"),
        (b'{"source": {"dag_id": "a", "run_id": "r"}, "name": "' + b"n" * 10_000 + b'"}', "invalid", "500"),
        (b'{"source": {"dag_id": "a", "run_id": "r"}, "fros": 1}', "invalid", "fros"),
    ],
    ids=str,
)
def test_a_bad_body_is_refused(client: TestClient, body: bytes, reason: str, words: str) -> None:
    answer = client.post(f"{API}/reruns", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)
    assert words in answer.json()["detail"]


def database_error(kind: type[Any], message: str) -> Exception:
    return cast("Exception", kind("SELECT 1", {}, Exception(message)))


A_SECRET_OPTION = Sentence("option.wrong", name="poll_interval", value="a secret", right=Sentence("option.seconds"))


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (StalePlan("Changed.", changes=["x"]), 409, "stale_plan"),
        (Forbidden("No.", dag_ids=["a"]), 403, "forbidden_dags"),
        (SchemaMismatch("Run `airflow-rerun-downstream db migrate`."), 503, "database_not_migrated"),
        (InvalidSetting([WrongOption("poll_interval", A_SECRET_OPTION)]), 503, "invalid_setting"),
        (RuntimeError("a secret"), 500, "internal_error"),
        (database_error(OperationalError, "database is locked"), 500, "database_error internal_error"),
        (database_error(IntegrityError, "UNIQUE constraint failed"), 409, "unique_constraint_violation"),
        (database_error(IntegrityError, "CHECK constraint failed"), 500, "internal_error"),
    ],
    ids=repr,
)
def test_every_error_is_json(client: TestClient, stub: StubService, error: Exception, status: int, reason: str) -> None:
    stub.error = error
    answer = client.get(f"{API}/reruns")
    assert answer.status_code == status
    assert answer.json()["reason"] in reason.split()  # the first word where Airflow itself handles the error
    assert "secret" not in answer.text


def test_health_answers_when_nothing_else_does(client: TestClient, stub: StubService) -> None:
    stub.refusal = SchemaMismatch("Run it.")
    assert client.get(f"{API}/reruns").status_code == 503
    answer = client.get(f"{API}/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "unhealthy")


def test_health_names_all_options_that_cannot_be_used(
    app: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"POLL_INTERVAL": "soon", "CONDUCTOR": "worker", "POL_INTERVAL": "1"}.items():
        monkeypatch.setenv(f"AIRFLOW__RERUN_DOWNSTREAM__{name}", value)
    rewire()
    app.state.mounted.state.services = wiring.rest_service
    refused = client.get(f"{API}/reruns")
    assert (refused.status_code, refused.json()["reason"]) == (503, "invalid_setting")
    assert "poll_interval, conductor" in refused.json()["detail"]
    assert "soon" not in refused.text
    answer = client.get(f"{API}/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "unhealthy")
    found = answer.json()["components"]
    found["configuration"].pop("sentence")
    assert found["configuration"] == {
        "status": "unhealthy",
        "detail": "[rerun_downstream] poll_interval = 'soon': give seconds, above 0 and below 86400, such as 1.0. "
        "[rerun_downstream] conductor = 'worker': give api_server or external. "
        "[rerun_downstream] pol_interval is not an option and does nothing. Did you mean poll_interval?",
        "since": None,
    }
    assert found["declared_links"]["detail"] == "Unknown: an option is wrong; see `configuration`."
    assert set(found) > {"database", "conductor", "frozen", "policy"}
    rewire()


HOST = "testserver"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "http://elsewhere"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"sec-fetch-site": "same-site", "origin": f"http://{HOST}"}, 403),
        ({}, 200),
        ({"origin": f"http://{HOST}"}, 200),
        ({"origin": f"HTTPS://{HOST.upper()}"}, 200),
        ({"origin": f"http://{HOST}:8081"}, 403),
        ({"origin": "http://elsewhere"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://proxy", "x-forwarded-host": "proxy, inner"}, 200),
        ({"origin": "http://inner", "x-forwarded-host": "proxy, inner"}, 403),
    ],
    ids=str,
)
@pytest.mark.parametrize("bearer", [True, False], ids=["bearer", "cookie"])
def test_another_origin_cannot_change_anything(
    anonymous: TestClient, stub: StubService, headers: dict[str, str], status: int, bearer: bool
) -> None:
    if bearer:
        headers = {**headers, "authorization": f"Bearer {token()}"}
    else:
        anonymous.cookies["_token"] = token()
    assert anonymous.post(f"{API}/reruns/7/pause", headers=headers).status_code == status
    assert len(stub.calls) == (status == 200)
    assert anonymous.get(f"{API}/reruns/7", headers=headers).status_code == 200


def test_a_body_without_a_type_from_another_origin_is_refused(anonymous: TestClient, stub: StubService) -> None:
    anonymous.cookies["_token"] = token()
    for content_type in ({}, {"content-type": "text/plain"}):
        answer = anonymous.post(
            f"{API}/reruns", content=b'{"source": {}}', headers={"sec-fetch-site": "same-site", **content_type}
        )
        assert (answer.status_code, answer.json()["reason"]) == (403, "cross_origin")
    assert stub.calls == []


def test_the_openapi_document_is_complete(app: FastAPI) -> None:
    document = app.state.mounted.openapi()
    calls = [call for methods in document["paths"].values() for call in methods.values()]
    ids = [call["operationId"] for call in calls]
    assert len(ids) == len(set(ids)) == 33
    for call in calls:
        ok = next(call["responses"][status] for status in ("200", "201", "202") if status in call["responses"])
        assert "$ref" in ok["content"]["application/json"]["schema"], call["operationId"]
        for status in ("400", "401", "403", "404", "409", "422", "503"):
            schema = call["responses"][status]["content"]["application/json"]["schema"]
            assert schema["$ref"].endswith("/Problem"), call["operationId"]
    names = set(document["components"]["schemas"])
    assert {"Plan", "Rerun", "Member", "Link", "DagEdge", "Event", "Health", "RerunBody", "PlanBody"} <= names


def test_the_openapi_document_tells_what_is_refused(app: FastAPI) -> None:
    document = app.state.mounted.openapi()
    bodies = document["components"]["schemas"]
    for name in ("PlanBody", "RerunBody", "MemberBody"):
        tasks = bodies[name]["properties"]["task_ids"]["anyOf"]
        assert [each.get("minItems") for each in tasks] == [1, None], name
    for path, allowed in (("reruns", RERUN_ORDERS), ("dag-runs", RUN_ORDERS)):
        parameters = document["paths"][f"/api/v1/{path}"]["get"]["parameters"]
        (order_by,) = [each["schema"] for each in parameters if each["name"] == "order_by"]
        assert set(order_by["enum"]) == {sign + name for sign in ("", "-") for name in allowed}


@pytest.mark.parametrize(
    "path",
    [
        f"{API}/health",
        f"{API}/reruns/0",
        f"{API}/reruns/x",
        "/rerun-downstream/nothing",
        "/rerun-downstream/openapi.json",
    ],
)
@pytest.mark.parametrize("error", [None, RuntimeError("unforeseen"), SchemaMismatch("Run it.")], ids=repr)
def test_no_answer_is_kept_or_guessed(client: TestClient, stub: StubService, path: str, error: Exception) -> None:
    stub.error = error
    for headers in (client.headers, {"authorization": ""}):
        answer = client.get(path, headers=headers)
        assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_there_is_no_page_that_loads_scripts_of_others(anonymous: TestClient) -> None:
    for page in ("docs", "redoc"):
        assert anonymous.get(f"/rerun-downstream/{page}").status_code == 404


def test_the_openapi_document_is_served(anonymous: TestClient) -> None:
    assert anonymous.get("/rerun-downstream/openapi.json").json()["info"]["title"] == "Rerun Downstream"


def test_the_lifespan_frames_the_background(app: FastAPI, background: StubBackground, mocker: MockerFixture) -> None:
    token()
    mounted = app.state.mounted
    mocker.patch.object(background_module, "load_models", side_effect=lambda: background.did.append("load"))
    with TestClient(mounted):
        assert background.did == ["load", "start"]
        assert mounted.state.auth_manager is not None
        assert mounted.state.dag_bag is not None
    assert background.did == ["load", "start", "stop"]


def test_models_that_cannot_be_imported_are_no_concern_of_the_server(app: FastAPI, mocker: MockerFixture) -> None:
    token()
    mocker.patch.object(background_module, "load_models", side_effect=ImportError)
    with TestClient(app.state.mounted):
        pass


def test_a_repeated_submit_answers_what_was_made(client: TestClient, stub: StubService) -> None:
    key = {"Idempotency-Key": "nightly-1"}
    made = client.post(f"{API}/reruns", json=BODY, headers=key)
    stub.made_earlier = True
    again = client.post(f"{API}/reruns", json={**BODY, "freeze_mode": False}, headers=key)
    assert (made.status_code, again.status_code, again.json()) == (201, 200, made.json())
    first, second = (call[3] for call in stub.calls)
    assert first == second == IdempotencyKey.of(Actor("ana", "ana"), "nightly-1", json.dumps(BODY, sort_keys=True))


@pytest.mark.parametrize("key", ["", "two words", "k" * 251, "caf\xe9"])
def test_a_key_that_no_program_makes_is_refused(client: TestClient, stub: StubService, key: str) -> None:
    answer = client.post(f"{API}/reruns", json=BODY, headers={"Idempotency-Key": key.encode("latin-1")})
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid")
    assert stub.calls == []


def test_a_rerun_is_asked_for_by_ones_own_key(client: TestClient, stub: StubService) -> None:
    assert client.get(f"{API}/reruns?idempotency_key=nightly-1").status_code == 200
    assert stub.calls[0][2].idempotency_key == users_key(Actor("ana", "ana"), "nightly-1")
    assert client.get(f"{API}/reruns?idempotency_key=two%20words").status_code == 422


def test_the_client_speaks_with_the_app(app: FastAPI, stub: StubService) -> None:
    connection = TestClient(app)

    def pass_on(asked: httpx.Request) -> httpx.Response:
        url = asked.url.raw_path.decode()
        answer = connection.request(asked.method, url, headers=dict(asked.headers), content=asked.content)
        return httpx.Response(answer.status_code, content=answer.content)

    transport = httpx.MockTransport(pass_on)
    with RerunDownstreamClient("http://testserver", token=token(), transport=transport) as client:
        assert client.plan(BODY).plan_token == "token-1"
        assert client.plan(PlanBody.model_validate(BODY), task_instances=False).source.task_instances is None
        assert client.review(BODY).frozen == [
            plan_payloads.FutureRef(dag_id="report", logical_date=FUTURE.logical_date)
        ]
        assert client.submit(BODY).id == 7
        assert client.submit(BODY, idempotency_key="k-1").id == 7
        assert client.reruns(state=["running"], limit=1).total_entries == 11
        assert client.rerun(7).state.value == "running"
        assert [each.id for each in client.members(7).members] == [1, 2]
        assert client.changes(7).whole
        assert client.changes(7, since="now").members == []
        assert [each.reason for each in client.proof(7, limit=1).findings] == ["read_too_early"]
        assert client.links(7).links[2].downstream == plan_payloads.FutureRef(dag_id="unknown")
        assert client.events(7, limit=1, offset=1).total_entries == 2
        assert client.proposal_review(7).changes[0].change == "changed"
        assert client.approve(7, plan_token="t").id == client.reject(7, reason="no").id == 7
        assert stub.calls[-2:] == [("approve", ANY, 7, "t"), ("reject", ANY, 7, "no")]
        for move in (client.pause, client.resume, client.terminate, client.release):
            assert move(7).id == 7
        for repair in (client.retry, client.skip):
            assert repair(7, 1).id == 1
        assert client.dag_runs(dag_id=["a", "b"], can_be_source=True).total_entries == 1
        assert client.task_instances("orders", "r/1+2").total_entries == 2
        assert client.edges("orders").dag_id == "orders"
        assert client.health().status == "unhealthy"
        assert client.notification_targets().notification_targets[0].name == "data-team"
        assert client.send_test("a b&c").state.value == "sent"
        assert client.notifications(7, limit=1).notifications[0].occurrences == 3
        with pytest.raises(RefusedError, match="not_found"):
            client.rerun(0)
        stub.state = RerunState.SUCCEEDED
        assert client.wait(7).state is RerunState.SUCCEEDED
    asked = [call[0] for call in stub.calls]
    assert {"plan", "submit", "reruns", "rerun", "members", "links", "events", "dag_runs", "task_instances"} <= set(
        asked
    )
