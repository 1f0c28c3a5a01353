"""From what the walk found to the plan that a person sees. Nothing is touched."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

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
from airflow_rerun_downstream.domain.plan import (
    FreezeAction,
    FutureRef,
    Link,
    Plan,
    PlannedRun,
    PlannedTask,
    PlanOptions,
    RunStatus,
)
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.seeing import Seeing
from airflow_rerun_downstream.domain.selection import (
    Chosen,
    default_selection,
    explicit_selection,
    followers,
    present,
)
from airflow_rerun_downstream.domain.token import make_token
from airflow_rerun_downstream.lineage.discovery import Explored, Pollution
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
    run: RunFacts, asked: Tasks | None, structure: DagStructure | None, instances: Sequence[TaskInstanceFacts]
) -> Chosen:
    """The source's selection: exactly what was asked, or the default."""
    if asked is not None:
        return explicit_selection(run.ref, asked, structure, instances)
    return default_selection(source_defaults(run, structure, instances), structure, instances)


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

    def plan(self, source: RunFacts, chosen: Chosen, *, rerun_source: bool) -> Plan:
        """The plan with its token."""
        start = self.source_run(source, chosen, rerun_source=rerun_source)
        shown = [run for ref, run in self.explored.runs.items() if ref != source.ref and self.shows(run)]
        runs = tuple(self.downstream_run(run) for run in sorted(shown, key=lambda r: (r.run_after, r.ref)))
        edges = self.edges(source.ref)
        plan = Plan(
            source=start,
            runs=runs,
            links=tuple(self.view.seeing.links(list(self.links({source.ref, *(run.ref for run in runs)})))),
            warnings=(),
            hidden_dags=len(self.forecast.dag_ids.union(ref.dag_id for ref in self.explored.runs) - self.view.readable),
            edges=edges,
            upcoming=tuple(run for run in self.forecast.planned() if self.view.reads(run.ref)),
        )
        warnings = plan_warnings(plan, self.explored, self.forecast.schedules, self.view.reads)
        plan = replace(plan, warnings=self.view.seeing.warnings(warnings))
        return replace(plan, token=make_token(plan))

    def shows(self, run: RunFacts) -> bool:
        """Whether a downstream run is in the list (R8)."""
        return self.view.reads(run.ref) and (run.online or self.options.include_manual)

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
        pollution = self.explored.pollution[ref]
        return frozenset(
            task.task_id
            for task in self.instances.get(ref, ())
            if task.state not in (REMOVED_TASK_STATE, "skipped") and pollution.touches(frozenset({task.task_id}))
        )

    def source_reason(self, run: RunFacts, *, rerun_source: bool = True) -> str | None:
        """Why a run can't be a source."""
        taken = run.ref in self.view.in_active_rerun
        return source_refusal(
            run, self.view.now, self.view.window_start, in_active_rerun=taken, rerun_source=rerun_source
        )

    def downstream_run(self, run: RunFacts) -> PlannedRun:
        """A downstream run as the plan shows it, with its default selection (decision 5)."""
        pollution = self.explored.pollution[run.ref]
        instances = self.instances.get(run.ref, ())
        # Runs of one Dag mostly look alike: what was found for one of them holds for all such.
        key = (run.ref.dag_id, pollution.whole, frozenset(pollution.task_ids), tuple(instances))
        chosen = self.alike.get(key)
        if chosen is None:
            chosen = self.alike[key] = self.polluted(run.ref, pollution, instances)
        planned = self.planned(run, chosen, selected=run.online)
        schedule = self.forecast.schedules.get(run.ref.dag_id)
        taken = run.ref in self.view.in_active_rerun
        action, refusal = freezing(run, self.view.now, schedule, in_active_rerun=taken)
        if action is FreezeAction.STOP and not chosen.tasks:
            action, refusal = None, "task_gone"
        tasks = chosen.tasks if action is FreezeAction.STOP else planned.tasks
        wrong = self.alike.setdefault(("wrong", *key), self.wrong_data(run.ref))
        return replace(planned, tasks=tasks, freeze_action=action, freeze_reason=refusal, polluted=wrong)

    def polluted(self, ref: RunRef, pollution: Pollution, instances: Sequence[TaskInstanceFacts]) -> Chosen:
        """The default selection of a downstream run: what the wrong data reached."""
        along = self.explored.along.get(ref, {})
        wanted = {
            task.task_id: along.get(task.task_id, "polluted")
            for task in instances
            if pollution.whole or task.task_id in pollution.task_ids
        }
        return default_selection(wanted, self.explored.structures.get(ref.dag_id), instances)

    def planned(self, run: RunFacts, chosen: Chosen, *, selected: bool, left_out: str = "not_polluted") -> PlannedRun:
        """The shared part of source and downstream runs."""
        taken = run.ref in self.view.in_active_rerun
        refusal = downstream_refusal(run, self.view.now, in_active_rerun=taken)
        if refusal is None and not chosen.tasks:
            refusal = "task_gone"
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
