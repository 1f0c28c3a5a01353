"""From a person's selection to the members of a rerun: their tasks, stages, gates and children."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from airflow_rerun_downstream.domain.errors import NotFound, NotSelectable, RunInActiveRerun
from airflow_rerun_downstream.domain.facts import TaskInstanceFacts
from airflow_rerun_downstream.domain.new_rerun import NewChild, NewMember, NewRerun, NewStageGate
from airflow_rerun_downstream.domain.order import Order
from airflow_rerun_downstream.domain.plan import LinkKind, Plan, PlannedRun, PlanWarning
from airflow_rerun_downstream.domain.refs import Covering, RunRef, Tasks
from airflow_rerun_downstream.domain.rerun_request import Actor, MemberRequest, RerunRequest
from airflow_rerun_downstream.domain.selection import explicit_selection, failed_upstream_tasks, named, present
from airflow_rerun_downstream.domain.sentence import Sentence, clause, quoted
from airflow_rerun_downstream.domain.states import MemberState, Role
from airflow_rerun_downstream.lineage.ordering import with_coming
from airflow_rerun_downstream.ports.lineage import Runs
from airflow_rerun_downstream.service.checks import stops


class Selection:
    """The runs and tasks that a submit takes, checked against a fresh plan."""

    def __init__(self, plan: Plan, known: Runs, *, freeze_mode: bool) -> None:
        self.freeze_mode = freeze_mode
        self.plan = plan
        self.known = known
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
        if self.known.among([ref]) and ref.dag_id in {known.dag_id for known in self.runs}:
            raise NotSelectable(
                Sentence("refusal.not_downstream", run=f"{ref}"), runs=[{**named(ref), "reason": "not_in_plan"}]
            )
        raise NotFound(Sentence("refusal.unknown_downstream_run", run=quoted(ref.run_id), dag=quoted(ref.dag_id)))

    def check_selectable(self, runs: Sequence[PlannedRun]) -> None:
        """Refuse runs in states that can't be taken."""
        refused = [run for run in runs if not run.selectable and not (self.freeze_mode and stops(run))]
        taken = [run for run in refused if run.reason == "in_active_rerun"]
        if taken:
            raise RunInActiveRerun(Sentence("refusal.in_active_rerun", run=f"{taken[0].ref}"), run=taken[0].ref)
        if refused:
            raise NotSelectable(
                Sentence("refusal.not_selectable", runs=[not_selectable(run) for run in refused[:5]]),
                runs=[{**named(run.ref), "reason": run.reason} for run in refused],
            )

    def explicit(self, members: Sequence[MemberRequest]) -> dict[RunRef, Tasks]:
        """The selections that name their tasks."""
        instances = self.plan.instances
        return {one.ref: self.exactly(one, instances.get(one.ref, [])) for one in members}

    def exactly(self, member: MemberRequest, instances: Sequence[TaskInstanceFacts]) -> Tasks:
        """The selection of one run that names its tasks."""
        structures, ref = self.plan.structures, member.ref
        coming = structures.coming(ref, present(instances))
        return explicit_selection(ref, member.tasks or (), structures.get(ref), instances, coming).tasks

    def failed_upstreams(self, selected: Mapping[RunRef, Tasks]) -> list[PlanWarning]:
        """Selected tasks that will fail again, because a failed task before them isn't selected."""
        instances, structures = self.plan.instances, self.plan.structures
        found = []
        for ref, tasks in selected.items():
            ids = {task.task_id for task in tasks}
            for task_id in sorted(failed_upstream_tasks(structures.get(ref), ids, instances.get(ref, []))):
                detail = Sentence("warning.failed_upstream", task=task_id, run=f"{ref}")
                found.append(PlanWarning("failed_upstream", detail, ref.dag_id, ref.run_id, task_id))
        return found


def not_selectable(run: PlannedRun) -> Sentence:
    """Why a run can't be taken."""
    return Sentence("part.run_cannot_be_selected", run=f"{run.ref}", why=clause(run.reason))


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
        tasks=with_coming(run, tasks),
        depth=stages[0].depth,
        waits_for=frozenset(gate.ref for gate in gates if not gate.stage and gate.until is None),
        passage=stages[0].passage,
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
    parents = dict.fromkeys(parent.ref for parent, *_ in links)
    meant = {ref: Covering(by_ref[ref].tasks) for ref in parents}
    found: list[NewChild] = []
    made = set[RunRef]()
    for parent, task_id, map_index, child in sorted(links, key=lambda link: link[0].depth):
        if task_id is None or parent.state is not MemberState.PENDING or parent.ref not in child.reads_from:
            continue
        if parent.ref in made or meant[parent.ref].covers(task_id, map_index):
            made.add(child.ref)
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


def assemble(
    plan: Plan,
    request: RerunRequest,
    members: Sequence[NewMember],
    order: Order,
    warnings: Sequence[PlanWarning],
    actor: Actor,
) -> NewRerun:
    """The rerun to be stored."""
    children = new_children(plan, members)
    return NewRerun(
        source=plan.source.ref,
        members=with_clear_numbers(plan, members, children),
        children=children,
        passages=order.passages,
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
