"""Links of the kind ``trigger``: a TriggerDagRunOperator task records the run that it made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import TriggerDefinition
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.facts import RunConf, RunFacts, node_of
from airflow_rerun_downstream.domain.lineage_records import DoubtfulRecord, TriggeredRun
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.base import (
    WHICH_DAG,
    EdgeContext,
    FoundLink,
    LineageContext,
    refs,
    unresolved,
)
from airflow_rerun_downstream.lineage.read_through import read_through
from airflow_rerun_downstream.lineage.templates import is_template, may_be_reckoned, may_name, reckoned


class TriggerLinks:
    """A run that a task made is downstream of the run of that task; what follows a task that waited, of that run."""

    kind = LinkKind.TRIGGER
    foresees = False

    def links(self, runs: Sequence[RunFacts], context: LineageContext) -> Iterable[FoundLink]:
        """The runs that tasks of ``runs`` made, and those whose tasks made ``runs`` and waited for their end."""
        known = {run.ref: run for run in runs}
        # A task of any operator may have made a run, so that every run is asked for.
        for made in context.facts.tasks.triggered_runs(refs(runs)):
            yield link_to_child(made, context) if isinstance(made, TriggeredRun) else open_edge(known[made.run], made)
        waiting = [one for one in (*context.definitions.triggers, *context.earlier.triggers) if one.waits]
        children = [run for run in runs if any(may_name(one.trigger_dag_id, run.ref.dag_id) for one in waiting)]
        if children:
            yield from to_parents(children, waiting, context)

    def edges(self, context: EdgeContext) -> Iterable[DagEdge]:
        """From the Dags with a task that makes runs to the Dags of these."""
        return map(trigger_edge, context.definitions.triggers)


def to_parents(
    children: Sequence[RunFacts], waiting: Sequence[TriggerDefinition], context: LineageContext
) -> Iterator[FoundLink]:
    """From runs to those whose tasks made them and waited; an open edge where nothing tells any more which it was."""
    makers = context.facts.tasks.triggering_runs(refs(children))
    tasks = {(one.dag_id, one.task_id) for one in waiting}
    made_by = [one for one in makers if (one.parent.dag_id, one.task_id) in tasks]
    changed = {one.parent for one in made_by if one.parent.dag_id in context.earlier.changed}
    own = context.facts.dags.own_versions(changed) if changed else {}
    parents = context.facts.runs.among({made.parent for made in made_by}) if made_by else {}
    for made in made_by:
        version = own.get(made.parent)
        triggers = context.definitions.triggers if version is None else version.definitions.triggers
        waited = any(one.waits for one in triggers if (one.dag_id, one.task_id) == (made.parent.dag_id, made.task_id))
        if made.parent in parents and waited:
            yield link_to_parent(made, parents[made.parent])
    known = {one.child.ref for one in makers}
    strays = [child for child in children if child.made_by_task and child.ref not in known]
    passing = read_through(waiting, (context.definitions, context.earlier)) if strays else ()
    for child in strays:
        lost = {(one.dag_id, one.task_id) for one in passing if may_name(one.trigger_dag_id, child.ref.dag_id)}
        yield from (lost_parent(child, dag_id, task_id) for dag_id, task_id in sorted(lost))


LOST_PARENT = Sentence("link.parent_lost")


def lost_parent(child: RunFacts, dag_id: str, task_id: str) -> FoundLink:
    """The edge from a run to the Dag whose task may have made it and waited for it."""
    return unresolved(
        child.ref,
        dag_id,
        LinkKind.TRIGGER,
        {"task_id": task_id},
        why=LOST_PARENT,
        to_do=[Advice.KEEP_XCOMS],
        to_task_id=task_id,
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


def seen(made: TriggeredRun) -> dict[str, object]:
    """What the task recorded."""
    by = {"dag_by": "run_id"} if made.by_run_id else {}
    return {"task_id": made.task_id, "map_index": made.map_index, "xcom": "trigger_run_id", **by}


def evidence_of(made: TriggeredRun) -> Evidence:
    """How the run is known."""
    return Evidence.DERIVED if made.by_run_id else Evidence.RECORDED


def link_to_child(made: TriggeredRun, context: LineageContext) -> FoundLink:
    """The run that a task made."""
    node = node_of(context.structures.was(made.parent), made.task_id)
    via = seen(made) | ({"wait_for_completion": True} if node is not None and node.waits_for_run else {})
    link = Link(made.parent, made.child.ref, LinkKind.TRIGGER, evidence_of(made), via, from_task_id=made.task_id)
    return FoundLink(link, frozenset({made.task_id}), None, made.child)


def link_to_parent(made: TriggeredRun, parent: RunFacts) -> FoundLink:
    """The run whose task waited for the run that it had made: what follows the task reads what that run made."""
    via = seen(made) | {"wait_for_completion": True}
    link = Link(made.child.ref, parent.ref, LinkKind.TRIGGER, evidence_of(made), via, to_task_id=made.task_id)
    return FoundLink(link, None, made.task_id, parent, beyond=True)


def open_edge(run: RunFacts, record: DoubtfulRecord) -> FoundLink:
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


BY_XCOM = Sentence("link.by_xcom")


def trigger_edge(trigger: TriggerDefinition) -> DagEdge:
    """A task that makes runs of a Dag."""
    open_name = is_template(trigger.trigger_dag_id)
    return DagEdge(
        trigger.dag_id,
        trigger.trigger_dag_id,
        LinkKind.TRIGGER,
        Evidence.UNRESOLVED if open_name else Evidence.RECORDED,
        WHICH_DAG if open_name else BY_XCOM,
        (Advice.ASK_A_PLAN,) if open_name else (Advice.KEEP_XCOMS,),
        {"task_id": trigger.task_id, "trigger_dag_id": trigger.trigger_dag_id},
        from_task_id=trigger.task_id,
    )
