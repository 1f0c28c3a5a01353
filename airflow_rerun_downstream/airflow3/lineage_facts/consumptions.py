"""Which runs consumed the asset events of others, by Airflow's own record of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow.models.asset import association_table as CONSUMED
from airflow.models.dagrun import DagRun
from sqlalchemy import select

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, one_in
from airflow_rerun_downstream.airflow3.lineage_facts.emitted_events import events_of
from airflow_rerun_downstream.airflow3.lineage_facts.runs import RUN, RUN_COLUMNS, complete
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.lineage_records import AssetConsumption
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def asset_consumptions(session: Session, producers: Collection[RunRef]) -> list[AssetConsumption]:
    """Which runs consumed the asset events of ``producers``, in the order of the events. A few statements.

    Events and consumers are asked for one after the other: in one statement, PostgreSQL reads all three tables.
    """
    events = {event.id: event for some in chunks(producers) for event in events_of(session, some)}
    rows = [
        row
        for some in chunks(sorted(events))
        for row in session.execute(consumers_of(session, some).order_by(CONSUMED.c.event_id, RUN.id))
    ]
    consumers = complete(session, rows) if rows else {}
    return [consumption(events[row.event_id], consumers[RunRef(row.dag_id, row.run_id)]) for row in rows]


def consumption(event: Any, consumer: RunFacts) -> AssetConsumption:
    """The link that an event makes."""
    return AssetConsumption(
        producer=RunRef(event.source_dag_id, event.source_run_id),
        task_id=event.source_task_id,
        map_index=event.source_map_index,
        event_id=event.id,
        asset=event.uri,
        consumer=consumer,
    )


def consumers_of(session: Session, event_ids: Collection[int]) -> Any:
    """The runs that consumed events."""
    return (
        select(CONSUMED.c.event_id, *RUN_COLUMNS)
        .select_from(CONSUMED.join(DagRun.__table__, RUN.id == CONSUMED.c.dag_run_id))
        .where(one_in(session, CONSUMED.c.event_id, event_ids))
    )
