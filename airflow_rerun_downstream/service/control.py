"""What a user may do to a stored rerun. A repeat of an action changes nothing.

``seen``: how the user saw it; an action on what is another by now is refused, where it would do anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from airflow_rerun_downstream.conductor.evidence import structures_of
from airflow_rerun_downstream.conductor.grown import grown
from airflow_rerun_downstream.conductor.rebuilt_since import rebuilt_by
from airflow_rerun_downstream.domain.errors import ActionNotAllowed, ChangedMeanwhile, Forbidden
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.proof import NOT_PROVEN
from airflow_rerun_downstream.domain.refs import RunRef, covers
from airflow_rerun_downstream.domain.rerun import UNSAID, Rerun, RerunEvent, Seen
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.selection import gone, selected_instances
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.domain.verdict import NotMadeAnew, come_and_gone, made_anew
from airflow_rerun_downstream.ports.record_parts import Part
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service.core import Core
from airflow_rerun_downstream.service.records import dags_of, member_view, readable_member, readable_rerun, rerun_view
from airflow_rerun_downstream.service.views import MemberView, RerunView

REPAIRABLE = frozenset({RerunState.RUNNING, RerunState.PAUSED, RerunState.FAILED})


class Control(Core):
    """Each action is one transaction, with its line in the record. The conductor does what follows from it."""

    def pause(self, actor: Actor, rerun_id: int, seen: Seen = UNSAID) -> RerunView:
        """Dispatch nothing new; runs in flight continue: running → paused."""
        with self.unit_of_work() as work:
            rerun = controllable(actor, work, rerun_id)
            if rerun.state is not RerunState.PAUSED:
                as_seen(work, rerun, seen)
                self.move(work, rerun, RerunState.PAUSED, "pause", f"paused by {actor.name}")
                self.record(work, rerun_id, rerun.source, actor, "pause")
            return rerun_view(actor, work, rerun_id)

    def resume(self, actor: Actor, rerun_id: int, seen: Seen = UNSAID) -> RerunView:
        """Let a paused rerun go on: paused → running; failed → running, with its failed members pending again."""
        with self.unit_of_work() as work:
            rerun = controllable(actor, work, rerun_id)
            if rerun.state is not RerunState.RUNNING:
                as_seen(work, rerun, seen)
                if rerun.state is RerunState.PROPOSED:
                    refuse(rerun, Sentence("refusal.rerun_only_proposed", rerun=rerun.id, action=doing("resume")))
                self.move(work, rerun, RerunState.RUNNING, "resume", None)
                if rerun.state is RerunState.FAILED:
                    now = self.clock.now()
                    work.store.move_members(
                        rerun_id, before=MemberState.FAILED, after=MemberState.PENDING, reason=None, now=now
                    )
                self.record(work, rerun_id, rerun.source, actor, "resume")
            return rerun_view(actor, work, rerun_id)

    def terminate(self, actor: Actor, rerun_id: int, seen: Seen = UNSAID) -> RerunView:
        """End the rerun; by its settings, the conductor stops the runs in flight: → terminating."""
        with self.unit_of_work() as work:
            rerun = controllable(actor, work, rerun_id)
            if rerun.state not in (RerunState.TERMINATING, RerunState.TERMINATED):
                as_seen(work, rerun, seen)
                self.move(work, rerun, RerunState.TERMINATING, "terminate", f"terminated by {actor.name}")
                self.record(work, rerun_id, rerun.source, actor, "terminate")
            return rerun_view(actor, work, rerun_id)

    def release(self, actor: Actor, rerun_id: int, seen: Seen = UNSAID) -> RerunView:
        """Release all frozen runs, whatever becomes of the rerun; the conductor does it, a batch at a time."""
        with self.unit_of_work() as work:
            rerun = controllable(actor, work, rerun_id)
            if not any(rerun.counts.get(state, 0) for state in (MemberState.FROZEN, MemberState.RELEASED)):
                raise ActionNotAllowed(Sentence("refusal.no_frozen_runs", rerun=rerun_id), state=rerun.state.value)
            as_seen(work, rerun, seen)
            if work.store.ask_for_releases(rerun_id):
                self.record(work, rerun_id, rerun.source, actor, "release")
            return rerun_view(actor, work, rerun_id)

    def release_member(self, actor: Actor, rerun_id: int, member_id: int, seen: Seen = UNSAID) -> MemberView:
        """Release one frozen run."""
        with self.unit_of_work() as work:
            rerun = controllable(actor, work, rerun_id)
            member = readable_member(actor, work, rerun_id, member_id)
            if member.state not in (MemberState.FROZEN, MemberState.RELEASED):
                named = {"action": doing("release"), "state": state_words(member.state)}
                refuse(rerun, Sentence("refusal.member_in_state", rerun=rerun.id, **named))
            as_seen(work, rerun, seen, member)
            if member.state is MemberState.FROZEN and work.store.ask_for_release(member_id):
                self.record_member(work, rerun, member, actor, "release_member")
            return member_view(actor, work, rerun_id, member_id)

    def retry(self, actor: Actor, rerun_id: int, member_id: int, seen: Seen = UNSAID) -> MemberView:
        """Dispatch a failed member again, in its turn: failed → pending; a failed rerun goes on."""
        with self.unit_of_work() as work:
            rerun = controllable(actor, work, rerun_id)
            member = readable_member(actor, work, rerun_id, member_id)
            if not (member.attempt and member.state in (MemberState.PENDING, MemberState.RUNNING)):
                as_seen(work, rerun, seen, member)
                self.repair(work, rerun, member, MemberState.PENDING, "retry", None)
                self.record_member(work, rerun, member, actor, "retry")
            return member_view(actor, work, rerun_id, member_id)

    def skip(self, actor: Actor, rerun_id: int, member_id: int, seen: Seen = UNSAID) -> MemberView:
        """Continue as if a failed member had succeeded: failed → skipped; a failed rerun goes on."""
        with self.unit_of_work() as work:
            rerun = controllable(actor, work, rerun_id)
            member = readable_member(actor, work, rerun_id, member_id)
            if member.state is not MemberState.SKIPPED:
                as_seen(work, rerun, seen, member)
                self.repair(work, rerun, member, MemberState.SKIPPED, "skip", "skipped_by_user")
                left = accepted(actor, work, rerun, member)
                # What it has made anew all the same may rest on what is left, here or further up.
                more = rebuilt_by(work, rerun, member, left)
                work.store.list_not_made_anew(rerun_id, member_id, [*left, *more])
                self.record_member(work, rerun, member, actor, "skip")
            return member_view(actor, work, rerun_id, member_id)

    def release_lost(self, actor: Actor) -> list[tuple[RunRef, datetime]]:
        """Release the held runs that no record names, of the Dags that the user may rerun; each with its own time."""
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

    def record_member(self, work: Work, rerun: Rerun, member: Member, actor: Actor, action: str) -> None:
        """A line about a member."""
        ref = member.ref if member.ref.run_id else rerun.source  # a frozen run may not be made yet
        self.record(work, rerun.id, ref, actor, action, member_id=member.id)

    def repair(
        self, work: Work, rerun: Rerun, member: Member, after: MemberState, action: str, reason: str | None
    ) -> None:
        """Move a failed member, and the rerun with it. Raises `ActionNotAllowed`."""
        if rerun.state not in REPAIRABLE or member.state is not MemberState.FAILED:
            named = {"state": state_words(member.state), "rerun_state": state_words(rerun.state)}
            detail = Sentence("refusal.member_in_state_of_rerun", rerun=rerun.id, action=doing(action), **named)
            refuse(rerun, detail)
        # The rerun first: the conductor ends a rerun only while it holds this row.
        held = work.store.hold_rerun(rerun.id, state=rerun.state)
        if not held or not self.move_member(work, member, after, reason):
            refuse(rerun, Sentence("refusal.changed_meanwhile", rerun=rerun.id, action=doing(action)))
        work.store.move_rerun(
            rerun.id, before=[RerunState.FAILED], after=RerunState.RUNNING, reason=None, now=self.clock.now()
        )

    def move_member(self, work: Work, member: Member, after: MemberState, reason: str | None) -> bool:
        """A guarded move of a failed member."""
        return work.store.move_member(
            member.id, before=[MemberState.FAILED], after=after, reason=reason, now=self.clock.now()
        )

    def move(self, work: Work, rerun: Rerun, after: RerunState, action: str, reason: str | None) -> None:
        """A move of the rerun as its table allows it. Raises `ActionNotAllowed`."""
        if not work.store.move_rerun(rerun.id, after=after, reason=reason, now=self.clock.now()):
            refuse_in_state(action, rerun)


def controllable(actor: Actor, work: Work, rerun_id: int) -> Rerun:
    """The rerun, if the user may rerun every Dag of it. Raises `NotFound` and `Forbidden`."""
    rerun = readable_rerun(actor, work, rerun_id)
    dag_ids = dags_of(rerun, work.store.member_dags([rerun_id]))
    denied = dag_ids - work.permissions.may_rerun(actor, dag_ids)
    if denied:
        named = sorted(work.permissions.readable(actor, denied))
        hidden = len(denied) - len(named)
        words = [*named, *([Sentence("part.hidden_dags", count=hidden)] if hidden else [])]
        raise Forbidden(Sentence("refusal.may_not_rerun", dags=words), dag_ids=named)
    return rerun


def as_seen(work: Work, rerun: Rerun, seen: Seen, member: Member | None = None) -> None:
    """Refuse to act on what isn't any more as the user saw it. Raises `ChangedMeanwhile`."""
    if seen == UNSAID:
        return
    # Whoever moves the rerun or a member of it changes this row: what is read now is so until the action is done.
    held = work.store.hold_rerun(rerun.id, state=rerun.state)
    if not held:
        rerun = work.store.get(rerun.id) or rerun
    if member is not None:
        member = work.store.member(rerun.id, member.id) or member
    missed = [] if seen.line is None else lines_missed(work, rerun, seen, member)
    other_state = seen.state is not None and seen.state is not rerun.state
    other_attempt = member is not None and seen.attempt is not None and seen.attempt != member.attempt
    if held and not (missed or other_state or other_attempt):
        return
    raise ChangedMeanwhile(
        changed_since(rerun, member, missed),
        state=rerun.state,
        member_state=None if member is None else member.state,
        attempt=None if member is None else member.attempt,
        meanwhile=[{"at": line.at, "actor": line.actor, "action": line.action} for line in missed],
    )


def changed_since(rerun: Rerun, member: Member | None, missed: Sequence[RerunEvent]) -> Sentence:
    """What the user hasn't seen yet."""
    told = {"lines": [Sentence("part.line", actor=line.actor, action=line.action) for line in missed]} if missed else {}
    if member is None:
        code = "refusal.rerun_has_changed_by" if missed else "refusal.rerun_has_changed"
        return Sentence(code, rerun=rerun.id, **told)
    code = "refusal.member_has_changed_by" if missed else "refusal.member_has_changed"
    return Sentence(code, rerun=rerun.id, member=member.id, **told)


LINES_AT_A_TIME, LINES_TOLD = 500, 10


def lines_missed(work: Work, rerun: Rerun, seen: Seen, member: Member | None) -> list[RerunEvent]:
    """The first lines about the same that the user hasn't seen, oldest first."""
    found: list[RerunEvent] = []
    after = seen.line or 0
    while len(found) < LINES_TOLD:
        lines = work.store.events(rerun.id, Part(limit=LINES_AT_A_TIME), after=after)
        found += [line for line in lines if seen.missed(line, member)]
        if len(lines) < LINES_AT_A_TIME:
            break
        after = lines[-1].id
    return found[:LINES_TOLD]


def accepted(actor: Actor, work: Work, rerun: Rerun, member: Member) -> list[NotMadeAnew]:
    """What a person accepts who lets the rerun go on without a member: all of it that wasn't made anew."""
    (member,), ref = grown(work, rerun, [member]), member.ref
    seen = work.gateway.observe([ref])[ref]
    account = work.facts.tasks.accounts([ref], since={ref: rerun.created_at}).get(ref)
    chosen = selected_instances(member.tasks, seen.task_instances)
    if account is None or not chosen:
        return [NotMadeAnew(one.task_id, one.map_index, "skipped_by_user", actor.name) for one in member.tasks]
    passed = come_and_gone(member.tasks, seen.task_instances, account, structures_of(work, [ref]).was(ref))
    lost = dict.fromkeys([*gone(member.tasks, seen.task_instances), *sorted(passed)])
    return [NotMadeAnew(one, None, "skipped_by_user", actor.name) for one in lost] + [
        NotMadeAnew(task.task_id, task.map_index, "skipped_by_user", actor.name)
        for task in chosen
        if member.state_reason == NOT_PROVEN
        or not covers(member.begun, task.task_id, task.map_index)  # it looks as it did before the rerun
        or not made_anew(task, account)
    ]


def refuse_in_state(action: str, rerun: Rerun) -> NoReturn:
    """Refuse an action in the rerun's state."""
    named = {"action": doing(action), "state": state_words(rerun.state)}
    refuse(rerun, Sentence("refusal.rerun_in_state", rerun=rerun.id, **named))


def refuse(rerun: Rerun, why: Sentence) -> NoReturn:
    """Refuse an action on a rerun."""
    raise ActionNotAllowed(why, state=rerun.state.value)


def doing(action: str) -> Sentence:
    """An action in a sentence."""
    return Sentence(f"action.{action}")


def state_words(state: RerunState | MemberState) -> Sentence:
    """A state in a sentence."""
    return Sentence(f"state.{state.value}")
