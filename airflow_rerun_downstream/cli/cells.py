"""Tables of texts, and what stands in a cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

Row = Sequence[object]


def table(title: str, columns: Sequence[str], rows: Iterable[Row]) -> Table:
    """A table of texts; what nobody knows is a dash."""
    made = Table(title=escape(title), title_justify="left", box=SIMPLE, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(escape(text(each)) for each in row))
    return made


def text(value: object) -> str:
    """A cell."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(getattr(value, "value", value))
