"""A service that answers with samples, or refuses; what it was asked is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.delivery import Delivery, DeliveryState, ToldMember
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.errors import ActionNotAllowed, Refusal
from airflow_rerun_downstream.domain.estimate import Decisive, Delay, Estimate, Expected, Outlook, PathStep
from airflow_rerun_downstream.domain.facts import DagOwnership, DagStructure, RunFacts, TaskNode
from airflow_rerun_downstream.domain.freeze import UpcomingRun
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import (
    Evidence,
    FutureRef,
    Link,
    LinkKind,
    Plan,
    PlannedFuture,
    PlannedRun,
    PlannedTask,
    PlanWarning,
    RunStatus,
)
from airflow_rerun_downstream.domain.proof import Counts, Finding, Older, Outcome, Proof, ProofReason, Spot
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun import UNSAID, Rerun, RerunEvent, Seen
from airflow_rerun_downstream.domain.rerun_request import Actor, Notification, RerunSettings
from airflow_rerun_downstream.domain.simulation import WaitedFor
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.domain.token import Change
from airflow_rerun_downstream.ports.installation import ComponentHealth
from airflow_rerun_downstream.service import (
    ChangesView,
    DagRunsView,
    DeliveryView,
    EdgesView,
    EstimatedMember,
    EstimateView,
    LiveRun,
    MemberView,
    Omission,
    ProofView,
    ProposalReviewView,
    RerunView,
    ReviewView,
    RunTasksView,
    SeveralView,
    TargetView,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
SOURCE = RunRef("orders", "scheduled__2026-03-01T00:00:00+00:00")
SALES = RunRef("sales", "scheduled__2026-03-01T00:00:00+00:00")
FUTURE = FutureRef("report", logical_date=NOON + timedelta(days=1))
WARNING = PlanWarning("paused_dag", "The Dag sales is paused.", dag_id="sales")


DELIVERY = Delivery(
    id=3,
    message_id="4f0c3f38-6d1e-4bb2-8a0e-5b7c53b3c0aa",
    rerun_id=7,
    target="data-team",
    condition="member_failed",
    created_at=NOON,
    due_at=NOON + timedelta(minutes=3),
    actor="rerun_downstream",
    reason=None,
    members=(ToldMember(2, "tasks_failed"),),
    occurrences=3,
    tries=2,
    error="http_status:503",
)
TESTED = replace(
    DELIVERY, rerun_id=None, condition="test", actor="ada", state=DeliveryState.SENT, ended_at=NOON, error=None
)


def planned(ref: RunRef, **changes: Any) -> PlannedRun:
    facts = RunFacts(
        ref=ref,
        run_type="scheduled",
        state="success",
        logical_date=NOON,
        run_after=NOON,
        data_interval_start=NOON - timedelta(days=1),
        data_interval_end=NOON,
    )
    run = PlannedRun(
        facts=facts,
        status=RunStatus.SUCCESS,
        selectable=True,
        reason=None,
        selected=True,
        tasks=(TaskRef("load"), TaskRef("split", 2)),
        can_be_source=True,
        source_reason=None,
        task_instances=(
            PlannedTask("load", -1, "success", RunStatus.SUCCESS, "PythonOperator", True, "polluted"),
            PlannedTask("split", 2, None, RunStatus.REVOKED, None, False),
        ),
    )
    return replace(run, **changes)


LINKS = (
    Link(SOURCE, SALES, LinkKind.ASSET, Evidence.RECORDED, {"asset": "orders", "at": NOON}, "load", None),
    Link(SALES, FUTURE, LinkKind.SENSOR, Evidence.DERIVED, {"delta": 3600.0}, None, "wait"),
    Link(SALES, FutureRef("unknown"), LinkKind.SENSOR, Evidence.UNRESOLVED, {"why": "a function"}),
)
EDGES = (
    DagEdge(
        None, "orders", LinkKind.SENSOR, Evidence.UNRESOLVED, "A template.", (Advice.ASK_A_PLAN,),
        {"task_id": "wait", "external_dag_id": "{{ ds }}"}, to_task_id="wait",
    ),
    DagEdge("orders", "sales", LinkKind.ASSET, Evidence.RECORDED, "By events.", (), {"asset": "x"}, "load"),
)  # fmt: skip
PLAN = Plan(
    source=planned(SOURCE),
    runs=(planned(SALES, selectable=False, reason="run_is_running", selected=False, tasks=()),),
    links=LINKS,
    warnings=(WARNING,),
    hidden_dags=2,
    edges={SOURCE: frozenset({SALES})},
    token="token-1",
    upcoming=(
        PlannedFuture(FUTURE, UpcomingRun("report", "r", NOON + timedelta(days=1), NOON + timedelta(days=2))),
        PlannedFuture(FutureRef("stock", partition_key="north")),
        PlannedFuture(FutureRef("sums", next=True), freeze_reason="asset_watcher"),
    ),
)
REVIEW = ReviewView((WARNING,), ((SOURCE,), (SALES,)), stopped=(SALES,), frozen=(FUTURE,))
STRUCTURE = DagStructure(
    "orders",
    {
        "load": TaskNode("load", "PythonOperator", followers=frozenset({"split", "sums"})),
        "split": TaskNode("split", "PythonOperator", leaders=frozenset({"load"})),
        "sums": TaskNode("sums", "PythonOperator", leaders=frozenset({"load"})),
    },
    groups={"after": frozenset({"split", "sums"}), "after.all": frozenset({"split", "sums"})},
)
RERUN = Rerun(
    id=7,
    source=SOURCE,
    state=RerunState.RUNNING,
    state_reason=None,
    settings=RerunSettings(max_active_members=4),
    notifications=(Notification("data-team", ("succeeded",)),),
    warnings=(WARNING,),
    created_by="ana",
    created_by_id="1",
    created_at=NOON,
    started_at=NOON,
    ended_at=None,
    name="Repair [orders]",
    counts={MemberState.PENDING: 1, MemberState.RUNNING: 1},
)
PROPOSAL_REVIEW = ProposalReviewView(
    RERUN, REVIEW, plan_token="token-2", stale=True, changes=(Change(SALES, "changed"),), refusal=None
)
MEMBERS = tuple(
    Member(
        id=number,
        rerun_id=7,
        ref=ref,
        original_run_id=ref.run_id,
        role=role,
        state=state,
        state_reason=None,
        tasks=(TaskRef("load"), TaskRef("split", 2)),
        depth=number - 1,
        attempt=2 - number,
        clear_number=1,
        logical_date=NOON,
        run_after=NOON,
        dispatched_at=NOON,
        ended_at=None,
        final_run_state=None,
        waits_for=frozenset(),
    )
    for number, ref, role, state in (
        (1, SOURCE, Role.SOURCE, MemberState.RUNNING),
        (2, SALES, Role.DOWNSTREAM, MemberState.PENDING),
    )
)
OMISSIONS = (
    Omission(SOURCE, "load", 2, "tasks_skipped", None, member_id=1, read_by=(SALES,)),
    Omission(SALES, None, None, "stays_polluted", "ana"),
)
LOAD, READ = Spot(SOURCE, "load"), Spot(SALES)
PROOF = ProofView(
    replace(RERUN, proven_at=NOON, proof=Counts(links=3)),
    Proof(
        NOON,
        Counts(links=3, tasks=8, orders=5, proven=13, not_provable=1, violations=1, accepted=1, open=0, older=1),
    ),
    (
        Finding(Outcome.VIOLATION, ProofReason.READ_TOO_EARLY, READ, LOAD, NOON, NOON, None),
        Finding(Outcome.ACCEPTED, ProofReason.NOT_MADE_ANEW, LOAD, by="ana"),
    ),
    (Older(Spot(RunRef("sales", "=1+1")), LOAD, None),),
    hidden_runs=1,
    hidden_findings=1,
    hidden_older=0,
)
LATER = NOON + timedelta(minutes=25)
ESTIMATE = EstimateView(
    RERUN,
    Estimate(
        NOON,
        Outlook.EXPECTED,
        LATER,
        LATER + timedelta(minutes=5),
        Decisive.PLACES,
        (
            PathStep(1, 0, WaitedFor.NOTHING, NOON, NOON + timedelta(minutes=10)),
            PathStep(3, 1, WaitedFor.UPSTREAM, NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)),
            PathStep(2, 0, WaitedFor.PLACE, NOON + timedelta(minutes=20), LATER),
        ),
        Delay(1, "no_pool_slots: of the pool small", True),
        overdue=1,
    ),
    {
        1: EstimatedMember(1, SOURCE, MemberState.RUNNING, "no_pool_slots: of the pool small"),
        2: EstimatedMember(2, SALES, MemberState.PENDING, None),
    },
    (
        Expected(1, NOON, NOON + timedelta(minutes=10), usual=600.0, longest=900.0, overdue=True),
        Expected(2, None, None, at_least=True, doubt="no_past_runs"),
    ),
    hidden_members=1,
)
EVENTS = (RerunEvent(1, 7, NOON, "ana", "submitted", None, None), RerunEvent(2, 7, NOON, "", "dispatched", 1, "x"))


def member_view(member: Member) -> MemberView:
    waiting = (SOURCE,) if member.role is Role.DOWNSTREAM else ()
    return MemberView(member, waiting, LiveRun(member.ref.run_id, "queued", NOON), ("retry", "skip"))


def said(seen: Seen) -> tuple[Seen, ...]:
    """What a caller says of how it saw things; nothing, where it says nothing."""
    return () if seen == UNSAID else (seen,)


@dataclass
class StubService:
    """Looks like `Service`. ``refusal`` is raised by every call but health; ``error`` likewise."""

    refusal: Refusal | None = None
    error: Exception | None = None
    state: RerunState = RerunState.RUNNING
    made_earlier: bool = False
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    pages: int | None = None
    counts: Mapping[MemberState, int] | None = None
    member_list: tuple[Member, ...] = MEMBERS
    lost: list[tuple[RunRef, datetime]] = field(default_factory=list)
    proven: ProofView = field(default_factory=lambda: PROOF)
    expected: EstimateView = field(default_factory=lambda: ESTIMATE)

    def _asked(self, *call: Any) -> None:
        self.calls.append(call)
        for error in (self.refusal, self.error):
            if error is not None:
                raise error

    def _view(self) -> RerunView:
        stored = replace(RERUN, state=self.state, counts=RERUN.counts if self.counts is None else self.counts)
        return RerunView(stored, ("pause", "terminate"), hidden_members=1, not_made_anew=2)

    def plan(self, actor: Actor, request: Any) -> Plan:
        self._asked("plan", actor, request)
        return PLAN

    def review(self, actor: Actor, request: Any) -> ReviewView:
        self._asked("review", actor, request)
        return REVIEW

    def submit(self, actor: Actor, request: Any, key: Any = None) -> RerunView:
        self._asked("submit", actor, request, key)
        return replace(self._view(), made_earlier=self.made_earlier)

    def approve(self, actor: Actor, rerun_id: int, plan_token: str | None = None) -> RerunView:
        self._asked("approve", actor, rerun_id, plan_token)
        return self._view()

    def reject(self, actor: Actor, rerun_id: int, reason: str | None = None) -> RerunView:
        self._asked("reject", actor, rerun_id, reason)
        return self._view()

    def proposal_review(self, actor: Actor, rerun_id: int) -> ProposalReviewView:
        self._asked("proposal_review", actor, rerun_id)
        return PROPOSAL_REVIEW

    def reruns(self, actor: Actor, wanted: Any) -> tuple[list[RerunView], int]:
        self._asked("reruns", actor, wanted)
        if self.pages is None:
            return [self._view()], 11
        return ([self._view()] if wanted.offset < self.pages else []), self.pages

    def rerun(self, actor: Actor, rerun_id: int) -> RerunView:
        self._asked("rerun", actor, rerun_id)
        return self._view()

    def members(
        self, actor: Actor, rerun_id: int, *, limit: int, offset: int, only: Collection[int] | None = None
    ) -> tuple[list[MemberView], int]:
        self._asked("members", actor, rerun_id, limit, offset)
        found = [each for each in self.member_list if only is None or each.id in only]
        return [member_view(each) for each in found[offset : offset + limit]], len(found)

    def changes(self, actor: Actor, rerun_id: int, *, since: str | None, limit: int) -> ChangesView:
        self._asked("changes", actor, rerun_id, since, limit)
        if since == "now":
            return ChangesView("now")
        members = tuple(member_view(one) for one in MEMBERS)
        return ChangesView("now", whole=True, rerun=self._view(), members=members, events=EVENTS)

    def dags(
        self, actor: Actor, rerun_id: int, *, limit: int, offset: int
    ) -> tuple[list[tuple[str, DagOwnership]], int]:
        self._asked("dags", actor, rerun_id, limit, offset)
        return [("orders", DagOwnership(("ana",), ("daily", "shop"))), ("sales", DagOwnership())], 2

    def links(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[Link], int]:
        self._asked("links", actor, rerun_id, limit, offset)
        return list(LINKS), 3

    def not_made_anew(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[Omission], int]:
        self._asked("not_made_anew", actor, rerun_id, limit, offset)
        return list(OMISSIONS), 2

    def proof(self, actor: Actor, rerun_id: int) -> ProofView:
        self._asked("proof", actor, rerun_id)
        return self.proven

    def estimate(self, actor: Actor, rerun_id: int) -> EstimateView:
        self._asked("estimate", actor, rerun_id)
        return self.expected

    def events(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[RerunEvent], int]:
        self._asked("events", actor, rerun_id, limit, offset)
        return list(EVENTS), 2

    def pause(self, actor: Actor, rerun_id: int, seen: Seen = UNSAID) -> RerunView:
        self._asked("pause", actor, rerun_id, *said(seen))
        return self._view()

    def resume(self, actor: Actor, rerun_id: int, seen: Seen = UNSAID) -> RerunView:
        self._asked("resume", actor, rerun_id, *said(seen))
        return self._view()

    def terminate(self, actor: Actor, rerun_id: int, seen: Seen = UNSAID) -> RerunView:
        self._asked("terminate", actor, rerun_id, *said(seen))
        return self._view()

    def release(self, actor: Actor, rerun_id: int, seen: Seen = UNSAID) -> RerunView:
        self._asked("release", actor, rerun_id, *said(seen))
        return self._view()

    def release_member(self, actor: Actor, rerun_id: int, member_id: int, seen: Seen = UNSAID) -> MemberView:
        self._asked("release_member", actor, rerun_id, member_id, *said(seen))
        return member_view(MEMBERS[0])

    def retry(self, actor: Actor, rerun_id: int, member_id: int, seen: Seen = UNSAID) -> MemberView:
        self._asked("retry", actor, rerun_id, member_id, *said(seen))
        return member_view(MEMBERS[0])

    def skip(self, actor: Actor, rerun_id: int, member_id: int, seen: Seen = UNSAID) -> MemberView:
        self._asked("skip", actor, rerun_id, member_id, *said(seen))
        return member_view(MEMBERS[0])

    def retry_members(self, actor: Actor, rerun_id: int, members: Mapping[int, Any]) -> SeveralView:
        self._asked("retry_members", actor, rerun_id, dict(members))
        return SeveralView((member_view(MEMBERS[0]),), ((2, ActionNotAllowed("It is pending.")),))

    def skip_members(self, actor: Actor, rerun_id: int, members: Mapping[int, Any]) -> SeveralView:
        self._asked("skip_members", actor, rerun_id, dict(members))
        return SeveralView((member_view(MEMBERS[0]),), ())

    def comment(self, actor: Actor, rerun_id: int, text: str) -> RerunView:
        self._asked("comment", actor, rerun_id, text)
        return self._view()

    def dag_runs(self, actor: Actor, wanted: Any, *, can_be_source: bool | None = None) -> DagRunsView:
        self._asked("dag_runs", actor, wanted, can_be_source)
        return DagRunsView((planned(SOURCE),), 1, NOON)

    def task_instances(self, actor: Actor, ref: RunRef) -> RunTasksView:
        self._asked("task_instances", actor, ref)
        return RunTasksView(planned(ref).task_instances, STRUCTURE if ref.dag_id == "orders" else None)

    def edges(self, actor: Actor, dag_id: str) -> EdgesView:
        self._asked("edges", actor, dag_id)
        return EdgesView(dag_id, EDGES, hidden_dags=2, warnings=(WARNING,))

    def release_lost(self, actor: Actor) -> list[tuple[RunRef, datetime]]:
        self._asked("release_lost", actor)
        return self.lost

    def health(self, actor: Actor, only: Collection[str] | None = None) -> Mapping[str, ComponentHealth]:
        found = {
            "database": ComponentHealth("healthy", "ok"),
            "conductor": ComponentHealth("unhealthy", "No conductor leads."),
            "policy": ComponentHealth("degraded", "2 sensors"),
        }
        return {name: each for name, each in found.items() if only is None or name in only}

    def notification_targets(self, actor: Actor) -> list[TargetView]:
        self._asked("notification_targets", actor)
        return [TargetView("data-team", "webhook", "The team", True, TESTED)]

    def notifications(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[DeliveryView], int]:
        self._asked("notifications", actor, rerun_id, limit, offset)
        return [DeliveryView(DELIVERY, (SALES,))], 4

    def send_test(self, actor: Actor, name: str) -> Delivery:
        self._asked("send_test", actor, name)
        return TESTED
