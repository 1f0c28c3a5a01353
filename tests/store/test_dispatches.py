"""What the gateway notes of a dispatch, and what processes say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import timezone as timezones

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store.dispatches import mark_emitted, remember_dispatch
from airflow_rerun_downstream.store.processes import (
    ProcessReport,
    forget_processes,
    live_processes,
    report_process,
)
from airflow_rerun_downstream.store.tables import dispatched_task
from tests.store.databases import REAL, database

NOW = datetime(2026, 3, 1, tzinfo=timezones.utc)
RUN = RunRef("dag", "run")


@pytest.fixture(params=REAL)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    with Session(database(request.param)) as session:
        yield session


def dispatched(session: Session, *place: object) -> tuple[object, ...] | None:
    """Rerun, member, first try and last recognised try of a task instance's last dispatch."""
    table = dispatched_task.c
    key = zip((table.dag_id, table.run_id, table.task_id, table.map_index), place, strict=True)
    found = select(table.rerun_id, table.member_id, table.first_try, table.emitted_try)
    row = session.execute(found.where(*(column == value for column, value in key))).first()
    return None if row is None else tuple(row)


def test_a_dispatch_is_remembered_by_task_instance(session: Session) -> None:
    remember_dispatch(session, RUN, [("t", -1, 2), ("m", 0, 3), ("m", 1, 2)], 7, 70)
    assert dispatched(session, "dag", "run", "t", -1) == (7, 70, 2, None)
    assert dispatched(session, "dag", "run", "m", 0) == (7, 70, 3, None)
    for other in (("dag", "run", "t", 0), ("dag", "run", "x", -1), ("dag", "r", "t", -1), ("d", "run", "t", -1)):
        assert dispatched(session, *other) is None


def test_a_later_dispatch_replaces_only_what_it_cleared(session: Session) -> None:
    remember_dispatch(session, RUN, [("t", -1, 2), ("u", -1, 2), ("m", 0, 2), ("m", 1, 2)], 7, 70)
    mark_emitted(session, "dag", "run", "t", -1, 2)
    remember_dispatch(session, RUN, [("t", -1, 4), ("m", 1, 5)], 8, None)
    assert dispatched(session, "dag", "run", "t", -1) == (8, None, 4, None)
    assert dispatched(session, "dag", "run", "m", 1) == (8, None, 5, None)
    assert dispatched(session, "dag", "run", "u", -1) == (7, 70, 2, None)
    assert dispatched(session, "dag", "run", "m", 0) == (7, 70, 2, None)


@pytest.mark.parametrize(
    "rows",
    [
        [("m", number, 1) for number in range(3000)],
        [(f"t{number}", -1, 1) for number in range(3000)],
        [],
        [("t", -1, 1), ("t", -1, 2)],
    ],
)
def test_many_task_instances_of_either_shape_go_in_twice(session: Session, rows: list[tuple[str, int, int]]) -> None:
    remember_dispatch(session, RUN, rows, 7, 70)
    remember_dispatch(session, RUN, iter(rows), 8, 80)
    count = session.execute(
        text("SELECT count(*) FROM rerun_downstream_dispatched_task WHERE rerun_id = 8")
    ).scalar_one()
    assert count == len({row[:2] for row in rows})


def test_a_try_is_marked_once(session: Session) -> None:
    remember_dispatch(session, RUN, [("t", -1, 2)], 7, 70)
    assert mark_emitted(session, "dag", "run", "t", -1, 2)
    assert not mark_emitted(session, "dag", "run", "t", -1, 2)
    assert mark_emitted(session, "dag", "run", "t", -1, 3)
    assert not mark_emitted(session, "dag", "run", "t", -1, 2)
    assert not mark_emitted(session, "dag", "run", "unknown", -1, 1)
    assert dispatched(session, "dag", "run", "t", -1) == (7, 70, 2, 3)


def test_a_process_reports_again_and_again(session: Session) -> None:
    first = ProcessReport("host:1", "scheduler", False, True, NOW)
    report_process(session, first, ago=timedelta(minutes=2))
    assert live_processes(session, within=timedelta(minutes=1)) == []
    later = replace(first, asset_manager=True, clock_offset=-1.5)
    report_process(session, later)
    assert live_processes(session, within=timedelta(minutes=1)) == [later]


def test_processes_that_went_silent_are_not_live_and_can_be_forgotten(session: Session) -> None:
    old = ProcessReport("a:1", "scheduler", False, True, NOW)
    fresh = ProcessReport("b:2", "api_server", True, False, NOW)
    report_process(session, old, ago=timedelta(minutes=5))
    report_process(session, fresh)
    assert live_processes(session, within=timedelta(minutes=1)) == [fresh]
    assert forget_processes(session, silent=timedelta(minutes=1)) == 1
    assert live_processes(session, within=timedelta(days=1)) == [fresh]
