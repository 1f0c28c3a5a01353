"""Freezing of Dags that assets start: what is queued for them is parked, out of the scheduler's sight.

Airflow queues rows for the assets that a Dag waits for, or for each partition key. The former go into tables of ours
(`parked_rows`); the latter stay where they are under another name for their Dag, with all that points to them. Some of
it runs inside the transaction in which a task succeeds: on its connection, and `apart` from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.models import asset as models
from airflow.models.asset import AssetDagRunQueue
from airflow.models.dag import DagModel
from sqlalchemy import delete, inspect, select, update

from airflow_rerun_downstream.airflow3.holding.parked_rows import park_rows, unpark_rows
from airflow_rerun_downstream.airflow3.lineage_facts.schedules import events_come_alone
from airflow_rerun_downstream.airflow3.versions import HAS_PARTITIONS, PARTITIONS_HAVE_DATES
from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.tables import hold

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Keys = Mapping[str, frozenset[str] | None]
"""Frozen Dags, each with the partition keys that are; None: all of them, and the Dag as a whole."""

DAG = DagModel.__table__

TARGET = AssetDagRunQueue.__table__.primary_key.columns.keys().index("target_dag_id")
"""Where the identity of a row of the queue has its Dag."""

PARKED = "~"
MAX_ID = 250


def parked_name(dag_id: str) -> str:
    """What a frozen Dag's pending partitions are kept under; no Dag can have that id."""
    return f"{PARKED}{dag_id}"[:MAX_ID]


def frozen(executor: Executor, dag_ids: Collection[str] | None = None) -> Keys:
    """Which of the Dags, or of all, are frozen by what their assets queue. One statement."""
    wanted = select(hold.c.dag_id, hold.c.partition_key).where(hold.c.assets).distinct()
    if dag_ids is not None:
        wanted = wanted.where(hold.c.dag_id.in_(sorted(dag_ids)))
    found: dict[str, frozenset[str] | None] = {}
    for dag_id, key in executor.execute(wanted).all():
        before = found.get(dag_id, frozenset())
        found[dag_id] = None if key is None or before is None else before | {key}
    return found


def park(executor: Executor, keys: Keys) -> None:
    """Take what is queued for frozen Dags out of the scheduler's sight. It must have been flushed."""
    park_rows(executor, keys)
    for dag_id, some in keys.items() if HAS_PARTITIONS else ():
        rename_pending(executor, dag_id, parked_name(dag_id), keys=some)


def forget_queued(session: Session, keys: Keys) -> None:
    """Let a session forget the rows that were parked below it: it would take the next one for there already."""
    for each in list(session.identity_map.values()):
        if isinstance(each, AssetDagRunQueue) and inspect(each).identity[TARGET] in keys:
            session.expunge(each)


def rename_pending(executor: Executor, before: str, after: str, *, keys: Collection[str] | None) -> None:
    """Move pending partitions from one name to another."""
    pending = models.AssetPartitionDagRun.__table__
    wanted = update(pending).where(pending.c.target_dag_id == before, pending.c.created_dag_run_id.is_(None))
    if keys is not None:
        wanted = wanted.where(pending.c.partition_key.in_(sorted(keys)))
    executor.execute(wanted.values(target_dag_id=after))


def hold_off(executor: Executor, dag_ids: Collection[str]) -> None:
    """Wait for a freeze of these Dags that is on its way, as a row of Airflow's queue, with its foreign key, does.

    Pending partitions have no foreign key to their Dag. Others may do the same at the same time.
    """
    executor.execute(
        select(DAG.c.dag_id)
        .where(DAG.c.dag_id.in_(sorted(dag_ids)))
        .order_by(DAG.c.dag_id)
        .with_for_update(read=True, key_share=True)
    )


def unpark(session: Session, dag_id: str) -> None:
    """Put back what no hold of the Dag keeps any more."""
    kept = frozen(session, [dag_id]).get(dag_id, frozenset())
    if kept is None:
        return
    if not kept:
        unpark_rows(session, dag_id)
    if HAS_PARTITIONS:
        unpark_partitions(session, dag_id, kept)


def unpark_partitions(session: Session, dag_id: str, kept: Collection[str]) -> None:
    """Put back the partitions whose key isn't ``kept``; several of one key become one, so that one run comes.

    Those of a Dag that has a run for each event stay apart, as Airflow has made them.
    """
    pending, logged = models.AssetPartitionDagRun.__table__, models.PartitionedAssetKeyLog.__table__
    for some in pending_of(session, dag_id, kept):
        # The scheduler may just be looking at one that was never parked: that one stays.
        one = max(some, key=lambda row: (row.target_dag_id == dag_id, row.id))
        others = [row.id for row in some if row.id != one.id and row.target_dag_id != dag_id]
        values = {"target_dag_id": dag_id, **merged_date(some)}
        session.execute(update(pending).where(pending.c.id == one.id).values(values))
        if others:
            same = logged.c.asset_partition_dag_run_id
            session.execute(update(logged).where(same.in_(others)).values(asset_partition_dag_run_id=one.id))
            session.execute(delete(pending).where(pending.c.id.in_(others)))


def pending_of(session: Session, dag_id: str, kept: Collection[str]) -> Iterator[list[Any]]:
    """The pending partitions of a Dag, parked or not, whose key isn't ``kept``; those together that become one."""
    pending = models.AssetPartitionDagRun.__table__
    names = (dag_id, parked_name(dag_id))
    rows = session.execute(
        select(pending)
        .where(pending.c.target_dag_id.in_(names), pending.c.created_dag_run_id.is_(None))
        .order_by(pending.c.id)
    ).all()
    alone = bool(rows) and events_come_alone(session, dag_id)
    together: dict[Any, list[Any]] = {}
    for row in rows:
        if row.partition_key not in kept:
            together.setdefault(row.id if alone else row.partition_key, []).append(row)
    yield from together.values()


def merged_date(rows: Sequence[Any]) -> dict[str, Any]:
    """The date that the rows' partitions agree on, as Airflow merges them."""
    if not PARTITIONS_HAVE_DATES:
        return {}
    dates = {row.partition_date for row in rows if row.partition_date is not None}
    return {"partition_date": dates.pop() if len(dates) == 1 else None}
