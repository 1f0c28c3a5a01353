"""A rerun's span: its ids hang on the record alone, and it is linked to what it made anew, within bounds."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.telemetry import spans
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from tests.airflow3 import scene
from tests.airflow3.conducting import Conducted
from tests.airflow3.database import Database
from tests.conductor.test_conductor import submit
from tests.fakes.house import House

ROOT = Path(__file__).resolve().parents[3]
CREATED = datetime(2026, 11, 30, 2, 14, 7, 123_456, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def ended() -> Rerun:
    """A rerun that has ended."""
    house = House()
    rerun = house.store.get(submit(house, house.world.run("a")))
    later = CREATED + timedelta(hours=3)
    counts = {MemberState.SUCCEEDED: 3, MemberState.SKIPPED: 1, MemberState.FAILED: 0}
    return replace(
        rerun, id=7, created_at=CREATED, ended_at=later, state=RerunState.SUCCEEDED, counts=counts, name="tonight"
    )


def test_the_ids_hang_on_the_record_alone(ended: Rerun) -> None:
    assert 0 < spans.trace_id(ended) < 2**128
    assert 0 < spans.span_id(ended) < 2**64
    again = replace(ended, state=RerunState.FAILED, counts={}, created_at=CREATED.astimezone())
    assert (spans.trace_id(again), spans.span_id(again)) == (spans.trace_id(ended), spans.span_id(ended))
    later = replace(ended, ended_at=CREATED + timedelta(hours=4))
    assert spans.trace_id(later) == spans.trace_id(ended)
    assert spans.span_id(later) != spans.span_id(ended)
    assert spans.trace_id(replace(ended, id=8)) != spans.trace_id(ended)
    assert spans.trace_id(replace(ended, created_at=CREATED + timedelta(seconds=1))) != spans.trace_id(ended)


def test_times_are_exact() -> None:
    assert spans.nanoseconds(CREATED) == int(CREATED.timestamp()) * 10**9 + 123_456_000


def test_what_it_says(ended: Rerun) -> None:
    told = spans.attributes(ended, ["x"] * (spans.MAX_LINKS + 1))
    assert told == {
        "rerun_downstream.id": 7,
        "rerun_downstream.state": "succeeded",
        "rerun_downstream.source.dag_id": "a",
        "rerun_downstream.source.run_id": ended.source.run_id,
        "rerun_downstream.created_by": "ada",
        "rerun_downstream.name": "tonight",
        "rerun_downstream.members": 4,
        "rerun_downstream.members.succeeded": 3,
        "rerun_downstream.members.skipped": 1,
        "rerun_downstream.more_task_instances": True,
    }
    page = (ROOT / "docs" / "metrics.md").read_text()
    assert {name for name in told if name != "rerun_downstream.members.skipped"} <= set(re.findall(r"`(.+?)`", page))


def test_links_are_made_of_contexts_and_of_nothing_else() -> None:
    good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    found = list(spans.links([good, "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"]))
    assert [f"{link.context.trace_id:032x}" for link in found] == ["0af7651916cd43dd8448eb211c80319c"]


@pytest.fixture
def conducted(database: Database) -> Conducted:
    return Conducted(database)


def context(number: int) -> dict[str, str]:
    return {"traceparent": f"00-{1:032x}-{number + 1:016x}-01"}


def test_what_it_is_linked_to_is_one_statement_and_bounded(
    conducted: Conducted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the rerun has cleared and what has run since counts."""
    monkeypatch.setattr(spans, "MAX_LINKS", 4)
    conducted.save(*(wide(dag_id) for dag_id in ("one", "two", "other")))
    one, two, other = (
        conducted.run(dag_id, states=dict.fromkeys(TASKS, "success")) for dag_id in ("one", "two", "other")
    )
    conducted.submit({one: (), two: (one,)})
    conducted.tick()
    conducted.finish(one)
    conducted.tick()
    for ref in (one, two, other):
        with conducted.database.session() as session:
            for number, (_, ti) in enumerate(sorted(scene.instances(ref, session=session).items(), key=first)):
                ti.context_carrier = context(number) if number else {}
            scene.run_of(ref, session=session).context_carrier = {} if ref == one else context(9)
            session.commit()
    with conducted.database.counted() as statements, conducted.database.session() as session:
        found = spans.carriers(session, conducted.id)
    assert len(statements) == 1
    assert found == [context(number)["traceparent"] for number in (1, 2)], "two hasn't run, other isn't in it"
    conducted.finish(two)
    with conducted.database.session() as session:
        found = spans.carriers(session, conducted.id)
    assert found == [context(number)["traceparent"] for number in (1, 2, 9)], "a run stands for what has no trace"


TASKS = ("a", "b", "c")
first = itemgetter(0)


def wide(dag_id: str) -> Any:
    """A Dag of three tasks."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG(dag_id, schedule=None, start_date=scene.START) as made:
        for task_id in TASKS:
            EmptyOperator(task_id=task_id)
    return made


def test_nothing_of_opentelemetrys_exporters_is_imported_where_tracing_is_off() -> None:
    code = (
        "import sys; from airflow_rerun_downstream.airflow3.telemetry import spans; before = set(sys.modules);"
        "from airflow_rerun_downstream.airflow3.telemetry.airflow_telemetry import serving; made = serving();"
        "assert not made.traces and made.metrics is None;"
        "print([name for name in set(sys.modules) - before if name.startswith('opentelemetry')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip().splitlines()[-1] == "[]"
