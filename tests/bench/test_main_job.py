"""What the main job costs, as ratios and counts within one run: `make bench`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.conductor import loop
from airflow_rerun_downstream.conductor.tick import Conductor
from airflow_rerun_downstream.domain.plan import Plan, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor, MemberRequest, RerunRequest, RerunSettings
from dev.waiting import wait_until
from tests.bench.history import LargeHistory
from tests.bench.test_plan import compared

ADA = Actor("1", "ada")
MAX_STATEMENTS = 40
MAX_RATIO = 5.0
MAX_TICK_STATEMENTS = 3
MAX_POLLS = 1.0


def plan(history: LargeHistory) -> Plan:
    return wiring.service(wiring.everything_allowed).plan(ADA, PlanRequest(history.source))


def bare_reads(history: LargeHistory) -> int:
    """The floor: the same rows, read with two statements as the driver gives them, and nothing done with them."""
    with history.database.session() as session:
        runs = session.execute(text("select * from dag_run")).all()
        tasks = session.execute(text("select * from task_instance")).all()
    return len(runs) + len(tasks)


def test_a_plan_of_a_thousand_runs(benchmark: Any, history: LargeHistory) -> None:
    plan(history)  # Dags are parsed once in a process
    with history.database.counted() as statements:
        found = plan(history)
    assert len(found.runs) == history.runs
    assert sum(len(run.task_instances) for run in found.runs) == history.runs * history.shape.tasks
    assert len(statements) <= MAX_STATEMENTS, statements.texts
    floor, took = compared(lambda: bare_reads(history), lambda: plan(history), rounds=7)
    ratio = took / floor
    benchmark.extra_info.update(statements=len(statements), bare_reads_s=floor, ratio=ratio)
    print(f"\nplan: {history.runs} runs, {len(statements)} statements, {ratio:.1f} x two bare reads ({floor:.3f} s)")
    assert ratio <= MAX_RATIO
    benchmark.pedantic(plan, args=(history,), rounds=5)


@pytest.fixture
def conductor(history: LargeHistory) -> Iterator[Conductor]:
    """A conductor that has dispatched what it may of a thousand members."""
    request = RerunRequest(PlanRequest(history.source), settings=RerunSettings(accept_duplicate_runs=True))
    rerun = wiring.service(wiring.everything_allowed).submit(ADA, request).rerun.id
    made = wiring.conductor()
    while made.tick().steps:  # the last one has seen what was dispatched
        pass
    yield made
    wiring.service(wiring.everything_allowed).terminate(ADA, rerun)
    # On a busy machine a thousand steps outlast the lease: then the next tick goes on.
    wait_until(lambda: made.tick() and state_of(rerun) == "terminated", 120, "the end of the rerun")
    made.resign()


def test_a_tick_in_which_nothing_happened(benchmark: Any, history: LargeHistory, conductor: Conductor) -> None:
    with history.database.counted() as statements:
        report = conductor.tick()
    assert (report.active, report.steps) == (1, 0)
    assert len(statements) <= MAX_TICK_STATEMENTS, statements.texts
    benchmark.extra_info.update(statements=len(statements))
    print(f"\ntick: {len(statements)} statements over {history.runs + 1} members")
    benchmark(conductor.tick)


def test_a_downstream_run_is_dispatched_within_one_poll(benchmark: Any, history: LargeHistory) -> None:
    """The time from the commit of the upstream's success to the commit of the downstream's dispatch, in polls."""
    stop, wake = threading.Event(), threading.Event()
    conductor = wiring.conductor()
    thread = threading.Thread(target=loop.run, args=(conductor, stop, wake))
    thread.start()
    try:
        latencies = [latency(history, RunRef("bench_1", f"run_{number}"), wake) for number in range(3)]
    finally:
        stop.set()
        wake.set()
        thread.join()
    polls = max(latencies) / conductor.settings.poll_interval.total_seconds()
    benchmark.extra_info.update(latencies=latencies)
    said = [round(one, 2) for one in latencies]
    print(f"\ndispatch: at most {polls:.2f} polls after the upstream's success ({said} s)")
    assert polls <= MAX_POLLS
    benchmark.pedantic(lambda: None, rounds=1)


def latency(history: LargeHistory, member: RunRef, wake: threading.Event) -> float:
    """Rerun the source and one member; answer how long after the source's success the member was dispatched."""
    service = wiring.service(wiring.everything_allowed)
    settings = RerunSettings(accept_duplicate_runs=True, stop_running_on_terminate=False)
    request = RerunRequest(PlanRequest(history.source), members=(MemberRequest(member),), settings=settings)
    rerun = service.submit(ADA, request).rerun.id
    wake.set()
    wait_until(lambda: states(rerun)[history.source] == "running", 30, "the source's dispatch")
    finish(history, history.source)
    began = time.monotonic()
    wait_until(lambda: states(rerun)[member] == "running", 30, "the member's dispatch", interval=0.01)
    seconds = time.monotonic() - began
    finish(history, member)
    wait_until(lambda: state_of(rerun) == "succeeded", 30, "the end")
    return seconds


def state_of(rerun: int) -> str:
    return wiring.service(wiring.everything_allowed).rerun(ADA, rerun).rerun.state.value


def states(rerun: int) -> dict[RunRef, str]:
    views, _ = wiring.service(wiring.everything_allowed).members(ADA, rerun, limit=10, offset=0)
    return {view.member.ref: view.member.state.value for view in views}


def finish(history: LargeHistory, ref: RunRef) -> None:
    """What the scheduler and the workers do with a queued run."""
    with history.database.engine.begin() as connection:
        for statement in (
            "update task_instance set state = 'success' where dag_id = :dag_id and run_id = :run_id",
            "update dag_run set state = 'success' where dag_id = :dag_id and run_id = :run_id",
        ):
            connection.execute(text(statement), {"dag_id": ref.dag_id, "run_id": ref.run_id})
