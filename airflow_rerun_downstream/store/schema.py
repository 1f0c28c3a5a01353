"""Which version our tables have, and how they get to another one.

Looking is cheap and needs no alembic. Migrating takes a lock of its own and is one transaction: it can be called by
several processes at once, and an interrupted one leaves the tables as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, String, Table, delete, insert, select, text
from sqlalchemy.engine import Connection, Engine

from airflow_rerun_downstream.domain.errors import SchemaMismatch
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.store.tables import TABLES, VERSION_TABLE, existing_tables, metadata, rerun

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS = tuple(f"{number:04}" for number in range(1, 21))
"""Every revision, oldest first; a test compares with the migrations' folder."""

HEAD = REVISIONS[-1]
"""The revision that this code works with."""

LATER_TABLES = frozenset(
    {
        f"rerun_downstream_{name}"
        for name in (
            *("repeat", "not_made_anew", "own_start", "passage", "delivery", "proposal", "idempotency_key"),
            "parked_event",
        )
    }
)
"""Those that came after the first revision."""

BASE = "base"

FOLDER = Path(__file__).parent

MIGRATE = "Run `airflow-rerun-downstream db migrate` (on Airflow 3.2 and later `airflow db migrate` does it too)."

DIALECTS = frozenset({"sqlite", "postgresql"})
"""The databases that are supported. On any other, nothing of ours takes part in Airflow's transactions."""

LOCK = 6_270_431_107
"""Our own advisory lock on PostgreSQL: migrating must also be safe where Airflow's isn't taken."""

MYSQL = ("mysql", "mariadb")
NAME = "airflow-rerun-downstream"
LOCKED_WITHIN = 600
"""The name of the lock on MySQL, and the seconds for which it is waited for."""

version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


class SchemaState(Enum):
    """What the tables are, compared with the code. The value is a sentence; it ends with what to do."""

    READY = Sentence("part.tables_ready")
    MISSING = Sentence("refusal.tables_missing")
    OLDER = Sentence("refusal.tables_older")
    NEWER = Sentence("refusal.tables_newer")
    INCOMPLETE = Sentence("refusal.tables_incomplete")


def current_revision(connection: Connection) -> str | None:
    """The tables' revision; None where they were never migrated, or were downgraded to nothing."""
    return revision(connection, existing_tables(connection))


def revision(connection: Connection, existing: frozenset[str]) -> str | None:
    """The revision, where it is known which tables exist."""
    if VERSION_TABLE not in existing:
        return None
    return connection.execute(select(version.c.version_num)).scalars().first()


def state(connection: Connection) -> SchemaState:
    """How the tables compare with the code. Two statements at most, and none of them can fail for a lack of tables."""
    existing = existing_tables(connection)
    found = revision(connection, existing)
    if found is None:
        return SchemaState.INCOMPLETE if existing & TABLES else SchemaState.MISSING
    if found not in REVISIONS:
        return SchemaState.NEWER
    if not existing & TABLES:
        return SchemaState.MISSING
    if found != HEAD:
        return SchemaState.OLDER
    return SchemaState.READY if existing >= TABLES else SchemaState.INCOMPLETE


def check(connection: Connection) -> None:
    """Raise `SchemaMismatch`, which says what to do, unless the tables are the code's."""
    found = state(connection)
    if found is not SchemaState.READY:
        raise SchemaMismatch(found.value, state=found.name.lower())


def config(connection: Connection | None = None, url: str | None = None) -> Config:
    """Alembic's configuration; with ``url`` alone it can only write SQL scripts."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(FOLDER / "migrations").replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    if url is not None:
        made.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other migration runs beside; on MySQL, which commits each change of a table, no more than
    the last part of it is one.
    """
    with engine.connect() as connection, named_lock(connection), connection.begin():
        if connection.dialect.name == "sqlite":
            # The driver begins a transaction only at the first write, and not at all for CREATE TABLE.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        yield connection


@contextmanager
def named_lock(connection: Connection) -> Iterator[None]:
    """MySQL's advisory lock, which outlasts its commits; elsewhere nothing."""
    if connection.dialect.name not in MYSQL:
        yield
        return
    if connection.execute(text("SELECT GET_LOCK(:name, :wait)"), {"name": NAME, "wait": LOCKED_WITHIN}).scalar() != 1:
        raise RuntimeError(f"Another migration of these tables hasn't ended for {LOCKED_WITHIN} s")
    connection.commit()
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": NAME})


def no_id(_connection: Connection) -> int:
    """Where nothing outside our tables names a rerun."""
    return 0


def upgrade(engine: Engine, to: str = "head", *, last_id: Callable[[Connection], int] = no_id) -> None:
    """Bring the tables to a revision, from whatever they are; lost tables are made anew, empty.

    Where the reruns' table is made, ids begin after ``last_id``: that of the last rerun that something still names.
    Raises `SchemaMismatch` when a newer version of the package made them.
    """
    from alembic import command

    with alone(engine) as connection:
        found = state(connection)
        if found is SchemaState.NEWER:
            raise SchemaMismatch(found.value, state="newer")
        before = existing_tables(connection)
        mend(connection)
        new = rerun.name not in before & existing_tables(connection)
        command.upgrade(config(connection), to)
        if new and rerun.name in existing_tables(connection):
            begin_after(connection, last_id(connection))


def begin_after(connection: Connection, last: int) -> None:
    """Give the next rerun an id after ``last``."""
    if last <= 0:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": rerun.name})
        row = {"name": rerun.name, "last": last}
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), row)
    elif connection.dialect.name == "postgresql":
        sequence = text(f"SELECT setval(pg_get_serial_sequence('{rerun.name}', 'id'), :last)")
        connection.execute(sequence, {"last": last})
    else:
        connection.exec_driver_sql(f"ALTER TABLE {rerun.name} AUTO_INCREMENT = {last + 1}")


def mend(connection: Connection) -> None:
    """Make the tables what their recorded revision says, so that the migrations find what they expect."""
    existing = existing_tables(connection)
    found = revision(connection, existing)
    if found is None and connection.dialect.name in MYSQL and empty(connection, existing & TABLES):
        # An interrupted migration was not taken back.
        drop(connection)
        return
    if found is not None and not existing & TABLES:
        connection.execute(delete(version))
    elif found == HEAD and TABLES - existing:
        metadata.create_all(connection)
    elif found is None and existing >= TABLES - LATER_TABLES:
        # As Airflow does with tables of unknown age: take them for the first ones. The migrations that follow pass over
        # what is there.
        version.create(connection, checkfirst=True)
        connection.execute(insert(version), [{"version_num": REVISIONS[0]}])


def empty(connection: Connection, tables: Iterable[str]) -> bool:
    """Whether there is no row in any of these tables."""
    return all(connection.execute(select(metadata.tables[name].c[0]).limit(1)).first() is None for name in tables)


def downgrade(engine: Engine, to: str) -> None:
    """Bring the tables to an older revision. ``base`` removes them, and every trace of them.

    Raises `TablesInUse`, which says what to do first, while a run is frozen, events are parked or a rerun isn't over.
    """
    from alembic import command

    from airflow_rerun_downstream.store import remains

    with alone(engine) as connection:
        remains.lock(connection)
        remains.refuse_unless_empty(connection)
        if state(connection) is SchemaState.MISSING:
            drop(connection)
            return
        mend(connection)
        command.downgrade(config(connection), to)
        if to == BASE:
            drop(connection)


def drop(connection: Connection) -> None:
    """Drop what there is of our tables, whatever state they are in."""
    metadata.drop_all(connection)
    version.drop(connection, checkfirst=True)
