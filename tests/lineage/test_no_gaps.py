"""No gaps: triggers in the middle, waiting triggers, stages, and an order that is lost is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.order import Order
from airflow_rerun_downstream.domain.plan import Plan
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.lineage.ordering import order_of
from airflow_rerun_downstream.lineage.polluted_rebuilds import rebuilt_on_polluted
from tests.fakes.world import World
from tests.lineage.planning import codes, links, plan, selected


@pytest.fixture
def world() -> World:
    return World()


def child_of(world: World, parent: RunRef, task_id: str, dag_id: str = "child", **how: bool) -> RunRef:
    """A run that a task has made."""
    world.trigger_task(parent.dag_id, task_id, dag_id, **how)
    child = world.run(dag_id, run_type="operator_triggered", online=True, day=0.5)
    world.made(parent, task_id, child)
    return child


def reasons(found: Plan, ref: RunRef) -> dict[str, str | None]:
    run = found.run(ref)
    assert run is not None
    return {task.task_id: task.reason for task in run.task_instances}


def order(found: Plan) -> Order:
    chosen = {run.ref: run.tasks for run in (found.source, *found.runs) if run.selected}
    return order_of(found, chosen, rerun_source=found.source.selected)


def stages(found: Plan) -> dict[str, list[list[str]]]:
    """The runs that are rerun in stages, by Dag."""
    every = order(found).stages
    return {ref.dag_id: [[str(t) for t in one.tasks] for one in some] for ref, some in every.items() if len(some) > 1}


def waves(found: Plan) -> list[list[str]]:
    """What goes when: Dags, with the number of the stage where there are several."""
    places: dict[int, list[str]] = {}
    for ref, some in order(found).stages.items():
        for number, one in enumerate(some):
            places.setdefault(one.depth, []).append(ref.dag_id + (str(number) if len(some) > 1 else ""))
    return [sorted(places[depth]) for depth in sorted(places)]


@pytest.mark.parametrize(
    ("count", "named"), [(1, "t0"), (5, "t0, t1, t2, t3, t4"), (7, "t0, t1, t2, t3, t4 and 2 more")]
)
def test_of_many_tasks_a_few_are_named_in_a_sentence(world: World, count: int, named: str) -> None:
    """The tasks between two selected ones, which a person has left out."""
    world.dag("a", "; ".join(f"first >> t{number} >> last" for number in range(count)))
    source = world.run("a")
    (told,) = [
        one.detail
        for one in plan(world, source, tasks=(TaskRef("first"), TaskRef("last"))).warnings
        if one.code == "order_lost"
    ]
    assert told == (
        f"last of {source} won't wait for first: {named} between them isn't selected, so that Airflow starts last at "
        "once."
    )


class TestTriggers:
    def test_what_an_earlier_task_has_made_and_waited_for_is_right_by_then(self, world: World) -> None:
        """The second child reads from the first: its maker waits for that anyway, and the parent stays whole."""
        world.dag("parent", "one >> two >> last")
        parent = world.run("parent")
        first = child_of(world, parent, "one", "first", waits=True)
        second = child_of(world, parent, "two", "second", waits=True)
        world.consumed(first, "t", by=second)
        found = plan(world, parent)
        assert [str(task) for task in found.source.tasks] == ["last", "one", "two"]
        assert (stages(found), "order_lost" in codes(found)) == ({}, False)

    def test_a_run_that_had_made_the_source_comes_after_it(self, world: World) -> None:
        """It has read from its child, by an asset that it waits for as a whole; the child isn't made again."""
        world.dag("parent", "prepare >> fire; other")
        parent = world.run("parent")
        source = child_of(world, parent, "fire")
        world.consumed(source, "t", by=parent)
        found = plan(world, source)
        assert selected(found) == {"parent": ["other", "prepare"]}
        assert "order_lost" not in codes(found)
        assert waves(found) == [["child"], ["parent"]]

    def test_one_in_the_middle_runs_again_and_its_run_is_adopted(self, world: World) -> None:
        world.dag("parent", "prepare >> fire >> publish")
        parent = world.run("parent")
        child_of(world, parent, "fire")
        found = plan(world, parent)
        assert [str(task) for task in found.source.tasks] == ["fire", "prepare", "publish"]
        assert stages(found) == {}
        assert codes(found) == ["makes_a_new_run"]

    def test_one_at_the_end_is_left_out_in_favour_of_its_run(self, world: World) -> None:
        world.dag("parent", "prepare >> publish >> fire")
        parent = world.run("parent")
        child_of(world, parent, "fire")
        found = plan(world, parent)
        assert [str(task) for task in found.source.tasks] == ["prepare", "publish"]
        assert selected(found) == {"child": ["t"]}
        assert waves(found) == [["parent"], ["child"]]
        assert codes(found) == []

    def test_a_python_task_that_made_a_run_is_never_left_out(self, world: World) -> None:
        world.dag("parent", "prepare >> code")
        parent = world.run("parent")
        world.triggered.append((parent, "code", world.run("child", run_type="operator_triggered", online=True)))
        found = plan(world, parent)
        assert links(found) == {("parent", "child", "trigger", "recorded")}
        assert [str(task) for task in found.source.tasks] == ["code", "prepare"]

    @pytest.mark.parametrize("waits", [True, False])
    def test_one_that_can_make_one_run_only_cuts_the_run_into_stages(self, world: World, waits: bool) -> None:
        world.dag("parent", "prepare >> fire >> publish")
        parent = world.run("parent")
        child = child_of(world, parent, "fire", one_run=True, waits=waits)
        found = plan(world, parent)
        assert [str(task) for task in found.source.tasks] == ["prepare", "publish"]
        assert reasons(found, parent)["fire"] == "makes_one_run"
        assert stages(found) == {"parent": [["prepare"], ["publish"]]}
        assert waves(found) == [["parent0"], ["child"], ["parent1"]]
        assert codes(found) == ["in_stages"]
        assert found.run(child) is not None

    def test_one_whose_run_cannot_be_adopted_cuts_the_run_too(self, world: World) -> None:
        """The run that it made goes on: another one beside it would read and write at the same time."""
        world.dag("parent", "prepare >> fire >> publish")
        parent = world.run("parent")
        child = child_of(world, parent, "fire")
        world.set_run(child, state="running")
        found = plan(world, parent)
        assert [str(task) for task in found.source.tasks] == ["prepare", "publish"]
        assert stages(found) == {"parent": [["prepare"], ["publish"]]}

    @pytest.mark.parametrize("order", ["prepare >> fire", "prepare >> fire >> publish"])
    def test_one_of_whose_run_nothing_tells_any_more_is_an_open_edge(self, world: World, order: str) -> None:
        world.dag("parent", order)
        world.trigger_task("parent", "fire", "child")
        found = plan(world, world.run("parent"))
        assert "fire" not in [str(task) for task in found.source.tasks]
        assert links(found) == {("parent", "child", "trigger", "unresolved")}
        assert [(one.dag_id, one.code) for one in found.warnings if one.code == "unresolved_link"] == [
            ("child", "unresolved_link")
        ]

    def test_one_that_failed_runs_again(self, world: World) -> None:
        world.dag("parent", "prepare >> fire")
        parent = world.run("parent", state="failed", task_states={"prepare": "success"})
        child_of(world, parent, "fire", waits=True)
        assert [str(task) for task in plan(world, parent).source.tasks] == ["fire"]


class TestControllers:
    def test_a_single_trigger(self, world: World) -> None:
        world.dag("control", "fire")
        control = world.run("control")
        child_of(world, control, "fire")
        found = plan(world, control)
        assert (found.source.tasks, found.source.reason) == ((), "only_triggers")
        assert found.source.can_be_source
        assert selected(found) == {"child": ["t"]}
        assert codes(found) == []

    def test_several_without_followers(self, world: World) -> None:
        world.dag("control", "one; two")
        control = world.run("control")
        child_of(world, control, "one", "a")
        child_of(world, control, "two", "b")
        assert plan(world, control).source.tasks == ()
        assert selected(plan(world, control)) == {"a": ["t"], "b": ["t"]}

    def test_with_followers_its_triggers_run(self, world: World) -> None:
        world.dag("control", "go_a >> go_b >> report")
        control = world.run("control")
        child_of(world, control, "go_a", "a", waits=True)
        child_of(world, control, "go_b", "b", waits=True)
        found = plan(world, control)
        assert [str(task) for task in found.source.tasks] == ["go_a", "go_b", "report"]
        assert selected(found) == {"a": ["t"], "b": ["t"]}
        assert stages(found) == {}

    def test_a_controller_in_the_middle_is_no_member_and_nothing_is_lost(self, world: World) -> None:
        world.dag("control", "fire")
        source, control = world.run("up"), world.run("control", run_type="asset_triggered")
        world.consumed(source, "t", by=control)
        child_of(world, control, "fire")
        found = plan(world, source)
        assert selected(found) == {"child": ["t"]}
        planned = found.run(control)
        assert planned is not None
        assert (planned.selectable, planned.reason) == (False, "only_triggers")
        assert waves(found) == [["up"], ["child"]]
        assert codes(found) == []


class TestWaiting:
    def test_what_follows_a_waiting_trigger_reads_the_run_that_it_made(self, world: World) -> None:
        """With the child as the source: wrong data comes through the trigger, which isn't wrong itself."""
        world.dag("control", "go_a >> go_b >> report")
        control = world.run("control")
        first = child_of(world, control, "go_a", "a", waits=True)
        child_of(world, control, "go_b", "b", waits=True)
        found = plan(world, first)
        assert selected(found) == {"control": ["go_b", "report"], "b": ["t"]}
        assert links(found) == {("a", "control", "trigger", "recorded"), ("control", "b", "trigger", "recorded")}
        assert waves(found) == [["a"], ["control"], ["b"]]
        assert stages(found) == {}

    def test_nothing_has_read_what_a_last_trigger_waited_for(self, world: World) -> None:
        world.dag("control", "go")
        control = world.run("control")
        child = child_of(world, control, "go", waits=True)
        assert selected(plan(world, child)) == {}
        assert links(plan(world, child)) == set()

    @pytest.mark.parametrize("parent", ["go >> report", "go", "go, by hand"])
    @pytest.mark.parametrize("by", ["sensor", "sensor of the whole run", "asset"])
    def test_who_reads_a_task_that_waited_for_the_source_reads_the_source(
        self, world: World, parent: str, by: str
    ) -> None:
        """The task has ended because the run that it made had: what it tells others, it tells of that run."""
        parent, _, by_hand = parent.partition(", ")
        world.dag("control", parent)
        control = world.run("control", run_type="manual" if by_hand else "scheduled")
        child = child_of(world, control, "go", waits=True)
        other = child_of(world, control, "go", "other", waits=True)
        reader = world.run("reader", run_type="asset_triggered" if by == "asset" else "scheduled")
        if by != "asset":
            known = {"offset_known": True, "task_ids": frozenset({"go"} if by == "sensor" else ())}
            world.sensors.append(SensorDefinition("reader", "t", "control", **known))  # type: ignore[arg-type]
        else:
            world.consumed(control, "go", by=reader)
        found = plan(world, child)
        assert selected(found) == {"reader": ["t"], **({"control": ["report"]} if "report" in parent else {})}
        assert found.run(other) is None
        assert waves(found)[0] == ["child"]
        assert any("reader" in wave for wave in waves(found)[1:])
        assert codes(found) == []
        assert list(rebuilt_on_polluted(found, {run.ref: run.tasks for run in found.runs if run.selected})) == []
        if parent == "go" and not by_hand:
            planned = found.run(control)
            assert planned is not None
            assert (planned.selectable, planned.reason) == (False, "only_triggers")

    @pytest.mark.parametrize("middle", ["go", "work >> go"])
    def test_who_reads_a_run_that_has_waited_for_another_reads_that_too(self, world: World, middle: str) -> None:
        """What follows the task that made the run, and who reads that task."""
        world.dag("parent", "prepare >> fire >> publish")
        world.dag("child", middle)
        parent = world.run("parent")
        child = child_of(world, parent, "fire", one_run=True, waits=True)
        other = child_of(world, child, "go", "other", waits=True)
        reader = world.run("reader", run_type="asset_triggered")
        world.consumed(parent, "fire", by=reader)
        found = plan(world, parent)
        assert selected(found) == {
            "other": ["t"],
            "reader": ["t"],
            **({"child": ["work"]} if "work" in middle else {}),
        }
        depth = {ref: [one.depth for one in some] for ref, some in order(found).stages.items()}
        assert depth[other][0] < depth[parent][1]
        assert depth[other][0] < depth[reader][0]

    def test_without_waiting_nothing_is_read(self, world: World) -> None:
        world.dag("control", "go >> report")
        control = world.run("control")
        assert selected(plan(world, child_of(world, control, "go"))) == {}

    def test_a_parent_waits_for_what_the_run_that_it_makes_reads(self, world: World) -> None:
        world.dag("parent", "prepare >> fire >> publish")
        source, parent, slow = world.run("up"), world.run("parent", run_type="asset_triggered"), world.run("slow")
        world.consumed(source, "t", by=parent)
        world.consumed(source, "t", by=slow, asset="slow")
        child = child_of(world, parent, "fire")
        world.consumed(slow, "t", by=child, asset="child")
        found = plan(world, source)
        assert waves(found) == [["up"], ["slow"], ["parent"], ["child"]]
        assert stages(found) == {}

    def test_where_that_hangs_on_the_parent_itself_it_runs_in_stages(self, world: World) -> None:
        world.dag("parent", "prepare >> fire >> publish")
        parent = world.run("parent")
        slow = world.run("slow")
        world.consumed(parent, "prepare", by=slow)
        child = child_of(world, parent, "fire")
        world.consumed(slow, "t", by=child, asset="child")
        found = plan(world, parent)
        assert stages(found) == {"parent": [["prepare"], ["fire", "publish"]]}
        assert waves(found) == [["parent0"], ["slow"], ["parent1"], ["child"]]

    def test_a_sensor_back_looks_at_the_run_only_when_that_is_right(self, world: World) -> None:
        world.dag("parent", "fire >> wait >> report")
        parent = world.run("parent")
        child = child_of(world, parent, "fire")
        world.set_run(child, logical_date=world.runs[parent].logical_date)
        world.sensors.append(SensorDefinition("parent", "wait", "child", offset_known=True))
        found = plan(world, parent)
        assert stages(found) == {"parent": [["fire"], ["report", "wait"]]}
        assert waves(found) == [["parent0"], ["child"], ["parent1"]]


class TestCircles:
    def test_asset_out_and_sensor_back_are_ordered_by_their_tasks(self, world: World) -> None:
        world.dag("a", "load >> check")
        source, other = world.run("a"), world.run("b")
        world.consumed(source, "load", by=other)
        world.sensors.append(SensorDefinition("a", "check", "b", offset_known=True))
        found = plan(world, source)
        assert stages(found) == {"a": [["load"], ["check"]]}
        assert waves(found) == [["a0"], ["b"], ["a1"]]
        assert codes(found) == ["in_stages"]

    def test_tasks_that_stand_beside_each_other_are_split_too(self, world: World) -> None:
        """a.x → b.x and b.y → a.y: no run can go first as a whole."""
        world.dag("a", "x; y")
        world.dag("b", "x; y")
        source, one, two = world.run("up"), world.run("a"), world.run("b")
        for each in (one, two):
            world.consumed(source, "t", by=each, asset=each.dag_id)
        world.sensors.append(SensorDefinition("b", "x", "a", task_ids=frozenset({"x"}), offset_known=True))
        world.sensors.append(SensorDefinition("a", "y", "b", task_ids=frozenset({"y"}), offset_known=True))
        found = plan(world, source)
        assert stages(found) == {"a": [["x"], ["y"]]}
        assert waves(found) == [["up"], ["a0"], ["b"], ["a1"]]

    def test_what_no_order_can_keep_is_told_and_not_selected_by_default(self, world: World) -> None:
        source, one, two = world.run("up"), world.run("a"), world.run("b")
        world.consumed(source, "t", by=one)
        world.consumed(one, "t", by=two, asset="1")
        world.consumed(two, "t", by=one, asset="2")
        found = plan(world, source)
        assert selected(found) == {"b": ["t"]}
        (lost,) = (one for one in found.warnings if one.code == "order_lost")
        assert (lost.dag_id, lost.task_id) == ("a", "t")
        assert "t of a /" in lost.detail
        assert "t of b /" in lost.detail
        assert [one.dag_id for one in found.warnings if one.code == "stays_polluted"] == ["a"]

    def test_a_source_stays_selected_and_the_other_one_is_not(self, world: World) -> None:
        source, other = world.run("a"), world.run("b")
        world.consumed(source, "t", by=other, asset="1")
        world.consumed(other, "t", by=source, asset="2")
        found = plan(world, source)
        assert selected(found) == {}
        assert codes(found) == ["stays_polluted", "rebuilt_on_polluted", "order_lost"]

    def test_what_a_source_that_is_right_has_read_does_not_matter(self, world: World) -> None:
        source, other = world.run("a"), world.run("b")
        world.consumed(source, "t", by=other, asset="1")
        world.consumed(other, "t", by=source, asset="2")
        assert selected(plan(world, source, rerun_source=False)) == {"b": ["t"]}


class TestGapsOfAPerson:
    def test_both_tasks_are_named(self, world: World) -> None:
        world.dag("a", "first >> middle >> last")
        found = plan(world, world.run("a"), tasks=(TaskRef("first"), TaskRef("last")))
        (lost,) = (one for one in found.warnings if one.code == "order_lost")
        assert (lost.dag_id, lost.task_id) == ("a", "last")
        assert all(name in lost.detail for name in ("first", "middle", "last"))

    def test_there_is_none_where_a_selected_way_leads_around(self, world: World) -> None:
        world.dag("a", "first >> middle >> last; first >> other >> last")
        tasks = (TaskRef("first"), TaskRef("other"), TaskRef("last"))
        assert "order_lost" not in codes(plan(world, world.run("a"), tasks=tasks))

    def test_airflow_keeps_a_task_behind_its_setup(self, world: World) -> None:
        world.dag("a", "open >> middle >> last >> close; open >> close", setup="open", teardown="close")
        found = plan(world, world.run("a"), tasks=(TaskRef("last"),))
        assert [str(task) for task in found.source.tasks] == ["close", "last", "open"]
        assert "order_lost" not in codes(found)


@st.composite
def runs_with_triggers(draw: st.DrawFn) -> tuple[int, set[tuple[int, int]], dict[int, tuple[bool, bool]], set[int]]:
    size = draw(st.integers(2, 7))
    nodes = st.integers(0, size - 1)
    pairs = draw(st.sets(st.tuples(nodes, nodes), max_size=2 * size))
    how = st.tuples(st.booleans(), st.booleans())
    triggers = draw(st.dictionaries(nodes, how, min_size=1, max_size=3))
    return size, {(min(p), max(p)) for p in pairs if p[0] != p[1]}, triggers, draw(st.sets(nodes))


def behind(edges: set[tuple[int, int]], start: int, through: set[int]) -> set[int]:
    """The oracle: what can be reached from a task, where only ``through`` is passed."""
    found, queue = set[int](), [start]
    while queue:
        here = queue.pop()
        for two in {two for one, two in edges if one == here} - found:
            found.add(two)
            if two in through:
                queue.append(two)
    return found


@settings(max_examples=400, deadline=None)
@given(runs_with_triggers(), st.booleans())
def test_no_selected_task_overtakes_another_unless_that_is_told(
    scene: tuple[int, set[tuple[int, int]], dict[int, tuple[bool, bool]], set[int]], by_hand: bool
) -> None:
    size, edges, triggers, named = scene
    world = World()
    world.dag("a", "; ".join([*(f"{one} >> {two}" for one, two in sorted(edges)), *map(str, range(size))]))
    source = world.run("a")
    for number, (waits, one_run) in triggers.items():
        child_of(world, source, str(number), f"child{number}", waits=waits, one_run=one_run)
    asked = tuple(TaskRef(str(number)) for number in sorted(named)) if by_hand and named else None
    found = plan(world, source, tasks=asked)
    chosen = {int(str(task)) for task in found.source.tasks}
    parts = order(found).stages.get(source, ())
    stage = {int(str(task)): number for number, part in enumerate(parts) for task in part.tasks}
    told = {(int(one.task_id or -1)) for one in found.warnings if one.code == "order_lost"}
    everything = set(range(size))
    for one in chosen:
        kept = behind(edges, one, chosen) & chosen
        for two in (behind(edges, one, everything) & chosen) - kept:
            assert stage[one] < stage[two] or two in told or told & behind(edges, one, everything)
        assert all(stage[one] <= stage[two] for two in kept)
    if asked is None:
        assert not told
        assert everything - chosen <= set(triggers)


@pytest.mark.parametrize(("parent", "told"), [("go >> report", True), ("report >> go", False)])
def test_a_task_that_may_have_waited_for_the_source_is_listed_if_something_follows_it(
    world: World, parent: str, told: bool
) -> None:
    """Also where nothing else leads to its Dag."""
    world.dag("parent", parent)
    world.run("parent")
    world.trigger_task("parent", "go", "child", waits=True)
    child = world.run("child", run_type="operator_triggered", online=True)
    found = plan(world, child)
    assert [link.to_task_id for link in found.links if link.downstream.dag_id == "parent"] == (["go"] if told else [])
