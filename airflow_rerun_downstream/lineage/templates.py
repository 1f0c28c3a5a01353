"""Rendering dates and names without a running task, with what a run itself knows; and what a template may spell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace

import pendulum

from airflow_rerun_downstream.domain.definitions import MAX_LENGTH, MarkerDefinition
from airflow_rerun_downstream.domain.facts import RunConf, RunFacts
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.values import Params
from airflow_rerun_downstream.lineage.expressions import evaluated, names_in
from airflow_rerun_downstream.lineage.macros import FILTERS, MACROS, CannotRender, Given, ds, of_error, ts

DATE = re.compile(r"\d{4}")
"""How a date begins. Pendulum takes a time of day for one of today, and more."""

MAX_DATE = 64
"""Longest text that is read as a date."""


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
            "ts": ts(date),
            **{name: FILTERS[name](date) for name in ("ds_nodash", "ts_nodash", "ts_nodash_with_tz")},
        }
    if run.data_interval_start and run.data_interval_end:
        names["data_interval_start"] = pendulum.instance(run.data_interval_start)
        names["data_interval_end"] = pendulum.instance(run.data_interval_end)
    return names


KNOWN = frozenset(
    {
        *("macros", "run_id", "dag_run", "params", "logical_date", "ds", "ts"),
        *("ds_nodash", "ts_nodash", "ts_nodash_with_tz", "data_interval_start", "data_interval_end"),
    }
)
"""The names that a template of an id may use; some of them only in runs that have dates."""


def may_be_reckoned(*texts: str) -> bool:
    """Whether templates use no other names than a run may know by itself."""
    return all((names := names_in(text)) is not None and names <= KNOWN for text in texts if is_template(text))


def with_params(run: RunFacts, params: Params, conf: RunConf) -> dict[str, object]:
    """`context`, with a task's params and the run's configuration, as far as that can be read.

    Airflow lets the configuration take the place of params, unless it is told not to.
    """
    names = context(run)
    if conf.values is not None:
        overriding = conf.values if conf.overrides_params else {}
        names["params"] = Given({**dict(params), **overriding})
        names["dag_run"] = SimpleNamespace(**vars(names["dag_run"]), conf=Given(conf.values))
    elif not conf.overrides_params:
        names["params"] = Given(dict(params))
    return names


def reckoned(texts: Iterable[str], run: RunFacts, params: Params | None, conf: RunConf) -> list[str] | None:
    """What names came to in a run of which nobody has kept it; None: that can't be told of all of them."""
    if params is None:
        return None
    names = with_params(run, params, conf)
    try:
        return [rendered_in(text, names) for text in texts]
    except CannotRender:
        return None


def rendered_in(text: str, names: Mapping[str, object]) -> str:
    """A text filled in from a context. Raises `CannotRender`."""
    return evaluated(text, names) if is_template(text) else text


def is_template(text: str) -> bool:
    """Whether a text is to be filled in."""
    return "{{" in text or "{%" in text


def rendered(text: str, run: RunFacts) -> str:
    """A text filled in for a run. Raises `CannotRender`."""
    return rendered_in(text, context(run))


def rendered_date(marker: MarkerDefinition, run: RunFacts) -> datetime:
    """The logical date that a marker names in a run, aware. Raises `CannotRender`."""
    text = rendered(marker.logical_date, run)
    if len(text) > MAX_DATE or DATE.match(text) is None:
        raise CannotRender(Sentence("template.not_a_date", text=repr(text[:MAX_DATE])))
    try:
        found = pendulum.parse(text, tz="UTC")
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise CannotRender(of_error(error)) from error
    if not isinstance(found, datetime):
        raise CannotRender(Sentence("template.not_a_date", text=repr(text)))
    return found


def names_any(name: str) -> bool:
    """Whether a name is a template that may mean any Dag: such a sensor would hang on everything."""
    return is_template(name) and not any(literal_parts(name) or ("",))


def may_name(text: str | None, dag_id: str) -> bool:
    """Whether a Dag's name, or a template of one, may stand for a Dag."""
    if text is None or not is_template(text):
        return text == dag_id
    parts = literal_parts(text) if len(text) <= MAX_LENGTH else None
    if parts is None:
        return True
    first, *middle, last = parts
    if len(first) + len(last) > len(dag_id) or not (dag_id.startswith(first) and dag_id.endswith(last)):
        return False
    # The leftmost place for each part leaves the most room for those after it: nothing has to be tried again.
    place, end = len(first), len(dag_id) - len(last)
    for part in middle:
        place = dag_id.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


@lru_cache(maxsize=1024)
def literal_parts(text: str) -> tuple[str, ...] | None:
    """What stands before, between and after the expressions of a template; None: a statement decides."""
    if "{%" in text:
        return None
    parts, place = [], 0
    while (start := text.find("{{", place)) >= 0 and (end := text.find("}}", start + 2)) >= 0:
        parts.append(text[place:start])
        place = end + 2
    return (*parts, text[place:])
