"""Repeated asset events: which try is a rerun's, and what a task instance had emitted before it.

All of this runs inside the transaction in which Airflow records a task's success, on its connection and `apart` from
it: nothing is flushed, and an error takes back no more than what was done here. A result is read whole at once: one
that is left open in the middle of an error would keep SQLite's lock.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.models.asset import (
    AssetAliasModel,
    AssetEvent,
    AssetModel,
    DagScheduleAssetAliasReference,
    DagScheduleAssetReference,
)
from airflow.models.asset import asset_alias_asset_event_association_table as through
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import case, false, insert, or_, select, update

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.hooks import expected_runs
from airflow_rerun_downstream.airflow3.versions import HAS_PARTITIONS
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store import dispatches
from airflow_rerun_downstream.store.dispatches import UNMAPPED
from airflow_rerun_downstream.store.tables import dispatched_task, repeat

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

ALIAS, ASSET, EVENT = AssetAliasModel.__table__, AssetModel.__table__, AssetEvent.__table__

TICK = timedelta(microseconds=1)
"""What tells a repeat from its original where Airflow reads events by their time."""


@dataclass(frozen=True)
class Original:
    """An event that an earlier try emitted. ``same``: for the asset of the one to come, else through its alias."""

    id: int
    timestamp: datetime
    aliases: frozenset[str]
    same: bool


@dataclass(frozen=True)
class Repeat:
    """What an event to come repeats: earlier events, for its asset (``asset``) and through some of its ``aliases``.

    Falsy: nothing, it is the first of its kind.
    """

    originals: tuple[Original, ...]
    asset: bool
    aliases: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.originals)


@dataclass
class RerunTry:
    """A try of a task instance that a rerun has started, by a dispatch or through a trigger task.

    ``runs``: those whose events it may repeat. ``grown``: its map index didn't exist before, and ``noted``: the task
    instance stands among the dispatched ones. ``new``: its task wasn't in the run when that was dispatched.
    ``own`` are the events that it has emitted itself; ``marked``: it is noted that it has.
    """

    task_instance: TaskInstance
    rerun_id: int
    member_id: int | None
    first_try: int
    runs: frozenset[str]
    grown: bool
    noted: bool
    new: bool = False
    own: set[int] = field(default_factory=set)
    marked: bool = False

    def repeats(self, asset: Any, kwargs: dict[str, Any], *, connection: Connection) -> Repeat:
        """What the event to come repeats: what the task instance emitted for the asset, or through the same alias.

        What an alias names now stands for all that it named before. For a task that is new to the run, the events of
        those that are gone from it count.
        """
        names = frozenset(kwargs.get("source_alias_names") or ())
        found = self._earlier(asset, kwargs, self._same_task(), names=names, connection=connection)
        found = [event for event in found if event.id not in self.own]
        if self.new:
            # Earlier events of its own tell that it isn't new after all: somebody else has cleared it.
            found = (
                [] if found else self._earlier(asset, kwargs, self._gone_tasks(), names=names, connection=connection)
            )
        if not names and any(not event.aliases for event in found):
            found = [event for event in found if not event.aliases]
        known = frozenset[str]().union(*(event.aliases for event in found))
        return Repeat(tuple(found), asset=any(event.same for event in found), aliases=names & known)

    def emitted(self, connection: Connection) -> None:
        """Note that this try has emitted. A later one is started by somebody else, and its events aren't ours."""
        ti = self.task_instance
        if self.marked:
            return
        if not self.noted:
            own = [(ti.task_id, ti.map_index, self.first_try)]
            ref = RunRef(ti.dag_id, ti.run_id)
            dispatches.remember_dispatch(connection, ref, own, self.rerun_id, self.member_id)
        dispatches.mark_emitted(connection, ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.try_number)

    def _same_task(self) -> list[Any]:
        """Events of this task instance, or for a new index of its siblings."""
        ti = self.task_instance
        found = [EVENT.c.source_task_id == ti.task_id]
        return found if self.grown else [*found, EVENT.c.source_map_index == ti.map_index]

    def _gone_tasks(self) -> list[Any]:
        """Events of tasks that the run doesn't have any more."""
        ti, table = self.task_instance, task_tables.TASK.c
        there = select(table.task_id).where(
            table.dag_id == ti.dag_id, table.run_id == ti.run_id, or_(table.state.is_(None), table.state != "removed")
        )
        return [EVENT.c.source_task_id.not_in(there)]

    def _earlier(
        self, asset: Any, kwargs: dict[str, Any], like: list[Any], *, names: frozenset[str], connection: Connection
    ) -> list[Original]:
        """The events of the runs for the asset, or through one of the aliases, for the partition; oldest first."""
        same = (ASSET.c.name == asset.name) & (ASSET.c.uri == asset.uri)
        named = EVENT.c.id.in_(
            select(through.c.event_id)
            .join(ALIAS, ALIAS.c.id == through.c.alias_id)
            .where(ALIAS.c.name.in_(sorted(names)))
        )
        wanted = (
            select(EVENT.c.id, EVENT.c.timestamp, ALIAS.c.name, same)
            .select_from(EVENT)
            .join(ASSET, ASSET.c.id == EVENT.c.asset_id)
            .outerjoin(through, through.c.event_id == EVENT.c.id)
            .outerjoin(ALIAS, ALIAS.c.id == through.c.alias_id)
            .where(EVENT.c.source_dag_id == self.task_instance.dag_id, EVENT.c.source_run_id.in_(self.runs))
            .where(or_(same, named if names else false()), *like)
            .order_by(EVENT.c.timestamp, EVENT.c.id)
        )
        if HAS_PARTITIONS:
            wanted = wanted.where(EVENT.c.partition_key.is_not_distinct_from(kwargs.get("partition_key")))
        return merged(connection.execute(wanted).all())


def merged(rows: Any) -> list[Original]:
    """One event per id from rows that repeat it for each alias."""
    found: dict[int, Original] = {}
    for number, timestamp, alias, same in rows:
        known = found[number].aliases if number in found else frozenset()
        found[number] = Original(number, timestamp, known | ({alias} if alias is not None else frozenset()), bool(same))
    return list(found.values())


def find_try(task_instance: TaskInstance, *, connection: Connection) -> RerunTry | None:
    """The task instance's present try, if a rerun started it; whether that still lives doesn't matter.

    One statement, by primary key; a few more for a run that a trigger task may have made or cleared.
    """
    ti, made = task_instance, expected_runs.possible(task_instance)
    row = dispatched(ti, connection=connection)
    own = row is not None and row.task_id == ti.task_id
    if not own or not begun_by(ti, row):
        found = find_adopted(ti, row.rerun_id if own else 0, connection=connection) if made else None
        if own or row is None or found is not None:
            return found
    places = expected_runs.adopted(ti, connection=connection) if made else []
    runs = expected_runs.originals(ti.run_id, places)
    if not own:
        return RerunTry(ti, row.rerun_id, row.member_id, ti.try_number, runs, grown=False, noted=False, new=True)
    grown = row.map_index != ti.map_index
    return RerunTry(ti, row.rerun_id, row.member_id, row.first_try, runs, grown=grown, noted=not grown)


def dispatched(task_instance: TaskInstance, *, connection: Connection) -> Any:
    """The note of the last dispatch of a task instance, of its task before that was expanded, or else of its run."""
    ti, table = task_instance, dispatched_task.c
    own = (table.task_id == ti.task_id) & table.map_index.in_({ti.map_index, UNMAPPED})
    wanted = (
        select(dispatched_task)
        .where(table.dag_id == ti.dag_id, table.run_id == ti.run_id, or_(own, table.task_id != ti.task_id))
        .order_by(case((own, 0), else_=1), table.rerun_id.desc(), table.map_index.desc())
        .limit(1)
    )
    return connection.execute(wanted).first()


def begun_by(task_instance: TaskInstance, row: Any) -> bool:
    """Whether a dispatch started the present try.

    It did if the try isn't older than the dispatch, and no earlier one since then has emitted: what comes after
    an emission was cleared by somebody else.
    """
    number = task_instance.try_number
    return number >= row.first_try and row.emitted_try in (None, number)


def find_adopted(task_instance: TaskInstance, after: int, *, connection: Connection) -> RerunTry | None:
    """The present try, if its run takes another one's place in a rerun later than ``after``, the last one noted."""
    ti = task_instance
    places = expected_runs.adopted(ti, connection=connection)
    latest = places[0] if places and places[0].rerun_id > after else expected_runs.coming(ti, connection=connection)
    if latest is None or latest.rerun_id <= after:
        return None
    runs = expected_runs.originals(ti.run_id, [latest, *places])
    grown = ti.map_index != UNMAPPED and not was_there(ti, latest.run_id, connection=connection)
    return RerunTry(ti, latest.rerun_id, latest.member_id, ti.try_number, runs, grown=grown, noted=False)


def was_there(task_instance: TaskInstance, run_id: str, *, connection: Connection) -> bool:
    """Whether another run of the Dag has the task instance's index."""
    ti, table = task_instance, task_tables.TASK.c
    wanted = select(table.map_index).where(
        table.dag_id == ti.dag_id,
        table.run_id == run_id,
        table.task_id == ti.task_id,
        table.map_index == ti.map_index,
    )
    return connection.execute(wanted).first() is not None


def new_to(
    dag_ids: Collection[str], found: Repeat, names: frozenset[str], asset_id: int, *, connection: Connection
) -> frozenset[str]:
    """The Dags among those that wait for an event to which what it repeats had never come.

    An event reaches a Dag by its asset, or by an alias (``names``) that it comes through.
    """
    if found.asset and names <= found.aliases:
        return frozenset()
    alias, plain = DagScheduleAssetAliasReference.__table__.c, DagScheduleAssetReference.__table__.c
    by_alias = connection.execute(
        select(alias.dag_id, ALIAS.c.name)
        .join(ALIAS, ALIAS.c.id == alias.alias_id)
        .where(alias.dag_id.in_(sorted(dag_ids)), ALIAS.c.name.in_(sorted(names)))
    ).all()
    wanted = select(plain.dag_id).where(plain.dag_id.in_(sorted(dag_ids)), plain.asset_id == asset_id)
    by_asset = set(connection.scalars(wanted).all()) | (set(dag_ids) - {dag_id for dag_id, _ in by_alias})
    had = by_asset if found.asset else set()
    return frozenset(dag_ids) - had - {dag_id for dag_id, name in by_alias if name in found.aliases}


def note(event_id: int, found: Repeat, *, backdate: bool, connection: Connection) -> None:
    """Write down what an event repeats; a consumer's dispatch reads it (`replaced_events.take_repeats`).

    ``backdate``: put it right after its originals. That keeps it out of the window of events that the next natural run
    consumes, and makes it the later one where events are read by their time.
    """
    if backdate:
        moment = max(original.timestamp for original in found.originals) + TICK
        connection.execute(update(EVENT).where(EVENT.c.id == event_id).values(timestamp=moment))
    pairs = [{"event_id": event_id, "original_id": original.id} for original in found.originals]
    connection.execute(insert(repeat), pairs)
