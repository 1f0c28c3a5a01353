"""Runs in stages, with an honest scheduler: nothing reads before what it reads is right."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.facts import SensorDefinition
from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Member, RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from tests.conductor.scheduler import Scheduler
from tests.fakes.work import ADA, House


@pytest.fixture
def house() -> House:
    return House()


def submit(house: House, source: RunRef) -> int:
    return house.service.submit(ADA, RerunRequest(PlanRequest(source))).rerun.id


def member(house: House, rerun: int, dag_id: str) -> Member:
    return next(one for one in house.store.members(rerun) if one.ref.dag_id == dag_id)


def parent_with_child(house: House, *, waits: bool = True) -> RunRef:
    """A parent whose trigger in the middle can't make a second run, with the run that it made."""
    world = house.world
    world.dag("parent", "prepare >> fire >> report")
    parent = world.run("parent")
    world.trigger_task("parent", "fire", "child", one_run=True, waits=waits)
    world.made(parent, "fire", world.run("child", run_type="operator_triggered", online=True))
    return parent


def ran(scheduler: Scheduler) -> list[str]:
    return [f"{dag_id}.{task_id}" for what, dag_id, task_id in scheduler.story if what == "began"]


class TestOneMember:
    def test_what_comes_before_then_the_child_then_what_follows(self, house: House) -> None:
        rerun = submit(house, parent_with_child(house))
        scheduler = Scheduler(house)
        scheduler.play([0])
        assert ran(scheduler) == ["parent.prepare", "child.t", "parent.report"]
        found = house.service.rerun(ADA, rerun)
        assert found.rerun.state.value == "succeeded"
        lines = [event.detail for event in house.store.events(rerun) if event.action == "member_next_stage"]
        assert lines == ["stage 1 of 2 is right: prepare"]

    def test_a_stage_that_fails_is_retried_and_the_ones_before_are_not(self, house: House) -> None:
        parent = parent_with_child(house)
        rerun = submit(house, parent)
        house.tick()
        house.world.finish(parent, at=house.clock.now())
        house.tick()
        child = member(house, rerun, "child").ref
        house.tick()
        house.world.finish(child, at=house.clock.now())
        house.tick()
        house.tick()
        assert member(house, rerun, "parent").state is MemberState.RUNNING
        house.world.finish(parent, "failed", at=house.clock.now())
        house.tick()
        failed = member(house, rerun, "parent")
        assert (failed.state, failed.stage, failed.state_reason) == (MemberState.FAILED, 1, "tasks_failed")
        house.service.retry(ADA, rerun, failed.id)
        scheduler = Scheduler(house)
        scheduler.play([0])
        assert ran(scheduler) == ["parent.report"]
        assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"

    def test_a_stage_that_somebody_put_right_lets_the_next_one_go(self, house: House) -> None:
        parent = parent_with_child(house)
        rerun = submit(house, parent)
        house.tick()
        house.world.finish(parent, "failed", at=house.clock.now())
        house.tick()
        assert member(house, rerun, "parent").state is MemberState.FAILED
        house.clock.advance(seconds=5)
        house.world.set_tasks(parent, "success", only=["prepare"], at=house.clock.now())
        house.world.set_run(parent, state="success")
        scheduler = Scheduler(house)
        scheduler.play([0])
        assert ran(scheduler) == ["child.t", "parent.report"]

    def test_its_place_is_told_and_kept(self, house: House) -> None:
        parent = parent_with_child(house)
        rerun = submit(house, parent)
        first = member(house, rerun, "parent")
        assert [[str(task) for task in stage] for stage in first.stages] == [["prepare"], ["report"]]
        assert (first.stage, [str(task) for task in first.present]) == (0, ["prepare"])
        house.tick()
        house.world.finish(parent, at=house.clock.now())
        house.tick()
        second = member(house, rerun, "parent")
        assert (second.state, second.stage, second.dispatched_in_stage) == (MemberState.PENDING, 1, False)

    def test_a_review_shows_the_run_in_each_of_its_waves(self, house: House) -> None:
        parent = parent_with_child(house)
        review = house.service.review(ADA, RerunRequest(PlanRequest(parent)))
        assert [[ref.dag_id for ref in wave] for wave in review.waves] == [["parent"], ["child"], ["parent"]]
        assert [warning.code for warning in review.warnings] == ["in_stages"]


class TestClearedAgain:
    """A stage that was right is cleared by somebody, before what waits for it has gone."""

    def test_what_waits_for_the_stage_waits_and_the_later_stage_comes_after_it(self, house: House) -> None:
        parent = parent_with_child(house)
        rerun = submit(house, parent)
        house.tick()
        house.world.finish(parent, at=house.clock.now())
        for one in house.store.members(rerun):  # the conductor sees only that the stage is right
            if one.ref == parent:
                number = house.world.runs[parent].clear_number
                house.store.next_stage(one.id, before=one.state, stage=0, clear_number=number)
        house.world.clear_by_hand(parent, only=["prepare"])
        house.tick()
        states = {one.ref.dag_id: (one.state, one.stage) for one in house.store.members(rerun)}
        assert states == {"parent": (MemberState.RUNNING, 0), "child": (MemberState.PENDING, 0)}
        scheduler = Scheduler(house)
        scheduler.play([0])
        assert ran(scheduler) == ["parent.prepare", "child.t", "parent.report"]

    def test_a_stage_of_its_own_too(self, house: House) -> None:
        parent = parent_with_child(house)
        rerun = submit(house, parent)
        child = member(house, rerun, "child").ref
        house.tick()
        house.world.finish(parent, at=house.clock.now())
        house.tick()
        house.tick()
        house.world.finish(child, at=house.clock.now())
        house.world.clear_by_hand(parent, only=["prepare"])
        house.world.finish(parent, at=house.clock.now())
        house.tick()
        assert (member(house, rerun, "parent").state, member(house, rerun, "parent").stage) == (MemberState.RUNNING, 0)
        scheduler = Scheduler(house)
        scheduler.play([0])
        assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"
        assert ran(scheduler)[-1] == "parent.report"


def test_a_source_of_triggers_alone_is_skipped_and_what_they_made_is_rerun(house: House) -> None:
    world = house.world
    world.dag("control", "one; two")
    control = world.run("control")
    for task_id in ("one", "two"):
        world.trigger_task("control", task_id, f"child_{task_id}")
        world.made(control, task_id, world.run(f"child_{task_id}", run_type="operator_triggered", online=True))
    rerun = submit(house, control)
    source = member(house, rerun, "control")
    assert (source.state, source.state_reason) == (MemberState.SKIPPED, "only_triggers")
    scheduler = Scheduler(house)
    scheduler.play([0])
    assert sorted(ran(scheduler)) == ["child_one.t", "child_two.t"]
    assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"


@pytest.mark.parametrize("source", ["control", "a"])
def test_a_controller_that_waits_for_its_children(house: House, source: str) -> None:
    """The order is a, b, report whichever run is the source, and each runs once."""
    world = house.world
    world.dag("control", "go_a >> go_b >> report")
    runs = {"control": world.run("control")}
    for name in ("a", "b"):
        world.trigger_task("control", f"go_{name}", name, waits=True)
        runs[name] = world.run(name, run_type="operator_triggered", online=True)
        world.made(runs["control"], f"go_{name}", runs[name])
    rerun = submit(house, runs[source])
    scheduler = Scheduler(house)
    scheduler.play([0])
    work = [told for told in ran(scheduler) if "go_" not in told]
    assert work == ["a.t", "b.t", "control.report"]
    assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"
    assert runs["b"] not in house.world.dispatches


@dataclass
class Scene:
    """Dags with a run each: tasks in order, what reads what, and which tasks made which runs."""

    orders: list[set[tuple[int, int]]]
    sizes: list[int]
    assets: set[tuple[int, int, int]]
    sensors: set[tuple[int, int, int, int]]
    triggers: dict[int, tuple[int, int, bool, bool]]
    choices: list[int]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    count = draw(st.integers(2, 4))
    sizes = [draw(st.integers(1, 4)) for _ in range(count)]
    orders = []
    for size in sizes:
        pairs = draw(st.sets(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=2 * size))
        orders.append({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    dags = st.integers(0, count - 1)

    def task(dag: int) -> int:
        return draw(st.integers(0, sizes[dag] - 1))

    triggers = {}
    for child in range(1, count):
        if draw(st.booleans()):
            parent = draw(st.integers(0, child - 1))
            triggers[child] = (parent, task(parent), draw(st.booleans()), draw(st.booleans()))
    pairs = draw(st.lists(st.tuples(dags, dags), max_size=5))
    assets, sensors = set(), set()
    for one, two in pairs:
        if one != two:
            if one < two and two not in triggers and draw(st.booleans()):  # it started what didn't run before
                assets.add((one, task(one), two))
            else:
                sensors.add((one, task(one), two, task(two)))
    choices = draw(st.lists(st.integers(0, 7), min_size=1, max_size=9))
    scene = Scene(orders, sizes, assets, sensors, triggers, choices)
    assume(possible(scene))
    return scene


def above(scene: Scene, dag: int) -> list[int]:
    """Whose task made a Dag's run, whose made that one, and so on."""
    found = []
    while dag in scene.triggers:
        dag = scene.triggers[dag][0]
        found.append(dag)
    return found


def possible(scene: Scene) -> bool:
    """Whether the runs could have come to be so: nothing waits for itself, and a sensor makes no run."""
    before: dict[tuple[str, int, int], set[tuple[str, int, int]]] = {}

    def comes(first: tuple[str, int, int], second: tuple[str, int, int]) -> None:
        before.setdefault(second, set()).add(first)

    for dag, size in enumerate(scene.sizes):
        for task in range(size):
            comes(("began", dag, task), ("ended", dag, task))
        for one, two in scene.orders[dag]:
            comes(("ended", dag, one), ("began", dag, two))
    for one, task, two in scene.assets:
        for reader in range(scene.sizes[two]):
            comes(("ended", one, task), ("began", two, reader))
    for one, task, two, reader in scene.sensors:
        comes(("ended", one, task), ("ended", two, reader))
    for child, (parent, task, waits, _) in scene.triggers.items():
        for each in range(scene.sizes[child]):
            comes(("began", parent, task), ("began", child, each))
            if waits:
                comes(("ended", child, each), ("ended", parent, task))
    try:
        TopologicalSorter(before).prepare()
    except CycleError:
        return False
    for one, task, two, _ in scene.sensors:  # nobody waits for the task that made his run, or for what follows that
        parent, maker, *_ = scene.triggers.get(two, (None, 0))
        edges = {n: {b for a, b in scene.orders[one] if a == n} for n in range(scene.sizes[one])}
        if parent == one and (one in scene.triggers or task in reachable([maker], edges)):
            return False
    for one, _, two, _ in scene.sensors:  # a known gap, told in the guide: such a run is started twice
        if one in above(scene, two)[1:]:
            return False
    makers = [found[:2] for found in scene.triggers.values()]
    return len(makers) == len(set(makers)) and {sensor[2:] for sensor in scene.sensors}.isdisjoint(makers)


def build(house: House, scene: Scene) -> list[RunRef]:
    world = house.world
    for dag, (size, order) in enumerate(zip(scene.sizes, scene.orders, strict=True)):
        chains = [*(f"t{one} >> t{two}" for one, two in sorted(order)), *(f"t{number}" for number in range(size))]
        world.dag(f"d{dag}", "; ".join(chains))
    runs = []
    for dag in range(len(scene.sizes)):
        kind = "operator_triggered" if dag in scene.triggers else "scheduled"
        runs.append(world.run(f"d{dag}", run_id=f"old{dag}", run_type=kind, online=True))
    for child, (parent, number, waits, one_run) in scene.triggers.items():
        world.trigger_task(f"d{parent}", f"t{number}", f"d{child}", waits=waits, one_run=one_run)
        world.made(runs[parent], f"t{number}", runs[child])
    for one, number, two in sorted(scene.assets):
        world.consumed(runs[one], f"t{number}", by=runs[two], asset=f"{one}.{number}")
    for one, number, two, reader in sorted(scene.sensors):
        tasks = frozenset({f"t{number}"})
        world.sensors.append(SensorDefinition(f"d{two}", f"t{reader}", f"d{one}", task_ids=tasks, offset_known=True))
    return runs


def pairs_to_hold(house: House, scene: Scene) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """What has to end before what begins, by the definitions alone: the oracle."""
    world = house.world
    found = []
    for dag_id, structure in world.structures.items():
        edges = {task_id: node.followers for task_id, node in structure.tasks.items()}
        for task_id in edges:
            found += [((dag_id, task_id), (dag_id, after)) for after in reachable([task_id], edges) - {task_id}]
    every = {dag_id: set(structure.tasks) for dag_id, structure in world.structures.items()}
    for one, number, two in scene.assets:
        found += [((f"d{one}", f"t{number}"), (f"d{two}", reader)) for reader in every[f"d{two}"]]
    for parent, task_id, child in world.triggered:
        structure = world.structures[parent.dag_id]
        before = reachable([task_id], {each: node.leaders for each, node in structure.tasks.items()}) - {task_id}
        found += [((parent.dag_id, each), (child.dag_id, reader)) for each in before for reader in every[child.dag_id]]
        if structure.tasks[task_id].waits_for_run:
            after = reachable([task_id], {each: node.followers for each, node in structure.tasks.items()}) - {task_id}
            found += [((child.dag_id, made), (parent.dag_id, each)) for made in every[child.dag_id] for each in after]
    return found


@settings(max_examples=400, deadline=None)
@given(scenes())
def test_nothing_reads_before_what_it_reads_is_right(scene: Scene) -> None:
    house = House()
    runs = build(house, scene)
    plan = house.service.plan(ADA, PlanRequest(runs[0]))
    rerun = submit(house, runs[0])
    scheduler = Scheduler(house)
    scheduler.play(scene.choices)
    found = house.service.rerun(ADA, rerun)
    assert found.rerun.state.value == "succeeded", [vars(one) for one in house.store.members(rerun)]
    lost = any(warning.code == "order_lost" for warning in plan.warnings)
    assert scene.triggers or not lost, "the runs have come to be in some order; what is made starts as a whole"
    members = {one.ref.dag_id for one in house.store.members(rerun)}  # of another Dag a task may have made a run, too
    for before, after in pairs_to_hold(house, scene):
        if not {before[0], after[0]} <= members:
            continue
        ends, starts = scheduler.ended(*before), scheduler.began(*after)
        if ends and starts:
            assert max(ends) < max(starts), f"{after} read before {before} was right: {scheduler.story}"
    for one, number, two, reader in scene.sensors:
        ends, looks = scheduler.ended(f"d{one}", f"t{number}"), scheduler.ended(f"d{two}", f"t{reader}")
        if ends and looks and {f"d{one}", f"d{two}"} <= members:
            assert max(ends) < max(looks), f"t{reader} of d{two} looked before t{number} of d{one} was right"
    early = {ref.dag_id for ref in house.world.dispatches if ref.run_id.startswith("new")}
    # What a run that was made too early has made is made again with it.
    early |= {f"d{dag}" for dag in scene.triggers if early & {f"d{one}" for one in above(scene, dag)}}
    for run in (plan.source, *plan.runs):
        for task in run.task_instances if run.selected else ():
            if task.selected:
                assert len(scheduler.began(run.ref.dag_id, task.task_id)) == (2 if run.ref.dag_id in early else 1)
