"""From what a person asks for to a rerun that could be stored: the plan, then every check of a submit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from airflow_rerun_downstream.domain.errors import AssetManagerInactive, OffsetUnknown
from airflow_rerun_downstream.domain.plan import Plan, PlanRequest, PlanWarning
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Actor, NewMember, NewRerun, RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.lineage.declarations import Declarations
from airflow_rerun_downstream.lineage.ordering import order_of
from airflow_rerun_downstream.lineage.planner import Planner
from airflow_rerun_downstream.lineage.warnings import gone_in_latest
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service import freezing, submission
from airflow_rerun_downstream.service.freezing import Frozen, Mechanisms
from airflow_rerun_downstream.service.reading import eyes
from airflow_rerun_downstream.service.views import ReviewView
from airflow_rerun_downstream.settings import Settings


@dataclass(frozen=True)
class Draft:
    """A rerun that has passed every check, with the runs that it would hold. Nothing of it is stored."""

    rerun: NewRerun
    frozen: tuple[Frozen, ...]

    def review(self) -> ReviewView:
        """What would happen."""
        return ReviewView(
            warnings=self.rerun.warnings,
            waves=waves(self.rerun.members),
            stopped=tuple(one.ref for one in self.rerun.members if one.state is MemberState.STOPPING),
            frozen=tuple(one.target for one in self.frozen),
        )


def waves(members: tuple[NewMember, ...]) -> tuple[tuple[RunRef, ...], ...]:
    """The runs that are going to run, level by level of the order; a source that is already right isn't one.

    A run stands in the level of each of its stages.
    """
    found: dict[int, list[NewMember]] = {}
    for member in members:
        for depth in () if member.state is MemberState.SKIPPED else member.depths:
            found.setdefault(depth, []).append(member)
    return tuple(tuple(member.ref for member in sorted(found[depth], key=in_turn)) for depth in sorted(found))


def in_turn(member: NewMember) -> tuple[bool, datetime | None, RunRef]:
    """Where a run stands among those of its level: by its ready time, as in the stored record."""
    return member.run_after is None, member.run_after, member.ref


class Drafting:
    """Reads and checks inside the caller's transaction."""

    def __init__(self, clock: Clock, settings: Settings, declarations: Declarations) -> None:
        self.clock = clock
        self.settings = settings
        self.declarations = declarations

    def planner(self, actor: Actor, work: Work) -> Planner:
        """A planner that sees with the user's eyes."""
        now = self.clock.now()
        return Planner(
            work.facts,
            readable=lambda dag_ids: work.permissions.readable(actor, dag_ids),
            # Few at any time, and cheaper than asking for thousands of runs by name.
            in_active_rerun=lambda refs: work.store.all_active_runs(),
            now=now,
            window_start=self.settings.window_start(now),
            max_runs=self.settings.max_plan_runs,
            declarations=self.declarations,
        )

    def draft(self, actor: Actor, work: Work, request: RerunRequest, mechanisms: Mechanisms) -> Draft:
        """The rerun as a fresh plan allows it. Raises every `Refusal` that a submit has before it writes."""
        plan = self.planner(actor, work).plan(request.plan)
        submission.check_source(plan)
        selection = submission.Selection(plan, work.facts, freeze_mode=request.freeze_mode)
        taken = selection.taken(request.members)
        frozen = freezing.frozen_runs(plan, request.frozen)
        submission.check_something(plan, request, taken)
        dag_ids = {plan.source.ref.dag_id} | {ref.dag_id for ref in taken} | {one.target.dag_id for one in frozen}
        submission.check_permissions(dag_ids, work.permissions.may_rerun(actor, dag_ids))
        submission.check_fresh(request.plan_token, plan, taken)
        submission.check_duplicates(plan, request, taken, active=mechanisms.asset_manager)
        submission.check_offsets(plan, request, taken)
        freezing.check_mechanisms(frozen, mechanisms)
        source = plan.source.tasks
        failed = selection.failed_upstreams({plan.source.ref: source, **taken})
        order = order_of(plan, {plan.source.ref: source, **taken}, rerun_source=request.plan.rerun_source)
        members = submission.new_members(plan, request, taken, order)
        rerun = {**({plan.source.ref: source} if plan.source.selected else {}), **taken}
        blocked = submission.blocked(work.facts, rerun)
        latest = request.settings.run_on_latest_version
        gone = gone_in_latest(plan.structures, rerun, on_latest_version=latest)
        warnings = submission.submit_warnings(plan, taken, order, request.frozen, [*failed, *gone, *blocked])
        return Draft(submission.assemble(plan, request, members, warnings, actor), tuple(frozen))

    def warned(self, actor: Actor, work: Work, plan: Plan, request: PlanRequest, mechanisms: Mechanisms) -> Plan:
        """The plan with a warning for each refusal that a submit of its default selection would meet."""
        met = (*self.forbidden(actor, work, plan), *self.duplicates(plan, request, mechanisms), *offsets(plan, request))
        return replace(plan, warnings=eyes(actor, work).warnings((*plan.warnings, *met)))

    def forbidden(self, actor: Actor, work: Work, plan: Plan) -> list[PlanWarning]:
        """A warning for each selected Dag that the user may not rerun."""
        dag_ids = {plan.source.ref.dag_id} | {run.ref.dag_id for run in plan.runs if run.selected}
        denied = dag_ids - work.permissions.may_rerun(actor, dag_ids)
        return [PlanWarning("forbidden_dag", f"You may not rerun {dag_id}.", dag_id) for dag_id in sorted(denied)]

    def duplicates(self, plan: Plan, request: PlanRequest, mechanisms: Mechanisms) -> list[PlanWarning]:
        """A warning where repeated asset events would start extra runs."""
        taken = [run.ref for run in plan.runs if run.selected]
        asked = RerunRequest(request)
        try:
            submission.check_duplicates(plan, asked, taken, active=mechanisms.asset_manager)
        except AssetManagerInactive as refusal:
            return [PlanWarning(refusal.reason, refusal.detail)]
        return []


def offsets(plan: Plan, request: PlanRequest) -> list[PlanWarning]:
    """A warning where runs may be missing because sensors were parsed without the package."""
    try:
        submission.check_offsets(plan, RerunRequest(request), [run.ref for run in plan.runs if run.selected])
    except OffsetUnknown as refusal:
        named = frozenset(each["dag_id"] for each in refusal.extra["sensors"])
        return [PlanWarning(refusal.reason, refusal.detail, dag_ids=named)]
    return []
