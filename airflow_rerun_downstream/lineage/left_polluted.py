"""Warnings of what stays polluted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from airflow_rerun_downstream.domain.graph import reached_by
from airflow_rerun_downstream.domain.plan import (
    PlanContent,
    PlanWarning,
    RunStatus,
)
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, by_name, shown
from airflow_rerun_downstream.domain.sentence import Sentence, clause, runs_of, task_of
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.lineage.explored import Explored
from airflow_rerun_downstream.lineage.polluted_rebuilds import left_in


def not_shown(plan: PlanContent, explored: Explored, reads: Callable[[RunRef], bool]) -> Iterable[PlanWarning]:
    """Manual and backfill runs that consumed wrong data but aren't in the list."""
    shown = plan.by_ref
    for ref, run in sorted(explored.runs.items(), key=lambda found: by_name(found[0])):
        if ref not in shown and ref not in plan.passing and reads(ref):
            why = clause("backfill_run" if run.backfill else "manual_run")
            yield stays_polluted(ref, Sentence("part.not_in_the_list", why=why))


def leftovers(plan: PlanContent, taken: Collection[RunRef]) -> Iterable[PlanWarning]:
    """Shown runs that the wrong data reached and that aren't rerun, with the reason or who reads them next."""
    readers = dict(reached_by(plan.edges, taken)) if len(taken) < len(plan.runs) else {}
    for run in plan.runs:
        # Of a run that isn't ready `upcoming` warns; what only made others is told of by these.
        if run.ref in taken or run.status is RunStatus.NOT_READY or run.reason == "only_triggers":
            continue
        after = readers.get(run.ref, 0)
        why = clause(run.reason) if run.reason else Sentence("part.not_selected")
        yield stays_polluted(run.ref, Sentence("part.read_again", why=why, count=after) if after else why)


def left_tasks(plan: PlanContent, selected: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """Polluted tasks that are left out of runs which are rerun; what a triggering task made is told of by itself."""
    for ref, tasks in selected.items():
        named = {task.task_id for task in tasks}
        for task_id in sorted(left_in(plan, ref, tasks) or ()):
            part = Sentence("part.some_indexes" if task_id in named else "part.not_selected")
            yield stays_polluted(ref, part, task_id)


def stays_polluted(ref: RunRef, why: str, task_id: str | None = None) -> PlanWarning:
    """The warning about one run, or one task of it."""
    detail = Sentence("warning.stays_polluted", what=task_of(ref, task_id), why=why)
    return PlanWarning("stays_polluted", detail, ref.dag_id, ref.run_id, task_id)


def gone_in_latest(
    structures: Structures, selected: Mapping[RunRef, Tasks], *, on_latest_version: bool | None = None
) -> Iterable[PlanWarning]:
    """Selected tasks that the version doesn't have on which their runs will run: one warning for each task of a Dag."""
    found: dict[tuple[str, str], list[RunRef]] = {}
    for ref, tasks in selected.items():
        for task_id in structures.gone(ref, on_latest_version) & {task.task_id for task in tasks}:
            found.setdefault((ref.dag_id, task_id), []).append(ref)
    for (dag_id, task_id), refs in sorted(found.items()):
        detail = Sentence("warning.task_gone_in_latest", task=shown(task_id), runs=runs_of(refs))
        yield PlanWarning("task_gone_in_latest", detail, dag_id, refs[0].run_id if len(refs) == 1 else None, task_id)
