"""What the Dags and runs of an answer are called."""

from __future__ import annotations

from collections.abc import Collection

from airflow_rerun_downstream.domain.labels import Labels
from airflow_rerun_downstream.domain.plan import Plan
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.ports.work import Work


def labels(work: Work, dag_ids: Collection[str], refs: Collection[RunRef]) -> Labels:
    """Two statements, whatever the number; of what the user may read alone."""
    return Labels(
        work.facts.dags.display_names(dag_ids) if dag_ids else {}, work.facts.runs.notes(refs) if refs else {}
    )


def labels_of(work: Work, plan: Plan) -> Labels:
    """What a plan, as the user sees it, names."""
    refs = {run.ref for run in (plan.source, *plan.runs)}
    dag_ids = {ref.dag_id for ref in refs} | {one.ref.dag_id for one in plan.upcoming}
    return labels(work, dag_ids | {link.downstream.dag_id for link in plan.links}, refs)
