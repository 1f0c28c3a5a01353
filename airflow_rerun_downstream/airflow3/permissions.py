"""What the configured auth manager says of a user."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.domain.rerun import Actor

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager
    from sqlalchemy.orm import Session


class LocalPermissions:
    """A person at the machine, who reaches the database anyway: everything is allowed, as with `airflow` itself."""

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """All of them."""
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
    every other request waits with the same in hand. It lists the readable Dags once, as long as the session lasts.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._listed: dict[str, frozenset[str]] = {}

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """Those whose runs the user may see, by the auth manager's own list of readable Dags."""
        wanted = frozenset(dag_ids)
        return self.all_readable(actor) & wanted if wanted else wanted

    def all_readable(self, actor: Actor) -> frozenset[str]:
        """Every Dag that the user may see."""
        if actor.id not in self._listed:
            found = auth_manager().get_authorized_dag_ids(user=actor.native, method="GET", session=self._session)
            self._listed[actor.id] = frozenset(found)
        return self._listed[actor.id]

    def may_rerun(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """Those of which the user may edit runs *and* task instances: a rerun clears the ones and moves the others.

        The auth manager is asked once for all of them; one by one only if some are refused.
        """
        wanted = frozenset(dag_ids)
        teams = teams_of(wanted, self._session)
        if not wanted or may_edit(actor.native, wanted, teams):
            return wanted
        return frozenset(dag_id for dag_id in wanted if may_edit(actor.native, [dag_id], teams))


def auth_manager() -> BaseAuthManager[Any]:
    """The api-server's auth manager."""
    from airflow.api_fastapi.app import get_auth_manager

    return get_auth_manager()


def teams_of(dag_ids: Collection[str], session: Session) -> dict[str, str | None]:
    """The teams that own Dags: Airflow hands them to the auth manager with each question."""
    from airflow.models.dag import DagModel

    if not dag_ids:
        return {}
    if hasattr(DagModel, "get_dag_id_to_team_name_mapping"):
        return dict(DagModel.get_dag_id_to_team_name_mapping(sorted(dag_ids), session=session))
    return {dag_id: DagModel.get_team_name(dag_id, session=session) for dag_id in dag_ids}


def may_edit(user: Any, dag_ids: Collection[str], teams: Mapping[str, str | None]) -> bool:
    """Whether a user may clear task instances of every one of some Dags and change its runs. There is one at least."""
    from airflow.api_fastapi.auth.managers.models.batch_apis import IsAuthorizedDagRequest
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

    questions = [
        IsAuthorizedDagRequest(
            method="PUT", access_entity=entity, details=DagDetails(id=dag_id, team_name=teams.get(dag_id))
        )
        for dag_id in sorted(dag_ids)
        for entity in (DagAccessEntity.RUN, DagAccessEntity.TASK_INSTANCE)
    ]
    return bool(questions) and auth_manager().batch_is_authorized_dag(questions, user=user)
