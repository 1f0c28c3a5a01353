"""Held runs that no hold names: they are found, and start at the time that they would have had."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import delete

from airflow_rerun_downstream.airflow3.holding import lost_runs
from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer
from airflow_rerun_downstream.airflow3.holding.held_until import FAR
from airflow_rerun_downstream.airflow3.hooks import dag_run_insert
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store.tables import hold
from tests.airflow3 import freezing, history, scene, scheduler

DAY = timedelta(days=1)
DUE = datetime(2030, 3, 4, 5, 6, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def frozen_members(database: Any, session: Any) -> None:
    scene.migrate(database)
    dag_run_insert.install()
    freezing.members(2, session=session)


def lose(session: Any) -> None:
    session.execute(delete(hold))
    session.commit()


def coming(schedule: Any, session: Any) -> RunRef:
    """A run that the scheduler has made held, and whose hold is gone."""
    scene.save(history.dag("d", schedule=schedule, catchup=True), session=session)
    ref = scheduler.make_next("d", session=session)
    first = scene.run_of(ref, session=session)
    true, date = first.run_after, first.logical_date
    scheduler.pass_over("d", -DAY, session=session)
    scene.delete_run(ref, session=session)
    freezing.freeze(FutureRef("d", logical_date=date), session=session)
    assert scheduler.make_next("d", session=session) == ref
    assert scene.run_of(ref, session=session).run_after == FAR
    lose(session)
    assert [(one.ref, one.due) for one in lost_runs.lost(session)] == [(ref, true)]
    return ref


@pytest.mark.parametrize("schedule", ["@daily", timedelta(days=1)])
def test_one_that_was_made_held_has_its_time_in_its_id(session: Any, schedule: Any) -> None:
    ref = coming(schedule, session)
    due = AirflowFreezer(session).rescue(ref, actor="ann")
    session.commit()
    run = scene.run_of(ref, session=session)
    assert (run.run_after, run.state) == (due, "queued")
    (row,) = scene.rows("log", session=session, event="rerun_downstream.release")
    assert (row["run_id"], row["owner"], row["extra"]) == (ref.run_id, "ann", '{"rerun_id": null}')


def test_one_that_was_held_later_has_its_time_in_its_note(session: Any) -> None:
    scene.save(history.dag("d", schedule="@daily", catchup=True), session=session)
    ref = scene.create_run("d", session=session, state="queued")
    scene.run_of(ref, session=session).run_after = DUE
    session.commit()
    freezing.freeze(ref, session=session)
    lose(session)
    assert AirflowFreezer(session).rescue(ref, actor="ann") == DUE
    session.commit()
    run = scene.run_of(ref, session=session)
    assert (run.run_after, run.note) == (DUE, "Released by rerun downstream #1")


@pytest.mark.parametrize(
    ("run_id", "note", "due"),
    [
        ("scheduled__2030-03-04T05:06:00+00:00", None, DUE),
        ("scheduled__2030-03-04T05:06:00+00:00", "Held by rerun downstream #9; its run_after is 2030-01-01", "note"),
        ("scheduled__2030-03-04T05:06:00+00:00", "Held by rerun downstream #9; its run_after is soon", DUE),
        ("my own name", None, "interval"),
        ("scheduled__2038-01-01T00:00:00+00:00", None, "interval"),
    ],
)
def test_the_surest_source_counts(session: Any, run_id: str, note: str | None, due: Any) -> None:
    row = type("Row", (), {})()
    row.id, row.dag_id, row.run_id, row.content = 1, "d", run_id, note
    row.logical_date, row.data_interval_end = scene.START, scene.START + DAY
    expected = {"note": datetime(2030, 1, 1, tzinfo=timezone.utc), "interval": scene.START + DAY}
    assert lost_runs.lost_run(row).due == expected.get(due, due)


def test_looking_is_one_statement(session: Any, database: Any) -> None:
    with database.counted() as statements:
        lost_runs.lost(session)
    assert len(statements) == 1
