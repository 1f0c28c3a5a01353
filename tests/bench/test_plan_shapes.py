"""What a plan costs on many Dags and on many levels: statements, and how many times its bare reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.airflow3 import database as databases
from tests.bench.conftest import written
from tests.bench.history import Shape
from tests.bench.test_plan import MAX_RATIO, bare_reads, compared, counted, plan

SHAPES = [
    Shape("broad", dags=51, runs=20, tasks=10, width=25),
    Shape("wide", dags=501, runs=2, tasks=10, width=500),
    Shape("tall", dags=301, runs=3, tasks=10, width=1),
]
"""A thousand runs each (nine hundred of the last): of 50 Dags on two levels, of 500 on one, of 300 on as many."""

MAX_STATEMENTS = 30


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_plan_of_a_thousand_runs(benchmark: Any, database: databases.Database, shape: Shape) -> None:
    history = written(database, shape)
    statements = counted(history)
    floor, took = compared(lambda: bare_reads(history), lambda: plan(history))
    ratio = took / floor
    benchmark.extra_info.update(statements=len(statements), bare_reads_s=floor, ratio=ratio)
    print(
        f"\nplan {shape.name}: {history.runs} runs, {shape.levels} levels, {len(statements)} statements, "
        f"{took:.3f} s = {ratio:.1f} x bare reads ({floor:.3f} s)"
    )
    assert len(statements) <= MAX_STATEMENTS, statements.texts
    assert ratio <= MAX_RATIO
    benchmark.pedantic(plan, args=(history,), rounds=3)
