"""The whole preview: read, walk, select, show."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from airflow_rerun_downstream.domain.errors import NotFound, PlanTooLarge
from airflow_rerun_downstream.domain.facts import DagStructure, RunFacts
from airflow_rerun_downstream.domain.plan import (
    LinkKind,
    Plan,
    PlanContent,
    PlannedRun,
    PlanOptions,
    PlanRequest,
    PlanWarning,
)
from airflow_rerun_downstream.domain.refs import RunRef, by_name
from airflow_rerun_downstream.domain.sentence import Sentence, quoted
from airflow_rerun_downstream.domain.token import make_token
from airflow_rerun_downstream.lineage.behind import behind
from airflow_rerun_downstream.lineage.cut_offs import Instances, mark_cut_offs
from airflow_rerun_downstream.lineage.declarations import Declarations
from airflow_rerun_downstream.lineage.discovery import Discovery
from airflow_rerun_downstream.lineage.explored import Explored
from airflow_rerun_downstream.lineage.forecast import forecast
from airflow_rerun_downstream.lineage.lost_events import lost_events
from airflow_rerun_downstream.lineage.lost_triggers import possible, unrecorded
from airflow_rerun_downstream.lineage.plan_builder import Audience, PlanBuilder
from airflow_rerun_downstream.lineage.selecting import source_selection
from airflow_rerun_downstream.lineage.unknowns import older_runs_not_asked, unreadable
from airflow_rerun_downstream.lineage.warnings import plan_warnings
from airflow_rerun_downstream.ports.lineage import LineageFacts

NOTHING_DECLARED = Declarations()

Telling = Callable[[PlanContent, tuple[PlanWarning, ...]], tuple[PlanWarning, ...]]


def as_told(_content: PlanContent, warnings: tuple[PlanWarning, ...]) -> tuple[PlanWarning, ...]:
    """The warnings as they are."""
    return warnings


class Planner:
    """Makes plans for one user. ``readable`` and ``in_active_rerun`` are asked once, with everything that was found."""

    def __init__(
        self,
        facts: LineageFacts,
        *,
        readable: Callable[[Collection[str]], frozenset[str]],
        in_active_rerun: Callable[[Collection[RunRef]], Collection[RunRef]],
        now: datetime,
        window_start: datetime | None,
        max_runs: int,
        declarations: Declarations = NOTHING_DECLARED,
    ) -> None:
        self.facts = facts
        self.readable = readable
        self.in_active_rerun = in_active_rerun
        self.now = now
        self.window_start = window_start
        self.max_runs = max_runs
        self.declarations = declarations

    def plan(self, request: PlanRequest, also: Telling = as_told) -> Plan:
        """The plan. ``also`` has the last word on its warnings.

        Raises `NotFound`, `Invalid`, `EmptySelection`, `PlanTooLarge`.
        """
        source = self.source(request.source)
        options = request.options
        walk = Discovery(
            self.facts,
            kinds=options.link_kinds,
            max_runs=self.max_runs,
            max_depth=options.max_depth,
            declared=self.declarations.links,
        )
        walk.learn([source])
        instances: Instances = {source.ref: self.facts.tasks.task_instances([source.ref]).get(source.ref, [])}
        mark_cut_offs(self.facts, {source.ref: source}, walk.structures, instances)
        own = instances[source.ref]
        wrong = source_selection(source, request.tasks, walk.structures.get(source.ref), own).wrong
        explored = walk.explore(source, wrong)
        self.complete(walk, explored, instances)
        explored.settle()
        rest = {ref: tasks for ref, tasks in instances.items() if ref != source.ref}
        mark_cut_offs(self.facts, explored.runs, explored.structures, rest)
        instances.update(rest)
        kinds = {each.kind for each in walk.kinds}
        if LinkKind.TRIGGER in kinds:
            explored.found.extend(unrecorded(explored, instances, walk.context))
            explored.found = list(possible(explored.found, walk.context))
        explored.found.extend(lost_events(explored, instances, walk.context, kinds))
        to_come = forecast(walk, explored, self.now)
        hanging = behind(explored.found, walk.context, kinds)
        explored.found.extend([*to_come.found, *hanging.found])
        explored.drop_idle()
        unread = (*unreadable(walk.context.definitions, walk.context.earlier), *older_runs_not_asked(hanging.cut))
        view = self.viewpoint(explored, to_come.dag_ids.union(one.dag_id for one in unread if one.dag_id))
        check_size(sum(view.reads(ref) for ref in explored.runs if ref != source.ref), options.max_runs)
        builder = PlanBuilder(explored, instances, options, view, to_come)
        content, order = builder.content(source, request.tasks, rerun_source=request.rerun_source)
        warnings = (
            *view.seeing.warnings(plan_warnings(content, order, explored, to_come.schedules, view.reads)),
            *view.seeing.warnings(unread),
            *self.declarations.warnings(),
        )
        return Plan.of(content, also(content, warnings), make_token(content))

    def complete(self, walk: Discovery, explored: Explored, instances: Instances) -> None:
        """Read the task instances, and let the walk go on from failed tasks that come along with polluted ones.

        What such a task makes anew may differ from what was read on its failure, so that all that follows it counts
        as polluted. As a rule one round does.
        """
        gained: Collection[RunRef] = set(explored.runs)
        while gained:
            if new := [ref for ref in explored.runs if ref not in instances]:
                found = self.facts.tasks.task_instances(new)
                instances.update({ref: found.get(ref, []) for ref in new})
            gained = {ref for ref in sorted(gained, key=by_name) if explored.brings_along(ref, instances[ref])}
            if gained:
                before = {ref: len(each.task_ids) for ref, each in explored.pollution.items()}
                walk.walk(gained, explored)
                gained = {ref for ref, each in explored.pollution.items() if len(each.task_ids) > before.get(ref, -1)}

    def source_run(self, ref: RunRef) -> tuple[PlannedRun, DagStructure | None]:
        """A run as a source, with its task instances, the default selection and its Dag. Raises `NotFound`."""
        run = self.source(ref)
        walk = Discovery(self.facts, kinds=(LinkKind.TRIGGER,), max_runs=self.max_runs, max_depth=1)
        walk.learn([run])
        instances: Instances = {ref: self.facts.tasks.task_instances([ref]).get(ref, [])}
        mark_cut_offs(self.facts, {ref: run}, walk.structures, instances)
        structure = walk.structures.was(ref)
        explored = walk.explore(run, source_selection(run, None, walk.structures.get(ref), instances[ref]).wrong)
        builder = PlanBuilder(explored, instances, PlanOptions(), self.viewpoint(explored))
        return builder.source_run(run, builder.selecting.of_source(run, None), rerun_source=True), structure

    def source(self, ref: RunRef) -> RunFacts:
        """The source run, if the user may read it."""
        if ref.dag_id in self.readable([ref.dag_id]) and (found := self.facts.runs.among([ref]).get(ref)):
            return found
        raise NotFound(Sentence("refusal.unknown_run", run=quoted(ref.run_id), dag=quoted(ref.dag_id)))

    def viewpoint(self, explored: Explored, more: Collection[str] = ()) -> Audience:
        """What decides what the user sees of the walk, and of more Dags."""
        dag_ids = {ref.dag_id for ref in explored.runs}.union(more)
        dag_ids |= {found.link.downstream.dag_id for found in explored.found}
        return Audience(
            self.now,
            self.window_start,
            readable=self.readable(dag_ids),
            in_active_rerun=self.in_active_rerun(list(explored.runs)),
        )


def check_size(found: int, limit: int | None) -> None:
    """Refuse a plan that is larger than the user wants. ``found`` counts what the user may read: others stay unknown.

    The deployment's own limit is the walk's, and counts everything. Raises `PlanTooLarge`.
    """
    if limit is not None and found > limit:
        raise PlanTooLarge(Sentence("refusal.too_many_runs", count=found, limit=limit), found=found, limit=limit)
