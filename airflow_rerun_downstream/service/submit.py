"""Review and submit: the plan, every check, then one write."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from airflow_rerun_downstream.domain.errors import CannotFreeze, IdempotencyKeyReused, Refusal, RunInActiveRerun
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.idempotency import IdempotencyKey, KeyTaken
from airflow_rerun_downstream.domain.new_rerun import NewMember, NewProposal, NewRerun
from airflow_rerun_downstream.domain.order import Order
from airflow_rerun_downstream.domain.plan import FutureRef, Plan, PlanWarning
from airflow_rerun_downstream.domain.proposal import Proposal
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest
from airflow_rerun_downstream.domain.selection import named
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.lineage.left_polluted import gone_in_latest, left_tasks, leftovers
from airflow_rerun_downstream.lineage.ordering import order_of, order_warnings
from airflow_rerun_downstream.lineage.outlook import extra_runs, new_runs, upcoming
from airflow_rerun_downstream.lineage.polluted_rebuilds import rebuilt_on_polluted
from airflow_rerun_downstream.lineage.unbegun import unbegun
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service import checks
from airflow_rerun_downstream.service.checks import Frozen, Mechanisms, refuse
from airflow_rerun_downstream.service.core import Core
from airflow_rerun_downstream.service.members import Selection, assemble, new_members
from airflow_rerun_downstream.service.plans import blocked
from airflow_rerun_downstream.service.records import eyes, rerun_view
from airflow_rerun_downstream.service.views import RerunView, ReviewView
from airflow_rerun_downstream.settings import Settings


@dataclass(frozen=True)
class Draft:
    """A rerun that has passed every check, with the runs that it would hold. Nothing of it is stored."""

    plan: Plan
    rerun: NewRerun
    source: RunFacts
    frozen: tuple[Frozen, ...]

    @property
    def what(self) -> Sentence:
        """How large it is."""
        members = Sentence("record.members", count=len(self.rerun.members))
        runs = len(self.frozen)
        return Sentence("record.members_and_held", members=members, count=runs) if runs else members


class Submit(Core):
    """One flow: the request, a fresh plan, every check, the rerun; a submit then writes it."""

    def review(self, actor: Actor, request: RerunRequest) -> ReviewView:
        """What a submit would do now; changes nothing. Raises every `Refusal` that the submit would meet."""
        mechanisms = self.mechanisms(request)
        with self.unit_of_work() as work, holder_named(actor, work):
            draft = self.draft(actor, work, request, mechanisms)
            return reviewed(actor, work, draft, self.settings)

    def submit(self, actor: Actor, request: RerunRequest, key: IdempotencyKey | None = None) -> RerunView:
        """Store a rerun, which the conductor carries out; or a proposal, which nobody does. Raises every `Refusal` of
        the contract.

        Where a rerun has come of ``key`` already, nothing is done, and that is answered.
        """
        if key is None:
            return self.stored(actor, request, None)
        if earlier := self.earlier(actor, key):
            return earlier
        try:
            return self.stored(actor, request, key)
        except (KeyTaken, Refusal):
            # The same submit may have been stored meanwhile; then this is about its own runs.
            if earlier := self.earlier(actor, key):
                return earlier
            raise

    def earlier(self, actor: Actor, key: IdempotencyKey) -> RerunView | None:
        """The rerun that has come of a key. Raises `IdempotencyKeyReused` where something else was asked."""
        with self.unit_of_work() as work:
            kept = work.store.kept_key(key.key)
            if kept is None:
                return None
            rerun_id, body = kept
            if body != key.body:
                raise IdempotencyKeyReused(Sentence("refusal.idempotency_key_reused"))
            return replace(rerun_view(actor, work, rerun_id), made_earlier=True)

    def stored(self, actor: Actor, request: RerunRequest, key: IdempotencyKey | None) -> RerunView:
        """A new rerun, and the key of which it came."""
        mechanisms = self.mechanisms(request)
        with self.unit_of_work() as work, holder_named(actor, work):
            lock_held(actor, work, request)
            draft = self.draft(actor, work, request, mechanisms)
            new = proposed(draft, request, until=self.proposed_until()) if request.propose else draft.rerun
            rerun_id = work.store.add(new, now=self.clock.now())
            if key is not None:
                work.store.keep_key(key, rerun_id)
            if request.propose:
                self.record(work, rerun_id, new.source, actor, "propose", detail=draft.what)
                return rerun_view(actor, work, rerun_id)
            return self.begin(actor, work, rerun_id, draft, "submit")

    def begin(self, actor: Actor, work: Work, rerun_id: int, draft: Draft, action: str) -> RerunView:
        """Hold the runs of a rerun that has just been stored, and say who began it."""
        freeze(work, rerun_id, draft.frozen)
        self.record(work, rerun_id, draft.rerun.source, actor, action, detail=draft.what)
        view = rerun_view(actor, work, rerun_id)
        work.afterwards.append(partial(self.telemetry.submitted, view.rerun, draft.source))
        return view

    def proposed_until(self) -> datetime:
        """Until when a proposal that is made now can be approved."""
        return self.clock.now() + self.settings.proposal_max_age

    def mechanisms(self, request: RerunRequest) -> Mechanisms:
        """Refuse what can be refused without a transaction; what of the installation counts for the rest."""
        checks.check_request(request, [name for name, _, _ in self.notifier.targets()])
        return Mechanisms.of(self.installation, freezes=bool(request.frozen))

    def draft(
        self,
        actor: Actor,
        work: Work,
        request: RerunRequest,
        mechanisms: Mechanisms,
        seen: Collection[RunRef] = frozenset(),
    ) -> Draft:
        """The rerun as a fresh plan allows it. Raises every `Refusal` that a submit has before it writes.

        ``seen``: runs of which the token of the request has to say what they still are, besides those that are taken.
        """
        return self.drafted(actor, work, request, mechanisms, self.computed(actor, work, request.plan), seen)

    def drafted(
        self,
        actor: Actor,
        work: Work,
        request: RerunRequest,
        mechanisms: Mechanisms,
        plan: Plan,
        seen: Collection[RunRef] = frozenset(),
    ) -> Draft:
        """`draft` of a plan that has just been made. Of a proposal nobody asks whether it may be carried out."""
        checks.check_source(plan, self.settings.window_start(self.clock.now()))
        selection = Selection(plan, work.facts.runs, freeze_mode=request.freeze_mode)
        taken = selection.taken(request.members)
        frozen = checks.frozen_runs(plan, request.frozen)
        checks.check_something(plan, request, taken)
        dag_ids = {plan.source.ref.dag_id} | {ref.dag_id for ref in taken} | {one.target.dag_id for one in frozen}
        if not request.propose:
            checks.check_permissions(dag_ids, work.permissions.may_rerun(actor, dag_ids))
        chosen = request.members is not None
        checks.check_fresh(request.plan_token, plan, {*taken, *seen}, chosen=chosen)
        checks.check_duplicates(plan, request, taken, active=mechanisms.asset_manager)
        checks.check_offsets(plan, request, taken)
        checks.check_mechanisms(frozen, mechanisms)
        source = plan.source.tasks
        failed = selection.failed_upstreams({plan.source.ref: source, **taken})
        order = order_of(plan, {plan.source.ref: source, **taken}, rerun_source=request.plan.rerun_source)
        rerun = {**({plan.source.ref: source} if plan.source.selected else {}), **taken}
        latest = request.settings.run_on_latest_version
        gone = gone_in_latest(plan.structures, rerun, on_latest_version=latest)
        more = [*failed, *gone, *blocked(work, rerun)]
        warnings = submit_warnings(plan, taken, order, request.frozen, more)
        members = new_members(plan, request, taken, order)
        return Draft(plan, assemble(plan, request, members, order, warnings, actor), plan.source.facts, tuple(frozen))


@contextmanager
def holder_named(actor: Actor, work: Work) -> Iterator[None]:
    """Let a refusal for a run that is taken name the rerun that has it, if the user may read that."""
    try:
        yield
    except RunInActiveRerun as refusal:
        ref = refusal.extra.get("run")
        holder = work.store.active_runs([ref]).get(ref) if isinstance(ref, RunRef) else None
        rerun = work.store.get(holder) if holder is not None else None
        extra = dict(named(ref)) if isinstance(ref, RunRef) else {}
        if rerun is None or not work.permissions.readable(actor, [rerun.source.dag_id]):
            raise RunInActiveRerun(refusal.detail, **extra) from None
        detail = Sentence("refusal.in_that_active_rerun", run=f"{ref}", rerun=rerun.id)
        raise RunInActiveRerun(detail, **extra, rerun_id=rerun.id) from None


def lock_held(actor: Actor, work: Work, request: RerunRequest) -> None:
    """Let nobody start the runs that are to be held until they are; a proposal holds none."""
    held = {target.dag_id for target in request.frozen}
    if held and not request.propose and held <= work.permissions.may_rerun(actor, held):  # or it is refused later
        work.freezer.lock(held)


def reviewed(actor: Actor, work: Work, draft: Draft, settings: Settings) -> ReviewView:
    """What comes of a draft, as a user may see it."""
    return ReviewView(
        warnings=eyes(actor, work).warnings(draft.rerun.warnings),
        waves=waves(draft.rerun.members),
        stopped=tuple(one.ref for one in draft.rerun.members if one.state is MemberState.STOPPING),
        frozen=tuple(one.target for one in draft.frozen),
        frozen_at_most=settings.freeze_max_age,
    )


def proposed(draft: Draft, request: RerunRequest, *, until: datetime) -> NewRerun:
    """A draft to be stored as a proposal: nothing is stopped or held for it, all of its members wait."""
    members = tuple(
        replace(one, state=MemberState.PENDING) if one.state is MemberState.STOPPING else one
        for one in draft.rerun.members
    )
    content = Proposal(replace(request, plan_token=None), draft.plan.token)
    proposal = NewProposal(content, until, tuple(one.run for one in draft.frozen))
    return replace(draft.rerun, members=members, proposal=proposal)


def freeze(work: Work, rerun_id: int, frozen: Sequence[Frozen]) -> None:
    """Store the frozen members and take out their holds. Raises `NotSelectable` where one can't be held any more."""
    for one in frozen:
        member_id = work.store.add_frozen(rerun_id, one.run)
        try:
            work.freezer.freeze(member_id, one.target, rerun_id=rerun_id)
        except CannotFreeze as problem:
            refuse(one.target, problem.reason)


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
