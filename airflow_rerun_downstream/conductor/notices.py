"""Whom a rerun tells of what has just happened: rows in the transaction in which it happens, and none where nobody
wants to know.

Each occurrence is one row for each target. Of a failure that comes while an earlier one hasn't been told yet, that row
tells, too: members that fail together, or by the thousands, are one message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airflow_rerun_downstream.conductor.steps import Step, TellFrozen
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.delivery import NAMED, NewDelivery, ToldMember, due_after, wanted_by
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.rerun_request import CONDUCTOR
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.domain.words import FROZEN_TOO_LONG
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.work import Work


def tell(
    work: Work,
    rerun: Rerun,
    clock: Clock,
    *conditions: str,
    reason: str | None = None,
    members: tuple[Member, ...] = (),
) -> None:
    """Tell of something that happens once. It meets ``conditions``; each target is told of the first that it wants."""
    now, named = clock.now(), tuple(ToldMember(one.id, one.state_reason) for one in members[:NAMED])
    wanted = wanted_by(rerun.notifications, conditions)
    rows = [
        NewDelivery(rerun.id, target, condition, now, now, CONDUCTOR.name, reason, named, max(len(members), 1))
        for target, condition in wanted.items()
    ]
    if rows:
        work.outbox.add(rows)


def tell_failure(work: Work, rerun: Rerun, clock: Clock, member: Member, *conditions: str, reason: str | None) -> None:
    """Tell of a member that has failed; the rerun's row is locked, so that nobody else does."""
    wanted = wanted_by(rerun.notifications, conditions)
    if not wanted:
        return
    now, one = clock.now(), ToldMember(member.id, reason)
    earlier = work.outbox.about(rerun.id, set(wanted.values()))
    for target, condition in wanted.items():
        mine = [each for each in earlier if (each.target, each.condition) == (target, condition)]
        last = mine[-1] if mine else None
        if last is not None and last.gathers:
            named, more = named_with(last.members, one)
            if work.outbox.gather(last.id, named, more=more):
                continue
        due_at = due_after(now, mine)
        work.outbox.add([NewDelivery(rerun.id, target, condition, now, due_at, CONDUCTOR.name, None, (one,))])


def named_with(named: tuple[ToldMember, ...], one: ToldMember) -> tuple[tuple[ToldMember, ...], int]:
    """Whom a delivery names that also tells of ``one``, and how many more it counts: none where that is named already,
    which then has its new reason. Of those beyond `NAMED` nobody knows who they were.
    """
    if any(each.member_id == one.member_id for each in named):
        return tuple(one if each.member_id == one.member_id else each for each in named), 0
    return (*named, one)[:NAMED], 1


def tell_once(work: Work, rerun: Rerun, clock: Clock, condition: str, members: tuple[Member, ...]) -> bool:
    """Tell of what is told once in a rerun's life; False where it was. The rerun's row is locked."""
    if work.outbox.about(rerun.id, [condition]):
        return False
    tell(work, rerun, clock, condition, members=members)
    return True


@dataclass
class Reminders:
    """Tells, once in a rerun's life, that runs of it have been frozen for longer than ``patience``.

    In memory: of which reruns it is known that this was told, so that nothing has to be asked for them.
    """

    patience: timedelta
    told: set[int] = field(default_factory=set)

    def due(self, active: ActiveRerun, now: datetime) -> list[TellFrozen]:
        """What is to be told of a rerun, where somebody wants to know."""
        rerun = active.rerun
        waits = active.frozen and rerun.state is not RerunState.TERMINATING and rerun.id not in self.told
        wanted = waits and now - rerun.created_at >= self.patience and wanted_by(rerun.notifications, [FROZEN_TOO_LONG])
        return [TellFrozen(active.frozen)] if wanted else []

    def note(self, active: ActiveRerun, step: Step, did: bool) -> None:
        """Remember a step that was carried out."""
        if did and isinstance(step, TellFrozen):
            self.told.add(active.rerun.id)

    def keep(self, reruns: Iterable[ActiveRerun]) -> None:
        """Forget every rerun but these."""
        self.told &= {active.rerun.id for active in reruns} if self.told else set()
