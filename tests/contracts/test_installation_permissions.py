"""What every `Permissions` promises: the fake, and an auth manager's answers on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Protocol

import pytest

from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.ports.installation import Permissions
from tests.airflow3.conftest import emptied
from tests.contracts.conftest import BACKENDS
from tests.fakes.installation import FakePermissions
from tests.fakes.world import World

ANNA = Actor("1", "anna", native="her user object")


class Stage(Protocol):
    """An Airflow whose Dags may all be read and rerun, but for what is denied."""

    permissions: Permissions

    def dags(self, *dag_ids: str) -> None: ...

    def hide(self, dag_id: str) -> None:
        """Nobody may read the Dag, or change anything of it."""
        ...

    def forbid(self, dag_id: str) -> None:
        """Nobody may change the Dag's runs and task instances; they may be read."""
        ...


class FakeStage:
    def __init__(self) -> None:
        self.world = World()
        self.permissions = FakePermissions(self.world)

    def dags(self, *dag_ids: str) -> None:
        for dag_id in dag_ids:
            self.world.dag(dag_id)

    def hide(self, dag_id: str) -> None:
        self.permissions.unreadable.add(dag_id)

    def forbid(self, dag_id: str) -> None:
        self.permissions.forbidden.add(dag_id)


class AirflowStage:
    """The auth manager is one that answers what the stage says; the Dags that there are, Airflow's own code lists."""

    def __init__(self, session: Any) -> None:
        from airflow_rerun_downstream.airflow3.installation.permissions import AuthManagerPermissions

        self.session = session
        self.permissions = AuthManagerPermissions(session)
        self.hidden: set[str] = set()
        self.forbidden: set[str] = set()

    def dags(self, *dag_ids: str) -> None:
        from tests.airflow3 import history, scene

        scene.save(*(history.dag(dag_id) for dag_id in dag_ids), session=self.session)

    def hide(self, dag_id: str) -> None:
        self.hidden.add(dag_id)

    def forbid(self, dag_id: str) -> None:
        self.forbidden.add(dag_id)

    def get_authorized_dag_ids(self, *, user: Any, method: str, session: Any) -> set[str]:
        from airflow.models.dag import DagModel
        from sqlalchemy import select

        assert (user, method) == (ANNA.native, "GET")
        return set(session.scalars(select(DagModel.dag_id))) - self.hidden

    def batch_is_authorized_dag(self, requests: Collection[Any], *, user: Any) -> bool:
        assert requests, "some auth managers allow everything when they are asked nothing"
        denied = {"GET": self.hidden, "PUT": self.hidden | self.forbidden}
        return not any(each["details"].id in denied[each["method"]] for each in requests)


@pytest.fixture(params=["fake", *BACKENDS])
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    if request.param == "fake":
        yield FakeStage()
        return
    database = emptied(request.param)
    from airflow_rerun_downstream.airflow3.installation import permissions

    with database.session() as session:
        made = AirflowStage(session)
        monkeypatch.setattr(permissions, "auth_manager", lambda: made)
        yield made


def test_of_those_that_are_asked_for(stage):
    stage.dags("a", "b", "c")
    assert (
        stage.permissions.readable(ANNA, ["c", "a", "a"]) == stage.permissions.may_rerun(ANNA, ["a", "c"]) == {"a", "c"}
    )
    assert stage.permissions.all_readable(ANNA) == {"a", "b", "c"}


def test_nothing(stage):
    assert stage.permissions.readable(ANNA, []) == stage.permissions.may_rerun(ANNA, []) == frozenset()
    assert stage.permissions.all_readable(ANNA) == frozenset()


def test_a_dag_that_is_not_there_can_not_be_read(stage):
    stage.dags("a")
    assert stage.permissions.readable(ANNA, ["a", "nowhere"]) == {"a"}


def test_what_is_hidden_can_be_neither_read_nor_rerun(stage):
    stage.dags("a", "b")
    stage.hide("a")
    assert stage.permissions.readable(ANNA, ["a", "b"]) == stage.permissions.may_rerun(ANNA, ["a", "b"]) == {"b"}
    assert stage.permissions.all_readable(ANNA) == {"b"}


def test_what_is_forbidden_can_be_read(stage):
    stage.dags("a", "b")
    stage.forbid("a")
    assert stage.permissions.readable(ANNA, ["a", "b"]) == {"a", "b"}
    assert stage.permissions.may_rerun(ANNA, ["a", "b"]) == {"b"}


def test_an_answer_holds_for_the_transaction(stage):
    """Who asks twice in one transaction is told the same: a plan and its submit don't differ."""
    stage.dags("a", "b")
    before = stage.permissions.readable(ANNA, ["a", "b"]), stage.permissions.may_rerun(ANNA, ["a", "b"])
    assert before == (stage.permissions.readable(ANNA, ["b", "a"]), stage.permissions.may_rerun(ANNA, ["b", "a"]))
