"""Asset events that Dags are going to consume in a run that Airflow hasn't made yet."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow.models import asset as models
from airflow.models.asset import asset_alias_asset_event_association_table as THROUGH
from airflow.models.asset import association_table as CONSUMED
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from sqlalchemy import and_, exists, func, or_, select, true

from airflow_rerun_downstream.airflow3.facts.assets import EVENT, events_of
from airflow_rerun_downstream.airflow3.facts.inlets import BY_ALIAS, BY_ASSET, DAG
from airflow_rerun_downstream.airflow3.facts.runs import RUN
from airflow_rerun_downstream.airflow3.pairs import chunks, one_in
from airflow_rerun_downstream.domain.freeze import WaitingAsset
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

PARTITIONED = hasattr(models, "AssetPartitionDagRun")
"""Airflow 3.1 has no partitions."""


def waiting_assets(session: Session, producers: Collection[RunRef]) -> list[WaitingAsset]:
    """The events of ``producers`` that no run of a Dag has consumed and its next one will. A few statements."""
    events = {event.id: event for some in chunks(producers) for event in events_of(session, some)}
    found: list[WaitingAsset] = []
    for some in chunks(sorted(events)):
        rows = [(row.event_id, row.dag_id, None) for row in session.execute(in_next_window(session, some))]
        if PARTITIONED:
            rows += [tuple(row) for row in session.execute(with_pending_key(session, some))]
        found += [waiting(events[number], dag_id, key) for number, dag_id, key in rows]
    return sorted(found, key=lambda one: (one.event_id, one.dag_id, one.partition_key or ""))


def waiting(event: Any, dag_id: str, partition_key: str | None) -> WaitingAsset:
    """An event and the Dag that waits for it."""
    return WaitingAsset(
        producer=RunRef(event.source_dag_id, event.source_run_id),
        task_id=event.source_task_id,
        map_index=event.source_map_index,
        event_id=event.id,
        asset=event.uri,
        dag_id=dag_id,
        partition_key=partition_key,
    )


def in_next_window(session: Session, event_ids: Collection[int]) -> Any:
    """Events and the Dags whose next run consumes them: all since the last run, whatever it is that starts the next."""
    consumer = DagRun.__table__.alias()
    last = (
        select(func.max(RUN.run_after))
        .where(RUN.dag_id == DAG.dag_id, RUN.run_type == "asset_triggered")
        .correlate(DagModel.__table__)
        .scalar_subquery()
    )
    waits = or_(
        exists().where(BY_ASSET.dag_id == DAG.dag_id, BY_ASSET.asset_id == EVENT.asset_id),
        exists().where(BY_ALIAS.dag_id == DAG.dag_id, BY_ALIAS.alias_id == THROUGH.c.alias_id,
                       THROUGH.c.event_id == EVENT.id),
    )  # fmt: skip
    consumed = exists().where(
        CONSUMED.c.event_id == EVENT.id, CONSUMED.c.dag_run_id == consumer.c.id, consumer.c.dag_id == DAG.dag_id
    )
    return (
        select(EVENT.id.label("event_id"), DAG.dag_id)
        .select_from(models.AssetEvent.__table__.join(DagModel.__table__, waits))
        .where(one_in(session, EVENT.id, event_ids), DAG.is_stale.is_(False), ~consumed)
        .where(DAG.timetable_partitioned.is_(False) if PARTITIONED else true())
        .where(or_(last.is_(None), EVENT.timestamp > last))
    )


def with_pending_key(session: Session, event_ids: Collection[int]) -> Any:
    """Events, and the Dag and key of the partitioned run that is going to consume them.

    A key's log with a negative number is parked: its Dag is frozen.
    """
    logged, pending = models.PartitionedAssetKeyLog.__table__.c, models.AssetPartitionDagRun.__table__.c
    return (
        select(logged.asset_event_id, logged.target_dag_id, logged.target_partition_key)
        .select_from(models.PartitionedAssetKeyLog.__table__)
        .outerjoin(models.AssetPartitionDagRun.__table__, pending.id == logged.asset_partition_dag_run_id)
        .join(DagModel.__table__, and_(DAG.dag_id == logged.target_dag_id, DAG.is_stale.is_(False)))
        .where(
            one_in(session, logged.asset_event_id, event_ids),
            or_(
                logged.asset_partition_dag_run_id < 0,
                and_(pending.id.is_not(None), pending.created_dag_run_id.is_(None)),
            ),
        )
    )
