"""Warnings of what a plan can't tell, or not to everybody."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from airflow_rerun_downstream.domain.advice import Advice, sentences
from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.domain.plan import (
    Evidence,
    Link,
    PlanContent,
    PlanWarning,
)
from airflow_rerun_downstream.domain.refs import RunRef, shown
from airflow_rerun_downstream.lineage.explored import Explored
from airflow_rerun_downstream.lineage.spelling import NEWEST


def hidden(plan: PlanContent) -> Iterable[PlanWarning]:
    """Downstream Dags that the user may not read are counted, never named."""
    if plan.hidden_dags:
        yield PlanWarning(
            "hidden_downstream",
            f"{plan.hidden_dags} downstream Dag(s) that you may not read have polluted runs, which stay as "
            "they are, or will have some.",
        )


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
            why = link.via.get("why", "you may not see what it depends on")
            yield PlanWarning(
                "unresolved_link",
                f"{link.downstream.dag_id} reads what {link.upstream.dag_id} makes, but which run read it "
                f"is unknown: {why}. {link.via.get('advice', sentences([Advice.LOOK_BY_HAND]))}",
                dag_id=link.downstream.dag_id,
                task_id=link.to_task_id,
                dag_ids=frozenset({link.upstream.dag_id}),
            )


def hangs_on(link: Link) -> PlanWarning:
    """The warning about a Dag behind an unresolved link."""
    dag_id, first = link.downstream.dag_id, link.via["behind"]["downstream"]["dag_id"]
    detail = (
        f"{dag_id} depends on {first}, and which run of that read the data of {link.upstream.dag_id} is "
        f"unknown: a run of {dag_id} may be wrong, too."
    )
    return PlanWarning(
        "behind_unresolved", detail, dag_id, task_id=link.to_task_id, dag_ids=frozenset({first, link.upstream.dag_id})
    )


def older_runs_not_asked(dag_ids: Collection[str]) -> Iterable[PlanWarning]:
    """Dags on unresolved links that have more runs than are asked what their tasks have made."""
    for dag_id in sorted(dag_ids):
        detail = (
            f"{dag_id} is at or behind an unresolved link and has many runs. Only the newest {NEWEST} were "
            "checked for runs that their tasks triggered; more may depend on it."
        )
        yield PlanWarning("older_runs_not_asked", detail, dag_id)


def unknown_tasks(plan: PlanContent, explored: Explored) -> Iterable[PlanWarning]:
    """Tasks that read wrong data and that no version of their Dag knows, so that what follows them can't be told."""
    for ref, task_ids in sorted(explored.unknown.items()):
        if ref in plan.by_ref:
            named = ", ".join(shown(task_id) for task_id in sorted(task_ids)[:5])
            detail = (
                f"The tasks after {named} in {ref} are unknown, because its Dag doesn't have that task. The "
                "whole run counts as polluted."
            )
            yield PlanWarning("unknown_task", detail, ref.dag_id, ref.run_id, min(task_ids))


def unreadable(now: Definitions, earlier: Definitions) -> Iterable[PlanWarning]:
    """Dags that can't be read: nobody knows whether they hang on the source."""
    for dag_id in sorted(now.unreadable | earlier.unreadable):
        which = "" if dag_id in now.unreadable else "an earlier version of "
        detail = (
            f"Airflow's record of {which}{dag_id} can't be read completely. Its sensors, triggers and "
            "assets aren't known, so runs of it may be missing here: see the api-server log."
        )
        yield PlanWarning("unreadable_dag", detail, dag_id)


def untold_makers(plan: PlanContent) -> Iterable[PlanWarning]:
    """Runs of which nothing tells whether the scheduler or a person stands behind them: one warning for each Dag."""
    found: dict[str, list[RunRef]] = {}
    for run in (plan.source, *plan.runs):
        if run.facts.maker_untold:
            found.setdefault(run.ref.dag_id, []).append(run.ref)
    for dag_id, refs in sorted(found.items()):
        more = f" and {len(refs) - 1} more run(s) of it" if len(refs) > 1 else ""
        detail = (
            f"A task created {refs[0]}{more}, and Airflow no longer records which. It counts as scheduled, "
            "although a user may have started the run that created it."
        )
        yield PlanWarning("maker_untold", detail, dag_id, None if more else refs[0].run_id)
