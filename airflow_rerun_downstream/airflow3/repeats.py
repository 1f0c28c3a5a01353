"""Repeated asset events: which try is a rerun's, and what a task instance had emitted before it.

All of this runs inside the transaction in which Airflow records a task's success. An error here would fail the
user's task, so nothing is tried out: every statement is one that can't fail on tables that are there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, false, insert, or_, select

from airflow_rerun_downstream.airflow3 import adoptions
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store import dispatches
from airflow_rerun_downstream.store.dispatches import UNMAPPED
from airflow_rerun_downstream.store.tables import dispatched_task, repeat

if TYPE_CHECKING:
    from airflow.models.asset import AssetEvent
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.orm import Session

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


FIRST = Repeat((), asset=False, aliases=frozenset())
"""An event that repeats nothing."""


@dataclass
class RerunTry:
    """A try of a task instance that a rerun has started, by a dispatch or through a trigger task.

    ``runs``: those whose events it may repeat. ``grown``: its map index didn't exist before, and ``noted``: the task
    instance stands among the dispatched ones. ``new``: its task wasn't in the run when that was dispatched.
    ``own`` are the events that it has emitted itself.
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

    def repeats(self, asset: Any, kwargs: dict[str, Any], *, session: Session) -> Repeat:
        """What the event to come repeats: what the task instance emitted for the asset, or through the same alias.

        What an alias names now stands for all that it named before. For a task that is new to the run, the events of
        those that are gone from it count.
        """
        names = frozenset(kwargs.get("source_alias_names") or ())
        found = self._earlier(asset, kwargs, self._same_task(), names=names, session=session)
        found = [event for event in found if event.id not in self.own]
        if self.new:
            # Earlier events of its own tell that it isn't new after all: somebody else has cleared it.
            found = [] if found else self._earlier(asset, kwargs, self._gone_tasks(), names=names, session=session)
        if not names and any(not event.aliases for event in found):
            found = [event for event in found if not event.aliases]
        known = frozenset[str]().union(*(event.aliases for event in found))
        return Repeat(tuple(found), asset=any(event.same for event in found), aliases=names & known)

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

    def _same_task(self) -> list[Any]:
        """Events of this task instance, or for a new index of its siblings."""
        from airflow.models.asset import AssetEvent

        ti = self.task_instance
        found = [AssetEvent.source_task_id == ti.task_id]
        return found if self.grown else [*found, AssetEvent.source_map_index == ti.map_index]

    def _gone_tasks(self) -> list[Any]:
        """Events of tasks that the run doesn't have any more."""
        from airflow.models.asset import AssetEvent
        from airflow.models.taskinstance import TaskInstance

        ti, table = self.task_instance, TaskInstance.__table__.c
        there = select(table.task_id).where(
            table.dag_id == ti.dag_id, table.run_id == ti.run_id, or_(table.state.is_(None), table.state != "removed")
        )
        return [AssetEvent.source_task_id.not_in(there)]

    def _earlier(
        self, asset: Any, kwargs: dict[str, Any], like: list[Any], *, names: frozenset[str], session: Session
    ) -> list[Original]:
        """The events of the runs for the asset, or through one of the aliases, for the partition; oldest first."""
        from airflow.models.asset import AssetAliasModel, AssetEvent, AssetModel
        from airflow.models.asset import asset_alias_asset_event_association_table as through

        same = (AssetModel.name == asset.name) & (AssetModel.uri == asset.uri)
        named = AssetEvent.id.in_(
            select(through.c.event_id)
            .join(AssetAliasModel, AssetAliasModel.id == through.c.alias_id)
            .where(AssetAliasModel.name.in_(sorted(names)))
        )
        wanted = (
            select(AssetEvent.id, AssetEvent.timestamp, AssetAliasModel.name, same)
            .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
            .outerjoin(through, through.c.event_id == AssetEvent.id)
            .outerjoin(AssetAliasModel, AssetAliasModel.id == through.c.alias_id)
            .where(AssetEvent.source_dag_id == self.task_instance.dag_id, AssetEvent.source_run_id.in_(self.runs))
            .where(or_(same, named if names else false()), *like)
            .order_by(AssetEvent.timestamp, AssetEvent.id)
        )
        if hasattr(AssetEvent, "partition_key"):
            key = kwargs.get("partition_key")
            wanted = wanted.where(AssetEvent.partition_key.is_not_distinct_from(key))
        return merged(session.execute(wanted))


def merged(rows: Any) -> list[Original]:
    """One event per id from rows that repeat it for each alias."""
    found: dict[int, Original] = {}
    for number, timestamp, alias, same in rows:
        known = found[number].aliases if number in found else frozenset()
        found[number] = Original(number, timestamp, known | ({alias} if alias is not None else frozenset()), bool(same))
    return list(found.values())


def find_try(task_instance: TaskInstance, *, session: Session) -> RerunTry | None:
    """The task instance's present try, if a rerun started it; whether that still lives doesn't matter.

    One statement, by primary key; a few more for a run that a trigger task may have made or cleared.
    """
    ti, made = task_instance, adoptions.possible(task_instance)
    row = dispatched(ti, session=session)
    own = row is not None and row.task_id == ti.task_id
    if not own or not begun_by(ti, row):
        found = find_adopted(ti, row.rerun_id if own else 0, session=session) if made else None
        if own or row is None or found is not None:
            return found
    places = adoptions.adopted(ti, session=session) if made else []
    runs = adoptions.originals(ti.run_id, places)
    if not own:
        return RerunTry(ti, row.rerun_id, row.member_id, ti.try_number, runs, grown=False, noted=False, new=True)
    grown = row.map_index != ti.map_index
    return RerunTry(ti, row.rerun_id, row.member_id, row.first_try, runs, grown=grown, noted=not grown)


def dispatched(task_instance: TaskInstance, *, session: Session) -> Any:
    """The note of the last dispatch of a task instance, of its task before that was expanded, or else of its run."""
    ti, table = task_instance, dispatched_task.c
    own = (table.task_id == ti.task_id) & table.map_index.in_({ti.map_index, UNMAPPED})
    rows = session.execute(
        select(dispatched_task)
        .where(table.dag_id == ti.dag_id, table.run_id == ti.run_id, or_(own, table.task_id != ti.task_id))
        .order_by(case((own, 0), else_=1), table.rerun_id.desc(), table.map_index.desc())
        .limit(1)
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


def new_to(
    dag_ids: Collection[str], found: Repeat, names: frozenset[str], asset_id: int, *, session: Session
) -> frozenset[str]:
    """The Dags among those that wait for an event to which what it repeats had never come.

    An event reaches a Dag by its asset, or by an alias (``names``) that it comes through.
    """
    if found.asset and names <= found.aliases:
        return frozenset()
    from airflow.models.asset import AssetAliasModel, DagScheduleAssetAliasReference, DagScheduleAssetReference

    alias, plain = DagScheduleAssetAliasReference.__table__.c, DagScheduleAssetReference.__table__.c
    by_alias = session.execute(
        select(alias.dag_id, AssetAliasModel.name)
        .join(AssetAliasModel, AssetAliasModel.id == alias.alias_id)
        .where(alias.dag_id.in_(sorted(dag_ids)), AssetAliasModel.name.in_(sorted(names)))
    ).all()
    wanted = select(plain.dag_id).where(plain.dag_id.in_(sorted(dag_ids)), plain.asset_id == asset_id)
    by_asset = set(session.scalars(wanted)) | (set(dag_ids) - {dag_id for dag_id, _ in by_alias})
    had = by_asset if found.asset else set()
    return frozenset(dag_ids) - had - {dag_id for dag_id, name in by_alias if name in found.aliases}


def note(event: AssetEvent, found: Repeat, *, backdate: bool, session: Session) -> None:
    """Write down what an event repeats; a consumer's dispatch reads it (`superseding.take_repeats`).

    ``backdate``: put it right after its originals. That keeps it out of the window of events that the next natural run
    consumes, and makes it the later one where events are read by their time.
    """
    if backdate:
        event.timestamp = max(original.timestamp for original in found.originals) + TICK
    session.flush()
    pairs = [{"event_id": event.id, "original_id": original.id} for original in found.originals]
    session.execute(insert(repeat), pairs)
