"""Why a run that has started doesn't move: the likeliest reason of each, in a few statements for all of them.

What Airflow's scheduler weighs when it passes over a task is read from the same rows: pools, limits, the executor's
slots, the run before. It keeps no record of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.jobs.job import Job
from airflow.models.dag import DagModel
from airflow.models.hitl import HITLDetail
from airflow.models.pool import Pool
from sqlalchemy import and_, func, or_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.acting import clearing
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.past_dependencies import unmet_past
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TI = task_tables.TASK.c
HITL = HITLDetail.__table__.c
POOL = Pool.__table__.c
DAG = DagModel.__table__.c
JOB = Job.__table__.c

HOLDS_SLOT = ("running", "queued")
RETRIES_TOLD = 20
"""Retries of which the time is reckoned at once: the Dag has to be read for each."""

SCHEDULER_SILENT = timedelta(seconds=90)


def reasons(session: Session, refs: Collection[RunRef], *, now: datetime) -> dict[RunRef, str]:
    """Why each run doesn't move, where that can be told."""
    found: dict[RunRef, list[Any]] = {ref: [] for ref in refs}
    for some in chunks(names(refs)):
        for row in session.execute(waiting().where(pair_in(session, TI.dag_id, TI.run_id, some))):
            found[RunRef(row.dag_id, row.run_id)].append(row)
    scheduled = [row for rows in found.values() for row in rows if row.state == "scheduled"]
    used = slots_used(session, {row.pool for row in scheduled if row.slots is not None and row.slots >= 0})
    told = {ref: why for ref, rows in found.items() if (why := waits_outside(rows) or kept(rows, used))}
    add_retries(session, told, found)
    rest = {ref: rows for ref, rows in found.items() if ref not in told}
    told.update(kept_by_executor(session, rest, now=now))
    unstarted = {
        ref: {row.task_id for row in rows if row.state is None} for ref, rows in rest.items() if ref not in told
    }
    for one in unmet_past(session, {ref: ids for ref, ids in unstarted.items() if ids}):
        told.setdefault(one.ref, f"depends_on_past: {one.task_id}")
    return told


def waiting() -> Any:
    """The unfinished task instances that have no process, with what they wait for."""
    other = task_tables.TASK.alias("other")
    active = (
        select(func.count())
        .select_from(other)
        .where(other.c.dag_id == TI.dag_id, other.c.run_id == TI.run_id, other.c.state.in_(HOLDS_SLOT))
        .scalar_subquery()
    )
    return (
        select(
            TI.dag_id,
            TI.run_id,
            TI.task_id,
            TI.map_index,
            TI.state,
            TI.pool,
            TI.pool_slots,
            POOL.slots,
            POOL.include_deferred,
            DAG.max_active_tasks,
            active.label("active_tasks"),
            and_(HITL.ti_id.is_not(None), HITL.responded_at.is_(None)).label("asks"),
        )
        .select_from(task_tables.TASK)
        .outerjoin(Pool.__table__, POOL.pool == TI.pool)
        .outerjoin(DagModel.__table__, DAG.dag_id == TI.dag_id)
        .outerjoin(HITLDetail.__table__, HITL.ti_id == TI.id)
        .where(
            or_(
                TI.state.is_(None),
                TI.state.in_(("scheduled", "queued", "deferred", "awaiting_input", "up_for_retry")),
            )
        )
        .order_by(TI.dag_id, TI.run_id, TI.task_id, TI.map_index)
    )


def waits_outside(rows: Sequence[Any]) -> str | None:
    """What waits for somebody or something outside."""
    for row in rows:
        if row.asks and row.state in ("deferred", "awaiting_input"):
            return f"waits_for_approval: {row.task_id}"
    return next((f"up_for_retry: {row.task_id}" for row in rows if row.state == "up_for_retry"), None)


def kept(rows: Sequence[Any], used: Mapping[str, int]) -> str | None:
    """What the scheduler passes over because of a pool, or of the Dag's limit."""
    for row in rows:
        if row.state != "scheduled":
            continue
        if row.slots is None:
            return f"pool_gone: {row.pool}"
        if 0 <= row.slots < used.get(row.pool, 0) + row.pool_slots:
            return f"no_pool_slots: {row.pool}"
        if row.max_active_tasks is not None and row.active_tasks >= row.max_active_tasks:
            return "at_max_active_tasks"
    return None


def slots_used(session: Session, pools: Collection[str]) -> dict[str, int]:
    """How many slots of pools are taken, as Airflow counts them."""
    if not pools:
        return {}
    deferred = and_(TI.state == "deferred", POOL.include_deferred.is_(True))
    wanted = (
        select(TI.pool, func.sum(TI.pool_slots))
        .select_from(task_tables.TASK)
        .join(Pool.__table__, POOL.pool == TI.pool)
        .where(TI.pool.in_(sorted(pools)), or_(TI.state.in_(HOLDS_SLOT), deferred))
        .group_by(TI.pool)
    )
    return {pool: int(count) for pool, count in session.execute(wanted)}


def add_retries(session: Session, told: dict[RunRef, str], found: Mapping[RunRef, Sequence[Any]]) -> None:
    """Put the time beside a retry: the first one of the run's tasks."""
    wanted = [ref for ref, why in told.items() if why.startswith("up_for_retry")]
    for ref in wanted[:RETRIES_TOLD]:
        keys = {(row.task_id, row.map_index) for row in found[ref] if row.state == "up_for_retry"}
        at = clearing.next_retry(ref, keys, session=session)
        if at is not None:
            told[ref] = f"up_for_retry: {at.isoformat(timespec='seconds')}"


def kept_by_executor(session: Session, rows: Mapping[RunRef, Sequence[Any]], *, now: datetime) -> dict[RunRef, str]:
    """What waits for a slot of the executor, or in its queue."""
    asked = {ref: {row.state for row in some} & {"scheduled", "queued"} for ref, some in rows.items()}
    if not any(asked.values()):
        return {}
    full = executor_full(session, now=now)
    return {
        ref: "executor_full" if full else "in_executor_queue"
        for ref, states in asked.items()
        if states and (full or "queued" in states)
    }


def executor_full(session: Session, *, now: datetime) -> bool:
    """Whether as many tasks are with the executors as the live schedulers' ``[core] parallelism`` allows."""
    each = conf.getint("core", "parallelism", fallback=32)
    if each <= 0:
        return False
    alive = and_(JOB.job_type == "SchedulerJob", JOB.state == "running", JOB.latest_heartbeat > now - SCHEDULER_SILENT)
    schedulers = select(func.count()).select_from(Job.__table__).where(alive).scalar_subquery()
    busy = select(func.count()).select_from(task_tables.TASK).where(TI.state.in_(HOLDS_SLOT)).scalar_subquery()
    row = session.execute(select(schedulers, busy)).one()
    return bool(row[1] >= each * max(1, row[0]))
