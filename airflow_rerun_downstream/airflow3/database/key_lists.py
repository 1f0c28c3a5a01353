"""Conditions on pairs of columns, such as a run's two ids, in one statement however many pairs are asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from sqlalchemy.sql import ColumnElement

CHUNK = 11_000
"""Pairs in one statement: all the runs of a plan, as a rule. SQLite takes 32,766 parameters, ten thousand of them for
something else.
"""


def chunks(items: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """The items in lists of a size that one statement takes."""
    every = list(items)
    for start in range(0, len(every), size):
        yield every[start : start + size]


def names(refs: Iterable[RunRef]) -> list[tuple[str, str]]:
    """Names of runs as `pair_in` takes them."""
    return [(ref.dag_id, ref.run_id) for ref in refs]


def pair_in(
    session: Session, left: ColumnElement[Any], right: ColumnElement[Any], pairs: Collection[tuple[Any, Any]]
) -> ColumnElement[bool]:
    """Whether the two columns are one of ``pairs``, of which there are at most `CHUNK`.

    PostgreSQL reads ``(a, b) IN ((…), …)`` as one OR: 1,000 pairs took it three times as long as two arrays do,
    and 10,000 exceed its stack.
    """
    if session.get_bind().dialect.name != "postgresql":
        return tuple_(left, right).in_(list(pairs))
    lists = [
        bindparam(None, [pair[side] for pair in pairs], type_=ARRAY(column.type))
        for side, column in enumerate((left, right))
    ]
    wanted = func.unnest(*lists).table_valued("first", "second").render_derived()
    return tuple_(left, right).in_(select(wanted.c.first, wanted.c.second))


def one_in(session: Session, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Whether the column is one of ``values``, of which there are at most `CHUNK`."""
    if session.get_bind().dialect.name != "postgresql":
        return column.in_(list(values))
    return column == func.any(bindparam(None, list(values), type_=ARRAY(column.type)))
