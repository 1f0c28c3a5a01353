"""Warnings of what a plan can't tell, or not to everybody."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.domain.plan import (
    Evidence,
    Link,
    PlanContent,
    PlanWarning,
)
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence, listed
from airflow_rerun_downstream.lineage.explored import Explored
from airflow_rerun_downstream.lineage.spelling import NEWEST


def hidden(plan: PlanContent) -> Iterable[PlanWarning]:
    """Downstream Dags that the user may not read are counted, never named."""
    if plan.hidden_dags:
        yield PlanWarning("hidden_downstream", Sentence("warning.hidden_downstream", count=plan.hidden_dags))


def unresolved(plan: PlanContent) -> Iterable[PlanWarning]:
    """Edges of which the consuming run can't be told, one warning for each consuming task."""
    seen = set()
    for link in plan.links:
        key = (link.downstream.dag_id, link.to_task_id, link.kind)
        if link.evidence is not Evidence.UNRESOLVED or key in seen:
            continue
        seen.add(key)
        if "behind" in link.via:
            yield hangs_on(link)
        else:
            yield not_resolved(link)


def not_resolved(link: Link) -> PlanWarning:
    """The warning about a link of which the consuming run can't be told."""
    upstream, downstream = link.upstream.dag_id, link.downstream.dag_id
    detail = Sentence(
        "warning.unresolved_link",
        downstream=downstream,
        upstream=upstream,
        why=link.via.get("why") or Sentence("part.not_to_be_seen"),
        advice=[Sentence(f"advice.{word}") for word in link.via.get("to_do", (Advice.LOOK_BY_HAND.value,))],
    )
    return PlanWarning("unresolved_link", detail, downstream, task_id=link.to_task_id, dag_ids=frozenset({upstream}))


def hangs_on(link: Link) -> PlanWarning:
    """The warning about a Dag behind an unresolved link."""
    dag_id, first = link.downstream.dag_id, link.via["behind"]["downstream"]["dag_id"]
    detail = Sentence("warning.behind_unresolved", dag=dag_id, first=first, upstream=link.upstream.dag_id)
    return PlanWarning(
        "behind_unresolved", detail, dag_id, task_id=link.to_task_id, dag_ids=frozenset({first, link.upstream.dag_id})
    )


def older_runs_not_asked(dag_ids: Collection[str]) -> Iterable[PlanWarning]:
    """Dags on unresolved links that have more runs than are asked what their tasks have made."""
    for dag_id in sorted(dag_ids):
        detail = Sentence("warning.older_runs_not_asked", dag=dag_id, count=NEWEST)
        yield PlanWarning("older_runs_not_asked", detail, dag_id)


def unknown_tasks(plan: PlanContent, explored: Explored) -> Iterable[PlanWarning]:
    """Tasks that read wrong data and that no version of their Dag knows, so that what follows them can't be told."""
    for ref, task_ids in sorted(explored.unknown.items()):
        if ref in plan.by_ref:
            detail = Sentence("warning.unknown_task", tasks=listed(sorted(task_ids)), run=f"{ref}")
            yield PlanWarning("unknown_task", detail, ref.dag_id, ref.run_id, min(task_ids))


def unreadable(now: Definitions, earlier: Definitions) -> Iterable[PlanWarning]:
    """Dags that can't be read: nobody knows whether they hang on the source."""
    for dag_id in sorted(now.unreadable | earlier.unreadable):
        code = "warning.unreadable_dag" if dag_id in now.unreadable else "warning.unreadable_earlier_version"
        yield PlanWarning("unreadable_dag", Sentence(code, dag=dag_id), dag_id)


def untold_makers(plan: PlanContent) -> Iterable[PlanWarning]:
    """Runs of which nothing tells whether the scheduler or a person stands behind them: one warning for each Dag."""
    found: dict[str, list[RunRef]] = {}
    for run in (plan.source, *plan.runs):
        if run.facts.maker_untold:
            found.setdefault(run.ref.dag_id, []).append(run.ref)
    for dag_id, refs in sorted(found.items()):
        alone = len(refs) == 1
        runs = Sentence("part.runs_of_it_and_more", run=f"{refs[0]}", count=len(refs) - 1)
        detail = Sentence("warning.maker_untold", runs=f"{refs[0]}" if alone else runs)
        yield PlanWarning("maker_untold", detail, dag_id, refs[0].run_id if alone else None)
