"""A repeated asset event takes the place of its original for a run that reads it anew.

It does so in the transaction that dispatches or adopts that run, not when the event is emitted: a rerun that ends in
between leaves everybody's history as it was. Runs that aren't rerun keep what they had consumed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow.models.asset import (
    AssetEvent,
    DagScheduleAssetAliasReference,
    DagScheduleAssetReference,
    asset_alias_asset_event_association_table,
    association_table,
)
from sqlalchemy import delete, insert, select

from airflow_rerun_downstream.store.tables import repeat

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

CONSUMED = association_table.c
EVENT = AssetEvent.__table__
THROUGH = asset_alias_asset_event_association_table.c


@dataclass(frozen=True)
class Pair:
    """An event and one that repeats it, with their assets."""

    original: int
    event: int
    original_asset: int
    asset: int


@dataclass(frozen=True)
class Schedule:
    """What a Dag waits for: assets, and through which of the aliases that it waits for each event came."""

    assets: frozenset[int] = frozenset()
    through: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def read(self, pair: Pair) -> bool:
        """Whether a run of the Dag that read the original reads the repeat in its place."""
        nothing = frozenset[int]()
        before, now = self.through.get(pair.original, nothing), self.through.get(pair.event, nothing)
        if before & now:
            return True
        return pair.asset == pair.original_asset and (not before or pair.asset in self.assets)


def take_repeats(run: DagRun, *, session: Session) -> None:
    """Let a run consume the last repeats of what it had consumed, instead of that. One statement where there are none.

    A Dag that waits for an asset gets repeats for that asset only; one that waits for an alias gets what the alias
    names now.
    """
    consumed = select(CONSUMED.event_id).where(CONSUMED.dag_run_id == run.id)
    pairs = pairs_where(repeat.c.original_id.in_(consumed), session=session)
    if not pairs:
        return
    again = pairs_where(repeat.c.original_id.in_({pair.event for pair in pairs}), session=session)
    schedule = schedule_of(run.dag_id, [*pairs, *again], session=session)
    superseded = {pair.original for pair in again if schedule.read(pair)}
    exchange(run.id, replacements(filter(schedule.read, pairs), superseded), session=session)


def pairs_where(condition: object, *, session: Session) -> list[Pair]:
    """The pairs of events that are still there."""
    first, second = EVENT.alias("first"), EVENT.alias("second")
    wanted = (
        select(repeat.c.original_id, repeat.c.event_id, first.c.asset_id, second.c.asset_id)
        .join(first, first.c.id == repeat.c.original_id)
        .join(second, second.c.id == repeat.c.event_id)
        .where(condition)  # type: ignore[arg-type]
        .order_by(repeat.c.event_id)
    )
    return [Pair(*row) for row in session.execute(wanted)]


def schedule_of(dag_id: str, pairs: Collection[Pair], *, session: Session) -> Schedule:
    """What a Dag waits for, as far as it matters for the pairs."""
    events = {number for pair in pairs for number in (pair.original, pair.event)}
    by_alias, by_asset = DagScheduleAssetAliasReference.__table__.c, DagScheduleAssetReference.__table__.c
    aliases = select(by_alias.alias_id).where(by_alias.dag_id == dag_id)
    through: dict[int, frozenset[int]] = {}
    for event_id, alias_id in session.execute(
        select(THROUGH.event_id, THROUGH.alias_id).where(THROUGH.event_id.in_(events), THROUGH.alias_id.in_(aliases))
    ):
        through[event_id] = through.get(event_id, frozenset()) | {alias_id}
    assets = session.scalars(select(by_asset.asset_id).where(by_asset.dag_id == dag_id)) if through else ()
    return Schedule(frozenset(assets), through)


def replacements(pairs: Iterable[Pair], superseded: Collection[int]) -> dict[int, frozenset[int]]:
    """What takes the place of each original: its repeats that nothing has repeated since."""
    found: dict[int, frozenset[int]] = {}
    for pair in pairs:
        if pair.event not in superseded:
            found[pair.original] = found.get(pair.original, frozenset()) | {pair.event}
    return found


def exchange(dag_run_id: int, replaced: Mapping[int, frozenset[int]], *, session: Session) -> None:
    """Write what a run consumes now."""
    if not replaced:
        return
    session.execute(
        delete(association_table).where(CONSUMED.dag_run_id == dag_run_id, CONSUMED.event_id.in_(sorted(replaced)))
    )
    left = set(session.scalars(select(CONSUMED.event_id).where(CONSUMED.dag_run_id == dag_run_id)))
    new = frozenset[int]().union(*replaced.values()) - left
    if new:
        session.execute(
            insert(association_table), [{"dag_run_id": dag_run_id, "event_id": number} for number in sorted(new)]
        )
