"""Runs that depend on the previous run of their Dag."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.definitions import PastDependency
from airflow_rerun_downstream.domain.errors import PlanTooLarge
from airflow_rerun_downstream.domain.plan import Evidence, LinkKind, Plan
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import START, World
from tests.lineage.planning import links, plan, selected

DAG = "a >> b >> c; d"


@pytest.fixture
def world() -> World:
    made = World()
    made.dag("p", DAG)
    made.past_dependencies.append(PastDependency("p", "b", frozenset({"b"})))
    return made


def reached(found: Plan) -> list[RunRef]:
    return [run.ref for run in found.runs]


def test_every_later_run_is_downstream_and_no_earlier_one(world: World) -> None:
    runs = [world.run("p", day=day) for day in range(6)]
    found = plan(world, runs[2])
    assert reached(found) == runs[3:]
    assert [(link.upstream, link.downstream) for link in found.links] == [
        (runs[2], runs[3]), (runs[3], runs[4]), (runs[4], runs[5]),
    ]  # fmt: skip
    assert {(link.kind, link.evidence) for link in found.links} == {(LinkKind.PREVIOUS_RUN, Evidence.DERIVED)}
    assert found.links[0].via == {
        "task_id": "b",
        "rule": "depends_on_past",
        "waits_for": ["b"],
        "previous_logical_date": (START + timedelta(days=2)).isoformat(),
    }


def test_only_the_task_and_what_follows_it_is_polluted(world: World) -> None:
    source, _ = world.run("p"), world.run("p", day=1)
    assert selected(plan(world, source)) == {"p": ["b", "c"]}


@pytest.mark.parametrize(("tasks", "count"), [(("a",), 1), (("b",), 1), (("c",), 0), (("d",), 0)])
def test_only_pollution_of_the_task_itself_goes_on(world: World, tasks: tuple[str, ...], count: int) -> None:
    source, _ = world.run("p"), world.run("p", day=1)
    assert len(plan(world, source, tasks=tuple(map(TaskRef, tasks))).runs) == count


def test_wait_for_downstream_waits_for_the_next_tasks_too(world: World) -> None:
    world.past_dependencies[:] = [PastDependency("p", "b", frozenset({"b", "c"}))]
    source, _ = world.run("p"), world.run("p", day=1)
    found = plan(world, source, tasks=(TaskRef("c"),))
    assert selected(found) == {"p": ["b", "c"]}
    assert found.links[0].via["rule"] == "wait_for_downstream"
    assert (found.links[0].from_task_id, found.links[0].to_task_id) == (None, "b")


def test_a_manual_run_is_a_previous_one_unless_the_dag_catches_up(world: World) -> None:
    one, manual, two = world.run("p"), world.run("p", day=1, run_type="manual"), world.run("p", day=2)
    direct = {(link.upstream, link.downstream) for link in plan(world, one, include_manual=True).links}
    assert direct == {(one, manual), (manual, two)}
    world.past_dependencies[:] = [PastDependency("p", "b", frozenset({"b"}), scheduled_only=True)]
    direct = {(link.upstream, link.downstream) for link in plan(world, one, include_manual=True).links}
    assert direct == {(one, manual), (one, two)}
    assert plan(world, manual, include_manual=True).runs == ()


def test_runs_without_a_logical_date_have_no_previous_one(world: World) -> None:
    source = world.run("p", run_id="odd", logical_date=None)
    world.run("p", day=1)
    assert plan(world, source).runs == ()


def test_a_run_in_the_middle_that_another_dag_reaches_starts_a_chain_of_its_own(world: World) -> None:
    source = world.run("up")
    days = [world.run("p", day=day) for day in range(4)]
    world.consumed(source, "t", by=days[2])
    assert reached(plan(world, source)) == days[2:]
    world.consumed(days[3], "b", by=days[0], asset="asset://back")
    assert reached(plan(world, source)) == days


def test_consumers_of_later_runs_are_found(world: World) -> None:
    days = [world.run("p", day=day) for day in range(3)]
    ends = [world.run("z", day=day) for day in range(3)]
    for day, end in zip(days, ends, strict=True):
        world.consumed(day, "c", by=end, asset=str(end))
    assert {run.ref for run in plan(world, days[1]).runs} == {days[2], ends[1], ends[2]}


def test_depth_counts_each_run_and_kinds_leave_the_chain_out(world: World) -> None:
    days = [world.run("p", day=day) for day in range(5)]
    assert reached(plan(world, days[0], max_depth=2)) == days[1:3]
    assert plan(world, days[0], link_kinds=(LinkKind.SENSOR,)).runs == ()
    assert len(plan(world, days[0], link_kinds=(LinkKind.PREVIOUS_RUN,)).runs) == 4


def test_a_long_chain_takes_as_many_statements_as_a_short_one(world: World) -> None:
    def statements(days: int) -> int:
        many = World()
        many.dag("p", DAG)
        many.past_dependencies.append(PastDependency("p", "b", frozenset({"b"})))
        refs = [many.run("p", day=day) for day in range(days)]
        for ref in refs:
            many.consumed(ref, "b", by=many.run("z", run_id=f"of {ref.run_id}"), asset=str(ref))
        facts = FakeFacts(many)
        assert len(plan(many, refs[0], facts=facts).runs) == 2 * days - 1
        return facts.statements

    assert statements(2) == statements(1_000)


def test_too_long_a_chain_is_refused_before_it_is_walked(world: World) -> None:
    world.dag("secret", DAG)
    world.past_dependencies.append(PastDependency("secret", "b", frozenset({"b"})))
    days = [world.run("secret", day=day) for day in range(9)]
    with pytest.raises(PlanTooLarge) as refusal:
        plan(world, days[0], max_runs=5)
    assert "secret" not in refusal.value.detail, "it may be a Dag that the user may not read"
    assert refusal.value.extra == {"found": 6, "limit": 5}
    assert "previous_run" in refusal.value.detail
    assert len(plan(world, days[3], max_runs=5).runs) == 5


def test_a_chain_keeps_its_order_and_comes_back_to_no_source(world: World) -> None:
    days = [world.run("p", day=day) for day in range(4)]
    found = plan(world, days[0])
    assert {ref: set(after) for ref, after in found.edges.items()} == {
        days[0]: {days[1]}, days[1]: {days[2]}, days[2]: {days[3]}, days[3]: set(),
    }  # fmt: skip
    assert links(found) == {("p", "p", "previous_run", "derived")}
