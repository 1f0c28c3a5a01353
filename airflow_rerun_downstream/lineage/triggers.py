"""Links of the kind ``trigger``: a TriggerDagRunOperator task records the run that it made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_rerun_downstream.domain.facts import DoubtfulRecord, RunFacts, TriggeredRun
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.lineage.found import Found, Surroundings, refs, unresolved


class TriggerLineage:
    """A run that a task made is downstream of the run of that task."""

    kind = LinkKind.TRIGGER

    def __call__(self, runs: Sequence[RunFacts], around: Surroundings) -> Iterable[Found]:
        """The runs that tasks of ``runs`` made."""
        makers = {trigger.dag_id for trigger in around.definitions.triggers}
        parents = [ref for ref in refs(runs) if ref.dag_id in makers]
        if not parents:
            return []
        known = {run.ref: run for run in runs}
        return [
            link_of(made) if isinstance(made, TriggeredRun) else open_edge(known[made.run], made)
            for made in around.facts.triggered_runs(parents)
        ]


def link_of(made: TriggeredRun) -> Found:
    """The link from the run of a task to the run that it made."""
    via = {"task_id": made.task_id, "map_index": made.map_index, "xcom": "trigger_run_id"}
    link = Link(made.parent, made.child.ref, LinkKind.TRIGGER, Evidence.RECORDED, via, from_task_id=made.task_id)
    return Found(link, frozenset({made.task_id}), None, made.child)


def open_edge(run: RunFacts, record: DoubtfulRecord) -> Found:
    """A task that made a run, but not the one that it has recorded."""
    via = {"task_id": record.task_id, "map_index": record.map_index, "why": record.why}
    return unresolved(run, record.dag_id or "", LinkKind.TRIGGER, via, from_task_id=record.task_id)
