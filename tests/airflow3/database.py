"""Real Airflow metadata databases for tests: migrated once in a process, emptied between tests.

`configure` must run before anything imports Airflow. `Database.use` points Airflow's own session factory at a
database, so that both a test's session and ``airflow.utils.session.create_session`` work on it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

BACKENDS = ("sqlite", "postgres")

KEPT_TABLES = {"alembic_version", "log_template"}
"""What a migration writes, and a test must find again; besides every table named like a migration's mark."""

KEPT_ROWS = {"slot_pool": " WHERE pool <> 'default_pool'"}
"""By table: which of its rows are a test's. A condition only where needed: SQLite empties a whole table at once."""

SETTINGS = (
    "SQL_ALCHEMY_CONN",
    "SQL_ALCHEMY_CONN_ASYNC",
    "engine",
    "Session",
    "NonScopedSession",
    "async_engine",
    "AsyncSession",
)
"""The globals of ``airflow.settings`` that are bound to one database."""


def configure() -> Path:
    """Give this process an Airflow home of its own; answer its folder. A repeat answers the same."""
    if (home := os.environ.get("RERUN_TEST_HOME")) and os.environ.get("RERUN_TEST_PID") == str(os.getpid()):
        return Path(home)
    folder = Path(tempfile.mkdtemp(prefix="rd-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "dags").mkdir()
    os.environ.update(
        {
            "RERUN_TEST_HOME": str(folder),
            "RERUN_TEST_PID": str(os.getpid()),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/unused.db",
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of the tests, longer than any signature needs it to be now",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        }
    )
    return folder


@dataclass
class Statements:
    """The SQL statements that were sent while `counted` was open, and the rows that came back; SQLite doesn't say."""

    texts: list[str] = field(default_factory=list)
    rows: int = 0

    def __len__(self) -> int:
        return len(self.texts)


class Database:
    """A migrated metadata database. ``url`` is what SQLAlchemy takes."""

    def __init__(self, backend: str, url: str) -> None:
        self.backend = backend
        self.url = url
        self._globals: dict[str, Any] = {}

    @property
    def engine(self) -> Engine:
        """Airflow's own engine on this database."""
        engine: Engine = self._globals["engine"]
        return engine

    def use(self) -> None:
        """Point ``airflow.settings`` at this database; migrate it the first time."""
        from airflow import settings

        if self._globals:
            for name, value in self._globals.items():
                setattr(settings, name, value)
            return
        os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = self.url
        settings.configure_vars()
        settings.configure_orm()
        self._globals = {name: getattr(settings, name) for name in SETTINGS}
        if self.backend == "sqlite":
            never_wait_for_the_disk(self.engine)
        atexit.register(self.engine.dispose)  # before the server ends
        self._migrate()

    def _migrate(self) -> None:
        from airflow.utils.db import initdb

        from airflow_rerun_downstream.store import schema

        with self.session() as session:
            initdb(session=session)
        schema.upgrade(self.engine)  # Airflow 3.1 doesn't do it

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A new session of Airflow's own kind, which isn't committed for you."""
        session: Session = self._globals["NonScopedSession"]()
        try:
            yield session
        finally:
            session.close()

    def empty(self) -> None:
        """Delete every row that isn't from the migration, in Airflow's tables and in ours."""
        with self.engine.begin() as connection:
            postgres = self.backend == "postgres"
            for setting in POSTGRES_QUICK if postgres else ():
                connection.exec_driver_sql(setting)
            tables = connection.exec_driver_sql(POSTGRES_TABLES if postgres else SQLITE_TABLES).scalars().all()
            wanted = [name for name in tables if name not in KEPT_TABLES and "alembic_version" not in name]
            statements = [f'DELETE FROM "{name}"{KEPT_ROWS.get(name, "")}' for name in wanted]
            if postgres:
                connection.exec_driver_sql("; ".join(statements))
                return
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for statement in statements:
                connection.exec_driver_sql(statement)

    @contextmanager
    def counted(self) -> Iterator[Statements]:
        """Collect the statements that are sent meanwhile, by any session of this database."""
        from sqlalchemy import event

        found = Statements()

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            found.texts.append(statement)

        def count(_connection: Any, cursor: Any, *_rest: Any) -> None:
            found.rows += max(cursor.rowcount, 0) if cursor.description else 0

        event.listen(self.engine, "before_cursor_execute", note)
        event.listen(self.engine, "after_cursor_execute", count)
        try:
            yield found
        finally:
            event.remove(self.engine, "before_cursor_execute", note)
            event.remove(self.engine, "after_cursor_execute", count)


POSTGRES_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
POSTGRES_QUICK = (
    "SET LOCAL session_replication_role = replica",  # no foreign key is looked at
    "SET LOCAL lock_timeout = '10s'",  # a session that a test left open is an error, not a standstill
)


def never_wait_for_the_disk(engine: Engine) -> None:
    """Let SQLite commit without the disk, on all connections from now on: nothing here has to outlast the machine."""
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def set_it(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")


def make(backend: str, name: str = "airflow") -> Database:
    """A new database of this process, of that name. It is not migrated before `Database.use`."""
    folder = configure()
    if backend == "sqlite":
        return Database(backend, f"sqlite:///{folder}/{name}.db")
    from tests.store.databases import new_postgres  # the server that the tests of our tables alone have started, too

    return Database(backend, new_postgres(name))
