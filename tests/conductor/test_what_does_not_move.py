"""Whatever doesn't move says why, and what can't start takes no place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest, RerunSettings
from tests.fakes.house import ADA, House


@pytest.fixture
def house() -> House:
    return House()


def fan(house: House, count: int, *others: str) -> tuple[RunRef, list[RunRef], int]:
    """A source that is right already, so many runs of ``wide`` that read it, and one of each other Dag."""
    source = house.world.run("src")
    wide = [house.world.run("wide", day=1 + day) for day in range(count)]
    for reader in [*wide, *(house.world.run(dag_id, day=50) for dag_id in others)]:
        house.world.consumed(source, "t", by=reader)
    house.world.dag("wide", "t")
    request = PlanRequest(source, rerun_source=False)
    settings = RerunSettings(max_active_members=4)
    return source, wide, house.service.submit(ADA, RerunRequest(request, settings=settings)).rerun.id


def change(house: House, dag_id: str, **values: object) -> None:
    world = house.world
    world.structures[dag_id] = replace(world.structures[dag_id], **values)  # type: ignore[arg-type]


def members(house: House, rerun_id: int, dag_id: str) -> list[Member]:
    return [one for one in house.store.members(rerun_id) if one.ref.dag_id == dag_id]


def standing(house: House, rerun_id: int, dag_id: str = "wide") -> set[tuple[str, str | None]]:
    return {(one.state.value, one.state_reason) for one in members(house, rerun_id, dag_id)}


def close(house: House, how: str) -> None:
    match how:
        case "dag_paused":
            change(house, "wide", is_paused=True)
        case "dag_gone":
            house.world.gone.add("wide")


def reopen(house: House) -> None:
    change(house, "wide", is_paused=False)
    house.world.gone.clear()


class TestPlaces:
    """Members that can't start take no place."""

    @pytest.mark.parametrize("how", ["dag_paused", "dag_gone"])
    def test_of_a_closed_dag_nothing_is_dispatched(self, house: House, how: str) -> None:
        _, wide, rerun = fan(house, 20, "free")
        close(house, how)
        house.tick()
        house.tick()
        assert not set(wide) & set(house.world.dispatches)
        assert standing(house, rerun) == {("pending", how)}
        assert standing(house, rerun, "free") == {("running", None)}
        reopen(house)
        house.tick()
        assert len(set(wide) & set(house.world.dispatches)) == 3  # and the other one
        house.tick()
        assert standing(house, rerun) == {("running", None), ("pending", None)}

    def test_saying_so_is_no_step_for_each_member_and_is_not_said_twice(self, house: House) -> None:
        fan(house, 200)
        close(house, "dag_paused")
        house.tick()
        assert house.tick() <= 5
        assert house.tick() == 0

    def test_of_a_dag_at_its_limit_as_many_go_as_it_can_start(self, house: House) -> None:
        _, wide, rerun = fan(house, 6)
        change(house, "wide", max_active_runs=2)
        house.tick()
        house.tick()
        assert house.world.dispatches == wide[:2]
        assert standing(house, rerun) == {("running", None), ("pending", "at_max_active_runs")}
        house.world.finish(wide[0], at=house.clock.now())
        house.tick()
        assert house.world.dispatches == wide[:3]

    def test_runs_of_others_take_room_too(self, house: House) -> None:
        _, wide, rerun = fan(house, 3)
        change(house, "wide", max_active_runs=1)
        other = house.world.run("wide", day=40, state="running")
        house.tick()
        house.tick()
        assert (house.world.dispatches, standing(house, rerun)) == ([], {("pending", "at_max_active_runs")})
        house.world.finish(other, at=house.clock.now())
        house.tick()
        assert house.world.dispatches == wide[:1]

    def test_where_others_queue_one_gets_in_line(self, house: House) -> None:
        """It would never have its turn: Airflow starts a run that is in the queue, whenever one ends."""
        _, wide, rerun = fan(house, 3)
        change(house, "wide", max_active_runs=1)
        for day, state in ((40, "running"), (41, "queued"), (42, "queued")):
            house.world.run("wide", day=day, state=state)
        for _ in range(4):
            house.tick()
        assert house.world.dispatches == wide[:1]
        assert standing(house, rerun) == {("running", "at_max_active_runs"), ("pending", "at_max_active_runs")}

    def test_what_was_queued_when_its_dag_was_paused_takes_no_place(self, house: House) -> None:
        _, wide, rerun = fan(house, 4, "free", "more")
        house.tick()
        assert house.world.dispatches == wide[:4]
        close(house, "dag_paused")
        house.tick()
        house.tick()
        assert standing(house, rerun) == {("running", "dag_paused")}
        assert standing(house, rerun, "free") | standing(house, rerun, "more") == {("running", None)}

    def test_what_changes_between_the_look_and_the_dispatch_is_seen(self, house: House) -> None:
        _, _, rerun = fan(house, 2)
        look = house.conductor.look()
        close(house, "dag_paused")
        house.conductor.look = lambda: look  # type: ignore[method-assign]
        house.tick()
        assert house.world.dispatches == []
        assert standing(house, rerun) == {("pending", "dag_paused")}

    def test_a_rerun_does_not_end_while_a_dag_is_closed(self, house: House) -> None:
        _, _, rerun = fan(house, 1)
        close(house, "dag_gone")
        for _ in range(3):
            house.tick()
        assert house.store.get(rerun).state.value == "running"  # type: ignore[union-attr]


class TestReasons:
    """Of a run that has started, but doesn't move, Airflow is asked why."""

    @pytest.fixture
    def rerun(self, house: House) -> int:
        _, wide, rerun = fan(house, 1)
        house.tick()
        house.world.set_run(wide[0], state="running")
        return rerun

    @pytest.fixture
    def ref(self, house: House, rerun: int) -> RunRef:
        (one,) = members(house, rerun, "wide")
        return one.ref

    def test_it_is_said_after_a_while_and_goes_when_the_run_moves(self, house: House, rerun: int, ref: RunRef) -> None:
        house.world.set_tasks(ref, "scheduled")
        house.world.stuck[ref] = "no_pool_slots: small"
        house.tick()
        assert (standing(house, rerun), house.unit_of_work.gateway.asked) == ({("running", None)}, 0)
        for _ in range(6):
            house.tick()
        assert standing(house, rerun) == {("running", "no_pool_slots: small")}
        house.world.set_tasks(ref, "running")
        house.tick()
        assert standing(house, rerun) == {("running", None)}

    @pytest.mark.parametrize("state", ["deferred", "awaiting_input", "up_for_retry"])
    def test_what_waits_for_somebody_is_asked_at_once(self, house: House, rerun: int, ref: RunRef, state: str) -> None:
        house.world.set_tasks(ref, state)
        house.world.stuck[ref] = "waits_for_approval: t"
        house.tick()
        assert standing(house, rerun) == {("running", "waits_for_approval: t")}

    def test_it_is_not_asked_at_every_tick(self, house: House, rerun: int, ref: RunRef) -> None:
        house.world.set_tasks(ref, "deferred")
        house.world.stuck[ref] = "waits_for_approval: t"
        for _ in range(30):
            house.tick()
        assert house.unit_of_work.gateway.asked == 3

    def test_another_reason_takes_the_place_of_the_first(self, house: House, rerun: int, ref: RunRef) -> None:
        house.world.set_tasks(ref, "up_for_retry")
        for reason in ("up_for_retry: 10:42", "up_for_retry: 10:52"):
            house.world.stuck[ref] = reason
            for _ in range(11):
                house.tick()
            assert standing(house, rerun) == {("running", reason)}
        house.world.stuck.clear()
        for _ in range(11):
            house.tick()
        assert standing(house, rerun) == {("running", None)}

    def test_a_run_of_which_something_runs_is_not_asked(self, house: House, rerun: int, ref: RunRef) -> None:
        house.world.set_tasks(ref, "running")
        for _ in range(20):
            house.tick()
        assert house.unit_of_work.gateway.asked == 0
