"""What a person is told of the installation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial

from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.ports.installation import ComponentHealth
from airflow_rerun_downstream.service.core import Core

HEALTHY = "healthy"
ASK = Sentence("health.ask")
EXAMPLES = 5
"""How many tasks are named."""


class Installation(Core):
    """What a user is told of the installation."""

    def health(self, actor: Actor, only: Collection[str] | None = None) -> Mapping[str, ComponentHealth]:
        """The installation's components; why something is wrong, where the user may see that. Never refuses.

        ``only``: those among these.
        """
        found = self.installation.components(only)
        return shown_health(found, self.sees_installation(actor), partial(self.readable, actor))

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """The Dags of which the user may be told; none while nobody can be asked."""
        try:
            with self.unit_of_work() as work:
                return work.permissions.readable(actor, dag_ids)
        except Refusal:
            return frozenset()


def shown_health(
    components: Mapping[str, ComponentHealth], details: bool, readable: Callable[[Collection[str]], Collection[str]]
) -> dict[str, ComponentHealth]:
    """The components' statuses, for everybody; ``details`` for those who may see the installation.

    Details name hosts, processes and files. Tasks are named only of Dags that are ``readable``.
    """
    if not details:
        return {
            name: ComponentHealth(each.status, "" if each.status == HEALTHY else ASK, since=each.since)
            for name, each in components.items()
        }
    dag_ids = {dag_id for each in components.values() for dag_id, _ in each.tasks}
    seen = frozenset(readable(dag_ids)) if dag_ids else frozenset()
    return {name: with_examples(each, seen) for name, each in components.items()}


def with_examples(component: ComponentHealth, readable: Collection[str]) -> ComponentHealth:
    """The component with its first tasks in the detail."""
    tasks = [f"{dag_id}.{task_id}" for dag_id, task_id in component.tasks if dag_id in readable]
    if not tasks:
        return component
    named = [*tasks[:EXAMPLES], *(["…"] if len(tasks) > EXAMPLES else [])]
    return replace(component, detail=Sentence("health.with_examples", detail=component.detail, tasks=named))
