"""Runs in stages, with an honest scheduler: nothing reads before what it reads is right."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from tests.conductor.scheduler import Scheduler
from tests.fakes.house import ADA, House


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

    @pytest.mark.parametrize("retried", ["before", "after"])
    def test_a_run_that_was_deleted_after_a_stage_is_missed_by_who_has_to_read_that_once_more(
        self, house: House, retried: str
    ) -> None:
        parent = parent_with_child(house)
        rerun = submit(house, parent)
        house.tick()
        house.world.finish(parent, at=house.clock.now())
        house.tick()
        child = member(house, rerun, "child")
        house.world.finish(child.ref, "failed", at=house.clock.now())
        if retried == "after":
            house.world.delete(parent)
        house.tick()
        house.service.resume(ADA, rerun)
        if retried == "before":
            house.world.delete(parent)
        for _ in range(3):
            house.tick()
        found = {one.ref.dag_id: (one.state.value, one.state_reason) for one in house.store.members(rerun)}
        assert found["parent"] == ("failed", "run_gone")
        assert house.service.rerun(ADA, rerun).rerun.state.value == "failed"

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

    @pytest.mark.parametrize("dispatched", [False, True])
    def test_a_stage_of_which_nothing_is_left_is_listed_and_the_next_one_goes(
        self, house: House, dispatched: bool
    ) -> None:
        """Its Dag may drop it before the stage is dispatched, or after. The child goes on reading it."""
        parent = parent_with_child(house)
        rerun = submit(house, parent)
        if dispatched:
            house.tick()
            house.world.set_run(parent, state="success")
        house.world.set_tasks(parent, "removed", only=["prepare"])
        self.ends_with(house, rerun, ["child.t", "parent.report"], "prepare", [("child", "t"), ("parent", "report")])

    def test_a_last_stage_of_which_nothing_is_left_is_listed(self, house: House) -> None:
        parent = parent_with_child(house)
        rerun = submit(house, parent)
        house.tick()
        house.world.set_tasks(parent, "removed", only=["report"])
        self.ends_with(house, rerun, ["parent.prepare", "child.t"], "report", [])

    def ends_with(self, house: House, rerun: int, runs: list[str], dropped: str, on_top: list[tuple[str, str]]) -> None:
        scheduler = Scheduler(house)
        scheduler.play([0])
        assert ran(scheduler) == runs
        assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"
        assert member(house, rerun, "parent").state_reason == "task_gone_in_latest"
        listed = {(one.ref.dag_id, what.task_id): what.reason for one, what in house.store.not_made_anew(rerun)}
        assert listed == {("parent", dropped): "task_gone_in_latest"} | dict.fromkeys(on_top, "rebuilt_on_polluted")
        assert "member_failed" not in {event.action for event in house.store.events(rerun)}

    def test_where_nothing_of_any_stage_is_left_it_fails(self, house: House) -> None:
        parent = parent_with_child(house)
        rerun = submit(house, parent)
        house.world.set_tasks(parent, "removed", only=["prepare", "report"])
        Scheduler(house).play([0])
        found = member(house, rerun, "parent")
        assert (found.state, found.state_reason) == (MemberState.FAILED, "task_gone")

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
                house.store.next_stage(one.id, before=one.state, stage=0, clear_number=number, ends=[house.clock.now()])
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


@pytest.mark.parametrize("tasks", [frozenset({"fire"}), frozenset()])
@pytest.mark.parametrize("waits", [True, False])
def test_who_waits_for_a_task_that_waited_for_its_run_comes_after_that(
    house: House, tasks: frozenset[str], waits: bool
) -> None:
    """The triggering task itself doesn't run again: what it made is rerun in its place."""
    world = house.world
    world.dag("parent", "prepare >> fire")
    world.dag("looker", "wait >> use")
    parent = world.run("parent")
    world.trigger_task("parent", "fire", "child", waits=waits)
    world.made(parent, "fire", world.run("child", run_type="operator_triggered", online=True, day=3))
    looker = world.run("looker")
    world.sensors.append(SensorDefinition("looker", "wait", "parent", task_ids=tasks, offset_known=True))
    rerun = submit(house, parent)
    members = {one.ref.dag_id: one for one in house.store.members(rerun)}
    assert (members["child"].id in {gate.member for gate in members["looker"].gates}) == waits
    assert looker in {one.ref for one in members.values()}


@pytest.mark.parametrize("waits", [True, False])
def test_a_run_made_behind_a_task_that_waited_for_its_own_comes_after_that(house: House, waits: bool) -> None:
    world = house.world
    world.dag("parent", "prepare >> fire >> go")
    parent = world.run("parent")
    for task_id, child in (("fire", "first"), ("go", "second")):
        world.trigger_task("parent", task_id, child, one_run=True, waits=waits)
        world.made(parent, task_id, world.run(child, run_type="operator_triggered", online=True, day=3))
    rerun = submit(house, parent)
    gates = {gate.member for gate in member(house, rerun, "second").gates}
    assert (member(house, rerun, "first").id in gates) == waits


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


def three_generations(house: House, *, reads: str, made: bool) -> RunRef:
    """Runs each made by the one before, which waits; the last one has a sensor for a task of the first."""
    world = house.world
    world.dag("first", "load >> fire; beside")
    world.dag("second", "go >> report")
    world.dag("third", "wait")
    world.dag("origin", "start >> check")
    kind = {"run_type": "operator_triggered", "online": True}
    runs = {name: world.run(name, **({} if name == "first" and not made else kind)) for name in ("first", "second")}
    runs |= {"third": world.run("third", **kind), "origin": world.run("origin")}
    makers = [("first", "fire", "second"), ("second", "go", "third"), *([("origin", "start", "first")] if made else [])]
    for parent, task_id, child in makers:
        world.trigger_task(parent, task_id, child, waits=True)
        world.made(runs[parent], task_id, runs[child])
    world.sensors.append(SensorDefinition("third", "wait", "first", task_ids=frozenset({reads}), offset_known=True))
    return runs["origin" if made else "first"]


class TestASensorForARunFurtherUp:
    @pytest.mark.parametrize("reads", ["load", "beside"])
    def test_its_run_is_made_once(self, house: House, reads: str) -> None:
        rerun = submit(house, three_generations(house, reads=reads, made=False))
        scheduler = Scheduler(house)
        scheduler.play([0])
        assert ran(scheduler).count("third.wait") == 1
        assert ran(scheduler)[-2:] == ["third.wait", "second.report"]
        assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"

    @pytest.mark.parametrize(("reads", "lost"), [("load", []), ("beside", [("third", {"first"})])])
    def test_of_a_run_that_is_made_itself_what_stands_beside_the_making_task_is_told(
        self, house: House, reads: str, lost: list[tuple[str, set[str]]]
    ) -> None:
        origin = three_generations(house, reads=reads, made=True)
        plan = house.service.plan(ADA, PlanRequest(origin))
        warnings = [each for each in plan.warnings if each.code == "order_lost"]
        assert [(each.dag_id, set(each.dag_ids)) for each in warnings] == lost
        assert all(run.selected for run in plan.runs), "Airflow starts them all the same"
