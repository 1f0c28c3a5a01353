"""What the timetables of real Dags are going to make, compared with what Airflow's own scheduler then makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.lineage_facts import readers
from airflow_rerun_downstream.airflow3.lineage_facts.schedules import WATCHED, can_hold
from airflow_rerun_downstream.airflow3.versions import QUEUED_BY_EVENT, TIMETABLES_SEE_RUNS
from airflow_rerun_downstream.domain.freeze import DagSchedule
from tests.airflow3 import history, scene, scheduler

HOUR = timedelta(hours=1)


def schedule(session: Any, dag_id: str, *, upcoming: int = 3) -> DagSchedule:
    return readers(session).dags.schedules([dag_id], upcoming=upcoming)[dag_id]


def dag(dag_id: str = "d", **arguments: Any) -> Any:
    return history.dag(dag_id, **{"schedule": "0 * * * *", "catchup": True, **arguments})


def asset(name: str = "a", **more: Any) -> Any:
    from airflow.sdk import Asset

    return Asset(name=name, uri=f"test://assets/{name}", **more)


class TestDeserialized:
    """A Dag is large, and what a plan needs of it is small."""

    def test_once_in_a_process(self, session, database):
        scene.save(dag(), session=session)
        first = schedule(session, "d")
        with database.counted() as statements:
            assert schedule(session, "d") == first
        assert [text for text in statements.texts if "serialized_dag.data" in text] == []

    def test_again_when_it_has_changed(self, session):
        scene.save(dag(), session=session)
        assert schedule(session, "d").upcoming[1].logical_date == scene.START + HOUR
        scene.save(dag(schedule="0 0 * * *"), session=session)
        assert schedule(session, "d").upcoming[1].logical_date == scene.START + 24 * HOUR

    def test_one_that_can_t_be_is_left_out_until_it_can(self, session, mocker):
        from airflow.models.serialized_dag import SerializedDagModel

        scene.save(dag(schedule="7 * * * *"), session=session)
        unreadable = mocker.patch.object(SerializedDagModel, "dag", new_callable=mocker.PropertyMock)
        unreadable.side_effect = ValueError
        assert readers(session).dags.schedules(["d"]) == {}
        mocker.stop(unreadable)
        assert schedule(session, "d").upcoming != ()


class TestUpcoming:
    def test_the_runs_are_those_that_the_scheduler_makes(self, session):
        scene.save(dag(), session=session)
        coming = schedule(session, "d").upcoming
        assert [run.logical_date for run in coming] == [scene.START, scene.START + HOUR, scene.START + 2 * HOUR]
        for run in coming:
            ref = scheduler.make_next("d", session=session)
            made = scene.run_of(ref, session=session)
            assert (run.run_id, run.run_after) == (made.run_id, made.run_after)
            assert (run.logical_date, run.data_interval_start, run.data_interval_end) == (
                made.logical_date,
                made.data_interval_start,
                made.data_interval_end,
            )
        assert schedule(session, "d", upcoming=1).upcoming[0].logical_date == scene.START + 3 * HOUR

    def test_without_catchup_it_is_the_last_one_that_is_due(self, session):
        scene.save(dag(catchup=False), session=session)
        first, second, _ = schedule(session, "d").upcoming
        now = datetime.now(timezone.utc)
        assert now - 2 * HOUR < first.run_after <= now
        assert second.run_after == first.run_after + HOUR

    def test_a_date_that_somebody_took_is_left_out(self, session):
        scene.save(dag(), session=session)
        history.run("d", "manual", session=session, logical_date=scene.START, data_interval=(scene.START, scene.START))
        assert [run.logical_date for run in schedule(session, "d", upcoming=2).upcoming] == [scene.START + HOUR]

    def test_a_dag_at_its_limit_still_has_its_next_run(self, session):
        scene.save(dag(max_active_runs=1), session=session)
        scheduler.make_next("d", session=session)
        found = schedule(session, "d", upcoming=1)
        assert (found.active_runs, found.max_active_runs) == (1, 1)
        assert found.upcoming[0].logical_date == scene.START + HOUR

    def test_a_dag_that_ended_has_none(self, session):
        scene.save(dag(end_date=scene.START + HOUR), session=session)
        assert len(schedule(session, "d").upcoming) == 2

    @pytest.mark.parametrize("when", [None, "@once", "@continuous"])
    def test_schedules_with_at_most_one(self, session, when):
        limit = {"max_active_runs": 1} if when == "@continuous" else {}
        scene.save(dag(schedule=when, **limit), session=session)
        assert len(schedule(session, "d").upcoming) == (0 if when is None else 1)

    def test_a_dag_that_had_its_only_run_has_none(self, session):
        scene.save(dag(schedule="@once"), session=session)
        scheduler.make_next("d", session=session)
        assert schedule(session, "d").upcoming == ()

    def test_a_timetable_that_raises_has_no_more_than_airflow_wrote_down(self, session, mocker):
        scene.save(dag(), session=session)
        from airflow.timetables.interval import CronDataIntervalTimetable

        mocker.patch.object(CronDataIntervalTimetable, "next_dagrun_info", side_effect=RuntimeError)
        mocker.patch("airflow.timetables.trigger.CronTriggerTimetable.next_dagrun_info", side_effect=RuntimeError)
        assert len(schedule(session, "d").upcoming) == 1


class TestKinds:
    def test_what_is_asked_of_many_is_a_few_statements(self, database, session):
        scene.save(*(dag(f"d{number}") for number in range(8)), session=session)
        with database.counted() as statements:
            assert len(readers(session).dags.schedules([f"d{number}" for number in range(8)])) == 8
        assert len(statements) <= 10

    def test_a_dag_that_is_not_there(self, session):
        assert readers(session).dags.schedules(["nowhere"]) == {}
        assert readers(session).dags.schedules([]) == {}

    def test_an_asset_scheduled_dag(self, session):
        scene.save(dag(schedule=[asset()]), session=session)
        assert schedule(session, "d") == DagSchedule(
            "d", asset_scheduled=True, max_active_runs=16, takes_missed_events=QUEUED_BY_EVENT
        )

    @pytest.mark.parametrize("catchup", [True, False])
    def test_a_dag_that_takes_the_events_that_it_has_missed(self, session, catchup):
        scene.save(dag("c", schedule=[asset()], catchup=catchup), dag(catchup=True), session=session)
        assert schedule(session, "c").takes_missed_events is (catchup and QUEUED_BY_EVENT)
        assert not schedule(session, "d").takes_missed_events

    def test_a_dag_with_both(self, session):
        from airflow.timetables.assets import AssetOrTimeSchedule
        from airflow.timetables.trigger import CronTriggerTimetable

        both = AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 * * * *", timezone="UTC"), assets=[asset()])
        scene.save(dag(schedule=both), session=session)
        found = schedule(session, "d")
        assert (found.asset_scheduled, len(found.upcoming), found.cannot_hold) == (True, 3, None)

    def test_a_paused_dag(self, session):
        from airflow.models.dag import DagModel

        scene.save(dag(), session=session)
        session.get(DagModel, "d").is_paused = True
        session.commit()
        assert schedule(session, "d").is_paused

    def test_an_asset_with_a_watcher(self, session):
        from airflow.models.asset import AssetModel
        from airflow.models.trigger import Trigger
        from sqlalchemy import insert, select

        scene.save(dag(schedule=[asset("a")]), dag("other", schedule=[asset("b")]), session=session)
        trigger = Trigger(classpath="some.Trigger", kwargs={})
        session.add(trigger)
        session.flush()
        watched = session.scalar(select(AssetModel.id).where(AssetModel.name == "a"))
        named = {"name": "w"} if "name" in WATCHED.c else {}
        session.execute(insert(WATCHED).values(asset_id=watched, trigger_id=trigger.id, **named))
        session.commit()
        found = readers(session).dags.schedules(["d", "other"])
        assert {dag_id: one.cannot_park for dag_id, one in found.items()} == {"d": "asset_watcher", "other": None}

    def test_a_deadline(self, session):
        from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

        alert = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(hours=1), scheduler.callback())
        scene.save(dag(deadline=alert), dag("other"), session=session)
        found = readers(session).dags.schedules(["d", "other"])
        assert {dag_id: one.has_deadline for dag_id, one in found.items()} == {"d": True, "other": False}


class TestCanHold:
    @pytest.mark.parametrize("when", ["0 * * * *", "@daily", timedelta(hours=1), "@once", "@continuous", None])
    def test_airflows_own_schedules(self, session, when):
        limit = {"max_active_runs": 1} if when == "@continuous" else {}
        scene.save(dag(schedule=when, **limit), session=session)
        assert schedule(session, "d").cannot_hold is None

    @pytest.mark.skipif(not TIMETABLES_SEE_RUNS, reason="timetables see data intervals only")
    def test_a_timetable_that_goes_by_run_after(self, session):
        from airflow.sdk import CronPartitionTimetable

        scene.save(dag(schedule=CronPartitionTimetable("0 * * * *", timezone="UTC")), session=session)
        found = schedule(session, "d")
        assert (found.cannot_hold, found.upcoming) == ("timetable_uses_run_after", ())

    def test_a_timetable_of_ones_own(self):
        from airflow.timetables.base import Timetable

        class Plain(Timetable):
            def next_dagrun_info(self, **_: Any) -> None: ...

        class Sees(Plain):
            def next_dagrun_info_v2(self, **_: Any) -> None: ...

        class Around(Plain):
            timetable = Sees()

        assert can_hold(Plain())
        assert can_hold(Sees()) is not TIMETABLES_SEE_RUNS
        assert can_hold(Around()) is not TIMETABLES_SEE_RUNS


def test_nothing_is_written(session):
    scene.save(dag(), session=session)
    before = replace(schedule(session, "d"))
    assert not session.dirty
    assert not session.new
    assert schedule(session, "d") == before
