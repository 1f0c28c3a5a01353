"""From the inside's values to the contract's objects. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_rerun_downstream.domain import words
from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.labels import Labels
from airflow_rerun_downstream.domain.plan import (
    Plan,
    PlannedFuture,
    PlannedRun,
    RunStatus,
)
from airflow_rerun_downstream.domain.proof import Finding, Older, Spot
from airflow_rerun_downstream.domain.rerun import Rerun, RerunEvent
from airflow_rerun_downstream.domain.seeing import reason
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.installation import ComponentHealth
from airflow_rerun_downstream.rest import installation_payloads, plan_payloads, proof_payloads, record_payloads
from airflow_rerun_downstream.service import (
    ChangesView,
    DagRunsView,
    EdgesView,
    LiveRun,
    MemberView,
    Omission,
    ProofView,
    ProposalReviewView,
    RerunView,
    RunTasksView,
    SeveralView,
)

SEVERITY = ("healthy", "degraded", "unhealthy")


def structure(of: DagStructure) -> list[plan_payloads.Task]:
    """The tasks of a Dag."""
    return [
        plan_payloads.Task(task_id=task_id, downstream_task_ids=sorted(node.followers), group=of.group_of(task_id))
        for task_id, node in sorted(of.tasks.items())
    ]


def run_tasks(of: RunTasksView) -> plan_payloads.TaskInstances:
    """The task instances of a run."""
    return plan_payloads.TaskInstances(
        task_instances=list(map(plan_payloads.TaskInstance.model_validate, of.task_instances)),
        total_entries=len(of.task_instances),
        structure=[] if of.structure is None else structure(of.structure),
    )


def run(of: PlannedRun, labels: Labels) -> plan_payloads.Run:
    """A run without its task instances."""
    facts = of.facts
    return plan_payloads.Run(
        dag_id=facts.ref.dag_id,
        dag_display_name=labels.dag(facts.ref.dag_id),
        run_id=facts.ref.run_id,
        note=labels.note(facts.ref),
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
        task_ids=list(of.tasks),
    )


def dag_runs(of: DagRunsView) -> plan_payloads.DagRuns:
    """A page of runs."""
    runs = [run(each, of.labels) for each in of.runs]
    return plan_payloads.DagRuns(dag_runs=runs, total_entries=of.total, source_ready_since=of.source_ready_since)


def run_with_tasks(of: PlannedRun, labels: Labels, *, task_instances: bool) -> plan_payloads.RunWithTasks:
    """A run of a preview."""
    listed = list(map(plan_payloads.TaskInstance.model_validate, of.task_instances)) if task_instances else None
    return plan_payloads.RunWithTasks(
        **dict(run(of, labels)), task_instances=listed, wrong_data=of.wrong_data, freeze_selected=of.freeze_selected
    )


def run_to_come(of: PlannedFuture, labels: Labels, *, task_instances: bool) -> plan_payloads.RunWithTasks:
    """A run of a preview that Airflow hasn't made yet."""
    timed = of.run
    return plan_payloads.RunWithTasks(
        dag_id=of.ref.dag_id,
        dag_display_name=labels.dag(of.ref.dag_id),
        run_id=None,
        note=None,
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
        wrong_data=of.wrong_data,
        freeze_selected=of.freeze_selected,
    )


def edges(of: EdgesView) -> plan_payloads.DagEdges:
    """The edges of a Dag."""
    return plan_payloads.DagEdges.model_validate({**vars(of), "total_entries": len(of.edges)})


def plan(of: Plan, *, task_instances: bool) -> plan_payloads.Plan:
    """The preview."""
    return plan_payloads.Plan(
        plan_token=of.token,
        source=run_with_tasks(of.source, of.labels, task_instances=task_instances),
        runs=[
            *(run_with_tasks(each, of.labels, task_instances=task_instances) for each in of.runs),
            *(run_to_come(each, of.labels, task_instances=task_instances) for each in of.upcoming),
        ],
        links=list(map(plan_payloads.Link.model_validate, of.links)),
        warnings=list(map(plan_payloads.PlanWarning.model_validate, of.warnings)),
        hidden_dags=of.hidden_dags,
    )


def rerun(of: RerunView) -> record_payloads.Rerun:
    """The record of a rerun."""
    stored = of.rerun
    counts = {state.value: number for state, number in stored.counts.items()}
    more: dict[str, Any] = {"counts": counts, "cause": words.cause(stored.state_reason), "final": stored.final}
    more["approved_by"] = stored.approved_by
    more["expires_at"] = stored.expires_at if stored.state is RerunState.PROPOSED else None
    return record_payloads.Rerun.model_validate({**vars(stored), **vars(of), **more})


def proposal_review(of: ProposalReviewView) -> plan_payloads.ProposalReview:
    """What an approval would do."""
    refusal = of.refusal
    return plan_payloads.ProposalReview(
        rerun_id=of.rerun.id,
        stale=of.stale,
        changes=[
            plan_payloads.Change(dag_id=one.ref.dag_id, run_id=one.ref.run_id, change=one.change) for one in of.changes
        ],
        plan_token=of.plan_token,
        review=None if of.review is None else plan_payloads.Review.model_validate(of.review),
        refusal=None if refusal is None else plan_payloads.ProposalRefusal.model_validate(refusal),
    )


def live(of: LiveRun) -> record_payloads.Live:
    """What Airflow says of a run now."""
    return record_payloads.Live(state=of.state, run_after=of.run_after, run_id=of.run_id or None)


def member(of: MemberView) -> record_payloads.Member:
    """A member of a rerun."""
    stored, why = of.member, reason(of.member.state_reason)
    more = {
        "dag_id": stored.ref.dag_id,
        "dag_display_name": of.labels.dag(stored.ref.dag_id),
        "run_id": stored.ref.run_id or None,
        "note": of.labels.note(stored.ref),
        "original_run_id": stored.original_run_id or None,
        "state_reason": why,
        "cause": words.cause(why),
        "task_ids": stored.tasks,
        "stage": stored.stage + 1,
        "live": live(of.live),
    }
    return record_payloads.Member.model_validate({**vars(stored), **vars(of), **more})


def several(of: SeveralView) -> record_payloads.MemberResults:
    """What came of an action on several members."""
    refused = [
        record_payloads.RefusedMember(
            member_id=member_id, reason=refusal.reason, detail=refusal.detail, sentence=refusal.detail
        )
        for member_id, refusal in of.refused
    ]
    return record_payloads.MemberResults(members=[member(each) for each in of.members], refused=refused)


def not_made_anew(of: Omission) -> record_payloads.NotMadeAnew:
    """What a rerun left as it was."""
    return record_payloads.NotMadeAnew.model_validate({**vars(of), "dag_id": of.ref.dag_id, "run_id": of.ref.run_id})


def proof(of: ProofView, *, limit: int) -> proof_payloads.Proof:
    """What a rerun can show for itself."""
    return proof_payloads.Proof(
        rerun_id=of.rerun.id,
        at=of.proof.at,
        verdict=of.proof.counts.verdict,
        counts=proof_payloads.ProofCounts.model_validate(of.proof.counts),
        findings=[finding(each) for each in of.findings[:limit]],
        older=[older(each) for each in of.older[:limit]],
        hidden_runs=of.hidden_runs,
        hidden_findings=of.hidden_findings,
        hidden_older=of.hidden_older,
        kept=kept(of.rerun),
    )


def kept(of: Rerun) -> proof_payloads.KeptProof | None:
    """The proof that stands in the record."""
    if of.proven_at is None or of.proof is None:
        return None
    return proof_payloads.KeptProof(
        at=of.proven_at, verdict=of.proof.verdict, counts=proof_payloads.ProofCounts.model_validate(of.proof)
    )


def finding(of: Finding) -> proof_payloads.ProofFinding:
    """A check that isn't proven."""
    return proof_payloads.ProofFinding(
        outcome=of.outcome,
        reason=of.reason,
        reader=spot(of.reader),
        writer=None if of.writer is None else spot(of.writer),
        read_at=of.read,
        written_at=of.written,
        accepted_by=of.by,
    )


def older(of: Older) -> proof_payloads.ProofOlder:
    """What holds older data."""
    here, because_of = spot(of.spot), spot(of.because_of)
    return proof_payloads.ProofOlder(**dict(here), because_of=because_of, accepted_by=of.by)


def spot(of: Spot) -> proof_payloads.ProofSpot:
    """A run, or a task of it."""
    return proof_payloads.ProofSpot(dag_id=of.ref.dag_id, run_id=of.ref.run_id, task_id=of.task_id)


def event(of: RerunEvent) -> record_payloads.Event:
    """A line of a rerun's record."""
    said = None if of.action == words.COMMENTED else words.cause(of.detail)
    cause = said if said is not None and said.word else None
    return record_payloads.Event.model_validate({**vars(of), "sentence": of.sentence, "cause": cause})


def changes(of: ChangesView) -> record_payloads.Changes:
    """What has changed in a rerun."""
    return record_payloads.Changes(
        cursor=of.cursor,
        whole=of.whole,
        more=of.more,
        rerun=None if of.rerun is None else rerun(of.rerun),
        members=[member(each) for each in of.members],
        events=[event(each) for each in of.events],
    )


def health(of: Mapping[str, ComponentHealth]) -> installation_payloads.Health:
    """The installation, as good as its worst component."""
    worst = max((component.status for component in of.values()), key=SEVERITY.index, default="healthy")
    components = {name: installation_payloads.Component.model_validate(each) for name, each in of.items()}
    return installation_payloads.Health(status=worst, components=components)
