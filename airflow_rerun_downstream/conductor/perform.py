"""Carrying out steps: one transaction each, in which the lease is confirmed, the move guarded and Airflow touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from airflow_rerun_downstream.conductor.effects import Effects
from airflow_rerun_downstream.conductor.endings import Endings
from airflow_rerun_downstream.conductor.evidence import gather
from airflow_rerun_downstream.conductor.faults import TRIES, Faults, member_of, word
from airflow_rerun_downstream.conductor.gates import UPSTREAM_RUNS_AGAIN, look_again, stands, takes_evidence
from airflow_rerun_downstream.conductor.grown import grown
from airflow_rerun_downstream.conductor.proof_reader import read_facts
from airflow_rerun_downstream.conductor.steps import (
    Adopt,
    Dispatch,
    Expire,
    Explain,
    MoveMember,
    MoveRerun,
    Prove,
    StageBack,
    Step,
    StopMember,
)
from airflow_rerun_downstream.conductor.telling import Telling
from airflow_rerun_downstream.domain.errors import CannotDispatch, RunInActiveRerun
from airflow_rerun_downstream.domain.facts import Observation
from airflow_rerun_downstream.domain.member import Awaited, Member
from airflow_rerun_downstream.domain.proof import Proof, not_computed
from airflow_rerun_downstream.domain.proving import prove
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.states import SATISFIED, MemberState, RerunState
from airflow_rerun_downstream.domain.verdict import Verdict
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.metrics import ErrorKind
from airflow_rerun_downstream.ports.work import UnitOfWork, Work

TASK_GONE = Verdict.TASKS_GONE.value


class LeaseLost(Exception):
    """Another conductor took over: this tick must not touch anything any more."""


class GateMoved(Exception):
    """What a member reads from isn't as it was judged."""


@dataclass
class Performer:
    """Carries out the steps of one conductor. Remembers only how often steps have failed unexpectedly.

    ``lasts``: how long the lease holds without a step.
    """

    unit_of_work: UnitOfWork
    clock: Clock
    owner: str
    lasts: timedelta
    telling: Telling
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.effects = Effects(self.clock, self.telling.telemetry)
        self.endings = Endings(self.effects, self.telling.telemetry)

    def attempt(self, rerun: Rerun, step: Step, lease: int) -> bool:
        """Carry out one step. What goes wrong in it is counted and told, and stops nothing else. Raises `LeaseLost`."""
        member = member_of(step)
        try:
            done = self.perform(rerun, step, lease)
        except LeaseLost:
            raise
        except Exception as error:
            self.tell(ErrorKind.STEP, "step_failed", error, rerun, member, step=type(step).__name__)
            return member is not None and self.failed(rerun, member, step, lease)
        if member is not None and not isinstance(step, Dispatch):  # it counts its own
            self.faults.forget(member, step)
        return done

    def failed(self, rerun: Rerun, member: Member, step: Step, lease: int) -> bool:
        """Say on the member that a step of it raised; end a member whose run can't be stopped, all the same."""
        tries, reason = self.faults.count(member, step), word(step)
        try:
            if isinstance(step, StopMember) and step.stop_run and tries >= TRIES:
                return self.perform(rerun, replace(step, stop_run=False, gave_up=True), lease)
            if reason is None or reason == member.state_reason:
                return False
            return self.perform(rerun, Explain(member, reason), lease)
        except LeaseLost:
            raise
        except Exception as error:
            self.tell(ErrorKind.STEP, "member_not_explained", error, rerun, member)
            return False

    def tell(
        self, kind: ErrorKind, action: str, error: Exception, rerun: Rerun, member: Member | None, **more: str
    ) -> None:
        """Tell of an error, and of which member it is."""
        about = {} if member is None else {"member_id": member.id, "run": str(member.ref)}
        self.telling.failed(kind, action, error, rerun, **about, **more)

    def perform(self, rerun: Rerun, step: Step, lease: int) -> bool:
        """Carry out one step; answer whether it did anything. Raises `LeaseLost`."""
        if isinstance(step, Dispatch):
            return self.dispatch(rerun, step, lease)
        if isinstance(step, Adopt):
            return self.adopt(rerun, step, lease)
        if isinstance(step, Prove) or (isinstance(step, MoveRerun) and step.after is RerunState.SUCCEEDED):
            return self.conclude(rerun, step, lease)
        with self.unit_of_work() as work:
            self.confirm(work, lease)
            if isinstance(step, MoveRerun):
                return self.endings.move_rerun(work, rerun, step)
            if isinstance(step, Expire):
                return self.endings.expire(work, rerun)
            return self.effects.carry_out(work, rerun, step)

    def conclude(self, rerun: Rerun, step: Prove | MoveRerun, lease: int) -> bool:
        """Prove a rerun in which nothing is left to do, and go on to its end if nothing contradicts that.

        What the proof is made from is read before anything is locked. What is cleared meanwhile has another number.
        A proof that takes longer than the lease lasts is no proof: nobody would ever get to the end. The next attempt
        has twice the time.
        """
        lasts = self.lasts * 2 ** self.faults.proofs.get(rerun.id, 0)
        if lasts > self.lasts:
            with self.unit_of_work() as work:
                self.confirm(work, lease, lasts)
        began = self.clock.now()
        with self.unit_of_work() as work:
            proof = self.prove(work, rerun)
            try:
                self.confirm(work, lease)
            except LeaseLost:
                if self.clock.now() - began >= lasts:
                    self.faults.not_read(rerun.id)
                raise
            self.faults.proofs.pop(rerun.id, None)
            return self.endings.conclude(work, rerun, step, proof)

    def prove(self, work: Work, rerun: Rerun) -> Proof:
        """The proof of a rerun. One that can't be made stops nothing: it says so, and that nothing is proven."""
        now = self.clock.now()
        if self.faults.proofs.get(rerun.id, 0) >= TRIES:
            return not_computed(now, rerun.source)
        try:
            facts = read_facts(work, rerun)
        except Exception:
            self.faults.not_read(rerun.id)
            raise  # the transaction may be spoilt; the next tick tries again
        try:
            return prove(facts, now)
        except Exception as error:
            self.tell(ErrorKind.PROOF, "proof_failed", error, rerun, None)
            return not_computed(now, rerun.source)

    def confirm(self, work: Work, lease: int, lasts: timedelta | None = None) -> None:
        """Lock the lease for this transaction; it lasts ``lasts`` from now, or as long as every lease does."""
        if not work.lease.confirm(owner=self.owner, number=lease, lasts=lasts or self.lasts):
            raise LeaseLost

    def dispatch(self, rerun: Rerun, step: Dispatch, lease: int) -> bool:
        """Clear a member's tasks and move it, in one transaction."""
        member = step.member
        try:
            with self.unit_of_work() as work:
                done = self.clear(work, rerun, step, lease)
                moved = self.effects.start(work, rerun, member, done)
                if not moved:
                    raise CannotDispatch("not_pending")
            self.faults.forget(member, step)
            self.telling.dispatched(rerun, member, done.clear_number)
            return True
        except GateMoved:
            return self.wait(rerun, member, lease)
        except CannotDispatch as problem:
            return self.explain(rerun, member, problem, lease)
        except LeaseLost:
            raise
        except Exception as error:
            self.tell(ErrorKind.DISPATCH, "dispatch_failed", error, rerun, member)
            return self.count_error(rerun, step, lease)

    def claim(self, work: Work, rerun: Rerun, step: Dispatch, lease: int) -> None:
        """Lock the lease and the rerun, and look at what the member reads from once more. Raises if it may not go."""
        self.confirm(work, lease)
        if not work.store.hold_rerun(rerun.id, state=RerunState.RUNNING):
            raise CannotDispatch("not_pending")
        if self.moved_gates(work, rerun, step.member)[0]:
            raise GateMoved(step.member.ref)
        self.check_room(work, step)

    def check_room(self, work: Work, step: Dispatch) -> None:
        """Raise `CannotDispatch` where the member's Dag wouldn't start its run, whatever the tick saw."""
        dag_id = step.member.ref.dag_id
        room = work.gateway.rooms([dag_id])[dag_id]
        if room.closed is not None or (room.refusal is not None and not step.in_line):
            raise CannotDispatch(room.refusal or "")

    def moved_gates(
        self, work: Work, rerun: Rerun, member: Member
    ) -> tuple[list[Awaited], Mapping[RunRef, Observation]]:
        """The members that a member waits for and that aren't as they were judged, and how the runs of all stand."""
        gates = work.store.gates(member.id)
        runs = work.gateway.observe([gate.member.ref for gate in gates]) if gates else {}
        doubtful = [gate.part for gate in gates if takes_evidence(gate, runs[gate.member.ref])]
        found = gather(work, [(rerun, doubtful)], runs)
        return [gate for gate in gates if not stands(gate, runs[gate.member.ref], found.get(gate.member.id))], runs

    def wait(self, rerun: Rerun, member: Member, lease: int) -> bool:
        """What a member reads from isn't as it was judged: judge it again, and say that the member waits for it."""
        with self.unit_of_work() as work:
            self.confirm(work, lease)
            return work.store.hold_rerun(rerun.id, state=RerunState.RUNNING) and self.still_waits(work, rerun, member)

    def still_waits(self, work: Work, rerun: Rerun, member: Member) -> bool:
        """`wait`'s part inside its transaction; answers whether anything was written."""
        moved, runs = self.moved_gates(work, rerun, member)
        steps = [step for gate in moved if (step := look_again(gate, runs[gate.member.ref])) is not None]
        done = [self.effects.carry_out(work, rerun, step) for step in steps]
        # One that has left its state since the tick looked, or has failed, shows by itself what is waited for.
        again = any(
            (gate.member.state in SATISFIED or gate.stage_ended) and runs[gate.member.ref].run_state is not None
            for gate in moved
        )
        if any(isinstance(step, StageBack) and step.member.id == member.id for step in steps):
            return True
        if again and member.state_reason != UPSTREAM_RUNS_AGAIN:
            return work.store.set_member_reason(member.id, UPSTREAM_RUNS_AGAIN, state=member.state)
        return any(done)

    def clear(self, work: Work, rerun: Rerun, step: Dispatch, lease: int) -> Dispatched:
        """The gateway's part of a dispatch. The lease is locked when all is read, and before anything is written."""
        member = step.member
        return work.gateway.dispatch(
            member.ref,
            grown(work, rerun, [member])[0].present,
            rerun_id=rerun.id,
            actor=rerun.created_by,
            retry=member.dispatched_in_stage and not step.whole,
            run_on_latest_version=rerun.settings.run_on_latest_version,
            before_writing=partial(self.claim, work, rerun, step, lease),
        )

    def adopt(self, rerun: Rerun, step: Adopt, lease: int) -> bool:
        """Take a run that Airflow has started for a member's. All of it runs, so that all of its tasks are judged."""
        try:
            with self.unit_of_work() as work:
                self.confirm(work, lease)
                return self.effects.take(work, rerun, step)
        except RunInActiveRerun:
            failed = MoveMember(step.member, MemberState.FAILED, "in_active_rerun")
            return self.perform(rerun, failed, lease)

    def explain(self, rerun: Rerun, member: Member, problem: CannotDispatch, lease: int) -> bool:
        """Say why a member couldn't be dispatched; fail it if waiting won't help."""
        if problem.reason == TASK_GONE and member.stages:
            return self.pass_over(rerun, member, lease)
        if problem.gone:
            return self.perform(rerun, MoveMember(member, MemberState.FAILED, problem.reason), lease)
        if problem.reason in (member.state_reason, "not_pending"):
            return False
        return self.perform(rerun, Explain(member, problem.reason), lease)

    def pass_over(self, rerun: Rerun, member: Member, lease: int) -> bool:
        """Let a stage of which the run has nothing left count as dispatched: it is judged with the others."""
        with self.unit_of_work() as work:
            self.confirm(work, lease)
            number = work.gateway.observe([member.ref])[member.ref].clear_number
            running = work.store.hold_rerun(rerun.id, state=RerunState.RUNNING)
            return running and self.effects.start(work, rerun, member, Dispatched(number, 0))

    def count_error(self, rerun: Rerun, step: Dispatch, lease: int) -> bool:
        """Try an unexpected error again on the next ticks, then fail the member with it."""
        member = step.member
        if self.faults.count(member, step) < TRIES:
            return False
        self.faults.forget(member, step)
        # The error is in the log: its text may hold statements, values and addresses, and the record is read by many.
        return self.perform(rerun, MoveMember(member, MemberState.FAILED, "dispatch_error"), lease)
