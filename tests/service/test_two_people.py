"""Two people at once: an action says how its user saw what it is about, and does nothing to anything else."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.errors import ActionNotAllowed, ChangedMeanwhile
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Seen
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.service.control import LINES_AT_A_TIME, LINES_TOLD
from tests.fakes.house import ADA, House

BEN = Actor("ben", "2")


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def source(house: House) -> RunRef:
    ref = house.world.run("a")
    house.world.run("b")
    return ref


@pytest.fixture
def rerun(house: House, source: RunRef) -> int:
    """A rerun whose only member has failed."""
    rerun_id = house.service.submit(ADA, RerunRequest(PlanRequest(source), members=())).rerun.id
    fails(house, source)
    return rerun_id


def fails(house: House, source: RunRef) -> None:
    house.tick()
    house.world.finish(source, "failed", at=house.clock.now())
    house.tick()


def failed(house: House, rerun: int) -> tuple[int, Seen]:
    """The failed member, and how somebody sees it who looks now."""
    (member,) = (one for one in house.store.members(rerun) if one.state is MemberState.FAILED)
    return member.id, Seen(attempt=member.attempt, line=newest(house, rerun))


def newest(house: House, rerun: int) -> int:
    return house.store.events(rerun)[-1].id


class TestMembers:
    @pytest.mark.parametrize("action", ["retry", "skip"])
    def test_what_is_as_it_was_seen_is_repaired(self, house: House, rerun: int, action: str) -> None:
        member, seen = failed(house, rerun)
        view = getattr(house.service, action)(BEN, rerun, member, seen)
        assert view.member.state.value == {"retry": "pending", "skip": "skipped"}[action]

    @pytest.mark.parametrize("action", ["retry", "skip"])
    @pytest.mark.parametrize("said", ["attempt", "line", "both"])
    def test_another_attempt_is_left_alone(
        self, house: House, source: RunRef, rerun: int, action: str, said: str
    ) -> None:
        member, seen = failed(house, rerun)
        seen = {"attempt": Seen(attempt=seen.attempt), "line": Seen(line=seen.line), "both": seen}[said]
        house.service.retry(ADA, rerun, member)
        fails(house, source)
        before = house.store.snapshot()
        with pytest.raises(ChangedMeanwhile) as refusal:
            getattr(house.service, action)(BEN, rerun, member, seen)
        assert house.store.snapshot() == before
        assert {name: refusal.value.extra[name] for name in ("member_state", "attempt")} == {
            "member_state": MemberState.FAILED,
            "attempt": 2,
        }
        told = [(line["actor"], line["action"]) for line in refusal.value.extra["meanwhile"]]
        assert told[:1] == ([] if said == "attempt" else [("ada", "retry")])
        assert ("ada: retry" in refusal.value.detail) == (said != "attempt")

    def test_who_wants_what_stands_already_is_not_refused(self, house: House, rerun: int) -> None:
        member, seen = failed(house, rerun)
        house.service.retry(ADA, rerun, member, seen)
        before = house.store.snapshot()
        assert house.service.retry(BEN, rerun, member, seen).member.state is MemberState.PENDING
        assert house.store.snapshot() == before

    def test_the_attempt_is_that_after_the_row_is_held(self, house: House, rerun: int, mocker: MockerFixture) -> None:
        """Somebody retries between the look and the hold: the row says so once it is held."""
        member, seen = failed(house, rerun)
        hold = house.store.hold_rerun

        def meanwhile(rerun_id: int, *, state: RerunState) -> bool:
            told: dict[str, Any] = {"actor": "ada", "action": "retry", "detail": None, "member_id": member}
            house.store.add_event(rerun_id, at=house.clock.now(), **told)
            return hold(rerun_id, state=state)

        mocker.patch.object(house.store, "hold_rerun", meanwhile)
        with pytest.raises(ChangedMeanwhile):
            house.service.skip(BEN, rerun, member, Seen(line=seen.line))

    def test_without_a_word_about_it_all_is_as_ever(self, house: House, source: RunRef, rerun: int) -> None:
        member, _ = failed(house, rerun)
        house.service.retry(ADA, rerun, member)
        fails(house, source)
        assert house.service.skip(BEN, rerun, member).member.state is MemberState.SKIPPED

    def test_what_happens_to_others_does_not_matter(self, house: House, rerun: int) -> None:
        member, seen = failed(house, rerun)
        house.store.add_event(rerun, at=house.clock.now(), actor="ada", action="release", detail=None, member_id=None)
        assert house.service.retry(BEN, rerun, member, seen).member.state is MemberState.PENDING


class TestReruns:
    def test_it_is_not_resumed_after_another_failure(self, house: House, source: RunRef, rerun: int) -> None:
        seen = Seen(state=house.service.rerun(ADA, rerun).rerun.state, line=newest(house, rerun))
        house.service.resume(ADA, rerun)
        fails(house, source)
        with pytest.raises(ChangedMeanwhile) as refusal:
            house.service.resume(BEN, rerun, seen)
        told = [(line["actor"], line["action"]) for line in refusal.value.extra["meanwhile"]]
        assert told[0] == ("ada", "resume")
        assert told[-1][1] == "rerun_failed"

    @pytest.mark.parametrize("action", ["pause", "resume", "terminate"])
    def test_another_state_than_seen_refuses(self, house: House, rerun: int, action: str) -> None:
        seen = Seen(state=RerunState.PAUSED)
        with pytest.raises(ChangedMeanwhile) as refusal:
            getattr(house.service, action)(BEN, rerun, seen)
        assert refusal.value.extra["state"] is RerunState.FAILED

    def test_a_repeat_is_not_refused(self, house: House, rerun: int) -> None:
        seen = Seen(state=RerunState.FAILED, line=newest(house, rerun))
        house.service.terminate(ADA, rerun, seen)
        before = house.store.snapshot()
        assert house.service.terminate(BEN, rerun, seen).rerun.state is RerunState.TERMINATING
        assert house.store.snapshot() == before

    def test_progress_of_members_does_not_matter(self, house: House, rerun: int) -> None:
        seen = Seen(state=RerunState.FAILED, line=newest(house, rerun))
        member, _ = failed(house, rerun)
        add: dict[str, Any] = {"at": house.clock.now(), "actor": "rerun_downstream", "detail": None}
        house.store.add_event(rerun, action="member_succeeded", member_id=member, **add)
        assert house.service.terminate(BEN, rerun, seen).rerun.state is RerunState.TERMINATING

    def test_a_long_record_is_searched_to_its_end(self, house: House, rerun: int) -> None:
        seen = Seen(line=newest(house, rerun))
        member, _ = failed(house, rerun)
        add: dict[str, Any] = {"at": house.clock.now(), "actor": "rerun_downstream", "detail": None}
        for _ in range(LINES_AT_A_TIME):
            house.store.add_event(rerun, action="member_running", member_id=member, **add)
        for _ in range(2 * LINES_TOLD):
            house.store.add_event(rerun, action="pause", member_id=None, **add)
        with pytest.raises(ChangedMeanwhile) as refusal:
            house.service.terminate(BEN, rerun, seen)
        assert len(refusal.value.extra["meanwhile"]) == LINES_TOLD

    def test_nothing_frozen_is_said_as_ever(self, house: House, rerun: int) -> None:
        with pytest.raises(ActionNotAllowed, match="has no frozen runs"):
            house.service.release(BEN, rerun, Seen(state=RerunState.PAUSED))
