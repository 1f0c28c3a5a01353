"""Reading stored reruns with a user's eyes: what may not be read is counted or left out, never named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from airflow_rerun_downstream.domain.errors import NotFound
from airflow_rerun_downstream.domain.plan import Link
from airflow_rerun_downstream.domain.rerun import (
    Actor,
    Member,
    Rerun,
    RerunEvent,
    member_actions,
    rerun_actions,
    unsatisfied,
)
from airflow_rerun_downstream.domain.states import SATISFIED, MemberState
from airflow_rerun_downstream.ports import Work
from airflow_rerun_downstream.service.views import LiveRun, MemberView, RerunView

Item = TypeVar("Item")

WAITING = frozenset({MemberState.PENDING, MemberState.STOPPING})


def cut(items: Sequence[Item], limit: int, offset: int) -> list[Item]:
    """A page of items."""
    return list(items[offset : offset + limit])


class Reading:
    """Reads inside the caller's transaction."""

    def rerun(self, actor: Actor, work: Work, rerun_id: int) -> Rerun:
        """A rerun whose source the user may read. Raises `NotFound`."""
        rerun = work.store.get(rerun_id)
        if rerun is None or not work.permissions.readable(actor, [rerun.source.dag_id]):
            raise NotFound(f"There is no rerun {rerun_id}.")
        return rerun

    def view(self, actor: Actor, work: Work, rerun_id: int) -> RerunView:
        """One rerun as the user may see it."""
        return self.views(actor, work, [self.rerun(actor, work, rerun_id)])[0]

    def views(self, actor: Actor, work: Work, reruns: Sequence[Rerun]) -> list[RerunView]:
        """Reruns as the user may see them."""
        dags = work.store.member_dags([rerun.id for rerun in reruns]) if reruns else {}
        everything = {dag_id for counts in dags.values() for dag_id in counts}
        readable = work.permissions.readable(actor, everything) if everything else frozenset()
        return [
            RerunView(
                rerun,
                rerun_actions(rerun),
                sum(count for dag_id, count in dags.get(rerun.id, {}).items() if dag_id not in readable),
            )
            for rerun in reruns
        ]

    def members(
        self, actor: Actor, work: Work, rerun_id: int, *, limit: int, offset: int
    ) -> tuple[list[MemberView], int]:
        """A page of readable members."""
        rerun = self.rerun(actor, work, rerun_id)
        everyone = work.store.members(rerun_id)
        readable = self.readable(actor, work, everyone)
        mine = [member for member in everyone if member.ref.dag_id in readable]
        return self.member_views(work, rerun, everyone, cut(mine, limit, offset), readable), len(mine)

    def readable(self, actor: Actor, work: Work, members: Collection[Member]) -> frozenset[str]:
        """The Dags among the members' that the user may read."""
        return work.permissions.readable(actor, {member.ref.dag_id for member in members})

    def member_views(
        self,
        work: Work,
        rerun: Rerun,
        everyone: Sequence[Member],
        page: Sequence[Member],
        readable: Collection[str],
    ) -> list[MemberView]:
        """Members with their live state and what they wait for."""
        live = work.facts.runs([member.ref for member in page]) if page else {}
        by_id = {member.id: member for member in everyone}
        views = []
        for member in page:
            run = live.get(member.ref)
            waits = unsatisfied(member, by_id, SATISFIED) if rerun.active and member.state in WAITING else ()
            views.append(
                MemberView(
                    member,
                    tuple(other.ref for other in waits if other.ref.dag_id in readable),
                    LiveRun(member.ref.run_id, run.state if run else None, run.run_after if run else None),
                    member_actions(rerun, member),
                )
            )
        return views

    def member(self, actor: Actor, work: Work, rerun_id: int, member_id: int) -> Member:
        """One readable member. Raises `NotFound`."""
        for member in work.store.members(rerun_id):
            if member.id == member_id and self.readable(actor, work, [member]):
                return member
        raise NotFound(f"Rerun {rerun_id} has no member {member_id}.")

    def member_view(self, actor: Actor, work: Work, rerun_id: int, member_id: int) -> MemberView:
        """One member as the user may see it."""
        rerun = self.rerun(actor, work, rerun_id)
        everyone = work.store.members(rerun_id)
        page = [member for member in everyone if member.id == member_id]
        return self.member_views(work, rerun, everyone, page, self.readable(actor, work, everyone))[0]

    def links(self, actor: Actor, work: Work, rerun_id: int, *, limit: int, offset: int) -> tuple[list[Link], int]:
        """A page of the links of which the user may read both ends."""
        self.rerun(actor, work, rerun_id)
        links = work.store.links(rerun_id)
        dag_ids = {link.upstream.dag_id for link in links} | {link.downstream.dag_id for link in links}
        readable = work.permissions.readable(actor, dag_ids) if dag_ids else frozenset()
        mine = [link for link in links if link.upstream.dag_id in readable and link.downstream.dag_id in readable]
        return cut(mine, limit, offset), len(mine)

    def events(
        self, actor: Actor, work: Work, rerun_id: int, *, limit: int, offset: int
    ) -> tuple[list[RerunEvent], int]:
        """A page of the record."""
        self.rerun(actor, work, rerun_id)
        members = work.store.members(rerun_id)
        readable = self.readable(actor, work, members)
        hidden = {member.id for member in members if member.ref.dag_id not in readable}
        mine = [event for event in work.store.events(rerun_id) if event.member_id not in hidden]
        return cut(mine, limit, offset), len(mine)
