"""Repeated asset events: which try is a rerun's, and what a task instance had emitted before it.

All of this runs inside the transaction in which Airflow records a task's success. An error here would fail the
user's task, so nothing is tried out: every statement is one that can't fail on tables that are there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, literal, select

from airflow_rerun_downstream.airflow3 import adoptions
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store import dispatches
from airflow_rerun_downstream.store.dispatches import UNMAPPED
from airflow_rerun_downstream.store.tables import dispatched_task

if TYPE_CHECKING:
    from airflow.models.asset import AssetEvent
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Original:
    """An event that an earlier try emitted, and the names of the aliases through which it did."""

    id: int
    timestamp: datetime
    aliases: frozenset[str]


@dataclass
class RerunTry:
    """A try of a task instance that a rerun has started, by a dispatch or through a trigger task.

    ``runs``: those whose events it may repeat. ``grown``: its map index didn't exist before, and ``noted``: the task
    instance stands among the dispatched ones. ``own`` are the events that it has emitted itself.
    """

    task_instance: TaskInstance
    rerun_id: int
    member_id: int | None
    first_try: int
    runs: frozenset[str]
    grown: bool
    noted: bool
    own: set[int] = field(default_factory=set)

    def originals(self, asset: Any, kwargs: dict[str, Any], *, session: Session) -> list[Original]:
        """The events that the one to come repeats, oldest first; none: it is the first of its kind.

        One through an alias that no earlier event came through is a first one: other runs wait for it.
        """
        found = [event for event in self._earlier(asset, kwargs, session=session) if event.id not in self.own]
        names = frozenset(kwargs.get("source_alias_names") or ())
        if not names:
            return [event for event in found if not event.aliases] or found
        same = [event for event in found if event.aliases & names]
        known = frozenset[str]().union(*(event.aliases for event in same))
        return same if names <= known else []

    def emitted(self, event: AssetEvent, *, session: Session) -> None:
        """Note an event of this try. A later try is started by somebody else, and its events aren't ours."""
        ti = self.task_instance
        if not self.own:
            if not self.noted:
                own = [(ti.task_id, ti.map_index, self.first_try)]
                ref = RunRef(ti.dag_id, ti.run_id)
                dispatches.remember_dispatch(session, ref, own, self.rerun_id, self.member_id)
            dispatches.mark_emitted(session, ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.try_number)
        self.own.add(event.id)

    def _earlier(self, asset: Any, kwargs: dict[str, Any], *, session: Session) -> list[Original]:
        """What this task instance, or for a new index its siblings, emitted for the asset and partition."""
        from airflow.models.asset import AssetAliasModel, AssetEvent, AssetModel
        from airflow.models.asset import asset_alias_asset_event_association_table as through

        ti = self.task_instance
        wanted = (
            select(AssetEvent.id, AssetEvent.timestamp, AssetAliasModel.name)
            .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
            .outerjoin(through, through.c.event_id == AssetEvent.id)
            .outerjoin(AssetAliasModel, AssetAliasModel.id == through.c.alias_id)
            .where(AssetModel.name == asset.name, AssetModel.uri == asset.uri)
            .where(AssetEvent.source_dag_id == ti.dag_id, AssetEvent.source_run_id.in_(self.runs))
            .where(AssetEvent.source_task_id == ti.task_id)
            .order_by(AssetEvent.timestamp, AssetEvent.id)
        )
        if not self.grown:
            wanted = wanted.where(AssetEvent.source_map_index == ti.map_index)
        if hasattr(AssetEvent, "partition_key"):
            key = kwargs.get("partition_key")
            wanted = wanted.where(AssetEvent.partition_key.is_not_distinct_from(key))
        return merged(session.execute(wanted))


def merged(rows: Any) -> list[Original]:
    """One event per id from rows that repeat it for each alias."""
    found: dict[int, Original] = {}
    for number, timestamp, alias in rows:
        known = found[number].aliases if number in found else frozenset()
        found[number] = Original(number, timestamp, known | ({alias} if alias is not None else frozenset()))
    return list(found.values())


def find_try(task_instance: TaskInstance, *, session: Session) -> RerunTry | None:
    """The task instance's present try, if a rerun started it; whether that still lives doesn't matter.

    One statement, by primary key; a few more for a run that a trigger task may have made or cleared.
    """
    made = adoptions.possible(task_instance)
    row = dispatched(task_instance, session=session)
    if row is None or not begun_by(task_instance, row):
        return find_adopted(task_instance, row.rerun_id if row else 0, session=session) if made else None
    grown, ti = row.map_index != task_instance.map_index, task_instance
    places = adoptions.adopted(ti, session=session) if made else []
    runs = adoptions.originals(ti.run_id, places)
    return RerunTry(ti, row.rerun_id, row.member_id, row.first_try, runs, grown=grown, noted=not grown)


def dispatched(task_instance: TaskInstance, *, session: Session) -> Any:
    """The note of the last dispatch of a task instance, or of its task before that was expanded."""
    ti, table = task_instance, dispatched_task.c
    rows = session.execute(
        select(dispatched_task)
        .where(table.dag_id == ti.dag_id, table.run_id == ti.run_id, table.task_id == ti.task_id)
        .where(table.map_index.in_({ti.map_index, UNMAPPED}))
        .order_by(table.map_index.desc())
    )
    return rows.first()


def begun_by(task_instance: TaskInstance, row: Any) -> bool:
    """Whether a dispatch started the present try.

    It did if the try isn't older than the dispatch, and no earlier one since then has emitted: what comes after
    an emission was cleared by somebody else.
    """
    number = task_instance.try_number
    return number >= row.first_try and row.emitted_try in (None, number)


def find_adopted(task_instance: TaskInstance, after: int, *, session: Session) -> RerunTry | None:
    """The present try, if its run takes another one's place in a rerun later than ``after``, the last one noted."""
    ti = task_instance
    places = adoptions.adopted(ti, session=session)
    latest = places[0] if places and places[0].rerun_id > after else adoptions.coming(ti, session=session)
    if latest is None or latest.rerun_id <= after:
        return None
    runs = adoptions.originals(ti.run_id, [latest, *places])
    grown = ti.map_index != UNMAPPED and not was_there(ti, latest.run_id, session=session)
    return RerunTry(ti, latest.rerun_id, latest.member_id, ti.try_number, runs, grown=grown, noted=False)


def was_there(task_instance: TaskInstance, run_id: str, *, session: Session) -> bool:
    """Whether another run of the Dag has the task instance's index."""
    from airflow.models.taskinstance import TaskInstance

    ti, table = task_instance, TaskInstance.__table__.c
    wanted = select(table.map_index).where(
        table.dag_id == ti.dag_id,
        table.run_id == run_id,
        table.task_id == ti.task_id,
        table.map_index == ti.map_index,
    )
    return session.execute(wanted).first() is not None


def adopt(event: AssetEvent, originals: Collection[Original], *, session: Session) -> None:
    """Put a repeated event where its originals are.

    Their moment keeps it out of the window of events that the next natural run consumes; their consumers consumed
    it too, and see it when they are rerun.
    """
    from airflow.models.asset import association_table as consumed

    event.timestamp = max(original.timestamp for original in originals)
    session.flush()
    runs = (
        select(consumed.c.dag_run_id, literal(event.id))
        .where(consumed.c.event_id.in_([original.id for original in originals]))
        .distinct()
    )
    session.execute(insert(consumed).from_select(["dag_run_id", "event_id"], runs))
