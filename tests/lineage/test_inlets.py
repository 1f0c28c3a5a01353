"""Tasks that read an asset by which their Dag isn't scheduled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.definitions import InletDefinition
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import START, World
from tests.lineage.planning import links, plan, selected

HOUR = timedelta(hours=1)
ASSET = "s3://rates"


@pytest.fixture
def world() -> World:
    made = World()
    made.dag("p", "make >> tell; other")
    made.dag("r", "free; read >> use")
    made.inlets.append(InletDefinition("r", "read", 1, ASSET))
    return made


def reader(world: World, at: float, run_id: str, *, dag_id: str = "r") -> RunRef:
    """A run whose reading task started so many hours after the beginning."""
    ref = world.run(dag_id, run_id=run_id)
    world.set_tasks(ref, "success", at=START + at * HOUR)
    return ref


def reached(world: World, source: RunRef) -> list[str]:
    return sorted(run.ref.run_id for run in plan(world, source).runs)


def test_who_read_after_the_event_and_before_the_next_producer_is_downstream(world: World) -> None:
    one, two = world.run("p"), world.run("p", day=1)
    world.emitted(one, "make", START + 2 * HOUR)
    world.emitted(two, "make", START + 5 * HOUR)
    for at in (1, 2, 4.9, 5, 6):
        reader(world, at, f"at {at}")
    assert reached(world, one) == ["at 2", "at 4.9"]
    assert reached(world, two) == ["at 5", "at 6"]


def test_what_was_seen_can_be_checked(world: World) -> None:
    source = world.run("p")
    world.emitted(source, "make", START + HOUR)
    reader(world, 2, "later")
    found = plan(world, source)
    assert links(found) == {("p", "r", "inlet", "derived")}
    assert found.links[0].via == {
        "asset": ASSET,
        "event_id": 0,
        "emitted_at": (START + HOUR).isoformat(),
        "task_id": "read",
        "started_at": (START + 2 * HOUR).isoformat(),
    }
    assert (found.links[0].from_task_id, found.links[0].to_task_id) == ("make", "read")
    assert selected(found) == {"r": ["read", "use"]}


def test_the_same_producer_s_next_event_does_not_hide_its_first(world: World) -> None:
    source = world.run("p")
    for task_id, at in (("make", 1), ("other", 3)):
        world.emitted(source, task_id, START + at * HOUR)
    reader(world, 2, "between")
    reader(world, 4, "after")
    assert reached(world, source) == ["after", "between"]
    found = plan(world, source, tasks=(TaskRef("other"),))
    assert [run.ref.run_id for run in found.runs] == ["after"]
    assert [link.from_task_id for link in found.links] == ["other"]


def test_only_emitting_tasks_that_are_polluted_count(world: World) -> None:
    source = world.run("p")
    world.emitted(source, "other", START + HOUR)
    reader(world, 2, "later")
    assert plan(world, source, tasks=(TaskRef("make"),)).runs == ()


def test_an_event_of_another_producer_hides_none(world: World) -> None:
    world.dag("q", "make")
    source, other = world.run("p"), world.run("q")
    world.emitted(source, "make", START + HOUR)
    world.emitted(other, "make", START + 3 * HOUR)
    world.emitted(None, "", START + 5 * HOUR)
    for at in (2, 4, 6):
        reader(world, at, f"at {at}")
    assert reached(world, source) == ["at 2", "at 4", "at 6"]
    assert reached(world, other) == ["at 4", "at 6"]
    world.emitted(world.run("p", day=1), "make", START + 3.5 * HOUR)
    assert reached(world, source) == ["at 2"]


def test_a_run_that_events_of_the_asset_have_started_is_told_by_these(world: World) -> None:
    world.dag("other", "make")
    source, other = world.run("p"), world.run("p", day=1)
    for run, at in ((source, 1), (other, 2)):
        world.emitted(run, "make", START + at * HOUR)
    by_asset, by_clock = reader(world, 3, "by asset"), reader(world, 3, "by the clock")
    world.consumed(source, "make", by=by_asset, asset=ASSET)
    assert reached(world, source) == ["by asset"]
    assert {link.kind.value for link in plan(world, source).links} == {"asset"}
    assert reached(world, other) == [by_clock.run_id]


def test_another_asset_s_events_do_not_end_a_period(world: World) -> None:
    world.inlets.append(InletDefinition("q", "t", 2, "s3://other"))
    one, two = world.run("p"), world.run("p", day=1)
    world.emitted(one, "make", START + HOUR)
    world.emitted(two, "make", START + 2 * HOUR, asset_id=2)
    reader(world, 3, "r reads asset 1")
    reader(world, 3, "q reads asset 2", dag_id="q")
    assert reached(world, one) == ["r reads asset 1"]
    assert reached(world, two) == ["q reads asset 2"]


def test_a_task_that_was_skipped_or_never_ran_read_nothing(world: World) -> None:
    source = world.run("p")
    world.emitted(source, "make", START + HOUR)
    skipped, waiting = reader(world, 2, "skipped"), reader(world, 2, "waiting")
    world.set_tasks(skipped, "skipped", only=["read"])
    world.tasks[waiting] = []
    assert reached(world, source) == []


def test_events_at_one_moment_are_both_seen(world: World) -> None:
    one, two = world.run("p"), world.run("p", day=1)
    for run in (one, two):
        world.emitted(run, "make", START + HOUR)
    reader(world, 2, "later")
    assert reached(world, one) == reached(world, two) == ["later"]


def test_statements_do_not_grow_with_events_and_readers(world: World) -> None:
    def statements(count: int) -> int:
        many = World()
        many.dag("p", "make")
        many.inlets.append(InletDefinition("r", "t", 1, ASSET))
        source = many.run("s")
        for number in range(count):
            producer = many.run("p", day=number)
            many.consumed(source, "t", by=producer, asset=str(number))
            many.emitted(producer, "make", START + number * HOUR)
            reader(many, number + 0.5, f"reads {number}", dag_id="r")
        facts = FakeFacts(many)
        assert len(plan(many, source, facts=facts).runs) == 2 * count
        return facts.statements

    assert statements(2) == statements(300)


def test_without_inlets_nothing_is_asked(world: World) -> None:
    world.inlets.clear()
    with_none, facts = FakeFacts(world), FakeFacts(world)
    source = world.run("p")
    plan(world, source, facts=with_none)
    world.inlets.append(InletDefinition("r", "read", 1, ASSET))
    plan(world, source, facts=facts)
    assert facts.statements == with_none.statements + 2  # for the runs that are made, and for those to come
