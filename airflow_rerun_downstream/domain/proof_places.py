"""Whether another run was on its way in a member's place: one that it had, or that a task made while its own ran.

Somebody has cleared that run, or the task that makes it. Both write what the member's readers read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from airflow_rerun_downstream.domain.proof import Finding, Outcome, ProofReason, ProvenMember, RunTries, Spot, Try
from airflow_rerun_downstream.domain.proof_clocks import Moment, begin, comes_after, end, over, time_of
from airflow_rerun_downstream.domain.proof_scene import Scene, starts
from airflow_rerun_downstream.domain.refs import RunRef


class InPlace:
    """The runs beside those of the members."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def alone(self, member: ProvenMember) -> Iterator[Finding | None]:
        """A finding for each run that wasn't over when the member's began, nor began after it; None for any other."""
        ref = member.ref
        present = [task.tries[-1] for task in self.scene.selected[ref] if self.scene.is_new(ref, task)]
        first, last = starts(present), [moment for one in present if (moment := end(one)) is not None]
        for other, tries in self.scene.facts.beside.get(ref, {}).items():
            if present and (every := self.since(other, tries)):
                yield self.check(ref, other, every, first, last)

    def since(self, ref: RunRef, run: RunTries) -> list[tuple[Try, Try | None]]:
        """The tries of a run that were started in the rerun, each with the next one of its task instance."""
        return [
            (one, later)
            for task in run.tasks
            for new in [self.scene.new_tries(ref, task)]
            for one, later in zip_longest(new, new[1:])
        ]

    def check(
        self,
        ref: RunRef,
        other: RunRef,
        tries: Sequence[tuple[Try, Try | None]],
        first: Sequence[Moment],
        last: Sequence[Moment],
    ) -> Finding | None:
        """The gravest that any try of another run shows."""
        worst: Finding | None = None
        for one, later in tries:
            ended = [over(moment, one, later) for moment in first]
            began = [comes_after(begin(one), moment) for moment in last]
            if all(ended) or (began and all(began)):
                continue
            wrong = False in ended and (False in began or not began)
            outcome = Outcome.VIOLATION if wrong else Outcome.NOT_PROVABLE
            reason = ProofReason.BEGAN_TOO_EARLY if wrong else ProofReason.CLOCKS_DIFFER
            found = Finding(outcome, reason, Spot(ref), Spot(other), time_of(first[0]), one.end)
            if wrong:
                return found
            worst = worst or found
        return worst
