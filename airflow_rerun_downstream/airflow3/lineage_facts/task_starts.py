"""When tasks started that read by the time: by themselves, not where a rerun made them anew."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from airflow.models.asset import AssetEvent
from airflow.models.asset import association_table as CONSUMED
from airflow.models.dagrun import DagRun
from sqlalchemy import and_, func, null, or_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, one_in, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.emitted_events import EVENT
from airflow_rerun_downstream.airflow3.lineage_facts.online import word
from airflow_rerun_downstream.airflow3.lineage_facts.own_starts import DID_NOTHING, can_be_noted, noted_start
from airflow_rerun_downstream.airflow3.lineage_facts.runs import RUN, RUN_COLUMNS, TI, complete
from airflow_rerun_downstream.airflow3.versions import DAGS_HAVE_GATES
from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE
from airflow_rerun_downstream.domain.lineage_records import TaskStart
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


CONSUME = ("asset_triggered", "scheduled") if DAGS_HAVE_GATES else ("asset_triggered",)
"""The types of runs that consume asset events."""


def task_starts(
    session: Session, tasks: Collection[tuple[str, str]], *, since: datetime, until: datetime | None
) -> list[TaskStart]:
    """When instances of tasks started, in the order of time. Runs that had ended before aren't looked into."""
    if not tasks:
        return []
    instances = DagRun.__table__.join(task_tables.TASK, and_(TI.dag_id == RUN.dag_id, TI.run_id == RUN.run_id))
    noted, source = noted_start(RUN.id, instances) if can_be_noted(session) else (null(), instances)
    began = func.coalesce(noted, TI.start_date)
    # What was skipped since then has read nothing new, and holds what it had read before.
    has_read = or_(TI.state.not_in(DID_NOTHING), and_(noted.is_not(None), TI.state != REMOVED_TASK_STATE))
    wanted = (
        select(RUN.id.label("run_key"), TI.task_id, TI.map_index, began.label("began"), *RUN_COLUMNS)
        .select_from(source)
        .where(
            pair_in(session, TI.dag_id, TI.task_id, sorted(tasks)),
            one_in(session, RUN.dag_id, sorted({dag_id for dag_id, _ in tasks})),
            began >= since,
            or_(TI.state.is_(None), has_read),
            or_(RUN.end_date.is_(None), RUN.end_date >= since),
        )
        .order_by(began, RUN.id)
    )
    if until is not None:
        wanted = wanted.where(began < until)
    rows = session.execute(wanted).all()
    known = complete(session, rows) if rows else {}
    consumed = consumed_assets(session, {row.run_key for row in rows if word(row.run_type) in CONSUME})
    return [
        TaskStart(
            known[RunRef(row.dag_id, row.run_id)], row.task_id, row.map_index, row.began,
            frozenset(consumed.get(row.run_key, ())),
        )
        for row in rows
    ]  # fmt: skip


def consumed_assets(session: Session, run_keys: Collection[int]) -> dict[int, set[int]]:
    """The assets of which events started runs, by the keys of their rows."""
    found: dict[int, set[int]] = {}
    for some in chunks(sorted(run_keys), 5_000):
        wanted = (
            select(CONSUMED.c.dag_run_id, EVENT.asset_id)
            .select_from(CONSUMED.join(AssetEvent.__table__, EVENT.id == CONSUMED.c.event_id))
            .where(one_in(session, CONSUMED.c.dag_run_id, some))
            .distinct()
        )
        for run_key, asset_id in session.execute(wanted):
            found.setdefault(run_key, set()).add(asset_id)
    return found
