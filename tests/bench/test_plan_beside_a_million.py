"""A plan beside a million rows of each table that only grows: no more statements, none through a whole such table."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from tests.airflow3 import database as databases
from tests.bench.conftest import MAIN, instead_of, written
from tests.bench.history import LargeHistory
from tests.bench.test_main_job import MAX_STATEMENTS
from tests.bench.test_plan import counted, plan

MILLION = 1_000_000
MAX_RATIO = {"postgres": 1.5, "sqlite": 10}
"""How much more of the processor's time a plan may take beside them, in this process. SQLite works in it, too."""

MAX_READ = 6 * MILLION
"""So many rows may PostgreSQL look at. Airflow has no index on asset events by their run: those of the same days and
assets are read by each of the five statements that ask for some.
"""

GROWING = ("xcom", "dag_version", "serialized_dag")
ALIASES = ("each_version",)
WHOLE = re.compile(rf"\bSCAN ({'|'.join((*GROWING, *ALIASES))})\b")
"""How SQLite says that it goes through a whole table."""


@pytest.fixture(scope="module", params=databases.BACKENDS)
def history(request: pytest.FixtureRequest, database: databases.Database) -> Iterator[LargeHistory]:
    """A thousand runs of 51 Dags, each of which has had another version."""
    with instead_of(database, request.param, "million") as own:
        made = written(own, MAIN)
        made.add_versions(MAIN.dags)
        yield made


def processor_time(history: LargeHistory, rounds: int = 9) -> float:
    """The least seconds of a processor's time that a plan takes here: how busy the machine is doesn't matter."""
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        plan(history)
        seconds.append(time.process_time() - began)
    return min(seconds)


def sent(history: LargeHistory) -> list[tuple[str, Any]]:
    """The statements of a plan, with what they ask for."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        found.append((statement, parameters))

    engine = history.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        plan(history)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return found


def nodes(of: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan of PostgreSQL's, and those below it."""
    yield of
    for each in of.get("Plans", ()):
        yield from nodes(each)


def looked_at(history: LargeHistory) -> tuple[int, list[str]]:
    """The rows that PostgreSQL looks at for a plan, and the large tables that it goes through from end to end."""
    rows, whole = 0, []
    with history.database.engine.connect() as connection:
        for statement, parameters in sent(history):
            asked = connection.exec_driver_sql(f"explain (analyze, format json) {statement}", parameters)
            for node in nodes(asked.scalar_one()[0]["Plan"]):
                if "Scan" in node["Node Type"] and not node.get("Plans"):
                    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
                    rows += (node["Actual Rows"] + removed) * node["Actual Loops"]
                if node["Node Type"] == "Seq Scan" and node["Relation Name"] in GROWING:
                    whole.append(f"{node['Relation Name']}: {statement}")
    return int(rows), whole


def scanned(history: LargeHistory) -> list[str]:
    """The large tables that SQLite goes through from end to end for a plan."""
    with history.database.engine.connect() as connection:
        return [
            f"{row[-1]}: {statement}"
            for statement, parameters in sent(history)
            for row in connection.exec_driver_sql(f"explain query plan {statement}", parameters)
            if WHOLE.search(row[-1])
        ]


def test_a_million_events_xcoms_and_versions(benchmark: Any, history: LargeHistory) -> None:
    few, alone = counted(history), processor_time(history)
    history.add_events(MILLION)
    history.add_xcoms(MILLION)
    history.add_versions(MILLION)
    many, beside = counted(history), processor_time(history)
    rows, whole = looked_at(history) if history.postgres else (0, scanned(history))
    ratio = beside / alone
    benchmark.extra_info.update(statements=len(many), alone=alone, beside=beside, ratio=ratio, rows=rows)
    print(
        f"\nplan on {history.database.backend}: {len(few)} statements, {alone:.2f} s; beside a million events, XComs "
        f"and versions {len(many)} statements, {ratio:.2f} x as long, {rows} rows looked at"
    )
    assert len(many) <= len(few) <= MAX_STATEMENTS, many.texts
    assert whole == []
    assert rows <= MAX_READ
    assert ratio <= MAX_RATIO[history.database.backend]
    benchmark.pedantic(plan, args=(history,), rounds=3)
