"""Reads a serialized Dag's JSON: its tasks, its groups, and the tasks that reach into other runs.

The form is the same in Airflow 3.1 to 3.4 for everything that is read here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_rerun_downstream.airflow3.lineage_facts.link_operators import (
    MARKER,
    SENSOR,
    TRIGGER,
    is_own_sensor,
    makes_one_run,
    markers_of,
    past_dependency_of,
    sensors_of,
    triggers_of,
    waits_for_run,
)
from airflow_rerun_downstream.airflow3.lineage_facts.serialized_task import Task, plain
from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.domain.facts import DagStructure, TaskNode

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NamedAsset:
    """A task that reads or makes an asset which it names ``by`` its "name" or "uri", or what goes by an "alias"."""

    dag_id: str
    task_id: str
    by: str
    value: str
    reads: bool


@dataclass(frozen=True)
class ParsedDag:
    """One version of a Dag, as far as a rerun cares.

    ``named_inlets`` and ``named_outlets`` are those of which Airflow keeps no row.
    """

    structure: DagStructure
    definitions: Definitions
    named_inlets: tuple[NamedAsset, ...] = ()
    named_outlets: tuple[NamedAsset, ...] = ()
    inlets: tuple[NamedAsset, ...] = ()
    """All inlets: Airflow keeps rows of the latest version's only."""

    outlets: tuple[NamedAsset, ...] = ()
    """All outlets."""

    unread: bool = False
    """Whether a task of it can't be read."""

    catchup: bool = False
    """Whether its scheduler makes runs for what was missed."""


def parse(dag_id: str, dag: Mapping[str, Any]) -> ParsedDag:
    """Read the ``dag`` part of a serialized Dag. A task that can't be read is logged and left out."""
    tasks = list(tasks_of(dag_id, dag))
    said = {(edge.get("dependency_type"), edge.get("dependency_id")) for edge in dag.get("dag_dependencies") or ()}
    sensors = [
        task for task in tasks if ("sensor", task.task_id) in said or SENSOR.matches(task) or is_own_sensor(task)
    ]
    triggers = [task for task in tasks if ("trigger", task.task_id) in said or TRIGGER.matches(task)]
    markers = [task for task in tasks if MARKER.matches(task) and task not in sensors]
    mapped = frozenset(task.task_id for task in tasks if task.mapped)
    loops = list(loops_of(plain(dag.get("task_group")) or {}, mapped))
    return ParsedDag(
        DagStructure(
            dag_id,
            nodes_of(tasks, {task.task_id for task in triggers}),
            groups_of(dag),
            mapped_groups=frozenset(mapped_groups(plain(dag.get("task_group")) or {})),
            loops=tuple(task_ids for task_ids, _ in loops),
            mixes_loops=any(mixed for _, mixed in loops),
            fail_fast=bool(dag.get("fail_fast")),
            timeout=seconds(dag.get("dagrun_timeout")),
            reruns_on_latest=dag.get("rerun_with_latest_version"),
        ),
        Definitions(
            sensors=tuple(
                found for task in sensors for found in sensors_of(dag_id, task, known=("sensor", task.task_id) in said)
            ),
            markers=tuple(found for task in markers for found in markers_of(dag_id, task)),
            triggers=tuple(found for task in triggers for found in triggers_of(dag_id, task)),
            past_dependencies=tuple(
                past_dependency_of(dag_id, task, catchup=bool(dag.get("catchup")))
                for task in tasks
                if task.get("depends_on_past")
            ),
        ),
        tuple(found for task in tasks for found in named_assets(dag_id, task, "inlets")),
        tuple(found for task in tasks for found in named_assets(dag_id, task, "outlets")),
        tuple(found for task in tasks for found in named_assets(dag_id, task, "inlets", all_of_them=True)),
        tuple(found for task in tasks for found in named_assets(dag_id, task, "outlets", all_of_them=True)),
        unread=len(tasks) < len(dag.get("tasks") or ()),
        catchup=bool(dag.get("catchup")),
    )


def named_assets(dag_id: str, task: Task, argument: str, *, all_of_them: bool = False) -> Iterator[NamedAsset]:
    """The inlets or outlets of a task that are references or aliases; ``all_of_them``: and assets, by their URI."""
    reads = argument == "inlets"
    for entry in task.entries(argument):
        kind, value = entry.get("__type"), plain(entry)
        if kind == "asset_alias":
            yield NamedAsset(dag_id, task.task_id, "alias", value["name"], reads)
        elif kind == "asset" and all_of_them:
            yield NamedAsset(dag_id, task.task_id, "uri", value["uri"], reads)
        elif kind == "asset_ref":
            yield from (
                NamedAsset(dag_id, task.task_id, by, value[by], reads) for by in ("name", "uri") if value.get(by)
            )


def tasks_of(dag_id: str, dag: Mapping[str, Any]) -> Iterator[Task]:
    """The tasks that have an id."""
    defaults = plain(dag.get("default_args")) or {}
    for entry in dag.get("tasks") or ():
        data = entry.get("__var", entry) if isinstance(entry, Mapping) else {}
        if isinstance(data, Mapping) and data.get("task_id"):
            yield Task(
                data, defaults, dag_params=dag.get("params"), native=bool(dag.get("render_template_as_native_obj"))
            )
        else:
            log.warning("Dag %s has a serialized task that can't be read", dag_id)


def nodes_of(tasks: Sequence[Task], triggers: Collection[str]) -> dict[str, TaskNode]:
    """The tasks with what follows and precedes them."""
    after = {task.task_id: frozenset(task.followers) for task in tasks}
    before: dict[str, set[str]] = {task_id: set() for task_id in after}
    for task_id, followers in after.items():
        for follower in followers:
            before.setdefault(follower, set()).add(task_id)
    return {
        task.task_id: TaskNode(
            task_id=task.task_id,
            operator=task.operator,
            followers=after[task.task_id],
            leaders=frozenset(before[task.task_id]),
            is_setup=bool(task.data.get("is_setup")),
            is_teardown=bool(task.data.get("is_teardown")),
            triggers_dag_run=task.task_id in triggers,
            trigger_rule=str(task.get("trigger_rule") or "all_success"),
            fails_run=bool(task.get("on_failure_fail_dagrun")),
            makes_data=makes_data(task),
            mapped=task.mapped,
            waits_for_run=task.task_id in triggers and waits_for_run(task),
            makes_one_run=task.task_id in triggers and makes_one_run(task),
        )
        for task in tasks
    }


WAITS_OR_CHOOSES = re.compile(r"Sensor|Branch|ShortCircuit|LatestOnly")
"""Classes of tasks that make nothing, where they are mapped: Airflow's own marks are missing there."""


def makes_data(task: Task) -> bool:
    """Whether a task does more than to wait, to choose, to prepare or clean up, or nothing."""
    if task.data.get("is_setup") or task.data.get("is_teardown"):
        return False
    if task.mapped:
        return not WAITS_OR_CHOOSES.search(task.operator)
    return not any(task.data.get(mark) for mark in ("_is_sensor", "_can_skip_downstream", "_is_empty"))


def seconds(value: Any) -> float | None:
    """A serialized length of time."""
    found = plain(value)
    return float(found) if isinstance(found, (int, float)) else None


def groups_of(dag: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The task groups: id → the ids of all tasks in it, nested ones too."""
    found: dict[str, frozenset[str]] = {}
    collect_groups(plain(dag.get("task_group")) or {}, found)
    return found


def mapped_groups(group: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the task groups in a group that are mapped or a loop."""
    for name, (kind, child) in (group.get("children") or {}).items():
        if kind != "operator":
            if child.get("is_mapped") or "loop" in child:
                yield name
            yield from mapped_groups(child)


def loops_of(
    group: Mapping[str, Any], mapped: frozenset[str], in_mapped: bool = False
) -> Iterator[tuple[frozenset[str], bool]]:
    """The tasks of the outermost loops in a group, each with whether something else makes instances in it or around it.

    ``mapped``: the mapped tasks of the Dag. Loops are of Airflow 3.4.
    """
    for kind, child in (group.get("children") or {}).values():
        if kind == "operator":
            continue
        around = in_mapped or bool(child.get("is_mapped"))
        if "loop" not in child:
            yield from loops_of(child, mapped, around)
            continue
        task_ids = collect_groups(child, {})
        yield task_ids, around or bool(task_ids & mapped) or any(mapped_groups(child))


def collect_groups(group: Mapping[str, Any], found: dict[str, frozenset[str]]) -> frozenset[str]:
    """Add the group's nested groups to ``found``; answer all tasks in it. Children go by their full ids."""
    inside: set[str] = set()
    for name, (kind, child) in (group.get("children") or {}).items():
        if kind == "operator":
            inside.add(name)
        else:
            found[name] = collect_groups(child, found)
            inside |= found[name]
    return frozenset(inside)
