"""When a rerun is expected to end, for whoever may read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.durations import Kind, Past, past_of
from airflow_rerun_downstream.domain.errors import NotFound
from airflow_rerun_downstream.domain.estimate import Estimate, Expected, Outlook
from airflow_rerun_downstream.domain.estimate_jobs import LEFT, Standing, kinds_left
from airflow_rerun_downstream.domain.estimating import estimate
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.record_parts import Head
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service.core import Core
from airflow_rerun_downstream.service.kept_estimates import Kept
from airflow_rerun_downstream.service.records import readable_head
from airflow_rerun_downstream.service.views import EstimatedMember, EstimateView


class Estimates(Core):
    """What can be said of the end of reruns."""

    def estimate(self, actor: Actor, rerun_id: int) -> EstimateView:
        """When a rerun is expected to end, and what decides that. Raises `NotFound`.

        It is reckoned with all members, whoever asks; those that may not be read are never named. One of some seconds
        ago is answered again where nothing has happened since.
        """
        with self.unit_of_work() as work:
            head = readable_head(actor, work, rerun_id)
            rerun = work.store.get(rerun_id)
            if rerun is None:
                raise NotFound(Sentence("refusal.unknown_rerun", rerun=rerun_id))
            if not rerun.active:
                outlook = Outlook.OPEN if rerun.state is RerunState.PROPOSED else Outlook.ENDED
                return EstimateView(rerun, Estimate(self.clock.now(), outlook, rerun.ended_at), {}, (), 0)
            kept = self.estimated.of(head)
            if kept is None or not kept.holds(head, self.clock.now()):
                kept = self.made(work, head, rerun, kept)
            self.estimated.keep(head, kept)
            return seen(actor, work, rerun, kept)

    def made(self, work: Work, head: Head, rerun: Rerun, before: Kept | None) -> Kept:
        """A new estimate. Besides the rerun's rows a few statements, and some more every few minutes."""
        active = ActiveRerun(
            rerun,
            tuple(work.store.members(rerun.id)),
            work.store.children(rerun.id),
            work.store.passages(rerun.id),
        )
        now, kinds = self.clock.now(), frozenset(kinds_left(active))
        if before is not None and before.knows(kinds, now):
            earlier, asked, read_at = before.earlier, before.asked, before.read_at
        else:
            earlier, asked, read_at = past_times(work, kinds), kinds, now
        left = [member for member in active.members if member.state in LEFT]
        dags = {member.ref.dag_id for member in left}
        rooms = work.gateway.rooms(dags) if dags else {}
        places = rerun.settings.most_in_flight(self.settings.max_active_members)
        return Kept(
            head.revision,
            estimate(Standing(active, earlier, rooms, places), now),
            {one.id: EstimatedMember(one.id, one.ref, one.state, one.state_reason) for one in left},
            earlier,
            asked,
            read_at,
        )


def past_times(work: Work, kinds: frozenset[Kind]) -> Mapping[Kind, Past]:
    """How long tasks have taken in earlier runs."""
    found = work.durations.times(kinds) if kinds else {}
    return {kind: past for kind, seconds in found.items() if (past := past_of(seconds)) is not None}


def seen(actor: Actor, work: Work, rerun: Rerun, kept: Kept) -> EstimateView:
    """An estimate with only what the user may read."""
    dags = {one.ref.dag_id for one in kept.members.values()}
    readable = work.permissions.readable(actor, dags) if dags else frozenset()
    members = {number: one for number, one in kept.members.items() if one.ref.dag_id in readable}
    expected = [one for one in kept.estimate.members if one.member_id in members]
    expected.sort(key=soonest)
    return EstimateView(rerun, kept.estimate, members, tuple(expected), len(kept.members) - len(members))


def soonest(one: Expected) -> tuple[bool, float, int]:
    """The order in which members are expected to end; last those of which nobody can tell."""
    ends: datetime | None = one.ends_at
    return ends is None, 0.0 if ends is None else ends.timestamp(), one.member_id
