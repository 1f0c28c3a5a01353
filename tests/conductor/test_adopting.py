"""Adoption over fakes: the run that a selected trigger task makes takes the old one's place, and nothing runs twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest
from airflow_rerun_downstream.domain.run_accounts import Skipping
from airflow_rerun_downstream.domain.states import MemberState
from tests.fakes.house import ADA, House
from tests.fakes.records import Record

FIRE = (TaskRef("fire"), TaskRef("load"))


@pytest.fixture
def house() -> House:
    return House()


def chain(house: House) -> dict[str, RunRef]:
    """parent (load >> fire) → child (made by fire) → reader (an asset consumer)."""
    world = house.world
    world.dag("parent", "load >> fire")
    world.dag("child", "t >> again")
    runs = {name: world.run(name, run_type=kind) for name, kind in KINDS.items()}
    world.set_run(runs["child"], online=True)
    world.made(runs["parent"], "fire", runs["child"])
    world.consumed(runs["child"], "t", by=runs["reader"])
    return runs


KINDS = {"parent": "scheduled", "child": "manual", "reader": "asset_triggered"}


def submit(house: House, source: RunRef, *members: RunRef) -> int:
    chosen = tuple(MemberRequest(ref) for ref in members) or None
    return house.service.submit(ADA, RerunRequest(PlanRequest(source, FIRE), members=chosen)).rerun.id


def member(house: House, rerun_id: int, dag_id: str) -> Member:
    return next(one for one in house.store.members(rerun_id) if one.ref.dag_id == dag_id)


def states(house: House, rerun_id: int) -> dict[str, str]:
    return {one.ref.dag_id: one.state.value for one in house.store.members(rerun_id)}


def fire(house: House, parent: RunRef, run_id: str = "new", *, state: str = "success", task_id: str = "fire") -> RunRef:
    """The trigger task runs and makes a run."""
    world, now = house.world, house.clock.now()
    world.set_run(parent, state="running")
    world.set_tasks(parent, state, only=[task_id], at=now)
    child = world.run("child", run_id=run_id, run_type="operator_triggered", state="running", day=41)
    record(house, parent, child, task_id)
    return child


def record(house: House, parent: RunRef, child: RunRef, task_id: str = "fire") -> None:
    kept = [one for one in house.world.triggered if one[:2] != (parent, task_id)]
    house.world.triggered = [*kept, (parent, task_id, child)]


def finish(house: House, *refs: RunRef, as_: str = "success") -> None:
    house.clock.advance(seconds=1)
    for ref in refs:
        house.world.finish(ref, as_, at=house.clock.now())
    house.tick()


def test_the_new_run_takes_the_old_ones_place(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    house.world.set_tasks(runs["parent"], "success", only=["load"], at=house.clock.now())
    new = fire(house, runs["parent"], state="running")
    house.tick()
    adopted = member(house, rerun, "child")
    assert (adopted.ref, adopted.original_run_id) == (new, runs["child"].run_id)
    assert (adopted.state, adopted.attempt) == (MemberState.RUNNING, 1)
    assert (adopted.logical_date, adopted.run_after) == (house.world.runs[new].logical_date,) * 2
    assert states(house, rerun) == {"parent": "running", "child": "running", "reader": "pending"}
    assert house.store.active_runs([new, runs["child"]]) == {new: rerun}

    finish(house, runs["parent"])
    assert states(house, rerun)["reader"] == "pending", "it waits for the new run"
    finish(house, new)
    finish(house, runs["reader"])
    assert states(house, rerun) == dict.fromkeys(KINDS, "succeeded")
    assert house.world.dispatches == [runs["parent"], runs["reader"]], "neither child was dispatched"
    (told,) = (event for event in house.store.events(rerun) if event.action == "member_adopted")
    assert told.member_id == adopted.id
    assert f"made new in place of {runs['child'].run_id}" in (told.detail or "")


def test_a_run_that_is_seen_only_when_its_parent_has_ended_is_adopted_too(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    new = fire(house, runs["parent"])
    finish(house, runs["parent"], new)
    assert states(house, rerun) == {"parent": "succeeded", "child": "running", "reader": "pending"}
    house.tick()
    assert states(house, rerun) == {"parent": "succeeded", "child": "succeeded", "reader": "running"}
    assert runs["child"] not in house.world.dispatches


def test_what_the_new_run_does_not_have_any_more_is_listed(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    house.world.new_version("child")
    house.world.dag("child", "t")
    new = fire(house, runs["parent"])
    finish(house, runs["parent"], new)
    house.tick()
    assert states(house, rerun)["child"] == "succeeded"
    listed = [(one.ref, what.task_id, what.reason) for one, what in house.store.not_made_anew(rerun)]
    assert (new, "again", "task_gone_in_latest") in listed


def test_a_crash_between_the_parents_end_and_the_adoption(house: House) -> None:
    """Whoever conducts next looks at the record before it dispatches."""
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    fire(house, runs["parent"])
    house.world.finish(runs["parent"], at=house.clock.now())
    done = member(house, rerun, "parent")
    house.store.move_member(
        done.id, before=[MemberState.RUNNING], after=MemberState.SUCCEEDED, reason=None, now=house.clock.now()
    )
    house.tick()
    assert states(house, rerun)["child"] == "running"
    assert house.world.dispatches == [runs["parent"]]


def test_an_old_record_is_not_taken_for_a_new_run(house: House) -> None:
    """Before the task begins, its record is from before the dispatch; somebody else may have left another one."""
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    by_hand = house.world.run("child", run_id="by_hand", run_type="manual")
    record(house, runs["parent"], by_hand)
    house.tick()
    house.tick()
    assert member(house, rerun, "child").ref == runs["child"]
    new = fire(house, runs["parent"])
    house.tick()
    assert member(house, rerun, "child").ref == new


def test_a_task_that_makes_no_run_leaves_the_old_one_to_be_dispatched(house: House) -> None:
    """It was skipped because the run exists, or somebody marked it as successful."""
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    house.world.set_tasks(runs["parent"], "skipped", only=["fire"])
    finish(house, runs["parent"])
    assert states(house, rerun)["child"] == "running"
    assert house.world.dispatches == [runs["parent"], runs["child"]]


def test_a_task_that_was_marked_as_successful_has_cleared_nothing(house: House) -> None:
    runs = chain(house)
    submit(house, runs["parent"])
    house.tick()
    finish(house, runs["parent"])
    assert house.world.dispatches == [runs["parent"], runs["child"]]


def test_a_run_that_the_task_cleared_is_taken_as_it_is(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    house.world.set_tasks(runs["parent"], "success", only=["fire"])
    house.world.clear_by_hand(runs["child"])
    finish(house, runs["parent"])
    assert (member(house, rerun, "child").ref, states(house, rerun)["child"]) == (runs["child"], "running")
    finish(house, runs["child"])
    assert states(house, rerun)["child"] == "succeeded"
    assert house.world.dispatches == [runs["parent"], runs["reader"]]


def test_a_try_that_failed_and_made_a_run_is_followed_by_one_that_makes_another(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    first = fire(house, runs["parent"], "first", state="running")
    finish(house, first, as_="failed")
    house.tick()
    assert states(house, rerun)["child"] == "failed"
    second = fire(house, runs["parent"], "second")
    house.tick()
    adopted = member(house, rerun, "child")
    assert (adopted.ref, adopted.original_run_id, adopted.state.value) == (second, runs["child"].run_id, "running")
    assert house.store.active_runs([first, second]) == {second: rerun}
    assert adopted.runs_between == (first.run_id,)
    finish(house, second, as_="failed")
    house.tick()
    third = fire(house, runs["parent"], "third")
    house.tick()
    assert (member(house, rerun, "child").ref, member(house, rerun, "child").runs_between) == (
        third,
        (first.run_id, second.run_id),
    )


def test_what_a_run_made_that_another_replaced_stays_unless_it_is_made_anew(house: House) -> None:
    """The first run has made what the last one skips: there had been nothing before the rerun."""
    runs = chain(house)
    house.world.dag("child", "t >> again; more")
    house.world.tasks[runs["child"]].append(
        replace(house.world.tasks[runs["child"]][0], task_id="more", state="skipped")
    )
    rerun = submit(house, runs["parent"])
    house.tick()
    first = fire(house, runs["parent"], "first", state="running")
    finish(house, first, as_="failed")
    house.world.set_tasks(first, "success", only=["more"], at=house.clock.now())
    second = fire(house, runs["parent"], "second")
    house.tick()
    house.world.set_tasks(second, "skipped", only=["more"], at=house.clock.now())
    house.world.choices[second, "t"] = Skipping("t", -1, skipped=frozenset({"more"}))
    finish(house, second, runs["parent"])
    assert [(what.task_id, what.reason) for _, what in house.store.not_made_anew(rerun)] == [("more", "tasks_skipped")]


def test_an_adopted_run_that_failed_can_be_retried(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    new = fire(house, runs["parent"])
    finish(house, runs["parent"])
    finish(house, new, as_="failed")
    house.service.retry(ADA, rerun, member(house, rerun, "child").id)
    house.tick()
    assert house.world.dispatches == [runs["parent"], new]


def test_a_retried_parent_makes_another_run(house: House) -> None:
    """The task waits for its run, and fails with it."""
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    first = fire(house, runs["parent"], "first", state="running")
    house.tick()
    finish(house, first, runs["parent"], as_="failed")
    house.tick()
    assert states(house, rerun) == {"parent": "failed", "child": "failed", "reader": "pending"}
    house.service.resume(ADA, rerun)
    house.tick()
    assert states(house, rerun) == {"parent": "running", "child": "pending", "reader": "pending"}
    second = fire(house, runs["parent"], "second")
    finish(house, runs["parent"])
    assert (member(house, rerun, "child").ref, states(house, rerun)["child"]) == (second, "running")
    assert house.world.dispatches == [runs["parent"]] * 2


def test_a_retried_parent_makes_a_run_that_was_right_once_more(house: House) -> None:
    """What follows the failed task is cleared with it, and so is the trigger task that had succeeded."""
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    first = fire(house, runs["parent"], "first")
    house.tick()
    finish(house, first)
    assert states(house, rerun)["child"] == "succeeded"
    house.world.set_tasks(runs["parent"], "failed", only=["load"])
    house.world.set_run(runs["parent"], state="failed")
    house.tick()
    assert (states(house, rerun)["parent"], states(house, rerun)["child"]) == ("failed", "succeeded")
    house.service.retry(ADA, rerun, member(house, rerun, "parent").id)
    house.tick()
    second = fire(house, runs["parent"], "second")
    house.tick()
    adopted = member(house, rerun, "child")
    assert (adopted.ref, adopted.state.value) == (second, "running")
    assert house.store.active_runs([first, second]) == {second: rerun}


def test_a_run_that_was_started_too_early_is_dispatched_in_its_turn(house: House) -> None:
    """It reads from another member as well, which somebody has cleared again when its parent runs already."""
    runs = chain(house)
    slow = house.world.run("slow")
    house.world.consumed(runs["parent"], "load", by=slow)
    house.world.consumed(slow, "t", by=runs["child"], asset="slow")
    rerun = submit(house, runs["parent"])
    house.tick()
    finish(house, runs["parent"])
    finish(house, slow)
    house.tick()
    house.world.clear_by_hand(slow)
    again = member(house, rerun, "slow").id
    assert house.store.move_member(again, after=MemberState.RUNNING, reason=None, now=house.clock.now())
    new = fire(house, runs["parent"])
    finish(house, runs["parent"])
    adopted = member(house, rerun, "child")
    assert (adopted.ref, adopted.state.value, adopted.state_reason) == (new, "pending", "ran_too_early")
    finish(house, new, slow)
    house.tick()
    assert states(house, rerun)["child"] == "running"
    assert house.world.dispatches == [runs["parent"], slow, runs["parent"], new]


def test_a_parent_starts_no_run_before_what_that_reads_is_right(house: House) -> None:
    """What the new run reads hangs on the parent itself, which is rerun in stages therefore."""
    runs = chain(house)
    slow = house.world.run("slow")
    house.world.consumed(runs["parent"], "load", by=slow)
    house.world.consumed(slow, "t", by=runs["child"], asset="slow")
    rerun = submit(house, runs["parent"])
    house.tick()
    finish(house, runs["parent"])
    assert states(house, rerun) == {"parent": "pending", "slow": "running", "child": "pending", "reader": "pending"}
    finish(house, slow)
    new = fire(house, runs["parent"])
    finish(house, runs["parent"], new)
    finish(house, runs["reader"])
    assert member(house, rerun, "child").ref == new
    assert set(states(house, rerun).values()) <= {"succeeded", "running"}
    assert house.world.dispatches == [runs["parent"], slow, runs["parent"], runs["reader"]], "no run of the child"


def test_what_the_new_run_triggers_is_adopted_too(house: House) -> None:
    runs = chain(house)
    house.world.set_run(runs["reader"], run_type="manual")
    house.world.made(runs["child"], "again", runs["reader"])
    rerun = submit(house, runs["parent"])
    house.tick()
    new = fire(house, runs["parent"])
    finish(house, runs["parent"])
    next_one = house.world.run("reader", run_id="next", run_type="operator_triggered", state="running")
    record(house, new, next_one, "again")
    finish(house, new)
    assert member(house, rerun, "reader").ref == next_one
    assert house.world.dispatches == [runs["parent"]]


def test_a_run_that_is_not_selected_is_left_alone(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"], runs["reader"])
    house.tick()
    new = fire(house, runs["parent"])
    finish(house, runs["parent"])
    assert house.store.active_runs([new]) == {}
    assert states(house, rerun) == {"parent": "succeeded", "reader": "running"}


def test_terminating_stops_what_was_just_made(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    new = fire(house, runs["parent"])
    house.service.terminate(ADA, rerun)
    house.tick()
    house.tick()
    assert states(house, rerun) == dict.fromkeys(KINDS, "terminated")
    assert house.world.runs[new].state == "failed"


def test_a_paused_rerun_still_knows_its_run(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    house.service.pause(ADA, rerun)
    new = fire(house, runs["parent"])
    house.tick()
    assert member(house, rerun, "child").ref == new


def test_a_run_that_another_rerun_took_fails_the_member(house: House) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    new = fire(house, runs["parent"])
    house.store.rows.active_runs[new] = 99
    house.tick()
    failed = member(house, rerun, "child")
    assert (failed.state.value, failed.state_reason) == ("failed", "in_active_rerun")
    house.tick()
    assert house.world.dispatches == [runs["parent"]]


@pytest.mark.parametrize("when", range(1, 4))
def test_a_crash_in_any_transaction_changes_nothing(house: House, when: int) -> None:
    runs = chain(house)
    rerun = submit(house, runs["parent"])
    house.tick()
    new = fire(house, runs["parent"])
    house.world.finish(runs["parent"], at=house.clock.now())
    opened = 0
    really = house.conductor.performer.unit_of_work

    def crashing():  # type: ignore[no-untyped-def]
        nonlocal opened
        opened += 1
        if opened == when:
            raise KeyboardInterrupt
        return really()

    house.conductor.performer.unit_of_work = crashing
    try:
        house.tick()
    except KeyboardInterrupt:
        house.conductor = house.new_conductor("two")
        house.clock.advance(seconds=60)
    house.tick()
    house.tick()
    assert (member(house, rerun, "child").ref, states(house, rerun)["child"]) == (new, "running")
    assert house.world.dispatches == [runs["parent"]]


def test_the_plan_tells_what_becomes_of_a_selected_trigger_task(house: House) -> None:
    runs = chain(house)
    plan = house.service.plan(ADA, PlanRequest(runs["parent"], FIRE))
    (told,) = (one for one in plan.warnings if one.code == "makes_a_new_run")
    assert (told.dag_id, told.task_id) == ("parent", "fire")
    assert "in place of" in told.detail
    assert not [one for one in house.service.plan(ADA, PlanRequest(runs["parent"])).warnings if one.code == told.code]
    rerun = submit(house, runs["parent"], runs["reader"])
    stored = house.store.get(rerun)
    assert stored is not None
    (told,) = (one for one in stored.warnings if one.code == "makes_a_new_run")
    assert "isn't selected" in told.detail


def test_a_record_that_cannot_be_true_adopts_nothing_and_stops_nothing(house: House) -> None:
    """Whoever may write XComs has written it."""
    runs = chain(house)
    rerun = submit(house, runs["parent"], runs["child"], runs["reader"])
    house.tick()
    house.world.set_tasks(runs["parent"], "success", only=["load"], at=house.clock.now())
    house.world.recorded.append(Record(runs["parent"], "fire", -1, "gone", "child"))
    house.tick()
    child = fire(house, runs["parent"])
    finish(house, runs["parent"], child)
    finish(house, child)
    assert (states(house, rerun)["parent"], member(house, rerun, "child").ref) == ("succeeded", child)
