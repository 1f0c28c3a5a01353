"""Who makes the assets that others take, by what active Dags define and, for aliases, by Airflow's record of events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow.models.asset import AssetAliasModel, AssetEvent, AssetModel, TaskOutletAssetReference
from airflow.models.asset import alias_association_table as ALIASED
from airflow.models.asset import asset_alias_asset_event_association_table as CAME_THROUGH
from airflow.models.dag import DagModel
from sqlalchemy import func, literal, null, select, union_all

from airflow_rerun_downstream.airflow3.database.key_lists import one_in
from airflow_rerun_downstream.airflow3.lineage_facts import inlets, latest_dags
from airflow_rerun_downstream.airflow3.lineage_facts.emitted_events import ASSET, EVENT
from airflow_rerun_downstream.airflow3.lineage_facts.inlets import ALIAS, BY_ALIAS, BY_ASSET, BY_NAME, BY_URI, DAG
from airflow_rerun_downstream.domain.edges import AssetFlow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from airflow_rerun_downstream.airflow3.lineage_facts.serialized_dag import NamedAsset, ParsedDag

OUTLET = TaskOutletAssetReference.__table__.c

EVENTS_LOOKED_AT = 10_000
"""How many of the last events that came through aliases are read."""


@dataclass(frozen=True)
class Maker:
    """A task that makes an asset, or (``asset_id`` None) whatever goes by an alias; ``event_id``: it has done so."""

    dag_id: str
    task_id: str
    asset_id: int | None
    alias: str | None = None
    event_id: int | None = None


@dataclass(frozen=True)
class Taker:
    """A Dag that an asset or an alias schedules, or a task that reads an asset."""

    dag_id: str
    task_id: str | None
    asset_id: int | None
    alias: str | None = None


def asset_flows(session: Session, dag_id: str) -> list[AssetFlow]:
    """The flows from and to a Dag. A few statements; all Dags' definitions are read, they are small."""
    dags = latest_dags.readable(latest_dags.active(session)[0])
    named = [outlet for each in dags for outlet in each.named_outlets]
    reads = inlets.takers(session, dags).inlets
    makers = [*outlets(session, dags), *resolved(session, named)]
    takers = [*scheduled(session), *(Taker(read.dag_id, read.task_id, read.asset_id) for read in reads)]
    concerned = aliases_of(session, dag_id, makers, takers)
    makers += made_through(session, concerned) if concerned else []
    found = joined([maker for maker in makers if maker.dag_id == dag_id], takers)
    found |= joined(makers, [taker for taker in takers if taker.dag_id == dag_id])
    uris = uris_of(session, {maker.asset_id for maker, _ in found if maker.asset_id is not None})
    return [flow(maker, taker, uris) for maker, taker in sorted(found, key=str)]


def outlets(session: Session, dags: Iterable[ParsedDag]) -> list[Maker]:
    """The tasks with assets for outlets, as far as the latest versions still say so: see `inlets.takers`."""
    said = {(one.dag_id, one.task_id, one.value) for each in dags for one in each.outlets if one.by == "uri"}
    wanted = (
        select(OUTLET.dag_id, OUTLET.task_id, OUTLET.asset_id, ASSET.uri)
        .select_from(TaskOutletAssetReference.__table__.join(DagModel.__table__, DAG.dag_id == OUTLET.dag_id))
        .join(AssetModel.__table__, ASSET.id == OUTLET.asset_id)
        .where(DAG.is_stale.is_(False))
    )
    rows = session.execute(wanted)
    return [Maker(row.dag_id, row.task_id, row.asset_id) for row in rows if (row.dag_id, row.task_id, row.uri) in said]


def resolved(session: Session, named: Collection[NamedAsset]) -> Iterator[Maker]:
    """The tasks that only name their outlets, with the assets that are meant."""
    ids: dict[tuple[str, str], list[int]] = {}
    for by, column in (("name", ASSET.name), ("uri", ASSET.uri)):
        if values := sorted({one.value for one in named if one.by == by}):
            for row in session.execute(select(ASSET.id, column.label("value")).where(one_in(session, column, values))):
                ids.setdefault((by, row.value), []).append(row.id)
    for one in named:
        if one.by == "alias":
            yield Maker(one.dag_id, one.task_id, None, one.value)
        yield from (Maker(one.dag_id, one.task_id, asset_id) for asset_id in ids.get((one.by, one.value), ()))


def scheduled(session: Session) -> list[Taker]:
    """The Dags that assets and aliases schedule. One statement."""
    direct = select(BY_ASSET.dag_id, BY_ASSET.asset_id, null().label("alias"))
    by_name = select(BY_NAME.dag_id, ASSET.id, null()).where(ASSET.name == BY_NAME.name)
    by_uri = select(BY_URI.dag_id, ASSET.id, null()).where(ASSET.uri == BY_URI.uri)
    by_alias = select(BY_ALIAS.dag_id, null(), ALIAS.name).where(ALIAS.id == BY_ALIAS.alias_id)
    every = union_all(direct, by_name, by_uri, by_alias).subquery()
    wanted = (
        select(every.c.dag_id, literal(None), every.c.asset_id, every.c.alias)
        .select_from(every.join(DagModel.__table__, DAG.dag_id == every.c.dag_id))
        .where(DAG.is_stale.is_(False))
    )
    return [Taker(*row) for row in session.execute(wanted)]


def aliases_of(session: Session, dag_id: str, makers: Iterable[Maker], takers: Collection[Taker]) -> set[str]:
    """The aliases that a Dag makes for or takes from, and those of the assets that it takes."""
    found = {maker.alias for maker in makers if maker.dag_id == dag_id and maker.alias is not None}
    found |= {taker.alias for taker in takers if taker.dag_id == dag_id and taker.alias is not None}
    taken = {taker.asset_id for taker in takers if taker.dag_id == dag_id and taker.asset_id is not None}
    if taken:
        wanted = (
            select(ALIAS.name)
            .select_from(AssetAliasModel.__table__.join(ALIASED, ALIASED.c.alias_id == ALIAS.id))
            .where(one_in(session, ALIASED.c.asset_id, sorted(taken)))
        )
        found |= set(session.scalars(wanted))
    return found


def made_through(session: Session, aliases: Collection[str]) -> list[Maker]:
    """The tasks whose events came through aliases, each with the last event of an asset."""
    last = (
        select(CAME_THROUGH.c.event_id, ALIAS.name)
        .select_from(AssetAliasModel.__table__.join(CAME_THROUGH, CAME_THROUGH.c.alias_id == ALIAS.id))
        .where(one_in(session, ALIAS.name, sorted(aliases)))
        .order_by(CAME_THROUGH.c.event_id.desc())
        .limit(EVENTS_LOOKED_AT)
        .subquery()
    )
    wanted = (
        select(EVENT.source_dag_id, EVENT.source_task_id, EVENT.asset_id, last.c.name, func.max(EVENT.id))
        .select_from(last)
        .join(AssetEvent.__table__, EVENT.id == last.c.event_id)
        .join(AssetModel.__table__, ASSET.id == EVENT.asset_id)  # an event outlives its asset
        .where(EVENT.source_dag_id.is_not(None), EVENT.source_task_id.is_not(None))
        .group_by(EVENT.source_dag_id, EVENT.source_task_id, EVENT.asset_id, last.c.name)
    )
    return [Maker(*row) for row in session.execute(wanted)]


def joined(makers: Iterable[Maker], takers: Iterable[Taker]) -> set[tuple[Maker, Taker]]:
    """Who takes from whom. Of a task's ways to one taker the surest counts.

    That is for an alias what came through it, and for an asset the outlet that names it.
    """
    by_asset: dict[int | None, list[Maker]] = {}
    by_alias: dict[str | None, list[Maker]] = {}
    for maker in makers:
        by_asset.setdefault(maker.asset_id, []).append(maker)
        by_alias.setdefault(maker.alias, []).append(maker)
    found: set[tuple[Maker, Taker]] = set()
    for taker in takers:
        if taker.alias is None:
            sure, other = parted(by_asset.get(taker.asset_id, []), lambda maker: maker.alias is None)
        else:
            sure, other = parted(by_alias.get(taker.alias, []), lambda maker: maker.event_id is not None)
        known = {(maker.dag_id, maker.task_id) for maker in sure}
        found.update((maker, taker) for maker in sure)
        found.update((maker, taker) for maker in other if (maker.dag_id, maker.task_id) not in known)
    return found


def parted(makers: Iterable[Maker], sure: Callable[[Maker], bool]) -> tuple[list[Maker], list[Maker]]:
    """Those of which something holds, and the others."""
    every = list(makers)
    return [maker for maker in every if sure(maker)], [maker for maker in every if not sure(maker)]


def uris_of(session: Session, asset_ids: Collection[int]) -> dict[int, str]:
    """The URIs of assets."""
    if not asset_ids:
        return {}
    wanted = select(ASSET.id, ASSET.uri).select_from(AssetModel.__table__)
    return {row.id: row.uri for row in session.execute(wanted.where(one_in(session, ASSET.id, sorted(asset_ids))))}


def flow(maker: Maker, taker: Taker, uris: dict[int, str]) -> AssetFlow:
    """A maker and a taker as the inside has them."""
    return AssetFlow(
        maker.dag_id,
        maker.task_id,
        taker.dag_id,
        taker.task_id,
        None if maker.asset_id is None else uris[maker.asset_id],
        maker.alias,
        maker.event_id,
    )
