"""One tick: look at every active rerun, decide, perform. Three statements when nothing has happened."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from airflow_rerun_downstream.conductor.decide import Seen, decide, to_observe
from airflow_rerun_downstream.conductor.judge import maybe_stopped
from airflow_rerun_downstream.conductor.perform import LeaseLost, Performer
from airflow_rerun_downstream.domain.rerun import ActiveRerun
from airflow_rerun_downstream.ports import Clock, UnitOfWork, Work
from airflow_rerun_downstream.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TickReport:
    """What a tick did. ``leading`` False: another conductor holds the lease, and nothing was looked at."""

    leading: bool
    active: int = 0
    steps: int = 0


@dataclass(frozen=True)
class Look:
    """What a tick read, in one transaction."""

    lease: int
    reruns: Sequence[ActiveRerun]
    seen: Seen


class Conductor:
    """Moves every active rerun forward. ``owner`` names this process in the lease."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock, settings: Settings, owner: str) -> None:
        self.unit_of_work = unit_of_work
        self.clock = clock
        self.settings = settings
        self.owner = owner
        self.performer = Performer(unit_of_work, clock, owner)

    @property
    def lease_lasts(self) -> timedelta:
        """How long the lease holds without a tick: long enough for a slow step, short enough to take over."""
        return max(timedelta(seconds=15), 10 * self.settings.poll_interval)

    def tick(self) -> TickReport:
        """Look once and do what can be done now."""
        look = self.look()
        if look is None:
            return TickReport(leading=False)
        done = 0
        try:
            for active in look.reruns:
                done += self.advance(active, look)
        except LeaseLost:
            log.warning("Another conductor took over from %s", self.owner)
            return TickReport(leading=False, steps=done)
        return TickReport(leading=True, active=len(look.reruns), steps=done)

    def look(self) -> Look | None:
        """Take the lease and read; None while another conductor leads."""
        with self.unit_of_work() as work:
            lease = work.lease.acquire(owner=self.owner, now=self.clock.now(), lasts=self.lease_lasts)
            if lease is None:
                return None
            reruns = work.store.active()
            return Look(lease, reruns, self.observe(work, reruns))

    def observe(self, work: Work, reruns: Sequence[ActiveRerun]) -> Seen:
        """Look at the runs that matter now."""
        wanted = [ref for active in reruns for ref in to_observe(active)]
        runs = work.gateway.observe(wanted) if wanted else {}
        doubtful = [
            member.ref
            for active in reruns
            for member in active.members
            if member.ref in runs and maybe_stopped(member, runs[member.ref])
        ]
        facts = work.facts.runs(doubtful) if doubtful else {}
        return Seen(runs, frozenset(ref for ref, run in facts.items() if run.terminated))

    def advance(self, active: ActiveRerun, look: Look) -> int:
        """Carry out one rerun's next steps; an error in one rerun doesn't hold up the others."""
        limit = active.rerun.settings.max_active_members or self.settings.max_active_members
        done = 0
        try:
            for step in decide(active, look.seen, limit=limit):
                done += self.performer.perform(active.rerun, step, look.lease)
        except LeaseLost:
            raise
        except Exception:
            log.exception("Rerun %s could not be moved forward; the next tick tries again", active.rerun.id)
        return done

    def resign(self) -> None:
        """Give the lease up, so that another conductor can take over at once."""
        with self.unit_of_work() as work:
            work.lease.release(owner=self.owner)
