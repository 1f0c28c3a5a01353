"""What hostile texts, records and bodies cost: processor time and memory, beside harmless ones of the same length."""

from __future__ import annotations

import gc
import json
import resource
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_rerun_downstream.airflow3.database.untrusted_values import Unreadable, linked_run, read_id, read_waited
from airflow_rerun_downstream.domain.definitions import MarkerDefinition
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage import expressions
from airflow_rerun_downstream.lineage.declarations import parse
from airflow_rerun_downstream.lineage.macros import CannotRender
from airflow_rerun_downstream.lineage.templates import literal_parts, may_name, rendered_date
from airflow_rerun_downstream.rest.problems import of_errors
from airflow_rerun_downstream.rest.requests import RerunBody
from tests.hostile import BODIES, DATE, NAMES, RUN, SOURCE, TEMPLATES, TRIGGERED, WAITS, wait

RATIO = 2.0
FLOOR = 0.01
"""Seconds below which nothing is compared: what costs so little harms nobody, and can't be measured."""

MORE_MEMORY = 50 * 1024
"""In kB, as the system counts it."""

DAY = datetime(2026, 1, 31, tzinfo=timezone.utc)
A_RUN = RunFacts(RunRef("a", "r"), "scheduled", "success", DAY, DAY, data_interval_start=DAY, data_interval_end=DAY)


def cost(work: Callable[[], object]) -> float:
    """Seconds of processor time, the best of five."""
    times = []
    for _ in range(5):
        gc.collect()
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def held(hostile: Callable[[], object], harmless: Callable[[], object]) -> None:
    """Assert that one costs no more than it may beside the other."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took, usual = cost(hostile), cost(harmless)
    assert took <= max(RATIO * usual, FLOOR), f"{took:.3f} s beside {usual:.3f} s"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MORE_MEMORY, f"{grown // 1024} MB more"


def date_of(text: str) -> str:
    """The date of a marker, or why there is none; nothing is remembered from the last time."""
    expressions.read.cache_clear()
    try:
        return str(rendered_date(MarkerDefinition("a", "mark", "b", "t", text), A_RUN))
    except CannotRender as problem:
        return str(problem)


def harmless_template(length: int) -> str:
    """A template of a length that a date may have."""
    text = "{{ (logical_date"
    while len(text) < min(length, 900) - 40:
        text += " + macros.timedelta(days=1)"
    text += ").isoformat() }}"
    return text + " " * (length - len(text))


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates(name: str) -> None:
    text = TEMPLATES[name]
    held(lambda: date_of(text), lambda: date_of(harmless_template(len(text))))


def named(text: str, dag_id: str) -> bool:
    """Whether a template may name a Dag; nothing is remembered from the last time."""
    literal_parts.cache_clear()
    return may_name(text, dag_id)


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    text, dag_id = NAMES[name]
    held(lambda: named(text, dag_id), lambda: named("a" * (len(text) - 7) + "{{ x }}", dag_id))


def read(text: str) -> object:
    """What is read of a sensor's record."""
    try:
        return read_waited(text)
    except Unreadable as problem:
        return str(problem)


@pytest.mark.parametrize("name", WAITS)
def test_records_of_sensors(name: str) -> None:
    text = json.dumps(WAITS[name])
    dates = [DATE] * max(1, (len(text) - 100) // 30)
    held(lambda: read(text), lambda: read(json.dumps(wait(dates=dates[:1_000]))))


@pytest.mark.parametrize("name", TRIGGERED)
def test_records_of_triggers(name: str) -> None:
    text = json.dumps(TRIGGERED[name])
    usual = json.dumps("/dags/a/runs/" + "r" * (len(text) - 15))
    held(lambda: (read_id(text), linked_run(text)), lambda: (read_id(usual), linked_run(usual)))


def asked(body: dict[str, Any]) -> object:
    """What becomes of the body of a submit."""
    try:
        return RerunBody.model_validate({**SOURCE, **body}).rerun_request()
    except ValidationError as error:
        return of_errors(error.errors(include_url=False))


@pytest.mark.parametrize("name", BODIES)
def test_bodies(name: str) -> None:
    body = BODIES[name]
    length = len(json.dumps(body))
    members = min(10_000, max(1, length // len(json.dumps(RUN))))
    held(lambda: asked(body), lambda: asked({"members": [RUN] * members}))


@pytest.mark.parametrize(
    "text",
    ["links: " + "[" * 5_000, "links: " + "{a: " * 5_000, "links:\n" + "".join(f"{' ' * n}- \n" for n in range(1_000))],
)
def test_files_of_declared_links(text: str) -> None:
    """Only those who run the deployment write it: it must be a problem of the file's, in a second or two."""
    assert cost(lambda: parse(text, "f")) < 2
    assert parse(text, "f").problems
