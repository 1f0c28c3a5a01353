"""Warnings of what will happen, or won't, once the rerun runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

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
from airflow_rerun_downstream.domain.reasons import sentence
from airflow_rerun_downstream.domain.refs import Covering, RunRef, Tasks, shown
from airflow_rerun_downstream.domain.room import Obstacle
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
        if old in selected:
            what = f"in place of {old.run_id}: it joins the rerun, and all of its tasks run"
        else:
            what = f"in addition to {old.run_id}, which isn't selected: its consumers start again, too"
        detail = f"{task_id} of {link.upstream} makes another run of {old.dag_id} {what}."
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
        what = shown(str(link.via.get("asset") or link.via.get("alias")))
        detail = (
            f"{shown(link.from_task_id or '')} of {link.upstream} will emit {what} as if for the first "
            "time, because Airflow no longer has the event it repeats: this may start an extra run of "
            f"{dag_id}."
        )
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
        detail = (
            f"{dag_id} catches up, so Airflow gives it every asset event that none of its runs has consumed: also "
            f"the one that {shown(link.from_task_id or '')} of {link.upstream} repeats, with its next run or in an "
            "extra one."
        )
        yield PlanWarning("extra_run", detail, dag_id, dag_ids=frozenset({link.upstream.dag_id}))


def paused(plan: PlanContent, explored: Explored) -> Iterable[PlanWarning]:
    """Paused Dags of selected runs: Airflow won't start a run of theirs."""
    for dag_id in sorted({run.ref.dag_id for run in (plan.source, *plan.runs) if run.selected}):
        structure = explored.structures.latest.get(dag_id)
        if structure is not None and structure.is_paused:
            yield PlanWarning(
                "paused_dag",
                f"{dag_id} is paused: its runs wait until it is unpaused.",
                dag_id=dag_id,
            )


def draining(plan: PlanContent, schedules: Mapping[str, DagSchedule]) -> Iterable[PlanWarning]:
    """Draining Dags of selected runs, and of those that can be held: Airflow pauses them before the rerun ends, or
    can't do so.
    """
    selected = {run.ref.dag_id for run in (plan.source, *plan.runs) if run.selected}
    holdable = held_dags(plan)
    for dag_id in sorted(selected | holdable.keys()):
        if dag_id in schedules and schedules[dag_id].is_draining:
            held = " A held run keeps it from that until it is released." if dag_id in holdable else ""
            detail = (
                f"{dag_id} is draining: as soon as none of its runs is queued or running, Airflow pauses it, and runs "
                f"that the rerun has yet to start wait until it is unpaused.{held}"
            )
            yield PlanWarning("draining_dag", detail, dag_id)


def will_not_run(obstacles: Iterable[Obstacle], rerun: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """Selected tasks that nothing of the rerun lets run: one warning for each task of a Dag and each cause."""
    found: dict[tuple[str, str, str], list[Obstacle]] = {}
    for one in obstacles:
        made_anew = one.before is not None and covers_task(rerun.get(one.before, ()), one.task_id)
        if one.lasting and not made_anew and covers_task(rerun.get(one.ref, ()), one.task_id):
            found.setdefault((one.ref.dag_id, one.task_id, one.why), []).append(one)
    for (dag_id, task_id, _), some in sorted(found.items()):
        first, more = some[0], len(some) - 1
        others = f", and likewise in {more} more run(s)" if more else ""
        detail = f"{task_id} of {first.ref} won't run as things are: {first.what}{others}."
        yield PlanWarning("will_not_run", detail, dag_id, None if more else first.ref.run_id, task_id)


def covers_task(tasks: Tasks, task_id: str) -> bool:
    """Whether a selection has any instance of a task."""
    return any(task.task_id == task_id for task in tasks)


def upcoming(plan: PlanContent, frozen: Collection[RunRef | FutureRef]) -> Iterable[PlanWarning]:
    """Runs that haven't started and aren't frozen: they would read wrong data."""
    for future in plan.upcoming:
        every = FutureRef(future.ref.dag_id, next=True)  # with it, all partitions of the Dag are frozen
        if future.wrong_data and future.ref not in frozen and (future.run is not None or every not in frozen):
            reads = "may" if future.wrong_data is WrongData.MAY_READ else "will"
            yield will_read(f"{announced(future)} {reads} read wrong data", future.freeze_reason, future.ref.dag_id)
    for run in plan.runs:
        if run.status is RunStatus.NOT_READY and run.wrong_data and run.ref not in frozen:
            what = f"{run.ref} isn't ready yet and will read wrong data"
            yield will_read(what, run.freeze_reason, run.ref.dag_id, run.ref.run_id)


def will_read(what: str, cannot_freeze: str | None, dag_id: str, run_id: str | None = None) -> PlanWarning:
    """The warning about one run that is still to start, with what can be done."""
    way_out = f"it can't be frozen: {sentence(cannot_freeze)}" if cannot_freeze else "freeze it"
    detail = f"{what}, unless the rerun finishes before it starts; {way_out}."
    return PlanWarning("upcoming_run", detail, dag_id, run_id)


def announced(future: PlannedFuture) -> str:
    """A run to come in words."""
    ref, run = future.ref, future.run
    if run is not None:
        gate = " or, if that is later, when its assets have come" if run.needs_assets else ""
        return f"The run of {ref.dag_id} of {moment(run.logical_date)}, which is due at {moment(run.run_after)}{gate},"
    key = "" if ref.partition_key is None else f" of the partition {ref.partition_key}"
    return f"The next run of {ref.dag_id}{key}, which is started by assets,"


def moment(date: datetime) -> str:
    """A date in a sentence."""
    return date.isoformat(sep=" ", timespec="minutes")


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
            detail = f"{dag_id} has {active} active run(s), and its limit is {limit}: its runs wait until one ends."
            yield PlanWarning("at_max_active_runs", detail, dag_id)
        elif dag_id in holdable and active + holdable[dag_id] >= limit:
            detail = (
                f"{dag_id} may have {limit} active run(s), and frozen ones count: with {holdable[dag_id]} "
                "frozen it gets no later runs until they are released, and without catchup it never gets "
                "them."
            )
            yield PlanWarning("at_max_active_runs", detail, dag_id)


def deadlines(plan: PlanContent, schedules: Mapping[str, DagSchedule]) -> Iterable[PlanWarning]:
    """Dags with runs that can be frozen, and with deadlines, which don't know of that."""
    for dag_id in held_dags(plan):
        if dag_id in schedules and schedules[dag_id].has_deadline:
            detail = f"{dag_id} has a deadline alert, which keeps counting while a run of the Dag is frozen."
            yield PlanWarning("deadline", detail, dag_id)
