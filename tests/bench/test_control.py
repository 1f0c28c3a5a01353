"""What it takes to terminate and to resume a rerun of ten thousand members, and whom that delays. `make bench`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.conductor.tick import Conductor
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from tests.airflow3 import database as databases
from tests.bench import reruns
from tests.bench.conftest import written
from tests.bench.history import LargeHistory, Shape
from tests.bench.reruns import ADA

LARGE = Shape("control", dags=101, runs=100, tasks=1, width=100)
OTHER = Shape("other", dags=2, runs=1, tasks=1, width=1)
MEMBERS = 10_001
MAX_STATEMENTS = 30
MAX_POLLS = 2


@pytest.fixture(scope="module")
def histories(database: databases.Database) -> tuple[LargeHistory, LargeHistory]:
    """Ten thousand runs, and one of another rerun."""
    return written(database, LARGE), written(database, OTHER)


@pytest.fixture
def conductor() -> Iterator[Conductor]:
    made = wiring.conductor()
    # On a busy machine a look at ten thousand new members may outlast the lease.
    made.settings = replace(made.settings, poll_interval=timedelta(seconds=60))
    made.performer.lasts = made.lease_lasts
    yield made
    made.resign()


def counts(rerun: int) -> dict[MemberState, int]:
    found = wiring.service(wiring.everything_allowed).rerun(ADA, rerun).rerun.counts
    return {state: count for state, count in found.items() if count}


def test_ten_thousand_pending_members_are_terminated_in_a_few_statements(
    benchmark: Any, histories: tuple[LargeHistory, LargeHistory], conductor: Conductor
) -> None:
    large, _ = histories
    service = wiring.service(wiring.everything_allowed)
    rerun = reruns.store(large)
    reruns.leave_active(large, [rerun])
    service.pause(ADA, rerun)
    conductor.tick()
    with large.database.counted() as statements:
        service.terminate(ADA, rerun)
        conductor.tick()
    assert service.rerun(ADA, rerun).rerun.state is RerunState.TERMINATED
    assert counts(rerun) == {MemberState.SKIPPED: 1, MemberState.TERMINATED: MEMBERS - 1}
    print(f"\nterminate {MEMBERS - 1} pending members: {len(statements)} statements, {statements.rows} rows")
    benchmark.extra_info.update(statements=len(statements), rows=statements.rows)
    assert len(statements) <= MAX_STATEMENTS, statements.texts
    benchmark.pedantic(lambda: None, rounds=1)


def test_another_rerun_is_dispatched_meanwhile(
    benchmark: Any, histories: tuple[LargeHistory, LargeHistory], conductor: Conductor
) -> None:
    large, other = histories
    rerun = reruns.store(large)
    reruns.leave_active(large, [rerun])
    wiring.service(wiring.everything_allowed).pause(ADA, rerun)
    conductor.tick()
    wiring.service(wiring.everything_allowed).terminate(ADA, rerun)
    small = reruns.store(other)
    ticks, began = 0, time.monotonic()
    while MemberState.RUNNING not in counts(small):
        conductor.tick()
        ticks += 1
    seconds = time.monotonic() - began
    print(f"\nanother rerun is dispatched after {ticks} tick(s), {seconds:.1f} s")
    benchmark.extra_info.update(ticks=ticks, seconds=seconds)
    assert ticks <= MAX_POLLS
    reruns.end(large, rerun)
    reruns.end(other, small)
    benchmark.pedantic(lambda: None, rounds=1)


def test_ten_thousand_failed_members_are_resumed_in_a_few_statements(
    benchmark: Any, histories: tuple[LargeHistory, LargeHistory]
) -> None:
    large, _ = histories
    rerun = reruns.store(large)
    with large.database.engine.begin() as connection:
        for of, where in (("member", f"rerun_id = {rerun} and state = 'pending'"), ("rerun", f"id = {rerun}")):
            connection.execute(
                text(f"update rerun_downstream_{of} set state = 'failed', revision = revision + 1 where {where}")
            )
    with large.database.counted() as statements:
        wiring.service(wiring.everything_allowed).resume(ADA, rerun)
    print(f"\nresume {MEMBERS - 1} failed members: {len(statements)} statements, {statements.rows} rows")
    benchmark.extra_info.update(statements=len(statements), rows=statements.rows)
    assert counts(rerun) == {MemberState.SKIPPED: 1, MemberState.PENDING: MEMBERS - 1}
    assert len(statements) <= MAX_STATEMENTS, statements.texts
    reruns.end(large, rerun)
    benchmark.pedantic(lambda: None, rounds=1)
