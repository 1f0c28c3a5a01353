"""Tasks that read assets as inlets. Airflow knows that they do, but keeps no record of what a run has read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.models.asset import (
    AssetAliasModel,
    AssetEvent,
    AssetModel,
    DagScheduleAssetAliasReference,
    DagScheduleAssetNameReference,
    DagScheduleAssetReference,
    DagScheduleAssetUriReference,
    TaskInletAssetReference,
)
from airflow.models.asset import alias_association_table as ALIASED
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import and_, exists, func, not_, or_, select

from airflow_rerun_downstream.airflow3.facts.assets import ASSET, EVENT, emitted_by
from airflow_rerun_downstream.airflow3.facts.runs import RUN, RUN_COLUMNS, TI, complete
from airflow_rerun_downstream.airflow3.pairs import chunks, one_in, pair_in
from airflow_rerun_downstream.domain.facts import AssetEmission, InletDefinition, TaskStart
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from sqlalchemy.sql import ColumnElement

    from airflow_rerun_downstream.airflow3.facts.parsing import NamedAsset

DAG = DagModel.__table__.c
ALIAS = AssetAliasModel.__table__.c
INLET = TaskInletAssetReference.__table__.c
BY_ASSET = DagScheduleAssetReference.__table__.c
BY_ALIAS = DagScheduleAssetAliasReference.__table__.c
BY_NAME = DagScheduleAssetNameReference.__table__.c
BY_URI = DagScheduleAssetUriReference.__table__.c

DID_NOTHING = ("skipped", "upstream_failed", "removed")


def definitions(session: Session, named: Collection[NamedAsset] = ()) -> tuple[InletDefinition, ...]:
    """The inlets of active Dags, but for the assets that schedule the Dag: those links are recorded.

    One statement, and one more where tasks name what they read (``named``): Airflow keeps no row of these.
    """
    wanted = (
        select(INLET.dag_id, INLET.task_id, INLET.asset_id, ASSET.uri)
        .select_from(TaskInletAssetReference.__table__)
        .join(AssetModel.__table__, ASSET.id == INLET.asset_id)
        .join(DagModel.__table__, DAG.dag_id == INLET.dag_id)
        .where(DAG.is_stale.is_(False), not_(scheduled_by(INLET.dag_id)))
    )
    found = {InletDefinition(*row) for row in session.execute(wanted)}
    if named:
        found |= {inlet for some in meant(session, named).values() for inlet in some}
    return tuple(sorted(found, key=lambda one: (one.dag_id, one.task_id, one.asset_id)))


def scheduled_by(dag_id: Any) -> ColumnElement[bool]:
    """Whether the asset schedules the Dag."""
    return or_(
        exists().where(BY_ASSET.dag_id == dag_id, BY_ASSET.asset_id == ASSET.id),
        exists().where(BY_NAME.dag_id == dag_id, BY_NAME.name == ASSET.name),
        exists().where(BY_URI.dag_id == dag_id, BY_URI.uri == ASSET.uri),
        exists().where(
            BY_ALIAS.dag_id == dag_id,
            BY_ALIAS.alias_id == ALIASED.c.alias_id,
            ALIASED.c.asset_id == ASSET.id,
        ),
    )


def meant(session: Session, named: Collection[NamedAsset]) -> dict[NamedAsset, set[InletDefinition]]:
    """The assets that tasks name: by name, by URI, or through an alias those that came through it so far."""
    found: dict[NamedAsset, set[InletDefinition]] = {}
    if not named:
        return found
    readers: dict[tuple[str, str], list[NamedAsset]] = {}
    for one in named:
        readers.setdefault((one.by, one.value), []).append(one)
    columns = {"name": ASSET.name, "uri": ASSET.uri, "alias": ALIAS.name}
    wanted = (
        select(ASSET.id, ASSET.name, ASSET.uri, ALIAS.name.label("alias"), DAG.dag_id)
        .select_from(AssetModel.__table__)
        .outerjoin(ALIASED, ALIASED.c.asset_id == ASSET.id)
        .outerjoin(AssetAliasModel.__table__, ALIAS.id == ALIASED.c.alias_id)
        .join(DagModel.__table__, one_in(session, DAG.dag_id, sorted({one.dag_id for one in named})))
        .where(
            or_(
                *(
                    one_in(session, column, sorted({value for kind, value in readers if kind == by}))
                    for by, column in columns.items()
                )
            ),
            not_(scheduled_by(DAG.dag_id)),
        )
    )
    for row in session.execute(wanted):
        for by in columns:
            for one in readers.get((by, getattr(row, by)), ()):
                if one.dag_id == row.dag_id:
                    found.setdefault(one, set()).add(InletDefinition(one.dag_id, one.task_id, row.id, row.uri))
    return found


def asset_emissions(session: Session, producers: Collection[RunRef], asset_ids: Collection[int]) -> list[AssetEmission]:
    """The events of runs for assets, each with the time of the next one that another run emitted."""
    if not asset_ids:
        return []
    return [
        AssetEmission(
            producer=RunRef(row.source_dag_id, row.source_run_id),
            task_id=row.source_task_id,
            event_id=row.id,
            asset_id=row.asset_id,
            at=row.timestamp,
            until=row.until,
        )
        for some in chunks(producers)
        for row in session.execute(events_of(session, some, asset_ids))
    ]


def events_of(session: Session, producers: Collection[RunRef], asset_ids: Collection[int]) -> Any:
    """The events of runs, with the time until which they were the last that a reader saw."""
    later = AssetEvent.__table__.alias()
    until = (
        select(func.min(later.c.timestamp))
        .where(
            later.c.asset_id == EVENT.asset_id,
            later.c.timestamp > EVENT.timestamp,
            or_(
                later.c.source_run_id.is_(None),  # somebody told of it over REST
                later.c.source_run_id != EVENT.source_run_id,
                later.c.source_dag_id != EVENT.source_dag_id,
            ),
        )
        .scalar_subquery()
    )
    return (
        select(
            EVENT.id, EVENT.asset_id, EVENT.source_dag_id, EVENT.source_run_id, EVENT.source_task_id,
            EVENT.timestamp, until.label("until"),
        )
        .where(one_in(session, EVENT.asset_id, asset_ids), *emitted_by(session, producers))
        .order_by(EVENT.id)
    )  # fmt: skip


def task_starts(
    session: Session, tasks: Collection[tuple[str, str]], *, since: datetime, until: datetime | None
) -> list[TaskStart]:
    """When instances of tasks started, in the order of time. Runs that had ended before aren't looked into."""
    if not tasks:
        return []
    wanted = (
        select(TI.task_id, TI.map_index, TI.start_date.label("began"), *RUN_COLUMNS)
        .select_from(
            DagRun.__table__.join(TaskInstance.__table__, and_(TI.dag_id == RUN.dag_id, TI.run_id == RUN.run_id))
        )
        .where(
            pair_in(session, TI.dag_id, TI.task_id, sorted(tasks)),
            one_in(session, RUN.dag_id, sorted({dag_id for dag_id, _ in tasks})),
            TI.start_date >= since,
            or_(TI.state.is_(None), TI.state.not_in(DID_NOTHING)),
            or_(RUN.end_date.is_(None), RUN.end_date >= since),
        )
        .order_by(TI.start_date, RUN.id)
    )
    if until is not None:
        wanted = wanted.where(TI.start_date < until)
    rows = session.execute(wanted).all()
    known = complete(session, rows) if rows else {}
    return [TaskStart(known[RunRef(row.dag_id, row.run_id)], row.task_id, row.map_index, row.began) for row in rows]
