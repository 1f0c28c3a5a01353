"""The order of a plan's runs with a selection, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from airflow_rerun_downstream.domain.cutting import Lost
from airflow_rerun_downstream.domain.gaps import Gap, gaps
from airflow_rerun_downstream.domain.order import Order, Stage, put_in_order
from airflow_rerun_downstream.domain.plan import PlanContent, PlannedRun, PlanWarning
from airflow_rerun_downstream.domain.readings import Reading
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, Tasks, normalised, shown
from airflow_rerun_downstream.domain.sentence import Sentence, listed, task_of
from airflow_rerun_downstream.domain.structures import Structures


def order_of(plan: PlanContent, selected: Mapping[RunRef, Tasks], *, rerun_source: bool) -> Order:
    """The order of the source and the ``selected`` runs; what a source that isn't rerun has read doesn't matter."""
    default = {run.ref: run.tasks for run in (plan.source, *plan.runs) if run.selected}
    if plan.order is not None and rerun_source == plan.source.selected and selected == default:
        return plan.order
    between = Between(plan.readings, plan.structures, plan.edges)
    return between.order(plan.by_ref, plan.source.ref, selected, rerun_source=rerun_source)


@dataclass(frozen=True)
class Between:
    """What hangs on what between runs, shown or not."""

    readings: Sequence[Reading]
    structures: Structures
    edges: Mapping[RunRef, frozenset[RunRef]]

    def order(
        self, runs: Mapping[RunRef, PlannedRun], source: RunRef, selected: Mapping[RunRef, Tasks], *, rerun_source: bool
    ) -> Order:
        """The order of the ``selected`` runs; what a source that isn't rerun has read doesn't matter."""
        return put_in_order(
            self.readings if rerun_source else [each for each in self.readings if each.downstream != source],
            self.structures,
            {ref: with_coming(runs[ref], tasks) for ref, tasks in selected.items()},
            {ref: runs[ref].cuts for ref in selected if runs[ref].cuts},
            self.edges,
            source=source,
            key=lambda ref: (ref != source, runs[ref].facts.run_after, ref),
        )

    def default_order(self, source: PlannedRun, runs: Iterable[PlannedRun]) -> tuple[Order, set[RunRef]]:
        """The order of the default selection, and the runs that are left out of it: they can't be put in order.

        The order tells of what was lost until then, too.
        """
        by_ref = {run.ref: run for run in (source, *runs)}
        selected = {ref: run.tasks for ref, run in by_ref.items() if run.selected}
        lost: tuple[Lost, ...] = ()
        left_out: set[RunRef] = set()
        while True:
            order = self.order(by_ref, source.ref, selected, rerun_source=source.selected)
            lost += order.lost
            out = losers(order, source.ref)
            if not out:
                return replace(order, lost=lost), left_out
            left_out |= out
            selected = {ref: tasks for ref, tasks in selected.items() if ref not in out}


def with_coming(run: PlannedRun, tasks: Tasks) -> Tasks:
    """A selection with what Airflow will add to the run behind a cut: it runs too early, and has to run again."""
    return normalised([*tasks, *map(TaskRef, run.coming)]) if tasks and run.coming else tasks


def order_warnings(plan: PlanContent, selected: Mapping[RunRef, Tasks], order: Order) -> Iterable[PlanWarning]:
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
            first, *others = (listed([str(task) for task in stage.tasks]) for stage in stages)
            parts = [Sentence("part.stage", tasks=first), *(Sentence("part.then", tasks=each) for each in others)]
            detail = Sentence("warning.in_stages", run=f"{ref}", count=len(stages), stages=parts)
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
    reader, read = task_of(lost.downstream, lost.to_task), task_of(lost.upstream, lost.from_task)
    code = "warning.order_lost_by_maker" if lost.by_maker else "warning.order_lost_in_a_circle"
    detail = Sentence(code, reader=reader, read=read)
    other = frozenset({lost.upstream.dag_id})
    return PlanWarning(
        "order_lost", detail, lost.downstream.dag_id, lost.downstream.run_id, lost.to_task, dag_ids=other
    )


def gap_in(ref: RunRef, gap: Gap) -> PlanWarning:
    """The warning about tasks that start too early."""
    detail = Sentence(
        "warning.order_lost_over_a_gap",
        task=shown(gap.task_id),
        run=f"{ref}",
        after=listed(gap.after),
        between=listed(gap.between),
    )
    return PlanWarning("order_lost", detail, ref.dag_id, ref.run_id, gap.task_id)


def losers(order: Order, source: RunRef) -> set[RunRef]:
    """The runs that aren't selected by default because they can't be put in order with others.

    None that a task makes: Airflow would start it all the same.
    """
    return {each.upstream if each.downstream == source else each.downstream for each in order.lost} - order.made
