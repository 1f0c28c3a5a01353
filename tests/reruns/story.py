"""What was executed, by one true clock: who began and ended when, what each read, and what it left.

Data has a place: that of the run and the task that make it. A run that a task makes anew writes to the place of the
one that the task had made before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from airflow_rerun_downstream.domain.refs import RunRef


@dataclass(frozen=True, order=True)
class Spot:
    """Where a task instance keeps its data."""

    place: str
    task_id: str
    index: int = -1

    def __str__(self) -> str:
        return f"{self.place}.{self.task_id}" + (f"[{self.index}]" if self.index >= 0 else "")


@dataclass(frozen=True)
class Read:
    """A look at a spot: whose write was there (None: nothing), and whether it was being rewritten."""

    spot: Spot
    written_by: int | None
    moving: bool = False


@dataclass
class Try:
    """One try of a task instance. ``end``: success, failed, skipped, lost (killed); ``flaw``: why its work is no good.

    ``makes_data``: whether what it leaves is data; else it only waits, chooses, prepares or starts something.
    """

    number: int
    ref: RunRef
    spot: Spot
    began: float
    reads: list[Read]
    makes_data: bool
    ended: float | None = None
    end: str | None = None
    flaw: str | None = None


@dataclass
class Story:
    """All tries in the order in which they began. ``held``: by whom what is there now was written.

    ``submitted``: the number of the first try after the submit. ``runs``: which runs had a place, oldest first.
    """

    tries: list[Try] = field(default_factory=list)
    held: dict[Spot, int] = field(default_factory=dict)
    writing: dict[Spot, int] = field(default_factory=dict)
    void: set[Spot] = field(default_factory=set)
    runs: dict[str, list[RunRef]] = field(default_factory=dict)
    submitted: int | None = None
    lines: list[tuple[float, str]] = field(default_factory=list)

    def begin(self, ref: RunRef, spot: Spot, at: float, reads: list[Read], *, makes_data: bool) -> Try:
        """A try begins."""
        found = Try(len(self.tries), ref, spot, at, reads, makes_data)
        self.tries.append(found)
        self.writing[spot] = found.number
        self.void.discard(spot)
        self.tell(at, f"{found.number}: {spot} begins in {ref.run_id}, reads {[self.word(one) for one in reads]}")
        return found

    def close(self, found: Try, at: float, end: str) -> None:
        """A try ends; only one that succeeds leaves something."""
        found.ended, found.end = at, end
        if self.writing.get(found.spot) == found.number:
            del self.writing[found.spot]
        if end == "success":
            self.held[found.spot] = found.number
        self.tell(at, f"{found.number}: {found.spot} ends: {end}{f', but {found.flaw}' if found.flaw else ''}")

    def look(self, spot: Spot) -> Read:
        """What somebody reads who reads a spot now; what its Dag has skipped since isn't read."""
        return Read(spot, None if spot in self.void else self.held.get(spot), spot in self.writing)

    def skip(self, spot: Spot, at: float) -> None:
        """A Dag passes a task over: whoever comes after it this time takes nothing from it."""
        self.void.add(spot)
        self.tell(at, f"{spot} is skipped")

    def tell(self, at: float, what: str) -> None:
        """Add a line for the person who has to find out what happened."""
        self.lines.append((at, what))

    def word(self, read: Read) -> str:
        """A read in a word."""
        return f"{read.spot}={read.written_by}" + (" (moving)" if read.moving else "")

    def text(self) -> Iterator[str]:
        """The whole story."""
        yield from (f"{at:8.0f}  {what}" for at, what in self.lines)
