"""From a person's selection to a stored rerun: every check, then one write."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from airflow_rerun_downstream.domain.errors import (
    AssetManagerInactive,
    EmptySelection,
    Forbidden,
    Invalid,
    NotFound,
    NotSelectable,
    OffsetUnknown,
    Refusal,
    RunInActiveRerun,
    SourceNotEligible,
    StalePlan,
    UnknownTarget,
)
from airflow_rerun_downstream.domain.order import Order
from airflow_rerun_downstream.domain.plan import FutureRef, LinkKind, Plan, PlannedRun, PlanWarning
from airflow_rerun_downstream.domain.reasons import sentence
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, covers, shown, task_ids
from airflow_rerun_downstream.domain.rerun import (
    Actor,
    MemberRequest,
    NewChild,
    NewMember,
    NewRerun,
    NewStageGate,
    RerunRequest,
)
from airflow_rerun_downstream.domain.selection import explicit_selection, failed_leaders, named
from airflow_rerun_downstream.domain.states import MemberState, Role
from airflow_rerun_downstream.domain.token import changes
from airflow_rerun_downstream.lineage.ordering import order_warnings
from airflow_rerun_downstream.lineage.rebuilt import rebuilt_on_polluted
from airflow_rerun_downstream.lineage.unbegun import unbegun
from airflow_rerun_downstream.lineage.warnings import (
    extra_runs,
    left_tasks,
    leftovers,
    new_runs,
    upcoming,
    will_not_run,
)
from airflow_rerun_downstream.ports.lineage import LineageFacts
from airflow_rerun_downstream.service.freezing import check_frozen_request, stops


def check_request(request: RerunRequest, targets: Collection[str]) -> None:
    """What can be refused without looking at Airflow."""
    check_frozen_request(request)
    for wanted in request.notifications:
        if wanted.target not in targets:
            raise UnknownTarget(f"There is no notification target {shown(wanted.target)!r}.", target=wanted.target)
    if not request.plan.rerun_source and request.members == ():
        raise EmptySelection("Neither the source nor a downstream run is selected.")
    if request.members is not None:
        refs = [member.ref for member in request.members]
        if len(refs) != len(set(refs)) or request.plan.source in refs:
            raise Invalid("A run is named more than once.")


def check_source(plan: Plan) -> None:
    """Refuse a source that can't be one."""
    source = plan.source
    if source.can_be_source:
        return
    if source.source_reason == "in_active_rerun":
        raise RunInActiveRerun(f"{source.ref} takes part in another active rerun.", run=source.ref)
    raise SourceNotEligible(
        f"{source.ref} can't be the source: {sentence(source.source_reason)}.",
        dag_id=source.ref.dag_id,
        run_id=source.ref.run_id,
        why=source.source_reason,
    )


class Selection:
    """The runs and tasks that a submit takes, checked against a fresh plan."""

    def __init__(self, plan: Plan, facts: LineageFacts, *, freeze_mode: bool = False) -> None:
        self.freeze_mode = freeze_mode
        self.plan = plan
        self.facts = facts
        self.runs = plan.by_ref

    def taken(self, members: Sequence[MemberRequest] | None) -> dict[RunRef, Tasks]:
        """The downstream runs with their tasks; None: the plan's default. Raises what refuses one of them."""
        if members is None:
            return {run.ref: run.tasks for run in self.plan.runs if run.selected}
        planned = {member.ref: self.planned(member.ref) for member in members}
        self.check_selectable(list(planned.values()))
        explicit = self.explicit([member for member in members if member.tasks is not None])
        return {ref: explicit.get(ref, run.tasks) for ref, run in planned.items()}

    def planned(self, ref: RunRef) -> PlannedRun:
        """A run of the plan."""
        if (run := self.runs.get(ref)) is not None:
            return run
        if self.facts.runs([ref]) and ref.dag_id in {known.dag_id for known in self.runs}:
            raise NotSelectable(
                f"{ref} is not downstream of the source.", runs=[{**named(ref), "reason": "not_in_plan"}]
            )
        raise NotFound(f"There is no downstream Dag run {shown(ref.run_id)!r} of Dag {shown(ref.dag_id)!r}.")

    def check_selectable(self, runs: Sequence[PlannedRun]) -> None:
        """Refuse runs in states that can't be taken."""
        refused = [run for run in runs if not run.selectable and not (self.freeze_mode and stops(run))]
        taken = [run for run in refused if run.reason == "in_active_rerun"]
        if taken:
            raise RunInActiveRerun(f"{taken[0].ref} takes part in another active rerun.", run=taken[0].ref)
        if refused:
            raise NotSelectable(
                "; ".join(f"{run.ref} can't be selected: {sentence(run.reason)}" for run in refused[:5]) + ".",
                runs=[{**named(run.ref), "reason": run.reason} for run in refused],
            )

    def explicit(self, members: Sequence[MemberRequest]) -> dict[RunRef, Tasks]:
        """The selections that name their tasks."""
        if not members:
            return {}
        refs = [member.ref for member in members]
        instances = self.facts.task_instances(refs)
        structures = self.plan.structures
        return {
            m.ref: explicit_selection(m.ref, m.tasks or (), structures.get(m.ref), instances.get(m.ref, [])).tasks
            for m in members
        }

    def failed_upstreams(self, selected: Mapping[RunRef, Tasks]) -> list[PlanWarning]:
        """Selected tasks that will fail again, because a failed task before them isn't selected."""
        instances = self.facts.task_instances(list(selected))
        structures = self.plan.structures
        found = []
        for ref, tasks in selected.items():
            ids = {task.task_id for task in tasks}
            for task_id in sorted(failed_leaders(structures.get(ref), ids, instances.get(ref, []))):
                detail = f"{task_id} of {ref} has failed and isn't selected: what follows it will fail again."
                found.append(PlanWarning("failed_upstream", detail, ref.dag_id, ref.run_id, task_id))
        return found


def blocked(facts: LineageFacts, selected: Mapping[RunRef, Tasks]) -> list[PlanWarning]:
    """Selected tasks that won't run as things stand."""
    return list(will_not_run(facts.obstacles(task_ids(selected)), selected)) if selected else []


def check_something(plan: Plan, request: RerunRequest, taken: Collection[RunRef]) -> None:
    """Refuse a rerun in which nothing would run."""
    if not taken and not (request.plan.rerun_source and plan.source.tasks):
        raise EmptySelection("Nothing is selected: nothing of the source is rerun, and no downstream run can be taken.")


def check_fresh(token: str | None, plan: Plan, taken: Collection[RunRef]) -> None:
    """Refuse a plan that changed since the person looked at it."""
    if token is None:
        return
    changed = changes(token, plan, {plan.source.ref, *taken})
    if changed:
        raise StalePlan(
            f"{len(changed)} run(s) changed since the plan was made. Look at it again.",
            changes=[{**named(change.ref), "change": change.change} for change in changed],
        )


def check_permissions(dag_ids: Collection[str], allowed: Collection[str]) -> None:
    """Refuse if the user may not rerun one of the Dags; all of them are readable here."""
    denied = sorted(set(dag_ids) - set(allowed))
    if denied:
        raise Forbidden(f"You may not rerun {', '.join(denied)}.", dag_ids=denied)


def check_duplicates(plan: Plan, request: RerunRequest, taken: Collection[RunRef], *, active: bool) -> None:
    """Refuse a rerun whose asset events would start extra runs, unless the person accepts them."""
    rerun = set(taken) | ({plan.source.ref} if request.plan.rerun_source else set())
    emits = any(link.kind is LinkKind.ASSET and link.upstream in rerun for link in plan.links)
    if emits and not active and not request.settings.accept_duplicate_runs:
        raise AssetManagerInactive(
            "The rerun repeats asset events, and the asset manager that recognises repeats isn't active: every "
            "consumer would get an extra run. Set [core] asset_manager_class = "
            "airflow_rerun_downstream.asset_manager.RerunAssetManager for every api-server, or accept_duplicate_runs."
        )


SHOWN_SENSORS = 5
"""How many sensors are named in a sentence."""


def check_offsets(plan: Plan, request: RerunRequest, taken: Collection[RunRef]) -> None:
    """Refuse a rerun from which runs may be missing as long as sensors aren't parsed anew, unless it is accepted."""
    rerun = {plan.source.ref, *taken}
    unknown = sorted(
        {
            (link.downstream.dag_id, link.to_task_id or "")
            for link in plan.links
            if link.via.get("offset_known") is False and link.upstream in rerun
        }
    )
    if unknown and not request.settings.accept_unknown_offsets:
        shown = ", ".join(f"{dag_id}.{task_id}" for dag_id, task_id in unknown[:SHOWN_SENSORS])
        more = f" and {len(unknown) - SHOWN_SENSORS} more" if len(unknown) > SHOWN_SENSORS else ""
        raise OffsetUnknown(
            f"How far back these sensors look isn't known, so that runs which read wrong data may be missing: {shown}"
            f"{more}. They were parsed without this package: restart the Dag processor with it and run `airflow dags "
            "reserialize`, or accept_unknown_offsets.",
            sensors=[{"dag_id": dag_id, "task_id": task_id} for dag_id, task_id in unknown],
        )


def new_members(plan: Plan, request: RerunRequest, taken: Mapping[RunRef, Tasks], order: Order) -> list[NewMember]:
    """The members with their stages and what each waits for, across every run in between."""
    again, source_tasks = request.plan.rerun_source, plan.source.tasks
    first = member_of(plan.source, Role.SOURCE, source_tasks, order)
    if not again or not source_tasks:
        why = "only_triggers" if again else "already_right"
        first = replace(first, state=MemberState.SKIPPED, state_reason=why)
    runs = plan.by_ref
    return [first, *(member_of(runs[ref], Role.DOWNSTREAM, tasks, order) for ref, tasks in taken.items())]


def member_of(run: PlannedRun, role: Role, tasks: Tasks, order: Order) -> NewMember:
    """One member, before anything has happened to it."""
    stages = order.stages[run.ref]
    gates = [
        NewStageGate(number, ref, None if until + 1 == len(order.stages[ref]) else until)
        for number, stage in enumerate(stages)
        for ref, until in sorted(stage.waits_for)
    ]
    partly = [gate for gate in gates if gate.stage or gate.until is not None]
    return NewMember(
        ref=run.ref,
        role=role,
        state=MemberState.STOPPING if role is Role.DOWNSTREAM and stops(run) else MemberState.PENDING,
        tasks=tasks,
        depth=stages[0].depth,
        waits_for=frozenset(gate.ref for gate in gates if gate not in partly),
        stages=tuple(stage.tasks for stage in stages) if len(stages) > 1 else (),
        stage_gates=tuple(partly),
        depths=tuple(stage.depth for stage in stages),
        logical_date=run.facts.logical_date,
        run_after=run.facts.run_after,
    )


def new_children(plan: Plan, members: Collection[NewMember]) -> tuple[NewChild, ...]:
    """The members whose runs will be made anew: by a selected task, or by any task of a run that is itself made."""
    by_ref = {member.ref: member for member in members}
    links = [
        (by_ref[link.upstream], link.from_task_id, int(link.via.get("map_index", -1)), by_ref[link.downstream])
        for link in plan.links
        if link.kind is LinkKind.TRIGGER and link.upstream in by_ref and link.downstream in by_ref
    ]
    found: list[NewChild] = []
    for parent, task_id, map_index, child in sorted(links, key=lambda link: link[0].depth):
        if task_id is None or parent.state is not MemberState.PENDING or parent.ref not in child.reads_from:
            continue
        made = any(one.child == parent.ref for one in found)
        if made or covers(parent.tasks, task_id, map_index):
            found.append(NewChild(parent.ref, task_id, map_index, child.ref))
    return tuple(found)


def with_clear_numbers(
    plan: Plan, members: Collection[NewMember], children: Collection[NewChild]
) -> tuple[NewMember, ...]:
    """The members; those whose run a task may clear, with the number that tells whether it has."""
    made = {one.child for one in children}
    return tuple(
        replace(one, clear_number=plan.by_ref[one.ref].facts.clear_number) if one.ref in made else one
        for one in members
    )


SELECTED = frozenset(
    {
        "stays_polluted",
        "rebuilt_on_polluted",
        "makes_a_new_run",
        "extra_run",
        "upcoming_run",
        "will_not_run",
        "order_lost",
        "starts_too",
        "in_stages",
        "task_gone_in_latest",
    }
)
"""The warnings that depend on what is selected."""


def submit_warnings(
    plan: Plan,
    taken: Mapping[RunRef, Tasks],
    order: Order,
    frozen: Collection[RunRef | FutureRef],
    more: Sequence[PlanWarning],
) -> tuple[PlanWarning, ...]:
    """The plan's warnings; those that depend on the selection are told for the one that was made."""
    known = set(plan.by_ref)
    general = [
        warning
        for warning in plan.warnings
        if warning.code not in SELECTED
        or (warning.code == "stays_polluted" and RunRef(warning.dag_id or "", warning.run_id or "") not in known)
    ]
    source = {plan.source.ref: plan.source.tasks} if plan.source.selected else {}
    selected = {**source, **taken}
    told = (
        *leftovers(plan, taken),
        *left_tasks(plan, selected),
        *rebuilt_on_polluted(plan, selected),
        *order_warnings(plan, selected, order),
        *unbegun(plan, selected, order),
        *new_runs(plan, selected),
        *extra_runs(plan, selected),
        *upcoming(plan, frozen),
    )
    return (*general, *told, *more)


def name_holder(refusal: Refusal, *, rerun_id: int | None) -> Refusal:
    """The refusal with the rerun that holds the run, where the user may read it."""
    ref = refusal.extra.get("run")
    extra = named(ref) if isinstance(ref, RunRef) else {}
    holder = "" if rerun_id is None else f" It is rerun {rerun_id}."
    more = {} if rerun_id is None else {"rerun_id": rerun_id}
    return RunInActiveRerun(refusal.detail + holder, **extra, **more)


def assemble(
    plan: Plan,
    request: RerunRequest,
    members: Sequence[NewMember],
    warnings: Sequence[PlanWarning],
    actor: Actor,
) -> NewRerun:
    """The rerun to be stored."""
    children = new_children(plan, members)
    return NewRerun(
        source=plan.source.ref,
        members=with_clear_numbers(plan, members, children),
        children=children,
        links=plan.links,
        settings=request.settings,
        notifications=request.notifications,
        options=request.plan.options,
        warnings=tuple(warnings),
        actor=actor,
        name=request.name,
        reason=request.reason,
        freeze_mode=request.freeze_mode,
    )
