"""What a user looks at before a rerun: Airflow's runs, the edges of a Dag, and the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timezone

from airflow_rerun_downstream.domain.errors import AssetManagerInactive, OffsetUnknown
from airflow_rerun_downstream.domain.plan import Plan, PlanContent, PlanRequest, PlanWarning
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, task_ids
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.dag_edges import dag_edges, no_dag
from airflow_rerun_downstream.lineage.outlook import will_not_run
from airflow_rerun_downstream.lineage.plan_builder import Audience, listed_run
from airflow_rerun_downstream.ports.lineage import RunFilter, SourceRule
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service import checks
from airflow_rerun_downstream.service.checks import Mechanisms
from airflow_rerun_downstream.service.core import Core
from airflow_rerun_downstream.service.labelling import labels, labels_of
from airflow_rerun_downstream.service.records import eyes
from airflow_rerun_downstream.service.views import DagRunsView, EdgesView, RunTasksView


class Plans(Core):
    """Reads of Airflow's database. Nothing is changed."""

    def plan(self, actor: Actor, request: PlanRequest) -> Plan:
        """The preview, with only what the user may see, and a warning for each refusal that a submit of its default
        selection would meet.

        Raises `NotFound`, `Invalid`, `EmptySelection`, `PlanTooLarge`.
        """
        mechanisms = Mechanisms.of(self.installation, freezes=False)
        with self.unit_of_work() as work:

            def also(content: PlanContent, warnings: tuple[PlanWarning, ...]) -> tuple[PlanWarning, ...]:
                selected = {run.ref: run.tasks for run in (content.source, *content.runs) if run.selected}
                met = (
                    *blocked(work, selected),
                    *forbidden(actor, work, content),
                    *refused(content, request, mechanisms),
                )
                return eyes(actor, work).warnings((*warnings, *met))

            found = self.computed(actor, work, request, also)
            return replace(found, labels=labels_of(work, found))

    def edges(self, actor: Actor, dag_id: str) -> EdgesView:
        """What is upstream and downstream of a Dag, without a run, and how it is known. Raises `NotFound`."""
        with self.unit_of_work() as work:
            if not work.permissions.readable(actor, [dag_id]):
                raise no_dag(dag_id)
            found = dag_edges(dag_id, work.facts, self.declarations.links)
            edges, hidden = eyes(actor, work).edges(dag_id, found)
        return EdgesView(dag_id, edges, hidden_dags=len(hidden), warnings=tuple(self.declarations.warnings()))

    def dag_runs(self, actor: Actor, wanted: RunFilter, *, can_be_source: bool | None = None) -> DagRunsView:
        """A page of Dag runs that the user may read, each with whether it can be a source."""
        now = self.clock.now()
        window = self.settings.window_start(now)
        with self.unit_of_work() as work:
            if can_be_source is not None:
                rule = SourceRule(now, window, frozenset(work.store.all_active_runs()), matches=can_be_source)
                wanted = replace(wanted, source_rule=rule)
            asked, may = wanted.dag_ids, work.permissions
            readable = may.all_readable(actor) if asked is None else may.readable(actor, asked)
            runs, total = work.facts.runs.page(replace(wanted, dag_ids=readable))
            refs = [run.ref for run in runs]
            view = Audience(now, window, frozenset(), work.store.active_runs(refs) if refs else {})
            called = labels(work, {ref.dag_id for ref in refs}, refs)
        since = window and window.astimezone(timezone.utc)
        return DagRunsView(tuple(listed_run(run, view) for run in runs), total, since, called)

    def task_instances(self, actor: Actor, ref: RunRef) -> RunTasksView:
        """The task instances of a run, with those preselected that a rerun from it takes by default."""
        with self.unit_of_work() as work:
            run, structure = self.planner(actor, work).source_run(ref)
        return RunTasksView(run.task_instances, structure)


def blocked(work: Work, selected: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """The warnings about selected tasks that won't run as things are."""
    return will_not_run(work.facts.tasks.obstacles(task_ids(selected)) if selected else (), selected)


def forbidden(actor: Actor, work: Work, plan: PlanContent) -> list[PlanWarning]:
    """A warning for each selected Dag that the user may not rerun."""
    dag_ids = {plan.source.ref.dag_id} | {run.ref.dag_id for run in plan.runs if run.selected}
    denied = dag_ids - work.permissions.may_rerun(actor, dag_ids)
    return [
        PlanWarning("forbidden_dag", Sentence("warning.forbidden_dag", dag=dag_id), dag_id) for dag_id in sorted(denied)
    ]


def refused(plan: PlanContent, request: PlanRequest, mechanisms: Mechanisms) -> Iterator[PlanWarning]:
    """Warnings where repeated asset events would start extra runs, and where runs may be missing because sensors were
    parsed without the package."""
    taken, asked = [run.ref for run in plan.runs if run.selected], RerunRequest(request)
    try:
        checks.check_duplicates(plan, asked, taken, active=mechanisms.asset_manager)
    except AssetManagerInactive as refusal:
        yield PlanWarning(refusal.reason, refusal.detail)
    try:
        checks.check_offsets(plan, asked, taken)
    except OffsetUnknown as refusal:
        named = frozenset(each["dag_id"] for each in refusal.extra["sensors"])
        yield PlanWarning(refusal.reason, refusal.detail, dag_ids=named)
