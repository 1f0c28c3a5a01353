"""What is made anew on top of a member that a person lets go is named, with that member's run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind, PlanRequest
from airflow_rerun_downstream.domain.rebuilt import reads, rebuilt
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from tests.fakes.house import ADA, House

Named = tuple[str, str | None, str, str | None, str | None]


class Chain:
    """source > middle > end > last; `end` has a task beside the one that reads."""

    def __init__(self) -> None:
        self.house = House()
        world = self.house.world
        world.dag("end", "read >> publish; beside")
        self.runs = {name: world.run(name) for name in ("source", "middle", "end", "last")}
        world.consumed(self.runs["source"], "t", by=self.runs["middle"], asset="a")
        tasks = frozenset({"t"})
        world.sensors.append(SensorDefinition("end", "read", "middle", task_ids=tasks, offset_known=True))
        world.consumed(self.runs["end"], "publish", by=self.runs["last"], asset="c")
        self.rerun = self.house.service.submit(ADA, RerunRequest(PlanRequest(self.runs["source"]))).rerun.id

    def finish(self, dag_id: str, state: str = "success") -> None:
        self.house.world.finish(self.runs[dag_id], state, at=self.house.clock.now())
        self.house.tick()
        self.house.tick()

    def named(self) -> list[Named]:
        found, total = self.house.service.not_made_anew(ADA, self.rerun, limit=50, offset=0)
        assert total == len(found) == self.house.service.rerun(ADA, self.rerun).not_made_anew
        return [
            (one.ref.dag_id, one.task_id, one.reason, one.accepted_by, one.because_of and one.because_of.dag_id)
            for one in found
        ]

    def skip(self, dag_id: str) -> None:
        (member,) = [one for one in self.house.store.members(self.rerun) if one.ref.dag_id == dag_id]
        assert member.state is MemberState.FAILED
        self.house.service.skip(ADA, self.rerun, member.id)
        self.house.tick()

    def play(self) -> None:
        for dag_id in ("end", "last"):
            self.finish(dag_id)
        assert self.house.service.rerun(ADA, self.rerun).rerun.state.value == "succeeded"


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.house.tick()
    chain.finish("source")
    return chain


SKIPPED: Named = ("middle", "t", "skipped_by_user", "ada", None)
ON_TOP: list[Named] = [
    ("end", "publish", "rebuilt_on_polluted", "ada", "middle"),
    ("end", "read", "rebuilt_on_polluted", "ada", "middle"),
    ("last", "t", "rebuilt_on_polluted", "ada", "middle"),
]


def test_of_the_readers_of_a_skipped_member_what_reads_it_directly_or_through_others(chain: Chain) -> None:
    chain.finish("middle", "failed")
    chain.skip("middle")
    chain.play()
    assert chain.named() == [SKIPPED, *ON_TOP]


def test_of_a_skipped_member_what_ran_again_behind_what_it_lacks(chain: Chain) -> None:
    chain.finish("middle")
    now = chain.house.clock.now()
    chain.house.world.set_tasks(chain.runs["end"], "success", only={"publish", "beside"}, at=now)
    chain.finish("end", "failed")
    chain.skip("end")
    chain.finish("last")
    assert chain.named() == [
        ("end", "read", "skipped_by_user", "ada", None),
        ("end", "publish", "rebuilt_on_polluted", "ada", "end"),
        ("last", "t", "rebuilt_on_polluted", "ada", "end"),
    ]


def test_of_the_readers_of_what_was_marked_too(chain: Chain) -> None:
    chain.finish("middle", "failed")
    chain.house.world.mark_tasks(chain.runs["middle"], "success", only={"t"}, by="bob")
    chain.house.tick()
    chain.play()
    assert {(one[0], one[2], one[3]) for one in chain.named()} == {
        ("middle", "marked_success", "bob"),
        ("end", "rebuilt_on_polluted", "bob"),
        ("last", "rebuilt_on_polluted", "bob"),
    }


def skipped_this_time(house: House, mid: RunRef) -> None:
    """`middle`'s other task runs, t skips itself."""
    house.world.set_tasks(mid, "success", only={"more"}, at=house.clock.now())
    house.world.skip_itself(mid, "t", at=house.clock.now())


def failed_in_teardown(house: House, mid: RunRef) -> None:
    """`middle`'s other task runs, its teardown t fails."""
    house.world.set_tasks(mid, "success", only={"more"}, at=house.clock.now())
    house.world.set_tasks(mid, "failed", only={"t"}, at=house.clock.now())


@pytest.mark.parametrize(
    ("teardown", "held", "ends", "reason", "on_top"),
    [
        ("", True, skipped_this_time, "tasks_skipped", True),
        ("t", True, failed_in_teardown, "tolerated", True),
        ("t", False, failed_in_teardown, "tolerated", False),  # there was nothing of its to read
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_of_the_readers_of_what_was_skipped_or_tolerated_and_is_still_there(
    teardown: str, held: bool, ends: Callable[[House, RunRef], None], reason: str, on_top: bool, whole: bool
) -> None:
    """By the task itself, and by the run as a whole."""
    house = House()
    house.world.dag("middle", "more; t", teardown=teardown)
    middle = house.world.run("middle", task_states={} if held else {"t": "failed"})
    house.world.dag("end", "wait >> read")
    end, last = house.world.run("end"), house.world.run("last")
    tasks = frozenset() if whole else frozenset({"more", "t"})
    house.world.sensors.append(SensorDefinition("end", "wait", "middle", task_ids=tasks, offset_known=True))
    house.world.consumed(end, "read", by=last)
    request = PlanRequest(middle, tasks=(TaskRef("more"), TaskRef("t")))
    house.service.submit(ADA, RerunRequest(request))
    house.tick()
    ends(house, middle)
    house.world.set_run(middle, state="success")
    for ref in (end, last):
        house.tick()
        house.world.finish(ref, at=house.clock.now())
    house.tick()
    assert house.service.rerun(ADA, 1).rerun.state.value == "succeeded"
    found = [(member.ref.dag_id, what.task_id, what.reason) for member, what in house.store.not_made_anew(1)]
    rebuilt = [("end", "read"), ("end", "wait"), ("last", "t")]
    assert found == [("middle", "t", reason), *((*one, "rebuilt_on_polluted") for one in rebuilt if on_top)]


def marked(house: House, ref: RunRef) -> None:
    """Somebody sets `old` to success before it has begun."""
    house.world.mark_tasks(ref, "success", only={"old"}, by="bob")


def failed(house: House, ref: RunRef) -> None:
    """`old` runs and fails."""
    house.world.set_tasks(ref, "failed", only={"old"}, at=house.clock.now())


@pytest.mark.parametrize(("becomes", "on_top"), [(marked, True), (failed, True), (lambda *_: None, False)])
@pytest.mark.parametrize("known", [False, True])
def test_of_the_readers_of_what_its_dag_has_dropped_after_they_may_have_read_it(
    becomes: Callable[[House, RunRef], None], on_top: bool, known: bool
) -> None:
    """In its own run and in others; what hadn't come to anything, nobody has read. ``known``: which task followed it is
    still known.
    """
    house = House()
    house.world.dag("middle", "old >> new; beside")
    middle = house.world.run("middle")
    house.world.dag("end", "read >> publish")
    end = house.world.run("end")
    house.world.consumed(middle, "new", by=end)
    house.service.submit(ADA, RerunRequest(PlanRequest(middle)))
    house.tick()
    becomes(house, middle)
    house.world.set_tasks(middle, "removed", only={"old"})
    if not known:
        house.world.dag("middle", "new; beside")
    for ref in (middle, end):
        house.world.finish(ref, at=house.clock.now())
        house.tick()
        house.tick()
    assert house.service.rerun(ADA, 1).rerun.state.value == "succeeded"
    found = [(member.ref.dag_id, what.task_id, what.reason) for member, what in house.store.not_made_anew(1)]
    rebuilt = [("middle", "new"), ("end", "publish"), ("end", "read")]
    rebuilt[:0] = [] if known else [("middle", "beside")]
    assert found == [
        ("middle", "old", "task_gone_in_latest"),
        *((*one, "rebuilt_on_polluted") for one in rebuilt if on_top),
    ]


@pytest.mark.parametrize("again", [False, True])
def test_who_has_read_an_asset_event_of_what_its_dag_has_dropped(again: bool) -> None:
    """It sees the event from before, unless another task has told it again."""
    house = House()
    world = house.world
    world.dag("middle", "old; other; beside")
    world.dag("end", "read >> publish")
    middle, end, last = world.run("middle"), world.run("end"), world.run("last")
    world.consumed(middle, "old", by=end, asset="a")
    world.consumed(middle, "beside", by=end, asset="b")
    world.consumed(end, "publish", by=last, asset="c")
    house.service.submit(ADA, RerunRequest(PlanRequest(middle)))
    house.tick()
    world.set_tasks(middle, "removed", only={"old"})
    if again:
        world.repeats[0] = world.emitted(middle, "other", house.clock.now(), asset_id=world.events[0].asset_id)
    for ref in (middle, end, last):
        world.finish(ref, at=house.clock.now())
        house.tick()
        house.tick()
    assert house.service.rerun(ADA, 1).rerun.state.value == "succeeded"
    listed = house.store.not_made_anew(1)
    found = [(one.ref.dag_id, what.task_id) for one, what in listed if what.reason == "rebuilt_on_polluted"]
    assert found == ([] if again else [("end", "publish"), ("end", "read"), ("last", "t")])
    assert {what.because_of for _, what in listed} <= {None, middle}


def made_by_a_task(house: House, order: str) -> tuple[RunRef, RunRef]:
    """A run of a Dag of that order, and the one that its task ``fire`` has made."""
    world = house.world
    world.dag("parent", order)
    parent = world.run("parent")
    world.trigger_task("parent", "fire", "child")
    child = world.run("child", run_type="operator_triggered", online=True)
    world.made(parent, "fire", child)
    return parent, child


def rerun_without_old(house: House, parent: RunRef, child: RunRef) -> None:
    """Both are rerun, and have ended; a newer version doesn't have the task ``old``."""
    house.service.submit(ADA, RerunRequest(PlanRequest(parent)))
    house.tick()
    house.world.set_tasks(parent, "removed", only={"old"})
    for ref in (parent, child):
        house.world.finish(ref, at=house.clock.now())
        house.tick()
        house.tick()


@pytest.mark.parametrize(("order", "on_top"), [("old >> fire; beside", True), ("old; beside >> fire", False)])
def test_a_run_whose_maker_stood_behind_what_its_dag_has_dropped(order: str, on_top: bool) -> None:
    """The maker doesn't run again: the run goes on reading what the maker had stood behind."""
    house = House()
    parent, child = made_by_a_task(house, order)
    rerun_without_old(house, parent, child)
    assert house.service.rerun(ADA, 1).rerun.state.value == "succeeded"
    found = [(one.ref.dag_id, what.task_id, what.because_of) for one, what in house.store.not_made_anew(1)]
    assert found == [("parent", "old", None), *([("child", "t", parent)] if on_top else [])]


def test_what_a_newer_version_adds_to_such_a_run_after_it_was_judged() -> None:
    house = House()
    world = house.world
    world.dag("child", "t; waits")
    parent, child = made_by_a_task(house, "old >> fire; beside")
    last = world.run("last")
    world.consumed(child, "t", by=last, asset="a")
    house.clock.advance(hours=1)
    rerun_without_old(house, parent, child)
    version = world.new_version("child")
    world.dag("child", "t >> new; waits")
    world.structures["child"] = replace(world.structures["child"], version=version)
    new = replace(world.tasks[child][0], task_id="new", state=None, try_number=0, start_date=None, end_date=None)
    world.tasks[child] = [*world.tasks[child], new]
    house.clock.advance(seconds=5)
    world.set_tasks(child, "success", only=["new"], at=house.clock.now())
    world.finish(last, at=house.clock.now())
    house.tick()
    house.tick()
    assert house.service.rerun(ADA, 1).rerun.state.value == "succeeded"
    found = [(one.ref.dag_id, what.task_id, what.because_of) for one, what in house.store.not_made_anew(1)]
    assert ("child", "new", parent) in found


@pytest.mark.parametrize(
    ("kind", "dropped", "found"),
    [
        (LinkKind.ASSET, True, ["publish", "read"]),
        (LinkKind.SENSOR, True, ["publish", "read"]),
        (LinkKind.ASSET, False, []),
        (LinkKind.TRIGGER, True, []),
    ],
)
def test_who_has_read_what_took_the_place_of_a_task_that_its_dag_has_dropped(
    chain: Chain, kind: LinkKind, dropped: bool, found: list[str]
) -> None:
    """The link names the old task, and the new one was made on top of wrong data."""
    house = chain.house
    middle, end = (one for one in house.store.members(chain.rerun) if one.ref.dag_id in ("middle", "end"))
    link = Link(middle.ref, end.ref, kind, Evidence.RECORDED, {}, from_task_id="old", to_task_id="read")
    left = [(middle, NotMadeAnew("new", None, "rebuilt_on_polluted"))]
    structures = Structures(dict(house.world.structures))
    gone = {(middle.ref, "old")} if dropped else set()
    assert [one.task_id for one in rebuilt(end, [link], left, structures, (), dropped=gone)] == found


def test_nothing_where_everything_was_made_anew(chain: Chain) -> None:
    chain.finish("middle")
    chain.play()
    assert chain.named() == []


def test_a_run_that_may_not_be_read_is_not_named(chain: Chain) -> None:
    chain.finish("middle", "failed")
    chain.skip("middle")
    chain.play()
    chain.house.permissions.unreadable.add("middle")
    found, _ = chain.house.service.not_made_anew(ADA, chain.rerun, limit=50, offset=0)
    assert {(one.ref, one.because_of) for one in found} == {(chain.runs[one], None) for one in ("end", "last")}


class TestBehindATriggeringTask:
    """prepare >> work >> fire makes child; work is skipped, or marked. What prepare does is right."""

    @pytest.fixture
    def house(self) -> House:
        house = House()
        house.world.dag("source")
        house.world.dag("parent", "prepare >> work >> fire; work >> after")
        house.world.dag("child")
        runs = {name: house.world.run(name) for name in ("source", "parent")}
        runs["child"] = house.world.run("child", run_type="operator_triggered", online=True)
        house.world.trigger_task("parent", "fire", "child")
        house.world.made(runs["parent"], "fire", runs["child"])
        house.world.consumed(runs["source"], "t", by=runs["parent"], asset="a")
        house.service.submit(ADA, RerunRequest(PlanRequest(runs["source"])))
        self.runs = runs
        house.tick()
        self.end(house, "source", "success")
        return house

    def end(self, house: House, name: str, state: str) -> None:
        house.world.finish(self.runs[name], state, at=house.clock.now())
        house.tick()
        house.tick()

    def named(self, house: House) -> set[Named]:
        found, _ = house.service.not_made_anew(ADA, 1, limit=50, offset=0)
        return {
            (one.ref.dag_id, one.task_id, one.reason, one.accepted_by, one.because_of and one.because_of.dag_id)
            for one in found
        }

    def test_the_child_and_what_followed_in_the_run_itself(self, house: House) -> None:
        parent = self.runs["parent"]
        house.world.set_tasks(parent, "success", only=["prepare", "after"], at=house.clock.now())
        house.world.set_tasks(parent, "failed", only=["work"], at=house.clock.now())
        house.world.set_run(parent, state="failed")
        house.tick()
        (member,) = [one for one in house.store.members(1) if one.state is MemberState.FAILED]
        house.service.skip(ADA, 1, member.id)
        house.tick()
        self.end(house, "child", "success")
        assert self.named(house) == {
            ("parent", "work", "skipped_by_user", "ada", None),
            ("parent", "after", "rebuilt_on_polluted", "ada", "parent"),
            ("child", "t", "rebuilt_on_polluted", "ada", "parent"),
        }

    def test_after_a_mark_too(self, house: House) -> None:
        parent = self.runs["parent"]
        house.world.set_tasks(parent, "success", only=["prepare", "after"], at=house.clock.now())
        house.world.mark_tasks(parent, "success", only={"work"}, by="bob")
        house.world.set_run(parent, state="success")
        house.tick()
        house.tick()
        self.end(house, "child", "success")
        assert self.named(house) == {
            ("parent", "work", "marked_success", "bob", None),
            ("parent", "after", "rebuilt_on_polluted", "bob", "parent"),
            ("child", "t", "rebuilt_on_polluted", "bob", "parent"),
        }

    def test_what_follows_a_task_that_waited_for_a_run_that_is_skipped(self) -> None:
        house = House()
        house.world.dag("parent", "load >> fire >> report")
        house.world.trigger_task("parent", "fire", "child", waits=True, one_run=True)
        parent = house.world.run("parent")
        child = house.world.run("child", run_type="operator_triggered", online=True)
        house.world.made(parent, "fire", child)
        self.runs = {"parent": parent, "child": child}
        house.service.submit(ADA, RerunRequest(PlanRequest(parent)))
        house.tick()
        self.end(house, "parent", "success")
        self.end(house, "child", "failed")
        (member,) = [one for one in house.store.members(1) if one.state is MemberState.FAILED]
        house.service.skip(ADA, 1, member.id)
        house.tick()
        self.end(house, "parent", "success")
        assert ("parent", "report", "rebuilt_on_polluted", "ada", "child") in self.named(house)

    @pytest.mark.parametrize("source", ["parent", "child"])
    def test_who_reads_a_task_that_waited_for_a_run_that_is_skipped(self, source: str) -> None:
        """By the task's asset event; with the child as the source only the way back from it is known."""
        house = House()
        house.world.dag("parent", "load >> fire")
        house.world.trigger_task("parent", "fire", "child", waits=True, one_run=True)
        parent, reader = house.world.run("parent"), house.world.run("reader")
        child = house.world.run("child", run_type="operator_triggered", online=True)
        house.world.made(parent, "fire", child)
        house.world.consumed(parent, "fire", by=reader)
        self.runs = {"parent": parent, "child": child, "reader": reader}
        house.service.submit(ADA, RerunRequest(PlanRequest(self.runs[source])))
        house.tick()
        if source == "parent":
            self.end(house, "parent", "success")
        self.end(house, "child", "failed")
        (member,) = [one for one in house.store.members(1) if one.state is MemberState.FAILED]
        house.service.skip(ADA, 1, member.id)
        house.tick()
        self.end(house, "reader", "success")
        house.tick()
        assert ("reader", "t", "rebuilt_on_polluted", "ada", "child") in self.named(house)

    def test_a_run_that_was_right_before_the_run_whose_task_made_it(self) -> None:
        """What stands before that task turns out to have been marked; who reads that run is named, too."""
        house = House()
        world = house.world
        world.dag("parent", "work >> fire >> after")
        world.trigger_task("parent", "fire", "child")
        parent, last = world.run("parent"), world.run("last")
        child = world.run("child", run_type="operator_triggered", online=True)
        world.made(parent, "fire", child)
        world.consumed(child, "t", by=last)
        house.service.submit(ADA, RerunRequest(PlanRequest(parent)))
        house.tick()
        world.set_run(parent, state="running")
        world.mark_tasks(parent, "success", only={"work"}, by="bob")
        house.clock.advance(seconds=1)
        world.set_tasks(parent, "running", only=["fire"], at=house.clock.now())
        new = world.run("child", run_type="operator_triggered", run_id="new", state="running", day=50)
        world.triggered = [(parent, "fire", new)]
        house.tick()
        self.runs = {"parent": parent, "child": new, "last": last}
        self.end(house, "child", "success")
        self.end(house, "last", "success")
        assert self.named(house) == set()
        world.set_tasks(parent, "success", only=["fire", "after"], at=house.clock.now())
        world.set_run(parent, state="success")
        house.tick()
        house.tick()
        assert house.service.rerun(ADA, 1).rerun.state.value == "succeeded"
        assert {
            ("child", "t", "rebuilt_on_polluted", "bob", "parent"),
            ("last", "t", "rebuilt_on_polluted", "bob", "parent"),
        } <= self.named(house)

    def test_the_indexes_beside_one_that_was_left(self, house: House) -> None:
        (parent,) = [one for one in house.store.members(1) if one.ref.dag_id == "parent"]
        left = [NotMadeAnew("prepare", -1, "skipped_by_user"), NotMadeAnew("work", 0, "skipped_by_user")]
        structures = Structures({"parent": house.world.structures["parent"]})
        found = rebuilt(parent, [], [(parent, what) for what in left], structures, left)
        assert [one.task_id for one in found] == ["after", "work"]

    def test_what_a_teardown_left_nothing_of_its_run_reads(self, house: House) -> None:
        (parent,) = [one for one in house.store.members(1) if one.ref.dag_id == "parent"]
        left = [(parent, NotMadeAnew("prepare", -1, "tolerated"))]
        structures = Structures({"parent": house.world.structures["parent"]})
        assert rebuilt(parent, [], left, structures, [what for _, what in left]) == ()

    def test_a_triggering_task_makes_nothing_that_the_child_reads(self) -> None:
        link = Link(RunRef("p", "r"), RunRef("c", "r"), LinkKind.TRIGGER, Evidence.RECORDED, {}, from_task_id="fire")
        assert not reads(link, "fire", None)
