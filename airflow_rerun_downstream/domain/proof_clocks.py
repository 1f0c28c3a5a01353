"""What the times in Airflow's rows tell: workers write them, each by its own clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from airflow_rerun_downstream.domain.facts import UNFINISHED_TASK_STATES
from airflow_rerun_downstream.domain.proof import Try

APART = timedelta(seconds=30)
"""How far the clocks of two hosts may be apart."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a host's clock had it; ``host`` None: nobody knows whose clock."""

    at: datetime
    host: str | None


def begin(one: Try) -> Moment | None:
    """When a try began."""
    return None if one.start is None else Moment(one.start, one.host)


def end(one: Try) -> Moment | None:
    """When a try ended."""
    return None if one.end is None else Moment(one.end, one.host)


def time_of(moment: Moment | None) -> datetime | None:
    """The time of a moment that may not be known."""
    return None if moment is None else moment.at


def comes_after(second: Moment | None, first: Moment | None) -> bool | None:
    """Whether a moment is another one, or later; None: the clocks don't tell."""
    if second is None or first is None:
        return None
    apart = second.at - first.at
    if (first.host is None or first.host != second.host) and abs(apart) < APART:
        return None
    return apart >= timedelta(0)


def read_after(read: Moment | None, writes: Iterable[Try]) -> bool | None:
    """Whether a read found what one of ``writes`` had made, all of a task instance's tries in a rerun, oldest first.

    It came after the first of them that succeeded had ended, and not while a later one was on its way.
    """
    tries = list(writes)
    first = next((one for one in tries if one.state == "success"), None)
    if first is None:
        return None
    found = comes_after(read, end(first))
    return found if found is not True else read_between(read, tries[tries.index(first) + 1 :])


def read_between(read: Moment | None, writes: Iterable[Try]) -> bool | None:
    """Whether none of ``writes`` was on its way at a read, all of them tries of a task instance, oldest first."""
    worst: bool | None = True
    tries = list(writes)
    for one, later in zip_longest(tries, tries[1:]):
        began, ended = comes_after(read, begin(one)), over(read, one, later)
        if began and ended is False:
            return False
        if began is not False and ended is not True:
            worst = None
    return worst


def over(read: Moment | None, one: Try, later: Try | None) -> bool | None:
    """Whether a try was over at a moment. Of one that was cut off Airflow writes no end: it is over when the next
    begins; of the last nobody knows.
    """
    if one.end is not None:
        return comes_after(read, end(one))
    if later is not None:
        return comes_after(read, begin(later))
    return False if one.state is None or one.state in UNFINISHED_TASK_STATES else None
