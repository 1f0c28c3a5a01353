"""The freezer on real Airflow databases: what it leaves in each row, and what happens at the same time."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer
from airflow_rerun_downstream.airflow3.holding.held_until import FAR
from airflow_rerun_downstream.airflow3.hooks import dag_run_insert
from airflow_rerun_downstream.domain.errors import CannotFreeze
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import freezing, history, scene, scheduler

FIRST = FutureRef("d", logical_date=scene.START)
EXACT = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)


@pytest.fixture
def airflow(database, session) -> Any:
    """A daily Dag that catches up, three reruns, and the hook."""
    scene.migrate(database)
    scene.save(history.dag("d", schedule="@daily", catchup=True), session=session)
    freezing.members(3, session=session)
    dag_run_insert.install()
    return session


def waiting(session: Any) -> RunRef:
    """A scheduled run whose time hasn't come."""
    ref = scene.create_run("d", session=session, state="queued", day=9)
    scene.run_of(ref, session=session).run_after = EXACT
    session.commit()
    return ref


def note(ref: RunRef, session: Any) -> str | None:
    found: str | None = scene.run_of(ref, session=session).note
    session.expire_all()
    return found


def test_the_ready_time_comes_back_to_the_microsecond(airflow):
    ref = waiting(airflow)
    before = scene.rows("dag_run", session=airflow)
    freezing.freeze(ref, session=airflow)
    freezing.release(session=airflow)
    (after,) = scene.rows("dag_run", session=airflow)
    assert {name: value for name, value in after.items() if name != "updated_at"} == {
        name: value for name, value in before[0].items() if name != "updated_at"
    }


def test_the_run_says_who_holds_it(airflow):
    ref = waiting(airflow)
    freezing.freeze(ref, session=airflow)
    freezing.freeze(ref, session=airflow, member_id=2)
    assert note(ref, airflow) == (
        f"Held by rerun downstream #1; its run_after is {EXACT.isoformat()}\n"
        f"Held by rerun downstream #2; its run_after is {EXACT.isoformat()}"
    )
    freezing.release(session=airflow)
    freezing.release(session=airflow, member_id=2)
    assert note(ref, airflow) == "Released by rerun downstream #1\nReleased by rerun downstream #2"
    rows = sorted(scene.rows("log", session=airflow, dag_id="d"), key=lambda row: row["id"])
    assert [(row["event"], row["owner"], json.loads(row["extra"])["rerun_id"]) for row in rows] == [
        ("rerun_downstream.hold", "ann", 1),
        ("rerun_downstream.hold", "ann", 2),
        ("rerun_downstream.release", "ann", 1),
        ("rerun_downstream.release", "ann", 2),
    ]


def test_a_run_that_was_made_held_says_so_when_the_conductor_has_seen_it(airflow):
    freezing.freeze(FIRST, session=airflow)
    ref = scheduler.make_next("d", session=airflow)
    AirflowGateway(airflow).record(ref, rerun_id=1, actor="ann", event="hold")
    airflow.commit()
    assert note(ref, airflow) == f"Held by rerun downstream #1; its run_after is {scene.START.isoformat()}"


def test_what_a_person_wrote_stays(airflow):
    from airflow.models.dagrun import DagRunNote

    ref = waiting(airflow)
    run = scene.run_of(ref, session=airflow)
    airflow.execute(
        DagRunNote.__table__.insert().values(
            dag_run_id=run.id, content="careful", created_at=scene.START, updated_at=scene.START
        )
    )
    airflow.commit()
    freezing.freeze(ref, session=airflow)
    freezing.release(session=airflow)
    assert note(ref, airflow) == "careful\nReleased by rerun downstream #1"


def test_a_hold_survives_the_hook_and_the_package(airflow):
    freezing.freeze(FIRST, session=airflow)
    ref = scheduler.make_next("d", session=airflow)
    for _ in range(3):
        scheduler.start_runs(session=airflow)
    assert scene.run_of(ref, session=airflow).state == "queued"


@pytest.mark.parametrize("catchup", [True, False])
def test_later_runs_come_on_time(database, session, catchup):
    scene.migrate(database)
    scene.save(history.dag("d", schedule="@hourly", catchup=catchup), session=session)
    freezing.members(1, session=session)
    dag_run_insert.install()
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    coming = readers(session).dags.schedules(["d"], upcoming=3)["d"].upcoming
    freezing.freeze(FutureRef("d", logical_date=coming[0].logical_date), session=session)
    held = scheduler.make_next("d", session=session)
    after = readers(session).dags.schedules(["d"], upcoming=2)["d"].upcoming
    assert after == coming[1:]
    freezing.release(session=session)
    assert scene.run_of(held, session=session).run_after == coming[0].run_after


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("schedule", "late"),
    [(HOUR, timedelta(seconds=0.4)), (HOUR, 3 * HOUR), ("0 * * * *", 3 * HOUR)],
    ids=["a moment late", "hours late", "hours late by the clock"],
)
def test_what_is_made_in_place_of_a_date_that_was_passed_over_is_held(database, session, mocker, schedule, late):
    """Without catchup a timetable that is asked late leaves dates out: the Dag processor asks it at each parse.

    Where it goes by an interval, a moment between the due time and the scheduler's turn is enough.
    """
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    scene.migrate(database)
    freezing.members(1, session=session)
    dag_run_insert.install()
    now = mocker.patch("airflow.timetables.trigger.utcnow", return_value=scene.START + 5 * HOUR)
    scene.save(history.dag("d", schedule=schedule, catchup=False), session=session)
    scheduler.make_next("d", session=session)
    (coming,) = readers(session).dags.schedules(["d"], upcoming=1)["d"].upcoming
    freezing.freeze(FutureRef("d", logical_date=coming.logical_date), session=session)

    now.return_value = coming.run_after + late
    scene.save(history.dag("d", schedule=schedule, catchup=False), session=session)
    ref = scheduler.make_next("d", session=session)
    made = scene.run_of(ref, session=session)
    assert (made.logical_date, made.run_after) == (coming.logical_date + late, FAR)
    (hold,) = AirflowFreezer(session).holds([1])
    assert (hold.run, hold.logical_date, hold.run_after) == (ref, made.logical_date, made.logical_date)
    freezing.release(session=session)
    assert scene.run_of(ref, session=session).run_after == made.logical_date


@pytest.mark.parametrize("taken", ["deleted", "failed"])
def test_what_a_person_does_to_a_held_run_hurts_nobody(airflow, taken):
    freezing.freeze(FIRST, session=airflow)
    ref = scheduler.make_next("d", session=airflow)
    if taken == "deleted":
        scene.delete_run(ref, session=airflow)
    else:
        scene.run_of(ref, session=airflow).state = "failed"
        airflow.commit()
    (hold,) = AirflowFreezer(airflow).holds([1])
    assert (hold.run_id, hold.run_state) == (ref.run_id, None if taken == "deleted" else "failed")
    assert freezing.release(session=airflow) is True
    if taken == "failed":
        assert scene.run_of(ref, session=airflow).run_after == scene.START


class TestRefused:
    def refused(self, target: Any, session: Any) -> str:
        with pytest.raises(CannotFreeze) as caught:
            freezing.freeze(target, session=session)
        session.rollback()
        assert scene.rows("rerun_downstream_hold", session=session) == []
        return caught.value.reason

    def test_a_timetable_of_which_nothing_is_known(self, airflow, mocker):
        mocker.patch("airflow_rerun_downstream.airflow3.lineage_facts.schedules.can_hold", return_value=False)
        assert self.refused(FIRST, airflow) == "timetable_uses_run_after"
        assert self.refused(waiting(airflow), airflow) == "timetable_uses_run_after"

    def test_a_dag_that_is_stale(self, airflow):
        from airflow.models.dag import DagModel

        airflow.get(DagModel, "d").is_stale = True
        airflow.commit()
        assert self.refused(FIRST, airflow) == "dag_gone"

    def test_a_run_in_a_backfill(self, airflow):
        from airflow.models.backfill import Backfill

        ref = waiting(airflow)
        backfill = Backfill(dag_id="d", from_date=scene.START, to_date=scene.START, dag_run_conf={})
        airflow.add(backfill)
        airflow.flush()
        scene.run_of(ref, session=airflow).backfill_id = backfill.id
        airflow.commit()
        assert self.refused(ref, airflow) == "backfill_run"


@pytest.mark.parametrize("database", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
class TestAtTheSameTime:
    """On PostgreSQL, which has row locks. On SQLite one transaction writes at a time."""

    def meanwhile(self, database: Any, action: Any) -> tuple[threading.Thread, list[Any]]:
        """Another transaction, which does something and commits."""
        answers: list[Any] = []

        def work() -> None:
            with database.session() as session:
                answers.append(action(session))
                session.commit()

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.5)
        return thread, answers

    def test_two_releases_and_the_last_one_restores(self, database, airflow):
        ref = waiting(airflow)
        freezing.freeze(ref, session=airflow)
        freezing.freeze(ref, session=airflow, member_id=2)
        AirflowFreezer(airflow).release(1, rerun_id=1, actor="ann")
        other, answers = self.meanwhile(database, lambda s: AirflowFreezer(s).release(2, rerun_id=2, actor="bob"))
        assert answers == []  # it waits
        airflow.commit()
        other.join(10)
        assert answers == [True]
        assert scene.run_of(ref, session=airflow).run_after == EXACT

    def test_a_release_while_the_scheduler_makes_the_run(self, database, airflow):
        from airflow.models.dag import DagModel
        from airflow.utils.sqlalchemy import prohibit_commit

        freezing.freeze(FIRST, session=airflow)
        runner = scheduler.runner(session=airflow)
        with prohibit_commit(airflow):
            dags = {airflow.get(DagModel, "d")}
            runner._create_dag_runs(dags, airflow)
            airflow.flush()
            other, answers = self.meanwhile(database, lambda s: AirflowFreezer(s).release(1, rerun_id=1, actor="ann"))
            assert answers == []
        airflow.commit()
        other.join(10)
        (ref,) = scheduler.refs("d", session=airflow)
        assert (answers, scene.run_of(ref, session=airflow).run_after) == ([True], scene.START)

    def test_the_scheduler_makes_the_run_while_it_is_released(self, database, airflow):
        freezing.freeze(FIRST, session=airflow)
        AirflowFreezer(airflow).release(1, rerun_id=1, actor="ann")
        other, _ = self.meanwhile(database, lambda s: scheduler.make_runs(session=s))
        assert other.is_alive()
        airflow.commit()
        other.join(10)
        (ref,) = scheduler.refs("d", session=airflow)
        assert scene.run_of(ref, session=airflow).run_after == scene.START

    def test_the_scheduler_passes_over_a_dag_that_is_being_frozen(self, database, airflow):
        AirflowFreezer(airflow).lock(["d"])
        other, _ = self.meanwhile(database, lambda s: scheduler.make_runs(session=s))
        other.join(10)
        assert scheduler.refs("d", session=airflow) == set()

    def test_the_rows_of_dags_are_taken_together(self, database, airflow):
        scene.save(history.dag("e"), session=airflow)
        waiting_for = threading.Event()

        def succeed(session: Any) -> None:
            from airflow.models.dag import DagModel

            session.get(DagModel, "e", with_for_update=True)
            waiting_for.wait(10)
            session.get(DagModel, "d", with_for_update=True)

        other, answers = self.meanwhile(database, succeed)
        threading.Timer(0.5, waiting_for.set).start()
        AirflowFreezer(airflow).lock(["d", "e"])
        airflow.commit()
        other.join(10)
        assert answers == [None]  # nobody was the victim of a deadlock


def test_a_lock_is_a_write_on_sqlite(database, airflow):
    if database.backend != "sqlite":
        pytest.skip("other databases lock rows")
    from sqlalchemy.exc import OperationalError

    AirflowFreezer(airflow).lock(["d"])
    with database.session() as other:
        other.connection().exec_driver_sql("PRAGMA busy_timeout = 100")
        with pytest.raises(OperationalError, match="locked"):
            AirflowFreezer(other).lock(["d"])
