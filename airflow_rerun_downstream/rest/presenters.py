"""From the inside's values to the contract's objects. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from airflow_rerun_downstream.domain import words
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.plan import (
    FutureRef,
    Link,
    Plan,
    PlannedFuture,
    PlannedRun,
    PlannedTask,
    PlanWarning,
    RunStatus,
)
from airflow_rerun_downstream.domain.proof import Finding, Older, Spot
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun import Rerun, RerunEvent
from airflow_rerun_downstream.domain.seeing import reason
from airflow_rerun_downstream.ports.installation import ComponentHealth
from airflow_rerun_downstream.rest import payloads
from airflow_rerun_downstream.rest.problems import json_value
from airflow_rerun_downstream.rest.rerun_settings import Settings
from airflow_rerun_downstream.service import (
    DagRunsView,
    EdgesView,
    LiveRun,
    MemberView,
    Omission,
    ProofView,
    RerunView,
    ReviewView,
    RunTasksView,
)

SEVERITY = ("healthy", "degraded", "unhealthy")


def ref(of: RunRef) -> payloads.RunRef:
    """A run's name."""
    return payloads.RunRef(dag_id=of.dag_id, run_id=of.run_id)


def any_ref(of: RunRef | FutureRef) -> payloads.RunRef | payloads.FutureRef:
    """The name of a run, created or not."""
    if isinstance(of, RunRef):
        return ref(of)
    return payloads.FutureRef(
        dag_id=of.dag_id, logical_date=of.logical_date, partition_key=of.partition_key, next=of.next or None
    )


def tasks(of: Iterable[TaskRef]) -> list[payloads.TaskRef]:
    """A selection: ids of tasks, and indexes of mapped ones."""
    return [
        task.task_id
        if task.map_index is None
        else payloads.MappedTaskRef(task_id=task.task_id, map_index=task.map_index)
        for task in of
    ]


def task_instance(of: PlannedTask) -> payloads.TaskInstance:
    """A task instance of a preview."""
    return payloads.TaskInstance(
        task_id=of.task_id,
        map_index=of.map_index,
        state=of.state,
        status=of.status,
        operator=of.operator,
        selected=of.selected,
        reason=of.reason,
    )


def structure(of: DagStructure) -> list[payloads.Task]:
    """The tasks of a Dag."""
    return [
        payloads.Task(task_id=task_id, downstream_task_ids=sorted(node.followers), group=of.group_of(task_id))
        for task_id, node in sorted(of.tasks.items())
    ]


def run_tasks(of: RunTasksView) -> payloads.TaskInstances:
    """The task instances of a run."""
    return payloads.TaskInstances(
        task_instances=[task_instance(each) for each in of.task_instances],
        total_entries=len(of.task_instances),
        structure=[] if of.structure is None else structure(of.structure),
    )


def run(of: PlannedRun) -> payloads.Run:
    """A run without its task instances."""
    facts = of.facts
    return payloads.Run(
        dag_id=facts.ref.dag_id,
        run_id=facts.ref.run_id,
        run_type=facts.run_type,
        state=facts.state,
        logical_date=facts.logical_date,
        run_after=facts.run_after,
        data_interval_start=facts.data_interval_start,
        data_interval_end=facts.data_interval_end,
        partition_key=facts.partition_key,
        status=of.status,
        exists=True,
        next=False,
        selectable=of.selectable,
        reason=of.reason,
        freeze_action=of.freeze_action,
        freeze_reason=of.freeze_reason,
        selected=of.selected,
        can_be_source=of.can_be_source,
        source_reason=of.source_reason,
        task_ids=tasks(of.tasks),
    )


def dag_runs(of: DagRunsView) -> payloads.DagRuns:
    """A page of runs."""
    return payloads.DagRuns(
        dag_runs=[run(each) for each in of.runs], total_entries=of.total, source_ready_since=of.source_ready_since
    )


def run_with_tasks(of: PlannedRun, *, task_instances: bool) -> payloads.RunWithTasks:
    """A run of a preview."""
    listed = [task_instance(each) for each in of.task_instances] if task_instances else None
    return payloads.RunWithTasks(**dict(run(of)), task_instances=listed)


def run_to_come(of: PlannedFuture, *, task_instances: bool) -> payloads.RunWithTasks:
    """A run of a preview that Airflow hasn't made yet."""
    timed = of.run
    return payloads.RunWithTasks(
        dag_id=of.ref.dag_id,
        run_id=None,
        run_type="asset_triggered" if timed is None else "scheduled",
        state=None,
        logical_date=of.ref.logical_date,
        run_after=timed and timed.run_after,
        data_interval_start=timed and timed.data_interval_start,
        data_interval_end=timed and timed.data_interval_end,
        partition_key=of.ref.partition_key,
        status=RunStatus.NOT_READY,
        exists=False,
        next=of.ref.next,
        selectable=False,
        reason="not_created",
        freeze_action=of.freeze_action,
        freeze_reason=of.freeze_reason,
        selected=False,
        can_be_source=False,
        source_reason="not_created",
        task_ids=[],
        task_instances=[] if task_instances else None,
    )


def link(of: Link) -> payloads.Link:
    """A link with what was seen."""
    return payloads.Link(
        upstream=ref(of.upstream),
        downstream=any_ref(of.downstream),
        kind=of.kind,
        evidence=of.evidence,
        via=json_value(of.via),
        from_task_id=of.from_task_id,
        to_task_id=of.to_task_id,
    )


def edge(of: DagEdge) -> payloads.DagEdge:
    """An edge between Dags."""
    return payloads.DagEdge(
        upstream_dag_id=of.upstream_dag_id,
        downstream_dag_id=of.downstream_dag_id,
        kind=of.kind,
        evidence=of.evidence,
        why=of.why,
        advice=of.advice,
        to_do=list(of.to_do),
        via=json_value(of.via),
        from_task_id=of.from_task_id,
        to_task_id=of.to_task_id,
    )


def edges(of: EdgesView) -> payloads.DagEdges:
    """The edges of a Dag."""
    found = [edge(each) for each in of.edges]
    return payloads.DagEdges(
        dag_id=of.dag_id,
        edges=found,
        total_entries=len(found),
        hidden_dags=of.hidden_dags,
        warnings=warnings(of.warnings),
    )


def warnings(of: Iterable[PlanWarning]) -> list[payloads.PlanWarning]:
    """What a person should know."""
    return [payloads.PlanWarning.model_validate(json_value(each)) for each in of]


def plan(of: Plan, *, task_instances: bool) -> payloads.Plan:
    """The preview."""
    return payloads.Plan(
        plan_token=of.token,
        source=run_with_tasks(of.source, task_instances=task_instances),
        runs=[
            *(run_with_tasks(each, task_instances=task_instances) for each in of.runs),
            *(run_to_come(each, task_instances=task_instances) for each in of.upcoming),
        ],
        links=[link(each) for each in of.links],
        warnings=warnings(of.warnings),
        hidden_dags=of.hidden_dags,
    )


def review(of: ReviewView) -> payloads.Review:
    """What a submit would do."""
    return payloads.Review(
        warnings=warnings(of.warnings),
        waves=[[ref(each) for each in wave] for wave in of.waves],
        stopped=[ref(each) for each in of.stopped],
        frozen=[any_ref(each) for each in of.frozen],
    )


def rerun(of: RerunView) -> payloads.Rerun:
    """The record of a rerun."""
    stored = of.rerun
    return payloads.Rerun(
        id=stored.id,
        name=stored.name,
        reason=stored.reason,
        state=stored.state,
        state_reason=stored.state_reason,
        cause=cause(stored.state_reason),
        source=ref(stored.source),
        freeze_mode=stored.freeze_mode,
        created_by=stored.created_by,
        created_at=stored.created_at,
        started_at=stored.started_at,
        ended_at=stored.ended_at,
        counts=payloads.Counts(**{state.value: number for state, number in stored.counts.items()}),
        not_made_anew=of.not_made_anew,
        hidden_members=of.hidden_members,
        settings=Settings(**vars(stored.settings)),
        notifications=[payloads.Notification(target=each.target, on=list(each.on)) for each in stored.notifications],
        allowed_actions=list(of.allowed_actions),
        final=stored.final,
        warnings=warnings(of.warnings),
    )


def live(of: LiveRun) -> payloads.Live:
    """What Airflow says of a run now."""
    return payloads.Live(state=of.state, run_after=of.run_after, run_id=of.run_id or None)


def member(of: MemberView) -> payloads.Member:
    """A member of a rerun."""
    stored = of.member
    return payloads.Member(
        id=stored.id,
        rerun_id=stored.rerun_id,
        dag_id=stored.ref.dag_id,
        run_id=stored.ref.run_id or None,
        original_run_id=stored.original_run_id or None,
        logical_date=stored.logical_date,
        run_after=stored.run_after,
        role=stored.role,
        state=stored.state,
        state_reason=reason(stored.state_reason),
        cause=cause(reason(stored.state_reason)),
        waiting_on=[ref(each) for each in of.waiting_on],
        depth=stored.depth,
        attempt=stored.attempt,
        dispatched_at=stored.dispatched_at,
        ended_at=stored.ended_at,
        task_ids=tasks(stored.tasks),
        stage=stored.stage + 1,
        stages=[tasks(some) for some in stored.stages],
        final_run_state=stored.final_run_state,
        live=live(of.live),
        allowed_actions=list(of.allowed_actions),
    )


def not_made_anew(of: Omission) -> payloads.NotMadeAnew:
    """What a rerun left as it was."""
    return payloads.NotMadeAnew(
        member_id=of.member_id,
        dag_id=of.ref.dag_id,
        run_id=of.ref.run_id,
        task_id=of.task_id,
        map_index=of.map_index,
        reason=of.reason,
        accepted_by=of.accepted_by,
        read_by=[ref(each) for each in of.read_by],
        because_of=None if of.because_of is None else ref(of.because_of),
    )


def proof(of: ProofView, *, limit: int) -> payloads.Proof:
    """What a rerun can show for itself."""
    return payloads.Proof(
        rerun_id=of.rerun.id,
        at=of.proof.at,
        verdict=of.proof.counts.verdict,
        counts=payloads.ProofCounts(**asdict(of.proof.counts)),
        findings=[finding(each) for each in of.findings[:limit]],
        older=[older(each) for each in of.older[:limit]],
        hidden_runs=of.hidden_runs,
        hidden_findings=of.hidden_findings,
        hidden_older=of.hidden_older,
        kept=kept(of.rerun),
    )


def kept(of: Rerun) -> payloads.KeptProof | None:
    """The proof that stands in the record."""
    if of.proven_at is None or of.proof is None:
        return None
    return payloads.KeptProof(
        at=of.proven_at, verdict=of.proof.verdict, counts=payloads.ProofCounts(**asdict(of.proof))
    )


def finding(of: Finding) -> payloads.ProofFinding:
    """A check that isn't proven."""
    return payloads.ProofFinding(
        outcome=of.outcome,
        reason=of.reason,
        reader=spot(of.reader),
        writer=None if of.writer is None else spot(of.writer),
        read_at=of.read,
        written_at=of.written,
        accepted_by=of.by,
    )


def older(of: Older) -> payloads.ProofOlder:
    """What holds older data."""
    here, because_of = spot(of.spot), spot(of.because_of)
    return payloads.ProofOlder(**dict(here), because_of=because_of, accepted_by=of.by)


def spot(of: Spot) -> payloads.ProofSpot:
    """A run, or a task of it."""
    return payloads.ProofSpot(dag_id=of.ref.dag_id, run_id=of.ref.run_id, task_id=of.task_id)


def event(of: RerunEvent) -> payloads.Event:
    """A line of a rerun's record."""
    said = cause(of.detail)
    return payloads.Event(
        id=of.id,
        at=of.at,
        actor=of.actor,
        action=of.action,
        member_id=of.member_id,
        detail=of.detail,
        cause=said if said is not None and said.word else None,
    )


def cause(of: str | None) -> payloads.Cause | None:
    """Why something stands where it does, taken apart."""
    found = words.cause(of)
    return None if found is None else payloads.Cause(**asdict(found))


def health(of: Mapping[str, ComponentHealth]) -> payloads.Health:
    """The installation, as good as its worst component."""
    worst = max((component.status for component in of.values()), key=SEVERITY.index, default="healthy")
    components = {name: payloads.Component(status=each.status, detail=each.detail) for name, each in of.items()}
    return payloads.Health(status=worst, components=components)
