"""How far back a sensor looks, turned round: from the date that it waited for to the dates of the runs that did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta


def consumer_date(logical_date: datetime | None, offset: float | Mapping[str, float]) -> datetime | None:
    """The date that is ``offset`` after a logical date; None where the calendar has none."""
    if logical_date is None:
        return None
    try:
        return logical_date + duration(offset)
    except (OverflowError, TypeError, ValueError):
        return None


CALENDAR = ("years", "months")
LONGEST_MONTH, SHORTEST_MONTH = 31, 28


def consumer_dates(logical_date: datetime | None, offset: float | Mapping[str, float]) -> list[datetime]:
    """The dates from which a sensor that looks ``offset`` back finds ``logical_date``.

    A month before the 28th, 29th, 30th and 31st of March is the 28th of February; no date is a month after the
    31st of January. Looking back moves the calendar first and then the clock, so the clock is turned here first.
    """
    if not isinstance(offset, Mapping):
        date = consumer_date(logical_date, offset)
        return [] if date is None else [date]
    clock = {unit: number for unit, number in offset.items() if unit not in CALENDAR}
    calendar = {unit: number for unit, number in offset.items() if unit in CALENDAR}
    first = consumer_date(consumer_date(logical_date, clock), calendar)
    if first is None:
        return []
    days = [consumer_date(first, days * 86_400.0) for days in range(LONGEST_MONTH - SHORTEST_MONTH + 1)]
    back = {unit: -number for unit, number in offset.items()}
    return [date for date in days if date is not None and consumer_date(date, back) == logical_date]


def duration(offset: float | Mapping[str, float]) -> timedelta | relativedelta:
    """An offset as dates can be moved by it."""
    if not isinstance(offset, Mapping):
        return timedelta(seconds=offset)
    whole = {unit: int(number) if unit in CALENDAR else number for unit, number in offset.items()}
    return relativedelta(**whole)  # type: ignore[arg-type]


def readable_offset(offset: float | Mapping[str, float]) -> str | dict[str, float]:
    """An offset as a person reads it."""
    return dict(offset) if isinstance(offset, Mapping) else str(timedelta(seconds=offset))
