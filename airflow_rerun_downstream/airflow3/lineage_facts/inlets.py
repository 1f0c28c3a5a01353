"""Tasks that read assets as inlets. Airflow knows that they do, but keeps no record of what a run has read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

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
from sqlalchemy import exists, func, null, or_, select, union_all

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, one_in
from airflow_rerun_downstream.airflow3.lineage_facts.emitted_events import ASSET, EVENT, emitted_by
from airflow_rerun_downstream.domain.definitions import AssetSchedule, InletDefinition, OutletDefinition
from airflow_rerun_downstream.domain.lineage_records import AssetEmission
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from sqlalchemy.sql import ColumnElement

    from airflow_rerun_downstream.airflow3.lineage_facts.serialized_dag import NamedAsset, ParsedDag

DAG = DagModel.__table__.c
ALIAS = AssetAliasModel.__table__.c
INLET = TaskInletAssetReference.__table__.c
BY_ASSET = DagScheduleAssetReference.__table__.c
BY_ALIAS = DagScheduleAssetAliasReference.__table__.c
BY_NAME = DagScheduleAssetNameReference.__table__.c
BY_URI = DagScheduleAssetUriReference.__table__.c


class Meant(NamedTuple):
    """An asset that a task names."""

    asset_id: int
    uri: str


Named = Mapping[tuple[str, str], Collection[Meant]]
"""Assets by what tasks may call them: a "name", a "uri", or the "alias" that they came through."""


@dataclass(frozen=True)
class Takers:
    """Who takes assets. ``known``: those that are taken, by Dags that are gone too, or came through an alias."""

    inlets: tuple[InletDefinition, ...]
    schedules: tuple[AssetSchedule, ...]
    gone: tuple[AssetSchedule, ...]
    known: Named


def takers(session: Session, dags: Collection[ParsedDag]) -> Takers:
    """The inlets of active Dags, and the assets that schedule Dags.

    One statement, and one more where tasks name what they read, or make through an alias: of these there are no rows.
    Of a Dag that has come to name no asset at all it keeps the rows of before: what its latest version doesn't say
    counts no more.
    """
    named = [inlet for each in dags for inlet in each.named_inlets]
    named += [outlet for each in dags for outlet in each.outlets if outlet.by == "alias"]
    said = {(one.dag_id, one.task_id, one.value) for each in dags for one in each.inlets if one.by == "uri"}
    inlets: set[InletDefinition] = set()
    schedules: set[AssetSchedule] = set()
    gone: set[AssetSchedule] = set()
    known: dict[tuple[str, str], set[Meant]] = {}
    for row in session.execute(taken()):
        if row.task_id is None:
            (gone if row.is_stale else schedules).add(AssetSchedule(row.dag_id, row.id, row.alias))
        elif (row.dag_id, row.task_id, row.uri) in said:
            inlets.add(InletDefinition(row.dag_id, row.task_id, row.id, row.uri))
        known.setdefault(("uri", row.uri), set()).add(Meant(row.id, row.uri))
        known.setdefault(("name", row.name), set()).add(Meant(row.id, row.uri))
    for called, assets in meant(session, named).items():
        known.setdefault(called, set()).update(assets)
    inlets.update(inlets_among((one for one in named if one.reads), known))
    return Takers(
        tuple(sorted(inlets, key=lambda one: (one.dag_id, one.task_id, one.asset_id))),
        in_order(schedules),
        in_order(gone),
        known,
    )


def in_order(schedules: Iterable[AssetSchedule]) -> tuple[AssetSchedule, ...]:
    """Sorted by Dag, asset and alias."""
    return tuple(sorted(schedules, key=lambda one: (one.dag_id, one.asset_id, one.alias or "")))


def inlets_among(named: Iterable[NamedAsset], known: Named) -> tuple[InletDefinition, ...]:
    """The inlets that tasks name, each once."""
    found = {
        InletDefinition(one.dag_id, one.task_id, *asset): None
        for one in named
        for asset in known.get((one.by, one.value), ())
    }
    return tuple(found)


def outlets_among(named: Iterable[NamedAsset], known: Named) -> tuple[OutletDefinition, ...]:
    """The outlets that tasks name, as far as the assets are known, each once."""
    found = {
        OutletDefinition(one.dag_id, one.task_id, *asset, alias=one.value if one.by == "alias" else None): None
        for one in named
        for asset in known.get((one.by, one.value), ())
    }
    return tuple(found)


def taken() -> Any:
    """The assets that tasks read, or (without a task) that schedule Dags, perhaps through an alias; of Dags that are
    gone as well."""
    through = (
        select(BY_ALIAS.dag_id, null(), ALIASED.c.asset_id, ALIAS.name)
        .select_from(ALIASED.join(AssetAliasModel.__table__, ALIAS.id == ALIASED.c.alias_id))
        .where(BY_ALIAS.alias_id == ALIAS.id)
    )
    every = union_all(
        select(INLET.dag_id, INLET.task_id, INLET.asset_id, null().label("alias")),
        select(BY_ASSET.dag_id, null(), BY_ASSET.asset_id, null()),
        select(BY_NAME.dag_id, null(), ASSET.id, null()).where(ASSET.name == BY_NAME.name),
        select(BY_URI.dag_id, null(), ASSET.id, null()).where(ASSET.uri == BY_URI.uri),
        through,
    ).subquery()
    return (
        select(every.c.dag_id, every.c.task_id, every.c.alias, ASSET.id, ASSET.name, ASSET.uri, DAG.is_stale)
        .select_from(every)
        .join(AssetModel.__table__, ASSET.id == every.c.asset_id)
        .join(DagModel.__table__, DAG.dag_id == every.c.dag_id)
    )


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


def meant(session: Session, named: Iterable[NamedAsset]) -> dict[tuple[str, str], set[Meant]]:
    """The assets that tasks name: by name, by URI, or through an alias those that came through it so far.

    They are told by their own names and URIs, too: another task may call them so.
    """
    wanted = {(one.by, one.value) for one in named}
    found: dict[tuple[str, str], set[Meant]] = {}
    if not wanted:
        return found
    columns = {"name": ASSET.name, "uri": ASSET.uri, "alias": ALIAS.name}
    rows = session.execute(
        select(ASSET.id, ASSET.name, ASSET.uri, ALIAS.name.label("alias"))
        .select_from(AssetModel.__table__)
        .outerjoin(ALIASED, ALIASED.c.asset_id == ASSET.id)
        .outerjoin(AssetAliasModel.__table__, ALIAS.id == ALIASED.c.alias_id)
        .where(
            or_(
                *(
                    one_in(session, column, sorted({value for kind, value in wanted if kind == by}))
                    for by, column in columns.items()
                )
            ),
        )
    )
    for row in rows:
        calls = {(by, getattr(row, by)) for by in columns} & wanted
        for key in calls | {("name", row.name), ("uri", row.uri)}:
            found.setdefault(key, set()).add(Meant(row.id, row.uri))
    return found


def asset_emissions(session: Session, producers: Collection[RunRef], asset_ids: Collection[int]) -> list[AssetEmission]:
    """The events of runs for assets, each with the time of the next one that another run of its Dag emitted."""
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
    """The events of runs, with the time until which they were the last of their Dag that a reader saw."""
    later = AssetEvent.__table__.alias()
    until = (
        select(func.min(later.c.timestamp))
        .where(
            later.c.asset_id == EVENT.asset_id,
            later.c.timestamp > EVENT.timestamp,
            later.c.source_dag_id == EVENT.source_dag_id,
            later.c.source_run_id != EVENT.source_run_id,
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
