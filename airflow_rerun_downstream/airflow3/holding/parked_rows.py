"""The rows of Airflow's queue that are parked, and how they get back into it.

Up to Airflow 3.3 a row of the queue stands for an asset, and the Dag's next run consumes all its events since the last
run, up to the row's moment. Since 3.4 it stands for one event. So there are two tables of ours. Where Airflow was
upgraded or downgraded in between, what is parked in the other one is turned into rows of today's queue as Airflow's own
migration has done it with its queue (``0128_3_4_0_add_asset_event_id_to_adrq``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.models.asset import AssetDagRunQueue, AssetEvent, AssetModel
from airflow.models.asset import association_table as CONSUMED
from airflow.models.dagrun import DagRun
from sqlalchemy import and_, case, delete, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from airflow_rerun_downstream.airflow3.lineage_facts.emitted_events import ASSET
from airflow_rerun_downstream.airflow3.lineage_facts.inlets import BY_ASSET, scheduled_by
from airflow_rerun_downstream.airflow3.versions import QUEUED_BY_EVENT
from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.tables import parked, parked_event, repeat

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session
    from sqlalchemy.sql import ColumnElement

EVENT, QUEUE, RUN = AssetEvent.__table__, AssetDagRunQueue.__table__, DagRun.__table__

UPSERTS = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
"""On any other database nothing is parked: freezing is refused there."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)

Rows = Sequence[Mapping[str, Any]]


def park_rows(executor: Executor, dag_ids: Collection[str]) -> None:
    """Take what is queued for Dags out of the queue. It must have been flushed."""
    rows = executor.execute(
        select(QUEUE)
        .where(QUEUE.c.target_dag_id.in_(sorted(dag_ids)))
        .order_by(*QUEUE.primary_key.columns)
        .with_for_update(of=QUEUE)
    ).all()
    if not rows:
        return
    put(executor, parked_event if QUEUED_BY_EVENT else parked, [as_parked(row) for row in rows])
    for row in rows:
        executor.execute(delete(QUEUE).where(*(key == row._mapping[key] for key in QUEUE.primary_key.columns)))


def as_parked(row: Any) -> dict[str, Any]:
    """A row of the queue as it is kept."""
    kept = {"dag_id": row.target_dag_id, "created_at": row.created_at}
    return {**kept, "event_id": row.asset_event_id} if QUEUED_BY_EVENT else {**kept, "asset_id": row.asset_id}


def put(executor: Executor, table: Table, values: Rows) -> None:
    """Insert rows that have a ``created_at``; of one that is there already, the later moment counts.

    A row that stands for an asset must cover all events up to it.
    """
    connection = executor if isinstance(executor, Connection) else executor.connection()
    into: Any = UPSERTS[connection.dialect.name]
    added = into(table).values(list(values))
    later = case((added.excluded.created_at > table.c.created_at, added.excluded.created_at), else_=table.c.created_at)
    key = list(table.primary_key.columns)
    connection.execute(added.on_conflict_do_update(index_elements=key, set_={"created_at": later}))


def put_in_place(
    executor: Executor, event_id: int, *, asset_id: int, of: Collection[int], dag_ids: Collection[str]
) -> None:
    """Let an event be queued in the place of others, wherever these still wait for a run of the Dags, parked or not.

    What the scheduler is just consuming is left to it. Where the queue has a row for each asset, the next run takes
    every event since the last one anyway.
    """
    if not QUEUED_BY_EVENT or not dag_ids:
        return
    new = {QUEUE: {"asset_event_id": event_id, "asset_id": asset_id}, parked_event: {"event_id": event_id}}
    for table, values in new.items():
        dag_id, event = table.primary_key.columns
        rows = executor.execute(
            select(dag_id, event, table.c.created_at)
            .where(dag_id.in_(sorted(dag_ids)), event.in_(sorted(of)))
            .order_by(dag_id, event)
            .with_for_update(of=table, skip_locked=True)
        ).all()
        for target, original, created_at in rows:
            put(executor, table, [{dag_id.name: target, "created_at": created_at, **values}])
            executor.execute(delete(table).where(dag_id == target, event == original))


def unpark_rows(session: Session, dag_id: str) -> None:
    """Put back what was parked for a Dag; not what a run has consumed, or what starts the Dag no more."""
    rows = events_to_queue(session, dag_id) if QUEUED_BY_EVENT else assets_to_queue(session, dag_id)
    for table in (parked, parked_event):
        session.execute(delete(table).where(table.c.dag_id == dag_id))
    if rows:
        put(session, QUEUE, rows)


def events_to_queue(session: Session, dag_id: str) -> Rows:
    """The rows for a queue of events."""
    kept = (
        select(EVENT.c.id, EVENT.c.asset_id, parked_event.c.created_at)
        .join(parked_event, parked_event.c.event_id == EVENT.c.id)
        .where(parked_event.c.dag_id == dag_id, *still_to_consume(dag_id))
    )
    found = {row.id: row for row in [*replayed(session, dag_id), *session.execute(kept)]}
    return [
        {"target_dag_id": dag_id, "asset_event_id": number, "asset_id": row.asset_id, "created_at": row.created_at}
        for number, row in sorted(found.items())
    ]


def replayed(session: Session, dag_id: str) -> Sequence[Any]:
    """The events for which rows of assets stand: those that the next run would have consumed before the upgrade.

    Of an event and its repeat, which have never been queued both, the former.
    """
    until = session.scalar(select(func.max(parked.c.created_at)).where(parked.c.dag_id == dag_id))
    if until is None:
        return ()
    last = select(func.max(RUN.c.run_after)).where(
        RUN.c.dag_id == dag_id, RUN.c.run_type == "asset_triggered", RUN.c.run_after < until
    )
    began = select(BY_ASSET.created_at).where(BY_ASSET.dag_id == dag_id, BY_ASSET.asset_id == EVENT.c.asset_id)
    since = session.scalar(last) or func.coalesce(began.scalar_subquery(), LONG_AGO)
    rows = session.execute(
        select(EVENT.c.id, EVENT.c.asset_id, EVENT.c.timestamp.label("created_at"))
        .join(parked, and_(parked.c.dag_id == dag_id, parked.c.asset_id == EVENT.c.asset_id))
        .where(EVENT.c.timestamp <= until, EVENT.c.timestamp > since, *still_to_consume(dag_id))
    ).all()
    ids = {row.id for row in rows}
    pairs = select(repeat.c.event_id).where(repeat.c.event_id.in_(ids), repeat.c.original_id.in_(ids))
    repeats = set(session.scalars(pairs)) if ids else set()
    return [row for row in rows if row.id not in repeats]


def assets_to_queue(session: Session, dag_id: str) -> Rows:
    """The rows for a queue of assets."""
    last = session.scalar(
        select(func.max(RUN.c.run_after)).where(RUN.c.dag_id == dag_id, RUN.c.run_type == "asset_triggered")
    )
    kept = (
        select(parked.c.asset_id, parked.c.created_at)
        .join(AssetModel.__table__, ASSET.id == parked.c.asset_id)
        .where(parked.c.dag_id == dag_id, scheduled_by(dag_id))
    )
    of_events = (
        select(EVENT.c.asset_id, func.max(EVENT.c.timestamp).label("created_at"))
        .join(parked_event, parked_event.c.event_id == EVENT.c.id)
        .where(parked_event.c.dag_id == dag_id, *still_to_consume(dag_id))
        .group_by(EVENT.c.asset_id)
    )
    found: dict[int, datetime] = {}
    for row in [*session.execute(kept), *session.execute(of_events)]:
        found[row.asset_id] = max(row.created_at, found.get(row.asset_id, LONG_AGO))
    return [
        {"target_dag_id": dag_id, "asset_id": asset_id, "created_at": moment}
        for asset_id, moment in sorted(found.items())
        if last is None or moment > last
    ]


def still_to_consume(dag_id: str) -> tuple[ColumnElement[bool], ...]:
    """Conditions on an event: its asset starts the Dag, none of whose runs has consumed it."""
    known = exists().where(ASSET.id == EVENT.c.asset_id, scheduled_by(dag_id))
    run = and_(CONSUMED.c.event_id == EVENT.c.id, RUN.c.id == CONSUMED.c.dag_run_id, RUN.c.dag_id == dag_id)
    return known, ~exists().where(run)
