"""What the auth manager is asked, and what is made of its answers."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.rerun_request import Actor
from tests.airflow3 import history, scene

ANNA = Actor(id="1", name="anna", native="her user object")


@pytest.fixture
def permissions(session) -> Any:
    from airflow_rerun_downstream.airflow3.installation.permissions import AuthManagerPermissions

    return AuthManagerPermissions(session)


ENTITIES = ("RUN", "TASK_INSTANCE")


class Grants:
    """An auth manager that knows what one user may do; it stands in for the api-server's."""

    def __init__(self, listed: set[str], granted: set[tuple[str, str, str]]) -> None:
        self.listed, self.granted = listed, granted
        self.batches: list[list[Any]] = []
        self.sessions: list[Any] = []

    def get_authorized_dag_ids(self, *, user: Any, method: str = "GET", session: Any) -> set[str]:
        assert (user, method) == (ANNA.native, "GET")
        self.sessions.append(session)
        return self.listed

    def batch_is_authorized_dag(self, requests: list[Any], *, user: Any) -> bool:
        assert user == ANNA.native
        assert requests, "some auth managers allow everything when they are asked nothing"
        self.batches.append(requests)
        asked = {(each["method"], each["details"].id, each["access_entity"].value) for each in requests}
        return asked <= self.granted


def granted(method: str, *dag_ids: str, entities: Collection[str] = ENTITIES) -> set[tuple[str, str, str]]:
    return {(method, dag_id, entity) for dag_id in dag_ids for entity in entities}


def manager(mocker: MockerFixture, *, listed: set[str], granted: set[tuple[str, str, str]]) -> Grants:
    from airflow_rerun_downstream.airflow3.installation import permissions

    found = Grants(listed, granted)
    mocker.patch.object(permissions, "auth_manager", return_value=found)
    return found


@pytest.fixture
def dags(session):
    scene.save(history.dag("a"), history.dag("b"), history.dag("c"), session=session)


@pytest.mark.usefixtures("dags")
def test_readable_dags(permissions, mocker):
    manager(mocker, listed={"a", "b"}, granted=granted("GET", "a", "b", "c"))
    assert permissions.all_readable(ANNA) == {"a", "b"}
    assert permissions.readable(ANNA, ["b", "c"]) == {"b"}
    assert permissions.readable(ANNA, []) == frozenset()


@pytest.mark.usefixtures("dags")
@pytest.mark.parametrize("entities", [[], ["RUN"], ["TASK_INSTANCE"]], ids=str)
def test_a_dag_without_its_runs_and_tasks_is_not_readable(permissions, mocker, entities):
    manager(mocker, listed={"a", "b"}, granted=granted("GET", "a", entities=entities) | granted("GET", "b"))
    assert permissions.readable(ANNA, ["a"]) == frozenset()
    assert permissions.all_readable(ANNA) == {"b"}


@pytest.mark.usefixtures("dags")
def test_the_readable_dags_are_listed_once_and_on_our_session(permissions, mocker, session):
    asked = manager(mocker, listed={"a", "b", "c"}, granted=granted("GET", "a"))
    for _ in range(2):
        assert permissions.all_readable(ANNA) == permissions.readable(ANNA, ["a", "b"]) == {"a"}
    assert asked.sessions == [session]
    questions = [len(batch) for batch in asked.batches]
    assert questions == [6, 2, 4, 2, 2], "each Dag is asked about until it is known, and not again"


@pytest.mark.usefixtures("dags")
def test_all_dags_are_asked_for_at_once(permissions, mocker):
    asked = manager(mocker, listed=set(), granted=granted("PUT", "a", "b", "c"))
    assert permissions.may_rerun(ANNA, ["c", "a", "b"]) == {"a", "b", "c"}
    assert [len(batch) for batch in asked.batches] == [6]


def test_a_few_refused_dags_of_many_cost_few_questions(permissions, mocker):
    dag_ids = [f"dag_{number:05}" for number in range(10_000)]
    refused = set(dag_ids[::4000])
    asked = manager(mocker, listed=set(dag_ids), granted=granted("GET", *set(dag_ids) - refused))
    assert permissions.all_readable(ANNA) == set(dag_ids) - refused
    assert len(asked.batches) < 100


@pytest.mark.usefixtures("dags")
def test_runs_and_task_instances_must_both_be_editable(permissions, mocker):
    some = granted("PUT", "b", entities=["RUN"]) | granted("PUT", "c", entities=["TASK_INSTANCE"])
    manager(mocker, listed=set(), granted=granted("PUT", "a") | some)
    assert permissions.may_rerun(ANNA, ["a", "b", "c"]) == {"a"}


def test_nothing_is_asked_about_no_dags(permissions, mocker):
    asked = manager(mocker, listed={"a"}, granted=granted("PUT", "a"))
    assert permissions.may_rerun(ANNA, []) == frozenset()
    assert asked.batches == []


@pytest.mark.usefixtures("dags")
def test_the_team_of_a_dag_is_told(permissions, mocker, session):
    """As Airflow's own check of a request tells it."""
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.team import Team

    bundle = session.get(DagBundleModel, scene.BUNDLE)
    ids = {"id": history.uuid_of(Team.__table__.c.id)} if "id" in Team.__table__.c else {}  # 3.1 has them
    bundle.teams.append(Team(name="shop", **ids))
    session.commit()
    asked = manager(mocker, listed=set(), granted=granted("PUT", "a"))
    permissions.may_rerun(ANNA, ["a"])
    assert {request["details"].team_name for request in asked.batches[0]} == {"shop"}


@pytest.mark.usefixtures("dags")
def test_the_teams_are_read_once(permissions, mocker, database):
    manager(mocker, listed={"a", "b", "c"}, granted=granted("GET", "a", "b") | granted("PUT", "a"))
    with database.counted() as statements:
        assert permissions.readable(ANNA, ["a"]) == permissions.may_rerun(ANNA, ["a", "b"]) == {"a"}
        assert permissions.readable(ANNA, ["b"]) == {"b"}
    assert len(statements) == 1


@pytest.mark.usefixtures("dags")
@pytest.mark.parametrize(("role", "allowed"), [("ADMIN", True), ("OP", True), ("VIEWER", False)])
def test_with_airflows_simple_auth_manager(permissions, mocker, role, allowed):
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    from airflow_rerun_downstream.airflow3.installation import permissions as module

    mocker.patch.object(module, "auth_manager", return_value=SimpleAuthManager())
    actor = Actor(id="1", name="anna", native=SimpleAuthManagerUser(username="anna", role=role))
    assert permissions.all_readable(actor) == {"a", "b", "c"}
    assert permissions.may_rerun(actor, ["a", "b"]) == (frozenset({"a", "b"}) if allowed else frozenset())
    assert module.sees_installation(actor)


def test_a_person_at_the_machine_may_do_everything():
    from airflow_rerun_downstream.airflow3.installation.permissions import LocalPermissions

    local = LocalPermissions()
    assert local.readable(ANNA, ["a"]) == local.may_rerun(ANNA, ["a"]) == {"a"}
    assert local.all_readable(ANNA) is None


def test_a_person_at_the_machine_can_see_and_end_what_is_left_of_a_deleted_dag(database, mocker):
    from airflow_rerun_downstream.airflow3 import wiring
    from airflow_rerun_downstream.airflow3.database.transactions import transactions
    from airflow_rerun_downstream.airflow3.installation.permissions import AuthManagerPermissions
    from airflow_rerun_downstream.domain.errors import NotFound
    from tests.airflow3.conducting import Conducted, stand_in

    conducted = Conducted(database)
    conducted.save(stand_in("d"))
    ref = conducted.run("d")
    conducted.submit({ref: ()})
    with database.session() as session:
        scene.delete_dag("d", session=session)
    transactions.cache_clear()
    manager(mocker, listed=set(), granted=set())
    with pytest.raises(NotFound):
        wiring.service(AuthManagerPermissions).rerun(ANNA, conducted.id)
    local = wiring.local_service()
    assert local.rerun(ANNA, conducted.id).rerun.source == ref
    local.terminate(ANNA, conducted.id)
    conducted.tick(2)
    assert conducted.state() == "terminated"
    transactions.cache_clear()


def test_what_is_called_of_airflow_is_as_it_was():
    from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager
    from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager

    def parameters(function: Any) -> list[str]:
        return list(inspect.signature(function).parameters)

    assert parameters(BaseAuthManager.batch_is_authorized_dag) == ["self", "requests", "user"]
    for manager in (BaseAuthManager, FabAuthManager):
        assert parameters(manager.get_authorized_dag_ids) == ["self", "user", "method", "session"]
        assert parameters(manager.is_authorized_view)[:3] == ["self", "access_view", "user"]
