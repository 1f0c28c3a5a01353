"""One tick: look at every active rerun, decide, perform. Three statements when nothing has happened."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from airflow_rerun_downstream.conductor.adoption import to_ask
from airflow_rerun_downstream.conductor.cleaner import Cleaner
from airflow_rerun_downstream.conductor.decide import dags_to_ask, decide, to_watch
from airflow_rerun_downstream.conductor.evidence import gather
from airflow_rerun_downstream.conductor.freezing import asked_for
from airflow_rerun_downstream.conductor.judge import takes_evidence
from airflow_rerun_downstream.conductor.notices import Reminders
from airflow_rerun_downstream.conductor.observed import Limits, Observations
from airflow_rerun_downstream.conductor.perform import LeaseLost, Performer
from airflow_rerun_downstream.conductor.places import places, to_look_at
from airflow_rerun_downstream.conductor.steps import Expire, MoveMember, Release, Step, can_wait
from airflow_rerun_downstream.conductor.stillness import Stillness
from airflow_rerun_downstream.conductor.telling import Telling
from airflow_rerun_downstream.conductor.watch import Watch
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.facts import Observation
from airflow_rerun_downstream.domain.freeze import Hold
from airflow_rerun_downstream.domain.lineage_records import TriggeredRun
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import DagRoom
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.domain.verdict import Evidence
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.lease import MAX_CLOCK_OFFSET, beside_the_database
from airflow_rerun_downstream.ports.metrics import ErrorKind
from airflow_rerun_downstream.ports.telemetry import LOG_ONLY, Telemetry
from airflow_rerun_downstream.ports.work import UnitOfWork, Work
from airflow_rerun_downstream.settings import Settings

CLOSING = timedelta(seconds=10)
"""How long the end of a rerun waits for Airflow to close a run whose tasks are all done, to record its final state."""


@dataclass(frozen=True)
class TickReport:
    """What a tick did. ``leading`` False: another conductor holds the lease, and nothing was looked at."""

    leading: bool
    active: int = 0
    steps: int = 0


@dataclass
class TickView:
    """What a tick read, in one transaction; ``released`` counts the frozen runs that it lets go, ``done`` its steps.

    ``late``: it has lasted long enough.
    """

    lease: int
    reruns: Sequence[ActiveRerun]
    seen: Observations
    released: int = 0
    done: int = 0
    late: bool = False
    apart: dict[int, Observations] = field(default_factory=dict)
    unseen: set[int] = field(default_factory=set)
    """Where not all could be looked at together: what was seen of each rerun by itself, and where even that failed."""
    expired: Sequence[ActiveRerun] = ()
    """Proposals whose time is over. Nothing is looked at for them."""


class Conductor:
    """Moves every active rerun forward. ``owner`` names this process in the lease."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        settings: Settings,
        owner: str,
        telemetry: Telemetry = LOG_ONLY,
    ) -> None:
        self.unit_of_work = unit_of_work
        self.clock = clock
        self.settings = settings
        self.owner = owner
        self.telemetry = telemetry
        self.telling = Telling(telemetry, clock)
        self.performer = Performer(unit_of_work, clock, owner, self.lease_lasts, self.telling)
        self.cleaner = Cleaner(unit_of_work, clock, settings.retention, owner, telemetry)
        self.stillness = Stillness()
        self.watch = Watch()
        self.clock_is_off = False
        self.reminders = Reminders(settings.frozen_patience)
        self.judged: dict[int, Observation] = {}
        """Members of which nothing more can be learnt until something else is seen of their runs. A cache."""

    @property
    def leads(self) -> bool:
        """Whether the last tick had the lease."""
        return self.telling.leading

    @property
    def lease_lasts(self) -> timedelta:
        """How long the lease holds without a tick: long enough for a slow step, short enough to take over."""
        return max(timedelta(seconds=15), 10 * self.settings.poll_interval)

    def tick(self) -> TickReport:
        """Look once and do what can be done now."""
        began = time.monotonic()
        look = self.look()
        if look is None:
            self.telling.follows()
            return TickReport(leading=False)
        try:
            self.telling.looked(self.owner, look.reruns)
            self.carry_out(look)
        except LeaseLost:
            self.telemetry.line("lease_lost", level=logging.WARNING, owner=self.owner)
            self.telling.follows()
            return TickReport(leading=False, steps=look.done)
        self.telling.ticked(look.reruns, seconds=time.monotonic() - began, steps=look.done)
        self.cleaner.clean()
        return TickReport(leading=True, active=len(look.reruns), steps=look.done)

    def carry_out(self, look: TickView) -> None:
        """What is to be done for all reruns, a step of each in turn: a large one delays nobody.

        What can wait is left to the next tick once a poll interval has passed, and each rerun has had its turn.
        """
        until = self.clock.now() + self.settings.poll_interval
        turns = [self.advance(active, look) for active in look.reruns]
        turns += [self.expire(proposal, look) for proposal in look.expired]
        while turns:
            turns = [one for one in turns if self.turn(one, look)]
            look.late = self.clock.now() >= until

    def turn(self, steps: Iterator[bool], look: TickView) -> bool:
        """One step of a rerun; False: there is none left."""
        for did in steps:
            look.done += did
            return True
        return False

    def look(self) -> TickView | None:
        """Take the lease and read; None while another conductor leads."""
        try:
            found = self.look_together()
        except Exception:
            found = self.look_apart()  # which raises as well where nothing can be read at all
        if found is not None:
            self.performer.faults.keep(lambda: {member.id for active in found.reruns for member in active.members})
            self.reminders.keep(found.reruns)
        return found

    def look_together(self) -> TickView | None:
        """Look at all reruns at once."""
        with self.unit_of_work() as work:
            lease = self.acquire(work)
            if lease is None:
                return None
            reruns, expired = self.read(work)
            return TickView(lease, reruns, self.observe(work, reruns), expired=expired)

    def look_apart(self) -> TickView | None:
        """Look at each rerun by itself, because something about one of them can't be read."""
        with self.unit_of_work() as work:
            lease = self.acquire(work)
            if lease is None:
                return None
            reruns, expired = self.read(work)
            found = TickView(lease, reruns, Observations(), expired=expired)
        for active in found.reruns:
            try:
                with self.unit_of_work() as work:
                    found.apart[active.rerun.id] = self.observe(work, [active])
            except Exception as error:
                self.telling.failed(ErrorKind.RERUN, "rerun_unreadable", error, active.rerun)
                found.unseen.add(active.rerun.id)
        return found

    def read(self, work: Work) -> tuple[Sequence[ActiveRerun], Sequence[ActiveRerun]]:
        """The active reruns, and the proposals whose time is over; both with one statement."""
        found = work.store.active(now=self.clock.now())
        expired = [one for one in found if not one.rerun.active]
        return [one for one in found if one.rerun.active] if expired else found, expired

    def acquire(self, work: Work) -> int | None:
        """Take the lease, or keep it."""
        grant = work.lease.acquire(owner=self.owner, lasts=self.lease_lasts)
        self.check_clock(grant.clock_offset)
        self.telemetry.lease(grant.age)
        return grant.number

    def check_clock(self, offset: timedelta) -> None:
        """Say once that this process's clock is off, and once that it isn't any more."""
        off = abs(offset) > MAX_CLOCK_OFFSET
        line, clock = self.telemetry.line, beside_the_database(offset)
        if off and not self.clock_is_off:
            line("clock_off", level=logging.ERROR, owner=self.owner, clock=clock, detail="it doesn't lead")
        if self.clock_is_off and not off:
            line("clock_right_again", owner=self.owner, clock=clock)
        self.clock_is_off = off

    def observe(self, work: Work, reruns: Sequence[ActiveRerun]) -> Observations:
        """Look at the runs that matter now."""
        runs, changed = self.watch.look(work.gateway, list({ref: 0 for active in reruns for ref in to_watch(active)}))
        rooms = self.rooms(work, reruns, runs, changed)
        more = {ref for active in reruns for ref in self.candidates(active, runs, rooms)} - set(runs)
        runs |= work.gateway.observe(more) if more else {}
        made: dict[RunRef, list[TriggeredRun]] = {ref: [] for active in reruns for ref in to_ask(active, runs)}
        for run in work.facts.tasks.triggered_runs(made) if made else ():
            if isinstance(run, TriggeredRun):
                made[run.parent].append(run)
        members = [member for active in reruns for member in active.in_flight]
        asked = self.stillness.to_ask(members, runs, self.clock.now())
        waits = work.gateway.why_waiting(asked) if asked else {}
        evidence = self.evidence(work, reruns, runs)
        return Observations(runs, evidence, made, self.holds(work, reruns), rooms, frozenset(asked), waits)

    def rooms(
        self,
        work: Work,
        reruns: Sequence[ActiveRerun],
        runs: Mapping[RunRef, Observation],
        changed: Collection[RunRef],
    ) -> Mapping[str, DagRoom]:
        """What the Dags of ready members can start now; nothing is asked where nothing can be dispatched.

        Where a run has changed, its member may be about to leave its place.
        """
        dag_ids: set[str] = set()
        for active in reruns:
            left = places(active, runs, {}, self.most_in_flight(active)).left
            left += sum(member.ref in changed for member in active.in_flight)
            dag_ids |= dags_to_ask(active, left)
        return work.gateway.rooms(dag_ids) if dag_ids else {}

    def candidates(
        self, active: ActiveRerun, runs: Mapping[RunRef, Observation], rooms: Mapping[str, DagRoom]
    ) -> Iterable[RunRef]:
        """The runs of the ready members that may be dispatched now: no more than get a place."""
        if active.rerun.state is not RerunState.RUNNING:
            return ()
        left = places(active, runs, rooms, self.most_in_flight(active))
        return [member.ref for member in to_look_at(active.ready, left)]

    def most_in_flight(self, active: ActiveRerun) -> int:
        """How many members of a rerun may be in flight at once."""
        return active.rerun.settings.most_in_flight(self.settings.max_active_members)

    def evidence(
        self, work: Work, reruns: Sequence[ActiveRerun], runs: Mapping[RunRef, Observation]
    ) -> dict[int, Evidence]:
        """What tells more of members than the states of their tasks, all of them at once."""
        watched = {member.id for active in reruns for member in active.watched}
        self.judged = {member_id: seen for member_id, seen in self.judged.items() if member_id in watched}
        open_ones = [
            (active.rerun, [member for member in active.watched if self.is_open(member, runs)]) for active in reruns
        ]
        return gather(work, open_ones, runs)

    def is_open(self, member: Member, runs: Mapping[RunRef, Observation]) -> bool:
        """Whether a member is about to be judged, by more than the states of its tasks."""
        seen = runs.get(member.ref)
        return seen is not None and takes_evidence(member, seen) and self.judged.get(member.id) != seen

    def holds(self, work: Work, reruns: Sequence[ActiveRerun]) -> dict[int, Hold]:
        """What keeps the frozen members' runs; nothing is asked where none is frozen."""
        freezing = [active.rerun.id for active in reruns if active.frozen]
        if not freezing:
            return {}
        work.freezer.sweep()
        return {hold.member_id: hold for hold in work.freezer.holds(freezing)}

    def advance(self, active: ActiveRerun, look: TickView) -> Iterator[bool]:
        """Carry out one rerun's next steps, one by one; an error in one rerun doesn't hold up the others."""
        oldest = self.settings.freeze_max_age
        now = self.clock.now()
        limits = Limits(
            in_flight=self.most_in_flight(active),
            releases=self.settings.release_batch - look.released,
            frozen_before=None if oldest is None else now - oldest,
            closed_since=now - CLOSING,
            given_up=self.performer.faults.given_up(),
        )
        try:
            steps = [*self.reminders.due(active, now), *self.steps(active, look, limits)]
            look.released += sum(isinstance(step, Release) for step in steps)
            for step in steps:
                if not (look.late and can_wait(step)):
                    did = self.performer.attempt(active.rerun, step, look.lease)
                    self.reminders.note(active, step, did)
                    yield did
        except LeaseLost:
            raise
        except Exception as error:
            self.telling.failed(ErrorKind.RERUN, "rerun_not_moved", error, active.rerun)

    def expire(self, proposal: ActiveRerun, look: TickView) -> Iterator[bool]:
        """End a proposal."""
        yield self.performer.attempt(proposal.rerun, Expire(), look.lease)

    def steps(self, active: ActiveRerun, look: TickView, limits: Limits) -> Sequence[Step]:
        """What to do for a rerun. Of one that can't be looked at, what a person wants is done all the same."""
        if active.rerun.id in look.unseen:
            if active.rerun.state is RerunState.TERMINATING:
                return decide(active, Observations(), limits)
            return asked_for(active, limit=limits.releases)
        seen = look.apart.get(active.rerun.id, look.seen)
        steps = decide(active, seen, limits)
        self.remember(active, seen, steps)
        return steps

    def remember(self, active: ActiveRerun, seen: Observations, steps: Sequence[Step]) -> None:
        """Note which members stay as they are although there was evidence, until their runs look different."""
        moved = {step.member.id for step in steps if isinstance(step, MoveMember)}
        for member_id in seen.evidence.keys() - moved:
            if (member := active.by_id.get(member_id)) is not None:
                self.judged[member_id] = seen.runs[member.ref]

    def resign(self) -> None:
        """Give the lease up, so that another conductor can take over at once."""
        self.telling.follows()
        with self.unit_of_work() as work:
            work.lease.release(owner=self.owner)
