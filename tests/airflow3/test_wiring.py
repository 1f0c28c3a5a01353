"""Transactions, reports and health on a real metadata database."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from pytest_mock import MockerFixture
from sqlalchemy import insert, text

from airflow_rerun_downstream import harmless
from airflow_rerun_downstream.airflow3 import configuration, wiring
from airflow_rerun_downstream.airflow3.database.transactions import Transactions, transactions
from airflow_rerun_downstream.airflow3.installation import health as healths
from airflow_rerun_downstream.airflow3.installation import process_reports
from airflow_rerun_downstream.airflow3.telemetry.airflow_telemetry import LINEAGE_LANE, METRICS_LANE
from airflow_rerun_downstream.domain.errors import SchemaMismatch
from airflow_rerun_downstream.settings import Settings
from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.lease import SqlLease
from airflow_rerun_downstream.store.moments import DatabaseClock, machine_time, moment
from airflow_rerun_downstream.store.processes import ProcessReport, live_processes, report_process
from airflow_rerun_downstream.store.tables import process
from tests.airflow3 import scene
from tests.airflow3.database import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


MEETING = """
import sys, threading, time
from airflow import settings
from airflow.models.dag import DagModel
from airflow_rerun_downstream.airflow3.database.models import load_models
from sqlalchemy.orm import configure_mappers

MODEL = "airflow.models.renderedtifields"
importing = threading.Event()

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == MODEL:
            importing.set()
            time.sleep(1)

{prepare}
sys.meta_path.insert(0, Slow())
threading.Thread(target=__import__, args=[MODEL], daemon=True).start()
MODEL in sys.modules or importing.wait()
configure_mappers()  # what the first query does
"""


class Clock:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def migrated(database: Database) -> Iterator[Database]:
    scene.migrate(database)
    transactions.cache_clear()
    yield database
    transactions.cache_clear()


@pytest.fixture
def bare(migrated: Database) -> Iterator[Database]:
    schema.downgrade(migrated.engine, "base")
    yield migrated
    schema.upgrade(migrated.engine)


@pytest.fixture
def health() -> healths.AirflowHealth:
    return healths.AirflowHealth(settings=Settings, clock=Clock())


def reported(database: Database) -> list[ProcessReport]:
    with database.engine.connect() as connection:
        return live_processes(connection, within=timedelta(days=1))


def say(
    database: Database,
    name: str,
    *,
    asset_manager: bool = True,
    ago: float = 0,
    kind: str = "api_server",
    clock_offset: float | None = 0.0,
) -> None:
    with database.engine.begin() as connection:
        report = ProcessReport(name, kind, asset_manager, False, NOON, clock_offset=clock_offset)
        report_process(connection, report, ago=timedelta(seconds=ago))


def test_a_transaction_commits_or_rolls_back(migrated: Database) -> None:
    opened = Transactions()
    row = {"id": "a", "kind": "x", "asset_manager": True, "freeze_hook": False, "started_at": NOON}
    with opened.session() as session:
        session.execute(process.insert().values(seen_at=moment(), **row))
    assert [each.id for each in reported(migrated)] == ["a"]

    def change_and_fail() -> None:
        with opened.session() as session:
            session.execute(process.delete())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    assert [each.id for each in reported(migrated)] == ["a"]


def test_a_transaction_is_not_the_threads_shared_one(migrated: Database) -> None:
    from airflow.utils.session import create_session

    with Transactions().session() as ours:
        with create_session() as shared:
            assert shared is not ours
        assert ours.execute(text("SELECT 1")).scalar() == 1


def test_without_tables_nothing_is_begun(bare: Database) -> None:
    with pytest.raises(SchemaMismatch, match="db migrate"), Transactions().session():
        pytest.fail("the transaction was begun")


def test_tables_that_vanish_are_noticed_in_the_middle(migrated: Database) -> None:
    opened = Transactions()
    with opened.session():
        pass
    schema.downgrade(migrated.engine, "base")
    try:
        with pytest.raises(SchemaMismatch), opened.session() as session:
            session.execute(process.select())
        with pytest.raises(SchemaMismatch), opened.session():
            pass
    finally:
        schema.upgrade(migrated.engine)
    with opened.session():
        pass


def test_looking_at_the_schema_costs_nothing_for_a_while(migrated: Database) -> None:
    opened = Transactions()
    with opened.session():
        pass
    with migrated.counted() as statements, opened.session() as session:
        session.execute(text("SELECT 1"))
    assert len(statements) == 1


def test_a_process_reports_itself_and_withdraws(migrated: Database) -> None:
    reporter = wiring.reporter(process_reports.API_SERVER)
    stop = threading.Event()
    thread = threading.Thread(target=reporter.run, args=(stop,))
    thread.start()
    for _ in range(100):
        if reported(migrated):
            break
        time.sleep(0.05)
    (found,) = reported(migrated)
    assert (found.id, found.kind, found.asset_manager) == (process_reports.process_name(), "api_server", False)
    stop.set()
    thread.join(10)
    with migrated.engine.connect() as connection:
        assert live_processes(connection, within=process_reports.ALIVE) == []


def test_a_process_that_cannot_report_says_so_once(bare: Database, caplog: pytest.LogCaptureFixture) -> None:
    reporter = wiring.reporter(process_reports.API_SERVER)
    for _ in range(3):
        reporter._attempt(reporter.report)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["This process can't report itself"]


def test_an_asset_manager_is_recognised_by_its_bases() -> None:
    from airflow.assets.manager import AssetManager

    from airflow_rerun_downstream.asset_manager import RerunAssetManager

    class Theirs(RerunAssetManager):
        pass

    assert process_reports.recognises(RerunAssetManager)
    assert process_reports.recognises(Theirs)
    assert not process_reports.recognises(AssetManager)


def test_one_api_server_without_the_asset_manager_is_enough_to_refuse(
    migrated: Database, health: healths.AirflowHealth, mocker: MockerFixture
) -> None:
    configured = mocker.patch.object(process_reports, "asset_manager_configured", autospec=True, return_value=True)
    assert health.asset_manager_active()
    assert health.asset_manager().status == "healthy"
    say(migrated, "other", asset_manager=False, kind="scheduler")
    say(migrated, "dead", asset_manager=False, ago=61)
    assert health.asset_manager_active()
    configured.return_value = False
    assert not health.asset_manager_active()
    assert "asset_manager_class = " in health.asset_manager().detail
    say(migrated, "a", asset_manager=True, ago=59)
    assert health.asset_manager_active()
    assert health.asset_manager().status == "healthy"
    say(migrated, "b", asset_manager=False)
    assert not health.asset_manager_active()
    found = health.asset_manager()
    assert (found.status, "not active in b." in found.detail) == ("degraded", True)


def lead(database: Database, ago: float) -> None:
    with database.engine.begin() as connection:
        then = timedelta(seconds=ago)
        clock = DatabaseClock(machine=lambda: machine_time() - then)
        lease = SqlLease(connection, clock=clock, moments=lambda span: moment(span - then))
        assert lease.acquire(owner="me", lasts=timedelta(seconds=15)).number


@pytest.mark.parametrize(("ago", "status"), [(0, "healthy"), (14, "healthy"), (16, "unhealthy")])
def test_the_conductor_is_judged_by_its_last_tick(
    migrated: Database, health: healths.AirflowHealth, ago: float, status: str
) -> None:
    lead(migrated, ago)
    found = health.conductor()
    assert (found.status, f"me leads; its last tick was {ago} s ago." in found.detail) == (status, True)
    if status == "healthy":
        assert found.since is None
    else:
        assert found.since is not None
        assert abs(machine_time() - timedelta(seconds=ago) - found.since) < timedelta(seconds=5)


def test_a_tick_that_is_still_to_come_is_a_fault(migrated: Database, health: healths.AirflowHealth) -> None:
    lead(migrated, -3600)
    found = health.conductor()
    assert (found.status, "of me is 3600 s in the future" in found.detail) == ("unhealthy", True)


class TestClocks:
    def test_they_agree(self, migrated: Database, health: healths.AirflowHealth) -> None:
        say(migrated, "a", clock_offset=4.9)
        say(migrated, "b", clock_offset=None)  # of an older version of the package
        assert health.clocks().status == "healthy"

    def test_who_is_off_is_named(self, migrated: Database, health: healths.AirflowHealth) -> None:
        say(migrated, "a")
        say(migrated, "b", clock_offset=3600.2, kind="conductor")
        say(migrated, "c", clock_offset=-5.6)
        say(migrated, "dead", clock_offset=99, ago=61)
        found = health.clocks()
        assert found.status == "degraded"
        assert found.detail.startswith(
            "b (conductor) is 3600 s ahead of the database's; c (api_server) is 6 s behind the database's. "
        )

    @pytest.mark.parametrize("off", [-3600, 3600])
    def test_a_process_measures_its_own(
        self, migrated: Database, health: healths.AirflowHealth, mocker: MockerFixture, off: float
    ) -> None:
        fake = DatabaseClock(machine=lambda: machine_time() + timedelta(seconds=off))
        mocker.patch.object(process_reports, "clock", return_value=fake)
        reporter = wiring.reporter(process_reports.CONDUCTOR)
        reporter._attempt(reporter.report)
        (found,) = reported(migrated)
        assert found.clock_offset == pytest.approx(off, abs=2)
        assert process_reports.process_name() in health.clocks().detail
        assert abs(found.started_at - machine_time()) < timedelta(minutes=1)
        assert abs(fake.now() - machine_time()) < timedelta(minutes=1)


@pytest.mark.parametrize("off", [-3600, 3600])
def test_a_conductor_whose_clock_is_off_does_not_lead_and_says_so_once(
    migrated: Database, mocker: MockerFixture, caplog: pytest.LogCaptureFixture, off: float
) -> None:
    right, times = wiring.conductor(), [off]
    wrong = DatabaseClock(machine=lambda: machine_time() + timedelta(seconds=times[-1]))
    mocker.patch.object(wiring, "clock", return_value=wrong)
    for _ in range(3):
        assert not right.tick().leading
    (said,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert said.getMessage() == "clock_off"
    assert "3600 s" in said.clock  # type: ignore[attr-defined]
    times.append(0)
    assert right.tick().leading
    right.resign()


class TestAnotherDatabase:
    """Whatever it is: nothing of ours takes part in Airflow's transactions, and that is said."""

    @pytest.fixture(autouse=True)
    def mysql(self, migrated: Database, mocker: MockerFixture) -> None:
        mocker.patch.object(healths, "unsupported_database", autospec=True, return_value="mysql")

    def test_it_is_named(self, health: healths.AirflowHealth) -> None:
        found = health.components()
        for name in ("database", "asset_manager", "freeze_hook"):
            assert (found[name].status, "supports PostgreSQL and SQLite" in found[name].detail) == ("degraded", True)

    def test_no_event_is_recognised_and_nothing_can_be_frozen(
        self, migrated: Database, health: healths.AirflowHealth
    ) -> None:
        say(migrated, "a", asset_manager=True)
        scheduler_of(migrated)
        assert not health.asset_manager_active()
        assert not health.freeze_hook_active()
        assert health.cannot_freeze() is not None


def test_these_databases_are_supported(migrated: Database, health: healths.AirflowHealth) -> None:
    assert healths.unsupported_database() is None
    assert health.cannot_freeze() is None


def test_the_lease_can_be_taken_from_whoever_has_it(migrated: Database, health: healths.AirflowHealth) -> None:
    assert wiring.free_lease() is None
    lead(migrated, 0)
    assert wiring.free_lease() == "me"
    assert "No conductor leads." in health.conductor().detail
    assert health.conductor().since is not None, "somebody has led until then"


def test_without_a_conductor_health_says_where_one_should_be(migrated: Database, health: healths.AirflowHealth) -> None:
    assert "thread of the api-server" in health.conductor().detail
    lead(migrated, 0)
    with migrated.engine.begin() as connection:
        SqlLease(connection).release(owner="me")
    found = healths.AirflowHealth(settings=lambda: Settings(conductor="external"), clock=Clock()).conductor()
    assert (found.status, "Start `airflow-rerun-downstream conductor`." in found.detail) == ("unhealthy", True)


def scheduler_of(database: Database, *, ago: float = 0, state: str = "running", hook: bool | None = True) -> int:
    """A scheduler's job with a heartbeat, and its report; ``hook`` None: it hasn't reported."""
    from airflow.jobs.job import Job

    with database.session() as session:
        number = session.execute(
            insert(Job.__table__).values(
                job_type="SchedulerJob", state=state, latest_heartbeat=NOON - timedelta(seconds=ago), hostname="h"
            )
        ).inserted_primary_key[0]
        if hook is not None:
            report_process(session, ProcessReport(f"h:{number}", "scheduler", True, hook, NOON, int(number)))
        session.commit()
    return int(number)


class TestHooks:
    @pytest.fixture(autouse=True)
    def anew(self) -> Iterator[None]:
        harmless.forget()
        yield
        harmless.forget()

    def test_nothing_has_failed(self, migrated: Database, health: healths.AirflowHealth) -> None:
        say(migrated, "a:1")
        assert health.hooks().status == "healthy"

    def test_a_process_says_what_has_failed_in_it_but_not_with_which_words(
        self, migrated: Database, health: healths.AirflowHealth
    ) -> None:
        harmless.log_error("asset_manager", ValueError("a secret"))
        with Transactions().session() as session:
            wiring.reporter(process_reports.API_SERVER).report(session)
        assert [each.trouble for each in reported(migrated)] == ["asset_manager: ValueError"]
        harmless.forget()  # as in another process
        found = health.hooks()
        assert found.status == "degraded"
        assert f"in {process_reports.process_name()}: asset_manager: ValueError" in found.detail
        assert "secret" not in found.detail

    @pytest.mark.parametrize("part", ["telemetry", METRICS_LANE, LINEAGE_LANE, "extra_link", "pages"])
    def test_what_is_not_told_or_shown_starts_no_alarm_about_runs(
        self, migrated: Database, health: healths.AirflowHealth, part: str
    ) -> None:
        harmless.log_error(part, OSError("x"))
        told = health.hooks()
        assert told.status == "degraded"
        assert f"{part}: OSError" in told.detail
        assert "runs may have started" not in told.detail
        harmless.log_error("asset_manager", KeyError("x"))
        both = health.hooks().detail
        alarm, aside = both.split("Also in ")
        assert "asset_manager: KeyError" in alarm
        assert "runs may have started" in alarm
        assert f"{part}: OSError" in aside

    def test_a_process_that_cannot_report_tells_of_itself(
        self, migrated: Database, health: healths.AirflowHealth
    ) -> None:
        harmless.log_error("listener", KeyError("x"))
        assert "listener: KeyError" in health.hooks().detail


class TestFreezeHook:
    def test_it_is_in_every_scheduler(self, migrated: Database, health: healths.AirflowHealth) -> None:
        scheduler_of(migrated)
        scheduler_of(migrated)
        found = health.freeze_hook()
        assert (found.status, found.detail) == ("healthy", "It is in place in all 2 live schedulers.")
        assert health.freeze_hook_active()

    @pytest.mark.parametrize("hook", [None, False])
    def test_it_is_missing_in_one(self, migrated: Database, health: healths.AirflowHealth, hook: bool | None) -> None:
        scheduler_of(migrated)
        number = scheduler_of(migrated, hook=hook)
        found = health.freeze_hook()
        assert (found.status, f"job #{number} hasn't reported" in found.detail) == ("degraded", True)
        assert not health.freeze_hook_active()

    def test_a_dead_scheduler_does_not_count(self, migrated: Database, health: healths.AirflowHealth) -> None:
        scheduler_of(migrated)
        scheduler_of(migrated, hook=None, ago=40)
        scheduler_of(migrated, hook=None, state="success")
        assert health.freeze_hook_active()

    def test_without_a_scheduler_nothing_can_be_said(self, migrated: Database, health: healths.AirflowHealth) -> None:
        found = health.freeze_hook()
        assert (found.status, "No scheduler is alive." in found.detail) == ("degraded", True)
        assert not health.freeze_hook_active()

    def test_without_tables(self, bare: Database, health: healths.AirflowHealth) -> None:
        assert not health.freeze_hook_active()


def test_health_reads_the_dags_once(migrated: Database, health: healths.AirflowHealth) -> None:
    with migrated.counted() as statements:
        health.components()
    assert sum("JOIN serialized_dag" in text for text in statements.texts) == 1


def test_health_looks_only_at_what_was_asked_for(migrated: Database, health: healths.AirflowHealth) -> None:
    with migrated.counted() as statements:
        assert list(health.components(["conductor"])) == ["conductor"]
    assert "rerun_downstream_lease" in statements.texts[-1]
    assert not any("serialized_dag" in text for text in statements.texts), "policy and listener read every Dag"


def test_health_answers_without_tables(bare: Database, health: healths.AirflowHealth) -> None:
    found = health.components()
    assert list(found) == [
        "configuration",
        "database",
        "conductor",
        "clocks",
        "asset_manager",
        "freeze_hook",
        "hooks",
        "frozen",
        "policy",
        "listener",
        "declared_links",
        "notifications",
    ]
    assert found["database"].status == "unhealthy"
    assert "db migrate" in found["database"].detail
    assert not health.asset_manager_active()


@pytest.mark.parametrize(
    "error", [OSError("the database at db.internal is away"), OSError(), ValueError("\n")], ids=repr
)
def test_health_answers_without_a_database(
    mocker: MockerFixture, health: healths.AirflowHealth, error: Exception
) -> None:
    mocker.patch.object(healths, "transactions", autospec=True, side_effect=error)
    found = health.components()
    why = f"Unknown ({type(error).__name__}); see this process's log."
    assert found["database"] == healths.ComponentHealth("unhealthy", why)


@pytest.mark.parametrize(
    ("content", "links", "status", "said"),
    [
        (b"links:\n  - upstream: {dag_id: a}\n    downstream: {dag_id: b}\n", 1, "healthy", "1 link is declared."),
        (b"links:\n  - upstream: {dag_id: a}\n", 0, "degraded", "links.yaml:2: the link has no downstream."),
        (b"\xff\xfe\xff", 0, "degraded", "links.yaml:1: The file can't be read"),
        (None, 0, "degraded", "links.yaml:1: The file can't be read"),
    ],
)
def test_the_file_of_declared_links_is_read_at_the_start(
    mocker: MockerFixture, tmp_path: Path, content: bytes | None, links: int, status: str, said: str
) -> None:
    file = tmp_path / "links.yaml"
    if content is not None:
        file.write_bytes(content)
    configured = Settings(declared_links_file=str(file))
    mocker.patch.object(configuration, "settings", return_value=configured)
    configuration.declarations.cache_clear()
    found = healths.AirflowHealth(settings=lambda: configured, clock=Clock()).declared_links()
    assert (found.status, said in found.detail) == (status, True), found.detail
    assert len(configuration.declarations().links) == links
    configuration.declarations.cache_clear()


def meet(prepare: str, *, within: float) -> None:
    """A process in which one thread imports a model, and another one makes the first query."""
    code = MEETING.format(prepare=prepare)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=within, capture_output=True)


def test_a_thread_that_imports_a_model_and_the_first_query_do_not_wait_for_each_other() -> None:
    meet("load_models()", within=120)
