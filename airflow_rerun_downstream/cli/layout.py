"""How a table is laid out where it is printed. Whatever the place, no word is broken: an id can be searched and copied.

In a pipe or a file each row is a line, as long as it needs to be, with every column, whether there is something in it
or not. On a terminal a column without anything is left out. What is too wide for the terminal is broken between words;
what is still too wide then stands one field below the other.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from airflow_rerun_downstream.cli.cells import NOTHING, Part, Table, harmless
from airflow_rerun_downstream.cli.streams import answer, width

GAP = 2
"""Blanks between two columns."""

NARROW = 12
"""Columns into which a text isn't squeezed for the sake of the table, if it has more."""


def print_parts(parts: Iterable[Part]) -> None:
    """Print tables and lines as an answer."""
    columns = width()
    before: Part = ""
    for part in parts:
        if isinstance(before, Table):
            answer("")
        for line in lines(part, columns):
            answer(harmless(line))
        before = part


def lines(part: Part, columns: int | None) -> Iterator[str]:
    """The lines of a part; ``columns`` None: there is no terminal."""
    if isinstance(part, str):
        for line in part.split("\n"):
            yield from [line] if columns is None else wrapped(line, columns)
    elif not part.rows:
        yield f"{part.title}: none"
    else:
        yield part.title
        yield from piped(part) if columns is None else on_terminal(part, columns)


def piped(of: Table) -> Iterator[str]:
    """A row in each line."""
    one_line = [[" ".join(cell.split("\n")) for cell in row] for row in of.rows]
    widths = [max(map(cell_len, column)) for column in zip(of.columns, *one_line, strict=True)]
    yield from drawn(of.columns, one_line, widths)


def on_terminal(of: Table, columns: int) -> Iterator[str]:
    """The table, or if it is too wide its fields."""
    kept = [place for place in range(len(of.columns)) if any(row[place] != NOTHING for row in of.rows)]
    heads = [of.columns[place] for place in kept]
    rows = [[row[place] for place in kept] for row in of.rows]
    widths = fitting(heads, rows, columns - GAP * (len(kept) - 1))
    yield from fields(heads, rows, columns) if widths is None else drawn(heads, rows, widths)


def fitting(heads: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """How wide each column may be, so that no word is broken; None: there is no room for that."""
    cells = list(zip(heads, *rows, strict=True))
    wanted = [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in cells]
    words = [max((cell_len(word) for cell in column for word in cell.split()), default=0) for column in cells]
    widths = [max(word, min(want, NARROW)) for word, want in zip(words, wanted, strict=True)]
    left = room - sum(widths)
    if left < 0:
        return None
    while left > 0 and (short := [place for place, want in enumerate(wanted) if widths[place] < want]):
        # What is left goes to the narrowest column that wants more.
        widths[min(short, key=widths.__getitem__)] += 1
        left -= 1
    return widths


def drawn(heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """A table with columns of these widths; rows of several lines have a blank line between them."""
    several = any("\n" in cell or cell_len(cell) > wide for row in rows for cell, wide in zip(row, widths, strict=True))
    # Without the last column's padding, older versions of rich give its text more room than it has.
    made = RichTable(box=None, padding=(0, GAP, 0, 0), leading=int(several))
    for head, wide in zip(heads, widths, strict=True):
        made.add_column(Text(head), width=wide, overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    room = sum(widths) + GAP * len(widths)
    console = Console(width=room, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as captured:
        console.print(made)
    for line in captured.get().splitlines():
        yield line.rstrip()


def fields(heads: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> Iterator[str]:
    """The rows one below the other, with a line or more for each field."""
    margin = max(map(len, heads)) + GAP
    for number, row in enumerate(rows):
        if number:
            yield ""
        for head, cell in zip(heads, row, strict=True):
            if cell != NOTHING:
                first, *others = [one for line in cell.split("\n") for one in wrapped(line, columns - margin)]
                yield f"{head:<{margin}}{first}"
                yield from (" " * margin + line for line in others)


def wrapped(line: str, columns: int) -> list[str]:
    """A line broken between words; a word that is too long stays whole."""
    return textwrap.wrap(line, max(columns, 1), break_long_words=False, break_on_hyphens=False) or [""]
