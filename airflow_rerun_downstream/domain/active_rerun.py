"""A rerun with its members, as the conductor sees it.

A tick that finds nothing changed gets the same object again, and with it what was worked out of its members: then it
costs what is on its way, and not what there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES
from airflow_rerun_downstream.domain.member import Child, Member, StageGate, is_open
from airflow_rerun_downstream.domain.passages import Passage, behind, of_each
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.states import IN_FLIGHT, SATISFIED, MemberState


@dataclass(frozen=True)
class ActiveRerun:
    """A rerun with its members. Nothing of it changes; what is derived from it is worked out once."""

    rerun: Rerun
    members: tuple[Member, ...]
    children: tuple[Child, ...] = ()
    passages: tuple[Passage[int], ...] = ()

    @cached_property
    def by_id(self) -> Mapping[int, Member]:
        """The members by their ids."""
        return {member.id: member for member in self.members}

    @cached_property
    def refs(self) -> frozenset[RunRef]:
        """The members' runs."""
        return frozenset(member.ref for member in self.members)

    @cached_property
    def in_flight(self) -> tuple[Member, ...]:
        """The members that have been dispatched, or whose run is being stopped."""
        return tuple(member for member in self.members if member.state in IN_FLIGHT)

    @cached_property
    def watched(self) -> tuple[Member, ...]:
        """The members whose runs may move them."""
        return tuple(
            member
            for member in self.members
            if member.state in IN_FLIGHT or member.state is MemberState.FAILED or to_be_closed(member)
        )

    @cached_property
    def frozen(self) -> tuple[Member, ...]:
        """The frozen members, in the order in which they are released: oldest ready time first, unknown ones last."""
        found = [member for member in self.members if member.state is MemberState.FROZEN]
        return tuple(sorted(found, key=lambda one: (one.run_after is None, ready_time(one), one.id)))

    @cached_property
    def ready(self) -> tuple[Member, ...]:
        """The pending members that wait for nobody, oldest ready time first: so each Dag's runs go oldest first."""
        found = [one for one in self.members if one.state is MemberState.PENDING and self.is_free(one)]
        return tuple(sorted(found, key=lambda one: (ready_time(one), one.depth, one.ref)))

    @cached_property
    def explained(self) -> tuple[Member, ...]:
        """Those of `ready` of which it is said why they don't go."""
        return tuple(member for member in self.ready if member.state_reason is not None)

    @cached_property
    def open_passages(self) -> Sequence[bool]:
        """Of each passage, whether all for whom it stands are satisfied."""
        members = self.by_id
        return of_each(self.passages, lambda other: members[other].state in SATISFIED, all)

    @cached_property
    def passage_ends(self) -> Sequence[datetime | None]:
        """Of each passage, when the last one for whom it stands has ended; None: nobody has."""
        members = self.by_id
        return of_each(self.passages, lambda other: members[other].ended_at, latest)

    def is_free(self, member: Member, *, besides: int | None = None) -> bool:
        """Whether the present stage of a member waits for nobody; ``besides`` names one whom it needn't wait for."""
        if member.passage is not None and not self.open_passages[member.passage]:
            if besides is None:
                return False
            members = self.by_id
            others = behind(self.passages, member.passage) - {besides}
            if any(members[other].state not in SATISFIED for other in others):
                return False
        return all(gate.member == besides or is_open(gate, self.by_id) for gate in member.gates)

    def gates(self, member: Member) -> tuple[StageGate, ...]:
        """All that the present stage of a member waits for, as did those before it."""
        return member.gates_with(behind(self.passages, member.passage))


def latest(moments: Iterable[datetime | None]) -> datetime | None:
    """The last of some moments; None: there is none."""
    return max((moment for moment in moments if moment is not None), default=None)


def ready_time(member: Member) -> float:
    """When a member's run was due, as a number; 0 where nobody knows."""
    return member.run_after.timestamp() if member.run_after else 0.0


def to_be_closed(member: Member) -> bool:
    """Whether Airflow was still to close a member's run when the member was judged right."""
    open_then = member.final_run_state is not None and member.final_run_state not in FINISHED_RUN_STATES
    return member.state is MemberState.SUCCEEDED and open_then
