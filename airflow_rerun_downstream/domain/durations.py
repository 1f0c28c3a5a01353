"""How long the same tasks have taken in earlier runs of a Dag, and what that says of the next time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from math import sqrt
from random import Random
from statistics import fmean, variance

Kind = tuple[str, frozenset[str]]
"""A Dag, and tasks of it: those of a member, or of one of its stages."""

MOST = 10
"""How many earlier runs count, the latest ones."""

ENOUGH = 3
"""From so many on, runs tell how much they differ; and those that were cleared stand for all."""

TRIMMED = 5
"""From so many on, the shortest and the longest are left out of what is usual."""

STUCK_AFTER = 2.0
"""How many times the longest known time a run may take before nothing is foretold of it any more."""

BETWEEN = 0.4
"""How far from a known time one is drawn, as a part of what they differ by."""

NOTICED = 30.0
"""Seconds for which a run may wait to be started and to be seen to have ended before it counts as longer than ever."""


@dataclass(frozen=True)
class Past:
    """How long some tasks of a Dag have taken, in seconds, shortest first; at least one time.

    ``whole``: from the dispatch to the end of the member, as this rerun has seen it. Otherwise from the first task's
    start to the last one's end.
    """

    seconds: tuple[float, ...]
    whole: bool = False

    @cached_property
    def usual(self) -> float:
        """What to expect. One run that hung doesn't change it."""
        return fmean(self.seconds[1:-1] if len(self.seconds) >= TRIMMED else self.seconds)

    @property
    def longest(self) -> float:
        """The longest time."""
        return self.seconds[-1]

    @cached_property
    def spread(self) -> float | None:
        """How far a time is off, as a standard deviation; None: too few are known."""
        return sqrt(variance(self.seconds)) if len(self.seconds) >= ENOUGH else None

    @property
    def stuck_after(self) -> float:
        """How long one may last before the past says nothing of its end any more."""
        return STUCK_AFTER * self.longest + NOTICED

    def overdue(self, elapsed: float) -> bool:
        """Whether one that has lasted so many seconds has lasted longer than ever."""
        return elapsed > self.longest + NOTICED

    def much_overdue(self, elapsed: float) -> bool:
        """Whether it has lasted so long that the past says nothing of its end any more."""
        return elapsed > self.stuck_after

    def left(self, elapsed: float) -> float:
        """What to expect of one that has lasted ``elapsed`` seconds: as those that had lasted longer than that did.

        Of one that has lasted longer than all of them: as much again as they differ, and never nothing.
        """
        longer = self.seconds[bisect_right(self.seconds, elapsed) :]
        if len(longer) == len(self.seconds):
            return max(self.usual - elapsed, 0.0)
        if longer:
            return fmean(longer) - elapsed
        return max(self.spread or 0.0, elapsed / 10)

    def drawn_anew(self, chance: Random) -> Past:
        """What might be known as well, had other runs been seen: for it is only so well known what is usual."""
        return replace(self, seconds=tuple(sorted(chance.choices(self.seconds, k=len(self.seconds)))))

    def draw(self, chance: Random, elapsed: float = 0.0) -> float:
        """How many seconds one may have left that has lasted ``elapsed`` already, drawn from these times.

        Somewhat apart from them, too: so few never show how far times may differ.
        """
        longer = self.seconds[bisect_right(self.seconds, elapsed) :]
        if not longer:
            return chance.expovariate(1 / max(self.left(elapsed), 1e-3))
        found = chance.choice(longer)
        if self.spread is not None:
            found += chance.gauss(0.0, BETWEEN * self.spread)
        return max(found - elapsed, 0.0)


def past_of(seconds: Iterable[float], *, whole: bool = False) -> Past | None:
    """The times as a past; None: there are none."""
    found = tuple(sorted(seconds))
    return Past(found, whole) if found else None


@dataclass(frozen=True, slots=True)
class TaskSpan:
    """The tries of a task in a run, of all its indexes together, with nobody clearing it in between.

    ``clears`` is higher for later ones. ``done``: each index ended in success, or was skipped. ``start`` None: nothing
    of it ran. ``waits``: a sensor, that only waits. ``present``: it has the task's present try.
    """

    task_id: str
    clears: int
    start: datetime | None
    end: datetime | None
    done: bool
    waits: bool = False
    present: bool = True


@dataclass(frozen=True)
class PastRun:
    """A run that has ended. ``began``: when it was last started; ``cleared``: more than once."""

    began: datetime | None
    cleared: bool
    spans: tuple[TaskSpan, ...]


def times(runs: Sequence[PastRun], tasks: frozenset[str]) -> tuple[float, ...]:
    """How long the tasks took in each of the runs, latest run first, at most `MOST` times.

    Where enough of the runs have run the tasks once more after a clear, only these count: that is what a rerun does. In
    a run that waited for the ones before it the first time, they took longer then.
    """
    first, again = list[float](), list[float]()
    for run in runs:
        spans = [span for span in run.spans if span.task_id in tasks]
        known = time_of(originally(spans), tasks)
        first += [] if known is None else [known]
        known = time_of(lately(run, spans), tasks) if run.cleared else None
        again += [] if known is None else [known]
    return tuple((again if len(again) >= ENOUGH else [*again, *first])[:MOST])


def originally(spans: Collection[TaskSpan]) -> list[TaskSpan]:
    """The spans before anybody cleared their tasks. What failed before the present try, Airflow has tried again."""
    lowest: dict[str, int] = {}
    for span in spans:
        lowest[span.task_id] = min(span.clears, lowest.get(span.task_id, span.clears))
    first = [span for span in spans if span.clears == lowest[span.task_id]]
    there = {span.task_id for span in first if span.present}
    return [span if span.present or span.task_id not in there else replace(span, done=True) for span in first]


def lately(run: PastRun, spans: Iterable[TaskSpan]) -> list[TaskSpan]:
    """The present spans, where they all began since the run was last started; otherwise none."""
    present = [span for span in spans if span.present]
    began = run.began
    if began is None or any(span.start is None or span.start < began for span in present):
        return []
    return present


def time_of(spans: Collection[TaskSpan], tasks: frozenset[str]) -> float | None:
    """From the first start to the last end, without the time in which only sensors were on.

    None: a task isn't among them, or hasn't succeeded.
    """
    if not all(span.done for span in spans) or {span.task_id for span in spans} != tasks:
        return None
    every = list(intervals(spans))
    if not every:
        return None
    working = covered(intervals(span for span in spans if not span.waits))
    lasted = (max(end for _, end in every) - min(start for start, _ in every)).total_seconds()
    return max(lasted - (covered(every) - working), 0.0)


def intervals(spans: Iterable[TaskSpan]) -> Iterator[tuple[datetime, datetime]]:
    """When spans began and ended, of those that ran."""
    for span in spans:
        if span.start is not None and span.end is not None:
            yield span.start, max(span.start, span.end)


def covered(some: Iterable[tuple[datetime, datetime]]) -> float:
    """The seconds that lie in any of some intervals."""
    total, until = 0.0, None
    for start, end in sorted(some):
        since = start if until is None else max(start, until)
        if end > since:
            total += (end - since).total_seconds()
        until = end if until is None else max(until, end)
    return total
