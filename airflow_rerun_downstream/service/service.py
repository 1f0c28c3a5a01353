"""The service: one transaction for each call, permissions first in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import TypeVar

from airflow_rerun_downstream.domain.errors import Refusal, RunInActiveRerun
from airflow_rerun_downstream.domain.plan import Link, Plan, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Actor, Rerun, RerunEvent, RerunRequest
from airflow_rerun_downstream.lineage.declarations import Declarations
from airflow_rerun_downstream.lineage.edges import dag_edges, no_dag
from airflow_rerun_downstream.lineage.planner import NOTHING_DECLARED
from airflow_rerun_downstream.lineage.preview import Viewpoint, listed_run
from airflow_rerun_downstream.ports.installation import Clock, ComponentHealth, Health, Notifier
from airflow_rerun_downstream.ports.lineage import RunFilter, SourceRule
from airflow_rerun_downstream.ports.store import RerunFilter
from airflow_rerun_downstream.ports.work import UnitOfWork, Work
from airflow_rerun_downstream.service import freezing, proving, submission
from airflow_rerun_downstream.service.control import Control
from airflow_rerun_downstream.service.drafting import Drafting
from airflow_rerun_downstream.service.freezing import Mechanisms
from airflow_rerun_downstream.service.health import shown_health
from airflow_rerun_downstream.service.reading import Reading, eyes
from airflow_rerun_downstream.service.views import (
    DagRunsView,
    EdgesView,
    MemberView,
    Omission,
    ProofView,
    RerunView,
    ReviewView,
    RunTasksView,
)
from airflow_rerun_downstream.settings import Settings

View = TypeVar("View")


class Service:
    """What a user can do. Every method raises `Refusal` with a reason and then has changed nothing.

    ``sees_installation``: whether a user may know on which hosts and with which files Airflow runs.
    """

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        health: Health,
        notifier: Notifier,
        clock: Clock,
        settings: Settings,
        sees_installation: Callable[[Actor], bool],
        declarations: Declarations = NOTHING_DECLARED,
    ) -> None:
        self.unit_of_work = unit_of_work
        self._health = health
        self.notifier = notifier
        self.clock = clock
        self.settings = settings
        self.sees_installation = sees_installation
        self.declarations = declarations
        self.reading = Reading()
        self.drafting = Drafting(clock, settings, declarations)
        self.control = Control(clock, self.reading)

    # The plan and the submit

    def plan(self, actor: Actor, request: PlanRequest) -> Plan:
        """The preview, with only what the user may see; changes nothing.

        Raises `NotFound`, `Invalid`, `EmptySelection`, `PlanTooLarge`.
        """
        mechanisms = Mechanisms.of(self._health, freezes=False)
        with self.unit_of_work() as work:
            plan = self.drafting.planner(actor, work).plan(request)
            return self.drafting.warned(actor, work, plan, request, mechanisms)

    def review(self, actor: Actor, request: RerunRequest) -> ReviewView:
        """What a submit would do now; changes nothing. Raises every `Refusal` that the submit would meet."""
        return self.checked(actor, request, self.reviewed)

    def submit(self, actor: Actor, request: RerunRequest) -> RerunView:
        """Store a rerun; the conductor carries it out. Raises every `Refusal` of the contract."""
        return self.checked(actor, request, self.store_rerun)

    def checked(
        self, actor: Actor, request: RerunRequest, act: Callable[[Actor, Work, RerunRequest, Mechanisms], View]
    ) -> View:
        """Do something with a request in one transaction; what refuses it is told in full."""
        submission.check_request(request, [name for name, _, _ in self.notifier.targets()])
        mechanisms = Mechanisms.of(self._health, freezes=bool(request.frozen))
        with self.unit_of_work() as work:
            try:
                return act(actor, work, request, mechanisms)
            except RunInActiveRerun as refusal:
                raise self.with_holder(actor, work, refusal) from None

    def reviewed(self, actor: Actor, work: Work, request: RerunRequest, mechanisms: Mechanisms) -> ReviewView:
        """Check everything against a fresh plan."""
        view = self.drafting.draft(actor, work, request, mechanisms).review()
        return replace(view, warnings=eyes(actor, work).warnings(view.warnings))

    def store_rerun(self, actor: Actor, work: Work, request: RerunRequest, mechanisms: Mechanisms) -> RerunView:
        """Check everything against a fresh plan, then write."""
        held = {target.dag_id for target in request.frozen}
        if held and held <= work.permissions.may_rerun(actor, held):  # whoever may not is refused below
            work.freezer.lock(held)
        draft = self.drafting.draft(actor, work, request, mechanisms)
        rerun_id = work.store.add(draft.rerun, now=self.clock.now())
        freezing.freeze(work, rerun_id, draft.frozen)
        runs = len(draft.frozen)
        what = f"{len(draft.rerun.members)} member(s)" + (f", {runs} run(s) to hold" if runs else "")
        self.tell(work, rerun_id, draft.rerun.source, actor, "submit", what)
        return self.reading.view(actor, work, rerun_id)

    def with_holder(self, actor: Actor, work: Work, refusal: RunInActiveRerun) -> Exception:
        """Name the rerun that holds the run, if the user may read it."""
        ref = refusal.extra.get("run")
        holder = work.store.active_runs([ref]).get(ref) if isinstance(ref, RunRef) else None
        rerun = work.store.get(holder) if holder is not None else None
        readable = rerun is not None and work.permissions.readable(actor, [rerun.source.dag_id])
        return submission.name_holder(refusal, rerun_id=holder if readable else None)

    def tell(
        self, work: Work, rerun_id: int, ref: RunRef, actor: Actor, action: str, detail: str | None = None
    ) -> None:
        """A line in our record and in Airflow's audit log."""
        work.store.add_event(rerun_id, at=self.clock.now(), actor=actor.name, action=action, detail=detail)
        work.gateway.record(ref, rerun_id=rerun_id, actor=actor.name, event=action)

    def edges(self, actor: Actor, dag_id: str) -> EdgesView:
        """What is upstream and downstream of a Dag, without a run, and how it is known. Raises `NotFound`."""
        with self.unit_of_work() as work:
            if not work.permissions.readable(actor, [dag_id]):
                raise no_dag(dag_id)
            found = dag_edges(dag_id, work.facts, self.declarations.links)
            edges, hidden = eyes(actor, work).edges(dag_id, found)
        return EdgesView(dag_id, edges, hidden_dags=len(hidden), warnings=tuple(self.declarations.warnings()))

    # Records

    def reruns(self, actor: Actor, wanted: RerunFilter) -> tuple[list[RerunView], int]:
        """One page of the reruns whose source the user may read, and how many there are in all."""
        with self.unit_of_work() as work:
            readable = work.permissions.all_readable(actor)
            reruns, total = work.store.page(replace(wanted, readable=readable))
            return self.reading.views(actor, work, reruns), total

    def rerun(self, actor: Actor, rerun_id: int) -> RerunView:
        """One rerun. Raises `NotFound`."""
        with self.unit_of_work() as work:
            return self.reading.view(actor, work, rerun_id)

    def members(
        self, actor: Actor, rerun_id: int, *, limit: int, offset: int, only: Collection[int] | None = None
    ) -> tuple[list[MemberView], int]:
        """A page of the members that the user may read, in their order, and how many there are in all.

        ``only``: of those among these.
        """
        with self.unit_of_work() as work:
            return self.reading.members(actor, work, rerun_id, limit=limit, offset=offset, only=only)

    def links(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[Link], int]:
        """A page of the links between runs that the user may read."""
        with self.unit_of_work() as work:
            return self.reading.links(actor, work, rerun_id, limit=limit, offset=offset)

    def not_made_anew(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[Omission], int]:
        """A page of what a rerun counts, or left, without having made it anew."""
        with self.unit_of_work() as work:
            return self.reading.not_made_anew(actor, work, rerun_id, limit=limit, offset=offset)

    def proof(self, actor: Actor, rerun_id: int) -> ProofView:
        """What the rerun can show for itself, as everything stands now. Raises `NotFound`."""
        with self.unit_of_work() as work:
            return proving.proof(self.reading, self.clock, actor, work, rerun_id)

    def events(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[RerunEvent], int]:
        """A page of the record, oldest first; lines about members that the user may not read are left out."""
        with self.unit_of_work() as work:
            return self.reading.events(actor, work, rerun_id, limit=limit, offset=offset)

    # Control

    def pause(self, actor: Actor, rerun_id: int) -> RerunView:
        """Dispatch nothing new; runs in flight go on. A repeat changes nothing."""
        return self.act(actor, rerun_id, self.control.pause)

    def resume(self, actor: Actor, rerun_id: int) -> RerunView:
        """Let a paused rerun go on; retry the failed members of a failed one. A repeat changes nothing."""
        return self.act(actor, rerun_id, self.control.resume)

    def terminate(self, actor: Actor, rerun_id: int) -> RerunView:
        """End the rerun; by its settings, the conductor stops the runs in flight. A repeat changes nothing."""
        return self.act(actor, rerun_id, self.control.terminate)

    def release(self, actor: Actor, rerun_id: int) -> RerunView:
        """Release the frozen runs of a rerun."""
        return self.act(actor, rerun_id, self.control.release)

    def release_lost(self, actor: Actor) -> list[tuple[RunRef, datetime]]:
        """Let the held runs go that no record names, of the Dags that the user may rerun; each with its own time."""
        with self.unit_of_work() as work:
            lost = work.freezer.lost()
            allowed = work.permissions.may_rerun(actor, {ref.dag_id for ref in lost}) if lost else frozenset()
        released = []
        for ref in lost:
            if ref.dag_id not in allowed:
                continue
            with self.unit_of_work() as work:
                due = work.freezer.rescue(ref, actor=actor.name)
            if due is not None:
                released.append((ref, due))
        return released

    def act(self, actor: Actor, rerun_id: int, action: Callable[[Actor, Work, Rerun], bool]) -> RerunView:
        """One control action with its permission check and its record."""
        with self.unit_of_work() as work:
            rerun = self.control.allowed(actor, work, rerun_id)
            if action(actor, work, rerun):
                self.tell(work, rerun_id, rerun.source, actor, action.__name__)
            return self.reading.view(actor, work, rerun_id)

    def retry(self, actor: Actor, rerun_id: int, member_id: int) -> MemberView:
        """Dispatch a failed member again, in its turn. A repeat changes nothing."""
        return self.act_on_member(actor, rerun_id, member_id, self.control.retry)

    def skip(self, actor: Actor, rerun_id: int, member_id: int) -> MemberView:
        """Go on as if a failed member had succeeded. A repeat changes nothing."""
        return self.act_on_member(actor, rerun_id, member_id, self.control.skip)

    def release_member(self, actor: Actor, rerun_id: int, member_id: int) -> MemberView:
        """Release one frozen run. A repeat changes nothing."""
        return self.act_on_member(actor, rerun_id, member_id, self.control.release_member)

    def act_on_member(self, actor: Actor, rerun_id: int, member_id: int, action: Callable[..., bool]) -> MemberView:
        """One repair inside a rerun with its permission check and its record."""
        with self.unit_of_work() as work:
            rerun = self.control.allowed(actor, work, rerun_id)
            member = self.reading.member(actor, work, rerun_id, member_id)
            if action(actor, work, rerun, member):
                work.store.add_event(
                    rerun_id,
                    at=self.clock.now(),
                    actor=actor.name,
                    action=action.__name__,
                    member_id=member_id,
                )
                ref = member.ref if member.ref.run_id else rerun.source  # a frozen run may not be made yet
                work.gateway.record(ref, rerun_id=rerun_id, actor=actor.name, event=action.__name__)
            return self.reading.member_view(actor, work, rerun_id, member_id)

    # Airflow's runs

    def dag_runs(self, actor: Actor, wanted: RunFilter, *, can_be_source: bool | None = None) -> DagRunsView:
        """A page of Dag runs that the user may read, each with whether it can be a source."""
        now = self.clock.now()
        window = self.settings.window_start(now)
        with self.unit_of_work() as work:
            if can_be_source is not None:
                rule = SourceRule(now, window, frozenset(work.store.all_active_runs()), matches=can_be_source)
                wanted = replace(wanted, source_rule=rule)
            runs, total = work.facts.page(replace(wanted, dag_ids=self.visible(actor, work, wanted.dag_ids)))
            refs = [run.ref for run in runs]
            view = Viewpoint(now, window, frozenset(), work.store.active_runs(refs) if refs else {})
        since = window and window.astimezone(timezone.utc)
        return DagRunsView(tuple(listed_run(run, view) for run in runs), total, since)

    def visible(self, actor: Actor, work: Work, dag_ids: Collection[str] | None) -> frozenset[str] | None:
        """Narrow a filter to the Dags that the user may read."""
        if dag_ids is None:
            return work.permissions.all_readable(actor)
        return work.permissions.readable(actor, dag_ids)

    def task_instances(self, actor: Actor, ref: RunRef) -> RunTasksView:
        """The task instances of a run, with those preselected that a rerun from it takes by default."""
        with self.unit_of_work() as work:
            run, structure = self.drafting.planner(actor, work).source_run(ref)
        return RunTasksView(run.task_instances, structure)

    # The installation

    def health(self, actor: Actor) -> Mapping[str, ComponentHealth]:
        """The installation's components; why something is wrong, where the user may see that. Never refuses."""
        found = self._health.components()
        return shown_health(found, self.sees_installation(actor), partial(self.readable, actor))

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """The Dags of which the user may be told; none while nobody can be asked."""
        try:
            with self.unit_of_work() as work:
                return work.permissions.readable(actor, dag_ids)
        except Refusal:
            return frozenset()

    def notification_targets(self, actor: Actor) -> list[tuple[str, str, str]]:
        """Name, kind and description of each configured notification target; none for who may read no Dag."""
        with self.unit_of_work() as work:
            readable = work.permissions.all_readable(actor)
        return list(self.notifier.targets()) if readable is None or readable else []
