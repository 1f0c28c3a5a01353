"""What wrong data reaches only by a guess is told as that, and what it reaches otherwise isn't."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.plan import WrongData
from airflow_rerun_downstream.domain.refs import RunRef
from tests.fakes.world import World
from tests.lineage.planning import NOW, plan

SIZE = 6
Edge = tuple[int, int, bool]
"""Two Dags, the earlier one first, and whether the link between them is a guess."""


def dag(number: int) -> str:
    return f"d{number}"


def read(world: World, runs: list[RunRef], edge: Edge) -> None:
    """A link: an event that was consumed, or a sensor of which nobody knows the date that it waits for."""
    upstream, downstream, guess = edge
    if guess:
        world.sensors.append(SensorDefinition(dag(downstream), f"wait{upstream}", dag(upstream), offset_known=False))
    else:
        world.consumed(runs[upstream], "t", by=runs[downstream], asset=f"{edge}")


def reached(edges: Iterable[Edge]) -> set[int]:
    """The Dags that are reached from the first one."""
    found = {0}
    for upstream, downstream, _ in sorted(edges):
        found |= {downstream} if upstream in found else set()
    return found


EDGES = st.sets(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1), st.booleans()).filter(lambda edge: edge[0] < edge[1]),
    max_size=9,
)


@given(edges=EDGES, unfinished=st.sets(st.integers(1, SIZE - 1)))
def test_a_run_reads_wrong_data_for_sure_where_a_way_without_a_guess_leads_there(
    edges: set[Edge], unfinished: set[int]
) -> None:
    world = World()
    for number in range(SIZE):
        world.dag(dag(number), "; ".join(["t", *(f"wait{other} >> t" for other in range(number))]))
    runs = [world.run(dag(n), state="running" if n in unfinished else "success") for n in range(SIZE)]
    for edge in edges:
        read(world, runs, edge)
    found = plan(world, runs[0])
    sure, led = reached(edge for edge in edges if not edge[2]), reached(edges)
    assert {run.ref for run in found.runs} == {runs[number] for number in led - {0}}
    assert {run.ref: run.wrong_data for run in found.runs} == {
        runs[number]: (WrongData.READS if number in sure else WrongData.MAY_READ) if number in unfinished else None
        for number in led - {0}
    }


def test_a_task_that_only_a_guess_makes_wrong_makes_nothing_wrong_for_sure() -> None:
    """Another task of the same run has read wrong data for sure; who reads the first one's may be right."""
    world = World()
    world.dag("b", "wait >> guessed; sure")
    source, middle = world.run("a"), world.run("b")
    readers = {task: world.run(f"of_{task}", state="running") for task in ("guessed", "sure")}
    world.sensors.append(SensorDefinition("b", "wait", "a", offset_known=False))
    world.sensors.append(SensorDefinition("b", "sure", "a", offset_known=True))
    for task, reader in readers.items():
        world.consumed(middle, task, by=reader, asset=task)
    found = {run.ref: run.wrong_data for run in plan(world, source).runs}
    assert found == {
        middle: None,
        readers["guessed"]: WrongData.MAY_READ,
        readers["sure"]: WrongData.READS,
    }


def test_a_run_that_is_not_ready_is_not_said_to_read_what_it_only_may() -> None:
    world = World()
    world.dag("b", "wait >> write")
    world.sensors.append(SensorDefinition("b", "wait", "a", offset_known=False))
    source = world.run("a", day=41)
    waiting = world.run("b", day=41, state="queued")
    world.set_run(waiting, run_after=NOW.replace(year=NOW.year + 1))
    told = [one.detail for one in plan(world, source).warnings if one.code == "upcoming_run"]
    assert [" may read wrong data," in detail for detail in told] == [True]
