"""Steps that raised: how often, and the word for it. An error's text goes to the log, never into the record."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from airflow_rerun_downstream.conductor.steps import (
    Adopt,
    EndPending,
    Expire,
    Explain,
    ExplainAll,
    MoveRerun,
    NoteRunState,
    Prove,
    Release,
    Step,
    StopMember,
    TellFrozen,
)
from airflow_rerun_downstream.domain.member import Member

TRIES = 5
"""How often a step is tried before something else is done, where there is something else."""

STOP, RELEASE, STEP = "stop_error", "release_error", "step_error"


@dataclass
class Faults:
    """How often each step of each member has failed in a row. In memory: a restart begins anew."""

    counts: dict[tuple[int, type[Step]], int] = field(default_factory=dict)
    proofs: dict[int, int] = field(default_factory=dict)
    """How often what a rerun's proof is made from couldn't be read."""

    def count(self, member: Member, step: Step) -> int:
        """One more; answers how many there are."""
        key = (member.id, type(step))
        self.counts[key] = self.counts.get(key, 0) + 1
        return self.counts[key]

    def not_read(self, rerun_id: int) -> None:
        """What a rerun's proof is made from couldn't be read, or not in time."""
        self.proofs[rerun_id] = self.proofs.get(rerun_id, 0) + 1

    def forget(self, member: Member, step: Step) -> None:
        """It has worked, or something else has been done."""
        self.counts.pop((member.id, type(step)), None)

    def given_up(self) -> frozenset[int]:
        """The members whose run couldn't be adopted, however often that was tried."""
        return frozenset(one for (one, kind), count in self.counts.items() if kind is Adopt and count >= TRIES)

    def keep(self, members: Callable[[], Collection[int]]) -> None:
        """Forget every member but these, who are asked for where there is something to forget."""
        known = members() if self.counts else ()
        self.counts = {key: count for key, count in self.counts.items() if key[0] in known}


def member_of(step: Step) -> Member | None:
    """Whose step it is; None: the rerun's, or that of many."""
    of_none = (MoveRerun, EndPending, ExplainAll, Expire, Prove, TellFrozen)
    return None if isinstance(step, of_none) else step.member


def word(step: Step) -> str | None:
    """What the member's reason says of a step that raised; None: nothing that it waits for."""
    if isinstance(step, (Explain, NoteRunState)):
        return None
    return STOP if isinstance(step, StopMember) else RELEASE if isinstance(step, Release) else STEP
