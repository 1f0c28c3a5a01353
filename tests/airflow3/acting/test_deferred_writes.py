"""A dispatch reads first and writes then; what it does is Airflow's own clear."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.acting import clearing
from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.errors import CannotDispatch
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.airflow3 import scene, task_rows

OWN = {
    "task_instance": {"id", "run_id", "updated_at", "context_carrier", "logical_date", "start_date", "end_date"},
    "dag_run": {
        "id", "run_id", "logical_date", "data_interval_start", "data_interval_end", "run_after", "queued_at",
        "updated_at", "created_at", "context_carrier", "start_date", "end_date",
    },
}  # fmt: skip
"""Columns that differ between two runs, or two moments."""

OF_A_TRY = {"task_instance_id", "run_id", "updated_at", "start_date", "end_date", "context_carrier"}

by_turns = pytest.mark.skipif(TRIES_ARE_ROWS, reason="since Airflow 3.4 its clear can't but read and write by turns")

STATES = {"first": "success", "never": None, "mapped": "failed"}


def save(session: Any, *, more: bool = False, literal: int = 3) -> None:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, task

    with DAG("d", schedule="@daily", start_date=scene.START) as dag:
        first = EmptyOperator(task_id="first", retries=2)

        @task
        def mapped(x: Any) -> None: ...

        first >> mapped.expand(x=list(range(literal))) >> EmptyOperator(task_id="never")
        if more:
            first >> EmptyOperator(task_id="added")
    scene.save(dag, session=session)


def reschedule(ref: RunRef, session: Any) -> None:
    from airflow.models.taskreschedule import TaskReschedule

    ti = scene.instance(ref, "first", session=session)
    session.add(TaskReschedule(ti.id, scene.START, scene.START, scene.START))
    session.commit()


def run(session: Any, day: int) -> RunRef:
    ref = scene.create_run("d", session=session, day=day, state="failed", states=STATES, tries=2)
    reschedule(ref, session)
    return ref


def rows(ref: RunRef, session: Any) -> dict[str, list[dict[str, Any]]]:
    found = {
        table: [
            {name: value for name, value in row.items() if name not in OWN[table]}
            for row in scene.rows(table, session=session, dag_id=ref.dag_id, run_id=ref.run_id)
        ]
        for table in OWN
    }
    tries = [dict(row._mapping) for row in task_rows.earlier_tries(ref, session=session)]
    found["tries"] = [{name: value for name, value in row.items() if name not in OF_A_TRY} for row in tries]
    return {table: sorted(some, key=str) for table, some in found.items()}


@by_turns
@pytest.mark.parametrize("latest", [False, True], ids=["own version", "latest version"])
@pytest.mark.parametrize("changed", [{}, {"more": True}, {"literal": 2}, {"literal": 5}], ids=str)
def test_nothing_but_the_order_of_statements_differs(session: Any, latest: bool, changed: dict[str, Any]) -> None:
    from airflow.models.taskinstance import clear_task_instances

    save(session)
    theirs, ours = run(session, 1), run(session, 2)
    save(session, **changed)
    once = scene.instances(theirs, session=session).values()
    clear_task_instances(list(once), session, run_on_latest_version=latest)
    clearing.forget_tries(
        scene.run_of(theirs, session=session), [ti for ti in once if ti.task_id == "never"], session=session
    )
    session.commit()
    again = scene.instances(ours, session=session).values()
    run_of_ours = scene.run_of(ours, session=session)
    clearing.clear(run_of_ours, list(again), whole=(), on_latest_version=latest, session=session)
    session.commit()
    assert rows(ours, session) == rows(theirs, session)
    assert scene.rows("task_reschedule", session=session) == []
    assert len(rows(ours, session)["tries"]) == 4


def reads_and_writes(texts: list[str]) -> str:
    """A letter for each statement: r for what only reads."""
    kept = [text.split()[0].upper() for text in texts]
    return "".join("r" if word in ("SELECT", "PRAGMA") else "w" for word in kept)


@by_turns
@pytest.mark.parametrize("latest", [False, True], ids=["own version", "latest version"])
def test_the_reads_for_each_task_instance_come_before_the_first_write(
    database: Any, session: Any, latest: bool
) -> None:
    after = {}
    for count in (4, 40):
        save(session, literal=count)
        ref = scene.create_run("d", session=session, day=count)
        gateway, marks = AirflowGateway(session), []
        with database.counted() as statements:
            gateway.dispatch(
                ref,
                tuple(map(TaskRef, STATES)),
                rerun_id=1,
                actor="ann",
                retry=False,
                run_on_latest_version=latest,
                before_writing=lambda: marks.append(len(statements)),  # noqa: B023  called at once
            )
        session.commit()
        (mark,) = marks
        assert reads_and_writes(statements.texts[:mark]).strip("r") == ""
        assert mark > count
        after[count] = len(statements) - mark
    assert after[40] <= after[4] + 3, "what is sent while the database is locked comes in batches"
    assert after[40] < 40


@pytest.mark.parametrize("change", ["task", "run", "map"])
def test_what_has_changed_since_it_was_read_is_not_cleared(
    database: Any, session: Any, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has no lock on a run; a person may do anything until the first write."""
    save(session)
    ref = run(session, 1)
    before = rows(ref, session)

    def somebody() -> None:
        with database.session() as other:
            if change == "run":
                scene.run_of(ref, session=other).clear_number += 1
            elif change == "task":
                scene.instance(ref, "first", session=other).try_number += 1
            else:
                other.delete(scene.instance(ref, "mapped", 2, session=other))
            other.commit()

    if database.backend == "postgres" and change == "run":
        pytest.skip("the run's row is locked")
    with pytest.raises(CannotDispatch, match="run_not_finished"):
        dispatch(session, ref, somebody)
    session.rollback()
    after = rows(ref, session)
    assert after != before
    assert all(row["state"] != "queued" for row in after["dag_run"])
    assert after["tries"] == before["tries"]


def test_what_is_raised_before_the_first_write_leaves_nothing(database: Any, session: Any) -> None:
    save(session)
    ref = run(session, 1)
    before = rows(ref, session)

    def lost() -> None:
        raise RuntimeError("the lease is lost")

    with database.counted() as statements, pytest.raises(RuntimeError, match="the lease is lost"):
        dispatch(session, ref, lost)
    assert reads_and_writes(statements.texts).strip("r") == ""
    session.rollback()
    assert rows(ref, session) == before


def dispatch(session: Any, ref: RunRef, before_writing: Any) -> None:
    more: dict[str, Any] = {"rerun_id": 1, "actor": "ann", "retry": False, "run_on_latest_version": None}
    tasks = tuple(map(TaskRef, STATES))
    AirflowGateway(session).dispatch(ref, tasks, **more, before_writing=before_writing)


@pytest.fixture(autouse=True)
def migrated(database: Any) -> None:
    scene.migrate(database)


def test_a_run_is_cleared_once(session: Any) -> None:
    save(session)
    ref = run(session, 1)
    calls: list[timedelta] = []
    dispatch(session, ref, lambda: calls.append(timedelta()))
    session.commit()
    assert len(calls) == 1
    found = scene.run_of(ref, session=session)
    assert (found.state, found.clear_number) == ("queued", 1)
