"""Tables of texts, and what stands in a cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""Characters that do something to a terminal; a name or a reason may hold any."""

NOTHING = "-"
"""What stands in a cell of which nobody knows anything."""


@dataclass(frozen=True)
class Table:
    """A table of texts; `layout` knows how it is printed."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Part = str | Table
"""What an answer for people is made of: lines and tables."""


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table; what nobody knows is a dash."""
    return Table(title, tuple(columns), tuple(tuple(map(text, row)) for row in rows))


def part(shown: int, all_of_them: int) -> str:
    """How much of a list is shown."""
    return f" ({shown})" if shown >= all_of_them else f" ({shown} of {all_of_them})"


def harmless(line: str) -> str:
    """A text whose control characters can only be read."""
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", line)


def text(value: object) -> str:
    """A cell."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(getattr(value, "value", value))
