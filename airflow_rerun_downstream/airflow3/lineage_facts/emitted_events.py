"""The asset events that runs have emitted. Airflow has no index on them by the run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.dagrun import DagRun
from sqlalchemy import exists, false, func, literal, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import names, one_in, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.emitted_assets import emitted_assets
from airflow_rerun_downstream.airflow3.versions import RUNS_KEEP_CREATED_AT
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, LIVE_TASK_STATES
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

EVENT = AssetEvent.__table__.c
ASSET = AssetModel.__table__.c
RUN = DagRun.__table__.c
TI = task_tables.TASK.c

CREATED_AT = RUN.created_at if RUNS_KEEP_CREATED_AT else literal(None)

BEFORE, AFTER = timedelta(hours=1), timedelta(hours=6)
"""How far the clocks of workers, schedulers and api-servers may be apart."""

AT_WORK = tuple(sorted(LIVE_TASK_STATES | {"deferred", "up_for_reschedule", "up_for_retry", "scheduled"}))
"""States of a task that may still succeed, although its run has ended."""

EVENT_COLUMNS = (
    EVENT.id, EVENT.source_dag_id, EVENT.source_run_id, EVENT.source_task_id, EVENT.source_map_index, ASSET.uri,
)  # fmt: skip


def events_of(session: Session, producers: Collection[RunRef]) -> Sequence[Any]:
    """The events of runs, of whatever asset: those of an alias aren't among a task's declared outlets.

    Events are indexed by asset and time, so they are looked for among the assets that the runs' Dags have emitted,
    and while the runs were alive.
    """
    conditions = emitted_by(session, producers)
    assets = emitted_assets(session, {ref.dag_id for ref in producers})
    if assets is not None:
        conditions.append(one_in(session, EVENT.asset_id, sorted(assets)))
    wanted = (
        select(*EVENT_COLUMNS)
        .select_from(AssetModel.__table__.join(AssetEvent.__table__, ASSET.id == EVENT.asset_id))
        .where(*conditions)
    )
    return session.execute(wanted).all()


def emitted_by(session: Session, producers: Collection[RunRef]) -> list[Any]:
    """Conditions on events: they are those of the runs that there are, and as old as these. One statement."""
    mine = TI.dag_id == RUN.dag_id, TI.run_id == RUN.run_id
    last = select(func.max(TI.end_date)).where(*mine).correlate(DagRun.__table__).scalar_subquery()
    at_work = exists().where(*mine, TI.state.in_(AT_WORK)).correlate(DagRun.__table__)
    wanted = select(
        RUN.dag_id, RUN.run_id, RUN.state, CREATED_AT.label("created_at"), RUN.run_after, RUN.queued_at,
        RUN.start_date, RUN.end_date, last.label("last_end"), at_work.label("at_work"),
    ).where(pair_in(session, RUN.dag_id, RUN.run_id, names(producers)))  # fmt: skip
    lives = session.execute(wanted).all()
    if not lives:
        return [false()]
    there = [(life.dag_id, life.run_id) for life in lives]
    found = [pair_in(session, EVENT.source_dag_id, EVENT.source_run_id, there)]
    since, until = outermost(map(born, lives), min), outermost(map(ended, lives), max)
    if since is not None:
        found.append(EVENT.timestamp >= since - BEFORE)
    if until is not None:
        found.append(EVENT.timestamp <= until + AFTER)
    return found


def born(life: Any) -> datetime | None:
    """A moment before a run's first start; None: not known. ``start_date`` is its last start's.

    ``run_after`` doesn't tell while it is overwritten by a hold: it lies in the future then.
    """
    ready: datetime = life.run_after
    created: datetime | None = life.created_at
    if created is not None:
        return min(created, ready)
    started: datetime | None = life.start_date or life.queued_at
    return None if started is not None and ready > started else ready


def ended(life: Any) -> datetime | None:
    """When the run and all its tasks have ended; None: it may still emit.

    A run that a person, or a timeout, has ended may have tasks that go on for hours.
    """
    if life.state not in FINISHED_RUN_STATES or life.at_work or life.end_date is None:
        return None
    last: datetime = max(life.end_date, life.last_end or life.end_date)
    return last


def outermost(moments: Iterable[datetime | None], choose: Any) -> datetime | None:
    """The first or the last of moments; None if one isn't known."""
    found = list(moments)
    latest: datetime | None = None if None in found else choose(found)
    return latest
