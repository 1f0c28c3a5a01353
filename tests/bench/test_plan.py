"""What a large plan costs: against bare reads of what it is made of, and in statements. `make bench`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.lineage_facts import emitted_assets
from airflow_rerun_downstream.domain.plan import Plan, PlanRequest
from airflow_rerun_downstream.domain.rerun_request import Actor
from tests.airflow3.database import Statements
from tests.bench.history import LargeHistory

ADA = Actor("1", "ada")
MAX_RATIO = 5.0
MAX_STATEMENTS = 30
MORE_PAIRS = 3
"""Statements that take ten thousand runs and have one more to ask for: they are sent twice."""

READS = (
    "select * from dag_run where dag_id like :dags",
    "select * from task_instance where dag_id like :dags",
    "select * from dagrun_asset_event join asset_event on id = event_id where source_dag_id like :dags",
)


def plan(history: LargeHistory) -> Plan:
    return wiring.service(wiring.everything_allowed).plan(ADA, PlanRequest(history.source))


def bare_reads(history: LargeHistory) -> int:
    """The floor: the rows of every run, task instance and link of the plan, as the driver gives them.

    Each table is read in one statement that knows all Dags beforehand, and nothing is done with the rows.
    """
    with history.database.session() as session:
        return sum(len(session.execute(text(each), history.names).all()) for each in READS)


def compared(one: Callable[[], Any], other: Callable[[], Any], rounds: int = 5) -> tuple[float, float]:
    """The least seconds that each of two things took. They take turns: the machine may be busy for a while."""
    seconds: list[list[float]] = [[], []]
    for _ in range(rounds):
        for place, what in enumerate((one, other)):
            began = time.perf_counter()
            what()
            seconds[place].append(time.perf_counter() - began)
    return min(seconds[0]), min(seconds[1])


def counted(history: LargeHistory) -> Statements:
    """The statements of a plan of everything, once its Dags are known: they are parsed once in a process.

    Once in a while a process looks at its own tables, too: the fewest of some plans count.
    """
    plan(history)
    several = []
    for _ in range(3):
        with history.database.counted() as statements:
            found = plan(history)
        several.append(statements)
    assert len(found.runs) == history.runs
    assert sum(len(run.task_instances) for run in found.runs) == history.runs * history.shape.tasks
    assert len(found.links) == history.runs
    return min(several, key=len)


def test_ten_thousand_runs_beside_a_million_events(benchmark: Any, large: LargeHistory) -> None:
    statements = counted(large)
    rows = bare_reads(large)
    assert rows == large.runs * (large.shape.tasks + 2) + large.shape.tasks + 1
    floor, took = compared(lambda: bare_reads(large), lambda: plan(large))
    ratio = took / floor
    emitted_assets.MEMORY.clear()
    _, first = compared(lambda: None, lambda: plan(large), rounds=1)
    benchmark.extra_info.update(statements=len(statements), bare_reads_s=floor, ratio=ratio, first_s=first)
    print(
        f"\nplan: {large.runs} runs, {len(statements)} statements, {took:.2f} s = {ratio:.1f} x bare reads of {rows} "
        f"rows ({floor:.2f} s); a process's first: {first:.2f} s"
    )
    assert ratio <= MAX_RATIO
    benchmark.pedantic(plan, args=(large,), rounds=3)


def test_statements_grow_neither_with_levels_nor_with_runs(
    benchmark: Any, small: LargeHistory, deep: LargeHistory, large: LargeHistory
) -> None:
    few, many, twice = len(counted(small)), len(counted(large)), len(counted(deep))
    print(f"\nstatements: {few} for 1,000 runs, {many} for 10,000, {twice} for 1,000 on 20 levels instead of 10")
    assert (small.shape.levels, large.shape.levels, deep.shape.levels) == (10, 10, 20)
    assert 0 <= many - few <= MORE_PAIRS
    assert twice == few <= MAX_STATEMENTS
    benchmark.pedantic(plan, args=(small,), rounds=3)
