"""Tasks that depend on the previous run of their Dag, and the runs that come later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.domain.definitions import PastDependency
from tests.airflow3 import history, scene

START = scene.START


@pytest.fixture
def facts(session):
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    return readers(session)


def tasks() -> None:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.providers.standard.operators.empty import EmptyOperator

    first = EmptyOperator(task_id="first", depends_on_past=True)
    second = EmptyOperator(task_id="second", wait_for_downstream=True)
    third = BashOperator.partial(task_id="third", depends_on_past=True).expand(bash_command=["a", "b"])
    first >> second >> [third, EmptyOperator(task_id="free")]


def told(facts: Any) -> set[PastDependency]:
    return set(facts.dags.definitions().past_dependencies)


def test_what_a_serialized_dag_tells(facts, session):
    scene.save(history.dag("a", tasks, catchup=False), session=session)
    assert told(facts) == {
        PastDependency("a", "first", frozenset({"first"})),
        PastDependency("a", "second", frozenset({"second", "third", "free"})),
        PastDependency("a", "third", frozenset({"third"})),
    }


def test_of_a_dag_that_catches_up_and_has_it_as_a_default(facts, session):
    def build() -> None:
        from airflow.providers.standard.operators.bash import BashOperator

        BashOperator.partial(task_id="mapped").expand(bash_command=["a", "b"])
        BashOperator(task_id="plain", bash_command="a")
        BashOperator(task_id="free", bash_command="a", depends_on_past=False)

    scene.save(history.dag("a", build, catchup=True, default_args={"depends_on_past": True}), session=session)
    expected = {PastDependency("a", name, frozenset({name}), scheduled_only=True) for name in ("mapped", "plain")}
    assert told(facts) == expected


def test_later_runs(facts, session, database):
    scene.save(history.dag("a"), history.dag("b"), history.dag("c"), session=session)
    a = [scene.create_run("a", session=session, day=day) for day in (3, 1, 2)]
    b = [scene.create_run("b", session=session, day=day) for day in (0, 1.5)]
    scene.create_run("c", session=session, day=9)
    history.run("a", "undated", session=session, by="asset", logical_date=None)
    since = {"a": START + timedelta(days=1), "b": START}
    with database.counted() as statements:
        found = facts.runs.later(since, limit=10)
    assert [run.ref for run in found] == [b[1], a[2], a[0]]
    assert len(statements) == 1
    assert [run.ref for run in facts.runs.later(since, limit=2)] == [b[1], a[2]]
    assert facts.runs.later({}, limit=2) == []


def previous_run_of_airflow(dag_id: str, run_id: str, *, catchup: bool, session: Any) -> str | None:
    """What Airflow's own dependency looks at."""
    from airflow.models.dagrun import DagRun

    from airflow_rerun_downstream.domain.refs import RunRef

    run = scene.run_of(RunRef(dag_id, run_id), session=session)
    if catchup:
        found = DagRun.get_previous_scheduled_dagrun(run.id, session=session)
    else:
        found = DagRun.get_previous_dagrun(run, session=session)
    return found.run_id if found else None


@pytest.mark.parametrize("catchup", [True, False])
def test_the_previous_run_is_the_one_that_airflow_looks_at(facts, session, catchup):
    """Each run's links lead exactly to the runs whose tasks Airflow would hold back for it."""
    from airflow_rerun_downstream.lineage.kinds.previous_run import PastChains

    def build() -> None:
        from airflow.providers.standard.operators.empty import EmptyOperator

        EmptyOperator(task_id="t", depends_on_past=True)

    scene.save(history.dag("a", build, catchup=catchup), session=session)
    refs = [scene.create_run("a", session=session, day=day) for day in (0, 3, 6)]
    for number, (by, day) in enumerate([("", 1), ("", 2), ("backfill", 4), ("operator", 5), ("", 7)]):
        date = START + timedelta(days=day)
        refs.append(history.run("a", f"odd-{number}", session=session, by=by, logical_date=date, run_after=date))
    lineage = PastChains(facts, facts.dags.definitions().past_dependencies, max_runs=100)
    lineage.chain([facts.runs.among([refs[0]])[refs[0]]])
    ours = {found.downstream.ref.run_id: found.link.upstream.run_id for ref in refs for found in lineage.leaving[ref]}
    theirs = {
        ref.run_id: previous
        for ref in refs
        if (previous := previous_run_of_airflow("a", ref.run_id, catchup=catchup, session=session))
    }
    assert ours == theirs
