"""What may go of our tables: it hangs on what Airflow itself still has.

A record goes when its rerun ended before the date, unless something that is still to come needs it:

- a run of it is frozen: its row knows when to release it (`hold`);
- tasks of it may still make runs, in a rerun that was terminated while they went on: `child` tells whose place those
  take, and what they emit repeats, for as long as the run with such a task is there;
- somebody is still to be told of it (`delivery`);
- a run of it took another one's place: the member tells it, and whatever that run emits, whenever it is cleared again,
  repeats the events of the other, for as long as the run is there.

What outlives records is asked for whenever a run is cleared, reruns or not, and goes when Airflow's own row has gone:
`dispatched_task` and `own_start` with the run, `repeat` with either event; the first not before its rerun has gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow.models.asset import AssetEvent
from airflow.models.dagrun import DagRun
from sqlalchemy import Table, exists, func, or_, select, true
from sqlalchemy.sql import ColumnElement

from airflow_rerun_downstream.airflow3.database import audit
from airflow_rerun_downstream.domain.delivery import DeliveryState
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.retention import Cleaning
from airflow_rerun_downstream.store import expiry
from airflow_rerun_downstream.store.tables import (
    active_run,
    child,
    delivery,
    dispatched_task,
    hold,
    member,
    own_start,
    repeat,
    rerun,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RUN = DagRun.__table__.c
EVENT = AssetEvent.__table__.c

PARENT = member.alias("making")

ROWS_OF_A_RERUN = 50
"""About as many rows as a small rerun has: so many reruns begin to leave at once as fit into a batch."""
MOST_AT_ONCE = 50
LEFT_BY_OTHERS = 1000


def frozen() -> ColumnElement[bool]:
    """Whether a run of a rerun is frozen, or in it."""
    return or_(
        exists().where(hold.c.rerun_id == rerun.c.id),
        exists().where(active_run.c.rerun_id == rerun.c.id),
    )


def telling() -> ColumnElement[bool]:
    """Whether somebody is still to be told of a rerun."""
    return exists().where(delivery.c.rerun_id == rerun.c.id, delivery.c.state == DeliveryState.PENDING.value)


def making_runs() -> ColumnElement[bool]:
    """Whether tasks of a rerun may still make the runs of other members."""
    there = exists().where(RUN.dag_id == PARENT.c.dag_id, RUN.run_id == PARENT.c.run_id)
    return exists().where(child.c.rerun_id == rerun.c.id, PARENT.c.id == child.c.parent_member_id, there)


def took_places() -> ColumnElement[bool]:
    """Whether a run of a rerun that is still there took another one's place."""
    there = exists().where(RUN.dag_id == member.c.dag_id, RUN.run_id == member.c.run_id)
    return exists().where(member.c.rerun_id == rerun.c.id, member.c.original_run_id != member.c.run_id, there)


STAYING: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "frozen": frozen,
    "telling": telling,
    "making_runs": making_runs,
    "took_places": took_places,
}
"""Why a rerun stays."""


def may_go(before: datetime) -> ColumnElement[bool]:
    """Whether a rerun may leave."""
    return expiry.ended(before) & ~or_(*(stays() for stays in STAYING.values()))


def no_run_of_dispatched(cleaning: Cleaning) -> ColumnElement[bool]:
    """Whether neither the run is there any more nor the rerun that cleared its task."""
    task = dispatched_task.c
    there = exists().where(RUN.dag_id == task.dag_id, RUN.run_id == task.run_id)
    kept = ~or_(~expiry.present(), may_go(cleaning.before)) if cleaning.dry_run else true()
    return ~or_(there, exists().where(rerun.c.id == task.rerun_id, kept))


def no_run_of_own_start(_cleaning: Cleaning) -> ColumnElement[bool]:
    """Whether the run isn't there any more."""
    return ~exists().where(RUN.id == own_start.c.dag_run_id)


def no_event_of_repeat(_cleaning: Cleaning) -> ColumnElement[bool]:
    """Whether one of the two events isn't there any more: the pair is read only where both are."""
    first, second = AssetEvent.__table__.alias("first"), AssetEvent.__table__.alias("second")
    both = exists().where(first.c.id == repeat.c.original_id), exists().where(second.c.id == repeat.c.event_id)
    return or_(*(~each for each in both))


STRAYS: tuple[tuple[Table, Callable[[Cleaning], ColumnElement[bool]]], ...] = (
    (dispatched_task, no_run_of_dispatched),
    (own_start, no_run_of_own_start),
    (repeat, no_event_of_repeat),
)
"""What belongs to no record, and when it goes."""


class AirflowRetention:
    """`Retention` on Airflow's metadata database, in the session's transaction."""

    def __init__(self, session: Session, *, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def clean(self, cleaning: Cleaning, *, rows: int) -> Cleaning:
        """See `Retention.clean`."""
        if cleaning.reruns is None:  # what somebody else has begun comes first
            left = tuple(expiry.leaving(self._session, LEFT_BY_OTHERS))
            counted = expiry.count(self._session, left) if cleaning.dry_run else {}
            cleaning = replace(cleaning, reruns=() if cleaning.dry_run else left, rows=cleaning.more(counted))
        if cleaning.reruns:
            return self._remove(cleaning, rows)
        if not cleaning.records_done:
            return self._begin(cleaning, rows)
        return self._strays(cleaning, rows)

    def kept(self, before: datetime) -> Mapping[str, int]:
        """See `Retention.kept`. Three statements that only read."""
        found: dict[str, int] = {}
        earlier: list[ColumnElement[bool]] = [expiry.ended(before), expiry.present()]
        for why, stays in STAYING.items():
            wanted = select(func.count()).select_from(rerun).where(*earlier, stays())
            found[why] = int(self._session.execute(wanted).scalar_one())
            earlier.append(~stays())
        return found

    def note(self, cleaning: Cleaning, *, actor: str) -> None:
        """See `Retention.note`."""
        audit.log_cleaning(cleaning, actor=actor, now=self._clock.now(), session=self._session)

    def _begin(self, cleaning: Cleaning, rows: int) -> Cleaning:
        """Mark some more reruns, or count what they have."""
        limit = max(1, min(rows // ROWS_OF_A_RERUN, MOST_AT_ONCE))
        ids = tuple(expiry.candidates(self._session, may_go(cleaning.before), cleaning.last, limit))
        if not ids:
            return replace(cleaning, records_done=True)
        if cleaning.dry_run:
            return replace(cleaning, last=ids[-1], rows=cleaning.more(expiry.count(self._session, ids)))
        expiry.mark(self._session, ids, cleaning.archive)
        return self._remove(replace(cleaning, last=ids[-1], reruns=ids), rows)

    def _remove(self, cleaning: Cleaning, rows: int) -> Cleaning:
        """Remove rows of those that are going."""
        ids = cleaning.reruns or ()
        gone, all_of_them = expiry.remove(self._session, ids, rows)
        return replace(cleaning, reruns=() if all_of_them else ids, rows=cleaning.more(gone))

    def _strays(self, cleaning: Cleaning, rows: int) -> Cleaning:
        """Look at some more rows that belong to no record."""
        table, is_gone = STRAYS[cleaning.table]
        gone = is_gone(cleaning)
        keys, key = expiry.stray(self._session, table, gone, cleaning.key, rows)
        number = len(keys) if cleaning.dry_run else expiry.remove_keys(self._session, table, keys, gone)
        more = cleaning.more({table.name: number}) if number else cleaning.rows
        following = cleaning.table if key is not None else cleaning.table + 1
        return replace(cleaning, table=following, key=key, rows=more, done=following == len(STRAYS))
