"""How long tasks have taken: as many statements, and as few runs, however many there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.lineage_facts import past_times
from airflow_rerun_downstream.airflow3.lineage_facts.past_times import PastTimes
from tests.airflow3 import history, scene
from tests.airflow3.scene import START


def write(session: Any, *dag_ids: str, days: int) -> None:
    """Dags with a task, and runs of theirs of so many days; on each day they take so many minutes."""
    scene.save(*(history.dag(dag_id) for dag_id in dag_ids), session=session)
    for dag_id in dag_ids:
        for day in range(days):
            ref = scene.create_run(dag_id, session=session, day=day)
            run = scene.run_of(ref, session=session)
            run.state, run.start_date, run.end_date = "success", START, START + timedelta(hours=1)
            for ti in scene.instances(ref, session=session).values():
                scene.put(ti, "success")
                ti.end_date = ti.start_date + timedelta(minutes=day)
    session.commit()


def task_of(dag_id: str, session: Any) -> str:
    return str(next(iter(scene.latest(dag_id, session=session).task_ids)))


def test_the_statements_do_not_grow_with_runs_and_the_rows_have_a_limit(session, database):
    write(session, "a", "b", days=2)
    kinds = [(dag_id, frozenset({task_of(dag_id, session)})) for dag_id in ("a", "b")]
    with database.counted() as few:
        PastTimes(session).times(kinds)
    for dag_id in ("a", "b"):
        for day in range(2, 20):
            ref = scene.create_run(dag_id, session=session, day=day)
            run = scene.run_of(ref, session=session)
            run.state, run.start_date, run.end_date = "success", START, START
    session.commit()
    with database.counted() as many:
        PastTimes(session).times(kinds)
    assert len(few) == len(many) == 2
    assert many.rows <= 2 * 2 * past_times.LOOKED_AT


@pytest.mark.parametrize(("limit", "name"), [(1, "DAGS"), (1, "NAMED")])
def test_some_dags_at_a_time_and_all_tasks_tell_the_same(session, monkeypatch, limit, name):
    write(session, "a", "b", "c", days=3)
    kinds = [(dag_id, frozenset({task_of(dag_id, session)})) for dag_id in ("a", "b", "c")]
    whole = PastTimes(session).times(kinds)
    assert whole == dict.fromkeys(kinds, (120.0, 60.0, 0.0))
    monkeypatch.setattr(past_times, name, limit)
    assert PastTimes(session).times(kinds) == whole


def test_of_many_dags_fewer_runs_are_looked_at(session, monkeypatch):
    write(session, "a", "b", days=8)
    kinds = [(dag_id, frozenset({task_of(dag_id, session)})) for dag_id in ("a", "b")]
    monkeypatch.setattr(past_times, "ALL_RUNS", 10)
    assert {len(found) for found in PastTimes(session).times(kinds).values()} == {5}
    monkeypatch.setattr(past_times, "ALL_RUNS", 1)
    assert {len(found) for found in PastTimes(session).times(kinds).values()} == {past_times.FEWEST}


def test_dags_without_a_run_cost_no_second_statement(session, database):
    scene.save(history.dag("a"), session=session)
    with database.counted() as statements:
        assert PastTimes(session).times([("a", frozenset({"t"}))]) == {}
    assert len(statements) == 1
