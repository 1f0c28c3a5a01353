"""What the configured auth manager says of a user."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

from airflow_rerun_downstream.domain.rerun_request import Actor

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

Method = Literal["GET", "PUT"]


class LocalPermissions:
    """A person at the machine, who reaches the database anyway: everything is allowed, as with `airflow` itself."""

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """All of them, whether they are still there or not: who is here reads the records of a deleted Dag, too."""
        return frozenset(dag_ids)

    def all_readable(self, actor: Actor) -> frozenset[str] | None:
        """All there are."""
        return None

    def may_rerun(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """All of them."""
        return frozenset(dag_ids)


class AuthManagerPermissions:
    """A user of the api-server. ``actor.native`` is the auth manager's own user object.

    The auth manager reads on our session: a connection of its own, taken while we hold one, could be the one for which
    every other request waits with the same in hand. What it has answered holds for as long as the session lasts.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._listed: dict[str, frozenset[str]] = {}
        self._known: dict[tuple[str, Method], dict[str, bool]] = {}
        self._teams: dict[str, str | None] | None = None

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """Those that the auth manager lists for the user, if their runs and task instances may be read as well.

        Airflow asks for each of the three: who may read a Dag alone is shown neither its runs nor their tasks.
        """
        wanted = frozenset(dag_ids)
        return self._allowed("GET", actor, wanted & self._list(actor)) if wanted else wanted

    def all_readable(self, actor: Actor) -> frozenset[str]:
        """Every Dag that the user may see."""
        return self._allowed("GET", actor, self._list(actor))

    def may_rerun(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """Those of which the user may edit runs *and* task instances: a rerun clears the ones and moves the others."""
        return self._allowed("PUT", actor, frozenset(dag_ids))

    def _list(self, actor: Actor) -> frozenset[str]:
        """The Dags of which the user may read anything."""
        if actor.id not in self._listed:
            found = auth_manager().get_authorized_dag_ids(user=actor.native, method="GET", session=self._session)
            self._listed[actor.id] = frozenset(found)
        return self._listed[actor.id]

    def _allowed(self, method: Method, actor: Actor, dag_ids: frozenset[str]) -> frozenset[str]:
        """The Dags whose runs and task instances the user may read or edit; none is asked about twice."""
        known = self._known.setdefault((actor.id, method), {})
        new = sorted(dag_ids.difference(known))
        if new:
            self._teams = teams = owners(self._session) if self._teams is None else self._teams
            allowed = passing(new, lambda some: may(method, actor.native, [(each, teams.get(each)) for each in some]))
            known.update((dag_id, dag_id in allowed) for dag_id in new)
        return frozenset(dag_id for dag_id in dag_ids if known[dag_id])


def auth_manager() -> BaseAuthManager[Any]:
    """The api-server's auth manager."""
    from airflow.api_fastapi.app import get_auth_manager

    return get_auth_manager()


def owners(session: Session) -> dict[str, str | None]:
    """The Dags that teams own, which are few, with their teams: Airflow hands these to the auth manager."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.team import Team
    from sqlalchemy import select

    owned = (
        select(DagModel.dag_id, Team.name)
        .join(DagBundleModel, DagModel.bundle_name == DagBundleModel.name)
        .join(DagBundleModel.teams)
    )
    return {row.dag_id: row.name for row in session.execute(owned)}


def passing(dag_ids: Sequence[str], ask: Callable[[Sequence[str]], bool]) -> frozenset[str]:
    """The Dags that pass, where only several together can be asked about: all at once, then in ever smaller parts."""
    if ask(dag_ids):
        return frozenset(dag_ids)
    if len(dag_ids) == 1:
        return frozenset()
    middle = len(dag_ids) // 2
    return passing(dag_ids[:middle], ask) | passing(dag_ids[middle:], ask)


def may(method: Method, user: Any, dags: Sequence[tuple[str, str | None]]) -> bool:
    """Whether a user may read, or change, the runs and the task instances of each of some Dags; one at least is given.

    A Dag is named with its team.
    """
    from airflow.api_fastapi.auth.managers.models.batch_apis import IsAuthorizedDagRequest
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

    questions = [
        IsAuthorizedDagRequest(method=method, access_entity=entity, details=DagDetails(id=dag_id, team_name=team))
        for dag_id, team in dags
        for entity in (DagAccessEntity.RUN, DagAccessEntity.TASK_INSTANCE)
    ]
    return bool(questions) and auth_manager().batch_is_authorized_dag(questions, user=user)


def sees_installation(actor: Actor) -> bool:
    """Whether Airflow shows the user its jobs, with the hosts that they run on, and its plugins."""
    from airflow.api_fastapi.auth.managers.models.resource_details import AccessView

    views = (AccessView.JOBS, AccessView.PLUGINS)
    try:
        return all(auth_manager().is_authorized_view(access_view=view, user=actor.native) for view in views)
    except Exception:
        log.exception("The auth manager doesn't say who may see the installation")
        return False
