"""Dags that are draining: Airflow starts the runs that they have, and pauses them when none is left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.models.dag import DagModel

from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer
from airflow_rerun_downstream.airflow3.lineage_facts import readers
from airflow_rerun_downstream.airflow3.versions import DAGS_DRAIN
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import freezing, history, scene, scheduler
from tests.airflow3.conducting import Conducted, stand_in

pytestmark = pytest.mark.skipif(not DAGS_DRAIN, reason="no Dag drains on this Airflow")


def drain(session: Any, dag_id: str = "d") -> None:
    session.get(DagModel, dag_id).is_draining = True
    session.commit()


def standing(session: Any, dag_id: str = "d") -> str:
    """Whether the Dag is draining, after Airflow's scheduler has looked for those that need not any more."""
    scheduler.runner(session=session)._finalize_draining_dags(session=session)
    session.commit()
    session.expire_all()
    return str(session.get(DagModel, dag_id).scheduling_state.value)


def waiting(session: Any) -> RunRef:
    """A run whose time hasn't come."""
    ref = scene.create_run("d", session=session, state="queued")
    scene.run_of(ref, session=session).run_after = scheduler.due_in(timedelta(days=1))
    session.commit()
    return ref


@pytest.fixture
def airflow(database, session) -> Any:
    scene.migrate(database)
    scene.save(history.dag("d", schedule="@daily"), session=session)
    freezing.members(1, session=session)
    return session


def test_airflow_starts_a_queued_run(airflow):
    ref = scene.create_run("d", session=airflow, state="queued")
    drain(airflow)
    scheduler.start_runs(session=airflow)
    assert scene.run_of(ref, session=airflow).state == "running"


def test_a_held_run_keeps_its_dag_draining_until_it_is_released_and_says_so(airflow):
    ref = waiting(airflow)
    freezing.freeze(ref, session=airflow)
    (hold,) = AirflowFreezer(airflow).holds([1])
    assert not hold.draining
    drain(airflow)
    assert standing(airflow) == "draining"
    (hold,) = AirflowFreezer(airflow).holds([1])
    assert hold.draining
    freezing.release(session=airflow)
    scene.run_of(ref, session=airflow).state = "success"
    airflow.commit()
    assert standing(airflow) == "paused"


def test_what_is_frozen_before_it_is_made_keeps_no_dag_draining(airflow):
    from airflow_rerun_downstream.domain.plan import FutureRef

    freezing.freeze(FutureRef("d", logical_date=scheduler.due_in(timedelta(days=1))), session=airflow)
    drain(airflow)
    (hold,) = AirflowFreezer(airflow).holds([1])
    assert not hold.draining
    assert standing(airflow) == "paused"


def test_schedules_tell(airflow):
    assert not readers(airflow).dags.schedules(["d"])["d"].is_draining
    drain(airflow)
    assert readers(airflow).dags.schedules(["d"])["d"].is_draining


def test_a_member_is_dispatched(database):
    conducted = Conducted(database)
    conducted.save(stand_in("d"))
    ref = conducted.run("d")
    with database.session() as session:
        drain(session)
    conducted.submit({ref: ()})
    conducted.tick()
    assert conducted.members() == {"d": ("running", None)}
