"""Links of the kind ``trigger``: a TriggerDagRunOperator task records the run that it made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.facts import (
    DagStructure,
    DoubtfulRecord,
    RunConf,
    RunFacts,
    TaskInstanceFacts,
    TriggerDefinition,
    TriggeredRun,
)
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.found import Found, Surroundings, refs, unresolved
from airflow_rerun_downstream.lineage.templates import is_template, may_be_reckoned, may_name, reckoned

if TYPE_CHECKING:
    from airflow_rerun_downstream.lineage.discovery import Explored

    Instances = Mapping[RunRef, Sequence[TaskInstanceFacts]]


class TriggerLineage:
    """A run that a task made is downstream of the run of that task; what follows a task that waited, of that run."""

    kind = LinkKind.TRIGGER

    def __call__(self, runs: Sequence[RunFacts], around: Surroundings) -> Iterable[Found]:
        """The runs that tasks of ``runs`` made, and those whose tasks made ``runs`` and waited for their end."""
        known = {run.ref: run for run in runs}
        # A task of any operator may have made a run, so that every run is asked for.
        for made in around.facts.triggered_runs(refs(runs)):
            yield link_to_child(made, around) if isinstance(made, TriggeredRun) else open_edge(known[made.run], made)
        waiting = [one for one in (*around.definitions.triggers, *around.earlier.triggers) if one.waits]
        children = [run for run in runs if any(may_name(one.trigger_dag_id, run.ref.dag_id) for one in waiting)]
        if children:
            yield from to_parents(children, waiting, around)


def to_parents(
    children: Sequence[RunFacts], waiting: Sequence[TriggerDefinition], around: Surroundings
) -> Iterator[Found]:
    """From runs to those whose tasks made them and waited; an open edge where nothing tells any more which it was."""
    makers = around.facts.triggering_runs(refs(children))
    tasks = {(one.dag_id, one.task_id) for one in waiting}
    made_by = [one for one in makers if (one.parent.dag_id, one.task_id) in tasks]
    changed = {one.parent for one in made_by if one.parent.dag_id in around.earlier.changed}
    own = around.facts.own_versions(changed) if changed else {}
    parents = around.facts.runs({made.parent for made in made_by}) if made_by else {}
    for made in made_by:
        version = own.get(made.parent)
        triggers = around.definitions.triggers if version is None else version.definitions.triggers
        waited = any(one.waits for one in triggers if (one.dag_id, one.task_id) == (made.parent.dag_id, made.task_id))
        if made.parent in parents and waited:
            yield link_to_parent(made, parents[made.parent])
    known = {one.child.ref for one in makers}
    for child in children:
        if child.made_by_task and child.ref not in known:
            lost = {
                (one.dag_id, one.task_id)
                for one in waiting
                if not one.in_vain and may_name(one.trigger_dag_id, child.ref.dag_id)
            }
            yield from (lost_parent(child, dag_id, task_id) for dag_id, task_id in sorted(lost))


LOST_PARENT = "a task made the run, and Airflow no longer keeps which; this one waits for the runs that it makes"


def lost_parent(child: RunFacts, dag_id: str, task_id: str) -> Found:
    """The edge from a run to the Dag whose task may have made it and waited for it."""
    found = unresolved(
        child.ref,
        dag_id,
        LinkKind.TRIGGER,
        {"task_id": task_id},
        why=LOST_PARENT,
        to_do=[Advice.KEEP_XCOMS],
        to_task_id=task_id,
    )
    return replace(found, beyond=True)


FORGOTTEN = "Airflow no longer keeps which run the task made"
MADE = ("success", "failed")
"""States of a task that has probably made a run: one that waited for it may have failed with it."""


def unrecorded(explored: Explored, instances: Instances, around: Surroundings) -> Iterator[Found]:
    """The polluted tasks that have made a run of which nothing tells any more: an open edge for each Dag that it is of.

    Each map index is looked at by itself.
    """
    known = {
        (found.link.upstream, found.link.from_task_id, found.link.via.get("map_index", -1))
        for found in explored.found
        if found.link.kind is LinkKind.TRIGGER
    }
    latest: dict[str, list[TriggerDefinition]] = {}
    for one in around.definitions.triggers:
        latest.setdefault(one.dag_id, []).append(one)
    lost_runs: list[tuple[RunFacts, int, list[TriggerDefinition]]] = []
    for ref, run in explored.runs.items():
        own = explored.structures.own.get(ref)
        triggers = latest.get(ref.dag_id, ()) if own is None else own.definitions.triggers
        for task_id, some in by_task(triggers).items():
            lost = [
                task.map_index
                for task in instances.get(ref, ())
                if task.task_id == task_id
                and (ref, task_id, task.map_index) not in known
                and has_made(task, explored.structures.was(ref))
            ]
            if lost and explored.pollution[ref].touches(frozenset({task_id})):
                lost_runs.append((run, lost[0], some))
    asked = {run.ref for run, _, some in lost_runs if can_be_reckoned(some)}
    confs = around.facts.confs(asked) if asked else {}
    for run, map_index, some in lost_runs:
        names = {target_of(some, run, confs.get(run.ref)) or one.trigger_dag_id for one in some}
        yield from forgotten(run, some[0].task_id, map_index, names)


def forgotten(run: RunFacts, task_id: str, map_index: int, names: Collection[str]) -> Iterator[Found]:
    """The edges from a run to the Dags of which one of its tasks may have made a run."""
    via = {"task_id": task_id, "map_index": map_index, **({"one_of": len(names)} if len(names) > 1 else {})}
    for name in sorted(names):
        yield unresolved(
            run.ref, name, LinkKind.TRIGGER, via, why=FORGOTTEN, to_do=[Advice.KEEP_XCOMS], from_task_id=task_id
        )


def can_be_reckoned(triggers: Sequence[TriggerDefinition]) -> bool:
    """Whether a run alone may tell which Dag a task named. Of several names it isn't known which index each is of."""
    return len(triggers) == 1 and is_template(name := triggers[0].trigger_dag_id) and may_be_reckoned(name)


def target_of(triggers: Sequence[TriggerDefinition], run: RunFacts, conf: RunConf | None) -> str | None:
    """The Dag that a task named in a run; None: it can't be reckoned."""
    if conf is None or not can_be_reckoned(triggers):
        return None
    found = reckoned([triggers[0].trigger_dag_id], run, triggers[0].params, conf)
    return found[0] if found else None


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


def possible(found: Iterable[Found], around: Surroundings) -> Iterator[Found]:
    """Of the open edges to one of several Dags, those to Dags with a run of which nothing tells which task has made it.

    A template of a name stands for all of them that it can spell.
    """
    told: set[tuple[object, ...]] = set()
    for each in found:
        target, via = each.link.downstream, each.link.via
        if each.link.kind is not LinkKind.TRIGGER or not isinstance(target, FutureRef) or each.link.to_task_id:
            yield each
        elif is_template(target.dag_id):
            for dag_id in sorted(around.orphaned_dags):
                key = each.link.upstream, each.link.from_task_id, dag_id
                if key not in told and may_name(target.dag_id, dag_id):
                    told.add(key)
                    more = {**via, "trigger_dag_id": target.dag_id}
                    yield replace(each, link=replace(each.link, downstream=FutureRef(dag_id), via=more))
        elif "one_of" not in via or target.dag_id in around.orphaned_dags:
            yield each


def seen(made: TriggeredRun) -> dict[str, object]:
    """What the task recorded."""
    by = {"dag_by": "run_id"} if made.by_run_id else {}
    return {"task_id": made.task_id, "map_index": made.map_index, "xcom": "trigger_run_id", **by}


def evidence_of(made: TriggeredRun) -> Evidence:
    """How the run is known."""
    return Evidence.DERIVED if made.by_run_id else Evidence.RECORDED


def link_to_child(made: TriggeredRun, around: Surroundings) -> Found:
    """The run that a task made."""
    structure = around.structures.was(made.parent)
    node = structure.tasks.get(made.task_id) if structure is not None else None
    via = seen(made) | ({"wait_for_completion": True} if node is not None and node.waits_for_run else {})
    link = Link(made.parent, made.child.ref, LinkKind.TRIGGER, evidence_of(made), via, from_task_id=made.task_id)
    return Found(link, frozenset({made.task_id}), None, made.child)


def link_to_parent(made: TriggeredRun, parent: RunFacts) -> Found:
    """The run whose task waited for the run that it had made: what follows the task reads what that run made."""
    via = seen(made) | {"wait_for_completion": True}
    link = Link(made.child.ref, parent.ref, LinkKind.TRIGGER, evidence_of(made), via, to_task_id=made.task_id)
    return Found(link, None, made.task_id, parent, beyond=True)


def open_edge(run: RunFacts, record: DoubtfulRecord) -> Found:
    """A task that made a run, but not the one that it has recorded."""
    return unresolved(
        run.ref,
        record.dag_id or "",
        LinkKind.TRIGGER,
        {"task_id": record.task_id, "map_index": record.map_index},
        why=record.why,
        to_do=[Advice.LOOK_BY_HAND],
        from_task_id=record.task_id,
    )
