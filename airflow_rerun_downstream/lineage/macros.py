"""The names, filters and methods that a date in a Dag author's text may use, and nothing that could cost much."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from dateutil.relativedelta import relativedelta

from airflow_rerun_downstream.domain.sentence import Param, Sentence

MAX_FORMAT = 100
DIRECTIVES = re.compile(r"(?:[^%]|%-?[A-Za-z]|%%)*")
"""The formats of dates that are taken: no directive with a width."""

Value = Any
"""One of `PLAIN`, or a namespace, whose fields alone are values."""


class CannotRender(Exception):
    """The template needs what only a running task has, or isn't a date; ``why`` says which, without a full stop."""

    def __init__(self, why: Sentence) -> None:
        super().__init__(why)
        self.why = why


def of_error(error: Exception) -> Sentence:
    """What went wrong, without a full stop: a sentence goes on after it."""
    return Sentence("template.error", said=f"{type(error).__name__}: {str(error)[:MAX_FORMAT]}".rstrip("."))


def not_reckoned(code: str, **params: Param) -> CannotRender:
    """Something that a running task could do, and that isn't done here; the code is one of the templates' texts."""
    return CannotRender(Sentence("template.more_than_reckoned", what=Sentence(code, **params)))


class Given:
    """Values that a run was given by their names, in a dict: its params, or its configuration."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values

    def __bool__(self) -> bool:
        return bool(self.values)

    def __eq__(self, other: object) -> bool:
        raise not_reckoned("template.comparison_of_all")

    __hash__ = None  # type: ignore[assignment]

    def under(self, name: Any) -> Value:
        """``given[name]``: as a rule an undefined name ends the task."""
        if name not in self.values:
            raise CannotRender(Sentence("template.not_given", name=repr(str(name)[:MAX_FORMAT])))
        return self.values[name]

    def attribute(self, name: str) -> Value:
        """``given.name``, where a dict's own attributes come first."""
        if hasattr(dict, name):
            raise not_reckoned("template.attribute", name=repr(name))
        return self.under(name)

    def get(self, name: Any, default: Value = None) -> Value:
        """``given.get(name)``."""
        return self.values.get(name, default)


def strftime(moment: date, form: str) -> str:
    """A date in a format, without the widths that C takes."""
    return moment.strftime(format_of(form))


def strptime(text: str, form: str) -> datetime:
    """The other way round."""
    return datetime.strptime(str(text), format_of(form))  # noqa: DTZ007


def formatted(moment: Any, form: str) -> str:
    """A date in one of pendulum's formats."""
    return str(moment.format(str(form)[:MAX_FORMAT]))


def format_of(form: str) -> str:
    """A format that costs little."""
    if len(form) > MAX_FORMAT or DIRECTIVES.fullmatch(form) is None:
        raise not_reckoned("template.format")
    return form


def ds(moment: date) -> str:
    """The day, as in Airflow's ``ds``."""
    return moment.strftime("%Y-%m-%d")


def ts(moment: date) -> str:
    """The moment, as in Airflow's ``ts``."""
    return moment.isoformat()


def ds_add(day: str, days: int) -> str:
    """Airflow's macro of that name."""
    return ds(datetime.fromisoformat(day) + timedelta(days=days))


def ds_format(day: str, input_format: str, output_format: str) -> str:
    """Airflow's macro of that name."""
    return strftime(strptime(day, input_format), output_format)


def calendar_delta(**units: float) -> relativedelta:
    """A relativedelta of units; between two dates it would have to look for one."""
    return relativedelta(**units)  # type: ignore[arg-type]


MACROS = SimpleNamespace(
    datetime=SimpleNamespace(strptime=strptime, fromisoformat=datetime.fromisoformat, __call__=datetime),
    timedelta=timedelta,
    ds_add=ds_add,
    ds_format=ds_format,
    dateutil=SimpleNamespace(relativedelta=SimpleNamespace(relativedelta=calendar_delta)),
)

FILTERS: Mapping[str, Callable[..., Value]] = {
    "ds": ds,
    "ds_nodash": lambda moment: ds(moment).replace("-", ""),
    "ts": ts,
    "ts_nodash": lambda moment: moment.strftime("%Y%m%dT%H%M%S"),
    "ts_nodash_with_tz": lambda moment: ts(moment).replace("-", "").replace(":", ""),
    "string": str,
    "int": int,
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
    "replace": lambda text, old, new: text.replace(old, new),
}

FIELDS: tuple[tuple[type, frozenset[str]], ...] = (
    (
        date,
        frozenset(["year", "month", "day", "day_of_week", "day_of_year", "week_of_year", "quarter", "days_in_month"]),
    ),
    (datetime, frozenset(["hour", "minute", "second", "microsecond", "int_timestamp", "tzinfo"])),
    (timedelta, frozenset(["days", "seconds", "microseconds"])),
)
METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (
        date,
        frozenset(
            [
                "isoformat",
                "add",
                "subtract",
                "replace",
                "start_of",
                "end_of",
                "first_of",
                "last_of",
                "weekday",
                "isoweekday",
            ]
        ),
    ),
    (date, frozenset(["to_date_string"])),
    (
        datetime,
        frozenset(
            ["date", "time", "timestamp", "in_timezone", "in_tz", "naive", "to_time_string", "to_datetime_string"]
        ),
    ),
    (datetime, frozenset(["to_iso8601_string"])),
    (timedelta, frozenset({"total_seconds"})),
    (str, frozenset(["replace", "lower", "upper", "strip", "lstrip", "rstrip", "startswith", "endswith"])),
)
OWN_METHODS: Mapping[str, Callable[..., Value]] = {"strftime": strftime, "format": formatted}
