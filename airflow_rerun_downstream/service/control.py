"""What a person may do to a stored rerun. Each action answers whether it changed anything: a repeat doesn't."""

from __future__ import annotations

from airflow_rerun_downstream.domain.errors import ActionNotAllowed, Forbidden
from airflow_rerun_downstream.domain.proof import NOT_PROVEN
from airflow_rerun_downstream.domain.rerun import Actor, Member, Rerun
from airflow_rerun_downstream.domain.selection import selected_instances
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.domain.verdict import NotMadeAnew, made_anew
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service.reading import Reading, dags_of

REPAIRABLE = frozenset({RerunState.RUNNING, RerunState.PAUSED, RerunState.FAILED})


class Control:
    """Acts inside the caller's transaction."""

    def __init__(self, clock: Clock, reading: Reading) -> None:
        self.clock = clock
        self.reading = reading

    def allowed(self, actor: Actor, work: Work, rerun_id: int) -> Rerun:
        """The rerun, if the user may rerun every Dag of it. Raises `NotFound` and `Forbidden`."""
        rerun = self.reading.rerun(actor, work, rerun_id)
        dag_ids = dags_of(rerun, work.store.member_dags([rerun_id]))
        denied = dag_ids - work.permissions.may_rerun(actor, dag_ids)
        if denied:
            named = sorted(work.permissions.readable(actor, denied))
            hidden = len(denied) - len(named)
            words = [*named, *([f"{hidden} Dag(s) that you may not read"] if hidden else [])]
            raise Forbidden(f"You may not rerun {', '.join(words)}.", dag_ids=named)
        return rerun

    def pause(self, actor: Actor, work: Work, rerun: Rerun) -> bool:
        """running → paused."""
        if rerun.state is RerunState.PAUSED:
            return False
        return self.move(work, rerun, RerunState.PAUSED, "pause", f"paused by {actor.name}")

    def resume(self, actor: Actor, work: Work, rerun: Rerun) -> bool:
        """paused → running; failed → running, with its failed members pending again."""
        if rerun.state is RerunState.RUNNING:
            return False
        moved = self.move(work, rerun, RerunState.RUNNING, "resume", None)
        if rerun.state is RerunState.FAILED:
            for member in work.store.members(rerun.id):
                if member.state is MemberState.FAILED:
                    self.move_member(work, member, MemberState.PENDING, None)
        return moved

    def terminate(self, actor: Actor, work: Work, rerun: Rerun) -> bool:
        """running, paused, failed → terminating; the conductor does the rest."""
        if rerun.state in (RerunState.TERMINATING, RerunState.TERMINATED):
            return False
        why = f"terminated by {actor.name}"
        return self.move(work, rerun, RerunState.TERMINATING, "terminate", why)

    def release(self, actor: Actor, work: Work, rerun: Rerun) -> bool:
        """Let all frozen runs go, whatever becomes of the rerun; the conductor does it, a batch at a time."""
        frozen = [member for member in work.store.members(rerun.id) if member.state is MemberState.FROZEN]
        if not frozen and not rerun.counts.get(MemberState.RELEASED, 0):
            raise ActionNotAllowed(f"Rerun {rerun.id} has no frozen runs.", state=rerun.state.value)
        return sum(self.ask_for_release(work, member) for member in frozen) > 0

    def release_member(self, actor: Actor, work: Work, rerun: Rerun, member: Member) -> bool:
        """Let one frozen run go."""
        if member.state is MemberState.RELEASED:
            return False
        if member.state is not MemberState.FROZEN:
            self.refuse("release", f"the member is {member.state.value}", rerun)
        return self.ask_for_release(work, member)

    def ask_for_release(self, work: Work, member: Member) -> bool:
        """Tell the conductor; False if it knows already."""
        return work.store.ask_for_release(member.id)

    def retry(self, actor: Actor, work: Work, rerun: Rerun, member: Member) -> bool:
        """failed → pending; a failed rerun goes on."""
        if member.attempt and member.state in (MemberState.PENDING, MemberState.RUNNING):
            return False
        return self.repair(work, rerun, member, MemberState.PENDING, "retry", None)

    def skip(self, actor: Actor, work: Work, rerun: Rerun, member: Member) -> bool:
        """failed → skipped; a failed rerun goes on."""
        if member.state is MemberState.SKIPPED:
            return False
        moved = self.repair(work, rerun, member, MemberState.SKIPPED, "skip", "skipped_by_user")
        work.store.list_not_made_anew(rerun.id, member.id, self.left_as_it_is(actor, work, member))
        return moved

    def left_as_it_is(self, actor: Actor, work: Work, member: Member) -> list[NotMadeAnew]:
        """What a person accepts who lets the rerun go on without a member: all of it that wasn't made anew."""
        seen = work.gateway.observe([member.ref])[member.ref]
        account = work.facts.accounts([member.ref]).get(member.ref)
        chosen = selected_instances(member.tasks, seen.task_instances)
        if account is None or not chosen:
            return [NotMadeAnew(one.task_id, one.map_index, "skipped_by_user", actor.name) for one in member.tasks]
        return [
            NotMadeAnew(task.task_id, task.map_index, "skipped_by_user", actor.name)
            for task in chosen
            if not member.attempt or member.state_reason == NOT_PROVEN or not made_anew(task, account)
        ]

    def repair(
        self, work: Work, rerun: Rerun, member: Member, after: MemberState, action: str, reason: str | None
    ) -> bool:
        """Move a failed member, and the rerun with it."""
        if rerun.state not in REPAIRABLE or member.state is not MemberState.FAILED:
            self.refuse(action, f"the member is {member.state.value}, the rerun {rerun.state.value}", rerun)
        # The rerun first: the conductor ends a rerun only while it holds this row.
        held = work.store.hold_rerun(rerun.id, state=rerun.state)
        if not held or not self.move_member(work, member, after, reason):
            self.refuse(action, "something moved meanwhile, look again", rerun)
        work.store.move_rerun(
            rerun.id, before=[RerunState.FAILED], after=RerunState.RUNNING, reason=None, now=self.clock.now()
        )
        return True

    def move_member(self, work: Work, member: Member, after: MemberState, reason: str | None) -> bool:
        """A guarded move of a failed member."""
        return work.store.move_member(
            member.id, before=[MemberState.FAILED], after=after, reason=reason, now=self.clock.now()
        )

    def move(
        self,
        work: Work,
        rerun: Rerun,
        after: RerunState,
        action: str,
        reason: str | None,
    ) -> bool:
        """A move of the rerun as its table allows it. Raises `ActionNotAllowed`."""
        moved = work.store.move_rerun(rerun.id, after=after, reason=reason, now=self.clock.now())
        if not moved:
            self.refuse(action, f"it is {rerun.state.value}", rerun)
        return True

    def refuse(self, action: str, why: str, rerun: Rerun) -> None:
        """Refuse an action in this state."""
        raise ActionNotAllowed(f"Rerun {rerun.id} can't {action}: {why}.", state=rerun.state.value)
