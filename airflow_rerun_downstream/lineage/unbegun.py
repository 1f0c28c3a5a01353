"""Tasks that haven't run yet in a run that is rerun: Airflow starts them as soon as the run goes on, asked or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, UNFINISHED_TASK_STATES
from airflow_rerun_downstream.domain.order import Order, Stage
from airflow_rerun_downstream.domain.plan import PlanContent, PlannedRun, PlanWarning
from airflow_rerun_downstream.domain.refs import Covering, RunRef, Tasks, shown
from airflow_rerun_downstream.domain.sentence import Sentence, listed


def unbegun(plan: PlanContent, selected: Mapping[RunRef, Tasks], order: Order) -> Iterable[PlanWarning]:
    """What starts without being selected, and what starts before its stage.

    A run that goes on by itself ends its tasks in any case: nothing is said of those that it was going to run.
    """
    for ref, tasks in selected.items():
        run = plan.by_ref.get(ref)
        if run is None or ref in order.made:
            continue
        waiting = [task for task in run.task_instances if task.state in UNFINISHED_TASK_STATES]
        meant = Covering(tasks if waiting else ())
        ids = {task.task_id for task in waiting if not meant.covers(task.task_id, task.map_index)}
        if ids and run.facts.state in FINISHED_RUN_STATES:
            yield starts_too(ref, sorted(ids))
        for number, stage in enumerate(order.stages[ref]):
            if number:
                yield from starts_early(run, stage)


def starts_too(ref: RunRef, ids: list[str]) -> PlanWarning:
    """The warning about tasks that aren't selected."""
    detail = Sentence("warning.starts_too", tasks=listed(ids), run=f"{ref}", count=len(ids))
    return PlanWarning("starts_too", detail, ref.dag_id, ref.run_id, ids[0] if len(ids) == 1 else None)


def starts_early(run: PlannedRun, stage: Stage) -> Iterable[PlanWarning]:
    """The warnings about tasks of a later stage: what they read isn't right when the first one is dispatched."""
    others = sorted({ref for ref, _ in stage.waits_for})
    for task_id in sorted({task.task_id for task in run.task_instances if task.state in UNFINISHED_TASK_STATES}):
        if any(task.task_id == task_id for task in stage.tasks):
            here = {"task": shown(task_id), "run": f"{run.ref}"}
            if others:
                detail = Sentence("warning.order_lost_at_first", **here, other=f"{others[0]}")
            else:
                detail = Sentence("warning.order_lost_before_other_stages", **here)
            about = run.ref.dag_id, run.ref.run_id, task_id
            yield PlanWarning("order_lost", detail, *about, dag_ids=frozenset(ref.dag_id for ref in others[:1]))
