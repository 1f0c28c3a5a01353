"""Rendering a marker's logical date without a running task: in Jinja's sandbox, with what a run itself knows."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from types import SimpleNamespace

import pendulum
from dateutil.relativedelta import relativedelta
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from airflow_rerun_downstream.domain.facts import MarkerDefinition, RunFacts


class CannotRender(Exception):
    """The template needs what only a running task has, or isn't a date; the message says which."""


def ds(date: datetime) -> str:
    """The day, as in Airflow's ``ds``."""
    return date.strftime("%Y-%m-%d")


def ts(date: datetime) -> str:
    """The moment, as in Airflow's ``ts``."""
    return date.isoformat()


def ds_add(day: str, days: int) -> str:
    """Airflow's macro of that name."""
    return ds(datetime.fromisoformat(day) + timedelta(days=days))


def ds_format(day: str, input_format: str, output_format: str) -> str:
    """Airflow's macro of that name."""
    return datetime.strptime(str(day), input_format).strftime(output_format)  # noqa: DTZ007


# Of dateutil only what names dates: a whole module would be a way out of the sandbox.
DATEUTIL = SimpleNamespace(relativedelta=SimpleNamespace(relativedelta=relativedelta))
MACROS = SimpleNamespace(datetime=datetime, timedelta=timedelta, ds_add=ds_add, ds_format=ds_format, dateutil=DATEUTIL)


@lru_cache(maxsize=1)
def environment() -> SandboxedEnvironment:
    """The sandbox, made once."""
    made = SandboxedEnvironment(undefined=StrictUndefined)
    made.filters.update(ds=ds, ts=ts, ds_nodash=lambda date: ds(date).replace("-", ""))
    return made


def context(run: RunFacts) -> dict[str, object]:
    """The part of a task's template context that a run alone decides."""
    date = pendulum.instance(run.logical_date) if run.logical_date else None
    names: dict[str, object] = {
        "macros": MACROS,
        "run_id": run.ref.run_id,
        "dag_run": SimpleNamespace(
            run_id=run.ref.run_id, run_after=pendulum.instance(run.run_after), logical_date=date
        ),
    }
    if date is not None:
        names |= {
            "logical_date": date,
            "ds": ds(date),
            "ds_nodash": ds(date).replace("-", ""),
            "ts": ts(date),
            "ts_nodash": date.strftime("%Y%m%dT%H%M%S"),
        }
    if run.data_interval_start and run.data_interval_end:
        names["data_interval_start"] = pendulum.instance(run.data_interval_start)
        names["data_interval_end"] = pendulum.instance(run.data_interval_end)
    return names


def is_template(text: str) -> bool:
    """Whether a text is to be filled in."""
    return "{{" in text or "{%" in text


def rendered(text: str, run: RunFacts) -> str:
    """A text filled in for a run. Raises `CannotRender`."""
    if not is_template(text):
        return text
    try:
        return environment().from_string(text).render(context(run))
    except Exception as error:  # the text is a Dag author's: it may divide by zero
        raise CannotRender(f"{type(error).__name__}: {error}") from error


def rendered_date(marker: MarkerDefinition, run: RunFacts) -> datetime:
    """The logical date that a marker names in a run, aware. Raises `CannotRender`."""
    text = rendered(marker.logical_date, run)
    try:
        found = pendulum.parse(text, tz="UTC")
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise CannotRender(f"{type(error).__name__}: {error}") from error
    if not isinstance(found, datetime):
        raise CannotRender(f"{text!r} is not a date")
    return found
