"""Comments: lines of a rerun's record that people write, and the labels of the Dags that take part."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.errors import Forbidden, NotFound
from airflow_rerun_downstream.domain.facts import DagOwnership
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.seeing import UNTOLD
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.rest import presenters
from airflow_rerun_downstream.service.comments import named_in
from tests.fakes.house import ADA, House
from tests.fakes.world import START

TEXT = "b is late: paused by nobody"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def rerun(house: House) -> int:
    """``a``, which ``b`` reads."""
    source = house.world.run("a")
    house.world.consumed(source, "t", by=house.world.run("b"), asset="1")
    return house.service.submit(ADA, RerunRequest(PlanRequest(source))).rerun.id


def last(house: House, rerun: int) -> tuple[str, str, str | None]:
    events, _ = house.service.events(ADA, rerun, limit=100, offset=0)
    return events[-1].actor, events[-1].action, events[-1].detail


def test_a_comment_is_a_line_of_the_record_and_of_the_audit_log(house: House, rerun: int) -> None:
    assert house.service.comment(ADA, rerun, TEXT).rerun.id == rerun
    assert last(house, rerun) == ("ada", "commented", TEXT)
    assert [event for _, event, _, _ in house.world.log] == ["submit", "commented"]


def test_it_is_no_reason_whatever_it_says(house: House, rerun: int) -> None:
    house.service.comment(ADA, rerun, "paused by nobody")
    events, _ = house.service.events(ADA, rerun, limit=100, offset=0)
    told = presenters.event(events[-1])
    assert (told.detail, told.cause) == ("paused by nobody", None)


def test_it_may_come_after_the_end(house: House, rerun: int) -> None:
    house.store.move_rerun(rerun, after=RerunState.SUCCEEDED, reason=None, now=START)
    assert house.service.comment(ADA, rerun, TEXT).may_comment
    assert last(house, rerun) == ("ada", "commented", TEXT)


def test_it_takes_the_right_to_rerun_every_dag(house: House, rerun: int) -> None:
    house.permissions.forbidden.add("b")
    assert not house.service.rerun(ADA, rerun).may_comment
    with pytest.raises(Forbidden):
        house.service.comment(ADA, rerun, TEXT)
    house.permissions.unreadable.add("a")
    with pytest.raises(NotFound):
        house.service.comment(ADA, rerun, TEXT)


def test_whoever_may_not_read_a_dag_is_not_shown_a_comment_that_names_it(house: House, rerun: int) -> None:
    house.service.comment(ADA, rerun, TEXT)
    house.permissions.unreadable.add("b")
    assert last(house, rerun) == ("ada", "commented", UNTOLD)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("orders.", {"orders"}),
        ("my_orders", set()),
        ("orders2", set()),
        ("(orders)/sales", {"orders", "sales"}),
        ("请看orders的执行", {"orders"}),
        ("the monthly PAYROLL is wrong", {"sales"}),
        ("elsewhere is wrong, too", {"elsewhere"}),
        ("nothing", set()),
        ("?", set()),
    ],
)
def test_a_dag_is_named_by_its_whole_id_or_what_it_is_called(house: House, text: str, found: set[str]) -> None:
    """Also one that isn't part of the rerun."""
    for dag_id in ("orders", "sales", "elsewhere", "pay"):
        house.world.dag(dag_id)
    house.world.display_names["sales"] = "Monthly payroll"
    with house.service.unit_of_work() as work:
        assert named_in(text, ("orders", "sales"), work.facts.dags) == found


def test_labels_are_those_of_the_dags_that_may_be_read(house: House, rerun: int) -> None:
    house.world.owners["a"], house.world.tags["a"] = "bob, ada", frozenset({"shop"})
    found, total = house.service.dags(ADA, rerun, limit=1, offset=0)
    assert (found, total) == ([("a", DagOwnership(("ada", "bob"), ("shop",)))], 2)
    assert house.service.dags(ADA, rerun, limit=5, offset=1)[0] == [("b", DagOwnership())]
    house.permissions.unreadable.add("b")
    assert house.service.dags(ADA, rerun, limit=5, offset=0)[1] == 1
    house.permissions.unreadable.add("a")
    with pytest.raises(NotFound):
        house.service.dags(ADA, rerun, limit=5, offset=0)
