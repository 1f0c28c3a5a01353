"""What becomes of a proposal: looked at anew, approved or rejected."""

from __future__ import annotations

from dataclasses import replace

from airflow_rerun_downstream.conductor.proposal_end import end_proposal
from airflow_rerun_downstream.domain.errors import ActionNotAllowed, Invalid, Refusal
from airflow_rerun_downstream.domain.plan import Plan
from airflow_rerun_downstream.domain.proposal import REJECTED, Proposal
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun, may_withdraw
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import RerunState, Role
from airflow_rerun_downstream.domain.token import Change, changes
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service.checks import Mechanisms
from airflow_rerun_downstream.service.control import controllable, doing, refuse, refuse_in_state
from airflow_rerun_downstream.service.records import dags_of, readable_rerun, rerun_view
from airflow_rerun_downstream.service.submit import Draft, Submit, holder_named, lock_held, reviewed
from airflow_rerun_downstream.service.views import ProposalReviewView, RerunView


class Proposals(Submit):
    """A rerun that is proposed waits for somebody who may rerun all of its Dags. Nothing is touched for it."""

    def approve(self, actor: Actor, rerun_id: int, plan_token: str | None = None) -> RerunView:
        """Carry out a proposal, as if the approver submitted it: proposed → running. A repeat changes nothing.

        Without ``plan_token`` nothing may have changed since it was proposed, else nothing since that plan.
        Raises every `Refusal` of a submit, and `ActionNotAllowed`.
        """
        with self.unit_of_work() as work:
            rerun = controllable(actor, work, rerun_id)
            if rerun.approved_by is not None:
                return rerun_view(actor, work, rerun_id)
            request = self.open_proposal(work, rerun, "approve").approved_with(plan_token)
        mechanisms = self.mechanisms(request)
        with self.unit_of_work() as work, holder_named(actor, work):
            rerun = controllable(actor, work, rerun_id)
            self.open_proposal(work, rerun, "approve")
            lock_held(actor, work, request)
            seen = members_of(work, rerun_id) if plan_token is None else frozenset()
            draft = self.draft(actor, work, request, mechanisms, seen)
            if not work.store.approve(rerun_id, draft.rerun, now=self.clock.now()):
                refuse(rerun, Sentence("refusal.changed_meanwhile", rerun=rerun.id, action=doing("approve")))
            return self.begin(actor, work, rerun_id, draft, "approve")

    def reject(self, actor: Actor, rerun_id: int, reason: str | None = None) -> RerunView:
        """End a proposal: proposed → terminated. Who may approve it may, and its proposer. A repeat changes nothing."""
        with self.unit_of_work() as work:
            rerun = readable_rerun(actor, work, rerun_id)
            if not may_withdraw(rerun, actor):
                rerun = controllable(actor, work, rerun_id)
            if rerun.state is RerunState.TERMINATED and rerun.state_reason == REJECTED:
                return rerun_view(actor, work, rerun_id)
            if not end_proposal(work, rerun_id, REJECTED, now=self.clock.now()):
                refuse_in_state("reject", rerun)
            self.record(work, rerun_id, rerun.source, actor, "reject", detail=reason)
            return rerun_view(actor, work, rerun_id)

    def proposal_review(self, actor: Actor, rerun_id: int) -> ProposalReviewView:
        """What an approval would do now, what has changed since it was proposed, and what would refuse it.

        Whoever may read the record may ask; that an approver needs more is another matter. Raises `ActionNotAllowed`.
        """
        with self.unit_of_work() as work:
            rerun = readable_rerun(actor, work, rerun_id)
            request = self.seen_request(actor, work, rerun)[0]
        refusal: Refusal | None = self.late(rerun)
        mechanisms = Mechanisms.of(self.installation, freezes=bool(request.frozen))
        try:
            self.mechanisms(request)
        except Invalid as problem:  # a target isn't configured any more
            refusal = refusal or problem
        with self.unit_of_work() as work:
            rerun = readable_rerun(actor, work, rerun_id)
            request, token, whole = self.seen_request(actor, work, rerun)
            plan: Plan | None = None
            draft: Draft | None = None
            try:
                with holder_named(actor, work):
                    plan = self.computed(actor, work, request.plan)
                    draft = self.drafted(actor, work, request, mechanisms, plan)
            except Refusal as problem:
                refusal = refusal or problem
            # To who sees less, a way through hidden runs alone would look like a change.
            changed = tuple(changed_since(work, rerun, token, plan, draft)) if whole and plan is not None else None
            return ProposalReviewView(
                rerun,
                review=None if draft is None or refusal is not None else reviewed(actor, work, draft, self.settings),
                plan_token=None if plan is None else plan.token,
                stale=None if changed is None else bool(changed),
                changes=changed or (),
                refusal=refusal,
            )

    def open_proposal(self, work: Work, rerun: Rerun, action: str) -> Proposal:
        """What was asked, if it can still be approved. Raises `ActionNotAllowed`."""
        if rerun.state is not RerunState.PROPOSED:
            refuse_in_state(action, rerun)
        if late := self.late(rerun):
            raise late
        found = work.store.proposal(rerun.id)
        if found is None:
            refuse(rerun, Sentence("refusal.proposal_forgotten", rerun=rerun.id))
        return found

    def late(self, rerun: Rerun) -> ActionNotAllowed | None:
        """Why a proposal can't be approved any more whose time is over, though nobody has ended it yet."""
        if rerun.expires_at is None or rerun.expires_at > self.clock.now():
            return None
        return ActionNotAllowed(Sentence("refusal.proposal_too_late", rerun=rerun.id), state=rerun.state.value)

    def seen_request(self, actor: Actor, work: Work, rerun: Rerun) -> tuple[RerunRequest, str, bool]:
        """What was asked, as far as the user may read it, the token of the plan then, and whether that is all."""
        if rerun.state is not RerunState.PROPOSED or (found := work.store.proposal(rerun.id)) is None:
            refuse_in_state("be_reviewed", rerun)
        dag_ids = dags_of(rerun, work.store.member_dags([rerun.id]))
        request, readable = found.request, work.permissions.readable(actor, dag_ids)
        members = request.members
        if members is not None:
            members = tuple(one for one in members if one.ref.dag_id in readable)
        frozen = tuple(one for one in request.frozen if one.dag_id in readable)
        return replace(request, members=members, frozen=frozen), found.plan_token, dag_ids <= readable


def changed_since(work: Work, rerun: Rerun, token: str, plan: Plan, draft: Draft | None) -> list[Change]:
    """What has changed since a proposal was made, of the runs that it takes and those that it would take now."""
    taken = set(members_of(work, rerun.id))
    return changes(token, plan, taken if draft is None else taken | {one.ref for one in draft.rerun.members})


def members_of(work: Work, rerun_id: int) -> frozenset[RunRef]:
    """The runs that a proposal would rerun."""
    return frozenset(one.ref for one in work.store.members(rerun_id) if one.role is not Role.FROZEN)
