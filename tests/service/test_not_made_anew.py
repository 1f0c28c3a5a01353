"""What a reader sees of what a rerun left as it was: all of it counted, and named where it may be read."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.service.records import omission
from airflow_rerun_downstream.service.views import Omission
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    """A rerun whose source has skipped what two runs read; a task of a third one was left out."""
    house = House()
    world = house.world
    world.dag("other", "read >> more")
    source, reader, secret, other = (world.run(name) for name in ("source", "reader", "secret", "other"))
    for consumer in (reader, secret, other):
        world.consumed(source, "t", by=consumer, asset=consumer.dag_id)
    members = (MemberRequest(reader), MemberRequest(secret), MemberRequest(other, (TaskRef("read"),)))
    assert house.service.submit(ADA, RerunRequest(PlanRequest(source), members=members)).rerun.id == 1
    house.tick()
    world.skip_itself(source, "t", at=house.clock.now())
    world.set_run(source, state="success")
    house.tick()
    return house


def page(house: House, limit: int = 50, offset: int = 0) -> tuple[list[tuple[str, str | None, str, str | None]], int]:
    found, total = house.service.not_made_anew(ADA, 1, limit=limit, offset=offset)
    return [(one.ref.dag_id, one.task_id, one.reason, one.accepted_by) for one in found], total


SKIPPED = ("source", "t", "tasks_skipped", None)
LEFT_OUT = ("other", "more", "stays_polluted", "ada")


def test_it_names_what_members_skipped_and_what_the_submit_left_out(house: House) -> None:
    assert page(house) == ([SKIPPED, LEFT_OUT], 2)
    assert house.service.rerun(ADA, 1).not_made_anew == 2
    (listed,), _ = house.service.reruns(ADA, RerunFilter())
    assert listed.not_made_anew == 2


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_together_are_the_whole(house: House, limit: int) -> None:
    pages = [page(house, limit, offset) for offset in range(0, 4, limit)]
    assert [one for some, _ in pages for one in some] == [SKIPPED, LEFT_OUT]
    assert {total for _, total in pages} == {2}


def test_it_names_the_readers(house: House) -> None:
    (first, _), _ = house.service.not_made_anew(ADA, 1, limit=50, offset=0)
    assert {one.dag_id for one in first.read_by} == {"reader", "secret", "other"}
    assert isinstance(first.read_by[0], RunRef)


def test_what_may_not_be_read_is_counted_and_not_named(house: House) -> None:
    house.permissions.unreadable |= {"secret", "other"}
    found, total = house.service.not_made_anew(ADA, 1, limit=50, offset=0)
    assert ([one.ref.dag_id for one in found], total) == (["source"], 1)
    assert [one.dag_id for one in found[0].read_by] == ["reader"]
    assert house.service.rerun(ADA, 1).not_made_anew == 2


def test_what_a_person_skips_is_accepted_by_them(house: House) -> None:
    house.tick()
    (source,) = [member for member in house.store.members(1) if member.state.value == "failed"]
    house.service.skip(ADA, 1, source.id)
    assert page(house)[0] == [("source", "t", "skipped_by_user", "ada"), LEFT_OUT]


def test_what_a_later_stage_has_not_begun_is_accepted_too() -> None:
    """It looks as it did before the rerun: as a success."""
    house = House()
    world = house.world
    world.dag("parent", "prepare >> fire >> publish")
    world.trigger_task("parent", "fire", "child", one_run=True, waits=True)
    parent, child = world.run("parent"), world.run("child", run_type="operator_triggered", online=True, day=0.5)
    world.made(parent, "fire", child)
    reader = world.run("reader")
    world.consumed(parent, "publish", by=reader)
    house.service.submit(ADA, RerunRequest(PlanRequest(parent)))
    house.tick()
    world.finish(parent, "failed", at=house.clock.now(), only=["prepare"])
    house.tick()
    (failed,) = [member for member in house.store.members(1) if member.state.value == "failed"]
    house.service.skip(ADA, 1, failed.id)
    assert page(house)[0] == [
        ("parent", "prepare", "skipped_by_user", "ada"),
        ("parent", "publish", "skipped_by_user", "ada"),
    ]


def test_what_its_dag_has_dropped_meanwhile_is_accepted_too() -> None:
    house = House()
    house.world.dag("source", "old >> load")
    source = house.world.run("source")
    house.service.submit(ADA, RerunRequest(PlanRequest(source)))
    house.tick()
    house.world.set_tasks(source, "removed", only={"old"})
    house.world.finish(source, "failed", at=house.clock.now(), only=["load"])
    house.tick()
    house.service.skip(ADA, 1, house.store.members(1)[0].id)
    assert page(house)[0] == [
        ("source", "old", "skipped_by_user", "ada"),
        ("source", "load", "skipped_by_user", "ada"),
    ]


def test_who_has_read_what_was_not_made_anew(house: House) -> None:
    """By links that leave that task, or the run as a whole, and lead to a run that exists."""
    here, others = house.world.run("a"), [house.world.run(f"to_{number}") for number in range(3)]
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(here), members=())).rerun.id
    (member,) = house.store.members(rerun)

    def link(one: RunRef, two: RunRef | FutureRef, task_id: str | None) -> Link:
        return Link(one, two, LinkKind.ASSET, Evidence.RECORDED, {}, from_task_id=task_id)

    links = [
        link(here, others[1], "t"),
        link(here, others[0], None),
        link(here, others[2], "beside"),
        link(others[0], others[2], "t"),
        link(here, FutureRef("to_come", next=True), "t"),
    ]
    found = omission(member, NotMadeAnew("t", None, "marked_success", "bob", others[2]), links)
    assert found == Omission(
        here, "t", None, "marked_success", "bob", member.id, (others[0], others[1]), because_of=others[2]
    )
