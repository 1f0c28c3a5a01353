"""Puts the Dags of an example into the world, one version after the other."""

from __future__ import annotations

from datetime import datetime

from airflow_rerun_downstream.domain.definitions import (
    AssetSchedule,
    OutletDefinition,
    SensorDefinition,
    TriggerDefinition,
)
from airflow_rerun_downstream.domain.facts import DagStructure, TaskNode
from tests.fakes.world import World
from tests.reruns.model import Dag, Task

OPERATORS = {
    "work": "PythonOperator",
    "empty": "EmptyOperator",
    "branch": "BranchPythonOperator",
    "sensor": "ExternalTaskSensor",
    "trigger": "TriggerDagRunOperator",
    "setup": "PythonOperator",
    "teardown": "PythonOperator",
}
TIMEOUT = 3600.0
MAKES_DATA = ("work", "teardown", "trigger")


def declare(world: World, dag: Dag, number: int, at: datetime) -> None:
    """Let a Dag be as in one of its versions."""
    version = world.new_version(dag.dag_id, at=at)
    tasks = dag.versions[number]
    groups: dict[str, set[str]] = {}
    for task in tasks.values():
        if task.group:
            groups.setdefault(task.group, set()).add(task.name)
        declare_task(world, dag, task)
    for asset in dag.assets:
        world.asset_schedules.append(AssetSchedule(dag.dag_id, world.asset_id(asset)))
    world.structures[dag.dag_id] = DagStructure(
        dag.dag_id,
        {task.name: node(tasks, task) for task in tasks.values()},
        {name: frozenset(ids) for name, ids in groups.items()},
        mapped_groups=frozenset(groups),
        max_active_runs=dag.limit,
        fail_fast=dag.fails_fast,
        timeout=TIMEOUT,
        version=version,
    )


def node(tasks: dict[str, Task], task: Task) -> TaskNode:
    """A task as the structure has it."""
    return TaskNode(
        task.name,
        OPERATORS[task.kind],
        frozenset(other.name for other in tasks.values() if task.name in other.after),
        task.after,
        is_setup=task.kind == "setup",
        is_teardown=task.kind == "teardown",
        triggers_dag_run=task.kind == "trigger",
        trigger_rule=task.rule,
        makes_data=task.kind in MAKES_DATA,
        mapped=bool(task.mapped),
        waits_for_run=task.kind == "trigger" and task.waits,
        makes_one_run=task.kind == "trigger" and task.again == "one",
    )


def declare_task(world: World, dag: Dag, task: Task) -> None:
    """What a task reaches of other Dags."""
    where = dag.dag_id, task.name
    if task.kind == "sensor":
        assert task.target is not None
        world.sensors.append(SensorDefinition(*where, task.target, task_ids=task.awaits, offset_known=True))
    elif task.kind == "trigger":
        assert task.target is not None
        world.triggers.append(TriggerDefinition(*where, task.target, waits=task.waits))
    if task.asset is not None:
        world.outlets.append(OutletDefinition(*where, world.asset_id(task.asset), task.asset))
