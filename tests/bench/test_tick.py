"""What a tick costs in which nothing has happened: what is in flight, whatever there is. `make bench`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.conductor.tick import Conductor
from tests.airflow3 import database as databases
from tests.bench import reruns
from tests.bench.conftest import written
from tests.bench.history import LargeHistory, Shape

SHAPES = {
    100: Shape("hundred", dags=11, runs=10, tasks=10, width=10),
    1_000: Shape("thousand", dags=51, runs=20, tasks=10, width=50),
    10_000: Shape("many", dags=101, runs=100, tasks=10, width=100),
}
IN_FLIGHT = 32
MAX_STATEMENTS = 3
MAX_ROWS = 100
MAX_RATIO = 1.5
ROUNDS, TICKS = 5, 10


@pytest.fixture(scope="module")
def sizes(database: databases.Database) -> dict[int, tuple[LargeHistory, int]]:
    """Reruns by their number of members, each with its history; as many as may be are in flight, the rest is ready."""
    found = {}
    for size, shape in SHAPES.items():
        history = written(database, shape)
        assert history.runs == size
        found[size] = (history, reruns.store(history))
    return found


@pytest.fixture(scope="module")
def conductor(sizes: dict[int, tuple[LargeHistory, int]]) -> Iterator[Conductor]:
    """A conductor that has dispatched what it may of each."""
    made = wiring.conductor()
    for history, rerun in sizes.values():
        reruns.leave_active(history, [rerun])
        while made.tick().steps:
            pass
    yield made
    made.resign()


def seconds(conductor: Conductor) -> float:
    """The least processor time of some ticks, in this process."""
    found = []
    for _ in range(TICKS):
        began = time.process_time()
        report = conductor.tick()
        found.append(time.process_time() - began)
        assert (report.active, report.steps) == (1, 0)
    return min(found)


def test_an_idle_tick_costs_what_is_in_flight(
    benchmark: Any, conductor: Conductor, sizes: dict[int, tuple[LargeHistory, int]]
) -> None:
    cpu: dict[int, list[float]] = {size: [] for size in sizes}
    counts = {}
    for _ in range(ROUNDS):
        for size, (history, rerun) in sizes.items():
            reruns.leave_active(history, [rerun])
            conductor.tick()
            cpu[size].append(seconds(conductor))
            with history.database.counted() as statements:
                conductor.tick()
            counts[size] = (len(statements), statements.rows)
    best = {size: min(each) for size, each in cpu.items()}
    ratio = best[10_000] / best[100]
    for size in sizes:
        print(
            f"\nidle tick, {size} members, {IN_FLIGHT} in flight: {counts[size]} statements and rows, "
            f"{best[size] * 1000:.1f} ms"
        )
    print(f"10,000 members take {ratio:.2f} x the processor time of 100")
    benchmark.extra_info.update(counts=counts, cpu=best, ratio=ratio)
    with wiring.unit_of_work()() as work:
        (active,) = work.store.active()
    assert (len(active.in_flight), len(active.ready)) == (IN_FLIGHT, 10_000 - IN_FLIGHT)
    for found in counts.values():
        assert found[0] <= MAX_STATEMENTS, statements.texts
        assert found[1] <= MAX_ROWS
    assert ratio <= MAX_RATIO
    benchmark.pedantic(conductor.tick, rounds=5)
