"""What each step writes, inside the transaction that its caller opened and in which the lease is confirmed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from airflow_rerun_downstream.conductor.faults import STOP
from airflow_rerun_downstream.conductor.freezing import HALTED, HELD
from airflow_rerun_downstream.conductor.notices import tell_failure, tell_once
from airflow_rerun_downstream.conductor.rebuilt_since import rebuilt_by
from airflow_rerun_downstream.conductor.steps import (
    Adopt,
    EndPending,
    Explain,
    ExplainAll,
    Halt,
    MoveMember,
    NameFrozenRun,
    NextStage,
    NoteRunState,
    Release,
    StageBack,
    Step,
    StopMember,
    TellFrozen,
)
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, normalised
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.rerun_request import CONDUCTOR
from airflow_rerun_downstream.domain.selection import present
from airflow_rerun_downstream.domain.sentence import Sentence, listed
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.domain.words import FROZEN_TOO_LONG
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.telemetry import LOG_ONLY, Telemetry
from airflow_rerun_downstream.ports.work import Work

TOLD = 5
"""How many tasks of a stage a line of the record names."""


@dataclass(frozen=True)
class Effects:
    """Moves members, touches Airflow and adds to the record. Nothing is written if the guard of a move says
    that somebody was faster."""

    clock: Clock
    telemetry: Telemetry = LOG_ONLY

    def carry_out(self, work: Work, rerun: Rerun, step: Step) -> bool:
        """A step about a member other than a dispatch or an adoption, inside its transaction."""
        match step:
            case MoveMember():
                return self.move_member(work, rerun, step)
            case StageBack():
                return self.stage_back(work, rerun, step)
            case NextStage():
                return self.next_stage(work, rerun, step)
            case StopMember():
                return self.stop_member(work, rerun, step)
            case EndPending():
                return self.end_pending(work, rerun)
            case Halt():
                return self.halt(work, rerun, step.member)
            case NameFrozenRun():
                return self.name_frozen_run(work, rerun, step)
            case Release():
                return self.release(work, rerun, step)
            case NoteRunState():
                state = step.member.state
                return work.store.set_final_run_state(step.member.id, state=state, run_state=step.run_state)
            case TellFrozen():
                held = work.store.hold_rerun(rerun.id, state=rerun.state)
                return held and (tell_once(work, rerun, self.clock, FROZEN_TOO_LONG, step.members) or True)
            case ExplainAll():
                for state in {member.state for member in step.members}:
                    some = [member.id for member in step.members if member.state is state]
                    work.store.set_member_reasons(some, step.reason, state=state)
                return True
            case Explain():
                return work.store.set_member_reason(step.member.id, step.reason, state=step.member.state)
        raise TypeError(step)

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
        self.log(work, rerun, "member_dispatched", member, Sentence("record.cleared", count=done.cleared))
        return moved

    def take(self, work: Work, rerun: Rerun, step: Adopt) -> bool:
        """The store's part of an adoption, and the lines that tell of it; False if the member has moved."""
        member, ref = step.member, step.run.ref
        tasks = {TaskRef(task_id) for task_id in present(work.gateway.observe([ref])[ref].task_instances)}
        # What the old run had of the selection, and this one doesn't, stays in it: it can't be made anew.
        tasks |= {TaskRef(task.task_id) for task in member.tasks}
        moved = work.store.adopt_member(
            member.id,
            before=[member.state],
            after=step.after,
            run=step.run,
            tasks=normalised(tasks),
            runs_between=runs_between(member, ref),
            reason=None if step.after is MemberState.RUNNING else "ran_too_early",
            now=self.clock.now(),
        )
        if moved:
            by = {"task": step.task_id, "run": f"{step.parent}"}
            if ref == member.ref:
                detail = Sentence("record.adopted", **by)
            else:
                detail = Sentence("record.adopted_in_place", **by, made=ref.run_id, old=member.ref.run_id)
            self.log(work, rerun, "member_adopted", member, detail, {step.parent.dag_id})
            work.gateway.adopt(ref, place=member.ref, rerun_id=rerun.id, actor=rerun.created_by)
        return moved

    def halt(self, work: Work, rerun: Rerun, member: Member) -> bool:
        """Stop a member's run; it is dispatched when its tasks have ended and its turn has come."""
        halted = work.gateway.halt(member.ref, rerun_id=rerun.id, actor=rerun.created_by)
        if halted:
            work.store.set_member_reason(member.id, HALTED, state=member.state)
            self.log(work, rerun, "member_halted", member, None)
        return halted

    def name_frozen_run(self, work: Work, rerun: Rerun, step: NameFrozenRun) -> bool:
        """Name the run that the scheduler has made for a frozen member."""
        if not work.store.name_frozen_run(step.member.id, step.run_id, step.run_after, step.logical_date):
            return False
        if not step.member.release_asked:
            work.store.set_member_reason(step.member.id, HELD, state=MemberState.FROZEN)
        ref = RunRef(step.member.ref.dag_id, step.run_id)
        work.gateway.record(ref, rerun_id=rerun.id, actor=rerun.created_by, event="hold")
        awaited = step.member.logical_date
        if awaited == step.logical_date or awaited is None:
            detail = Sentence("record.held", run=f"{ref}")
        else:
            detail = Sentence("record.held_in_place", run=f"{ref}", awaited_date=awaited)
        self.log(work, rerun, "member_held", step.member, detail)
        return True

    def release(self, work: Work, rerun: Rerun, step: Release) -> bool:
        """Release a frozen member's run; the member stays in the record as it was."""
        moved = work.store.move_member(
            step.member.id,
            after=MemberState.RELEASED,
            reason=step.reason,
            now=self.clock.now(),
        )
        if moved:
            work.freezer.release(step.member.id, rerun_id=rerun.id, actor=rerun.created_by)
            self.log(work, rerun, "member_released", step.member, step.reason)
        return moved

    def move_member(self, work: Work, rerun: Rerun, step: MoveMember) -> bool:
        """Follow what was observed."""
        moved = work.store.move_member(
            step.member.id,
            before=[step.member.state],
            after=step.after,
            reason=step.reason,
            now=self.clock.now(),
            final_run_state=step.run_state,
            clear_number=step.clear_number,
        )
        if moved and step.after in (MemberState.SUCCEEDED, MemberState.FAILED):
            more = (
                rebuilt_by(work, rerun, step.member, step.not_made_anew) if step.after is MemberState.SUCCEEDED else ()
            )
            work.store.list_not_made_anew(rerun.id, step.member.id, (*step.not_made_anew, *more))
        if moved:
            self.log(work, rerun, f"member_{step.after.value}", step.member, step.reason)
        if moved and step.after is MemberState.FAILED:
            tell_failure(work, rerun, self.clock, step.member, "member_failed", reason=step.reason)
        if moved and step.after is MemberState.RUNNING:
            member = step.member  # somebody else has started what the rerun follows now
            work.gateway.take_over(member.ref, member.tasks, rerun_id=rerun.id, actor=rerun.created_by)
        return moved

    def stage_back(self, work: Work, rerun: Rerun, step: StageBack) -> bool:
        """Judge an earlier stage of a member again."""
        member = step.member
        moved = work.store.stage_back(
            member.id, before=member.state, since=member.stage, stage=step.stage, reason=step.reason
        )
        if moved:
            self.log(work, rerun, "member_running", member, step.reason)
        return moved

    def next_stage(self, work: Work, rerun: Rerun, step: NextStage) -> bool:
        """Let a member whose stage is right wait for the turn of its next one."""
        member = step.member
        moved = work.store.next_stage(
            member.id,
            before=member.state,
            stage=member.stage,
            clear_number=step.clear_number,
            ends=(*member.stage_ends[: member.stage], self.clock.now()),
        )
        if moved:
            work.store.list_not_made_anew(rerun.id, member.id, step.not_made_anew)
            tasks, stages = listed([str(task) for task in member.present], TOLD), len(member.stages)
            detail = Sentence("record.stage_is_right", stage=member.stage + 1, stages=stages, tasks=tasks)
            self.log(work, rerun, "member_next_stage", member, detail)
        return moved

    def stop_member(self, work: Work, rerun: Rerun, step: StopMember) -> bool:
        """End a member; if asked, stop its run as well."""
        stopped = step.stop_run and work.gateway.stop(step.member.ref, rerun_id=rerun.id, actor=rerun.created_by)
        moved = work.store.move_member(
            step.member.id,
            before=[step.member.state],
            after=MemberState.TERMINATED,
            reason=ending_of(step, stopped=stopped),
            now=self.clock.now(),
            final_run_state="failed" if stopped else None,
        )
        if moved:
            self.log(work, rerun, "member_terminated", step.member, Sentence("record.run_stopped") if stopped else None)
        return moved

    def end_pending(self, work: Work, rerun: Rerun) -> bool:
        """End all that wait for their turn at once, with a line about each."""
        told = (CONDUCTOR.name, "member_terminated")
        moved = work.store.move_members(
            rerun.id,
            before=MemberState.PENDING,
            after=MemberState.TERMINATED,
            reason=None,
            now=self.clock.now(),
            told=told,
        )
        line = partial(self.telemetry.line, "members_terminated", rerun_id=rerun.id, members=moved)
        work.afterwards.append(line)
        return moved > 0

    def log(
        self,
        work: Work,
        rerun: Rerun,
        action: str,
        member: Member | None,
        detail: str | None,
        dag_ids: Collection[str] = (),
    ) -> None:
        """A line in the record, and in the log once it is committed.

        ``dag_ids``: the Dags that ``detail`` names, besides the member's.
        """
        work.store.add_event(
            rerun.id,
            at=self.clock.now(),
            actor=CONDUCTOR.name,
            action=action,
            member_id=member.id if member else None,
            detail=detail,
            dag_ids=dag_ids,
        )
        about: dict[str, Any] = {} if member is None else {"member_id": member.id, "run": str(member.ref)}
        work.afterwards.append(partial(self.telemetry.line, action, rerun_id=rerun.id, **about, detail=detail))


def ending_of(step: StopMember, *, stopped: bool) -> str | None:
    """Why a member of a terminated rerun has ended: the word for what became of its run."""
    if step.gave_up:
        return STOP
    if stopped:
        return "terminated"
    return None if step.stop_run else "left_running"


def runs_between(member: Member, taken: RunRef) -> tuple[str, ...]:
    """The runs that a member had between its first one and the one that it takes now."""
    left = member.ref.run_id
    known = left in (taken.run_id, member.original_run_id, *member.runs_between)
    return member.runs_between if known else (*member.runs_between, left)
