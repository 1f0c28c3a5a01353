"""A gate is looked at again at the moment of dispatch: what was right a moment ago may have been cleared since."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def runs(house: House) -> dict[str, RunRef]:
    """src → mid → leaf, and src → leaf; each has a task that nobody selects, too."""
    for dag_id in ("src", "mid", "leaf"):
        house.world.dag(dag_id, "t; aside")
    found = {dag_id: house.world.run(dag_id) for dag_id in ("src", "mid", "leaf")}
    for producer, consumer in (("src", "mid"), ("src", "leaf"), ("mid", "leaf")):
        house.world.consumed(found[producer], "t", by=found[consumer], asset=producer + consumer)
    return found


@pytest.fixture
def rerun(house: House, runs: dict[str, RunRef]) -> int:
    """The source is right again, and mid runs."""
    rerun_id = house.service.submit(ADA, RerunRequest(PlanRequest(runs["src"]))).rerun.id
    house.tick()
    finish(house, runs["src"])
    house.tick()
    assert states(house, rerun_id) == {"src": "succeeded", "mid": "running", "leaf": "pending"}
    return rerun_id


def finish(house: House, ref: RunRef, state: str = "success") -> None:
    house.clock.advance(seconds=1)
    house.world.finish(ref, state, at=house.clock.now())


def member(house: House, rerun_id: int, dag_id: str) -> Member:
    return next(one for one in house.store.members(rerun_id) if one.ref.dag_id == dag_id)


def states(house: House, rerun_id: int) -> dict[str, str]:
    return {one.ref.dag_id: one.state.value for one in house.store.members(rerun_id)}


def test_a_reader_waits_while_its_upstream_is_made_anew(house: House, runs: dict[str, RunRef], rerun: int) -> None:
    house.world.clear_by_hand(runs["src"])
    finish(house, runs["mid"])
    for _ in range(3):
        house.tick()
    assert runs["leaf"] not in house.world.dispatches
    assert states(house, rerun) == {"src": "running", "mid": "succeeded", "leaf": "pending"}
    assert member(house, rerun, "leaf").state_reason == "upstream_runs_again"
    assert member(house, rerun, "src").state_reason == "cleared_again"
    finish(house, runs["src"])
    house.tick()
    assert states(house, rerun) == {"src": "succeeded", "mid": "succeeded", "leaf": "running"}
    assert member(house, rerun, "leaf").state_reason is None
    finish(house, runs["leaf"])
    house.tick()
    assert house.store.get(rerun).state.value == "succeeded"  # type: ignore[union-attr]
    assert house.world.dispatches.count(runs["leaf"]) == 1


def test_what_was_cleared_and_is_right_again_is_judged_again(house: House, runs: dict[str, RunRef], rerun: int) -> None:
    house.world.clear_by_hand(runs["src"])
    finish(house, runs["src"])
    finish(house, runs["mid"])
    house.tick()
    assert states(house, rerun)["leaf"] == "pending"
    house.tick()
    assert states(house, rerun) == {"src": "succeeded", "mid": "succeeded", "leaf": "running"}
    assert member(house, rerun, "src").clear_number == house.world.runs[runs["src"]].clear_number


def test_what_was_cleared_and_failed_fails(house: House, runs: dict[str, RunRef], rerun: int) -> None:
    house.world.clear_by_hand(runs["src"])
    finish(house, runs["src"], "failed")
    finish(house, runs["mid"])
    house.tick()
    house.tick()
    assert states(house, rerun) == {"src": "failed", "mid": "succeeded", "leaf": "pending"}


def test_a_task_that_was_marked_failed_is_judged_again(house: House, runs: dict[str, RunRef], rerun: int) -> None:
    house.world.set_tasks(runs["src"], "failed", only=["t"])
    finish(house, runs["mid"])
    house.tick()
    house.tick()
    assert states(house, rerun) == {"src": "failed", "mid": "succeeded", "leaf": "pending"}


def test_a_clear_of_what_nobody_selected_changes_the_number_only(house: House, runs: dict[str, RunRef]) -> None:
    request = PlanRequest(runs["src"], tasks=(TaskRef("t"),))
    rerun = house.service.submit(ADA, RerunRequest(request)).rerun.id
    house.tick()
    finish(house, runs["src"])
    house.tick()
    house.world.clear_by_hand(runs["src"], only=["aside"])
    finish(house, runs["mid"])
    house.tick()
    assert states(house, rerun) == {"src": "running", "mid": "succeeded", "leaf": "pending"}
    house.tick()
    assert states(house, rerun) == {"src": "succeeded", "mid": "succeeded", "leaf": "running"}


def test_a_run_that_ends_after_its_selected_tasks_lets_others_go(house: House, runs: dict[str, RunRef]) -> None:
    """The run of an upstream member needn't have ended: that would cost each hop a look of the scheduler."""
    rerun_id = house.service.submit(ADA, RerunRequest(PlanRequest(runs["src"]))).rerun.id
    house.tick()
    house.world.set_tasks(runs["src"], "success", at=house.clock.now())
    house.world.set_run(runs["src"], state="running")
    house.tick()
    assert states(house, rerun_id)["mid"] == "running"


def test_an_upstream_run_that_is_gone_fails_its_member(house: House, runs: dict[str, RunRef], rerun: int) -> None:
    house.world.delete(runs["src"])
    finish(house, runs["mid"])
    house.tick()
    gone = member(house, rerun, "src")
    assert (gone.state, gone.state_reason) == (MemberState.FAILED, "run_gone")
    house.tick()
    assert house.store.get(rerun).state.value == "failed"  # type: ignore[union-attr]
    assert runs["leaf"] not in house.world.dispatches


class TestSkipped:
    """A member that was skipped is only asked for nothing unfinished."""

    @pytest.fixture
    def rerun(self, house: House, runs: dict[str, RunRef]) -> int:
        """mid has failed and is skipped; before the next tick nothing has gone on."""
        rerun_id = house.service.submit(ADA, RerunRequest(PlanRequest(runs["src"]))).rerun.id
        house.tick()
        finish(house, runs["src"])
        house.tick()
        finish(house, runs["mid"], "failed")
        house.tick()
        house.service.skip(ADA, rerun_id, member(house, rerun_id, "mid").id)
        return rerun_id

    def test_as_it_was_left_it_lets_others_go(self, house: House, runs: dict[str, RunRef], rerun: int) -> None:
        house.tick()
        assert states(house, rerun) == {"src": "succeeded", "mid": "skipped", "leaf": "running"}

    @pytest.mark.parametrize("state", [None, "upstream_failed"])
    def test_what_will_never_run_is_not_waited_for(
        self, house: House, runs: dict[str, RunRef], rerun: int, state: str | None
    ) -> None:
        house.world.set_tasks(runs["mid"], state)
        house.tick()
        assert states(house, rerun)["leaf"] == "running"

    def test_one_that_somebody_runs_is_waited_for(self, house: House, runs: dict[str, RunRef], rerun: int) -> None:
        house.world.clear_by_hand(runs["mid"])
        for _ in range(3):
            house.tick()
        assert states(house, rerun) == {"src": "succeeded", "mid": "skipped", "leaf": "pending"}
        assert member(house, rerun, "leaf").state_reason == "upstream_runs_again"
        assert house.tick() == 0
        finish(house, runs["mid"], "failed")
        house.tick()
        assert states(house, rerun)["leaf"] == "running"

    def test_one_whose_run_is_gone_lets_others_go(self, house: House, runs: dict[str, RunRef], rerun: int) -> None:
        house.world.delete(runs["mid"])
        house.tick()
        assert states(house, rerun)["leaf"] == "running"


@pytest.mark.parametrize(
    "meddle",
    [
        lambda house, runs, rerun: house.world.clear_by_hand(runs["src"]),
        lambda house, runs, rerun: house.world.clear_by_hand(runs["mid"]),
    ],
)
def test_what_is_cleared_between_the_look_and_the_dispatch_is_seen(
    house: House, runs: dict[str, RunRef], rerun: int, meddle: Callable[..., None]
) -> None:
    finish(house, runs["mid"])
    look = house.conductor.look()
    meddle(house, runs, rerun)
    house.conductor.look = lambda: look  # type: ignore[method-assign]
    house.tick()
    assert runs["leaf"] not in house.world.dispatches
    assert member(house, rerun, "leaf").state_reason == "upstream_runs_again"


def test_what_simply_succeeded_is_judged_by_its_states_alone(
    house: House, runs: dict[str, RunRef], rerun: int, mocker: MockerFixture
) -> None:
    """More is read of it when the tick judges it, and not once more at the dispatch of each that reads from it."""
    finish(house, runs["mid"])
    asked = mocker.spy(house.unit_of_work.facts.tasks, "accounts")
    house.tick()
    assert runs["leaf"] in house.world.dispatches
    assert [list(call.args[0]) for call in asked.call_args_list] == [[runs["mid"]]]


def test_a_pause_that_was_just_answered_is_not_overtaken(house: House, runs: dict[str, RunRef], rerun: int) -> None:
    """The tick has looked while the rerun was running; the person's pause is answered before it dispatches."""
    finish(house, runs["mid"])
    look = house.conductor.look()
    assert house.service.pause(ADA, rerun).rerun.state.value == "paused"
    house.conductor.look = lambda: look  # type: ignore[method-assign]
    house.tick()
    assert runs["leaf"] not in house.world.dispatches
    assert states(house, rerun)["leaf"] == "pending"


class TestTheEnd:
    """A rerun succeeds only if nothing of it has been cleared since it was judged, and nothing moves meanwhile."""

    @pytest.fixture
    def rerun(self, house: House, runs: dict[str, RunRef], rerun: int) -> int:
        finish(house, runs["mid"])
        house.tick()
        finish(house, runs["leaf"])
        return rerun

    @pytest.mark.parametrize("dag_id", ["src", "mid", "leaf"])
    def test_a_member_that_was_cleared_again_is_judged_again_first(
        self, house: House, runs: dict[str, RunRef], rerun: int, dag_id: str
    ) -> None:
        house.world.clear_by_hand(runs[dag_id])
        house.tick()
        house.tick()
        assert house.store.get(rerun).state.value == "running"  # type: ignore[union-attr]
        assert states(house, rerun)[dag_id] == "running"
        finish(house, runs[dag_id])
        house.tick()
        assert house.store.get(rerun).state.value == "succeeded"  # type: ignore[union-attr]

    def test_a_member_whose_run_is_gone_fails(self, house: House, runs: dict[str, RunRef], rerun: int) -> None:
        house.world.delete(runs["mid"])
        house.tick()
        house.tick()
        assert house.store.get(rerun).state.value == "failed"  # type: ignore[union-attr]
        assert member(house, rerun, "mid").state_reason == "run_gone"

    def test_what_is_only_skipped_is_left_alone(self, runs: dict[str, RunRef], house: House) -> None:
        rerun = house.service.submit(ADA, RerunRequest(PlanRequest(runs["src"], rerun_source=False))).rerun.id
        house.tick()
        finish(house, runs["mid"])
        house.tick()
        house.world.clear_by_hand(runs["src"])
        finish(house, runs["leaf"])
        house.tick()
        assert house.store.get(rerun).state.value == "succeeded"  # type: ignore[union-attr]


def test_one_that_waits_for_its_upstream_holds_up_no_other(house: House) -> None:
    """What the first in line reads from is run by somebody; the one behind it has nothing to do with that."""
    runs = {name: house.world.run(name) for name in ("src", "up_1", "up_2", "down_1", "down_2")}
    for producer, consumer in (("src", "up_1"), ("src", "up_2"), ("up_1", "down_1"), ("up_2", "down_2")):
        house.world.consumed(runs[producer], "t", by=runs[consumer], asset=producer + consumer)
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(runs["src"]))).rerun.id
    house.tick()
    finish(house, runs["src"])
    house.tick()
    finish(house, runs["up_1"], "failed")
    house.tick()
    house.service.skip(ADA, rerun, member(house, rerun, "up_1").id)
    house.world.clear_by_hand(runs["up_1"])
    for _ in range(3):
        house.tick()
    assert member(house, rerun, "down_1").state_reason == "upstream_runs_again"
    finish(house, runs["up_2"])
    house.tick()
    assert house.world.dispatches[-1] == runs["down_2"]
    assert states(house, rerun)["down_1"] == "pending"
