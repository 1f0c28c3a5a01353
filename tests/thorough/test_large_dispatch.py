"""How long SQLite is locked while a run of 2,500 mapped task instances is dispatched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.airflow3 import scene
from tests.airflow3.conftest import make_once

COUNT = 2500
LEAST = 3.0
"""By how much the lock must be shorter than with Airflow's clear as it is."""


class Locked:
    """How long a transaction that writes was open: from its first write to its commit."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.seconds = 0.0

    def wrote(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if self.since is None and statement.split()[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            self.since = time.perf_counter()

    def ended(self, _connection: Any) -> None:
        if self.since is not None:
            self.seconds += time.perf_counter() - self.since
        self.since = None


@contextmanager
def locked(engine: Any) -> Iterator[Locked]:
    from sqlalchemy import event

    found = Locked()
    event.listen(engine, "before_cursor_execute", found.wrote)
    event.listen(engine, "commit", found.ended)
    yield found
    event.remove(engine, "before_cursor_execute", found.wrote)
    event.remove(engine, "commit", found.ended)


@pytest.fixture
def database() -> Any:
    found = make_once("sqlite")
    found.use()
    found.empty()
    scene.migrate(found)
    return found


def mapped_run(session: Any, day: int) -> RunRef:
    ref = scene.create_run("d", session=session, day=day)
    scene.expand(ref, "many", COUNT, session=session)
    return ref


def test_the_lock_is_short(database: Any) -> None:
    from airflow.models.taskinstance import clear_task_instances
    from airflow.sdk import DAG, task

    from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway

    with DAG("d", schedule="@daily", start_date=scene.START) as dag:

        @task
        def one() -> list[int]:
            return []

        @task
        def many(x: int) -> None: ...

        many.expand(x=one())
    with database.session() as session:
        scene.save(dag, session=session)
        runs = [mapped_run(session, day) for day in (1, 2)]

    def theirs(session: Any) -> None:
        scene.run_of(runs[0], session=session).last_scheduling_decision = None
        clear_task_instances(list(scene.instances(runs[0], session=session).values()), session)

    def ours(session: Any) -> None:
        tasks = (TaskRef("one"), TaskRef("many"))
        more: dict[str, Any] = {"rerun_id": 1, "actor": "", "retry": False, "run_on_latest_version": None}
        AirflowGateway(session).dispatch(runs[1], tasks, **more)

    before, after = (measured(database, what) for what in (theirs, ours))
    print(f"\n{COUNT} instances: Airflow's clear locks SQLite for {before:.2f} s, a dispatch for {after:.2f} s")
    assert after * LEAST < before


def measured(database: Any, what: Callable[[Any], None]) -> float:
    with database.session() as session, locked(database.engine) as found:
        what(session)
        session.commit()
    return found.seconds
