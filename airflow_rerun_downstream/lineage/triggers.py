"""Links of the kind ``trigger``: a TriggerDagRunOperator task records the run that it made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.facts import DoubtfulRecord, RunFacts, TriggerDefinition, TriggeredRun
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.found import Found, Surroundings, refs, unresolved
from airflow_rerun_downstream.lineage.templates import is_template

if TYPE_CHECKING:
    from airflow_rerun_downstream.domain.facts import TaskInstanceFacts
    from airflow_rerun_downstream.lineage.discovery import Explored

    Instances = Mapping[RunRef, Sequence[TaskInstanceFacts]]


class TriggerLineage:
    """A run that a task made is downstream of the run of that task; what follows a task that waited, of that run."""

    kind = LinkKind.TRIGGER

    def __call__(self, runs: Sequence[RunFacts], around: Surroundings) -> Iterable[Found]:
        """The runs that tasks of ``runs`` made, and those whose tasks made ``runs`` and waited for their end."""
        known = {run.ref: run for run in runs}
        waiting = {(one.dag_id, one.task_id): one for one in around.definitions.triggers if one.waits}
        # A task of any operator may have made a run, so that every run is asked for.
        for made in around.facts.triggered_runs(refs(runs)):
            yield link_to_child(made, waiting) if isinstance(made, TriggeredRun) else open_edge(known[made.run], made)
        children = [run.ref for run in runs if may_be_waited_for(run.ref, waiting)]
        makers = around.facts.triggering_runs(children) if children else ()
        made_by = [one for one in makers if (one.parent.dag_id, one.task_id) in waiting]
        parents = around.facts.runs({made.parent for made in made_by}) if made_by else {}
        yield from (link_to_parent(made, parents[made.parent]) for made in made_by if made.parent in parents)


FORGOTTEN = "Airflow no longer keeps which run the task made"


def unrecorded(explored: Explored, instances: Instances, triggers: Iterable[TriggerDefinition]) -> Iterator[Found]:
    """The polluted tasks that have made a run of which nothing tells any more: an open edge for each."""
    known = {
        (found.link.upstream, found.link.from_task_id)
        for found in explored.found
        if found.link.kind is LinkKind.TRIGGER
    }
    targets: dict[str, dict[str, str]] = {}
    for one in triggers:
        targets.setdefault(one.dag_id, {}).setdefault(one.task_id, one.trigger_dag_id)
    for ref, run in explored.runs.items():
        named = targets.get(ref.dag_id, {})
        made = {task.task_id for task in instances.get(ref, ()) if task.state == "success" and task.task_id in named}
        for task_id in sorted(made):
            if (ref, task_id) not in known and explored.pollution[ref].touches(frozenset({task_id})):
                via = {"task_id": task_id, "why": FORGOTTEN}
                yield unresolved(run, named[task_id], LinkKind.TRIGGER, via, from_task_id=task_id)


def may_be_waited_for(child: RunRef, waiting: Mapping[tuple[str, str], TriggerDefinition]) -> bool:
    """Whether a task may have waited for a run that it made."""
    return any(is_template(one.trigger_dag_id) or one.trigger_dag_id == child.dag_id for one in waiting.values())


def seen(made: TriggeredRun) -> dict[str, object]:
    """What the task recorded."""
    return {"task_id": made.task_id, "map_index": made.map_index, "xcom": "trigger_run_id"}


def link_to_child(made: TriggeredRun, waiting: Collection[tuple[str, str]]) -> Found:
    """The run that a task made."""
    via = seen(made) | ({"wait_for_completion": True} if (made.parent.dag_id, made.task_id) in waiting else {})
    link = Link(made.parent, made.child.ref, LinkKind.TRIGGER, Evidence.RECORDED, via, from_task_id=made.task_id)
    return Found(link, frozenset({made.task_id}), None, made.child)


def link_to_parent(made: TriggeredRun, parent: RunFacts) -> Found:
    """The run whose task waited for the run that it had made: what follows the task reads what that run made."""
    via = seen(made) | {"wait_for_completion": True}
    link = Link(made.child.ref, parent.ref, LinkKind.TRIGGER, Evidence.RECORDED, via, to_task_id=made.task_id)
    return Found(link, None, made.task_id, parent, beyond=True)


def open_edge(run: RunFacts, record: DoubtfulRecord) -> Found:
    """A task that made a run, but not the one that it has recorded."""
    via = {"task_id": record.task_id, "map_index": record.map_index, "why": record.why}
    return unresolved(run, record.dag_id or "", LinkKind.TRIGGER, via, from_task_id=record.task_id)
