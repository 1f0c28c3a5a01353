"""What a person should know before submitting."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.plan import Evidence, LinkKind, Plan, PlanWarning
from airflow_rerun_downstream.domain.reasons import sentence
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, covers
from airflow_rerun_downstream.lineage.discovery import Explored


def plan_warnings(plan: Plan, explored: Explored, reads: Callable[[RunRef], bool]) -> tuple[PlanWarning, ...]:
    """The warnings of a plan with its default selection."""
    return (
        *hidden(plan),
        *unresolved(plan),
        *not_shown(plan, explored, reads),
        *leftovers(plan, {run.ref for run in plan.runs if run.selected}),
        *new_runs(plan, {run.ref: run.tasks for run in (plan.source, *plan.runs) if run.selected}),
        *paused(plan, explored),
    )


def hidden(plan: Plan) -> Iterable[PlanWarning]:
    """Downstream Dags that the user may not read are counted, never named."""
    if plan.hidden_dags:
        yield PlanWarning(
            "hidden_downstream",
            f"{plan.hidden_dags} downstream Dag(s) that you may not read hold polluted runs, which stay as they are.",
        )


def unresolved(plan: Plan) -> Iterable[PlanWarning]:
    """Edges of which the consuming run can't be told, one warning for each consuming task."""
    seen = set()
    for link in plan.links:
        key = (link.downstream.dag_id, link.to_task_id, link.kind)
        if link.evidence is Evidence.UNRESOLVED and key not in seen:
            seen.add(key)
            yield PlanWarning(
                "unresolved_link",
                f"{link.downstream.dag_id} reads what {link.upstream.dag_id} makes, but which of its runs did can't "
                f"be told: {link.via.get('why', 'no record')}. Check it by hand.",
                dag_id=link.downstream.dag_id,
                task_id=link.to_task_id,
            )


def not_shown(plan: Plan, explored: Explored, reads: Callable[[RunRef], bool]) -> Iterable[PlanWarning]:
    """Manual and backfill runs that consumed wrong data but aren't in the list."""
    shown = plan.by_ref
    for ref, run in sorted(explored.runs.items()):
        if ref not in shown and reads(ref):
            why = sentence("backfill_run" if run.backfill else "manual_run")
            yield stays_polluted(ref, f"{why}, and isn't in the list")


def leftovers(plan: Plan, taken: Collection[RunRef]) -> Iterable[PlanWarning]:
    """Shown runs that the wrong data reached and that aren't rerun, with the reason or who reads them next."""
    for run in plan.runs:
        if run.ref in taken:
            continue
        after = reachable([run.ref], plan.edges) & set(taken)
        why = sentence(run.reason) if run.reason else "it isn't selected"
        readers = f"; {len(after)} selected run(s) downstream will read it again" if after else ""
        yield stays_polluted(run.ref, why + readers)


def stays_polluted(ref: RunRef, why: str) -> PlanWarning:
    """The warning about one run."""
    return PlanWarning("stays_polluted", f"{ref} stays polluted: {why}.", dag_id=ref.dag_id, run_id=ref.run_id)


def new_runs(plan: Plan, selected: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """Selected tasks that made a run of the plan: run again, they make another one."""
    for link in plan.links:
        task_id, old = link.from_task_id, link.downstream
        if link.kind is not LinkKind.TRIGGER or task_id is None or not isinstance(old, RunRef):
            continue
        if not covers(selected.get(link.upstream, ()), task_id, int(link.via.get("map_index", -1))):
            continue
        if old in selected:
            what = f"in place of {old.run_id}: it takes part in the rerun, and all of its tasks run"
        else:
            what = f"beside {old.run_id}, which isn't selected: what consumes its data starts anew, too"
        detail = f"{task_id} of {link.upstream} makes another run of {old.dag_id} {what}."
        yield PlanWarning("makes_a_new_run", detail, link.upstream.dag_id, link.upstream.run_id, task_id)


def paused(plan: Plan, explored: Explored) -> Iterable[PlanWarning]:
    """Paused Dags of selected runs: Airflow won't start a run of theirs."""
    for dag_id in sorted({run.ref.dag_id for run in (plan.source, *plan.runs) if run.selected}):
        structure = explored.structures.get(dag_id)
        if structure is not None and structure.is_paused:
            yield PlanWarning(
                "paused_dag",
                f"{dag_id} is paused: its runs wait until somebody unpauses it.",
                dag_id=dag_id,
            )
