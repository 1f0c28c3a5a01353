"""What keeps runs from being made or started: holds on runs of timetables, parking for those of assets.

A held run is queued with a ``run_after`` far away, so its scheduler passes over it; the row of its hold has the true
one. A hold may have no run yet: `dag_run_insert` gives it one when the scheduler makes the run, or another one in its
place.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from sqlalchemy import and_, case, delete, false, func, insert, select, update

from airflow_rerun_downstream.airflow3.database import audit
from airflow_rerun_downstream.airflow3.database.clock import utc_now
from airflow_rerun_downstream.airflow3.holding import lost_runs, parking
from airflow_rerun_downstream.airflow3.holding.held_until import FAR
from airflow_rerun_downstream.airflow3.lineage_facts.schedules import schedules
from airflow_rerun_downstream.airflow3.versions import DAGS_DRAIN
from airflow_rerun_downstream.domain.errors import CannotFreeze
from airflow_rerun_downstream.domain.freeze import DagSchedule, Hold
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.store.executor import changed
from airflow_rerun_downstream.store.schema import DIALECTS
from airflow_rerun_downstream.store.tables import hold, rerun

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

DRAINING = DagModel.__table__.c.is_draining if DAGS_DRAIN else false()

LOCKED_WITHIN = 10.0
LOCK_EVERY = 0.05
"""Seconds for which the Dags' rows are asked for without waiting in a queue, and between two attempts."""


class AirflowFreezer:
    """`Freezer` on one session. It flushes and never commits: that is the caller's."""

    def __init__(self, session: Session, *, clock: Clock | None = None) -> None:
        self._session = session
        self._now = clock.now if clock is not None else utc_now

    def lock(self, dag_ids: Collection[str]) -> None:
        """Keep the scheduler from making runs of the Dags, and tasks from queueing for them, until the commit.

        All rows are taken at once or none: a task that succeeds takes them too, in an order of its own, and must
        not end in a deadlock with this.
        """
        wanted = select(DagModel.dag_id).where(DagModel.dag_id.in_(sorted(dag_ids))).order_by(DagModel.dag_id)
        if self._session.get_bind().dialect.name == "sqlite":
            nothing = update(DagModel).where(DagModel.dag_id.in_(sorted(dag_ids)))
            self._session.execute(
                nothing.values(is_paused=DagModel.is_paused).execution_options(synchronize_session=False)
            )
            return
        there = len(self._session.scalars(wanted).all())
        until = time.monotonic() + LOCKED_WITHIN
        while time.monotonic() < until:
            with suppress(_NotAll), self._session.begin_nested():
                if len(self._session.scalars(wanted.with_for_update(skip_locked=True)).all()) < there:
                    raise _NotAll
                return
            time.sleep(LOCK_EVERY)
        self._session.execute(wanted.with_for_update())

    def freeze(self, member_id: int, target: RunRef | FutureRef, *, rerun_id: int) -> None:
        """Take out a hold for a member. `lock` its Dag first.

        Raises `CannotFreeze` with ``run_gone``, ``dag_gone``, ``already_started``, ``manual_run``, ``backfill_run``,
        ``timetable_uses_run_after`` or ``asset_watcher``.
        """
        if isinstance(target, RunRef):
            self._freeze_run(member_id, target, rerun_id=rerun_id)
            return
        schedule = self._schedule(target.dag_id)
        if target.logical_date is None:
            self._freeze_assets(member_id, target, schedule, rerun_id=rerun_id)
            return
        if schedule.cannot_hold:
            raise CannotFreeze(schedule.cannot_hold)
        made = self._run(DagRun.dag_id == target.dag_id, DagRun.logical_date == target.logical_date)
        if made is not None:  # since the plan was made
            self._freeze_run(member_id, RunRef(made.dag_id, made.run_id), rerun_id=rerun_id)
            return
        self._add(member_id, rerun_id, target.dag_id, logical_date=target.logical_date, assets=False)

    def holds(self, rerun_ids: Collection[int]) -> list[Hold]:
        """The holds of reruns, in the order of their members. One statement.

        Airflow may make a run that was deleted anew, under the same id. It isn't held: its ``run_after`` tells.
        """
        held, taken = DagRun.__table__.alias(), DagRun.__table__.alias()
        same = and_(held.c.dag_id == hold.c.dag_id, held.c.run_id == hold.c.run_id, held.c.run_after == FAR)
        wanted = (
            select(
                hold.c.member_id, hold.c.rerun_id, hold.c.dag_id, hold.c.run_id, hold.c.run_after,
                held.c.state.label("run_state"), taken.c.run_id.label("taken_by"), held.c.logical_date,
                case((held.c.id.is_not(None), DRAINING), else_=false()).label("draining"),
            )
            .select_from(
                hold.outerjoin(DagModel.__table__, DagModel.dag_id == hold.c.dag_id)
                .outerjoin(held, same)
                .outerjoin(
                    taken,
                    and_(
                        hold.c.run_id.is_(None),
                        taken.c.dag_id == hold.c.dag_id,
                        taken.c.logical_date == hold.c.logical_date,
                    ),
                )
            )
            .where(hold.c.rerun_id.in_(sorted(rerun_ids)))
            .order_by(hold.c.member_id)
        )  # fmt: skip
        return [Hold(**row._mapping) for row in self._session.execute(wanted)]

    def sweep(self) -> None:
        """Park what was queued for a frozen Dag by a transaction that didn't see the freeze yet."""
        supported = self._session.get_bind().dialect.name in DIALECTS
        keys = parking.frozen(self._session) if supported else None
        if keys:
            parking.park(self._session, keys)

    def release(self, member_id: int, *, rerun_id: int, actor: str) -> bool:
        """Give a member's hold up; False if it has none. The last one of a run, or of a Dag's assets, sets it free."""
        # Whoever comes second waits here: for another release, or for the scheduler that is just making the run.
        row = self._session.execute(select(hold).where(hold.c.member_id == member_id).with_for_update()).first()
        if row is None:
            return False
        run = None
        if row.assets:
            self.lock([row.dag_id])
        elif row.run_id is not None:
            run = self._run(DagRun.dag_id == row.dag_id, DagRun.run_id == row.run_id)
        if not changed(self._session, delete(hold).where(hold.c.member_id == member_id)):
            return False
        if row.assets:
            parking.unpark(self._session, row.dag_id)
        elif run is not None:
            self._release(run, row.run_after, rerun_id=rerun_id, actor=actor)
        return True

    def lost(self) -> list[RunRef]:
        """The runs that are held, and that no hold names."""
        return [lost.ref for lost in lost_runs.lost(self._session)]

    def rescue(self, ref: RunRef, *, actor: str) -> datetime | None:
        """Let a lost run go, at its own time."""
        return lost_runs.rescue(self._session, ref, actor=actor, now=self._now())

    def _freeze_run(self, member_id: int, ref: RunRef, *, rerun_id: int) -> None:
        run = self._run(DagRun.dag_id == ref.dag_id, DagRun.run_id == ref.run_id)
        if run is None:
            raise CannotFreeze("run_gone")
        true = self._true_run_after(run)
        if reason := self._cannot_hold(run, true):
            raise CannotFreeze(reason)
        self._add(
            member_id,
            rerun_id,
            ref.dag_id,
            run_id=ref.run_id,
            logical_date=run.logical_date,
            run_after=true,
            held_at=self._now(),
            assets=False,
        )
        run.run_after = FAR
        self._session.flush()
        actor = self._session.scalar(select(rerun.c.created_by).where(rerun.c.id == rerun_id)) or ""
        audit.note_hold(run.id, true, rerun_id=rerun_id, now=self._now(), session=self._session)
        self._log(run, "hold", rerun_id=rerun_id, actor=actor)

    def _freeze_assets(self, member_id: int, target: FutureRef, schedule: DagSchedule, *, rerun_id: int) -> None:
        if schedule.cannot_park:
            raise CannotFreeze(schedule.cannot_park)
        if not schedule.asset_scheduled:
            raise CannotFreeze("dag_gone")
        key = target.partition_key if schedule.partitioned else None
        self._add(member_id, rerun_id, target.dag_id, partition_key=key, held_at=self._now(), assets=True)
        parking.park(self._session, parking.frozen(self._session, [target.dag_id]))

    def _schedule(self, dag_id: str) -> DagSchedule:
        found = schedules(self._session, [dag_id], upcoming=0).get(dag_id)
        stale = self._session.scalar(select(DagModel.is_stale).where(DagModel.dag_id == dag_id))
        if found is None or stale is not False:
            raise CannotFreeze("dag_gone")
        return found

    def _cannot_hold(self, run: DagRun, true: datetime) -> str | None:
        """Why a run that there is can't be held: it must be one that time starts, and wait for it."""
        kind = getattr(run.run_type, "value", run.run_type)
        if run.backfill_id is not None or kind == "backfill":
            return "backfill_run"
        if kind not in ("scheduled", "asset_triggered"):
            return "manual_run"
        if kind != "scheduled" or run.state != "queued" or (true <= self._now() and run.run_after != FAR):
            return "already_started"
        return self._schedule(run.dag_id).cannot_hold

    def _true_run_after(self, run: DagRun) -> datetime:
        """What a run's ``run_after`` is without the holds that it has."""
        wanted = select(hold.c.run_after).where(hold.c.dag_id == run.dag_id, hold.c.run_id == run.run_id)
        known: datetime | None = self._session.scalar(wanted.limit(1))
        found: datetime = run.run_after
        return known if known is not None and found == FAR else found

    def _release(self, run: DagRun, true: datetime, *, rerun_id: int, actor: str) -> None:
        others = select(func.count()).where(hold.c.dag_id == run.dag_id, hold.c.run_id == run.run_id)
        if not self._session.scalar(others) and run.run_after == FAR:
            run.run_after = true
            self._session.flush()
        with audit.best_effort(self._session, "A release"):
            audit.note_release(run.id, rerun_id=rerun_id, now=self._now(), session=self._session)
            self._log(run, "release", rerun_id=rerun_id, actor=actor)

    def _run(self, *conditions: Any) -> DagRun | None:
        """A run as it is now, locked until the commit."""
        found = select(DagRun).where(*conditions).with_for_update(of=DagRun)
        return self._session.scalar(found.execution_options(populate_existing=True))

    def _add(self, member_id: int, rerun_id: int, dag_id: str, **values: Any) -> None:
        self._session.execute(insert(hold).values(member_id=member_id, rerun_id=rerun_id, dag_id=dag_id, **values))

    def _log(self, run: DagRun, event: str, *, rerun_id: int, actor: str) -> None:
        audit.log_run_event(run, event, rerun_id=rerun_id, actor=actor, now=self._now(), session=self._session)


class _NotAll(Exception):
    """Somebody else holds one of the rows; those that were taken are given back."""
