"""What a person should know before submitting: all warnings of a plan, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.order import Order
from airflow_rerun_downstream.domain.plan import (
    PlanContent,
    PlanWarning,
)
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.explored import Explored
from airflow_rerun_downstream.lineage.left_polluted import gone_in_latest, left_tasks, leftovers, not_shown
from airflow_rerun_downstream.lineage.ordering import order_warnings
from airflow_rerun_downstream.lineage.outlook import (
    crowded,
    deadlines,
    draining,
    extra_runs,
    new_runs,
    paused,
    taken_once_more,
    upcoming,
)
from airflow_rerun_downstream.lineage.polluted_rebuilds import rebuilt_on_polluted
from airflow_rerun_downstream.lineage.unbegun import unbegun
from airflow_rerun_downstream.lineage.unknowns import hidden, unknown_tasks, unresolved, untold_makers


def plan_warnings(
    plan: PlanContent,
    order: Order,
    explored: Explored,
    schedules: Mapping[str, DagSchedule],
    reads: Callable[[RunRef], bool],
) -> tuple[PlanWarning, ...]:
    """The warnings of a plan with its default selection, in which nothing is frozen."""
    selected = {run.ref: run.tasks for run in (plan.source, *plan.runs) if run.selected}
    return (
        *hidden(plan),
        *unresolved(plan),
        *not_shown(plan, explored, reads),
        *leftovers(plan, {run.ref for run in plan.runs if run.selected}),
        *left_tasks(plan, selected),
        *rebuilt_on_polluted(plan, selected),
        *unknown_tasks(plan, explored),
        *untold_makers(plan),
        *gone_in_latest(plan.structures, selected),
        *order_warnings(plan, selected, order),
        *unbegun(plan, selected, order),
        *new_runs(plan, selected),
        *extra_runs(plan, selected),
        *taken_once_more(plan, schedules, selected),
        *paused(plan, explored),
        *draining(plan, schedules),
        *upcoming(plan, ()),
        *crowded(plan, schedules),
        *deadlines(plan, schedules),
    )
