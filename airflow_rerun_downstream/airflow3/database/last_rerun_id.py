"""What names reruns outside our tables: Airflow's audit log and the notes of runs. No such id must be given again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow.models.dagrun import DagRunNote
from airflow.models.log import Log
from sqlalchemy import inspect, select

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

EXTRA = re.compile(r'"rerun_id": *(\d{1,9})\b')
NOTE = re.compile(r"\b[Rr]erun downstream #(\d{1,9})\b")
"""Longer numbers aren't ours: a person may have written anything into a note."""


def last_rerun_id(connection: Connection) -> int:
    """The greatest id of a rerun that an audit row or a note names; 0: none does. Reads all of both."""
    log, note = Log.__table__, DagRunNote.__table__
    texts = {
        log.name: (EXTRA, select(log.c.extra).where(log.c.event.like("rerun\\_downstream.%", escape="\\")).distinct()),
        note.name: (NOTE, select(note.c.content).where(note.c.content.like("%erun downstream #%"))),
    }
    tables = inspect(connection)
    return max(
        (
            number
            for table, (pattern, wanted) in texts.items()
            if tables.has_table(table)
            for text in connection.scalars(wanted)
            for number in numbers(pattern, text)
        ),
        default=0,
    )


def numbers(pattern: re.Pattern[str], text: str | None) -> Iterator[int]:
    """The ids that a text names."""
    return (int(found) for found in pattern.findall(text or ""))
