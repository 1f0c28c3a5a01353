"""Rows of Airflow's tables that link runs, in bulk or one by one, as Airflow writes them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import scene, task_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def dag(dag_id: str, build: Any = None, **arguments: Any) -> Any:
    """A Dag with the tasks that ``build`` makes; without it, one task ``t``."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    arguments.setdefault("schedule", None)
    with DAG(dag_id, start_date=scene.START, **arguments) as made:
        if build is None:
            EmptyOperator(task_id="t")
        else:
            build()
    return made


def run(dag_id: str, run_id: str, *, session: Session, by: str = "", state: str = "success", **more: Any) -> RunRef:
    """A run that isn't scheduled: ``by`` is ``operator`` for one that a task made, ``asset`` or ``user``."""
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    types = {"operator": operator_type(), "asset": "asset_triggered", "backfill": "backfill"}
    triggered = {"operator": "operator", "asset": "asset", "backfill": "backfill"}.get(by, "ui")
    created = scene.latest(dag_id, session=session).create_dagrun(
        run_id=run_id,
        run_after=more.pop("run_after", scene.START),
        run_type=DagRunType(types.get(by, "manual")),
        triggered_by=DagRunTriggeredByType(triggered),
        state="queued",
        session=session,
        **more,
    )
    created.state = state
    if state != "queued":
        created.start_date = scene.START
    session.commit()
    return RunRef(dag_id, run_id)


def operator_type() -> str:
    """The type of runs that tasks make: Airflow 3.3 has one for them."""
    from airflow.utils.types import DagRunType

    return "operator_triggered" if "operator_triggered" in {each.value for each in DagRunType} else "manual"


def xcom(ref: RunRef, task_id: str, key: str, value: Any, *, session: Session, map_index: int = -1) -> None:
    """An XCom as the execution API stores it."""
    where = {"dag_id": ref.dag_id, "run_id": ref.run_id, "task_id": task_id, "map_index": map_index}
    task_rows.add_xcoms([{**where, "key": key, "value": value}], session=session)
    session.commit()


def triggered(parent: RunRef, child: RunRef, *, session: Session, task_id: str = "go", link: bool = False) -> None:
    """What a TriggerDagRun task leaves when it has made ``child``."""
    if link:
        address = f"http://localhost/base/dags/{child.dag_id}/runs/{child.run_id}"
        xcom(parent, task_id, "_link_TriggerDagRunLink", address, session=session)
    xcom(parent, task_id, "trigger_run_id", child.run_id, session=session)


def emit(
    producer: RunRef,
    *consumers: RunRef,
    session: Session,
    asset: str = "s3://orders",
    task_id: str = "t",
    map_index: int = -1,
    at: datetime | None = None,
) -> int:
    """An asset event of a task, and the runs that consumed it; answer the event's id."""
    from airflow.models.asset import AssetEvent

    event = AssetEvent(
        asset_id=model(asset, session=session).id,
        source_dag_id=producer.dag_id,
        source_run_id=producer.run_id,
        source_task_id=task_id,
        source_map_index=map_index,
        extra={},
        timestamp=at or scene.START + timedelta(minutes=1),
    )
    session.add(event)
    session.flush()
    for found in [scene.run_of(consumer, session=session) for consumer in consumers]:
        found.consumed_asset_events.append(event)
    session.commit()
    return int(event.id)


def model(uri: str, *, session: Session) -> Any:
    """The asset of that URI; it is made if it isn't there yet."""
    from airflow.models.asset import AssetModel
    from sqlalchemy import select

    found = session.scalar(select(AssetModel).where(AssetModel.uri == uri))
    if found is None:
        found = AssetModel(name=uri, uri=uri, group="asset", extra={})
        session.add(found)
        session.flush()
    return found


def logged(
    event: str,
    *,
    session: Session,
    at: datetime,
    extra: str = "",
    ref: RunRef | None = None,
    dag_id: str | None = None,
) -> None:
    """A line of Airflow's audit log."""
    from airflow.models.log import Log

    line = Log(event=event, dag_id=ref.dag_id if ref else dag_id, run_id=ref.run_id if ref else None, extra=extra)
    line.dttm = at
    session.add(line)
    session.commit()


def finish(ref: RunRef, state: str, *, session: Session, start: datetime | None, end: datetime | None) -> None:
    """Set what the scheduler sets when a run has ended."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import update

    table = DagRun.__table__
    session.execute(
        update(table)
        .where(table.c.dag_id == ref.dag_id, table.c.run_id == ref.run_id)
        .values(state=state, start_date=start, end_date=end, queued_at=scene.START - timedelta(minutes=5))
    )
    session.commit()


def many_runs(dag_id: str, count: int, *, session: Session, tasks: Iterable[str] = ("t",)) -> list[RunRef]:
    """Scheduled runs of consecutive days with their task instances, written in two statements."""
    from airflow.models.dagrun import DagRun

    scene.create_run(dag_id, session=session, day=count)  # its rows are the pattern
    (pattern,) = scene.rows("dag_run", session=session, dag_id=dag_id)
    ti_pattern = scene.rows("task_instance", session=session, dag_id=dag_id)[0]
    dates = [scene.START + timedelta(days=day) for day in range(count)]
    refs = [RunRef(dag_id, f"scheduled__{date.isoformat()}") for date in dates]
    same = {name: pattern[name] for name in ("run_type", "state", "log_template_id", "clear_number")}
    task_rows.add(
        DagRun.__table__,
        [
            {
                **same,
                **dict.fromkeys(("logical_date", "run_after", "start_date", "end_date", "queued_at"), date),
                "dag_id": dag_id,
                "run_id": ref.run_id,
                "span_status": "ended",
            }
            for ref, date in zip(refs, dates, strict=True)
        ],
        session=session,
    )
    same = {name: ti_pattern[name] for name in ("pool", "operator", "max_tries", "pool_slots")}
    table = task_rows.task_instances()
    task_rows.add(
        table,
        [
            {
                **same,
                "id": uuid_of(table.c.id),
                "dag_id": dag_id,
                "run_id": ref.run_id,
                "task_id": task_id,
                "map_index": -1,
                "state": "success",
                "try_number": 1,
                "start_date": date,
                "end_date": date,
                "span_status": "ended",
            }
            for ref, date in zip(refs, dates, strict=True)
            for task_id in tasks
        ],
        session=session,
    )
    session.commit()
    return refs


def uuid_of(column: Any) -> Any:
    """A new id in the form that the column takes: text before Airflow 3.2."""
    made = uuid.uuid4()
    try:
        return made if column.type.python_type is uuid.UUID else str(made)
    except NotImplementedError:  # SQLAlchemy 1.4 doesn't tell of PostgreSQL's own type
        return str(made)


def link_all(producers: list[RunRef], others: list[RunRef], *, session: Session, task_id: str) -> None:
    """Each producer emitted an event that one of the others consumed, and its task made that run. Four statements."""
    from airflow.models.asset import AssetEvent, association_table
    from airflow.models.dagrun import DagRun
    from sqlalchemy import insert, select

    table = DagRun.__table__.c
    found = session.execute(select(table.dag_id, table.run_id, table.id, table.start_date))
    runs = {RunRef(row.dag_id, row.run_id): row for row in found}
    asset_id = model("s3://orders", session=session).id
    pairs = list(enumerate(zip(producers, others, strict=True), start=1))
    events = [
        {
            "id": number,
            "asset_id": asset_id,
            "source_dag_id": producer.dag_id,
            "source_run_id": producer.run_id,
            "source_task_id": task_id,
            "source_map_index": -1,
            "extra": {},
            "timestamp": runs[producer].start_date,
        }
        for number, (producer, _) in pairs
    ]
    consumed = [{"event_id": number, "dag_run_id": runs[other].id} for number, (_, other) in pairs]
    made = [
        {
            "dag_id": producer.dag_id,
            "run_id": producer.run_id,
            "task_id": task_id,
            "map_index": -1,
            "key": "trigger_run_id",
            "value": other.run_id,
        }
        for _, (producer, other) in pairs
    ]
    for into, values in ((AssetEvent.__table__, events), (association_table, consumed)):
        session.execute(insert(into), values)
    task_rows.add_xcoms(made, session=session)
    session.commit()
