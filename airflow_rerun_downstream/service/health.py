"""What a person is told of the installation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from airflow_rerun_downstream.ports.installation import ComponentHealth

HEALTHY = "healthy"
ASK = "Somebody who may see Airflow's jobs and plugins is told why."
EXAMPLES = 5
"""How many tasks are named."""


def shown_health(
    components: Mapping[str, ComponentHealth], details: bool, readable: Callable[[Collection[str]], Collection[str]]
) -> dict[str, ComponentHealth]:
    """The components' statuses, for everybody; ``details`` for those who may see the installation.

    Details name hosts, processes and files. Tasks are named only of Dags that are ``readable``.
    """
    if not details:
        return {
            name: ComponentHealth(each.status, "" if each.status == HEALTHY else ASK)
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
    more = ", …" if len(tasks) > EXAMPLES else ""
    return replace(component, detail=f"{component.detail} For example: {', '.join(tasks[:EXAMPLES])}{more}")
