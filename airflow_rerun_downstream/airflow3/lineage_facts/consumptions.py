"""Which runs consumed the asset events of others, by Airflow's own record of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.models.asset import AssetEvent
from airflow.models.asset import association_table as CONSUMED
from airflow.models.dagrun import DagRun
from sqlalchemy import select

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, one_in
from airflow_rerun_downstream.airflow3.lineage_facts.emitted_assets import learned
from airflow_rerun_downstream.airflow3.lineage_facts.emitted_events import BEFORE, EVENT, events_of
from airflow_rerun_downstream.airflow3.lineage_facts.runs import RUN, RUN_COLUMNS, complete
from airflow_rerun_downstream.domain.definitions import AssetSchedule
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.lineage_records import AssetConsumption
from airflow_rerun_downstream.domain.refs import RunRef, by_name

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOST_PAIRS = 20_000
"""So many pairs of runs are read ahead. More would cost much where few of them are of the plan."""


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


def led_to(
    session: Session, producers: Collection[RunRef], schedules: Collection[AssetSchedule], *, since: datetime, most: int
) -> list[RunRef]:
    """The runs that asset events have led to from ``producers``: who consumed whose is read at once, and then walked.

    Read are the pairs of all Dags that can be reached, some thousands at most.
    """
    assets = assets_passed_on(session, {ref.dag_id for ref in producers}, schedules)
    if not assets:
        return []
    wanted = (
        select(EVENT.source_dag_id, EVENT.source_run_id, RUN.dag_id, RUN.run_id)
        .select_from(AssetEvent.__table__)
        .join(CONSUMED, CONSUMED.c.event_id == EVENT.id)
        .join(DagRun.__table__, RUN.id == CONSUMED.c.dag_run_id)
        .where(one_in(session, EVENT.asset_id, sorted(assets)), EVENT.timestamp >= since - BEFORE)
        .where(EVENT.source_run_id.is_not(None))
        .limit(MOST_PAIRS)
    )
    consumers: dict[RunRef, set[RunRef]] = {}
    for row in session.execute(wanted):
        consumers.setdefault(RunRef(row[0], row[1]), set()).add(RunRef(row[2], row[3]))
    asked = set(producers)
    found = dict.fromkeys(producers)
    queue = deque(found)
    while queue and len(found) < len(asked) + most:
        fresh = [ref for ref in sorted(consumers.get(queue.popleft(), ()), key=by_name) if ref not in found]
        found.update(dict.fromkeys(fresh))
        queue.extend(fresh)
    return [ref for ref in found if ref not in asked][:most]


def assets_passed_on(session: Session, dag_ids: Collection[str], schedules: Collection[AssetSchedule]) -> set[int]:
    """The assets that start Dags, of those that Dags have emitted, and the Dags started by these, and so on.

    None where one of the Dags has emitted too many to be kept in mind.
    """
    started: dict[int, list[str]] = {}
    for each in schedules:
        started.setdefault(each.asset_id, []).append(each.dag_id)
    known = learned(session)
    found, seen, frontier = set[int](), set(dag_ids), set(dag_ids)
    while frontier:
        emitted = known.assets(frontier)
        if emitted is None:
            return set()
        fresh = (emitted & started.keys()) - found
        found |= fresh
        frontier = {dag_id for asset in fresh for dag_id in started[asset]} - seen
        seen |= frontier
    return found
