"""What a `Gateway` answers of a run has another fingerprint whenever it is another answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_rerun_downstream.domain.refs import RunRef
from tests.contracts.stages import DAY, GONE, NOW, START, Shape, Stage

NOON = START + DAY / 2

CHANGES: dict[str, Callable[[Stage, RunRef], None]] = {
    "a task starts": lambda airflow, ref: airflow.put(ref, "t", "running", at=NOON),
    "a task succeeds again": lambda airflow, ref: airflow.put(ref, "t", "success", at=NOON),
    "a task fails": lambda airflow, ref: airflow.put(ref, "u", "failed", at=NOON),
    "a person clears a task": lambda airflow, ref: airflow.clear(ref, "u"),
    "a rerun dispatches it": lambda airflow, ref: airflow.rerun(ref, "t", "u"),
    "it loses its tasks": lambda airflow, ref: airflow.drop_tasks(ref),
    "it is deleted": lambda airflow, ref: airflow.delete(ref),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_run_changes_its_fingerprint_alone(airflow: Stage, change: str) -> None:
    airflow.dag(Shape("d", "t >> u"))
    ref, other = airflow.run("d"), airflow.run("d", day=1)
    refs = [ref, other, GONE]
    seen, prints = airflow.gateway.observe(refs), airflow.gateway.fingerprints(refs)
    assert airflow.gateway.fingerprints(refs) == prints
    CHANGES[change](airflow, ref)
    now, after = airflow.gateway.observe(refs), airflow.gateway.fingerprints(refs)
    assert now[ref] != seen[ref]
    assert after[ref] != prints[ref]
    assert [after[one] == prints[one] for one in (other, GONE)] == [True, True]


def test_two_tasks_that_change_places_change_it(airflow: Stage) -> None:
    airflow.dag(Shape("d", "t; u"))
    ref = airflow.run("d", state="running", states={"t": "success", "u": "failed"})
    before = airflow.gateway.fingerprints([ref])
    airflow.put(ref, "t", "failed", at=NOON)
    airflow.put(ref, "u", "success", at=NOW)
    assert airflow.gateway.fingerprints([ref]) != before


def test_why_a_queued_run_waits_is_in_it(airflow: Stage) -> None:
    airflow.dag(Shape("d"))
    ref = airflow.run("d", state="queued", states={"t": None})
    before = airflow.gateway.fingerprints([ref])
    airflow.pause("d")
    assert airflow.gateway.fingerprints([ref]) != before
