"""What users see of notifications and of their targets, and who may send a test."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.delivery import DeliveryState
from airflow_rerun_downstream.domain.errors import NotAllowed, NotFound
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import Notification, RerunRequest
from airflow_rerun_downstream.domain.words import CONDITIONS
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    return House()


def failed(house: House) -> int:
    """A rerun of a → b, c in which b and c have failed."""
    runs = {name: house.world.run(name) for name in "abc"}
    for name in "bc":
        house.world.consumed(runs["a"], "t", by=runs[name], asset=name)
    told = (Notification("data-team", CONDITIONS),)
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(runs["a"]), notifications=told)).rerun.id
    house.tick()
    for names, how in (("a", "success"), ("bc", "failed")):
        house.clock.advance(seconds=1)
        for name in names:
            house.world.finish(runs[name], how, at=house.clock.now())
        house.tick()
    return rerun


class TestOfARerun:
    def test_they_are_listed_with_the_runs_that_they_name(self, house: House) -> None:
        rerun = failed(house)
        (view,), total = house.service.notifications(ADA, rerun, limit=10, offset=0)
        assert total == 1
        assert (view.delivery.target, view.delivery.condition, view.delivery.occurrences) == (
            "data-team",
            "member_failed",
            2,
        )
        assert sorted(ref.dag_id for ref in view.members) == ["b", "c"]

    def test_who_may_not_read_a_dag_never_sees_its_name(self, house: House) -> None:
        rerun = failed(house)
        house.permissions.unreadable.add("b")
        (view,), _ = house.service.notifications(ADA, rerun, limit=10, offset=0)
        assert [ref.dag_id for ref in view.members] == ["c"]

    def test_whoever_may_not_read_the_source_is_told_that_there_is_no_such_rerun(self, house: House) -> None:
        rerun = failed(house)
        house.permissions.unreadable.add("a")
        with pytest.raises(NotFound):
            house.service.notifications(ADA, rerun, limit=10, offset=0)
        with pytest.raises(NotFound):
            house.service.notifications(ADA, 99, limit=10, offset=0)

    def test_pages(self, house: House) -> None:
        rerun = failed(house)
        assert house.service.notifications(ADA, rerun, limit=10, offset=1) == ([], 1)


class TestTests:
    def test_a_test_is_stored_and_its_state_shown(self, house: House) -> None:
        house.world.dag("a")
        sent = house.service.send_test(ADA, "data-team")
        assert (sent.rerun_id, sent.condition, sent.actor, sent.state) == (None, "test", "ada", DeliveryState.PENDING)
        (target,) = house.service.notification_targets(ADA)
        assert (target.may_test, target.last_test) == (True, sent)

    def test_as_long_as_nobody_has_tried_it_another_is_the_same(self, house: House) -> None:
        first = house.service.send_test(ADA, "data-team")
        assert house.service.send_test(ADA, "data-team") == first
        with house.unit_of_work() as work:
            work.outbox.sent(first.id, at=house.clock.now())
        second = house.service.send_test(ADA, "data-team")
        assert second.message_id != first.message_id
        assert list(house.unit_of_work.outbox.rows.values()) == [second], "one is kept"

    def test_only_who_may_see_the_installation_may_test_and_see_how_it_went(self, house: House) -> None:
        house.world.dag("a")
        house.service.send_test(ADA, "data-team")
        house.sees_installation = False
        with pytest.raises(NotAllowed):
            house.service.send_test(ADA, "data-team")
        (target,) = house.service.notification_targets(ADA)
        assert (target.may_test, target.last_test) == (False, None)

    @pytest.mark.parametrize(
        "name", ["nobody", "", "data-team ", "os.system", "https://example.com", "x" * 250, "\x00"]
    )
    def test_nobody_can_name_anything_but_a_configured_target(self, house: House, name: str) -> None:
        with pytest.raises(NotFound):
            house.service.send_test(ADA, name)
        assert house.unit_of_work.outbox.rows == {}
