"""Code inside Airflow's transactions learns whether our tables can be used, and is never hurt by asking."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool, SingletonThreadPool, StaticPool

from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.guard import SchemaGuard, apart
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
    return mocker.spy(guard, "_state")


def downgrade(engine: Engine) -> None:
    schema.downgrade(engine, schema.BASE)


def test_a_yes_is_remembered_for_half_a_minute(engine: Engine, guard: SchemaGuard, seconds: Seconds, looks) -> None:  # type: ignore[no-untyped-def]
    assert [guard.ready(engine) for _ in range(100)] == [True] * 100
    downgrade(engine)
    seconds.now = 29.9
    assert guard.ready(engine)
    assert looks.call_count == 1
    seconds.now = 30.0
    assert not guard.ready(engine)
    assert looks.call_count == 2


def test_a_no_is_remembered_for_five_seconds(engine: Engine, guard: SchemaGuard, seconds: Seconds) -> None:
    downgrade(engine)
    assert not guard.ready(engine)
    schema.upgrade(engine)
    seconds.now = 4.9
    assert not guard.ready(engine)
    seconds.now = 5.0
    assert guard.ready(engine)


def test_it_can_be_told_to_look_again(engine: Engine, guard: SchemaGuard) -> None:
    downgrade(engine)
    assert not guard.ready(engine)
    schema.upgrade(engine)
    guard.forget()
    assert guard.ready(engine)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alembic_version_rerun_downstream SET version_num = '9999'",
        "DROP TABLE rerun_downstream_lease",
        "DROP TABLE alembic_version_rerun_downstream",
    ],
)
def test_anything_but_the_codes_own_version_is_a_no(engine: Engine, guard: SchemaGuard, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))
    assert not guard.ready(engine)


def test_the_callers_transaction_is_untouched(engine: Engine, guard: SchemaGuard) -> None:
    downgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE airflows_own (id int)"))
        connection.execute(text("INSERT INTO airflows_own VALUES (1)"))
        assert not guard.ready(connection)
        assert not guard.usable(connection, TABLE)
        assert connection.execute(text("SELECT id FROM airflows_own")).scalar_one() == 1
    with engine.begin() as connection:
        assert connection.execute(text("SELECT id FROM airflows_own")).scalar_one() == 1
        connection.execute(text("DROP TABLE airflows_own"))


def test_tables_that_were_just_dropped_are_not_usable(engine: Engine, guard: SchemaGuard) -> None:
    with Session(engine) as session:
        assert guard.usable(session, TABLE)
    with engine.begin() as connection:
        metadata.drop_all(connection)
    with Session(engine) as session, session.begin():
        assert guard.ready(engine)
        assert not guard.usable(session, TABLE)
        assert session.execute(text("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize("pool", [QueuePool, SingletonThreadPool, StaticPool])
def test_no_connection_of_the_callers_pool_is_used(engine: Engine, guard: SchemaGuard, pool: type) -> None:
    options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1} if pool is QueuePool else {}
    alone = create_engine(engine.url, poolclass=pool, **options)
    with alone.connect() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE airflows_own (id int)"))
        connection.execute(text("INSERT INTO airflows_own VALUES (1)"))
        assert guard.ready(alone)
        assert connection.execute(text("SELECT count(*) FROM airflows_own")).scalar_one() == 1
    alone.dispose()


def test_a_database_that_cannot_be_reached_is_a_no(guard: SchemaGuard) -> None:
    nowhere = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    assert not guard.ready(nowhere)


def test_no_news_is_no_change(engine: Engine, guard: SchemaGuard, seconds: Seconds, mocker) -> None:  # type: ignore[no-untyped-def]
    assert guard.ready(engine)
    seconds.now = 31.0
    broken = mocker.patch.object(guard, "_state", side_effect=OSError("too many connections"))
    assert guard.ready(engine)
    assert broken.call_count == 1
    mocker.stopall()
    downgrade(engine)
    seconds.now = 36.1
    assert not guard.ready(engine)


def test_threads_share_one_look(engine: Engine, guard: SchemaGuard, looks) -> None:  # type: ignore[no-untyped-def]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: guard.ready(engine), range(200)))
    assert answers == [True] * 200
    assert looks.call_count == 1


def test_a_lock_that_nobody_will_release_is_not_waited_for(
    engine: Engine, guard: SchemaGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_rerun_downstream.store.guard.PATIENCE", 0.05)
    guard._lock.acquire()
    assert not guard.ready(engine)


def test_a_separate_connection_is_made_as_the_engine_makes_its_own(engine: Engine) -> None:
    asked: list[object] = []
    event.listen(engine, "do_connect", lambda *parts: asked.append(parts))
    engine.dispose()
    with apart(engine).connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    assert len(asked) == 1


def test_a_separate_connection_is_closed_at_once(engine: Engine) -> None:
    happened: list[str] = []
    separate = apart(engine)
    event.listen(separate, "connect", lambda *_: happened.append("opened"))
    event.listen(separate, "close", lambda *_: happened.append("closed"))
    for _ in range(2):
        with separate.connect() as connection:
            connection.execute(text("SELECT 1"))
    assert happened == ["opened", "closed"] * 2


def test_a_database_that_is_not_supported_is_never_asked(guard: SchemaGuard, looks, mocker) -> None:  # type: ignore[no-untyped-def]
    bind = mocker.Mock()
    bind.dialect.name = "mysql"
    assert not guard.ready(bind)
    assert looks.call_count == 0
    assert bind.mock_calls == []
