"""After the tables were removed and made again, no rerun gets an id that Airflow's rows name already."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from sqlalchemy import insert

from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
from airflow_rerun_downstream.airflow3.database import last_rerun_id, our_tables
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store.rerun_store import SqlRerunStore
from tests.airflow3 import scene
from tests.store.test_rows import wide

NOW = datetime(2026, 11, 28, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def migrated(database: Any) -> None:
    scene.migrate(database)


def last_id(session: Any) -> int:
    return last_rerun_id.last_rerun_id(session.connection())


def note(session: Any, text: str) -> None:
    from airflow.models.dagrun import DagRunNote
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG("d", schedule="@daily", start_date=scene.START) as dag:
        EmptyOperator(task_id="t")
    scene.save(dag, session=session)
    run = scene.run_of(scene.create_run("d", session=session), session=session)
    values = {"dag_run_id": run.id, "content": text, "created_at": NOW, "updated_at": NOW}
    session.execute(insert(DagRunNote.__table__).values(values))


def test_without_traces(session: Any) -> None:
    assert last_id(session) == 0


def test_the_audit_log(session: Any) -> None:
    from airflow.models.log import Log

    gateway = AirflowGateway(session)
    for number in (3, 12, 9):
        gateway.record(RunRef("d", "r"), rerun_id=number, actor="ann", event="submit")
    theirs = {"event": "rerunXdownstream.submit", "extra": json.dumps({"rerun_id": 99}), "dttm": NOW}
    session.execute(insert(Log.__table__).values(theirs))
    assert last_id(session) == 12


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mine\nRerun downstream #17 by ann", 17),
        ("Rerun downstream #5 by ann\nReleased by rerun downstream #21", 21),
        ("Held by rerun downstream #8; its run_after is 2026-11-01", 8),
        ("see rerun downstream #99999999999999", 0),
        ("Rerun downstream is fine", 0),
    ],
)
def test_notes(session: Any, text: str, found: int) -> None:
    note(session, text)
    assert last_id(session) == found


def test_a_rerun_after_a_downgrade_has_a_new_id(session: Any) -> None:
    AirflowGateway(session).record(RunRef("d", "r"), rerun_id=30, actor="ann", event="submit")
    session.commit()
    our_tables.downgrade("base")
    our_tables.migrate()
    assert SqlRerunStore(session).add(wide(1), now=NOW) == 31
