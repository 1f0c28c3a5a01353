"""Code inside Airflow's transactions learns whether our tables can be used, and is never hurt by asking."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.apart import apart
from airflow_rerun_downstream.store.guard import SchemaGuard
from airflow_rerun_downstream.store.tables import metadata
from tests.store.databases import REAL, bare_database

TABLE = "rerun_downstream_dispatched_task"


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=REAL)
def engine(request: pytest.FixtureRequest) -> Engine:
    engine = bare_database(request.param)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS airflows_own"))
    schema.upgrade(engine)
    return engine


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def guard(seconds: Seconds) -> SchemaGuard:
    return SchemaGuard(seconds=seconds)


@pytest.fixture
def looks(mocker, guard: SchemaGuard):  # type: ignore[no-untyped-def]
    return mocker.spy(guard, "_look")


def downgrade(engine: Engine) -> None:
    schema.downgrade(engine, schema.BASE)


def ready(guard: SchemaGuard, engine: Engine) -> bool:
    with engine.connect() as connection:
        return guard.ready(connection)


def airflows_work(connection: Connection) -> None:
    """A part of a transaction of Airflow's."""
    connection.execute(text("CREATE TABLE IF NOT EXISTS airflows_own (id int)"))
    connection.execute(text("INSERT INTO airflows_own VALUES (1)"))


def rows(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM airflows_own")).scalar_one())


def test_a_yes_is_remembered_for_half_a_minute(engine: Engine, guard: SchemaGuard, seconds: Seconds, looks) -> None:  # type: ignore[no-untyped-def]
    assert [ready(guard, engine) for _ in range(100)] == [True] * 100
    downgrade(engine)
    seconds.now = 29.9
    assert ready(guard, engine)
    assert looks.call_count == 1
    seconds.now = 30.0
    assert not ready(guard, engine)
    assert looks.call_count == 2


def test_a_no_is_remembered_for_five_seconds(engine: Engine, guard: SchemaGuard, seconds: Seconds) -> None:
    downgrade(engine)
    assert not ready(guard, engine)
    schema.upgrade(engine)
    seconds.now = 4.9
    assert not ready(guard, engine)
    seconds.now = 5.0
    assert ready(guard, engine)


def test_it_can_be_told_to_look_again(engine: Engine, guard: SchemaGuard) -> None:
    downgrade(engine)
    assert not ready(guard, engine)
    schema.upgrade(engine)
    guard.forget()
    assert ready(guard, engine)


def test_a_statement_that_failed_is_a_no_for_a_while(engine: Engine, guard: SchemaGuard, seconds: Seconds) -> None:
    assert ready(guard, engine)
    guard.doubt()
    assert not ready(guard, engine)
    seconds.now = 5.0
    assert ready(guard, engine)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alembic_version_rerun_downstream SET version_num = '9999'",
        "UPDATE alembic_version_rerun_downstream SET version_num = ''",
        "DELETE FROM alembic_version_rerun_downstream",
        "DROP TABLE alembic_version_rerun_downstream",
    ],
)
def test_anything_but_the_codes_own_version_is_a_no(engine: Engine, guard: SchemaGuard, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))
    assert not ready(guard, engine)


def test_the_callers_transaction_is_untouched(engine: Engine, guard: SchemaGuard) -> None:
    downgrade(engine)
    with engine.begin() as connection:
        airflows_work(connection)
        assert not guard.ready(connection)
        assert rows(connection) == 1
    with engine.begin() as connection:
        assert rows(connection) == 1


def test_no_second_connection_is_opened(engine: Engine, guard: SchemaGuard) -> None:
    alone = create_engine(engine.url, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.1)
    opened = alone.pool.size()
    with alone.begin() as connection:
        airflows_work(connection)
        assert guard.ready(connection)
        assert rows(connection) == 1
        assert (alone.pool.checkedout(), opened) == (1, 1)
    alone.dispose()


def test_a_database_that_is_not_supported_is_never_asked(guard: SchemaGuard, looks, mocker) -> None:  # type: ignore[no-untyped-def]
    connection = mocker.Mock()
    connection.dialect.name = "mysql"
    assert not guard.ready(connection)
    assert looks.call_count == 0
    assert connection.mock_calls == []


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize("fault", ["a missing table", "an error of ours"])
def test_what_fails_apart_takes_nothing_of_the_callers_along(engine: Engine, writes: bool, fault: str) -> None:
    def work() -> None:
        if writes:
            connection.execute(text("INSERT INTO airflows_own VALUES (2)"))
        if fault == "a missing table":
            connection.execute(text("SELECT * FROM not_there"))
        raise RuntimeError(fault)

    with engine.begin() as connection:
        airflows_work(connection)
        with pytest.raises((DBAPIError, RuntimeError)):
            apart(connection, work, writes=writes)
        connection.execute(text("INSERT INTO airflows_own VALUES (3)"))
    with engine.begin() as connection:
        assert connection.execute(text("SELECT id FROM airflows_own ORDER BY id")).scalars().all() == [1, 3]


def test_what_is_written_apart_goes_with_the_callers_transaction(engine: Engine) -> None:
    """Also where it is the first that is written: the driver of SQLite would commit it."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE airflows_own (id int)"))
    with engine.connect() as connection, connection.begin() as transaction:
        apart(connection, lambda: connection.execute(text("INSERT INTO airflows_own VALUES (1)")), writes=True)
        assert rows(connection) == 1
        transaction.rollback()
    with engine.begin() as connection:
        assert rows(connection) == 0


def test_tables_that_vanish_while_they_count_as_ready_harm_nobody(engine: Engine, guard: SchemaGuard) -> None:
    assert ready(guard, engine)
    with engine.begin() as connection:
        metadata.drop_all(connection)
    with engine.begin() as connection:
        airflows_work(connection)
        assert guard.ready(connection)
        with pytest.raises(DBAPIError):
            apart(connection, lambda: connection.execute(text(f"SELECT * FROM {TABLE}")))
        assert rows(connection) == 1
