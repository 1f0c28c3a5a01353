"""Dags whose runs are made when their time and their assets have come, as Airflow's own scheduler makes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.holding.held_until import FAR
from airflow_rerun_downstream.airflow3.hooks import dag_run_insert
from airflow_rerun_downstream.airflow3.lineage_facts import readers
from airflow_rerun_downstream.airflow3.versions import DAGS_HAVE_GATES
from airflow_rerun_downstream.domain.errors import CannotFreeze
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import assets, freezing, history, scene, scheduler

pytestmark = pytest.mark.skipif(not DAGS_HAVE_GATES, reason="no timetable of this Airflow waits for assets")

DAY = timedelta(days=1)


@pytest.fixture
def producer(database, session) -> RunRef:
    """A run of ``p``; ``g`` has a run for each day, when asset one has come as well."""
    from airflow.sdk import AssetAndTimeSchedule, CronDataIntervalTimetable

    scene.migrate(database)
    gate = AssetAndTimeSchedule(
        timetable=CronDataIntervalTimetable("@daily", timezone="UTC"), assets=[assets.asset("one")]
    )
    scene.save(history.dag("p", schedule="@daily"), history.dag("g", schedule=gate, catchup=True), session=session)
    freezing.members(1, session=session)
    dag_run_insert.install()
    return scene.create_run("p", session=session)


def made(session: Any) -> list[RunRef]:
    scheduler.make_runs(session=session)
    return sorted(scheduler.refs("g", session=session), key=lambda ref: ref.run_id)


def test_its_schedule_has_dates_and_says_what_they_wait_for(session, producer):
    found = readers(session).dags.schedules(["g"], upcoming=2)["g"]
    assert (found.asset_gated, found.asset_scheduled) == (True, False)
    assert [(run.logical_date, run.needs_assets) for run in found.upcoming] == [
        (scene.START, True),
        (scene.START + DAY, True),
    ]
    assert made(session) == []
    assets.emit(producer, "one", session=session)
    (ref,) = made(session)
    run = scene.run_of(ref, session=session)
    assert (run.run_id, run.logical_date) == (found.upcoming[0].run_id, found.upcoming[0].logical_date)
    assert made(session) == [ref]


def test_events_wait_for_its_next_run_which_consumes_them(session, producer):
    facts = readers(session).assets
    event = assets.emit(producer, "one", session=session)
    assert [(one.dag_id, one.event_id) for one in facts.waiting([producer])] == [("g", event)]
    (ref,) = made(session)
    assert facts.waiting([producer]) == []
    assert [(one.consumer.ref, one.event_id) for one in facts.consumptions([producer])] == [(ref, event)]


def test_what_its_tasks_read_is_told_by_the_events_and_not_by_the_time(session, producer):
    assets.emit(producer, "one", session=session)
    (ref,) = made(session)
    scene.put(scene.instance(ref, "t", session=session), "success", date=scheduler.due_in(timedelta()))
    session.commit()
    (start,) = readers(session).tasks.task_starts([("g", "t")], since=scene.START, until=None)
    (row,) = scene.rows("asset", session=session)
    assert start.consumed == {row["id"]}


def test_a_run_that_is_frozen_before_it_is_made_is_born_held_and_keeps_its_events(session, producer):
    freezing.freeze(FutureRef("g", logical_date=scene.START), session=session)
    event = assets.emit(producer, "one", session=session)
    (ref,) = made(session)
    run = scene.run_of(ref, session=session)
    assert (run.state, run.run_after) == ("queued", FAR)
    scheduler.start_runs(session=session)
    assert scene.run_of(ref, session=session).state == "queued"
    freezing.release(session=session)
    run = scene.run_of(ref, session=session)
    assert (run.run_after, {one.id for one in run.consumed_asset_events}) == (scene.START + DAY, {event})
    scheduler.start_runs(session=session)
    assert scene.run_of(ref, session=session).state == "running"


def test_the_run_after_a_held_one_comes_with_its_own_date_and_events(session, producer):
    freezing.freeze(FutureRef("g", logical_date=scene.START), session=session)
    assets.emit(producer, "one", session=session)
    made(session)
    event = assets.emit(producer, "one", session=session)
    _, second = made(session)
    run = scene.run_of(second, session=session)
    assert (run.logical_date, run.run_after) == (scene.START + DAY, scene.START + 2 * DAY)
    assert {one.id for one in run.consumed_asset_events} == {event}


def test_it_has_no_run_that_assets_alone_start(session, producer):
    with pytest.raises(CannotFreeze, match="dag_gone"):
        freezing.freeze(FutureRef("g", next=True), session=session)
