"""Runs that a task has made and of which nothing tells any more, and the open edges that stand for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import TriggerDefinition
from airflow_rerun_downstream.domain.facts import DagStructure, RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.plan import FutureRef, LinkKind
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.explored import Explored, Instances
from airflow_rerun_downstream.lineage.kinds.base import FoundLink, LineageContext, unresolved
from airflow_rerun_downstream.lineage.kinds.trigger import can_be_reckoned, target_of
from airflow_rerun_downstream.lineage.templates import is_template, may_name

FORGOTTEN = Sentence("link.maker_forgotten")


MADE = ("success", "failed")
"""States of a task that has probably made a run: one that waited for it may have failed with it."""


def unrecorded(explored: Explored, instances: Instances, context: LineageContext) -> Iterator[FoundLink]:
    """The polluted tasks that have made a run of which nothing tells any more: an open edge for each Dag that it is of.

    Each map index is looked at by itself.
    """
    known = {
        (found.link.upstream, found.link.from_task_id, found.link.via.get("map_index", -1))
        for found in explored.found
        if found.link.kind is LinkKind.TRIGGER
    }
    latest: dict[str, list[TriggerDefinition]] = {}
    for one in context.definitions.triggers:
        latest.setdefault(one.dag_id, []).append(one)
    lost_runs: list[tuple[RunFacts, int, list[TriggerDefinition]]] = []
    for ref, run in explored.runs.items():
        own = explored.structures.own.get(ref)
        triggers = latest.get(ref.dag_id, ()) if own is None else own.definitions.triggers
        for task_id, some in by_task(triggers).items():
            lost = [
                task.map_index
                for task in instances[ref]
                if task.task_id == task_id
                and (ref, task_id, task.map_index) not in known
                and has_made(task, explored.structures.was(ref))
            ]
            if lost and explored.pollution[ref].touches(frozenset({task_id})):
                lost_runs.append((run, lost[0], some))
    asked = {run.ref for run, _, some in lost_runs if can_be_reckoned(some)}
    confs = context.facts.runs.confs(asked) if asked else {}
    for run, map_index, some in lost_runs:
        names = {target_of(some, run, confs.get(run.ref)) or one.trigger_dag_id for one in some}
        yield from forgotten(run, some[0].task_id, map_index, names)


def forgotten(run: RunFacts, task_id: str, map_index: int, names: Collection[str]) -> Iterator[FoundLink]:
    """The edges from a run to the Dags of which one of its tasks may have made a run."""
    via = {"task_id": task_id, "map_index": map_index, **({"one_of": len(names)} if len(names) > 1 else {})}
    for name in sorted(names):
        yield unresolved(
            run.ref, name, LinkKind.TRIGGER, via, why=FORGOTTEN, to_do=[Advice.KEEP_XCOMS], from_task_id=task_id
        )


def has_made(task: TaskInstanceFacts, structure: DagStructure | None) -> bool:
    """Whether a triggering task has probably made a run. What is still to be expanded has made none."""
    return task.state in MADE and not (
        task.map_index < 0 and structure is not None and expands(structure, task.task_id)
    )


def expands(structure: DagStructure, task_id: str) -> bool:
    """Whether a task has several indexes once its run has come to it."""
    node = structure.tasks.get(task_id)
    grouped = any(task_id in structure.groups.get(name, ()) for name in structure.mapped_groups)
    return grouped or (node is not None and node.mapped)


def by_task(triggers: Iterable[TriggerDefinition]) -> dict[str, list[TriggerDefinition]]:
    """What each task declares."""
    found: dict[str, list[TriggerDefinition]] = {}
    for one in triggers:
        found.setdefault(one.task_id, []).append(one)
    return found


def possible(found: Iterable[FoundLink], context: LineageContext) -> Iterator[FoundLink]:
    """Of the open edges to one of several Dags, those to Dags with a run of which nothing tells which task has made it.

    A template of a name stands for all of them that it can spell.
    """
    told: set[tuple[object, ...]] = set()
    for each in found:
        target, via = each.link.downstream, each.link.via
        if each.link.kind is not LinkKind.TRIGGER or not isinstance(target, FutureRef) or each.link.to_task_id:
            yield each
        elif is_template(target.dag_id):
            for dag_id in sorted(context.orphaned_dags):
                key = each.link.upstream, each.link.from_task_id, dag_id
                if key not in told and may_name(target.dag_id, dag_id):
                    told.add(key)
                    more = {**via, "trigger_dag_id": target.dag_id}
                    yield replace(each, link=replace(each.link, downstream=FutureRef(dag_id), via=more))
        elif "one_of" not in via or target.dag_id in context.orphaned_dags:
            yield each
