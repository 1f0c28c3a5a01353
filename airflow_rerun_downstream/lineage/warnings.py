"""What a person should know before submitting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from airflow_rerun_downstream.domain.advice import Advice, said
from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.order import Order
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
)
from airflow_rerun_downstream.domain.reasons import sentence
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, covers, shown
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.lineage.explored import Explored
from airflow_rerun_downstream.lineage.ordering import order_warnings
from airflow_rerun_downstream.lineage.polluted_rebuilds import left_in, rebuilt_on_polluted
from airflow_rerun_downstream.lineage.spelling import NEWEST
from airflow_rerun_downstream.lineage.unbegun import unbegun


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
        *paused(plan, explored),
        *upcoming(plan, ()),
        *crowded(plan, schedules),
        *deadlines(plan, schedules),
    )


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
                f"is unknown: {why}. {link.via.get('advice', said([Advice.LOOK_BY_HAND]))}",
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


def not_shown(plan: PlanContent, explored: Explored, reads: Callable[[RunRef], bool]) -> Iterable[PlanWarning]:
    """Manual and backfill runs that consumed wrong data but aren't in the list."""
    shown = plan.by_ref
    for ref, run in sorted(explored.runs.items()):
        if ref not in shown and ref not in plan.passing and reads(ref):
            why = sentence("backfill_run" if run.backfill else "manual_run")
            yield stays_polluted(ref, f"{why}, and isn't in the list")


def leftovers(plan: PlanContent, taken: Collection[RunRef]) -> Iterable[PlanWarning]:
    """Shown runs that the wrong data reached and that aren't rerun, with the reason or who reads them next."""
    for run in plan.runs:
        # Of a run that isn't ready `upcoming` warns; what only made others is told of by these.
        if run.ref in taken or run.status is RunStatus.NOT_READY or run.reason == "only_triggers":
            continue
        after = reachable([run.ref], plan.edges) & set(taken)
        why = sentence(run.reason) if run.reason else "it isn't selected"
        readers = f"; {len(after)} selected run(s) downstream will read it again" if after else ""
        yield stays_polluted(run.ref, why + readers)


def left_tasks(plan: PlanContent, selected: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """Polluted tasks that are left out of runs which are rerun; what a triggering task made is told of by itself."""
    for ref, tasks in selected.items():
        named = {task.task_id for task in tasks}
        for task_id in sorted(left_in(plan, ref, tasks) or ()):
            part = "only some of its indexes are selected" if task_id in named else "it isn't selected"
            yield stays_polluted(ref, part, task_id)


def stays_polluted(ref: RunRef, why: str, task_id: str | None = None) -> PlanWarning:
    """The warning about one run, or one task of it."""
    what = f"{ref}" if task_id is None else f"{shown(task_id)} of {ref}"
    return PlanWarning("stays_polluted", f"{what} stays polluted: {why}.", ref.dag_id, ref.run_id, task_id)


def new_runs(plan: PlanContent, selected: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """Selected tasks that made a run of the plan: run again, they make another one."""
    for link in plan.links:
        task_id, old = link.from_task_id, link.downstream
        if link.kind is not LinkKind.TRIGGER or task_id is None or not isinstance(old, RunRef):
            continue
        if not covers(selected.get(link.upstream, ()), task_id, int(link.via.get("map_index", -1))):
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


def gone_in_latest(
    structures: Structures, selected: Mapping[RunRef, Tasks], *, on_latest_version: bool | None = None
) -> Iterable[PlanWarning]:
    """Selected tasks that the version doesn't have on which their runs will run: one warning for each task of a Dag."""
    found: dict[tuple[str, str], list[RunRef]] = {}
    for ref, tasks in selected.items():
        for task_id in structures.gone(ref, on_latest_version) & {task.task_id for task in tasks}:
            found.setdefault((ref.dag_id, task_id), []).append(ref)
    for (dag_id, task_id), refs in sorted(found.items()):
        more = len(refs) - 1
        runs = f"{refs[0]}" + (f" and {more} more run(s)" if more else "")
        detail = (
            f"{shown(task_id)} of {runs} isn't in the latest version of the Dag, which the rerun uses: its "
            "output stays as it is, unless a task of that version replaces it."
        )
        yield PlanWarning("task_gone_in_latest", detail, dag_id, None if more else refs[0].run_id, task_id)


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


def covers_task(tasks: Tasks, task_id: str) -> bool:
    """Whether a selection has any instance of a task."""
    return any(task.task_id == task_id for task in tasks)


def upcoming(plan: PlanContent, frozen: Collection[RunRef | FutureRef]) -> Iterable[PlanWarning]:
    """Runs that haven't started and aren't frozen: they would read wrong data."""
    for future in plan.upcoming:
        every = FutureRef(future.ref.dag_id, next=True)  # with it, all partitions of the Dag are frozen
        if future.polluted and future.ref not in frozen and (future.run is not None or every not in frozen):
            yield will_read(f"{announced(future)} will read wrong data", future.freeze_reason, future.ref.dag_id)
    for run in plan.runs:
        if run.status is RunStatus.NOT_READY and run.ref not in frozen:
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
        return f"The run of {ref.dag_id} of {moment(run.logical_date)}, which is due at {moment(run.run_after)},"
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
