"""Archive tables, named as those of ``airflow db clean``: what was cleaned, as it was.

A cleaning has one for each of our tables from which it takes rows. Airflow's own ``db export-archived`` and
``db drop-archived`` know Airflow's tables alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import MetaData, Table, column, insert, inspect, select, text
from sqlalchemy import table as light_table
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.tables import PREFIX

ARCHIVE = "_airflow_deleted__"
LONGEST = 63
"""How long a name may be in PostgreSQL."""

AT_A_TIME = 500


def suffix(at: datetime) -> str:
    """What ends the names of a cleaning's tables: its time, to the minute."""
    return at.strftime("%Y%m%d%H%M")


def name_of(table: Table, ending: str) -> str:
    """The archive table of one of ours."""
    return f"{ARCHIVE}{table.name[: LONGEST - len(ARCHIVE) - len(ending) - 2]}__{ending}"


def copy(executor: Executor, table: Table, where: ColumnElement[bool], ending: str | None) -> None:
    """Copy rows into the archive, which is made if it isn't there; without an ``ending`` nothing is archived."""
    if ending is None:
        return
    name, columns = name_of(table, ending), [each.name for each in table.columns]
    executor.execute(text(f'CREATE TABLE IF NOT EXISTS "{name}" AS SELECT * FROM {table.name} WHERE 1 = 0'))
    there = light_table(name, *(column(each) for each in columns))
    executor.execute(insert(there).from_select(columns, select(*table.columns).where(where)))


def names(connection: Connection) -> list[str]:
    """Our archive tables."""
    return sorted(name for name in inspect(connection).get_table_names() if name.startswith(f"{ARCHIVE}{PREFIX}"))


def rows(connection: Connection, name: str) -> Iterator[Sequence[Any]]:
    """What an archive table holds: the names of its columns, then its rows."""
    found = connection.execute(select(text("*")).select_from(light_table(name)))
    yield list(found.keys())
    while some := found.fetchmany(AT_A_TIME):
        yield from some


def drop(connection: Connection, name: str) -> None:
    """Drop an archive table."""
    Table(name, MetaData()).drop(connection)
