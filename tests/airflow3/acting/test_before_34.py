"""Mapped tasks of runs from before Airflow 3.4, rerun on it: Airflow makes their indexes anew when all are cleared."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
from airflow_rerun_downstream.airflow3.lineage_facts import accounts, own_starts
from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.airflow3 import scene, task_rows
from tests.airflow3.acting.test_gateway import dispatch, mapped

pytestmark = pytest.mark.skipif(not TRIES_ARE_ROWS, reason="nothing is from before Airflow 3.4")


@pytest.fixture(autouse=True)
def ours(database: Any) -> None:
    scene.migrate(database)


@pytest.fixture
def ref(session: Any) -> RunRef:
    """A run whose mapped task has three indexes as Airflow 3.3 has left them; the second one failed."""
    from airflow.models import taskinstance
    from sqlalchemy import delete, update

    scene.save(mapped(), session=session)
    ref = scene.create_run("m", session=session, state="failed", states={"numbers": "success"})
    scene.expand(ref, "each", 3, session=session)
    scene.instance(ref, "each", 1, session=session).state = "failed"
    session.commit()
    names: Any = vars(taskinstance)
    session.execute(update(task_rows.task_instances()).values(region_id=names["SENTINEL_REGION_ID"]))
    session.execute(delete(names["DynamicRegion"]))
    session.commit()
    session.expire_all()
    return ref


def states(ref: RunRef, *, session: Any) -> dict[tuple[str, int], str | None]:
    return {key: ti.state for key, ti in scene.instances(ref, session=session).items()}


def test_a_retry_keeps_the_index_that_failed(session: Any, ref: RunRef) -> None:
    assert dispatch(session, ref, TaskRef("numbers"), TaskRef("each"), retry=True).cleared == 1
    session.commit()
    assert states(ref, session=session) == {
        ("numbers", -1): "success",
        ("each", 0): "success",
        ("each", 1): None,
        ("each", 2): "success",
    }


def test_all_of_them_are_made_anew_and_what_they_had_is_known(session: Any, ref: RunRef) -> None:
    dispatch(session, ref, TaskRef("each"))
    session.commit()
    assert states(ref, session=session) == {("numbers", -1): "success", ("each", -1): None}
    told = accounts.accounts(session, [ref])[ref].tasks
    assert told["each", -1].succeeded_before


def test_when_they_had_read_is_known_of_those_that_come_in_their_place(session: Any, ref: RunRef) -> None:
    before = {key: ti.start_date for key, ti in scene.instances(ref, session=session).items()}
    dispatch(session, ref, TaskRef("each"))
    where = {"dag_id": "m", "run_id": ref.run_id, "task_id": "numbers", "map_index": -1}
    task_rows.set_map_length(where, 4, session=session)
    session.commit()
    run = scene.run_of(ref, session=session)
    run.dag = scene.latest("m", session=session)
    first = scene.instance(ref, "each", session=session)
    first.task = run.dag.get_task("each")
    first.expand_mapped_task(session=session)
    session.commit()
    notes = own_starts.of_run(run.id, session=session)
    found = {}
    for (task_id, index), ti in scene.instances(ref, session=session).items():
        if task_id == "each":
            ti.state, ti.try_number, ti.start_date = "running", max(ti.try_number, 1), scene.START.replace(month=12)
            found[index] = own_starts.own((task_id, index), own_starts.try_of(ti), notes)
    assert found == {index: before["each", min(index, 2)] for index in range(4)}


def test_the_gateway_sees_only_what_is_there(session: Any, ref: RunRef) -> None:
    dispatch(session, ref, TaskRef("each"))
    session.commit()
    seen = AirflowGateway(session).observe([ref])[ref].task_instances
    assert {(one.task_id, one.map_index) for one in seen} == {("numbers", -1), ("each", -1)}
