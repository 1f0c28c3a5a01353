"""The conductor over fakes: order, failure, repair, pause, end; a crash between any two steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.conductor.decide import decide
from airflow_rerun_downstream.conductor.observed import Limits
from airflow_rerun_downstream.conductor.steps import Dispatch
from airflow_rerun_downstream.conductor.tick import TickReport
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.ports.gateway import Dispatched
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    return House()


def diamond(house: House) -> dict[str, RunRef]:
    """a → b, c → d."""
    world = house.world
    runs = {name: world.run(name) for name in "abcd"}
    for producer, consumer in (("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")):
        world.consumed(runs[producer], "t", by=runs[consumer], asset=producer + consumer)
    return runs


def submit(house: House, source: RunRef, members: list[RunRef] | None = None, **settings: object) -> int:
    chosen = None if members is None else tuple(MemberRequest(ref) for ref in members)
    request = RerunRequest(PlanRequest(source), members=chosen, settings=RerunSettings(**settings))  # type: ignore[arg-type]
    return house.service.submit(ADA, request).rerun.id


def states(house: House, rerun_id: int) -> dict[str, str]:
    return {member.ref.dag_id: member.state.value for member in house.store.members(rerun_id)}


def state(house: House, rerun_id: int) -> tuple[str, str | None]:
    rerun = house.store.get(rerun_id)
    assert rerun is not None
    return rerun.state.value, rerun.state_reason


def member_id(house: House, rerun_id: int, dag_id: str) -> int:
    return next(member.id for member in house.store.members(rerun_id) if member.ref.dag_id == dag_id)


def finish(house: House, *refs: RunRef, as_: str = "success") -> None:
    house.clock.advance(seconds=1)
    for ref in refs:
        house.world.finish(ref, as_, at=house.clock.now())
    house.tick()


def test_members_go_in_dependency_order_each_once(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.tick()
    assert states(house, rerun) == {"a": "running", "b": "pending", "c": "pending", "d": "pending"}
    finish(house, runs["a"])
    assert states(house, rerun) == {"a": "succeeded", "b": "running", "c": "running", "d": "pending"}
    finish(house, runs["b"])
    assert states(house, rerun)["d"] == "pending"
    finish(house, runs["c"])
    finish(house, runs["d"])
    assert state(house, rerun) == ("succeeded", None)
    assert [ref.dag_id for ref in house.world.dispatches] == ["a", "b", "c", "d"]


def test_downstream_is_dispatched_in_the_tick_that_sees_the_success(house: House) -> None:
    runs = diamond(house)
    submit(house, runs["a"])
    house.tick()
    finish(house, runs["a"])
    assert runs["b"] in house.world.dispatches


def test_order_holds_across_unselected_runs(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"], [runs["d"]])
    house.tick()
    assert states(house, rerun) == {"a": "running", "d": "pending"}
    finish(house, runs["a"])
    assert states(house, rerun)["d"] == "running"
    assert runs["b"] not in house.world.dispatches


def test_a_source_that_is_right_gates_nothing(house: House) -> None:
    runs = diamond(house)
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(runs["a"], rerun_source=False))).rerun.id
    house.tick()
    assert states(house, rerun) == {"a": "skipped", "b": "running", "c": "running", "d": "pending"}


def test_members_in_flight_are_limited_and_the_oldest_go_first(house: House) -> None:
    source = house.world.run("a")
    consumers = [house.world.run("b", day=day) for day in (3, 1, 2)]
    for number, consumer in enumerate(consumers):
        house.world.consumed(source, "t", by=consumer, asset=str(number))
    submit(house, source, max_active_members=2)
    house.tick()
    finish(house, source)
    assert house.world.dispatches[1:] == [consumers[1], consumers[2]]
    finish(house, consumers[1])
    assert house.world.dispatches[3:] == [consumers[0]]


def test_a_failure_fences_its_branch_only(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.tick()
    finish(house, runs["a"])
    finish(house, runs["b"], as_="failed")
    assert state(house, rerun)[0] == "running"
    finish(house, runs["c"])
    assert states(house, rerun) == {"a": "succeeded", "b": "failed", "c": "succeeded", "d": "pending"}
    house.tick()
    assert state(house, rerun) == ("failed", "member_failed")


def test_a_failure_can_pause_the_rerun(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"], on_failure="pause")
    house.tick()
    finish(house, runs["a"])
    house.world.finish(runs["c"], at=house.clock.now())
    finish(house, runs["b"], as_="failed")
    assert state(house, rerun) == ("paused", "member_failed")
    house.service.resume(ADA, rerun)
    house.tick()
    assert state(house, rerun)[0] == "failed"


def fail_b(house: House) -> tuple[dict[str, RunRef], int]:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.tick()
    finish(house, runs["a"])
    house.world.finish(runs["c"], at=house.clock.now())
    finish(house, runs["b"], as_="failed")
    house.tick()
    assert state(house, rerun)[0] == "failed"
    return runs, rerun


def test_a_failed_rerun_goes_on_after_resume(house: House) -> None:
    runs, rerun = fail_b(house)
    house.service.resume(ADA, rerun)
    house.tick()
    finish(house, runs["b"])
    finish(house, runs["d"])
    house.tick()
    assert state(house, rerun)[0] == "succeeded"
    assert house.world.dispatches.count(runs["b"]) == 2


def test_a_failed_rerun_goes_on_after_skip(house: House) -> None:
    runs, rerun = fail_b(house)
    house.service.skip(ADA, rerun, member_id(house, rerun, "b"))
    house.tick()
    finish(house, runs["d"])
    assert (state(house, rerun)[0], states(house, rerun)["b"]) == ("succeeded", "skipped")


def test_a_retry_clears_only_what_has_not_succeeded(house: House) -> None:
    house.world.dag("a", "x >> y")
    source = house.world.run("a")
    rerun = submit(house, source)
    house.tick()
    house.world.set_tasks(source, "success", only={"x"}, at=house.clock.now())
    finish(house, source, as_="failed")
    house.tick()
    house.service.retry(ADA, rerun, member_id(house, rerun, "a"))
    house.tick()
    assert {t.task_id: t.state for t in house.world.tasks[source]} == {"x": "success", "y": None}


def test_a_repair_by_hand_is_adopted(house: House) -> None:
    runs, rerun = fail_b(house)
    house.world.clear_by_hand(runs["b"])
    house.tick()
    assert (state(house, rerun)[0], states(house, rerun)["b"]) == ("running", "running")
    finish(house, runs["b"])
    finish(house, runs["d"])
    house.tick()
    assert state(house, rerun)[0] == "succeeded"
    assert house.world.dispatches.count(runs["b"]) == 1


def test_a_repair_between_two_ticks_is_adopted(house: House) -> None:
    runs, rerun = fail_b(house)
    house.world.clear_by_hand(runs["b"])
    finish(house, runs["b"])
    assert states(house, rerun)["b"] == "succeeded"


def test_a_pending_member_that_somebody_ran_too_early_is_still_dispatched(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.tick()
    house.world.clear_by_hand(runs["d"])
    finish(house, runs["d"])
    assert states(house, rerun)["d"] == "pending"
    finish(house, runs["a"])
    finish(house, runs["b"], runs["c"])
    assert house.world.dispatches.count(runs["d"]) == 1


def test_a_member_whose_run_is_on_its_way_waits_and_says_so(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.tick()
    house.world.clear_by_hand(runs["b"])
    finish(house, runs["a"])
    member = next(m for m in house.store.members(rerun) if m.ref.dag_id == "b")
    assert (member.state, member.state_reason) == (MemberState.PENDING, "run_not_finished")
    assert house.tick() == 0
    finish(house, runs["b"])
    assert house.world.dispatches.count(runs["b"]) == 1


def test_the_selected_tasks_judge_not_the_run(house: House) -> None:
    house.world.dag("a", "x >> leaf")
    source = house.world.run("a")
    rerun = submit(house, source)
    house.tick()
    house.world.set_tasks(source, "failed", only={"x"})
    house.world.set_tasks(source, "success", only={"leaf"})
    house.world.set_run(source, state="success")
    house.tick()
    assert states(house, rerun)["a"] == "failed"


def test_a_run_that_somebody_stopped_has_not_succeeded(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.tick()
    house.world.set_tasks(runs["a"], "skipped")
    house.world.set_run(runs["a"], state="failed", terminated=True)
    house.tick()
    member = house.store.members(rerun)[0]
    assert (member.state, member.state_reason) == (MemberState.FAILED, "run_terminated")


def test_skipped_tasks_of_a_run_that_failed_elsewhere_are_fine(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"], [])
    house.tick()
    house.world.tries.clear()  # it had made no data before
    house.world.skip_itself(runs["a"], "t", at=house.clock.now())
    house.world.set_run(runs["a"], state="failed")
    house.tick()
    assert states(house, rerun)["a"] == "succeeded"


@pytest.mark.parametrize("when", ["before", "while_running"])
def test_a_run_that_vanished_fails_its_member(house: House, when: str) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    if when == "while_running":
        house.tick()
    house.world.delete(runs["a"])
    house.tick()
    member = house.store.members(rerun)[0]
    assert (member.state, member.state_reason) == (MemberState.FAILED, "run_gone")


def test_pause_dispatches_nothing_and_lets_runs_end(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.tick()
    house.service.pause(ADA, rerun)
    finish(house, runs["a"])
    house.tick()
    assert states(house, rerun) == {"a": "succeeded", "b": "pending", "c": "pending", "d": "pending"}
    house.service.resume(ADA, rerun)
    house.tick()
    assert states(house, rerun)["b"] == "running"


@pytest.mark.parametrize("stop", [True, False])
def test_terminate_ends_everything(house: House, stop: bool) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"], stop_running_on_terminate=stop)
    house.tick()
    house.service.terminate(ADA, rerun)
    assert state(house, rerun)[0] == "terminating"
    house.tick()
    assert set(states(house, rerun).values()) == {"terminated"}
    assert state(house, rerun)[0] == "terminated"
    assert house.world.runs[runs["a"]].state == ("failed" if stop else "queued")


def test_a_terminated_rerun_frees_its_runs(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.service.terminate(ADA, rerun)
    house.tick()
    assert submit(house, runs["a"]) != rerun


def test_terminate_leaves_a_failed_member_failed(house: House) -> None:
    _, rerun = fail_b(house)
    house.service.terminate(ADA, rerun)
    house.tick()
    assert (state(house, rerun)[0], states(house, rerun)["b"]) == ("terminated", "failed")


def test_one_conductor_leads(house: House) -> None:
    runs = diamond(house)
    submit(house, runs["a"])
    other = house.new_conductor("two")
    house.tick()
    assert other.tick() == TickReport(leading=False)
    house.clock.advance(minutes=5)
    assert other.tick().leading
    assert house.conductor.tick() == TickReport(leading=False)
    house.clock.advance(minutes=5)
    assert house.conductor.tick().leading


def test_a_conductor_that_gives_up_is_followed_at_once(house: House) -> None:
    house.tick()
    house.conductor.resign()
    assert house.new_conductor("two").tick().leading


def test_a_conductor_that_lost_its_lease_touches_nothing(house: House) -> None:
    runs = diamond(house)
    submit(house, runs["a"])
    look = house.conductor.look()
    assert look is not None
    house.clock.advance(minutes=5)
    house.new_conductor("two").look()
    house.conductor.look = lambda: look  # type: ignore[method-assign]
    assert house.conductor.tick() == TickReport(leading=False)
    assert house.world.dispatches == []


@pytest.mark.parametrize("action", ["retry", "skip"])
def test_a_repair_between_the_look_and_the_end_is_not_lost(house: House, action: str) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.tick()
    house.clock.advance(seconds=1)
    house.world.finish(runs["a"], "failed", at=house.clock.now())
    look = house.conductor.look()
    assert look is not None
    move_only, end = (s for s in decide(look.reruns[0], look.seen, Limits(in_flight=9)))
    house.conductor.performer.perform(look.reruns[0].rerun, move_only, look.lease)
    getattr(house.service, action)(ADA, rerun, member_id(house, rerun, "a"))
    assert not house.conductor.performer.perform(look.reruns[0].rerun, end, look.lease)
    assert state(house, rerun)[0] == "running"


class Crash(BaseException):
    """The process is killed."""


def test_a_crash_before_any_commit_changes_nothing_and_the_end_is_the_same(house: House) -> None:
    """Kill the conductor in its n-th transaction, for every n: the rerun ends the same, nothing twice."""
    commits = run_with_crash(None)
    assert commits > 8
    for number in range(commits):
        run_with_crash(number)


def run_with_crash(number: int | None) -> int:
    house = House()
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    seen = 0
    for _ in range(40):
        seen = tick_with_crash(house, number, seen)
        for ref in house.world.runs:
            if house.world.runs[ref].state == "queued":
                house.world.finish(ref, at=house.clock.now())
        if state(house, rerun)[0] == "succeeded":
            break
    assert state(house, rerun)[0] == "succeeded"
    assert sorted(ref.dag_id for ref in house.world.dispatches) == ["a", "b", "c", "d"]
    return seen


def tick_with_crash(house: House, number: int | None, seen: int) -> int:
    """One tick in which the ``number``-th transaction of the whole story dies before its commit."""
    original = house.unit_of_work
    count = seen

    class Dying:
        def __call__(self):  # type: ignore[no-untyped-def]
            nonlocal count
            original.fail_before_commit = Crash() if count == number else None
            count += 1
            return original()

    conductor = house.new_conductor("one" if number is None or count <= number else "two")
    conductor.unit_of_work = conductor.performer.unit_of_work = Dying()
    house.clock.advance(minutes=1)
    try:
        conductor.tick()
    except Crash:
        pass
    finally:
        original.fail_before_commit = None
    return count


def test_an_unexpected_error_is_tried_again_and_then_fails_the_member(house: House, mocker) -> None:  # type: ignore[no-untyped-def]
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    mocker.patch.object(house.unit_of_work.gateway, "dispatch", side_effect=RuntimeError("database is locked"))
    for _ in range(4):
        house.tick()
        assert states(house, rerun)["a"] == "pending"
    house.tick()
    member = house.store.members(rerun)[0]
    assert member.state_reason == "dispatch_error"


def test_an_idle_tick_does_nothing(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"])
    house.tick()
    events = len(house.store.events(rerun))
    assert house.tick() == 0
    assert len(house.store.events(rerun)) == events


def test_a_record_tells_the_story(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"], [])
    house.tick()
    finish(house, runs["a"])
    house.tick()
    assert [event.action for event in house.store.events(rerun)] == [
        "submit",
        "member_dispatched",
        "member_succeeded",
        "rerun_succeeded",
    ]


def test_succeeded_reruns_never_change(house: House) -> None:
    runs = diamond(house)
    rerun = submit(house, runs["a"], [])
    house.tick()
    finish(house, runs["a"])
    house.tick()
    house.world.clear_by_hand(runs["a"])
    finish(house, runs["a"], as_="failed")
    assert state(house, rerun) == (RerunState.SUCCEEDED.value, None)
    assert states(house, rerun) == {"a": "succeeded"}


@pytest.mark.parametrize("meanwhile", [MemberState.SUCCEEDED, MemberState.FAILED, MemberState.SKIPPED])
def test_only_a_pending_member_is_started(house: House, meanwhile: MemberState) -> None:
    """Whatever has become of it since the tick looked."""
    rerun_id = submit(house, house.world.run("a"))
    rerun, (member,) = house.store.get(rerun_id), house.store.members(rerun_id)
    assert rerun is not None
    house.store.rows.members[member.id] = replace(member, state=meanwhile)
    with house.unit_of_work() as work:
        assert not house.conductor.performer.effects.start(work, rerun, member, Dispatched(1, 1))
    assert states(house, rerun_id) == {"a": meanwhile.value}


@pytest.mark.parametrize("meanwhile", [MemberState.SUCCEEDED, MemberState.FAILED, MemberState.SKIPPED])
def test_a_run_is_not_cleared_for_a_member_that_is_not_pending(house: House, meanwhile: MemberState) -> None:
    rerun_id = submit(house, house.world.run("a"))
    rerun, (member,) = house.store.get(rerun_id), house.store.members(rerun_id)
    assert rerun is not None
    view = house.conductor.look()
    assert view is not None
    house.store.rows.members[member.id] = replace(member, state=meanwhile)
    assert not house.conductor.performer.attempt(rerun, Dispatch(member), view.lease)
    assert (house.world.dispatches, states(house, rerun_id)) == ([], {"a": meanwhile.value})
