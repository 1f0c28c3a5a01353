"""Which ready members may be dispatched, and why others wait: what can't start takes no place. Pure, like `decide`.

Of a Dag that is paused, gone or at its limit no more members are dispatched than it can start. Cleared and
queued all at once, ten thousand runs would start together when the Dag is unpaused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from airflow_rerun_downstream.conductor.gates import overtaken
from airflow_rerun_downstream.conductor.steps import Dispatch, ExplainAll
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.facts import Observation
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import CLOSED, DagRoom
from airflow_rerun_downstream.domain.states import MemberState


@dataclass
class Places:
    """What is left of the rerun's limit and of its Dags' room while a tick hands it out."""

    active: ActiveRerun
    rooms: Mapping[str, DagRoom]
    left: int
    taken: dict[str, int] = field(default_factory=dict)

    @cached_property
    def dags_in_flight(self) -> frozenset[str]:
        """The Dags with members in flight; read once, for it is asked for each member that waits at a full Dag."""
        return frozenset(one.ref.dag_id for one in self.active.in_flight)

    def refusal(self, member: Member) -> str | None:
        """Why the member's Dag can't start its run; None: it can, as far as is known."""
        room = self.rooms.get(member.ref.dag_id)
        if room is None:
            return None
        if room.closed is not None:
            return room.closed
        if room.free is None or room.free > self.taken.get(member.ref.dag_id, 0):
            return None
        return None if self.next_in_line(member, room) else "at_max_active_runs"

    def next_in_line(self, member: Member, room: DagRoom) -> bool:
        """Whether to let one member queue at a Dag that is full.

        Where other runs wait in Airflow's queue, a run that isn't in it never gets its turn.
        """
        dag_id = member.ref.dag_id
        return dag_id not in self.dags_in_flight and not self.taken.get(dag_id) and room.queued > 0

    def take(self, member: Member) -> Dispatch:
        """Give a place to a member."""
        self.left -= 1
        dag_id = member.ref.dag_id
        room = self.rooms.get(dag_id)
        full = room is not None and room.free is not None and room.free <= self.taken.get(dag_id, 0)
        self.taken[dag_id] = self.taken.get(dag_id, 0) + 1
        whole = member.dispatched_in_stage and overtaken(member, self.active) is not None
        return Dispatch(member, in_line=full, whole=whole)


def places(active: ActiveRerun, runs: Mapping[RunRef, Observation], rooms: Mapping[str, DagRoom], limit: int) -> Places:
    """What is left: a member whose run can't start doesn't count for the limit."""
    counted = sum(not cannot_start(member, runs) for member in active.in_flight)
    return Places(active, rooms, limit - counted)


def cannot_start(member: Member, runs: Mapping[RunRef, Observation]) -> bool:
    """Whether a dispatched run waits in the queue for its Dag."""
    run = runs.get(member.ref)
    return member.state is MemberState.RUNNING and run is not None and run.waits_because in CLOSED


def candidates(active: ActiveRerun, places: Places) -> Sequence[Member]:
    """The ready members of which there is something to decide: without a place, those of which something is said."""
    return active.ready if places.left > 0 else active.explained


def to_look_at(candidates: Collection[Member], places: Places) -> Iterator[Member]:
    """The ready members of which to observe the runs: those that may get a place."""
    for member in candidates:
        if places.left <= 0:
            return
        if member.state_reason in (None, *CLOSED) and places.refusal(member) is None:
            places.take(member)
            yield member


def explained(kept: Collection[tuple[Member, str | None]]) -> Iterator[ExplainAll]:
    """Say why members wait, or no longer do, as far as that is new; one step for each reason."""
    news: dict[str | None, list[Member]] = {}
    for member, reason in kept:
        if reason != member.state_reason and (reason is not None or member.state_reason in CLOSED):
            news.setdefault(reason, []).append(member)
    for reason, members in news.items():
        yield ExplainAll(tuple(members), reason)
