"""What Airflow's database commands do with our tables."""

from __future__ import annotations

import inspect as signatures
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from airflow_rerun_downstream import __version__
from airflow_rerun_downstream.domain.errors import TablesInUse
from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.schema import SchemaState
from airflow_rerun_downstream.store.tables import VERSION_TABLE, metadata
from tests.airflow3.database import configure
from tests.store.databases import REAL, bare_database

pytest.importorskip("airflow")
configure()

if TYPE_CHECKING:
    from airflow_rerun_downstream.airflow3.database.migration import RerunDownstreamDBManager

NEWER = f"UPDATE {VERSION_TABLE} SET version_num = '9999'"


@pytest.fixture(params=REAL)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A database without our tables, that Airflow's ``create_session`` works on."""
    engine = bare_database(request.param)

    @contextmanager
    def create_session(scoped: bool = True) -> Iterator[Session]:
        with Session(engine) as session, session.begin():
            yield session

    monkeypatch.setattr("airflow.utils.session.create_session", create_session)
    return engine


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@pytest.fixture
def manager(session: Session) -> RerunDownstreamDBManager:
    from airflow_rerun_downstream.airflow3.database.migration import RerunDownstreamDBManager

    return RerunDownstreamDBManager(session)


def state(engine: Engine) -> SchemaState:
    with engine.connect() as connection:
        return schema.state(connection)


def run(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_airflow_accepts_the_manager() -> None:
    from airflow.utils.db_manager import RunDBManager

    from airflow_rerun_downstream.airflow3.database.migration import RerunDownstreamDBManager

    RunDBManager._validate(RerunDownstreamDBManager)


def test_it_answers_every_call_of_the_base_class() -> None:
    from airflow.utils.db_manager import BaseDBManager

    from airflow_rerun_downstream.airflow3.database.migration import RerunDownstreamDBManager

    for name in ("initdb", "upgradedb", "downgrade", "create_db_from_orm", "drop_tables", "check_migration"):
        theirs = signatures.signature(getattr(BaseDBManager, name)).parameters
        ours = signatures.signature(getattr(RerunDownstreamDBManager, name)).parameters
        assert set(theirs) <= set(ours), name


def test_the_released_version_has_a_revision() -> None:
    from airflow_rerun_downstream.airflow3.database.migration import RerunDownstreamDBManager

    assert __version__ in RerunDownstreamDBManager.revision_heads_map
    assert list(RerunDownstreamDBManager.revision_heads_map.values())[-1] == schema.HEAD
    assert set(RerunDownstreamDBManager.revision_heads_map.values()) <= set(schema.REVISIONS)


@pytest.mark.parametrize("call", ["initdb", "upgradedb", "create_db_from_orm"])
def test_every_way_of_migrating_makes_the_tables(manager: RerunDownstreamDBManager, engine: Engine, call: str) -> None:
    assert not manager.check_migration()
    assert manager.get_current_revision() is None
    getattr(manager, call)()
    getattr(manager, call)()
    assert state(engine) is SchemaState.READY
    assert manager.check_migration()
    assert manager.get_current_revision() == schema.HEAD


@pytest.mark.parametrize("lost", ["rerun_downstream_gate", VERSION_TABLE])
def test_lost_tables_are_noticed_and_made_anew(manager: RerunDownstreamDBManager, engine: Engine, lost: str) -> None:
    manager.initdb()
    run(engine, f"DROP TABLE {lost}")
    assert not manager.check_migration()
    manager.upgradedb()
    assert manager.check_migration()


def test_newer_tables_stop_neither_airflows_migration_nor_its_start(
    manager: RerunDownstreamDBManager, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    manager.initdb()
    run(engine, NEWER)
    with caplog.at_level(logging.WARNING):
        manager.upgradedb()
        manager.initdb()
    assert state(engine) is SchemaState.NEWER
    assert manager.check_migration()


def test_a_downgrade_to_base_removes_everything(manager: RerunDownstreamDBManager, engine: Engine) -> None:
    manager.initdb()
    manager.downgrade(schema.BASE)
    assert not [name for name in inspect(engine).get_table_names() if "rerun_downstream" in name]


def test_a_downgrade_is_refused_while_something_is_frozen(manager: RerunDownstreamDBManager, engine: Engine) -> None:
    manager.initdb()
    run(engine, "INSERT INTO rerun_downstream_parked (dag_id, asset_id, created_at) VALUES ('d', 1, '2026-01-01')")
    with pytest.raises(TablesInUse, match="the asset events of d"):
        manager.downgrade(schema.BASE)
    assert state(engine) is SchemaState.READY


def test_a_reset_drops_what_there_is_in_airflows_transaction(manager: RerunDownstreamDBManager, engine: Engine) -> None:
    manager.initdb()
    with engine.connect() as connection, connection.begin():
        manager.drop_tables(connection)
        manager.drop_tables(connection)
    assert state(engine) is SchemaState.MISSING


def test_the_statements_of_either_way_can_be_printed(
    manager: RerunDownstreamDBManager, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    manager.upgradedb(show_sql_only=True)
    assert "CREATE TABLE rerun_downstream_rerun" in capsys.readouterr().out
    manager.downgrade(schema.BASE, show_sql_only=True)
    assert "DROP TABLE rerun_downstream_rerun" in capsys.readouterr().out
    assert state(engine) is SchemaState.MISSING


class TestMigrateAtStart:
    def test_it_makes_what_is_missing(self, engine: Engine) -> None:
        assert self.start()
        assert state(engine) is SchemaState.READY
        assert self.start()

    def test_workers_may_start_at_once(self, engine: Engine) -> None:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda _: self.start(), range(4))) == [True] * 4

    def test_it_mends_lost_tables(self, engine: Engine) -> None:
        schema.upgrade(engine)
        with engine.begin() as connection:
            metadata.drop_all(connection)
        assert self.start()

    def test_newer_tables_are_left_alone(self, engine: Engine) -> None:
        schema.upgrade(engine)
        run(engine, NEWER)
        assert not self.start()
        assert state(engine) is SchemaState.NEWER

    @pytest.mark.usefixtures("engine")
    def test_it_never_raises(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_args: object, **_options: object) -> None:
            raise OSError("no database")

        monkeypatch.setattr(schema, "upgrade", fail)
        assert not self.start()
        monkeypatch.setattr("airflow.utils.session.create_session", fail)
        assert not self.start()

    def test_who_lost_the_race_sees_that_it_is_done(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        done = schema.upgrade

        def beaten(engine: Engine, to: str = "head", **options: Any) -> None:
            done(engine, to, **options)
            raise OSError("canceling statement due to lock timeout")

        monkeypatch.setattr(schema, "upgrade", beaten)
        assert self.start()

    @staticmethod
    def start() -> bool:
        from airflow_rerun_downstream.airflow3.database.migration import migrate_at_start

        return migrate_at_start()
