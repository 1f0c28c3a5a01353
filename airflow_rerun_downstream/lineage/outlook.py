"""Warnings of what will happen, or won't, once the rerun runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.plan import (
    Evidence,
    FreezeAction,
    FutureRef,
    Link,
    LinkKind,
    PlanContent,
    PlannedFuture,
    PlanWarning,
    RunStatus,
    WrongData,
)
from airflow_rerun_downstream.domain.refs import Covering, RunRef, Tasks, shown
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.domain.sentence import Sentence, clause
from airflow_rerun_downstream.lineage.explored import Explored


def new_runs(plan: PlanContent, selected: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """Selected tasks that made a run of the plan: run again, they make another one."""
    meant: dict[RunRef, Covering] = {}
    for link in plan.links:
        task_id, old = link.from_task_id, link.downstream
        if link.kind is not LinkKind.TRIGGER or task_id is None or not isinstance(old, RunRef):
            continue
        if link.upstream not in meant:
            meant[link.upstream] = Covering(selected.get(link.upstream, ()))
        if not meant[link.upstream].covers(task_id, int(link.via.get("map_index", -1))):
            continue
        named = {"task": task_id, "run": f"{link.upstream}", "dag": old.dag_id, "old": old.run_id}
        if old in selected:
            detail = Sentence("warning.makes_a_new_run", **named)
        else:
            detail = Sentence("warning.makes_one_more_run", **named)
        about = (link.upstream.dag_id, link.upstream.run_id, task_id)
        yield PlanWarning("makes_a_new_run", detail, *about, dag_ids=frozenset({old.dag_id}))


def extra_runs(plan: PlanContent, selected: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """Selected tasks whose asset events can't be recognised as repeats, because the first ones are gone: one warning
    for each Dag that these will start."""
    told: dict[str, Link] = {}
    for link in plan.links:
        lost = link.kind is LinkKind.ASSET and link.evidence is Evidence.UNRESOLVED
        if "behind" in link.via or "later_event" in link.via:  # the next one repeats that
            continue
        if lost and link.from_task_id and covers_task(selected.get(link.upstream, ()), link.from_task_id):
            told.setdefault(link.downstream.dag_id, link)
    for dag_id, link in sorted(told.items()):
        asset = shown(str(link.via.get("asset") or link.via.get("alias")))
        task = shown(link.from_task_id or "")
        detail = Sentence("warning.extra_run", task=task, run=f"{link.upstream}", asset=asset, dag=dag_id)
        yield PlanWarning("extra_run", detail, dag_id, dag_ids=frozenset({link.upstream.dag_id}))


def taken_once_more(
    plan: PlanContent, schedules: Mapping[str, DagSchedule], selected: Mapping[RunRef, Tasks]
) -> Iterable[PlanWarning]:
    """Dags that catch up, if Airflow hands them every event that none of their runs has consumed: repeats as well."""
    told: dict[str, Link] = {}
    for link in plan.links:
        dag_id, task_id = link.downstream.dag_id, link.from_task_id
        takes = link.kind is LinkKind.ASSET and dag_id in schedules and schedules[dag_id].takes_missed_events
        if takes and task_id and covers_task(selected.get(link.upstream, ()), task_id):
            told.setdefault(dag_id, link)
    for dag_id, link in sorted(told.items()):
        task = shown(link.from_task_id or "")
        detail = Sentence("warning.extra_run_by_catchup", dag=dag_id, task=task, run=f"{link.upstream}")
        yield PlanWarning("extra_run", detail, dag_id, dag_ids=frozenset({link.upstream.dag_id}))


def paused(plan: PlanContent, explored: Explored) -> Iterable[PlanWarning]:
    """Paused Dags of selected runs: Airflow won't start a run of theirs."""
    for dag_id in sorted({run.ref.dag_id for run in (plan.source, *plan.runs) if run.selected}):
        structure = explored.structures.latest.get(dag_id)
        if structure is not None and structure.is_paused:
            yield PlanWarning("paused_dag", Sentence("warning.paused_dag", dag=dag_id), dag_id)


def draining(plan: PlanContent, schedules: Mapping[str, DagSchedule]) -> Iterable[PlanWarning]:
    """Draining Dags of selected runs, and of those that can be held: Airflow pauses them before the rerun ends, or
    can't do so.
    """
    selected = {run.ref.dag_id for run in (plan.source, *plan.runs) if run.selected}
    holdable = held_dags(plan)
    for dag_id in sorted(selected | holdable.keys()):
        if dag_id in schedules and schedules[dag_id].is_draining:
            code = "warning.draining_dag_with_held_runs" if dag_id in holdable else "warning.draining_dag"
            yield PlanWarning("draining_dag", Sentence(code, dag=dag_id), dag_id)


def will_not_run(obstacles: Iterable[Obstacle], rerun: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """Selected tasks that nothing of the rerun lets run: one warning for each task of a Dag and each cause."""
    found: dict[tuple[str, str, str], list[Obstacle]] = {}
    for one in obstacles:
        made_anew = one.before is not None and covers_task(rerun.get(one.before, ()), one.task_id)
        if one.lasting and not made_anew and covers_task(rerun.get(one.ref, ()), one.task_id):
            found.setdefault((one.ref.dag_id, one.task_id, one.why), []).append(one)
    for (dag_id, task_id, _), some in sorted(found.items()):
        first, more = some[0], len(some) - 1
        if more:
            detail = Sentence(
                "warning.will_not_run_in_more", task=task_id, run=f"{first.ref}", why=first.what, count=more
            )
        else:
            detail = Sentence("warning.will_not_run", task=task_id, run=f"{first.ref}", why=first.what)
        yield PlanWarning("will_not_run", detail, dag_id, None if more else first.ref.run_id, task_id)


def covers_task(tasks: Tasks, task_id: str) -> bool:
    """Whether a selection has any instance of a task."""
    return any(task.task_id == task_id for task in tasks)


def upcoming(plan: PlanContent, frozen: Collection[RunRef | FutureRef]) -> Iterable[PlanWarning]:
    """Runs that haven't started and aren't frozen: they would read wrong data."""
    for future in plan.upcoming:
        every = FutureRef(future.ref.dag_id, next=True)  # with it, all partitions of the Dag are frozen
        if future.wrong_data and future.ref not in frozen and (future.run is not None or every not in frozen):
            yield PlanWarning("upcoming_run", announced(future), future.ref.dag_id)
    for run in plan.runs:
        if run.status is RunStatus.NOT_READY and run.wrong_data and run.ref not in frozen:
            told = {"run": f"{run.ref}", "reads": reading(run.wrong_data), "way_out": way_out(run.freeze_reason)}
            what = Sentence("warning.upcoming_run_not_ready", **told)
            yield PlanWarning("upcoming_run", what, run.ref.dag_id, run.ref.run_id)


def way_out(cannot_freeze: str | None) -> Sentence:
    """What can be done about a run that is still to start."""
    return Sentence("part.cannot_be_frozen", why=clause(cannot_freeze)) if cannot_freeze else Sentence("part.freeze_it")


def reading(wrong_data: WrongData | None) -> Sentence:
    """Whether wrong data will be read, or may be."""
    return Sentence("part.may_read" if wrong_data is WrongData.MAY_READ else "part.will_read")


def announced(future: PlannedFuture) -> Sentence:
    """What will happen to a run to come."""
    ref, run = future.ref, future.run
    what = {"dag": ref.dag_id, "reads": reading(future.wrong_data), "way_out": way_out(future.freeze_reason)}
    if run is not None:
        code = "warning.upcoming_run_with_assets" if run.needs_assets else "warning.upcoming_run"
        return Sentence(code, **what, logical_date=run.logical_date, due_at=run.run_after)
    if ref.partition_key is not None:
        return Sentence("warning.upcoming_run_of_partition", **what, key=ref.partition_key)
    return Sentence("warning.upcoming_run_of_assets", **what)


def held_dags(plan: PlanContent) -> dict[str, int]:
    """How many runs freeze mode could hold, of each Dag that time starts."""
    dag_ids = [future.ref.dag_id for future in plan.upcoming if future.run and future.freeze_action]
    dag_ids += [run.ref.dag_id for run in plan.runs if run.freeze_action is FreezeAction.HOLD]
    return dict(sorted(Counter(dag_ids).items()))


def crowded(plan: PlanContent, schedules: Mapping[str, DagSchedule]) -> Iterable[PlanWarning]:
    """Dags that have as many active runs as they may, or would with those that can be frozen."""
    selected = {run.ref.dag_id for run in (plan.source, *plan.runs) if run.selected}
    holdable = held_dags(plan)
    for dag_id in sorted(selected | holdable.keys()):
        schedule = schedules.get(dag_id)
        if schedule is None or schedule.max_active_runs is None:
            continue
        limit, active = schedule.max_active_runs, schedule.active_runs
        if dag_id in selected and active >= limit:
            detail = Sentence("warning.at_max_active_runs", dag=dag_id, count=active, limit=limit)
            yield PlanWarning("at_max_active_runs", detail, dag_id)
        elif dag_id in holdable and active + holdable[dag_id] >= limit:
            frozen = holdable[dag_id]
            detail = Sentence("warning.at_max_active_runs_with_frozen", dag=dag_id, count=limit, frozen=frozen)
            yield PlanWarning("at_max_active_runs", detail, dag_id)


def deadlines(plan: PlanContent, schedules: Mapping[str, DagSchedule]) -> Iterable[PlanWarning]:
    """Dags with runs that can be frozen, and with deadlines, which don't know of that."""
    for dag_id in held_dags(plan):
        if dag_id in schedules and schedules[dag_id].has_deadline:
            yield PlanWarning("deadline", Sentence("warning.deadline", dag=dag_id), dag_id)
