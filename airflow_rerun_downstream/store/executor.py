"""What statements are run with, and the little that every caller of them needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import Executable

Executor = Session | Connection
"""A session or a connection; it is always the caller who commits."""

T = TypeVar("T")

CHUNK = 1000
"""How many values one statement names at most: SQLite has a limit."""


def changed(executor: Executor, statement: Executable) -> int:
    """Run an UPDATE or DELETE and answer how many rows it met."""
    return cast("CursorResult[Any]", executor.execute(statement)).rowcount


def new_id(executor: Executor, statement: Executable) -> int:
    """Run an INSERT of one row and answer its id."""
    result = cast("CursorResult[Any]", executor.execute(statement))
    return int(cast("Sequence[Any]", result.inserted_primary_key)[0])


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in pieces that fit into a statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
