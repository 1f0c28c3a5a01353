"""What the auth manager is asked, and what is made of its answers."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.rerun import Actor
from tests.airflow3 import history, scene

ANNA = Actor(id="1", name="anna", native="her user object")


@pytest.fixture
def permissions(session) -> Any:
    from airflow_rerun_downstream.airflow3.permissions import AuthManagerPermissions

    return AuthManagerPermissions(session)


class Grants:
    """An auth manager that knows what one user may do; it stands in for the api-server's."""

    def __init__(self, readable: set[str], editable: set[tuple[str, str]]) -> None:
        self.readable, self.editable = readable, editable
        self.batches: list[list[Any]] = []
        self.sessions: list[Any] = []

    def get_authorized_dag_ids(self, *, user: Any, method: str = "GET", session: Any) -> set[str]:
        assert (user, method) == (ANNA.native, "GET")
        self.sessions.append(session)
        return self.readable

    def batch_is_authorized_dag(self, requests: list[Any], *, user: Any) -> bool:
        assert user == ANNA.native
        assert requests, "some auth managers allow everything when they are asked nothing"
        self.batches.append(requests)
        return all(
            request["method"] == "PUT" and (request["details"].id, request["access_entity"].value) in self.editable
            for request in requests
        )


def both(*dag_ids: str) -> set[tuple[str, str]]:
    return {(dag_id, entity) for dag_id in dag_ids for entity in ("RUN", "TASK_INSTANCE")}


def manager(mocker: MockerFixture, *, readable: set[str], editable: set[tuple[str, str]]) -> Grants:
    from airflow_rerun_downstream.airflow3 import permissions

    found = Grants(readable, editable)
    mocker.patch.object(permissions, "auth_manager", return_value=found)
    return found


@pytest.fixture
def dags(session):
    scene.save(history.dag("a"), history.dag("b"), history.dag("c"), session=session)


@pytest.mark.usefixtures("dags")
def test_readable_dags(permissions, mocker):
    manager(mocker, readable={"a", "b"}, editable=set())
    assert permissions.all_readable(ANNA) == {"a", "b"}
    assert permissions.readable(ANNA, ["b", "c"]) == {"b"}
    assert permissions.readable(ANNA, []) == frozenset()


def test_the_readable_dags_are_listed_once_and_on_our_session(permissions, mocker, session):
    asked = manager(mocker, readable={"a"}, editable=set())
    for _ in range(2):
        assert permissions.all_readable(ANNA) == permissions.readable(ANNA, ["a", "b"]) == {"a"}
    assert asked.sessions == [session]


@pytest.mark.usefixtures("dags")
def test_all_dags_are_asked_for_at_once(permissions, mocker):
    asked = manager(mocker, readable=set(), editable=both("a", "b", "c"))
    assert permissions.may_rerun(ANNA, ["c", "a", "b"]) == {"a", "b", "c"}
    assert len(asked.batches) == 1
    assert len(asked.batches[0]) == 6


@pytest.mark.usefixtures("dags")
def test_runs_and_task_instances_must_both_be_editable(permissions, mocker):
    manager(mocker, readable=set(), editable=both("a") | {("b", "RUN"), ("c", "TASK_INSTANCE")})
    assert permissions.may_rerun(ANNA, ["a", "b", "c"]) == {"a"}


def test_nothing_is_asked_about_no_dags(permissions, mocker):
    asked = manager(mocker, readable={"a"}, editable=both("a"))
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
    asked = manager(mocker, readable=set(), editable=both("a"))
    permissions.may_rerun(ANNA, ["a"])
    assert {request["details"].team_name for request in asked.batches[0]} == {"shop"}


@pytest.mark.usefixtures("dags")
@pytest.mark.parametrize(("role", "allowed"), [("ADMIN", True), ("OP", True), ("VIEWER", False)])
def test_with_airflows_simple_auth_manager(permissions, mocker, role, allowed):
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    from airflow_rerun_downstream.airflow3 import permissions as module

    mocker.patch.object(module, "auth_manager", return_value=SimpleAuthManager())
    actor = Actor(id="1", name="anna", native=SimpleAuthManagerUser(username="anna", role=role))
    assert permissions.all_readable(actor) == {"a", "b", "c"}
    assert permissions.may_rerun(actor, ["a", "b"]) == (frozenset({"a", "b"}) if allowed else frozenset())


def test_a_person_at_the_machine_may_do_everything():
    from airflow_rerun_downstream.airflow3.permissions import LocalPermissions

    local = LocalPermissions()
    assert local.readable(ANNA, ["a"]) == local.may_rerun(ANNA, ["a"]) == {"a"}
    assert local.all_readable(ANNA) is None


def test_what_is_called_of_airflow_is_as_it_was():
    from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager
    from airflow.models.dag import DagModel
    from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager

    def parameters(function: Any) -> list[str]:
        return list(inspect.signature(function).parameters)

    assert parameters(BaseAuthManager.batch_is_authorized_dag) == ["self", "requests", "user"]
    for manager in (BaseAuthManager, FabAuthManager):
        assert parameters(manager.get_authorized_dag_ids) == ["self", "user", "method", "session"]
    assert parameters(DagModel.get_team_name) == ["dag_id", "session"]
    if hasattr(DagModel, "get_dag_id_to_team_name_mapping"):
        assert parameters(DagModel.get_dag_id_to_team_name_mapping) == ["dag_ids", "session"]
