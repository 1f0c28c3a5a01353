"""Moving a rerun, inside a transaction in which the lease is confirmed: it ends only if its members let it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from airflow_rerun_downstream.conductor.decide import decide
from airflow_rerun_downstream.conductor.effects import Effects
from airflow_rerun_downstream.conductor.gates import look_again
from airflow_rerun_downstream.conductor.notices import tell, tell_failure
from airflow_rerun_downstream.conductor.observed import Limits, Observations
from airflow_rerun_downstream.conductor.proposal_end import end_proposal
from airflow_rerun_downstream.conductor.rebuilt_since import known_late
from airflow_rerun_downstream.conductor.steps import (
    ENDS,
    MoveRerun,
    Prove,
)
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.member import Awaited, Member
from airflow_rerun_downstream.domain.proof import NOT_PROVEN, Finding, Proof, ProofReason, sentence_of
from airflow_rerun_downstream.domain.proposal import EXPIRED
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.rerun_request import CONDUCTOR
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.domain.words import PAUSED_BY_FAILURE
from airflow_rerun_downstream.ports.telemetry import LOG_ONLY, Telemetry
from airflow_rerun_downstream.ports.work import Work

TOLD: Mapping[RerunState, tuple[str, ...]] = {
    RerunState.SUCCEEDED: ("succeeded",),
    RerunState.TERMINATED: ("terminated",),
    RerunState.PAUSED: (PAUSED_BY_FAILURE,),  # the conductor pauses for no other reason
}
"""What is told of a rerun that has come to a state by itself. That it has failed, its members tell."""


@dataclass(frozen=True)
class Endings:
    """Moves reruns, and fails the members of which a proof shows that they aren't right."""

    effects: Effects
    telemetry: Telemetry = LOG_ONLY

    def move_rerun(self, work: Work, rerun: Rerun, step: MoveRerun) -> bool:
        """Follow the members. A rerun in which something can move after all isn't ended."""
        members = self.at_rest(work, rerun, step) if step.after in ENDS else ()
        return members is not None and self.end(work, rerun, step, members)

    def end(self, work: Work, rerun: Rerun, step: MoveRerun, members: Sequence[Member], *more: str) -> bool:
        """Move the rerun, which has these members if it ends; targets are told of that, or rather of ``more``."""
        now = self.effects.clock.now()
        moved = work.store.move_rerun(rerun.id, before=[step.before], after=step.after, reason=step.reason, now=now)
        if moved:
            self.effects.log(work, rerun, f"rerun_{step.after.value}", None, step.reason)
            tell(work, rerun, self.effects.clock, *more, *TOLD.get(step.after, ()), reason=step.reason)
        if moved and step.after in ENDS:
            counts = Counter(one.state for one in members)
            ended = replace(rerun, state=step.after, state_reason=step.reason, ended_at=now, counts=counts)
            work.afterwards.append(partial(self.telemetry.ended, ended))
        return moved

    def expire(self, work: Work, rerun: Rerun) -> bool:
        """End a proposal whose time is over. It never was a rerun: no metric counts it, and no target is told."""
        ended = end_proposal(work, rerun.id, EXPIRED, now=self.effects.clock.now())
        if ended:
            self.effects.log(work, rerun, "rerun_terminated", None, EXPIRED)
            work.gateway.record(rerun.source, rerun_id=rerun.id, actor=CONDUCTOR.name, event="expire")
        return ended

    def conclude(self, work: Work, rerun: Rerun, step: Prove | MoveRerun, proof: Proof) -> bool:
        """Keep a proof without violations, and end the rerun if it is to end; otherwise fail who read wrong data."""
        members = self.at_rest(work, rerun, step)
        if members is None:
            return False
        if self.cleared_again(work, rerun, members) or self.unproven(work, rerun, members, proof):
            return True
        for member_id, every in known_late(work, rerun, members).items():
            work.store.list_not_made_anew(rerun.id, member_id, every)
        work.store.keep_proof(rerun.id, proof.at, proof.counts)
        computed = all(one.reason != ProofReason.NOT_COMPUTED for one in proof.findings)
        if not computed:
            self.effects.log(work, rerun, "proof_not_computed", None, Sentence("record.proof_not_computed"))
        return isinstance(step, Prove) or self.end(work, rerun, step, members, *(() if computed else (NOT_PROVEN,)))

    def unproven(self, work: Work, rerun: Rerun, members: Sequence[Member], proof: Proof) -> bool:
        """Fail the members of which the proof shows that they aren't right; whether there are any."""
        by_ref = {one.ref: one for one in members if one.state is MemberState.SUCCEEDED}
        found = dict[int, Finding]()
        for one in proof.violations:
            if (member := by_ref.get(one.reader.ref)) is not None:
                found.setdefault(member.id, one)
        return sum(self.fail_unproven(work, rerun, by_ref[one.reader.ref], one) for one in found.values()) > 0

    def fail_unproven(self, work: Work, rerun: Rerun, member: Member, why: Finding) -> bool:
        """Fail a member with the pair that isn't right. Nothing of it is red: retried, all of it is made anew."""
        moved = work.store.move_member(
            member.id,
            before=[MemberState.SUCCEEDED],
            after=MemberState.FAILED,
            reason=NOT_PROVEN,
            now=self.effects.clock.now(),
        )
        if moved:
            work.store.start_over(member.id)
            named = {spot.ref.dag_id for spot in (why.reader, why.writer) if spot is not None}
            self.effects.log(work, rerun, "member_failed", member, f"{NOT_PROVEN}: {sentence_of(why)}", named)
            tell_failure(work, rerun, self.effects.clock, member, NOT_PROVEN, "member_failed", reason=NOT_PROVEN)
        return moved

    def at_rest(self, work: Work, rerun: Rerun, step: MoveRerun | Prove) -> Sequence[Member] | None:
        """The members as they are now, if they let the rerun end so.

        A person may have retried or skipped one since the tick looked. Both sides lock the rerun's row first.
        """
        if not work.store.hold_rerun(rerun.id, state=step.before):
            return None
        members, passages = tuple(work.store.members(rerun.id)), work.store.passages(rerun.id)
        now = ActiveRerun(replace(rerun, state=step.before), members, passages=passages)
        return now.members if decide(now, Observations(), Limits(in_flight=0)) == [step] else None

    def cleared_again(self, work: Work, rerun: Rerun, members: Sequence[Member]) -> bool:
        """Whether the run of a member that was right has been cleared since, or is gone: the rerun goes on then."""
        right = [one for one in members if one.state is MemberState.SUCCEEDED]
        numbers = work.gateway.clear_numbers([one.ref for one in right])
        moved = [one for one in right if numbers.get(one.ref) != one.clear_number]
        runs = work.gateway.observe([one.ref for one in moved]) if moved else {}
        steps = [step for one in moved if (step := look_again(Awaited(one), runs[one.ref])) is not None]
        return sum(self.effects.carry_out(work, rerun, step) for step in steps) > 0
