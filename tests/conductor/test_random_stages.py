"""Random Dags whose runs read from each other and make each other: nothing reads before what it reads is right."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.plan import Plan, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from tests.conductor.scheduler import Scheduler
from tests.fakes.house import ADA, House


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


@st.composite
def families(draw: st.DrawFn) -> Scene:
    """Runs each made by a task of the one before, whose sensors wait for tasks of any run further up."""
    count = draw(st.integers(3, 5))
    sizes = [draw(st.integers(1, 3)) for _ in range(count)]
    orders = [{(n, n + 1) for n in range(size - 1) if draw(st.booleans())} for size in sizes]
    triggers = {}
    for child in range(1, count):
        parent = child - 1 if draw(st.integers(0, 4)) else draw(st.integers(0, child - 1))
        made = (parent, draw(st.integers(0, sizes[parent] - 1)))
        triggers[child] = (*made, draw(st.integers(0, 2)) > 0, not draw(st.integers(0, 5)))
    sensors = set()
    for _ in range(draw(st.integers(1, 4))):
        two = draw(st.integers(1, count - 1))
        one = draw(st.integers(0, two - 1))
        sensors.add((one, draw(st.integers(0, sizes[one] - 1)), two, draw(st.integers(0, sizes[two] - 1))))
    scene = Scene(orders, sizes, set(), sensors, triggers, draw(st.lists(st.integers(0, 7), min_size=1, max_size=9)))
    assume(possible(scene))
    return scene


def above(scene: Scene, dag: int) -> list[int]:
    """Whose task made a Dag's run, whose made that one, and so on."""
    found = []
    while dag in scene.triggers:
        dag = scene.triggers[dag][0]
        found.append(dag)
    return found


def makers_of(scene: Scene, dag: int) -> set[tuple[int, int]]:
    """The task that made a Dag's run, the one that made that one's, and so on."""
    return {scene.triggers[each][:2] for each in (dag, *above(scene, dag)) if each in scene.triggers}


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


def told(scene: Scene, plan: Plan) -> set[tuple[str, str]]:
    """The pairs of Dags of which the plan says that the second reads before the first is right.

    What starts too early may start once more; what had waited for it has read it by then.
    """
    found = set()
    for warning in plan.warnings:
        if warning.code == "order_lost":
            found |= {(str(upstream), str(warning.dag_id)) for upstream in warning.dag_ids}
            found |= {(str(warning.dag_id), f"d{one}") for one in above(scene, int(str(warning.dag_id)[1:]))}
    return found


FURTHER_UP = Scene(
    orders=[set(), {(1, 2)}, set(), set(), set()],
    sizes=[1, 3, 2, 1, 1],
    assets=set(),
    sensors={(2, 0, 4, 0)},
    triggers={1: (0, 0, False, True), 2: (1, 1, True, False), 3: (2, 1, True, True), 4: (3, 0, True, True)},
    choices=[0, 1],
)
"""Who made the run that is made too early has no task after it that reads; who made the one further up has."""

THE_MAKER_ITSELF = Scene(
    orders=[{(0, 1)}, set(), set(), set()],
    sizes=[2, 1, 2, 2],
    assets=set(),
    sensors={(1, 0, 3, 0)},
    triggers={1: (0, 0, False, False), 2: (1, 0, True, True), 3: (2, 0, False, True)},
    choices=[2],
)
"""What makes the sensor's run, by another one, waits for that: it isn't right yet when the sensor looks."""


@settings(max_examples=400, deadline=None)
@example(FURTHER_UP)
@example(THE_MAKER_ITSELF)
@given(st.one_of(scenes(), families()))
def test_nothing_reads_before_what_it_reads_is_right(scene: Scene) -> None:
    house = House()
    runs = build(house, scene)
    plan = house.service.plan(ADA, PlanRequest(runs[0]))
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(runs[0]))).rerun.id
    scheduler = Scheduler(house)
    scheduler.play(scene.choices)
    found = house.service.rerun(ADA, rerun)
    lost = told(scene, plan)
    failed = {one.state_reason for one in house.store.members(rerun) if one.state is MemberState.FAILED}
    if lost and failed == {"not_proven"}:
        event("an order is lost, and the proof has found who read too early")
        return
    assert found.rerun.state.value == "succeeded", [vars(one) for one in house.store.members(rerun)]
    event("an order is lost" if lost else "every order is kept")
    if any(one in above(scene, two) for one, _, two, _ in scene.sensors):
        event("a run waits for one further up" + (", and an order is lost" if lost else ""))
    assert scene.triggers or not lost, "the runs have come to be in some order; what is made starts as a whole"
    members = {one.ref.dag_id for one in house.store.members(rerun)}  # of another Dag a task may have made a run, too
    for before, after in pairs_to_hold(house, scene):
        if not {before[0], after[0]} <= members or (before[0], after[0]) in lost:
            continue
        ends, starts = scheduler.ended(*before), scheduler.began(*after)
        if ends and starts:
            assert max(ends) < max(starts), f"{after} read before {before} was right: {scheduler.story}"
    for one, number, two, reader in scene.sensors:
        if (one, number) in makers_of(scene, two) or (f"d{one}", f"d{two}") in lost:
            continue  # what a task makes is there when it runs
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
