"""Cleaning a thousand reruns of a hundred members: how long a transaction lasts, and what somebody waits who writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, literal, select, text, update

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.cli import cleaning_commands
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.retention import Cleaning
from airflow_rerun_downstream.store import archives, tables
from tests.airflow3 import database as databases
from tests.bench.conftest import instead_of
from tests.bench.history import BEGIN
from tests.store.test_rows import wide

RERUNS, MEMBERS, LINES, ACTIVE = 1_000, 100, 2, 3
LONGEST = 1.0
"""Seconds that a transaction may last, and that somebody may wait who writes beside it."""


@dataclass
class Beside:
    """Somebody who writes into the record of an active rerun, again and again."""

    waits: list[float] = field(default_factory=list)

    @contextmanager
    def writing(self, engine: Any, rerun_id: int) -> Iterator[None]:
        stop = threading.Event()

        def write() -> None:
            while not stop.wait(0.01):
                began = time.monotonic()
                with engine.begin() as connection:
                    line = {"rerun_id": rerun_id, "at": BEGIN, "actor": "ada", "action": "pause"}
                    connection.execute(update(tables.rerun).where(tables.rerun.c.id == rerun_id).values(name="x"))
                    connection.execute(insert(tables.event).values(line))
                self.waits.append(time.monotonic() - began)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def again(connection: Any, table: Table, first: int, number: int, *columns: str) -> None:
    """The rows of the first rerun once more, as those of the one that many ids later."""
    shift = number * MEMBERS
    values = {
        column.name: column + shift if column.name in columns or column.name == "id" else column
        for column in table.columns
        if not (column.name == "id" and table in (tables.event, tables.link))
    }
    values["rerun_id"] = literal(first + number)
    connection.execute(
        insert(table).from_select(list(values), select(*values.values()).where(table.c.rerun_id == first))
    )


def fill(engine: Any) -> list[int]:
    """Reruns that have ended, copies of the first; then active ones, whose ids are answered."""
    with wiring.unit_of_work()() as work:
        first = work.store.add(wide(MEMBERS), now=BEGIN)
    with engine.begin() as connection:
        members = (
            connection.execute(select(tables.member.c.id).where(tables.member.c.rerun_id == first)).scalars().all()
        )
        line = {"rerun_id": first, "at": BEGIN, "actor": "", "action": "dispatch", "detail": "x" * 60, "dag_ids": []}
        connection.execute(insert(tables.event), [{**line, "member_id": each} for each in members * LINES])
        connection.execute(tables.active_run.delete().where(tables.active_run.c.rerun_id == first))
        over = {"state": "succeeded", "ended_at": BEGIN}
        connection.execute(update(tables.rerun).where(tables.rerun.c.id == first).values(over))
        for number in range(1, RERUNS):
            row = [each for each in tables.rerun.columns if each.name != "id"]
            copied = select(*row).where(tables.rerun.c.id == first)
            connection.execute(insert(tables.rerun).from_select([each.name for each in row], copied))
            again(connection, tables.member, first, number)
            again(connection, tables.gate, first, number, "member_id", "waits_for_member_id")
            again(connection, tables.link, first, number)
            again(connection, tables.event, first, number, "member_id")
        for number in range(RERUNS):
            task = {"dag_id": "gone", "task_id": "t", "map_index": -1, "rerun_id": first + number, "first_try": 2}
            rows = [{**task, "run_id": f"run_{number}_{place}"} for place in range(MEMBERS)]
            connection.execute(insert(tables.dispatched_task), rows)
        if engine.dialect.name == "postgresql":
            last = (RERUNS + 1) * MEMBERS + members[0]
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{tables.member.name}', 'id'), {last})"))
    active = []
    for number in range(ACTIVE):
        with wiring.unit_of_work()() as work:
            active.append(work.store.add(wide(MEMBERS, f"active_{number}"), now=BEGIN))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    return active


def counts(engine: Any) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
            if table is not tables.process
        }


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, database: databases.Database, archive: bool) -> Iterator[Any]:
    """A database of its own: what the others hold would be cleaned with it."""
    with instead_of(database, request.param, f"cleaned_{archive}".lower()) as made:
        yield made.engine


@pytest.mark.parametrize("archive", [False, True], ids=["deleted", "archived"])
def test_a_thousand_reruns_of_a_hundred_members(benchmark: Any, engine: Any, archive: bool) -> None:
    active = fill(engine)
    before = counts(engine)
    beside, lasted = Beside(), []
    cleaning = Cleaning(BEGIN + timedelta(days=1), archives.suffix(BEGIN) if archive else None)
    began = time.monotonic()
    with beside.writing(engine, active[0]):
        while not cleaning.done:
            start = time.monotonic()
            with wiring.unit_of_work()() as work:
                cleaning = work.retention.clean(cleaning, rows=cleaning_commands.BATCH)
            lasted.append(time.monotonic() - start)
            time.sleep(min(lasted[-1], cleaning_commands.LONGEST_PAUSE))
    spent = time.monotonic() - began
    told = (
        f"{cleaning.total:,} rows in {len(lasted)} transactions and {spent:.0f} s; the longest {max(lasted):.3f} s; "
        f"{len(beside.waits)} writes beside them, the longest wait {max(beside.waits):.3f} s"
    )
    benchmark.extra_info.update(told=told)
    print(f"{engine.dialect.name}, {'archived' if archive else 'deleted'}: {told}")
    gone = {name: number - after for name, after in counts(engine).items() if (number := before[name]) != after}
    assert gone.pop(tables.event.name) == cleaning.rows[tables.event.name] - len(beside.waits)
    assert gone == {name: number for name, number in cleaning.rows.items() if name != tables.event.name}
    assert gone[tables.rerun.name] == RERUNS
    assert gone[tables.member.name] == gone[tables.dispatched_task.name] == RERUNS * MEMBERS
    with wiring.unit_of_work()() as work:
        assert [len(work.store.members(each)) for each in active] == [MEMBERS] * ACTIVE
        assert set(work.store.all_active_runs().values()) >= set(active)
        for each in active:
            for state in (RerunState.TERMINATING, RerunState.TERMINATED):
                assert work.store.move_rerun(each, after=state, reason=None, now=BEGIN + timedelta(days=9))
    assert max(lasted) < LONGEST
    assert max(beside.waits) < LONGEST
    benchmark.pedantic(lambda: None, rounds=1)
