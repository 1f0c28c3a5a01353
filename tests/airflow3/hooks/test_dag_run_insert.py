"""What the scheduler's hook does to runs that Airflow's own scheduler makes, and how a scheduler reports itself."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.holding.held_until import FAR
from airflow_rerun_downstream.airflow3.hooks import dag_run_insert, listener, scheduler_watch
from airflow_rerun_downstream.airflow3.installation import process_reports
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.store.guard import SchemaGuard
from airflow_rerun_downstream.store.processes import ProcessReport, live_processes
from tests.airflow3 import freezing, history, scene, scheduler

FIRST = FutureRef("d", logical_date=scene.START)


@pytest.fixture
def daily(database, session, monkeypatch) -> Any:
    """A Dag that catches up, with the hook in place."""
    scene.migrate(database)
    monkeypatch.setattr(dag_run_insert, "guard", SchemaGuard())
    scene.save(history.dag("d", schedule="@daily", catchup=True), session=session)
    freezing.members(2, session=session)
    dag_run_insert.install()
    return session


def made(session: Any) -> Any:
    return scene.run_of(scheduler.make_next("d", session=session), session=session)


def described(run: Any) -> dict[str, Any]:
    names = ["run_id", "logical_date", "data_interval_start", "data_interval_end", "run_type", "triggered_by", "state"]
    return {name: getattr(run, name) for name in names}


def test_a_held_run_is_the_one_that_would_have_been_made(daily, database):
    scene.save(history.dag("e", schedule="@daily", catchup=True), session=daily)
    freezing.freeze(FIRST, session=daily)
    scheduler.make_runs(session=daily)
    held, natural = (
        scene.run_of(ref, session=daily) for dag_id in ("d", "e") for ref in scheduler.refs(dag_id, session=daily)
    )
    assert described(held) == described(natural)
    assert (held.run_after, natural.run_after) == (FAR, scene.START)
    (row,) = scene.rows("rerun_downstream_hold", session=daily)
    assert (row["run_id"], row["held_at"] is not None) == (held.run_id, True)


def test_a_held_run_is_not_started_and_the_next_ones_are(daily):
    freezing.freeze(FIRST, session=daily)
    held, after = made(daily), made(daily)
    scheduler.start_runs(session=daily)
    assert [scene.run_of(run, session=daily).state for run in (held, after)] == ["queued", "running"]
    assert after.logical_date == held.logical_date + timedelta(days=1)
    freezing.release(session=daily)
    scheduler.start_runs(session=daily)
    assert scene.run_of(held, session=daily).state == "running"


@pytest.mark.parametrize("kind", ["user", "asset", "backfill"])
def test_only_what_time_starts_is_held(daily, kind):
    freezing.freeze(FIRST, session=daily)
    at = {"logical_date": scene.START, "data_interval": (scene.START, scene.START)}
    history.run("d", "other", session=daily, by=kind, state="queued", **at)
    (run,) = scene.rows("dag_run", session=daily)
    assert str(run["run_after"])[:4] == "2026"


def test_it_costs_little(daily, database):
    made(daily)
    dag_run_insert.guard.forget()
    made(daily)  # the guard has looked
    with database.counted() as statements:
        made(daily)
    ours = [text for text in statements.texts if "rerun_downstream" in text]
    assert [text.partition(" ")[0] for text in ours] == ["SELECT"]


@pytest.mark.parametrize("ready", [True, False], ids=["just dropped", "long gone"])
def test_without_our_tables_airflow_goes_on(daily, database, ready):
    if ready:
        with database.engine.connect() as connection:
            assert dag_run_insert.guard.ready(connection)
    scene.drop(database)
    try:
        if not ready:
            dag_run_insert.guard.forget()
        assert made(daily).run_after == scene.START
    finally:
        scene.migrate(database)


class Job:
    """A job of Airflow's, as far as a watch looks at it."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)


def reported(session: Any) -> list[ProcessReport]:
    session.rollback()
    return live_processes(session, within=process_reports.ALIVE)


def wait_for(what: Any) -> Any:
    for _ in range(100):
        if found := what():
            return found
        time.sleep(0.05)
    raise TimeoutError


class TestWatch:
    def test_a_scheduler_reports_itself_once_it_is_known(self, daily):
        job = Job(job_type=None, id=None)
        scheduler_watch.on_starting(job)
        try:
            time.sleep(0.3)
            assert reported(daily) == []
            job.job_type = "SchedulerJob"
            job.id = 17
            (found,) = wait_for(lambda: reported(daily))
            assert (found.kind, found.job_id, found.freeze_hook) == ("scheduler", 17, True)
        finally:
            scheduler_watch.on_stopping(job)
        assert reported(daily) == []

    def test_another_job_is_left_alone(self, daily):
        job = Job(job_type="TriggererJob", id=18)
        before = set(threading.enumerate())  # not their number: another test's may end meanwhile
        scheduler_watch.on_starting(job)
        wait_for(lambda: set(threading.enumerate()) <= before)
        assert reported(daily) == []
        scheduler_watch.on_stopping(job)

    def test_nothing_is_raised(self, daily, mocker):
        mocker.patch.object(scheduler_watch, "Reporter", side_effect=RuntimeError)
        job = Job(job_type="SchedulerJob", id=19)
        scheduler_watch.on_starting(job)
        scheduler_watch.on_stopping(job)


class TestListener:
    def test_a_job_is_prepared_and_let_go(self, daily, mocker):
        from airflow.jobs.job import Job as RealJob

        said = [mocker.patch.object(scheduler_watch, name) for name in ("on_starting", "on_stopping")]
        job = RealJob()
        listener.on_starting(component=job)
        listener.before_stopping(component=job)
        assert [one.call_args.args for one in said] == [(job,), (job,)]

    def test_a_tasks_process_is_no_job(self, mocker):
        said = mocker.patch.object(scheduler_watch, "on_starting")
        listener.on_starting(component=object())
        listener.before_stopping(component=object())
        assert not said.called

    def test_an_error_is_airflows_no_concern(self, mocker):
        from airflow.jobs.job import Job as RealJob

        mocker.patch.object(scheduler_watch, "on_starting", side_effect=RuntimeError)
        mocker.patch.object(scheduler_watch, "on_stopping", side_effect=RuntimeError)
        job = RealJob()
        listener.on_starting(component=job)
        listener.before_stopping(component=job)
