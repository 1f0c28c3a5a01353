"""A database's rows, to be compared and to be put back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from tests.airflow3.database import Database

Rows = Mapping[str, list[tuple[Any, ...]]]

SEQUENCES = "sqlite_sequence"
OURS = ("rerun_downstream_", "alembic_version")
ABOUT_NOW = timedelta(days=1)


class Contents:
    """All tables of a database, as raw values. SQLite's own table of sequences is one of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sqlite = database.backend == "sqlite"
        metadata = MetaData()
        metadata.reflect(database.engine)
        self.columns = {name: [column.name for column in table.columns] for name, table in metadata.tables.items()}
        if self.sqlite:
            self.columns[SEQUENCES] = ["name", "seq"]
        self.types: dict[str, dict[str, str]] = {}
        self.serials = {} if self.sqlite else self._serials()

    def read(self) -> Rows:
        with self.database.engine.connect() as connection:
            filled = self._filled(connection)
            return {name: self._rows(connection, name) if name in filled else [] for name in self.columns}

    def _filled(self, connection: Connection) -> set[str]:
        """The tables that have a row, in one statement: most have none."""
        asked = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in self.columns)
        return set(connection.exec_driver_sql(" UNION ALL ".join(asked)).scalars())

    def restore(self, before: Rows, now: Rows | None = None) -> None:
        """Put the rows back that have changed, and the numbers that come next. ``now``: what was read last, if
        nothing has been written since.
        """
        now = now or self.read()
        changed = [name for name in self.columns if now[name] != before[name]]
        with self.database.engine.connect() as connection, self._no_foreign_keys(connection):
            for name in changed:
                connection.exec_driver_sql(f'DELETE FROM "{name}"')
            for name in changed:
                if name != SEQUENCES:
                    self._insert(connection, name, before[name])
            if self.sqlite:  # the inserts have written there, too
                connection.exec_driver_sql(f"DELETE FROM {SEQUENCES}")
                self._insert(connection, SEQUENCES, before[SEQUENCES])
            self._count_on(connection)
            connection.commit()

    def _count_on(self, connection: Connection) -> None:
        """Let the next numbers follow those that are there."""
        numbers = []
        for sequence, (table, column) in self.serials.items():
            last = f'(SELECT max("{column}") FROM "{table}")'
            numbers.append(f"setval('{sequence}', coalesce({last}, 1), {last} IS NOT NULL)")
        if numbers:
            connection.exec_driver_sql(f"SELECT {', '.join(numbers)}")

    @contextmanager
    def _no_foreign_keys(self, connection: Connection) -> Iterator[None]:
        """SQLite knows that for a connection, outside of transactions only; PostgreSQL for a transaction."""
        off = "PRAGMA foreign_keys = OFF" if self.sqlite else "SET LOCAL session_replication_role = replica"
        connection.exec_driver_sql(off)
        yield
        if self.sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")

    def _rows(self, connection: Connection, name: str) -> list[tuple[Any, ...]]:
        listed = ", ".join(self._read_as(name, column) for column in self.columns[name])
        found = connection.exec_driver_sql(f'SELECT {listed} FROM "{name}"').all()
        return sorted((tuple(row) for row in found), key=repr)

    def _read_as(self, _table: str, column: str) -> str:
        return f'"{column}"' if self.sqlite else f'"{column}"::text'

    def _insert(self, connection: Connection, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        columns = self.columns[name]
        values = [dict(zip((f"c{number}" for number in range(len(columns))), row, strict=True)) for row in rows]
        if not values:
            return
        listed = ", ".join(f'"{column}"' for column in columns)
        if self.sqlite:
            marks = ", ".join(f":c{number}" for number in range(len(columns)))
        else:
            types = self._types(connection, name)
            marks = ", ".join(f"CAST(:c{number} AS {types[column]})" for number, column in enumerate(columns))
        connection.execute(text(f'INSERT INTO "{name}" ({listed}) VALUES ({marks})'), values)

    def _types(self, connection: Connection, name: str) -> dict[str, str]:
        if name in self.types:
            return self.types[name]
        found = connection.exec_driver_sql(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            f"WHERE attrelid = '\"{name}\"'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        self.types[name] = {row[0]: row[1] for row in found}
        return self.types[name]

    def _serials(self) -> dict[str, tuple[str, str]]:
        with self.database.engine.connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT pg_get_serial_sequence(quote_ident(table_name), column_name), table_name, column_name "
                "FROM information_schema.columns WHERE table_schema = 'public' AND column_default LIKE 'nextval%%'"
            ).all()
        return {row[0]: (row[1], row[2]) for row in found if row[0]}


def airflows(rows: Rows) -> dict[str, list[tuple[Any, ...]]]:
    """Airflow's rows, with every moment of this test's day as ``now``."""
    wanted = {name: some for name, some in rows.items() if not name.startswith(OURS) and name != SEQUENCES}
    return {name: sorted((tuple(map(timeless, row)) for row in some), key=repr) for name, some in wanted.items()}


MADE = re.compile(
    r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b|\b00-[0-9a-f]{32}-[0-9a-f]{16}-\d\d\b"
)
"""Ids that are drawn by lot: of task instances, and of traces."""


def timeless(value: Any) -> Any:
    """The value; ``now`` if it is a moment of about now, and without what is drawn by lot."""
    if not isinstance(value, str):
        return value
    if value[:2] != "20":
        return MADE.sub("drawn", value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return "now" if abs(aware - datetime.now(timezone.utc)) < ABOUT_NOW else value
