"""What a page of a record costs, and what following one does: what is on it, and what happens. `make bench`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.installation.permissions import LocalPermissions
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.ports.record_parts import Part
from airflow_rerun_downstream.service import Service
from airflow_rerun_downstream.store import tables
from tests.airflow3 import database as databases
from tests.bench import reruns
from tests.bench.conftest import written
from tests.bench.history import BEGIN, LargeHistory, Shape
from tests.bench.reruns import ADA

SHAPES = {size: Shape(f"pages_{size}", dags=11, runs=size // 10, tasks=1, width=10) for size in (100, 1_000, 10_000)}
"""As many Dags each time: there is a row for each of them."""

PAGE = 100
ROUNDS, TIMES = 5, 20
MAX_RATIO = 1.5
MAX_LAST_RATIO = 7.0
"""How many times as much as the first page of ten thousand the last one costs: the database passes all others, and
where not every Dag may be read, it looks up of whom each line of the record is.
"""
MAX_FOLLOW_RATIO = 4.0
"""Of a look that tells something: the database counts the members by state, and goes through the members of all reruns
in the order of their ids."""
MAX_QUIET = (1, 1)
"""Statements and rows of a look at a rerun in which nothing has happened."""

Sizes = dict[int, tuple[LargeHistory, int]]
Ask = Callable[[Service, int], Any]


@pytest.fixture(scope="module")
def sizes(database: databases.Database) -> Sizes:
    """Reruns by their number of members, each with its history and a line of its record for each member."""
    found = {}
    for size, shape in SHAPES.items():
        history = written(database, shape)
        found[size] = (history, reruns.store(history, links=True))
        with wiring.unit_of_work()() as work:
            members = work.store.members(found[size][1])
        line = {"rerun_id": found[size][1], "at": BEGIN, "actor": "ada", "action": "dispatch", "dag_ids": []}
        with database.engine.begin() as connection:
            connection.execute(insert(tables.event), [{**line, "member_id": one.id} for one in members])
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    return found


def database_seconds(history: LargeHistory) -> float:
    """Processor time of all sessions of the database."""
    with history.database.engine.connect() as connection:
        pids = connection.execute(text("select pid from pg_stat_activity where backend_type = 'client backend'"))
        paths = [Path(f"/proc/{pid}/schedstat") for pid in pids.scalars()]
    return sum(int(path.read_text().split()[0]) for path in paths if path.exists()) / 1e9


def seconds(history: LargeHistory, ask: Callable[[], Any]) -> float:
    """Processor time of one question, in this process and in the database's."""
    before, began = database_seconds(history), time.process_time()
    for _ in range(TIMES):
        ask()
    here = time.process_time() - began
    return (here + database_seconds(history) - before) / TIMES


class EveryOtherDag(LocalPermissions):
    """The eyes of somebody who may read every other Dag, the source's among them."""

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        every = super().readable(actor, dag_ids)
        return frozenset(dag_id for dag_id in every if int(dag_id.rpartition("_")[2]) % 2 == 0)


READERS: dict[str, Callable[[], Service]] = {
    "everything": lambda: wiring.service(wiring.everything_allowed),
    "every other Dag": lambda: wiring.service(lambda _: EveryOtherDag()),
}


def measured(
    sizes: Sizes, ask: Ask, reader: Callable[[], Service] = READERS["everything"]
) -> dict[int, tuple[int, int, float]]:
    """By size: statements, rows, and the least processor time."""
    service = reader()
    cpu: dict[int, list[float]] = {size: [] for size in sizes}
    counts = {}
    for _ in range(ROUNDS):
        for size, (history, rerun) in sizes.items():
            cpu[size].append(seconds(history, lambda rerun=rerun: ask(service, rerun)))  # type: ignore[misc]
    for size, (history, rerun) in sizes.items():
        with history.database.counted() as statements:
            ask(service, rerun)
        counts[size] = len(statements), statements.rows
        assert all(counts[size]), "it is asked of another database"
    return {size: (*counts[size], min(cpu[size])) for size in sizes}


def told(name: str, found: dict[int, tuple[int, int, float]]) -> float:
    """Print what was measured; how many times as much a question takes of the most members as of the fewest."""
    ratio = found[max(found)][2] / found[min(found)][2]
    each = ", ".join(f"{size}: {made} st. {rows} rows {1000 * cpu:.2f} ms" for size, (made, rows, cpu) in found.items())
    print(f"\n{name}: {each}; {ratio:.2f} x")
    return ratio


PAGES: dict[str, Ask] = {
    "members": lambda service, rerun: service.members(ADA, rerun, limit=PAGE, offset=0),
    "links": lambda service, rerun: service.links(ADA, rerun, limit=PAGE, offset=0),
    "events": lambda service, rerun: service.events(ADA, rerun, limit=PAGE, offset=0),
    "all there is": lambda service, rerun: service.changes(ADA, rerun, since=None, limit=PAGE),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_ten_thousand_costs_what_one_of_a_hundred_costs(
    benchmark: Any, sizes: Sizes, name: str, reader: str
) -> None:
    found = measured(sizes, PAGES[name], READERS[reader])
    if reader != "everything":  # of every other Dag of a hundred members there is no whole page
        del found[100]
    ratio = told(f"page of {name}, {reader} may be read", found)
    benchmark.extra_info.update(found=found, ratio=ratio)
    assert len({(made, rows) for made, rows, _ in found.values()}) == 1
    assert ratio <= (MAX_FOLLOW_RATIO if name == "all there is" else MAX_RATIO)
    benchmark.pedantic(lambda: None, rounds=1)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["members", "links", "events"])
def test_the_last_page_costs_a_few_times_what_the_first_one_costs(
    benchmark: Any, sizes: Sizes, name: str, reader: str
) -> None:
    large = {10_000: sizes[10_000]}
    _, there = getattr(READERS[reader](), name)(ADA, large[10_000][1], limit=1, offset=0)
    spent = {}
    for offset in (0, there - PAGE):

        def page(service: Service, rerun: int, offset: int = offset) -> Any:
            found, total = getattr(service, name)(ADA, rerun, limit=PAGE, offset=offset)
            assert (len(found), total) == (PAGE, there)

        spent[offset] = measured(large, page, READERS[reader])[10_000]
    first, last = spent.values()
    ratio = last[2] / first[2]
    print(f"\n{name} of 10000, {reader} may be read: {spent}; the last page {ratio:.2f} x the first")
    benchmark.extra_info.update(spent=spent, ratio=ratio)
    assert last[0] == first[0]
    assert ratio <= MAX_LAST_RATIO
    benchmark.pedantic(lambda: None, rounds=1)


def cursors(sizes: Sizes) -> dict[int, str]:
    """What whoever has read all of each rerun asks with."""
    service = wiring.service(wiring.everything_allowed)
    found = {}
    for _, rerun in sizes.values():
        answer = service.changes(ADA, rerun, since=None, limit=PAGE)
        while answer.more:
            answer = service.changes(ADA, rerun, since=answer.cursor, limit=PAGE)
        found[rerun] = answer.cursor
    return found


def test_a_quiet_look_is_one_small_statement(benchmark: Any, sizes: Sizes) -> None:
    known = cursors(sizes)
    service = wiring.service(wiring.everything_allowed)

    def look(_: Service, rerun: int) -> Any:
        answer = service.changes(ADA, rerun, since=known[rerun], limit=PAGE)
        assert answer.cursor == known[rerun]
        return answer

    found = measured(sizes, look)
    ratio = told("quiet look", found)
    benchmark.extra_info.update(found=found, ratio=ratio)
    assert {(made, rows) for made, rows, _ in found.values()} == {MAX_QUIET}
    assert ratio <= MAX_RATIO
    benchmark.pedantic(lambda: None, rounds=1)


def test_a_look_after_a_change_costs_the_change(benchmark: Any, sizes: Sizes) -> None:
    """One member of each has another reason; its page asks for the rerun, the member, and new lines."""
    known = cursors(sizes)
    for _, rerun in sizes.values():
        with wiring.unit_of_work()() as work:
            last = work.store.members(rerun, Part(limit=1, offset=50))[0]
            assert work.store.set_member_reason(last.id, "why", state=MemberState.PENDING)

    def look(service: Service, rerun: int) -> Any:
        answer = service.changes(ADA, rerun, since=known[rerun], limit=PAGE)
        assert [one.member.state_reason for one in answer.members] == ["why"]
        return answer

    service = wiring.service(wiring.everything_allowed)
    for _, rerun in sizes.values():
        look(service, rerun)
    found = measured(sizes, look)
    ratio = told("look after one change", found)
    benchmark.extra_info.update(found=found, ratio=ratio)
    assert len({(made, rows) for made, rows, _ in found.values()}) == 1
    assert ratio <= MAX_FOLLOW_RATIO
    benchmark.pedantic(lambda: None, rounds=1)
