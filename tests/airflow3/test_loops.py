"""Loops of Airflow 3.4: what is known of them, and what a dispatch of one does to its rounds."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.lineage_facts.latest_dags import structures
from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.errors import CannotDispatch
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import scene
from tests.airflow3.acting.test_gateway import dispatch, whole

pytestmark = pytest.mark.skipif(not TRIES_ARE_ROWS, reason="loops come with Airflow 3.4")

GATE = "refine.__loop_gate"
ROUND = ("refine.improve", "refine.evaluate", GATE)


@pytest.fixture(autouse=True)
def ours(database: Any) -> None:
    scene.migrate(database)


def looping(dag_id: str = "looping", *, mapped: bool = False) -> Any:
    """``before >> refine [improve >> evaluate] >> after``, in rounds."""
    from airflow.sdk import DAG, task, task_group

    with DAG(dag_id, schedule="@daily", start_date=scene.START) as dag:

        @task
        def before() -> None: ...

        @task_group
        def refine() -> None:
            @task
            def improve(*, loop: Any) -> list[int]:
                return [loop.index]

            @task
            def evaluate(number: Any) -> None: ...

            evaluate.expand(number=improve()) if mapped else evaluate(improve())

        @task
        def after() -> None: ...

        rounds = vars(type(refine))["loop"].__get__(refine)  # Airflow 3.3 has none
        before() >> rounds(max_iterations=3) >> after()
    return dag


def another_round(ref: RunRef, *, session: Any) -> None:
    """Let the last gate of a run's loop ask for one more, whose tasks have then succeeded."""
    run = scene.run_of(ref, session=session)
    run.dag = scene.latest(ref.dag_id, session=session)
    gates = [ti for ti in run.get_task_instances(session=session) if ti.task_id == GATE]
    last = max(gates, key=lambda ti: ti.region_index)
    last.task = run.dag.get_task(GATE)
    group = run.dag.task_group.children["refine"]
    run.complete_loop_gate(last, group, "success", stop=False, reason=None, session=session)
    session.flush()
    for ti in run.get_task_instances(session=session):
        if ti.state is None:
            scene.put(ti, "success")
    session.commit()


def states(ref: RunRef, *, session: Any) -> dict[tuple[str, int], str | None]:
    return {key: ti.state for key, ti in scene.instances(ref, session=session).items()}


def test_what_is_known_of_a_loop(session: Any) -> None:
    scene.save(looping(), looping("with_mapped", mapped=True), session=session)
    found = structures(session, ["looping", "with_mapped"])
    assert (found["looping"].loops, found["looping"].mixes_loops) == ((frozenset(ROUND),), False)
    assert (found["with_mapped"].loops, found["with_mapped"].mixes_loops) == ((frozenset(ROUND),), True)
    assert found["looping"].mapped_groups == {"refine"}


def test_a_loop_begins_with_its_first_round_again(session: Any) -> None:
    """The loop makes the others again, as many as its gate asks for this time."""
    scene.save(looping(), session=session)
    ref = scene.create_run("looping", session=session)
    for _ in range(2):
        another_round(ref, session=session)
    before = states(ref, session=session)
    assert {key for key in before if key[0] == GATE} == {(GATE, 0), (GATE, 1), (GATE, 2)}

    dispatch(session, ref, *whole(*ROUND, "after"))
    session.commit()

    first = dict.fromkeys([(task_id, 0) for task_id in ROUND])
    assert states(ref, session=session) == {("before", -1): "success", **first, ("after", -1): None}


@pytest.mark.parametrize("part", [[GATE], ["refine.improve"], ["refine.evaluate", GATE, "after"]])
def test_a_loop_is_not_dispatched_in_part(session: Any, part: list[str]) -> None:
    scene.save(looping(), session=session)
    ref = scene.create_run("looping", session=session)
    another_round(ref, session=session)
    before = states(ref, session=session)

    with pytest.raises(CannotDispatch) as refused:
        dispatch(session, ref, *whole(*part))
    session.rollback()

    assert (refused.value.reason, refused.value.gone) == ("loop_in_part", True)
    assert states(ref, session=session) == before


def test_what_is_outside_a_loop_goes_without_it(session: Any) -> None:
    scene.save(looping(), session=session)
    ref = scene.create_run("looping", session=session)
    dispatch(session, ref, *whole("before", "after"))
    session.commit()
    cleared = {key for key, state in states(ref, session=session).items() if state is None}
    assert cleared == {("before", -1), ("after", -1)}


def test_tasks_of_one_name_in_several_rounds_are_refused(session: Any) -> None:
    """Nothing tells an index of a round from the same one of another round."""
    scene.save(looping(mapped=True), session=session)
    ref = scene.create_run("looping", session=session)
    another_round(ref, session=session)
    with pytest.raises(CannotDispatch) as refused:
        dispatch(session, ref, *whole(*ROUND))
    assert refused.value.reason == "mapped_in_loop"
