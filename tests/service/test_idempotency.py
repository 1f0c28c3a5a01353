"""Whoever repeats a submit with its key gets the rerun that was made."""

from __future__ import annotations

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.errors import IdempotencyKeyReused, NotFound, NotSelectable, RunInActiveRerun
from airflow_rerun_downstream.domain.idempotency import IdempotencyKey
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.service import RerunView
from tests.fakes.house import ADA, House

BEA = Actor("2", "bea")
KEY = IdempotencyKey.of(ADA, "nightly", "{}")


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def request_(house: House) -> RerunRequest:
    return RerunRequest(PlanRequest(house.world.run("a")))


def test_a_repeat_answers_the_rerun_that_was_made(house: House, request_: RerunRequest) -> None:
    first = house.service.submit(ADA, request_, KEY)
    before = house.world.snapshot(), house.store.snapshot()
    again = house.service.submit(ADA, request_, KEY)
    assert (first.made_earlier, again.made_earlier) == (False, True)
    assert again.rerun.id == first.rerun.id
    assert (house.world.snapshot(), house.store.snapshot()) == before


def test_a_repeat_tells_how_far_the_rerun_has_come(house: House, request_: RerunRequest) -> None:
    made = house.service.submit(ADA, request_, KEY).rerun
    house.service.terminate(ADA, made.id)
    house.tick()
    again = house.service.submit(ADA, request_, KEY).rerun
    assert (again.id, again.state) == (made.id, RerunState.TERMINATED)


def test_another_body_is_refused(house: House, request_: RerunRequest) -> None:
    made = house.service.submit(ADA, request_, KEY).rerun
    with pytest.raises(IdempotencyKeyReused) as raised:
        house.service.submit(ADA, request_, IdempotencyKey.of(ADA, "nightly", "[]"))
    assert str(made.id) not in raised.value.detail
    assert list(house.store.rows.reruns) == [made.id]


def test_another_users_key_is_another_key(house: House, request_: RerunRequest) -> None:
    house.service.submit(ADA, request_, KEY)
    with pytest.raises(RunInActiveRerun):
        house.service.submit(BEA, request_, IdempotencyKey.of(BEA, "nightly", "{}"))


def test_a_refused_submit_uses_no_key_up(house: House, request_: RerunRequest) -> None:
    blocking = house.service.submit(BEA, request_).rerun
    with pytest.raises(RunInActiveRerun):
        house.service.submit(ADA, request_, KEY)
    house.service.terminate(BEA, blocking.id)
    house.tick()
    assert house.service.submit(ADA, request_, KEY).rerun.id > blocking.id


def test_who_may_not_read_it_any_more_isnt_told(house: House, request_: RerunRequest) -> None:
    house.service.submit(ADA, request_, KEY)
    house.permissions.unreadable.add("a")
    with pytest.raises(NotFound):
        house.service.submit(ADA, request_, KEY)


@pytest.mark.parametrize("over", [False, True])
def test_who_loses_the_race_answers_the_winners(
    house: House, request_: RerunRequest, mocker: MockerFixture, over: bool
) -> None:
    """The winner's rerun is stored after the loser has looked; its runs are taken, or free again already."""
    winner: list[RerunView] = []
    look = house.service.earlier

    def earlier(actor: Actor, key: IdempotencyKey) -> RerunView | None:
        found = look(actor, key)
        if not winner:
            winner.append(house.service.stored(ADA, request_, KEY))
            if over:
                house.service.terminate(ADA, winner[0].rerun.id)
                house.tick()
        return found

    mocker.patch.object(house.service, "earlier", side_effect=earlier)
    loser = house.service.submit(ADA, request_, KEY)
    assert (loser.rerun.id, loser.made_earlier) == (winner[0].rerun.id, True)
    assert list(house.store.rows.reruns) == [loser.rerun.id]


def test_a_refusal_that_has_nothing_to_do_with_it_stays(house: House) -> None:
    unknown = RerunRequest(PlanRequest(house.world.run("a")), frozen=(RunRef("nowhere", "r"),), freeze_mode=True)
    with pytest.raises((NotSelectable, NotFound)):
        house.service.submit(ADA, unknown, KEY)
