"""What a newer version of a Dag adds to a member's run is made anew, and told of, with what it follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.conductor.grown import with_added
from airflow_rerun_downstream.domain.facts import TaskInstanceFacts
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.run_accounts import Account, RunAccount
from airflow_rerun_downstream.domain.states import MemberState
from tests.conductor.members import member as a_member
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    return House()


def submitted(house: House, *tasks: str) -> tuple[int, RunRef]:
    """A rerun of a run of ``a >> b; c``, from which nobody reads; a newer version has ``a >> [b, new]``."""
    house.world.dag("d", "a >> b; c")
    ref = house.world.run("d")
    house.clock.advance(hours=1)
    request = PlanRequest(ref, tasks=tuple(map(TaskRef, tasks)))
    rerun = house.service.submit(ADA, RerunRequest(request)).rerun.id
    version = house.world.new_version("d")
    house.world.dag("d", "a >> b; a >> new; c")
    house.world.structures["d"] = replace(house.world.structures["d"], version=version)
    return rerun, ref


def add(house: House, ref: RunRef) -> None:
    """Airflow has started the run, and has added what is new in its Dag."""
    some = house.world.tasks[ref]
    new = replace(some[0], task_id="new", state=None, try_number=0, start_date=None, end_date=None)
    house.world.tasks[ref] = [*some, new]
    for task_id in ("a", "b", "new"):
        house.world.move(ref, task_id)


def ends(house: House, ref: RunRef, **states: str) -> None:
    """The run goes on, and ends."""
    house.clock.advance(seconds=1)
    for task_id, state in states.items():
        house.world.set_tasks(ref, state, only=[task_id], at=house.clock.now())
    house.world.set_run(ref, state="failed" if "failed" in states.values() else "success")
    house.tick()


def open_tasks(house: House, ref: RunRef) -> set[str]:
    return {task.task_id for task in house.world.tasks[ref] if task.state is None}


def test_a_retry_clears_it_with_what_it_follows(house: House) -> None:
    """Its rule let it run before what it follows had succeeded."""
    rerun, ref = submitted(house, "a", "b")
    house.tick()
    add(house, ref)
    ends(house, ref, a="failed", b="failed", new="success")
    (member,) = house.store.members(rerun)
    assert member.state is MemberState.FAILED
    house.service.retry(ADA, rerun, member.id)
    house.tick()
    assert open_tasks(house, ref) == {"a", "b", "new"}


def test_a_retry_makes_it_anew_when_it_has_failed_itself(house: House) -> None:
    rerun, ref = submitted(house, "a", "b")
    house.tick()
    add(house, ref)
    ends(house, ref, a="success", b="success", new="failed")
    (member,) = house.store.members(rerun)
    assert (member.state, member.state_reason) == (MemberState.FAILED, "tasks_failed")
    for _ in range(2):  # it belongs to the member after any number of clears
        house.service.retry(ADA, rerun, member.id)
        house.tick()
        assert open_tasks(house, ref) == {"new"}
        ends(house, ref, new="failed")
        assert house.store.members(rerun)[0].state is MemberState.FAILED


def test_the_first_dispatch_clears_what_somebodys_clear_has_brought(house: House) -> None:
    _, ref = submitted(house, "a", "b")
    house.world.clear_by_hand(ref)
    add(house, ref)
    house.clock.advance(seconds=60)
    house.world.set_tasks(ref, "success", only=["a", "b", "c", "new"], at=house.clock.now())
    house.world.set_run(ref, state="success")
    house.tick()
    assert open_tasks(house, ref) == {"a", "b", "new"}


def test_what_was_left_out_is_left_alone(house: House) -> None:
    _, ref = submitted(house, "a", "b")
    house.tick()
    assert open_tasks(house, ref) == {"a", "b"}


def test_a_skip_lists_it(house: House) -> None:
    rerun, ref = submitted(house, "a", "b")
    house.tick()
    add(house, ref)
    ends(house, ref, a="failed", b="failed", new="success")
    (member,) = house.store.members(rerun)
    house.service.skip(ADA, rerun, member.id)
    listed = {what.task_id: what.reason for _, what in house.store.not_made_anew(rerun)}
    assert listed == {"a": "skipped_by_user", "b": "skipped_by_user", "new": "rebuilt_on_polluted"}


@pytest.mark.parametrize("done", [False, True])
def test_a_skip_lists_what_has_come_and_gone(house: House, *, done: bool) -> None:
    """Somebody may have read it before a still newer version dropped it; unless it has made nothing."""
    rerun, ref = submitted(house, "a", "b", "c")
    house.tick()
    add(house, ref)
    ends(house, ref, a="failed", b="failed", c="failed", new="success" if done else "failed")
    house.world.tries[ref, "new", -1] = (house.world.tasks[ref][-1],)
    house.world.set_tasks(ref, "removed", only=["new"])
    house.world.new_version("d")
    house.world.dag("d", "a >> b; c")
    (member,) = house.store.members(rerun)
    house.service.skip(ADA, rerun, member.id)
    listed = {what.task_id: what.reason for _, what in house.store.not_made_anew(rerun)}
    assert listed == dict.fromkeys(["a", "b", "c", *(["new"] if done else [])], "skipped_by_user")


def staged(house: House, order: str, *new: tuple[str, int], named: str = "") -> list[list[str]]:
    """The tasks, then those of each stage, of a member of two stages, ``a`` and ``b``, with what has been added.

    ``named``: the stage that the submit gave to what is new.
    """
    house.world.dag("d", order)
    stages = tuple((TaskRef(one), *((TaskRef("new"),) if one == named else ())) for one in "ab")
    member = a_member(1, tasks=(*stages[0], *stages[1]), stages=stages)
    keys = [("a", -1), ("b", -1), ("left", -1), ("left", 0), *new]
    account = RunAccount(member.ref, {key: Account(added=key in new) for key in keys})
    instances = [TaskInstanceFacts(task_id, index, "success") for task_id, index in keys]
    found = with_added(member, instances, account, house.world.structures["d"])
    return [[str(task) for task in tasks] for tasks in (found.tasks, *found.stages)]


def test_it_runs_again_with_each_stage_that_it_follows(house: House) -> None:
    """With the first it ran before the second; what was left out stays so, but for what that has more of now."""
    assert staged(house, "a >> b >> new; left") == [["a", "b"], ["a"], ["b"]]
    assert staged(house, "a >> new; b; left", ("new", -1)) == [["a", "b", "new"], ["a", "new"], ["b"]]
    assert staged(house, "a >> b >> new; left", ("new", -1)) == [["a", "b", "new"], ["a", "new"], ["b", "new"]]
    assert staged(house, "a; b >> new; left", ("new", -1)) == [["a", "b", "new"], ["a"], ["b", "new"]]
    assert staged(house, "a; b; left; new", ("new", -1)) == [["a", "b"], ["a"], ["b"]]
    assert staged(house, "a >> new; b; left", ("new", -1), named="b") == [["a", "b", "new"], ["a"], ["b", "new"]]
    assert staged(house, "a; b >> left", ("left", 1)) == [["a", "b", "left[1]"], ["a"], ["b", "left[1]"]]


@pytest.mark.parametrize("waits", [True, False])
def test_it_follows_a_task_that_waited_and_behind_which_others_are_selected(house: House, *, waits: bool) -> None:
    """What the run that the task waited for has made comes through it."""
    house.world.dag("d", "fire >> b; fire >> new; a; left")
    house.world.trigger_task("d", "fire", "other", waits=waits)
    member = a_member(1, tasks=(TaskRef("a"), TaskRef("b")))
    keys = [(one, -1) for one in ("fire", "a", "b", "left", "new")]
    account = RunAccount(member.ref, {key: Account(added=key == ("new", -1)) for key in keys})
    instances = [TaskInstanceFacts(task_id, index, "success") for task_id, index in keys]
    found = with_added(member, instances, account, house.world.structures["d"])
    assert [str(task) for task in found.tasks] == ["a", "b", *(["new"] if waits else [])]
