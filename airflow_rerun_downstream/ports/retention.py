"""Removing the records of reruns that ended long ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Cleaning:
    """What is to go, and how far that has come: it is handed from one transaction to the next.

    Reruns that ended before ``before``. ``archive`` ends the names of the tables that take the rows of those with which
    this cleaning begins; None: none does.
    ``dry_run``: rows are counted, and stay. ``reruns`` are those that are going (None: not looked for yet), ``last`` is
    the id of the last one that was looked at; ``table`` and ``key`` are the place in what is no record, once no rerun
    is left. ``rows`` counts by table what has gone.
    """

    before: datetime
    archive: str | None = None
    dry_run: bool = False
    reruns: tuple[int, ...] | None = None
    last: int = 0
    records_done: bool = False
    table: int = 0
    key: tuple[object, ...] | None = None
    done: bool = False
    rows: Mapping[str, int] = field(default_factory=dict)

    def more(self, rows: Mapping[str, int]) -> dict[str, int]:
        """``rows`` with these added."""
        return {name: self.rows.get(name, 0) + rows.get(name, 0) for name in {**self.rows, **rows}}

    @property
    def total(self) -> int:
        """How many rows have gone."""
        return sum(self.rows.values())


class Retention(Protocol):
    """What may go of our tables, and what has to stay because a later answer rests on it."""

    def clean(self, cleaning: Cleaning, *, rows: int) -> Cleaning:
        """Go on with a cleaning: a few statements that remove, or count, about as many rows. See ``done``.

        A rerun that has begun to go is nowhere to be seen any more; whoever cleans next goes on with it,
        with the same archive or without one, as it was begun.
        """
        ...

    def kept(self, before: datetime) -> Mapping[str, int]:
        """How many reruns stay though they ended before, by why: ``frozen``, ``telling``, ``making_runs``,
        ``took_places``."""
        ...

    def note(self, cleaning: Cleaning, *, actor: str) -> None:
        """Write a line about a cleaning into Airflow's audit log."""
        ...
