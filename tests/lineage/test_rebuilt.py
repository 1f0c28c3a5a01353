"""What is made anew on top of wrong data that stays is named, with the run that it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.plan import PlanRequest, PlanWarning
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest
from tests.fakes.house import ADA, House

CODE = "rebuilt_on_polluted"


@pytest.fixture
def house() -> House:
    """A chain source > middle > end > last, and a run that reads the source and the middle with a task each."""
    house = House()
    world = house.world
    world.dag("middle", "load >> clean")
    world.dag("both", "of_source; of_middle; sum")
    runs = {name: world.run(name) for name in ("source", "middle", "end", "last", "both")}
    world.consumed(runs["source"], "t", by=runs["middle"], asset="a")
    world.consumed(runs["middle"], "clean", by=runs["end"], asset="b")
    world.consumed(runs["end"], "t", by=runs["last"], asset="c")
    for task_id, upstream, waits_for in (("of_source", "source", "t"), ("of_middle", "middle", "clean")):
        tasks = frozenset({waits_for})
        world.sensors.append(SensorDefinition("both", task_id, upstream, task_ids=tasks, offset_known=True))
    return house


def ref(house: House, dag_id: str) -> RunRef:
    return next(run for run in house.world.runs if run.dag_id == dag_id)


def told(house: House, members: Mapping[str, Sequence[str] | None], **asked: bool) -> list[tuple[str | None, ...]]:
    wanted = tuple(
        MemberRequest(ref(house, dag_id), None if tasks is None else tuple(TaskRef(task) for task in tasks))
        for dag_id, tasks in members.items()
    )
    request = RerunRequest(PlanRequest(ref(house, "source"), **asked), members=wanted)
    return [shown(one) for one in house.service.review(ADA, request).warnings if one.code == CODE]


def shown(warning: PlanWarning) -> tuple[str | None, ...]:
    because = warning.because_of
    return (warning.dag_id, warning.task_id, because.dag_id if because else None)


def test_nothing_is_told_where_all_is_selected(house: House) -> None:
    assert told(house, {"middle": None, "end": None, "last": None, "both": None}) == []


def test_what_reads_from_a_run_that_was_left_out_and_what_reads_that_in_turn(house: House) -> None:
    assert told(house, {"end": None, "last": None}) == [("end", None, "middle"), ("last", None, "middle")]


def test_of_a_run_only_the_tasks_that_read_it(house: House) -> None:
    assert told(house, {"both": None}) == [("both", "of_middle", "middle")]


def test_what_follows_a_task_that_was_left_out(house: House) -> None:
    assert told(house, {"middle": ["clean"], "end": None}) == [("middle", None, "middle"), ("end", None, "middle")]


def test_a_task_that_was_left_out_behind_what_is_read_harms_nobody(house: House) -> None:
    house.world.dag("middle", "load >> clean >> tidy")
    assert told(house, {"middle": ["load", "clean"], "end": None}) == []


@pytest.mark.parametrize(
    ("order", "tasks", "expected"),
    [
        ("load >> clean >> new; load >> new", ["load"], [("middle", "new", "middle")]),
        ("load >> clean; load >> new", ["load"], []),
        ("load >> clean; clean >> new", ["clean"], [("middle", None, "middle")]),
        ("load >> clean; new >> clean", ["load"], []),
    ],
)
def test_what_airflow_will_add(
    house: House, order: str, tasks: list[str], expected: list[tuple[str | None, ...]]
) -> None:
    """Where it follows what is selected. That of what isn't reads nothing new."""
    version = house.world.new_version("middle")
    house.world.dag("middle", order)
    house.world.structures["middle"] = replace(house.world.structures["middle"], version=version)
    assert [one for one in told(house, {"middle": tasks}) if one[0] == "middle"] == expected


def test_what_airflow_will_add_behind_a_task_that_reads_it(house: House) -> None:
    version = house.world.new_version("both")
    house.world.dag("both", "of_source; of_middle >> new; of_source >> sum; of_source >> other")
    house.world.structures["both"] = replace(house.world.structures["both"], version=version)
    for task_id, upstream, waits_for in (("of_source", "source", "t"), ("of_middle", "middle", "clean")):
        tasks = frozenset({waits_for})
        house.world.sensors.append(SensorDefinition("both", task_id, upstream, task_ids=tasks, offset_known=True))
    assert told(house, {"both": None}) == [("both", "new", "middle"), ("both", "of_middle", "middle")]


def test_a_source_that_is_right_already_is_no_reason(house: House) -> None:
    assert told(house, {"middle": None, "end": None}, rerun_source=False) == []


@pytest.mark.parametrize(("order", "expected"), [("load >> fire", [("child", None, "parent")]), ("load; fire", [])])
def test_a_run_that_a_task_of_one_that_was_left_out_had_made(
    house: House, order: str, expected: list[tuple[str | None, ...]]
) -> None:
    """It has read what stands before the task."""
    world = house.world
    world.dag("parent", order)
    world.trigger_task("parent", "fire", "child")
    parent, child = world.run("parent"), world.run("child", run_type="operator_triggered", online=True)
    world.made(parent, "fire", child)
    world.consumed(ref(house, "source"), "t", by=parent, asset="p")
    assert told(house, {"middle": None, "end": None, "last": None, "both": None, "child": None}) == expected


@pytest.mark.parametrize("waits", [True, False])
def test_what_follows_a_task_that_waited_for_a_run_that_was_left_out(waits: bool) -> None:
    house = House()
    world = house.world
    world.dag("parent", "load >> fire >> report >> more")
    world.trigger_task("parent", "fire", "child", waits=waits)
    world.trigger_task("parent", "more", "last")
    parent, child = world.run("parent"), world.run("child", run_type="operator_triggered", online=True)
    last = world.run("last", run_type="operator_triggered", online=True)
    world.made(parent, "fire", child)
    world.made(parent, "more", last)
    asked = PlanRequest(parent, tasks=(TaskRef("load"), TaskRef("report")))
    review = house.service.review(ADA, RerunRequest(asked, members=(MemberRequest(last),)))
    found = [shown(one) for one in review.warnings if one.code == CODE]
    assert (("parent", "report", "child") in found, ("last", None, "child") in found) == (waits, waits)


@pytest.mark.parametrize("how", ["sensor", "asset"])
@pytest.mark.parametrize("behind", [True, False])
def test_who_reads_from_a_task_that_waited_for_the_source(how: str, *, behind: bool) -> None:
    """What the source leaves out has gone through the task to whoever reads from it, whatever follows it there."""
    house = House()
    world = house.world
    world.dag("child", "load >> clean")
    world.dag("parent", "fire >> report" if behind else "fire")
    world.dag("reader", "wait >> use")
    world.trigger_task("parent", "fire", "child", waits=True)
    child, parent = world.run("child", run_type="operator_triggered", online=True), world.run("parent")
    world.made(parent, "fire", child)
    reader = world.run("reader")
    if how == "asset":
        world.consumed(parent, "fire", by=reader, asset="p")
    else:
        tasks = frozenset({"fire"})
        world.sensors.append(SensorDefinition("reader", "wait", "parent", task_ids=tasks, offset_known=True))
    asked = PlanRequest(child, tasks=(TaskRef("load"),))
    members = [MemberRequest(reader), *([MemberRequest(parent)] if behind else [])]
    review = house.service.review(ADA, RerunRequest(asked, members=tuple(members)))
    found = [shown(one) for one in review.warnings if one.code == CODE]
    assert found == [*([("parent", None, "child")] if behind else []), ("reader", None, "child")]


def test_a_run_that_is_not_in_the_list_is_named(house: House) -> None:
    world = house.world
    hand, reader = world.run("hand", run_type="manual"), world.run("reader")
    world.consumed(ref(house, "source"), "t", by=hand, asset="a")
    world.consumed(hand, "t", by=reader, asset="d")
    assert told(house, {"reader": None}) == [("reader", None, "hand")]
    house.permissions.unreadable |= {"hand"}
    assert told(house, {"reader": None}) == []


def test_the_record_lists_it_with_who_accepted_it_and_the_run(house: House) -> None:
    members = (MemberRequest(ref(house, "end")),)
    house.service.submit(ADA, RerunRequest(PlanRequest(ref(house, "source")), members=members))
    found, total = house.service.not_made_anew(ADA, 1, limit=50, offset=0)
    rebuilt = [one for one in found if one.reason == CODE]
    assert [(one.ref.dag_id, one.accepted_by, one.because_of) for one in rebuilt] == [
        ("end", "ada", ref(house, "middle"))
    ]
    assert total == len(found) == house.service.rerun(ADA, 1).not_made_anew
    house.permissions.unreadable |= {"middle"}
    found, _ = house.service.not_made_anew(ADA, 1, limit=50, offset=0)
    assert [one.because_of for one in found if one.reason == CODE] == [None]


def test_of_a_run_that_is_not_ready_its_own_warning_tells(house: House) -> None:
    house.world.set_run(ref(house, "middle"), state="queued", run_after=house.clock.now() + timedelta(days=1))
    assert told(house, {"end": None}) == []
