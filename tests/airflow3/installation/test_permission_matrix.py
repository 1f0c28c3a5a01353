"""Every call of the OpenAPI document, by ten users of the FAB auth manager, about their own, mixed and hidden reruns.

What is expected of a call follows from what Airflow's own API answers the same user about each Dag. No answer may have
the name of a Dag that this user can't read, of its runs or of its tasks: all of these have the Dag's name in theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pytest_mock import MockerFixture
from sqlalchemy import delete, insert, select, update

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.installation.permissions import AuthManagerPermissions, sees_installation
from airflow_rerun_downstream.airflow3.web.app import make_app
from airflow_rerun_downstream.domain.new_rerun import NewFrozen
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest, RerunSettings
from airflow_rerun_downstream.store import tables
from airflow_rerun_downstream.store.rerun_store import SqlRerunStore
from tests.airflow3 import history, logins, scene
from tests.airflow3.conftest import rewire
from tests.airflow3.database import Database

pytestmark = [
    pytest.mark.filterwarnings("ignore:The HMAC key is"),
]

OWN = tuple(f"zqown_{name}" for name in ("src", "mid", "tail", "end", "far", "other"))
HIDDEN = tuple(f"zqhush_{name}" for name in ("src", "mid", "man"))
UNKNOWN = "zqnone_src"
SHAPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "own": (("zqown_src", "zqown_mid"), ("zqown_mid", "zqown_tail")),
    "mixed": (
        ("zqown_src", "zqown_mid"),
        ("zqown_src", "zqhush_mid"),
        ("zqhush_mid", "zqown_end"),
        ("zqown_src", "zqhush_man"),
        ("zqhush_man", "zqown_far"),
    ),
    "hidden": (("zqhush_src", "zqown_other"),),
}
"""Who reads whose asset, in each story; the first Dag is the source, the manual run is in no rerun."""

ADMIN = Actor("0", "zoe")


@dataclass
class Story:
    """A rerun, and another run of its source that no rerun has."""

    source: RunRef
    fresh: RunRef
    dags: frozenset[str]
    rerun_id: int = 0
    failed: tuple[int, str] = (0, "")
    frozen: int = 0
    proposal_id: int = 0
    """Of the fresh run."""


@dataclass
class Eyes:
    """What Airflow itself says of a user."""

    airflow: TestClient
    runs: Mapping[str, str]
    asked: dict[tuple[str, str], bool] = field(default_factory=dict)

    def ok(self, method: str, path: str, body: Any = None) -> bool:
        """Whether Airflow answers the call."""
        if (method, path) not in self.asked:
            status = self.airflow.request(method, f"/api/v2{path}", json=body).status_code
            assert status in (200, 403), (method, path, status)
            self.asked[method, path] = status == 200
        return self.asked[method, path]

    def reads(self, dag_id: str) -> bool:
        run = f"/dags/{dag_id}/dagRuns"
        paths = (f"/dags/{dag_id}", run, f"{run}/{self.runs[dag_id]}/taskInstances")
        return all(self.ok("GET", path) for path in paths)

    def edits(self, dag_id: str) -> bool:
        body = {"dry_run": True}
        paths = (f"/dags/{dag_id}/dagRuns/{self.runs[dag_id]}/clear", f"/dags/{dag_id}/clearTaskInstances")
        return all(self.ok("POST", path, body) for path in paths)

    def edits_all(self, dag_ids: frozenset[str]) -> bool:
        return all(self.edits(dag_id) for dag_id in sorted(dag_ids))

    @cached_property
    def readable(self) -> frozenset[str]:
        return frozenset(dag_id for dag_id in (*OWN, *HIDDEN) if self.reads(dag_id))

    @cached_property
    def sees_installation(self) -> bool:
        return all(self.ok("GET", path) for path in ("/jobs", "/plugins"))


def always(_eyes: Eyes, _story: Story) -> int:
    return 200


def reading(eyes: Eyes, story: Story) -> int:
    return 200 if eyes.reads(story.source.dag_id) else 404


def submitting(eyes: Eyes, story: Story) -> int:
    taken = {dag_id for dag_id in story.dags if eyes.reads(dag_id)} | {story.source.dag_id}
    if not eyes.reads(story.source.dag_id):
        return 404
    return 201 if eyes.edits_all(frozenset(taken)) else 403


def reviewing(eyes: Eyes, story: Story) -> int:
    return {201: 200}.get(found := submitting(eyes, story), found)


def controlling(eyes: Eyes, story: Story) -> int:
    if not eyes.reads(story.source.dag_id):
        return 404
    return 200 if eyes.edits_all(story.dags) else 403


def repairing(eyes: Eyes, story: Story) -> int:
    found = controlling(eyes, story)
    return 404 if found == 200 and not eyes.reads(story.failed[1]) else found


def trying_a_target(eyes: Eyes, story: Story) -> int:
    return 404 if eyes.sees_installation else 403  # there is no target of that name


EXPECTED: Mapping[str, Callable[[Eyes, Story], int]] = {
    "get_health": always,
    "list_dag_runs": always,
    "list_reruns": always,
    "list_notification_targets": always,
    "list_notifications": reading,
    "send_test": trying_a_target,
    "list_task_instances": reading,
    "list_edges": reading,
    "make_plan": reading,
    "review_rerun": reviewing,
    "submit_rerun": submitting,
    "get_rerun": reading,
    "get_changes": reading,
    "list_members": reading,
    "list_links": reading,
    "list_rerun_dags": reading,
    "list_events": reading,
    "list_not_made_anew": reading,
    "get_proof": reading,
    "get_estimate": reading,
    "review_proposal": reading,
    "approve_rerun": controlling,
    "reject_rerun": controlling,
    "pause_rerun": controlling,
    "resume_rerun": controlling,
    "terminate_rerun": controlling,
    "release_rerun": controlling,
    "comment_rerun": controlling,
    "retry_members": controlling,
    "skip_members": controlling,
    "retry_member": repairing,
    "skip_member": repairing,
    "release_member": repairing,
}
SEVERAL = ("retry_members", "skip_members")
FAILED_BEFORE = ("resume_rerun", "retry_member", "skip_member", *SEVERAL)
FRESH = ("make_plan", "review_rerun", "submit_rerun")
PROPOSED = ("review_proposal", "approve_rerun", "reject_rerun")


@pytest.fixture(autouse=True)
def configured(unlimited: None, monkeypatch: pytest.MonkeyPatch) -> None:
    target = {"kind": "webhook", "url": "https://example.com/"}
    monkeypatch.setenv("AIRFLOW__RERUN_DOWNSTREAM__NOTIFICATION_TARGETS", json.dumps({"team": target}))
    rewire()


def write_dags(session: Any) -> None:
    from airflow.providers.standard.operators.empty import EmptyOperator

    def tasks(dag_id: str) -> Callable[[], Any]:
        return lambda: EmptyOperator(task_id=f"{dag_id}_t")

    scene.save(*(history.dag(dag_id, tasks(dag_id)) for dag_id in (*OWN, *HIDDEN)), session=session)


def write_runs(shape: str, number: int, session: Any) -> tuple[RunRef, frozenset[str]]:
    """The runs of a story and what they consumed; answer the source, and the Dags of what a rerun takes."""
    refs: dict[str, RunRef] = {}
    for dag_id in dict.fromkeys(each for link in SHAPES[shape] for each in link):
        by = "" if dag_id == "zqhush_man" else "asset"
        refs[dag_id] = history.run(dag_id, f"run_{number}_of_{dag_id}", session=session, by=by)
        for ti in scene.instances(refs[dag_id], session=session).values():
            scene.put(ti, "success")
    for one, two in SHAPES[shape]:
        history.emit(refs[one], refs[two], session=session, asset=f"s3://{one}/{two}", task_id=f"{one}_t")
    session.commit()
    return next(iter(refs.values())), frozenset(refs) - {"zqhush_man"}


def write_stories(database: Database, session: Any) -> dict[str, Story]:
    """The stories, each with a rerun in which a task has failed, a run has been adopted and one is frozen."""
    scene.migrate(database)
    write_dags(session)
    stories = {}
    for number, shape in enumerate(SHAPES):
        (source, dags), (fresh, _) = (write_runs(shape, each, session) for each in (number, number + 10))
        stories[shape] = Story(source, fresh, dags)
    session.rollback()
    for story in stories.values():
        asked = RerunRequest(PlanRequest(story.source), settings=RerunSettings(accept_duplicate_runs=True))
        story.rerun_id = wiring.local_service().submit(ADMIN, asked).rerun.id
        proposed = replace(asked, plan=PlanRequest(story.fresh), propose=True)
        story.proposal_id = wiring.local_service().submit(ADMIN, proposed).rerun.id
        with database.engine.begin() as connection:
            store = SqlRerunStore(connection)
            last = sorted(store.members(story.rerun_id), key=lambda one: one.ref)[0 if len(story.dags) > 3 else -1]
            story.failed = (last.id, last.ref.dag_id)
            frozen = NewFrozen(last.ref.dag_id, f"to_come_of_{last.ref.dag_id}", None, None)
            story.frozen = store.add_frozen(story.rerun_id, frozen)
            told = {"at": scene.START, "actor": "rerun_downstream", "dag_ids": story.dags}
            detail = f"go of {' '.join(sorted(story.dags))} cleared the run"
            for one in store.members(story.rerun_id):
                store.add_event(story.rerun_id, action="member_adopted", member_id=one.id, detail=detail, **told)
            error = f"dispatch_error: OperationalError: INSERT INTO x VALUES ({', '.join(HIDDEN)})"
            connection.execute(update(tables.member).where(tables.member.c.id == last.id).values(state_reason=error))
    return stories


@dataclass
class Rows:
    """Our tables as they were, so that each call finds the same."""

    database: Database
    kept: list[tuple[Any, list[dict[str, Any]]]] = field(default_factory=list)
    untouched: bool = False
    """Whether they are still so: a call that only looks, or is refused, writes nothing."""

    def keep(self) -> None:
        with self.database.engine.connect() as connection:
            for table in tables.metadata.sorted_tables:
                self.kept.append((table, [dict(row) for row in connection.execute(select(table)).mappings()]))

    def put_back(self, story: Story, *, failed: bool) -> None:
        if self.untouched and not failed:
            return
        with self.database.engine.begin() as connection:
            for table, _ in reversed(self.kept):
                connection.execute(delete(table))
            for table, rows in self.kept:
                if rows:
                    connection.execute(insert(table), rows)
            if failed:
                of = tables.rerun.c.id == story.rerun_id
                connection.execute(update(tables.rerun).where(of).values(state="failed"))
                of = tables.member.c.id == story.failed[0]
                connection.execute(update(tables.member).where(of).values(state="failed"))
        self.untouched = not failed


def grants(*entities: str, actions: tuple[str, ...] = ("can_read",)) -> logins.Grants:
    """Actions on the user's own Dags; FAB gives runs and task instances to all of them at once."""
    resources = [*(f"DAG:{dag_id}" for dag_id in OWN), *entities]
    return [(action, resource) for action in actions for resource in resources]


def users() -> dict[str, logins.Grants]:
    """Ten users, four of them with roles as FAB makes them."""
    from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride

    built_in = {
        role["role"].lower(): sorted(set(role["perms"])) for role in FabAirflowSecurityManagerOverride.ROLE_CONFIGS
    }
    both = ("DAG Runs", "Task Instances")
    return {
        **built_in,
        "dag only": grants(),
        "dag and runs": grants("DAG Runs"),
        "dag, runs and tasks": grants(*both),
        "custom": grants(*both, actions=("can_read", "can_edit")),
        "nothing": [],
    }


@dataclass
class Call:
    """A call of the document about a story."""

    name: str
    method: str
    path: str
    body: dict[str, Any] | None
    names: tuple[str, ...]

    def by(self, client: TestClient) -> Any:
        return client.request(self.method, self.path, json=self.body)


def calls(document: Mapping[str, Any], story: Story) -> Iterator[Call]:
    """Every call of the document about a story."""
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield call(path, method, described["operationId"], story)


def call(path: str, method: str, name: str, story: Story) -> Call:
    source = story.fresh if name in FRESH else story.source
    values = {
        "dag_id": source.dag_id,
        "run_id": source.run_id,
        "rerun_id": story.proposal_id if name in PROPOSED else story.rerun_id,
        "name": "nobody",
        "member_id": story.frozen if name == "release_member" else story.failed[0],
    }
    body = None
    if name in FRESH:
        body = {"source": {"dag_id": source.dag_id, "run_id": source.run_id}}
    if name in ("review_rerun", "submit_rerun"):
        body = {**(body or {}), "settings": {"accept_duplicate_runs": True}}
    if name in SEVERAL:
        body = {"members": [{"member_id": story.failed[0]}]}
    if name == "comment_rerun":
        body = {"text": f"{source.dag_id} is right now"}
    return Call(name, method.upper(), path.format(**values), body, (source.run_id, source.dag_id))


def names_in(answer: Any, asked: Call, dag_ids: frozenset[str]) -> list[str]:
    """The Dags among ``dag_ids`` that an answer names, besides what was asked."""
    text = answer.text
    if answer.status_code == 404:
        for name in asked.names:
            text = text.replace(name, "")
    return sorted(dag_id for dag_id in dag_ids if dag_id in text)


class Matrix:
    """One user's way through all calls."""

    def __init__(self, user: str, eyes: Eyes, ours: TestClient, rows: Rows, document: Mapping[str, Any]) -> None:
        self.user, self.eyes, self.ours, self.rows, self.document = user, eyes, ours, rows, document
        self.hidden = frozenset((*OWN, *HIDDEN)) - eyes.readable
        self.wrong: list[str] = []
        self.made = 0

    def expect(self, that: object, *what: object) -> None:
        self.made += 1
        if not that:
            self.wrong.append(f"{self.user}: {' '.join(map(str, what))}")

    def go(self, stories: Mapping[str, Story], shapes: Collection[str]) -> None:
        for shape in shapes:
            story = stories[shape]
            for asked in calls(self.document, story):
                self.ask(asked, shape, story, stories)

    def ask(self, asked: Call, shape: str, story: Story, stories: Mapping[str, Story]) -> None:
        self.rows.put_back(story, failed=asked.name in FAILED_BEFORE)
        answer = asked.by(self.ours)
        self.rows.untouched &= asked.method == "GET" or answer.status_code >= 400
        expected = EXPECTED[asked.name](self.eyes, story)
        self.expect(answer.status_code == expected, shape, asked.name, answer.status_code, expected, answer.text)
        self.expect(not (found := names_in(answer, asked, self.hidden)), shape, asked.name, found, answer.text)
        self.expect("INSERT" not in answer.text, shape, asked.name, answer.text)
        kept = (answer.headers.get("cache-control"), answer.headers.get("x-content-type-options"))
        self.expect(kept == ("no-store", "nosniff"), shape, asked.name, kept)
        if answer.status_code == 404:
            self.like_unknown(asked, answer, shape, story)
        elif answer.status_code == 200:
            self.look(asked.name, answer.json(), story, stories)

    def like_unknown(self, asked: Call, answer: Any, shape: str, story: Story) -> None:
        """What is hidden is refused as what isn't there, to the byte."""
        none = RunRef(UNKNOWN, f"run_0_of_{UNKNOWN}")
        known = self.eyes.reads(story.source.dag_id)  # then it is the member that is hidden
        numbers = (story.rerun_id, story.proposal_id) if known else (99, 99)
        other = Story(none, none, story.dags, numbers[0], (98, ""), 98, numbers[1])
        (unknown,) = (each for each in calls(self.document, other) if each.name == asked.name)
        text = answer.text
        number, unknown_number = (
            (one.proposal_id if asked.name in PROPOSED else one.rerun_id) for one in (story, other)
        )
        ids = (f"member {story.failed[0]}.", f"member {story.frozen}.")
        params = (f'"rerun":{number}', f'"member":{story.failed[0]}', f'"member":{story.frozen}')
        old = (*asked.names, f"rerun {number}.", *ids, *params)
        new = (*unknown.names, f"rerun {unknown_number}.", *["member 98."] * 2, f'"rerun":{unknown_number}')
        new = (*new, *['"member":98'] * 2)
        for one, two in zip(old, new, strict=True):
            text = text.replace(one, two)
        again = unknown.by(self.ours)
        self.expect((again.status_code, again.text) == (404, text), shape, asked.name, again.text, text)

    def look(self, name: str, found: Any, story: Story, stories: Mapping[str, Story]) -> None:
        """What an answer has to hold for this user."""
        if name == "get_health":
            told = any(each["detail"] for each in found["components"].values() if each["status"] == "healthy")
            self.expect(told == self.eyes.sees_installation, name, found)
        elif name == "list_dag_runs":
            self.expect({each["dag_id"] for each in found["dag_runs"]} == self.eyes.readable, name, found)
        elif name == "list_notification_targets":
            self.expect(bool(found["notification_targets"]) == bool(self.eyes.readable), name, found)
        elif name == "list_reruns":
            seen = [each for each in stories.values() if each.source.dag_id in self.eyes.readable]
            mine = {number for each in seen for number in (each.rerun_id, each.proposal_id)}
            self.expect({each["id"] for each in found["reruns"]} == mine, name, found)
        elif name == "get_rerun":
            may = self.eyes.edits_all(story.dags)
            self.expect(found["allowed_actions"] == (["pause", "terminate", "release"] if may else []), name, found)
            self.expect(found["hidden_members"] == len(self.hidden & story.dags) + (story.failed[1] in self.hidden))
            self.expect(not found["final"], name, found)
        elif name == "list_rerun_dags":
            self.expect({each["dag_id"] for each in found["dags"]} <= self.eyes.readable, name, found)
        elif name in SEVERAL:
            hidden = story.failed[1] in self.hidden
            self.expect(len(found["refused"]) == hidden, name, found)
        elif name == "review_proposal":
            whole = story.dags <= self.eyes.readable
            self.expect(found["stale"] is (False if whole else None), name, found)
        elif name == "get_changes":
            self.look("get_rerun", found["rerun"], story, stories)
            self.look("list_members", found, story, stories)
        elif name == "list_members":
            seen = {each["dag_id"] for each in found["members"]}
            self.expect(seen == story.dags - self.hidden, name, found)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, database: Database) -> Iterator[Login]:
    with logins.fab(monkeypatch, database) as login:
        yield login


def airflows_api() -> FastAPI:
    """Airflow's own API, with the auth manager of this moment."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.common.dagbag import create_dag_bag

    made = airflows_routes()
    made.state.auth_manager = get_auth_manager()
    made.state.dag_bag = create_dag_bag()
    return made


@cache
def airflows_routes() -> FastAPI:
    """What takes seconds to make, and knows neither a database nor an auth manager."""
    from airflow.api_fastapi.core_api.routes.public import public_router

    made = FastAPI()
    made.include_router(public_router)
    return made


Login = Callable[[logins.Grants], str]


@pytest.fixture
def stage(database: Database, session: Any, manager: Login) -> Stage:
    stories = write_stories(database, session)
    rows = Rows(database)
    rows.keep()
    ours = make_app(lambda: wiring.service(AuthManagerPermissions, sees_installation))
    runs = {ref.dag_id: ref.run_id for ref in written_runs(session)}
    return Stage(stories, rows, airflows_api(), ours, runs, manager)


@dataclass
class Stage:
    """Everything but the users."""

    stories: dict[str, Story]
    rows: Rows
    airflow: FastAPI
    ours: FastAPI
    runs: Mapping[str, str]
    login: Login

    def play(self, user: str, *shapes: str) -> Matrix:
        """A user's way through the calls about some of the stories, or all."""
        headers = {"authorization": f"Bearer {self.login(users()[user])}"}
        airflow, ours = (
            TestClient(app, headers=headers, raise_server_exceptions=False) for app in (self.airflow, self.ours)
        )
        matrix = Matrix(user, Eyes(airflow, self.runs), ours, self.rows, self.ours.openapi())
        matrix.go(self.stories, shapes or tuple(self.stories))
        return matrix


def test_every_call_by_every_user(stage: Stage) -> None:
    document = stage.ours.openapi()
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert sorted(ids) == sorted(EXPECTED), "a new call needs an expectation"
    assert len(users()) == 10
    found = [stage.play(user) for user in users()]
    wrong, made = [each for matrix in found for each in matrix.wrong], sum(matrix.made for matrix in found)
    assert wrong == [], f"{len(wrong)} of {made}\n" + "\n".join(wrong[:20])
    assert made > 10 * len(SHAPES) * len(ids) * 4
    everything, own, nothing = frozenset((*OWN, *HIDDEN)), frozenset(OWN), frozenset[str]()
    assert {(each.eyes.readable, each.eyes.edits("zqown_src"), each.eyes.edits("zqhush_src")) for each in found} == {
        (everything, True, True),
        (everything, False, False),
        (own, True, False),
        (own, False, False),
        (nothing, False, False),
    }, "users who may do the same tell nothing"


def all_listed(self: Any, actor: Actor, dag_ids: Collection[str] = (*OWN, *HIDDEN)) -> frozenset[str]:
    """What an auth manager lists, whether the runs may be read or not."""
    listed: frozenset[str] = self._list(actor)
    return listed.intersection(dag_ids)


MISTAKES: Mapping[str, tuple[str, dict[str, Callable[..., Any]]]] = {
    "the Dag alone is asked for": (
        "airflow3.installation.permissions.AuthManagerPermissions",
        {"readable": all_listed, "all_readable": all_listed},
    ),
    "warnings are shown as they are": ("domain.seeing.Seeing", {"warnings": lambda _, of: tuple(of)}),
    "links are shown as they are": ("domain.seeing.Seeing", {"links": lambda _, of: of}),
    "events are shown as they are": ("domain.seeing.Seeing", {"events": lambda _, of, dag_ids: of}),
    "reasons are shown as they are": ("rest.presenters", {"reason": lambda text: text}),
    "health is told to everybody": ("service.status", {"shown_health": lambda found, *_: found}),
    "actions don't depend on who asks": (
        "service.records",
        {"allowed_among": lambda actor, work, reruns, members: frozenset(each.id for each in reruns)},
    ),
    "an answer may be kept": ("airflow3.web.response_headers", {"UNKEPT": {}}),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_matrix_sees_mistakes(stage: Stage, mocker: MockerFixture) -> None:
    for mistake, (where, wrongs) in MISTAKES.items():
        for name, wrong in wrongs.items():
            mocker.patch(f"airflow_rerun_downstream.{where}.{name}", wrong)
        found = stage.play("dag only" if "alone" in mistake else "dag, runs and tasks", "own", "mixed")
        mocker.stopall()
        assert found.wrong, mistake
    assert stage.play("dag, runs and tasks", "own", "mixed").wrong == []


def written_runs(session: Any) -> list[RunRef]:
    from airflow.models.dagrun import DagRun

    return [RunRef(*row) for row in session.execute(select(DagRun.dag_id, DagRun.run_id))]
