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
    wrong_data,
)
from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE, RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.graph import without_cycles
from airflow_rerun_downstream.domain.order import Order
from airflow_rerun_downstream.domain.plan import (
    FreezeAction,
    FutureRef,
    Link,
    LinkKind,
    PlanContent,
    PlannedRun,
    PlannedTask,
    PlanOptions,
)
from airflow_rerun_downstream.domain.readings import Reading
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, by_name
from airflow_rerun_downstream.domain.seeing import Seeing
from airflow_rerun_downstream.domain.selection import TaskSelection
from airflow_rerun_downstream.lineage.explored import Explored
from airflow_rerun_downstream.lineage.forecast import Forecast
from airflow_rerun_downstream.lineage.ordering import Between
from airflow_rerun_downstream.lineage.selecting import Selecting
from airflow_rerun_downstream.lineage.surely import surely_wrong


@dataclass(frozen=True)
class Audience:
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


class PlanBuilder:
    """Builds the content of one plan."""

    def __init__(
        self,
        explored: Explored,
        instances: Mapping[RunRef, Sequence[TaskInstanceFacts]],
        options: PlanOptions,
        viewpoint: Audience,
        forecast: Forecast = NOTHING_TO_COME,
    ) -> None:
        self.explored = explored
        self.forecast = forecast
        self.instances = instances
        self.options = options
        self.view = viewpoint
        self.sure = surely_wrong(explored)
        self.alike: dict[tuple[object, ...], Any] = {}
        self.selecting = Selecting(explored, instances, self.takes_part)

    def content(self, source: RunFacts, asked: Tasks | None, *, rerun_source: bool) -> tuple[PlanContent, Order]:
        """The runs with their default selection, and its order; ``asked``: the source's tasks, None for the default."""
        chosen = self.selecting.of_source(source, asked)
        start = self.source_run(source, chosen, rerun_source=rerun_source)
        shown = [run for ref, run in self.explored.runs.items() if ref != source.ref and self.shows(run)]
        selections = self.selecting.selections(shown, source.ref, chosen.task_ids if rerun_source else ())
        in_turn = sorted(shown, key=lambda r: (r.run_after, by_name(r.ref)))
        proposed = [self.downstream_run(run, selections[run.ref]) for run in in_turn]
        between = Between(tuple(self.readings()), self.explored.structures, self.edges(source.ref))
        order, left_out = between.default_order(start, proposed)
        content = PlanContent(
            source=start,
            runs=tuple(unselected(run) if run.ref in left_out else run for run in proposed),
            links=tuple(self.view.seeing.links(list(self.links({source.ref, *(run.ref for run in proposed)})))),
            hidden_dags=len(self.forecast.dag_ids.union(ref.dag_id for ref in self.explored.runs) - self.view.readable),
            edges=between.edges,
            upcoming=tuple(run for run in self.forecast.planned() if self.view.reads(run.ref)),
            readings=tuple(between.readings),
            structures=self.explored.structures,
            passing=frozenset(ref for ref, tasks in self.explored.pollution.items() if tasks.only_passed),
            instances=self.instances,
            order=None if left_out else order,
        )
        return content, order

    def takes_part(self, run: RunFacts) -> bool:
        """Whether a downstream run is selected by default, as far as that doesn't hang on its tasks."""
        taken = run.ref in self.view.in_active_rerun
        refusal = downstream_refusal(
            run, self.view.now, in_active_rerun=taken, structure=self.explored.structures.get(run.ref)
        )
        return self.shows(run) and run.online and not refusal

    def shows(self, run: RunFacts) -> bool:
        """Whether a downstream run is in the list (R8)."""
        return self.view.reads(run.ref) and (run.online or self.options.include_manual)

    def source_run(self, run: RunFacts, chosen: TaskSelection, *, rerun_source: bool) -> PlannedRun:
        """The source as the plan shows it."""
        planned = self.planned(run, chosen, selected=rerun_source, left_out="succeeded")
        refusal = self.source_reason(run, rerun_source=rerun_source)
        asked = {task.task_id for task in chosen.tasks if task.map_index is not None}
        wrong = self.selecting.wrong_data(run.ref) - asked if rerun_source else frozenset()
        return replace(
            planned, tasks=chosen.tasks, can_be_source=refusal is None, source_reason=refusal, polluted=wrong
        )

    def source_reason(self, run: RunFacts, *, rerun_source: bool = True) -> str | None:
        """Why a run can't be a source."""
        return source_refusal(
            run,
            self.view.now,
            self.view.window_start,
            in_active_rerun=run.ref in self.view.in_active_rerun,
            rerun_source=rerun_source,
            structure=self.explored.structures.get(run.ref),
        )

    def downstream_run(self, run: RunFacts, chosen: TaskSelection) -> PlannedRun:
        """A downstream run as the plan shows it, with its default selection (decision 5)."""
        planned = self.planned(run, chosen, selected=run.online)
        schedule = self.forecast.schedules.get(run.ref.dag_id)
        taken = run.ref in self.view.in_active_rerun
        structure = self.explored.structures.get(run.ref)
        action, refusal = freezing(run, self.view.now, schedule, in_active_rerun=taken, structure=structure)
        if action is FreezeAction.STOP and not chosen.tasks:
            action, refusal = None, self.selecting.nothing_to_run(run.ref, chosen)
        tasks = chosen.tasks if action is FreezeAction.STOP else planned.tasks
        passed = self.explored.pollution[run.ref].only_passed
        reads = wrong_data(run, only_passed=passed, sure=run.ref in self.sure)
        planned = replace(planned, freeze_action=action, freeze_reason=refusal, wrong_data=reads)
        return replace(planned, tasks=tasks, polluted=self.selecting.wrong_data(run.ref))

    def planned(
        self, run: RunFacts, chosen: TaskSelection, *, selected: bool, left_out: str = "not_polluted"
    ) -> PlannedRun:
        """The shared part of source and downstream runs."""
        taken = run.ref in self.view.in_active_rerun
        structure = self.explored.structures.get(run.ref)
        refusal = downstream_refusal(run, self.view.now, in_active_rerun=taken, structure=structure)
        if refusal is None and not chosen.tasks:
            refusal = self.selecting.nothing_to_run(run.ref, chosen)
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
            coming=chosen.coming,
        )

    def planned_tasks(
        self, run: RunFacts, chosen: TaskSelection, *, selected: bool, left_out: str
    ) -> tuple[PlannedTask, ...]:
        """The task instances of a run; runs that look alike share them."""
        instances = self.instances[run.ref]
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
        ready = {ref: (run.run_after, by_name(ref)) for ref, run in self.explored.runs.items()}
        kept = without_cycles(raw, [source], ready.__getitem__)
        return {ref: frozenset(after) for ref, after in kept.items()}

    def readings(self) -> Iterable[Reading]:
        """Every reading between runs, shown or not; several links may mean the same one."""
        found: dict[Reading, None] = {}
        for each in self.explored.found:
            if each.downstream is not None:
                link, ref = each.link, each.downstream.ref
                maker = link.from_task_id if link.kind is LinkKind.TRIGGER else None
                reached = each.reached(self.explored.structures.was(ref))
                kind = {"sensor": link.kind is LinkKind.SENSOR, "waits": bool(link.via.get("wait_for_completion"))}
                through = each.to_task if each.beyond else None
                found[Reading(link.upstream, ref, each.from_tasks, reached, maker, **kind, through=through)] = None
        return found

    def links(self, shown: Collection[RunRef]) -> Iterable[Link]:
        """The links between shown runs; a path through runs that aren't shown becomes one link."""
        leaving: dict[RunRef, list[Link]] = {}
        for found in self.explored.found:
            leaving.setdefault(found.link.upstream, []).append(found.link)
        for ref in sorted(shown, key=by_name):
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


def unselected(run: PlannedRun) -> PlannedRun:
    """A run that isn't selected by itself but can be."""
    tasks = tuple(replace(task, selected=False) for task in run.task_instances)
    return replace(run, selected=False, task_instances=tasks)


def listed_run(run: RunFacts, view: Audience) -> PlannedRun:
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
    task: TaskInstanceFacts, run: RunFacts, chosen: TaskSelection, *, selected: bool, left_out: str
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
        display_name=task.display_name,
    )
