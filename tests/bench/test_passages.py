"""What members cost that are reached across runs which are left out: not the square of what there is. `make bench`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest, RerunSettings
from tests.airflow3 import database as databases
from tests.bench import reruns
from tests.bench.conftest import written
from tests.bench.history import LargeHistory, Shape
from tests.bench.reruns import ADA

SIZES = (100, 1_000)
"""How many runs are above those that are left out, and how many below."""

MAX_RATIO = 12.0
MAX_STATEMENTS = 60
MAX_ROWS = 5
"""For each run above: gates, passages, and what those name."""

ROUNDS = 3
PAGE = 100

APART = "delete from dagrun_asset_event where dag_run_id in (select id from dag_run where dag_id in (:between, :below))"
HUB = """
insert into dagrun_asset_event (dag_run_id, event_id)
select run.id, event.id from dag_run as run join asset_event as event
  on (run.dag_id = :between and event.source_dag_id = :above and run.run_id = 'run_0')
  or (run.dag_id = :below and event.source_dag_id = :between and event.source_run_id = 'run_0')
"""
"""One run is left out: it reads from all above it, and all below it read from that run."""
CHAIN = """
insert into dagrun_asset_event (dag_run_id, event_id)
select run.id, event.id from dag_run as run join asset_event as event
  on (run.dag_id in (:between, :below) and event.source_run_id = run.run_id
      and event.source_dag_id = case run.dag_id when :between then :above else :between end)
  or (run.dag_id = :between and event.source_dag_id = :between
      and event.source_run_id = 'run_' || (cast(run.conf ->> 'place' as integer) - 1))
"""
"""As many are left out as are above: each reads from one of those and from the one before it, and one reads it."""


class Asked:
    """A history of four Dags, and what a person asks for who leaves the runs of the third out."""

    def __init__(self, database: databases.Database, name: str, size: int) -> None:
        self.size = size
        self.shape = Shape(f"{name}{size}", dags=4, runs=size, tasks=1, width=1)
        self.history: LargeHistory = written(database, self.shape)
        names = dict(zip(("above", "between", "below"), map(self.shape.dag_id, (1, 2, 3)), strict=True))
        with database.session() as session:
            for statement in (APART, HUB if name == "hub" else CHAIN):
                session.execute(text(statement), {key: names[key] for key in names if f":{key}" in statement})
            session.commit()
        self.history.analyze()
        found = wiring.service(wiring.everything_allowed).plan(ADA, PlanRequest(self.history.source))
        members = tuple(MemberRequest(run.ref) for run in found.runs if run.ref.dag_id != names["between"])
        assert len(members) == 2 * size
        self.request = RerunRequest(
            PlanRequest(self.history.source), members=members, settings=RerunSettings(accept_duplicate_runs=True)
        )
        self.rerun = 0

    def review(self) -> None:
        """Look at it once more."""
        found = wiring.service(wiring.everything_allowed).review(ADA, self.request)
        assert [len(wave) for wave in found.waves] == [1, self.size, self.size]

    def submit(self) -> None:
        """Store it."""
        self.end()
        self.rerun = wiring.service(wiring.everything_allowed).submit(ADA, self.request).rerun.id

    def look(self) -> None:
        """What a conductor reads and works out that sees it for the first time; the source is ready."""
        wiring.snapshots.cache_clear()
        with wiring.unit_of_work()() as work:
            (active,) = work.store.active()
            assert [one.ref for one in active.ready] == [self.history.source]

    def page(self) -> None:
        """A page of the members that wait for the most. What it shows grows with that."""
        with wiring.unit_of_work()() as work:
            last = [one.id for one in work.store.members(self.rerun)[-PAGE:]]
            assert len(work.store.awaited(last)) == PAGE

    def changes(self) -> None:
        """A page of what has changed, to which those belong that wait for what has."""
        with wiring.unit_of_work()() as work:
            assert not work.store.changed_members(self.rerun, since=0, limit=PAGE)

    def end(self) -> None:
        """Let its runs be free for the next."""
        if self.rerun:
            reruns.end(self.history, self.rerun)

    def rows(self) -> int:
        """The rows that say who waits for whom, and what passages name."""
        counts = (
            "select count(*) from rerun_downstream_gate where rerun_id = :rerun",
            "select count(*) from rerun_downstream_passage where rerun_id = :rerun",
            "select coalesce(sum(json_array_length(members) + json_array_length(passages)), 0) "
            "from rerun_downstream_passage where rerun_id = :rerun",
        )
        with self.history.database.session() as session:
            return sum(session.execute(text(one), {"rerun": self.rerun}).scalar_one() for one in counts)


@pytest.fixture(scope="module", params=["hub", "chain"])
def sizes(request: pytest.FixtureRequest, database: databases.Database) -> Iterator[dict[int, Asked]]:
    found = {size: Asked(database, request.param, size) for size in SIZES}
    yield found
    for one in found.values():
        one.end()


def processor_time(what: Callable[[], None]) -> float:
    """The seconds of a processor that something takes in this process."""
    began = time.process_time()
    what()
    return time.process_time() - began


@pytest.mark.parametrize("step", ["review", "submit", "look", "page", "changes"])
def test_ten_times_the_runs_around_what_is_left_out(benchmark: Any, sizes: dict[int, Asked], step: str) -> None:
    best, counts, rows = {}, {}, {}
    for size, one in sizes.items():
        reruns.leave_active(one.history, [])
        if step != "review":
            one.submit()
        with one.history.database.counted() as statements:
            getattr(one, step)()
        counts[size] = len(statements)
        assert len(statements) <= MAX_STATEMENTS, statements.texts
        best[size] = min(processor_time(getattr(one, step)) for _ in range(ROUNDS))
        rows[size] = one.rows() if one.rerun else 0
        assert rows[size] <= MAX_ROWS * size
        one.end()
    few, many = best.values()
    told = f"{counts} statements, {rows} rows by runs on each side"
    print(f"\n{step}: {told}; {few:.3f} s, {many:.3f} s: {many / few:.1f} x")
    benchmark.extra_info.update(statements=counts, rows=rows, seconds=[few, many], ratio=many / few)
    assert many <= MAX_RATIO * few
    benchmark.pedantic(lambda: None, rounds=1)
