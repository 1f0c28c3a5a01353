"""What it costs to review and to submit a rerun: ten times the members may take twelve times as long. `make bench`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import event

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest, RerunSettings
from tests.airflow3 import database as databases
from tests.bench import reruns
from tests.bench.conftest import instead_of, written
from tests.bench.history import LargeHistory, Shape
from tests.bench.reruns import ADA

ONE_TASK = {
    1_000: Shape("few", dags=51, runs=20, tasks=1, width=25),
    10_000: Shape("lots", dags=101, runs=100, tasks=1, width=50),
}
TEN_TASKS = {size: replace(shape, name=f"{shape.name}_of_ten", tasks=10) for size, shape in ONE_TASK.items()}
MAX_RATIO = 12.0
MAX_STATEMENTS = 60
ROUNDS = 3


@dataclass(frozen=True)
class Asked:
    """A history, and what a person asks for who has looked at its plan and leaves it as it is."""

    history: LargeHistory
    request: RerunRequest
    submitted: list[int] = field(default_factory=list)
    """The reruns that haven't been ended."""

    @classmethod
    def of(cls, history: LargeHistory) -> Asked:
        """As the wizard sends it: every run and every task by name, and the plan's token."""
        plan = wiring.service(wiring.everything_allowed).plan(ADA, PlanRequest(history.source))
        members = tuple(MemberRequest(run.ref, run.tasks) for run in plan.runs if run.selected)
        assert len(members) == history.runs
        return cls(
            history,
            RerunRequest(
                PlanRequest(history.source, plan.source.tasks),
                members=members,
                plan_token=plan.token,
                settings=RerunSettings(accept_duplicate_runs=True),
            ),
        )

    def review(self) -> None:
        """Look at it once more."""
        found = wiring.service(wiring.everything_allowed).review(ADA, self.request)
        assert sum(map(len, found.waves)) == self.history.runs + 1

    def submit(self) -> None:
        """Store it. `end` takes it away."""
        self.submitted.append(wiring.service(wiring.everything_allowed).submit(ADA, self.request).rerun.id)

    def end(self) -> None:
        """Let its runs be free for the next."""
        for rerun in self.submitted:
            reruns.end(self.history, rerun)
        self.submitted.clear()


def asked(database: databases.Database, shapes: dict[int, Shape]) -> dict[int, Asked]:
    """What is asked for, by the number of members."""
    found = {size: Asked.of(written(database, shape)) for size, shape in shapes.items()}
    assert [each.history.runs for each in found.values()] == list(shapes)
    return found


@pytest.fixture(scope="module", params=[ONE_TASK, TEN_TASKS], ids=["1 task", "10 tasks"])
def sizes(request: pytest.FixtureRequest, database: databases.Database) -> dict[int, Asked]:
    """On PostgreSQL."""
    return asked(database, request.param)


def processor_time(what: Callable[[], None]) -> float:
    """The seconds of a processor that something takes in this process."""
    began = time.process_time()
    what()
    return time.process_time() - began


@pytest.mark.parametrize("step", ["review", "submit"])
def test_ten_times_the_members(benchmark: Any, sizes: dict[int, Asked], step: str) -> None:
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    counts = {}
    for size, one in sizes.items():
        with one.history.database.counted() as statements:
            getattr(one, step)()
        counts[size] = len(statements)
        one.end()
        assert len(statements) <= MAX_STATEMENTS, statements.texts
    for _ in range(ROUNDS):
        for size, one in sizes.items():
            seconds[size].append(processor_time(getattr(one, step)))
            one.end()
    few, many = map(min, seconds.values())
    print(f"\n{step}: {counts} statements by members; {few:.2f} s, {many:.2f} s of this process: {many / few:.1f} x")
    benchmark.extra_info.update(statements=counts, seconds=[few, many], ratio=many / few)
    assert many <= MAX_RATIO * few
    benchmark.pedantic(lambda: None, rounds=1)


@dataclass
class Writing:
    """How long a transaction has held SQLite's one lock for writing, and with how many statements.

    ``cpu``: the seconds of that in which this process worked, SQLite in it: they don't hang on what else runs here.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    statements: int = 0


@contextmanager
def written_in(database: databases.Database) -> Iterator[list[Writing]]:
    """Take the time from each transaction's first INSERT to its commit."""
    found: list[Writing] = []
    began: list[tuple[float, float]] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not began and statement.startswith("INSERT"):
            began.append((time.perf_counter(), time.process_time()))
            found.append(Writing())
        if began:
            found[-1].statements += 1

    def end(_connection: Any) -> None:
        if began:
            seconds, cpu = began.pop()
            found[-1].seconds, found[-1].cpu = time.perf_counter() - seconds, time.process_time() - cpu

    listeners = {"before_cursor_execute": note, "commit": end}
    for name, listener in listeners.items():
        event.listen(database.engine, name, listener)
    try:
        yield found
    finally:
        for name, listener in listeners.items():
            event.remove(database.engine, name, listener)


@pytest.fixture
def on_sqlite(database: databases.Database) -> Iterator[dict[int, Asked]]:
    """The same histories on SQLite."""
    with instead_of(database, "sqlite", "submit") as own:
        yield asked(own, ONE_TASK)


def test_how_long_a_submit_holds_sqlite(benchmark: Any, on_sqlite: dict[int, Asked]) -> None:
    writings: dict[int, list[Writing]] = {size: [] for size in on_sqlite}
    for _ in range(ROUNDS):
        for size, one in on_sqlite.items():
            with written_in(one.history.database) as found:
                one.submit()
            one.end()
            assert len(found) == 1, "all of it is one transaction"
            assert found[0].statements <= MAX_STATEMENTS
            writings[size].append(found[0])
    held = [min(one.seconds for one in each) for each in writings.values()]
    few, many = (min(one.cpu for one in each) for each in writings.values())
    print(
        f"\nfrom the first INSERT to the commit on SQLite: {held[0]:.2f} s, {held[1]:.2f} s; of the processor "
        f"{few:.2f} s, {many:.2f} s: {many / few:.1f} x"
    )
    benchmark.extra_info.update(held=held, seconds=[few, many], ratio=many / few)
    assert many <= MAX_RATIO * few
    benchmark.pedantic(lambda: None, rounds=1)
