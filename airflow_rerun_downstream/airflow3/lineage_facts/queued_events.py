"""Asset events that Dags are going to consume in a run that Airflow hasn't made yet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.models import asset as models
from airflow.models.asset import alias_association_table as ALIASED
from airflow.models.asset import asset_alias_asset_event_association_table as THROUGH
from airflow.models.asset import association_table as CONSUMED
from airflow.models.dag import DagModel
from sqlalchemy import and_, case, exists, func, literal, null, or_, select, true, union_all

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts import latest_dags
from airflow_rerun_downstream.airflow3.lineage_facts.emitted_events import ASSET, EVENT, EVENT_COLUMNS
from airflow_rerun_downstream.airflow3.lineage_facts.inlets import BY_ALIAS, BY_ASSET, DAG
from airflow_rerun_downstream.airflow3.lineage_facts.runs import RUN
from airflow_rerun_downstream.airflow3.versions import HAS_PARTITIONS, QUEUED_BY_EVENT
from airflow_rerun_downstream.domain.freeze import WaitingAsset
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store.tables import parked, parked_event

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from sqlalchemy.sql import ColumnElement

QUEUE = models.AssetDagRunQueue.__table__.c

LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


def waiting_assets(session: Session, producers: Collection[RunRef]) -> list[WaitingAsset]:
    """The events of ``producers`` that no run of a Dag has consumed and its next one will. A few statements.

    They are looked for from the Dags that wait: since the last run of each there are few events.
    """
    found: set[WaitingAsset] = set()
    catching = catching_up(session) if QUEUED_BY_EVENT and producers else frozenset[str]()
    for some in chunks(producers):
        found |= {waiting(row) for row in session.execute(in_next_window(session, some, catching))}
        if QUEUED_BY_EVENT:
            found |= {waiting(row) for row in session.execute(queued(session, some))}
        if HAS_PARTITIONS:
            found |= {waiting(row) for row in session.execute(with_pending_key(session, some))}
    return sorted(found, key=lambda one: (one.event_id, one.dag_id, one.partition_key or ""))


def catching_up(session: Session) -> frozenset[str]:
    """The Dags whose next run also consumes what was never queued for them: all events that none of theirs has."""
    active, _ = latest_dags.active(session)
    return frozenset(parsed.structure.dag_id for parsed in latest_dags.readable(active) if parsed.catchup)


def waiting(row: Any) -> WaitingAsset:
    """An event and the Dag that waits for it."""
    return WaitingAsset(
        producer=RunRef(row.source_dag_id, row.source_run_id),
        task_id=row.source_task_id,
        map_index=row.source_map_index,
        event_id=row.id,
        asset=row.uri,
        dag_id=row.dag_id,
        partition_key=row.partition_key,
    )


def queued(session: Session, producers: Collection[RunRef]) -> Any:
    """Events and the Dags that they are queued for, in sight of the scheduler or parked."""
    rows = union_all(
        select(QUEUE.target_dag_id.label("dag_id"), QUEUE.asset_event_id.label("event_id")),
        select(parked_event.c.dag_id, parked_event.c.event_id),
    ).subquery("queued")
    return (
        select(*EVENT_COLUMNS, rows.c.dag_id, null().label("partition_key"))
        .select_from(rows)
        .join(DagModel.__table__, and_(DAG.dag_id == rows.c.dag_id, DAG.is_stale.is_(False)))
        .join(models.AssetEvent.__table__, EVENT.id == rows.c.event_id)
        .join(models.AssetModel.__table__, ASSET.id == EVENT.asset_id)
        .where(
            pair_in(session, EVENT.source_dag_id, EVENT.source_run_id, names(producers)),
            ~consumed_by(rows.c.dag_id),
        )
    )


def consumed_by(dag_id: Any) -> ColumnElement[bool]:
    """Whether a run of the Dag has consumed the event."""
    return exists().where(CONSUMED.c.event_id == EVENT.id, CONSUMED.c.dag_run_id == RUN.id, RUN.dag_id == dag_id)


def in_next_window(session: Session, producers: Collection[RunRef], catching: Collection[str]) -> Any:
    """Events and the Dags whose next run consumes them: all since the last run, whatever it is that starts the next.

    Where what is queued names its event, that holds only of Dags for which something was parked before Airflow was
    upgraded. And those that are ``catching`` up consume whatever they haven't.
    """
    last = (
        select(func.max(RUN.run_after))
        .where(RUN.dag_id == DAG.dag_id, RUN.run_type == "asset_triggered")
        .correlate(DagModel.__table__)
        .scalar_subquery()
    )
    always = literal(LONG_AGO, EVENT.timestamp.type)
    late = DAG.dag_id.in_(sorted(catching))
    since = case((late, always), else_=func.coalesce(last, always)).label("since")
    active = and_(
        DAG.is_stale.is_(False),
        DAG.timetable_partitioned.is_(False) if HAS_PARTITIONS else true(),
        or_(late, exists().where(parked.c.dag_id == DAG.dag_id)) if QUEUED_BY_EVENT else true(),
    )
    due = union_all(
        select(DAG.dag_id, BY_ASSET.asset_id, null().label("alias_id"), since)
        .where(BY_ASSET.dag_id == DAG.dag_id, active),
        select(DAG.dag_id, ALIASED.c.asset_id, BY_ALIAS.alias_id, since)
        .where(BY_ALIAS.dag_id == DAG.dag_id, ALIASED.c.alias_id == BY_ALIAS.alias_id, active),
    ).subquery("due")  # fmt: skip
    through = exists().where(THROUGH.c.alias_id == due.c.alias_id, THROUGH.c.event_id == EVENT.id)
    return (
        select(*EVENT_COLUMNS, due.c.dag_id, null().label("partition_key"))
        .select_from(due)
        .join(models.AssetEvent.__table__, and_(EVENT.asset_id == due.c.asset_id, EVENT.timestamp > due.c.since))
        .join(models.AssetModel.__table__, ASSET.id == EVENT.asset_id)
        .where(
            pair_in(session, EVENT.source_dag_id, EVENT.source_run_id, names(producers)),
            or_(due.c.alias_id.is_(None), through),
            ~consumed_by(due.c.dag_id),
        )
    )


def with_pending_key(session: Session, producers: Collection[RunRef]) -> Any:
    """Events, and the Dag and key of the partitioned run that is going to consume them, parked or not."""
    logged, pending = models.PartitionedAssetKeyLog.__table__.c, models.AssetPartitionDagRun.__table__.c
    return (
        select(*EVENT_COLUMNS, logged.target_dag_id.label("dag_id"), logged.target_partition_key.label("partition_key"))
        .select_from(models.PartitionedAssetKeyLog.__table__)
        .join(models.AssetPartitionDagRun.__table__, pending.id == logged.asset_partition_dag_run_id)
        .join(DagModel.__table__, and_(DAG.dag_id == logged.target_dag_id, DAG.is_stale.is_(False)))
        .join(models.AssetEvent.__table__, EVENT.id == logged.asset_event_id)
        .join(models.AssetModel.__table__, ASSET.id == EVENT.asset_id)
        .where(
            pair_in(session, EVENT.source_dag_id, EVENT.source_run_id, names(producers)),
            pending.created_dag_run_id.is_(None),
        )
    )
