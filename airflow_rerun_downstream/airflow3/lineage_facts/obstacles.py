"""What keeps tasks from running, as far as it can be known before anything is touched."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from airflow.models.pool import Pool
from sqlalchemy import or_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.past_dependencies import unmet_past
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.domain.sentence import Sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TI = task_tables.TASK.c
POOL = Pool.__table__.c

NEVER_IN_A_POOL = "EmptyOperator"
"""Airflow's scheduler sets these to success by itself."""


def obstacles(session: Session, tasks: Mapping[RunRef, Collection[str]]) -> list[Obstacle]:
    """The tasks that no slot of their pool would ever be enough for, and those whose past isn't right. At most five
    statements for 10,000 runs."""
    return [*too_small_pools(session, tasks), *unmet_past(session, tasks)] if tasks else []


def too_small_pools(session: Session, tasks: Mapping[RunRef, Collection[str]]) -> Iterator[Obstacle]:
    """The tasks whose pool is gone, or has fewer slots in all than they take. One statement for 10,000 runs."""
    too_small = or_(POOL.pool.is_(None), (POOL.slots >= 0) & (POOL.slots < TI.pool_slots))
    wanted = (
        select(TI.dag_id, TI.run_id, TI.task_id, TI.pool, TI.pool_slots, POOL.slots)
        .select_from(task_tables.TASK)
        .outerjoin(Pool.__table__, POOL.pool == TI.pool)
        .where(too_small, or_(TI.operator.is_(None), TI.operator != NEVER_IN_A_POOL))
        .distinct()
        .order_by(TI.dag_id, TI.run_id, TI.task_id)
    )
    for some in chunks(names(tasks)):
        for row in session.execute(wanted.where(pair_in(session, TI.dag_id, TI.run_id, some))):
            ref = RunRef(row.dag_id, row.run_id)
            if row.task_id not in tasks[ref]:
                continue
            if row.slots is None:
                yield Obstacle(ref, row.task_id, "pool_gone", Sentence("part.pool_gone", pool=row.pool))
            else:
                what = Sentence("part.pool_too_small", count=row.pool_slots, pool=row.pool, slots=row.slots)
                yield Obstacle(ref, row.task_id, "no_pool_slots", what)
