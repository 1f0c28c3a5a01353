"""Several members at once: each is done or refused for itself, and the rerun as a whole only where nobody may act."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.errors import Forbidden, NotFound
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun import Seen
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from tests.fakes.house import ADA, House
from tests.fakes.world import START


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def rerun(house: House) -> int:
    """``a``, and three runs that read it; ``b`` and ``c`` have failed."""
    source = house.world.run("a")
    for dag_id in ("b", "c", "d"):
        house.world.consumed(source, "t", by=house.world.run(dag_id), asset=dag_id)
    return house.service.submit(ADA, RerunRequest(PlanRequest(source))).rerun.id


def ids(house: House, rerun: int) -> dict[str, int]:
    return {one.ref.dag_id: one.id for one in house.store.members(rerun)}


def seen(*member_ids: int, attempt: int | None = None) -> dict[int, Seen]:
    return dict.fromkeys(member_ids, Seen(attempt=attempt))


def fail(house: House, rerun: int, *dag_ids: str) -> None:
    for dag_id in dag_ids:
        assert house.store.move_member(ids(house, rerun)[dag_id], after=MemberState.FAILED, reason=None, now=START)


def states(house: House, rerun: int) -> dict[str, str]:
    return {one.ref.dag_id: one.state.value for one in house.store.members(rerun)}


@pytest.mark.parametrize(("action", "after"), [("retry_members", "pending"), ("skip_members", "skipped")])
def test_each_is_answered_for_itself(house: House, rerun: int, action: str, after: str) -> None:
    fail(house, rerun, "b", "c")
    house.store.move_rerun(rerun, after=RerunState.FAILED, reason=None, now=START)
    member = ids(house, rerun)
    found = getattr(house.service, action)(ADA, rerun, seen(member["b"], member["d"], 99, member["c"]))
    assert [view.member.ref.dag_id for view in found.members] == ["b", "c"]
    assert [(number, refusal.reason) for number, refusal in found.refused] == [
        (member["d"], "action_not_allowed"),
        (99, "not_found"),
    ]
    assert states(house, rerun) | {"a": ""} == {"a": "", "b": after, "c": after, "d": "pending"}
    assert house.service.rerun(ADA, rerun).rerun.state is RerunState.RUNNING
    lines = [(line.actor, line.action, line.member_id) for line in house.store.events(rerun)]
    verb = action.removesuffix("_members")
    assert [line for line in lines if line[1] == verb] == [("ada", verb, member["b"]), ("ada", verb, member["c"])]


def test_who_may_not_act_is_refused_as_a_whole(house: House, rerun: int) -> None:
    fail(house, rerun, "b", "c")
    house.permissions.forbidden.add("d")
    before = house.store.snapshot()
    with pytest.raises(Forbidden):
        house.service.retry_members(ADA, rerun, seen(ids(house, rerun)["b"]))
    with pytest.raises(NotFound):
        house.service.skip_members(ADA, 99, seen(1))
    assert house.store.snapshot() == before


def test_a_rerun_that_has_ended_refuses_each(house: House, rerun: int) -> None:
    fail(house, rerun, "b")
    house.store.move_rerun(rerun, after=RerunState.TERMINATING, reason=None, now=START)
    found = house.service.retry_members(ADA, rerun, seen(ids(house, rerun)["b"]))
    assert (found.members, [refusal.reason for _, refusal in found.refused]) == ((), ["action_not_allowed"])


def test_the_source_is_a_run_like_any_other(house: House, rerun: int) -> None:
    """The source may have failed, too."""
    fail(house, rerun, "a")
    found = house.service.skip_members(ADA, rerun, seen(ids(house, rerun)["a"]))
    assert [view.member.state for view in found.members] == [MemberState.SKIPPED]


def test_a_member_that_has_changed_meanwhile_is_left_alone(house: House, rerun: int) -> None:
    fail(house, rerun, "b")
    found = house.service.retry_members(ADA, rerun, seen(ids(house, rerun)["b"], attempt=3))
    assert [refusal.reason for _, refusal in found.refused] == ["changed_meanwhile"]
    assert states(house, rerun)["b"] == "failed"


def test_an_error_in_the_middle_does_not_hide_what_was_done(house: House, rerun: int, mocker: MockerFixture) -> None:
    fail(house, rerun, "b", "c", "d")
    member, real = ids(house, rerun), house.store.move_member

    def move(member_id: int, **how: Any) -> bool:
        if member_id == member["c"]:
            raise RuntimeError("the database is gone")
        return real(member_id, **how)

    mocker.patch.object(house.store, "move_member", move)
    found = house.service.retry_members(ADA, rerun, seen(99, member["b"], member["c"], member["d"]))
    assert [view.member.id for view in found.members] == [member["b"]]
    assert [(number, refusal.reason) for number, refusal in found.refused] == [
        (99, "not_found"),
        (member["c"], "internal_error"),
        (member["d"], "internal_error"),
    ]
    assert states(house, rerun) | {"a": ""} == {"a": "", "b": "pending", "c": "failed", "d": "failed"}
    assert "members_left" in house.telemetry.actions
    with pytest.raises(RuntimeError):  # nothing was done: there is nothing to answer
        house.service.retry_members(ADA, rerun, seen(member["c"]))


def test_rights_that_are_lost_in_the_middle_refuse_the_rest(house: House, rerun: int, mocker: MockerFixture) -> None:
    fail(house, rerun, "b", "c")
    member, real = ids(house, rerun), house.service.retry

    def retry(*how: Any) -> Any:
        done = real(*how)
        house.permissions.forbidden.add("d")
        return done

    mocker.patch.object(house.service, "retry", retry)
    found = house.service.retry_members(ADA, rerun, seen(member["b"], member["c"]))
    assert [view.member.id for view in found.members] == [member["b"]]
    assert [refusal.reason for _, refusal in found.refused] == ["forbidden_dags"]


@pytest.mark.parametrize("action", ["retry_members", "skip_members"])
def test_a_failure_that_nobody_saw_is_left_alone(house: House, rerun: int, action: str) -> None:
    """The same attempt has failed anew, for another reason: only the line tells it from the failure that was seen."""
    fail(house, rerun, "b", "c")
    member = ids(house, rerun)
    shown = house.store.events(rerun)[-1].id
    told = {"at": START, "actor": "conductor", "action": "member_failed"}
    house.store.add_event(rerun, member_id=member["b"], **told, detail=None, dag_ids=())
    found = getattr(house.service, action)(ADA, rerun, {member[one]: Seen(attempt=0, line=shown) for one in ("b", "c")})
    assert [view.member.ref.dag_id for view in found.members] == ["c"]
    assert [(number, refusal.reason) for number, refusal in found.refused] == [(member["b"], "changed_meanwhile")]
    assert states(house, rerun)["b"] == "failed"


@pytest.mark.parametrize("how", [Seen(), Seen(attempt=0, line=2**31 - 1)])
def test_a_rerun_that_the_conductor_has_moved_in_between_refuses_nothing(
    house: House, rerun: int, how: Seen, mocker: MockerFixture
) -> None:
    """The first retry sets a failed rerun going, and the conductor finds it failed again while the second is done."""
    fail(house, rerun, "b", "c")
    member, real, lost = ids(house, rerun), house.store.hold_rerun, [True, False]

    def hold(rerun_id: int, *, state: RerunState) -> bool:
        return not (lost and lost.pop()) and real(rerun_id, state=state)

    mocker.patch.object(house.store, "hold_rerun", hold)
    found = house.service.retry_members(ADA, rerun, dict.fromkeys((member["b"], member["c"]), how))
    assert (lost, found.refused) == ([], ())
    assert [view.member.ref.dag_id for view in found.members] == ["b", "c"]
