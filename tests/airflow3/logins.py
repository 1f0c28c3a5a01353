"""Users of Airflow's auth managers in one process, with the tokens that the api-server takes from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dev.live_airflow import FAB_AUTH, SIMPLE_AUTH

if TYPE_CHECKING:
    import pytest

    from tests.airflow3.database import Database

EVERYTHING = [
    (f"can_{action}", resource)
    for action in ("read", "edit", "create", "delete")
    for resource in ("DAGs", "DAG Runs", "Task Instances")
]
Grants = list[tuple[str, str]]


@contextmanager
def auth_manager(class_path: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The api-server's auth manager is of that class for a while."""
    from airflow.api_fastapi.app import init_auth_manager

    with monkeypatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__AUTH_MANAGER", class_path)
        yield init_auth_manager()
    init_auth_manager()


@contextmanager
def simple(monkeypatch: pytest.MonkeyPatch, _database: Database) -> Iterator[Callable[[Grants], str]]:
    """Airflow's simple auth manager. Whoever is granted something may do everything."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    with auth_manager(SIMPLE_AUTH, monkeypatch) as manager:
        yield lambda grants: manager.generate_jwt(
            SimpleAuthManagerUser(username="anna", role="admin" if grants else None)
        )


@contextmanager
def fab(monkeypatch: pytest.MonkeyPatch, database: Database) -> Iterator[Callable[[Grants], str]]:
    """The FAB auth manager, with a new user for each token."""
    from airflow.providers.fab.auth_manager.models import Model, User

    Model.metadata.create_all(database.engine)
    with auth_manager(FAB_AUTH, monkeypatch) as manager, standing_session(database) as held:
        if not hasattr(manager, "session"):  # beside Airflow 3.2.0 it is that of a Flask app, which isn't there
            monkeypatch.setattr(type(manager), "session", held, raising=False)

        def login(grants: Grants) -> str:
            from airflow.utils.session import create_session

            with create_session(scoped=False) as session:
                name = f"user{session.query(User).count()}"
                user = User(first_name=name, last_name=name, username=name, email=name, active=True)
                user.roles = [role(name, grants, session)]
                session.add(user)
                session.flush()
                token: str = manager.generate_jwt(user)
            return token

        yield login
        if hasattr(manager, "cache"):  # not beside the first releases of Airflow 3.1
            manager.cache.clear()


@contextmanager
def standing_session(database: Database) -> Iterator[Any]:
    """A session that takes its connection before anything is counted, and holds nothing locked."""
    from sqlalchemy.orm import Session

    with database.engine.connect() as connection:
        yield Session(connection.execution_options(isolation_level="AUTOCOMMIT"))


def role(name: str, grants: Grants, session: Any) -> Any:
    """A role with exactly these permissions."""
    from airflow.providers.fab.auth_manager.models import Action, Permission, Resource, Role

    def named(model: Any, wanted: str) -> Any:
        found = session.query(model).filter_by(name=wanted).one_or_none() or model(name=wanted)
        session.add(found)
        session.flush()
        return found

    def permission(action: str, resource: str) -> Any:
        where = {"action_id": named(Action, action).id, "resource_id": named(Resource, resource).id}
        found = session.query(Permission).filter_by(**where).one_or_none() or Permission(**where)
        session.add(found)
        return found

    made = named(Role, name)
    made.permissions = [permission(*grant) for grant in grants]
    return made
