"""One tick: look at every active rerun, decide, perform. Three statements when nothing has happened."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from airflow_rerun_downstream.conductor.adoption import to_ask
from airflow_rerun_downstream.conductor.decide import Limits, Seen, decide, to_observe
from airflow_rerun_downstream.conductor.freezing import frozen
from airflow_rerun_downstream.conductor.judge import maybe_stopped
from airflow_rerun_downstream.conductor.perform import LeaseLost, Performer
from airflow_rerun_downstream.conductor.steps import Release
from airflow_rerun_downstream.domain.facts import TriggeredRun
from airflow_rerun_downstream.domain.freeze import Hold
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import ActiveRerun
from airflow_rerun_downstream.ports import MAX_CLOCK_OFFSET, Clock, UnitOfWork, Work, beside_the_database
from airflow_rerun_downstream.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TickReport:
    """What a tick did. ``leading`` False: another conductor holds the lease, and nothing was looked at."""

    leading: bool
    active: int = 0
    steps: int = 0


@dataclass
class Look:
    """What a tick read, in one transaction; ``released`` counts the frozen runs that it has let go since."""

    lease: int
    reruns: Sequence[ActiveRerun]
    seen: Seen
    released: int = 0


class Conductor:
    """Moves every active rerun forward. ``owner`` names this process in the lease."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock, settings: Settings, owner: str) -> None:
        self.unit_of_work = unit_of_work
        self.clock = clock
        self.settings = settings
        self.owner = owner
        self.performer = Performer(unit_of_work, clock, owner, self.lease_lasts)
        self.clock_is_off = False

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
            grant = work.lease.acquire(owner=self.owner, lasts=self.lease_lasts)
            self.check_clock(grant.clock_offset)
            if grant.number is None:
                return None
            reruns = work.store.active()
            return Look(grant.number, reruns, self.observe(work, reruns))

    def check_clock(self, offset: timedelta) -> None:
        """Say once that this process's clock is off, and once that it isn't any more."""
        off = abs(offset) > MAX_CLOCK_OFFSET
        if off and not self.clock_is_off:
            log.error("%s doesn't lead: its own clock is %s", self.owner, beside_the_database(offset))
        if self.clock_is_off and not off:
            log.info("The clock of %s is right again", self.owner)
        self.clock_is_off = off

    def observe(self, work: Work, reruns: Sequence[ActiveRerun]) -> Seen:
        """Look at the runs that matter now."""
        wanted = [ref for active in reruns for ref in to_observe(active)]
        runs = work.gateway.observe(wanted) if wanted else {}
        made: dict[RunRef, list[TriggeredRun]] = {ref: [] for active in reruns for ref in to_ask(active, runs)}
        for run in work.facts.triggered_runs(made) if made else ():
            made[run.parent].append(run)
        doubtful = [
            member.ref
            for active in reruns
            for member in active.members
            if member.ref in runs and maybe_stopped(member, runs[member.ref])
        ]
        facts = work.facts.runs(doubtful) if doubtful else {}
        stopped = frozenset(ref for ref, run in facts.items() if run.terminated)
        return Seen(runs, stopped, made, self.holds(work, reruns))

    def holds(self, work: Work, reruns: Sequence[ActiveRerun]) -> dict[int, Hold]:
        """What keeps the frozen members' runs; nothing is asked where none is frozen."""
        freezing = [active.rerun.id for active in reruns if frozen(active)]
        if not freezing:
            return {}
        work.freezer.sweep()
        return {hold.member_id: hold for hold in work.freezer.holds(freezing)}

    def advance(self, active: ActiveRerun, look: Look) -> int:
        """Carry out one rerun's next steps; an error in one rerun doesn't hold up the others."""
        oldest = self.settings.freeze_max_age
        limits = Limits(
            in_flight=active.rerun.settings.max_active_members or self.settings.max_active_members,
            releases=self.settings.release_batch - look.released,
            frozen_before=None if oldest is None else self.clock.now() - oldest,
        )
        done = 0
        try:
            for step in decide(active, look.seen, limits):
                done += self.performer.perform(active.rerun, step, look.lease)
                look.released += isinstance(step, Release)
        except LeaseLost:
            raise
        except Exception:
            log.exception("Rerun %s could not be moved forward; the next tick tries again", active.rerun.id)
        return done

    def resign(self) -> None:
        """Give the lease up, so that another conductor can take over at once."""
        with self.unit_of_work() as work:
            work.lease.release(owner=self.owner)
