"""Carrying out steps: one transaction each, in which the lease is confirmed, the move guarded and Airflow touched."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

from airflow_rerun_downstream.conductor.decide import Seen, decide
from airflow_rerun_downstream.conductor.steps import (
    Dispatch,
    Explain,
    MoveMember,
    MoveRerun,
    Step,
    StopMember,
)
from airflow_rerun_downstream.domain.rerun import CONDUCTOR, ActiveRerun, Member, Rerun
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.ports import CannotDispatch, Clock, Dispatched, UnitOfWork, Work

log = logging.getLogger(__name__)

TRIES = 5
"""How often an unexpected error of a dispatch is tried again before the member fails."""


ENDS = frozenset({RerunState.FAILED, RerunState.SUCCEEDED, RerunState.TERMINATED})


class LeaseLost(Exception):
    """Another conductor took over: this tick must not touch anything any more."""


@dataclass
class Performer:
    """Carries out the steps of one conductor. Remembers only how often a dispatch has failed unexpectedly."""

    unit_of_work: UnitOfWork
    clock: Clock
    owner: str
    errors: dict[int, int] = field(default_factory=dict)

    def perform(self, rerun: Rerun, step: Step, lease: int) -> bool:
        """Carry out one step; answer whether it did anything. Raises `LeaseLost`."""
        if isinstance(step, Dispatch):
            return self.dispatch(rerun, step.member, lease)
        with self.unit_of_work() as work:
            self.confirm(work, lease)
            return self.carry_out(work, rerun, step)

    def confirm(self, work: Work, lease: int) -> None:
        """Lock the lease for this transaction."""
        if not work.lease.confirm(owner=self.owner, number=lease, now=self.clock.now()):
            raise LeaseLost(self.owner)

    def carry_out(self, work: Work, rerun: Rerun, step: Step) -> bool:
        """A step other than a dispatch, inside its transaction."""
        match step:
            case MoveMember():
                return self.move_member(work, rerun, step)
            case MoveRerun():
                return self.move_rerun(work, rerun, step)
            case StopMember():
                return self.stop_member(work, rerun, step)
            case Explain():
                work.store.set_member_reason(step.member.id, step.reason)
                return True
        raise TypeError(step)

    def dispatch(self, rerun: Rerun, member: Member, lease: int) -> bool:
        """Clear a member's tasks and move it, in one transaction."""
        try:
            with self.unit_of_work() as work:
                self.confirm(work, lease)
                if not work.store.hold_rerun(rerun.id, state=RerunState.RUNNING):
                    return False
                done = self.clear(work, rerun, member)
                moved = self.start(work, rerun, member, done)
                if not moved:
                    raise CannotDispatch("not_pending")
            self.errors.pop(member.id, None)
            return True
        except CannotDispatch as problem:
            return self.explain(rerun, member, problem, lease)
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("Rerun %s could not dispatch %s", rerun.id, member.ref)
            return self.count_error(rerun, member, error, lease)

    def clear(self, work: Work, rerun: Rerun, member: Member) -> Dispatched:
        """The gateway's part of a dispatch."""
        return work.gateway.dispatch(
            member.ref,
            member.tasks,
            rerun_id=rerun.id,
            actor=rerun.created_by,
            retry=member.attempt > 0,
            run_on_latest_version=rerun.settings.run_on_latest_version,
        )

    def start(self, work: Work, rerun: Rerun, member: Member, done: Dispatched) -> bool:
        """The store's part of a dispatch; False if the member isn't pending any more."""
        now = self.clock.now()
        moved = work.store.move_member(
            member.id,
            before=[MemberState.PENDING],
            after=MemberState.RUNNING,
            reason=None,
            now=now,
            dispatched=done,
        )
        self.tell(work, rerun, "member_dispatched", member, f"{done.cleared} task instance(s) cleared")
        return moved

    def explain(self, rerun: Rerun, member: Member, problem: CannotDispatch, lease: int) -> bool:
        """Say why a member couldn't be dispatched; fail it if waiting won't help."""
        if problem.gone:
            return self.perform(rerun, MoveMember(member, MemberState.FAILED, problem.reason), lease)
        if problem.reason in (member.state_reason, "not_pending"):
            return False
        return self.perform(rerun, Explain(member, problem.reason), lease)

    def count_error(self, rerun: Rerun, member: Member, error: Exception, lease: int) -> bool:
        """Try an unexpected error again on the next ticks, then fail the member with it."""
        self.errors[member.id] = self.errors.get(member.id, 0) + 1
        if self.errors[member.id] < TRIES:
            return False
        del self.errors[member.id]
        reason = f"dispatch_error: {type(error).__name__}: {error}"[:500]
        return self.perform(rerun, MoveMember(member, MemberState.FAILED, reason), lease)

    def move_member(self, work: Work, rerun: Rerun, step: MoveMember) -> bool:
        """Follow what was observed."""
        moved = work.store.move_member(
            step.member.id,
            before=[step.member.state],
            after=step.after,
            reason=step.reason,
            now=self.clock.now(),
            final_run_state=step.run_state,
        )
        if moved:
            self.tell(work, rerun, f"member_{step.after.value}", step.member, step.reason)
        return moved

    def move_rerun(self, work: Work, rerun: Rerun, step: MoveRerun) -> bool:
        """Follow the members. A rerun in which something can move after all isn't ended."""
        if step.after in ENDS and not self.at_rest(work, rerun, step):
            return False
        moved = work.store.move_rerun(
            rerun.id, before=[step.before], after=step.after, reason=step.reason, now=self.clock.now()
        )
        if moved:
            self.tell(work, rerun, f"rerun_{step.after.value}", None, step.reason)
        return moved

    def at_rest(self, work: Work, rerun: Rerun, step: MoveRerun) -> bool:
        """Whether the members, as they are now, let the rerun end so.

        A person may have retried or skipped one since the tick looked. Both sides lock the rerun's row first.
        """
        if not work.store.hold_rerun(rerun.id, state=step.before):
            return False
        now = ActiveRerun(replace(rerun, state=step.before), tuple(work.store.members(rerun.id)))
        return decide(now, Seen(), limit=0) == [step]

    def stop_member(self, work: Work, rerun: Rerun, step: StopMember) -> bool:
        """End a member; if asked, stop its run as well."""
        stopped = step.stop_run and work.gateway.stop(step.member.ref, rerun_id=rerun.id, actor=rerun.created_by)
        running = step.member.state is not MemberState.PENDING
        moved = work.store.move_member(
            step.member.id,
            before=[step.member.state],
            after=MemberState.TERMINATED,
            reason="terminated" if stopped else "left_running" if running and not step.stop_run else None,
            now=self.clock.now(),
            final_run_state="failed" if stopped else None,
        )
        if moved:
            self.tell(work, rerun, "member_terminated", step.member, "run stopped" if stopped else None)
        return moved

    def tell(self, work: Work, rerun: Rerun, action: str, member: Member | None, detail: str | None) -> None:
        """Add a line to the record."""
        work.store.add_event(
            rerun.id,
            at=self.clock.now(),
            actor=CONDUCTOR.name,
            action=action,
            member_id=member.id if member else None,
            detail=detail,
        )
