"""Dags and their history, written into a real Airflow database by Airflow's own code."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import database as databases

databases.configure()
os.environ["AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL"] = "0"  # a second version without a wait

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.orm import Session

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
BUNDLE = "tests"


def save(*dags: Any, session: Session, bundle_version: str | None = None) -> None:
    """What the dag processor does with Dags that it has parsed. A changed Dag gets a new version."""
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    for dag in dags:
        dag.fileloc, dag.relative_fileloc = __file__, f"{dag.dag_id}.py"
    store([LazyDeserializedDAG.from_dag(dag) for dag in dags], session=session, bundle_version=bundle_version)


def store(serialized: Sequence[Any], *, session: Session, bundle_version: str | None = None) -> None:
    """Write serialized Dags into the database, unpaused and with their assets active."""
    from airflow import settings
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.db import synchronize_log_template

    if hasattr(settings, "MIN_SERIALIZED_DAG_UPDATE_INTERVAL"):  # 3.1 reads it at import
        settings.MIN_SERIALIZED_DAG_UPDATE_INTERVAL = 0
    if session.get(DagBundleModel, BUNDLE) is None:
        session.add(DagBundleModel(name=BUNDLE))
        session.flush()
    synchronize_log_template(session=session)  # every run names one
    errors: dict[tuple[str, str], str] = {}
    update_dag_parsing_results_in_db(BUNDLE, bundle_version, list(serialized), errors, None, set(), session)
    assert not errors, errors
    unpause([dag.dag_id for dag in serialized], session=session)
    activate_assets(session=session)
    session.commit()


def unpause(dag_ids: Collection[str], *, session: Session) -> None:
    from airflow.models.dag import DagModel
    from sqlalchemy import update

    session.execute(update(DagModel).where(DagModel.dag_id.in_(dag_ids)).values(is_paused=False))


def activate_assets(*, session: Session) -> None:
    """What the scheduler does with the assets that Dags name."""
    from airflow.models.asset import AssetActive, AssetModel
    from sqlalchemy import select

    for asset in session.scalars(select(AssetModel).where(~AssetModel.active.has())):
        session.add(AssetActive.for_asset(asset))
    session.flush()


def latest(dag_id: str, *, session: Session) -> Any:
    """The Dag as Airflow has it in the database."""
    from airflow.models.serialized_dag import SerializedDagModel

    found = SerializedDagModel.get(dag_id, session=session)
    assert found is not None
    return found.dag


def create_run(
    dag_id: str,
    *,
    session: Session,
    day: float = 0,
    state: str = "success",
    states: Mapping[str, str | None] | None = None,
    tries: int = 1,
    **more: Any,
) -> RunRef:
    """A run of a day. Its task instances had ``tries`` tries and ended in the run's state, or as ``states`` says.

    A state of None makes a task instance that never ran.
    """
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS

    date = START + timedelta(days=day)
    run = latest(dag_id, session=session).create_dagrun(
        run_id=f"scheduled__{date.isoformat()}",
        logical_date=date,
        data_interval=(date, date),
        run_after=date,
        run_type=DagRunType.SCHEDULED,
        triggered_by=DagRunTriggeredByType.TIMETABLE,
        state="queued",
        session=session,
        **more,
    )
    usual = {"success": "success", "failed": "failed", "running": "running", "queued": None}[state]
    for ti in list(run.task_instances):
        put(ti, (states or {}).get(ti.task_id, usual), date=date, tries=tries)
        if TRIES_ARE_ROWS and ti.state == "up_for_retry":
            ti.prepare_db_for_next_try(session)
    run.state = state
    if state != "queued":
        run.start_date = date
    ref = RunRef(run.dag_id, run.run_id)
    session.commit()
    return ref


def put(ti: TaskInstance, state: str | None, *, date: datetime = START, tries: int = 1) -> None:
    """Bring a task instance into a state, as if it had had so many tries."""
    ti.state = state
    if state in (None, "upstream_failed", "skipped", "removed"):
        return
    ti.try_number, ti.max_tries = tries, max(tries - 1, 0)
    ti.start_date, ti.end_date = date, date + timedelta(minutes=1)


def expand(ref: RunRef, task_id: str, count: int, *, session: Session, state: str | None = "success") -> None:
    """Turn a mapped task of a run into its indexes, as the scheduler does when it expands one."""
    from airflow.models.taskinstance import TaskInstance

    from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS

    first = instance(ref, task_id, session=session)
    first.map_index = 0
    put(first, state)
    task = latest(ref.dag_id, session=session).get_task(task_id)
    for index in range(1, count):
        where = {"run_id": ref.run_id, "map_index": index, "dag_version_id": first.dag_version_id}
        more = TaskInstance(task, **where, **({"region_id": first.region_id} if TRIES_ARE_ROWS else {}))
        session.add(more)
        put(more, state)
    session.commit()


def run_of(ref: RunRef, *, session: Session) -> DagRun:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    found = select(DagRun).where(DagRun.dag_id == ref.dag_id, DagRun.run_id == ref.run_id)
    return session.scalars(found.execution_options(populate_existing=True)).one()


def instances(ref: RunRef, *, session: Session) -> dict[tuple[str, int], TaskInstance]:
    """The task instances of a run, freshly read."""
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    found = select(TaskInstance).where(TaskInstance.dag_id == ref.dag_id, TaskInstance.run_id == ref.run_id)
    rows = session.scalars(found.execution_options(populate_existing=True))
    return {(ti.task_id, ti.map_index): ti for ti in rows}


def instance(ref: RunRef, task_id: str, map_index: int = -1, *, session: Session) -> TaskInstance:
    return instances(ref, session=session)[task_id, map_index]


def rows(table: str, *, session: Session, **where: Any) -> list[dict[str, Any]]:
    """The rows of a table as they are in the database."""
    from sqlalchemy import text

    condition = " AND ".join(f"{name} = :{name}" for name in where) or "1 = 1"
    found = session.execute(text(f"SELECT * FROM {table} WHERE {condition}"), where)
    return [dict(row) for row in found.mappings()]


def delete_run(ref: RunRef, *, session: Session) -> None:
    session.delete(run_of(ref, session=session))
    session.commit()


def delete_dag(dag_id: str, *, session: Session) -> None:
    """What "Delete Dag" does: the Dag goes, with all its runs."""
    from airflow.api.common.delete_dag import delete_dag as delete

    delete(dag_id, session=session)
    session.commit()


def migrate(database: databases.Database) -> None:
    """Make our own tables in an Airflow database, unless they are there and as they should be."""
    from airflow_rerun_downstream.store import schema

    with database.engine.connect() as connection:
        ready = schema.state(connection) is schema.SchemaState.READY
    if not ready:
        schema.upgrade(database.engine)


def drop(database: databases.Database) -> None:
    """Remove our own tables, as an uninstalled package would."""
    from airflow_rerun_downstream.store import schema

    with suppress(Exception):
        schema.downgrade(database.engine, schema.BASE)


def version(dag_id: str, number: int, *, session: Session) -> Any:
    """A version of a Dag."""
    from airflow.models.dag_version import DagVersion
    from sqlalchemy import select

    found = select(DagVersion).where(DagVersion.dag_id == dag_id, DagVersion.version_number == number)
    return session.scalars(found).one()
