"""Links of the kind ``trigger``: a TriggerDagRunOperator task records the run that it made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.lineage.found import Found, Surroundings, refs


class TriggerLineage:
    """A run that a task made is downstream of the run of that task."""

    kind = LinkKind.TRIGGER

    def __call__(self, runs: Sequence[RunFacts], around: Surroundings) -> Iterable[Found]:
        """The runs that tasks of ``runs`` made."""
        makers = {trigger.dag_id for trigger in around.definitions.triggers}
        parents = [ref for ref in refs(runs) if ref.dag_id in makers]
        if not parents:
            return []
        return [
            Found(
                Link(
                    made.parent,
                    made.child.ref,
                    LinkKind.TRIGGER,
                    Evidence.RECORDED,
                    {"task_id": made.task_id, "map_index": made.map_index, "xcom": "trigger_run_id"},
                    from_task_id=made.task_id,
                ),
                frozenset({made.task_id}),
                None,
                made.child,
            )
            for made in around.facts.triggered_runs(parents)
        ]
