"""From what the walk found to the plan that a person sees. Nothing is touched."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from airflow_rerun_downstream.domain.cutting import Lost
from airflow_rerun_downstream.domain.eligibility import (
    downstream_refusal,
    freezing,
    run_status,
    source_refusal,
    task_status,
)
from airflow_rerun_downstream.domain.facts import (
    REMOVED_TASK_STATE,
    DagStructure,
    RunFacts,
    TaskInstanceFacts,
)
from airflow_rerun_downstream.domain.graph import without_cycles
from airflow_rerun_downstream.domain.order import Order
from airflow_rerun_downstream.domain.plan import (
    FreezeAction,
    FutureRef,
    Link,
    LinkKind,
    Plan,
    PlannedRun,
    PlannedTask,
    PlanOptions,
    RunStatus,
)
from airflow_rerun_downstream.domain.readings import Reading
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.seeing import Seeing
from airflow_rerun_downstream.domain.selection import (
    NO_CHILDREN,
    Chosen,
    default_selection,
    explicit_selection,
    followers,
    present,
)
from airflow_rerun_downstream.domain.token import make_token
from airflow_rerun_downstream.lineage.discovery import Explored, Pollution
from airflow_rerun_downstream.lineage.found import Found
from airflow_rerun_downstream.lineage.ordering import losers, order_of
from airflow_rerun_downstream.lineage.upcoming import Forecast
from airflow_rerun_downstream.lineage.warnings import plan_warnings

PRESELECTED = {
    RunStatus.FAILED: "failed",
    RunStatus.TERMINATED: "terminated",
    RunStatus.REVOKED: "revoked",
}


@dataclass(frozen=True)
class Viewpoint:
    """Who looks, and when: what decides what is shown and what can be selected."""

    now: datetime
    window_start: datetime | None
    readable: frozenset[str]
    in_active_rerun: Collection[RunRef]

    def reads(self, ref: RunRef | FutureRef) -> bool:
        """Whether the user may see the run."""
        return ref.dag_id in self.readable

    @property
    def seeing(self) -> Seeing:
        """The user's eyes, for texts and links."""
        return Seeing(self.readable.intersection)


NOTHING_TO_COME = Forecast()


def source_defaults(
    run: RunFacts, structure: DagStructure | None, instances: Sequence[TaskInstanceFacts]
) -> dict[str, str]:
    """The tasks that a source rerun takes by itself (R5), each with the reason.

    All of a run that Airflow calls a success, whatever failed in it: somebody is here because its data is wrong. Of
    another one what is broken, and all that follows that.
    """
    broken: dict[str, str] = {}
    here = present(instances)
    for task in instances:
        if task.task_id in here and (why := PRESELECTED.get(task_status(task, run))):
            broken[task.task_id] = "upstream_failed" if task.state == "upstream_failed" else why
    if run.state == "success" or not broken:
        return {**dict.fromkeys(here, "whole_run"), **broken}
    return {**dict.fromkeys(followers(structure, broken) & here, "follows_selected"), **broken}


def source_selection(
    run: RunFacts,
    asked: Tasks | None,
    structure: DagStructure | None,
    instances: Sequence[TaskInstanceFacts],
    children: Mapping[str, bool] = NO_CHILDREN,
) -> Chosen:
    """The source's selection: exactly what was asked, or the default. Raises `EmptySelection`, `Invalid`."""
    if asked is not None:
        return explicit_selection(run.ref, asked, structure, instances)
    return default_selection(source_defaults(run, structure, instances), structure, instances, children)


class Preview:
    """Builds one plan."""

    def __init__(
        self,
        explored: Explored,
        instances: Mapping[RunRef, Sequence[TaskInstanceFacts]],
        options: PlanOptions,
        viewpoint: Viewpoint,
        forecast: Forecast = NOTHING_TO_COME,
    ) -> None:
        self.explored = explored
        self.forecast = forecast
        self.instances = instances
        self.options = options
        self.view = viewpoint
        self.alike: dict[tuple[object, ...], Any] = {}
        self.made: dict[RunRef, list[Found]] = {}
        for found in explored.found:
            if found.link.kind is LinkKind.TRIGGER and found.link.from_task_id is not None:
                self.made.setdefault(found.link.upstream, []).append(found)

    def plan(self, source: RunFacts, asked: Tasks | None, *, rerun_source: bool) -> Plan:
        """The plan with its token; ``asked``: the source's tasks, None for the default."""
        chosen = self.chosen_of_source(source, asked)
        start = self.source_run(source, chosen, rerun_source=rerun_source)
        shown = [run for ref, run in self.explored.runs.items() if ref != source.ref and self.shows(run)]
        selections = self.selections(shown, source.ref, chosen.task_ids if rerun_source else ())
        in_turn = sorted(shown, key=lambda r: (r.run_after, r.ref))
        runs = tuple(self.downstream_run(run, selections[run.ref]) for run in in_turn)
        edges = self.edges(source.ref)
        plan = Plan(
            source=start,
            runs=runs,
            links=tuple(self.view.seeing.links(list(self.links({source.ref, *(run.ref for run in runs)})))),
            warnings=(),
            hidden_dags=len(self.forecast.dag_ids.union(ref.dag_id for ref in self.explored.runs) - self.view.readable),
            edges=edges,
            upcoming=tuple(run for run in self.forecast.planned() if self.view.reads(run.ref)),
            readings=tuple(self.readings()),
            structures=self.explored.structures,
        )
        plan, order = in_order(plan)
        told = plan_warnings(plan, order, self.explored, self.forecast.schedules, self.view.reads)
        plan = replace(plan, warnings=self.view.seeing.warnings(told))
        return replace(plan, token=make_token(plan))

    def children(self, ref: RunRef, source: RunRef) -> dict[str, bool]:
        """The tasks of a run whose runs are known, each with whether all of these would be adopted."""
        found: dict[str, bool] = {}
        for each in self.made.get(ref, ()):
            task_id, child = str(each.link.from_task_id), each.downstream
            adopted = child is not None and child.ref != source and self.takes_part(child)
            found[task_id] = found.get(task_id, True) and adopted
        return found

    def takes_part(self, run: RunFacts) -> bool:
        """Whether a downstream run is selected by default, as far as that doesn't hang on its tasks."""
        taken = run.ref in self.view.in_active_rerun
        return self.shows(run) and run.online and not downstream_refusal(run, self.view.now, in_active_rerun=taken)

    def shows(self, run: RunFacts) -> bool:
        """Whether a downstream run is in the list (R8)."""
        return self.view.reads(run.ref) and (run.online or self.options.include_manual)

    def chosen_of_source(self, run: RunFacts, asked: Tasks | None) -> Chosen:
        """The source's selection, where it is known which runs its tasks made."""
        structure, instances = self.explored.structures.get(run.ref.dag_id), self.instances.get(run.ref, ())
        return source_selection(run, asked, structure, instances, self.children(run.ref, run.ref))

    def source_run(self, run: RunFacts, chosen: Chosen, *, rerun_source: bool) -> PlannedRun:
        """The source as the plan shows it."""
        planned = self.planned(run, chosen, selected=rerun_source, left_out="succeeded")
        refusal = self.source_reason(run, rerun_source=rerun_source)
        asked = {task.task_id for task in chosen.tasks if task.map_index is not None}
        wrong = self.wrong_data(run.ref) - asked if rerun_source else frozenset()
        return replace(
            planned, tasks=chosen.tasks, can_be_source=refusal is None, source_reason=refusal, polluted=wrong
        )

    def wrong_data(self, ref: RunRef) -> frozenset[str]:
        """The tasks of a run that hold data which wrong data has reached."""
        pollution, instances = self.explored.pollution[ref], self.instances.get(ref, ())
        key = ("wrong", pollution.whole, frozenset(pollution.task_ids), tuple(instances))
        if key not in self.alike:
            self.alike[key] = frozenset(
                task.task_id
                for task in instances
                if (task.cut_off or task.state not in (REMOVED_TASK_STATE, "skipped"))
                and (pollution.whole or task.task_id in pollution.task_ids)
            )
        found: frozenset[str] = self.alike[key]
        return found

    def source_reason(self, run: RunFacts, *, rerun_source: bool = True) -> str | None:
        """Why a run can't be a source."""
        taken = run.ref in self.view.in_active_rerun
        return source_refusal(
            run, self.view.now, self.view.window_start, in_active_rerun=taken, rerun_source=rerun_source
        )

    def selections(self, runs: Sequence[RunFacts], source: RunRef, again: Collection[str]) -> dict[RunRef, Chosen]:
        """The default selections of downstream runs; of a run that a task makes anew all of it. ``again``: what of the
        source is rerun."""
        found = {run.ref: self.selection(run, source) for run in runs}
        running = {run.ref: found[run.ref].task_ids for run in runs if self.takes_part(run)}
        running[source] = set(again)
        queue, whole = deque(ref for ref in running if ref in self.made), set[RunRef]()
        while queue:
            ref = queue.popleft()
            for each in self.made.get(ref, ()):
                child = each.downstream.ref if each.downstream else source
                runs_again = ref in whole or each.link.from_task_id in running[ref]
                if runs_again and child in running and child != source and child not in whole:
                    whole.add(child)
                    queue.append(child)
                    found[child] = default_selection(
                        dict.fromkeys(present(self.instances.get(child, ())), "polluted"), None, self.instances[child]
                    )
        return found

    def selection(self, run: RunFacts, source: RunRef) -> Chosen:
        """The default selection of a downstream run by itself."""
        pollution = self.explored.pollution[run.ref]
        instances = self.instances.get(run.ref, ())
        # Runs of one Dag mostly look alike: what was found for one of them holds for all such.
        children = self.children(run.ref, source)
        wrong = frozenset(pollution.task_ids)
        key = (run.ref.dag_id, pollution.whole, wrong, tuple(instances), frozenset(children.items()))
        chosen: Chosen | None = self.alike.get(key)
        if chosen is None:
            chosen = self.alike[key] = self.polluted(run.ref, pollution, instances, children)
        return chosen

    def downstream_run(self, run: RunFacts, chosen: Chosen) -> PlannedRun:
        """A downstream run as the plan shows it, with its default selection (decision 5)."""
        planned = self.planned(run, chosen, selected=run.online)
        schedule = self.forecast.schedules.get(run.ref.dag_id)
        taken = run.ref in self.view.in_active_rerun
        action, refusal = freezing(run, self.view.now, schedule, in_active_rerun=taken)
        if action is FreezeAction.STOP and not chosen.tasks:
            action, refusal = None, nothing_to_run(chosen)
        tasks = chosen.tasks if action is FreezeAction.STOP else planned.tasks
        held = self.wrong_data(run.ref)
        return replace(planned, tasks=tasks, freeze_action=action, freeze_reason=refusal, polluted=held)

    def polluted(
        self,
        ref: RunRef,
        pollution: Pollution,
        instances: Sequence[TaskInstanceFacts],
        children: Mapping[str, bool],
    ) -> Chosen:
        """The default selection of a downstream run: what the wrong data reached."""
        along = self.explored.along.get(ref, {})
        wanted = {
            task.task_id: along.get(task.task_id, "polluted")
            for task in instances
            if pollution.whole or task.task_id in pollution.task_ids
        }
        return default_selection(wanted, self.explored.structures.get(ref.dag_id), instances, children)

    def planned(self, run: RunFacts, chosen: Chosen, *, selected: bool, left_out: str = "not_polluted") -> PlannedRun:
        """The shared part of source and downstream runs."""
        taken = run.ref in self.view.in_active_rerun
        refusal = downstream_refusal(run, self.view.now, in_active_rerun=taken)
        if refusal is None and not chosen.tasks:
            refusal = nothing_to_run(chosen)
        selected = selected and refusal is None
        source_reason = self.source_reason(run)
        return PlannedRun(
            facts=run,
            status=run_status(run, self.view.now),
            selectable=refusal is None,
            reason=refusal,
            selected=selected,
            tasks=chosen.tasks if refusal is None else (),
            can_be_source=source_reason is None,
            source_reason=source_reason,
            task_instances=self.planned_tasks(run, chosen, selected=selected, left_out=left_out),
            cuts=chosen.cuts,
        )

    def planned_tasks(self, run: RunFacts, chosen: Chosen, *, selected: bool, left_out: str) -> tuple[PlannedTask, ...]:
        """The task instances of a run; runs that look alike share them."""
        instances = self.instances.get(run.ref, ())
        key = (id(chosen), run.state, run.terminated, selected, left_out)
        found: tuple[PlannedTask, ...] | None = self.alike.get(key)
        if found is None:
            tasks = (planned_task(task, run, chosen, selected=selected, left_out=left_out) for task in instances)
            found = self.alike[key] = tuple(tasks)
        return found

    def edges(self, source: RunRef) -> dict[RunRef, frozenset[RunRef]]:
        """Every edge between runs, shown or not, without those that close a cycle or lead back to the source."""
        raw: dict[RunRef, set[RunRef]] = {ref: set() for ref in self.explored.runs}
        for found in self.explored.found:
            if found.downstream is not None and found.downstream.ref != source:
                raw[found.link.upstream].add(found.downstream.ref)
        ready = {ref: (run.run_after, ref) for ref, run in self.explored.runs.items()}
        kept = without_cycles(raw, [source], ready.__getitem__)
        return {ref: frozenset(after) for ref, after in kept.items()}

    def readings(self) -> Iterable[Reading]:
        """Every reading between runs, shown or not; several links may mean the same one."""
        found: dict[Reading, None] = {}
        for each in self.explored.found:
            if each.downstream is not None:
                link, ref = each.link, each.downstream.ref
                maker = link.from_task_id if link.kind is LinkKind.TRIGGER else None
                reached = each.reached(self.explored.structures.get(ref.dag_id))
                found[Reading(link.upstream, ref, each.from_tasks, reached, maker)] = None
        return found

    def links(self, shown: Collection[RunRef]) -> Iterable[Link]:
        """The links between shown runs; a path through runs that aren't shown becomes one link."""
        leaving: dict[RunRef, list[Link]] = {}
        for found in self.explored.found:
            leaving.setdefault(found.link.upstream, []).append(found.link)
        for ref in sorted(shown):
            direct = [link for link in leaving.get(ref, ()) if self.visible(link, shown)]
            yield from direct
            joined = {link.downstream for link in direct}
            for link in self.through_hidden(ref, leaving, shown):
                if link.downstream not in joined and link.downstream != ref:
                    joined.add(link.downstream)
                    yield link

    def visible(self, link: Link, shown: Collection[RunRef]) -> bool:
        """Whether a link can be shown as it is."""
        if isinstance(link.downstream, RunRef):
            return link.downstream in shown
        return True  # a run that nobody can name yet: whether its Dag may be shown is the eyes' to say

    def through_hidden(
        self, start: RunRef, leaving: Mapping[RunRef, Sequence[Link]], shown: Collection[RunRef]
    ) -> Iterable[Link]:
        """From a shown run over runs that aren't shown to the next shown ones."""
        queue: deque[tuple[RunRef, tuple[RunRef, ...]]] = deque([(start, ())])
        seen = {start}
        while queue:
            node, path = queue.popleft()
            for link in leaving.get(node, ()):
                target = link.downstream
                if isinstance(target, FutureRef):
                    if path and target in self.forecast.runs and self.view.reads(target):
                        yield replace(link, upstream=start, via=through(path), from_task_id=None)
                    continue
                if target in seen:
                    continue
                if target not in shown:
                    seen.add(target)
                    queue.append((target, (*path, target)))
                elif path:
                    yield replace(link, upstream=start, via=through(path), from_task_id=None)


def through(path: Sequence[RunRef]) -> dict[str, object]:
    """What a link says of the runs that it passes through; who may not read them all is shown none of their names."""
    return {"through": [{"dag_id": ref.dag_id, "run_id": ref.run_id} for ref in path]}


def in_order(plan: Plan) -> tuple[Plan, Order]:
    """The plan without those runs in its default selection that can't be put in order, and the order of the others.

    The order tells of what was lost until then, too.
    """
    lost: tuple[Lost, ...] = ()
    while True:
        selected = {run.ref: run.tasks for run in (plan.source, *plan.runs) if run.selected}
        order = order_of(plan, selected, rerun_source=plan.source.selected)
        if not order.lost:
            return plan, replace(order, lost=lost)
        lost += order.lost
        out = losers(order, plan.source.ref)
        plan = replace(plan, runs=tuple(unselected(run) if run.ref in out else run for run in plan.runs))


def unselected(run: PlannedRun) -> PlannedRun:
    """A run that isn't selected by itself but can be."""
    tasks = tuple(replace(task, selected=False) for task in run.task_instances)
    return replace(run, selected=False, task_instances=tasks)


def nothing_to_run(chosen: Chosen) -> str:
    """Why nothing of a run would run: all that is wrong in it made runs which are rerun, or its tasks are gone."""
    return "only_triggers" if chosen.reasons else "task_gone"


def listed_run(run: RunFacts, view: Viewpoint) -> PlannedRun:
    """A run in a list of possible sources: no tasks, nothing selected."""
    taken = run.ref in view.in_active_rerun
    refusal = downstream_refusal(run, view.now, in_active_rerun=taken)
    source_reason = source_refusal(run, view.now, view.window_start, in_active_rerun=taken)
    return PlannedRun(
        facts=run,
        status=run_status(run, view.now),
        selectable=refusal is None,
        reason=refusal,
        selected=False,
        tasks=(),
        can_be_source=source_reason is None,
        source_reason=source_reason,
    )


def planned_task(
    task: TaskInstanceFacts, run: RunFacts, chosen: Chosen, *, selected: bool, left_out: str
) -> PlannedTask:
    """A task instance as the plan shows it."""
    inside = chosen.covers(task)
    if task.state == REMOVED_TASK_STATE:
        reason: str | None = "removed"
    else:
        reason = chosen.reasons.get(task.task_id) or (None if inside or task.state != "success" else left_out)
    return PlannedTask(
        task.task_id,
        task.map_index,
        task.state,
        task_status(task, run),
        task.operator,
        selected=inside and selected,
        reason=reason,
    )
