"""The order of a plan's runs with a selection, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from airflow_rerun_downstream.domain.cutting import Lost
from airflow_rerun_downstream.domain.gaps import Gap, gaps
from airflow_rerun_downstream.domain.order import Order, Stage, put_in_order
from airflow_rerun_downstream.domain.plan import Plan, PlanWarning
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, shown

NAMED = 5
"""How many tasks a sentence names."""


def order_of(plan: Plan, selected: Mapping[RunRef, Tasks], *, rerun_source: bool) -> Order:
    """The order of the source and the ``selected`` runs; what a source that isn't rerun has read doesn't matter."""
    source = plan.source.ref
    readings = plan.readings if rerun_source else [each for each in plan.readings if each.downstream != source]
    runs = plan.by_ref
    return put_in_order(
        readings,
        plan.structures,
        selected,
        {ref: runs[ref].cuts for ref in selected if runs[ref].cuts},
        plan.edges,
        source=source,
        key=lambda ref: (ref != source, runs[ref].facts.run_after, ref),
    )


def order_warnings(plan: Plan, selected: Mapping[RunRef, Tasks], order: Order) -> Iterable[PlanWarning]:
    """Where the order is lost, and which runs are rerun in stages."""
    yield from map(loss, order.lost)
    known: dict[tuple[int, str, Tasks], list[Gap]] = {}
    for ref, tasks in selected.items():
        structure = plan.structures.get(ref)
        key = (id(structure), ref.dag_id, tasks)
        if key not in known:
            known[key] = gaps(structure, tasks)
        found = (within_stages(gap, order.stages[ref]) for gap in known[key])
        yield from (gap_in(ref, gap) for gap in found if gap is not None)
    for ref, stages in order.stages.items():
        if len(stages) > 1:
            parts = "; then ".join(names([str(task) for task in stage.tasks]) for stage in stages)
            detail = f"{ref} is rerun in {len(stages)} stages, each after what it reads from: {parts}."
            yield PlanWarning("in_stages", detail, ref.dag_id, ref.run_id)


def within_stages(gap: Gap, stages: Sequence[Stage]) -> Gap | None:
    """What of a gap no stage keeps in order."""
    if len(stages) == 1:
        return gap
    number = {task.task_id: number for number, stage in enumerate(stages) for task in stage.tasks}
    after = tuple(each for each in gap.after if number[each] >= number[gap.task_id])
    return replace(gap, after=after) if after else None


def loss(lost: Lost) -> PlanWarning:
    """The warning about two runs that can't be put in order."""
    reader, read = end(lost.to_task, lost.downstream), end(lost.from_task, lost.upstream)
    why = "Airflow starts it as soon as its run is made" if lost.by_maker else "they hang on each other"
    detail = f"{reader} goes before {read} is made anew, from which it reads: {why}."
    other = frozenset({lost.upstream.dag_id})
    return PlanWarning(
        "order_lost", detail, lost.downstream.dag_id, lost.downstream.run_id, lost.to_task, dag_ids=other
    )


def end(task_id: str | None, ref: RunRef) -> str:
    """One end of a reading."""
    return f"{ref}" if task_id is None else f"{shown(task_id)} of {ref}"


def gap_in(ref: RunRef, gap: Gap) -> PlanWarning:
    """The warning about tasks that start too early."""
    between, after = names(gap.between), names(gap.after)
    detail = (
        f"{shown(gap.task_id)} of {ref} won't wait for {after}: {between} between them isn't selected, so that Airflow "
        f"starts {shown(gap.task_id)} at once."
    )
    return PlanWarning("order_lost", detail, ref.dag_id, ref.run_id, gap.task_id)


def names(ids: Collection[str]) -> str:
    """Some names in a sentence."""
    first = ", ".join(shown(each) for each in list(ids)[:NAMED])
    return first if len(ids) <= NAMED else f"{first} and {len(ids) - NAMED} more"


def losers(order: Order, source: RunRef) -> set[RunRef]:
    """The runs that aren't selected by default because they can't be put in order with others.

    None that a task makes: Airflow would start it all the same.
    """
    return {each.upstream if each.downstream == source else each.downstream for each in order.lost} - order.made
