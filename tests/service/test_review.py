"""A review says what a submit would do, is refused as the submit would be, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.definitions import DagVersion, Definitions, SensorDefinition
from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun
from airflow_rerun_downstream.domain.plan import FutureRef, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, Notification, RerunRequest, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState
from tests.fakes.house import ADA, House
from tests.fakes.spoken import is_sentence

SOURCE = RunRef("a", "r")
DATE = House().clock.now() + timedelta(hours=1)
WEEKLY = FutureRef("weekly", logical_date=DATE)


def run(dag_id: str) -> RunRef:
    return RunRef(dag_id, "r")


def request(*members: str, **more: object) -> RerunRequest:
    plan = PlanRequest(SOURCE, rerun_source=bool(more.pop("rerun_source", True)))
    return RerunRequest(plan, tuple(MemberRequest(run(dag_id)) for dag_id in members), **more)  # type: ignore[arg-type]


@pytest.fixture
def house() -> House:
    """a → b → c, a → d, and a run of ``weekly`` that is made in an hour and waits for a."""
    house = House()
    world = house.world
    for dag_id in "abcd":
        world.run(dag_id, day=39, run_id="r")
    for producer, consumer in ("ab", "bc", "ad"):
        world.consumed(run(producer), "t", by=run(consumer), asset=producer + consumer)
    world.dag("weekly")
    ago = DATE - (world.runs[SOURCE].logical_date or DATE)
    world.sensors.append(SensorDefinition("weekly", "t", "a", offset=ago.total_seconds(), offset_known=True))
    world.schedules["weekly"] = DagSchedule(
        "weekly", upcoming=(UpcomingRun("weekly", "scheduled__later", DATE, DATE, DATE, DATE),)
    )
    return house


@pytest.fixture(autouse=True)
def nothing_changes_by_a_review(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = house.service.review

    def review(*args: object) -> object:
        before = house.world.snapshot(), house.store.snapshot()
        try:
            return real(*args)  # type: ignore[arg-type]
        finally:
            assert (house.world.snapshot(), house.store.snapshot()) == before

    monkeypatch.setattr(house.service, "review", review)


def test_the_waves_are_the_levels_of_the_order(house: House) -> None:
    found = house.service.review(ADA, request("d", "c", "b"))
    assert found.waves == ((SOURCE,), (run("b"), run("d")), (run("c"),))
    assert (found.stopped, found.frozen) == ((), ())
    default = house.service.review(ADA, RerunRequest(PlanRequest(SOURCE)))
    assert default.waves == found.waves


def test_a_source_that_is_right_is_in_no_wave(house: House) -> None:
    assert house.service.review(ADA, request("b", "c", rerun_source=False)).waves == ((run("b"),), (run("c"),))


def test_what_is_left_out_in_between_keeps_the_order(house: House) -> None:
    assert house.service.review(ADA, request("c")).waves == ((SOURCE,), (run("c"),))


def test_runs_of_a_wave_stand_by_their_ready_time(house: House) -> None:
    house.world.set_run(run("b"), run_after=house.world.runs[run("b")].run_after + timedelta(hours=1))
    assert house.service.review(ADA, request("b", "d")).waves[1] == (run("d"), run("b"))


def test_freeze_mode_says_what_is_stopped_and_held(house: House) -> None:
    house.world.set_run(run("d"), state="running")
    found = house.service.review(ADA, request("b", "d", freeze_mode=True, frozen=(WEEKLY,)))
    assert (found.stopped, found.frozen) == ((run("d"),), (WEEKLY,))
    assert run("d") in found.waves[1]


@pytest.mark.parametrize("members", [("b", "c", "d"), ("c",), ()], ids=str)
@pytest.mark.parametrize("frozen", [(WEEKLY,), ()], ids=["frozen", "not frozen"])
def test_a_submit_does_what_the_review_says(house: House, members: tuple[str, ...], frozen: tuple[FutureRef]) -> None:
    wanted = request(*members, freeze_mode=True, frozen=frozen)
    said = house.service.review(ADA, wanted)
    rerun = house.service.submit(ADA, wanted).rerun
    assert rerun.warnings == said.warnings
    assert ("upcoming_run" in {warning.code for warning in said.warnings}) == (not frozen)
    stored = [one for one in house.store.members(rerun.id) if one.state is MemberState.PENDING]
    assert [one.ref for one in stored] == [ref for wave in said.waves for ref in wave]
    assert [one.depth for one in stored] == [number for number, wave in enumerate(said.waves) for _ in wave]


@pytest.mark.parametrize("who", ["forbidden", "unreadable"])
def test_nobody_locks_a_dag_that_they_may_not_rerun(house: House, who: str) -> None:
    wanted = request("b", "d", freeze_mode=True, frozen=(WEEKLY,))
    getattr(house.permissions, who).add(WEEKLY.dag_id)
    with pytest.raises(Refusal):
        house.service.submit(ADA, wanted)
    assert house.unit_of_work.freezer.locked == []
    getattr(house.permissions, who).clear()
    house.service.submit(ADA, wanted)
    assert house.unit_of_work.freezer.locked == [WEEKLY.dag_id]


def running(house: House) -> None:
    house.world.set_run(run("b"), state="running")


def taken(house: House) -> None:
    house.service.submit(ADA, request("b"))


def member_taken(house: House) -> None:
    house.service.submit(ADA, RerunRequest(PlanRequest(run("b")), members=()))


def source_running(house: House) -> None:
    house.world.set_run(SOURCE, state="running")


def forbidden(house: House) -> None:
    house.permissions.forbidden.add("b")


def hidden(house: House) -> None:
    house.permissions.unreadable.add("a")


def no_asset_manager(house: House) -> None:
    house.health.asset_manager = False


def no_hook(house: House) -> None:
    house.health.freeze_hook = False


def nothing(house: House) -> None:
    """All is well."""


@pytest.mark.parametrize(
    ("prepare", "wanted", "reason"),
    [
        (running, request("b"), "not_selectable"),
        (taken, request("c"), "run_in_active_rerun"),
        (member_taken, request("b"), "run_in_active_rerun"),
        (source_running, request("b"), "source_not_eligible"),
        (forbidden, request("b"), "forbidden_dags"),
        (hidden, request("b"), "not_found"),
        (no_asset_manager, request("b"), "asset_manager_inactive"),
        (no_hook, request("b", freeze_mode=True, frozen=(WEEKLY,)), "freeze_unavailable"),
        (nothing, request("b", frozen=(WEEKLY,)), "invalid"),
        (nothing, request("b", "b"), "invalid"),
        (nothing, request("gone"), "not_found"),
        (nothing, request(rerun_source=False), "empty_selection"),
        (nothing, request("b", notifications=(Notification("nobody", ("succeeded",)),)), "unknown_target"),
        (nothing, request("b", plan_token="AAAA"), "invalid"),
        (nothing, RerunRequest(PlanRequest(SOURCE, (TaskRef("gone"),))), "invalid"),
    ],
)
def test_it_is_refused_as_the_submit_is(
    house: House, prepare: Callable[[House], None], wanted: RerunRequest, reason: str
) -> None:
    prepare(house)
    said = []
    for ask in (house.service.review, house.service.submit):
        with pytest.raises(Refusal) as refused:
            ask(ADA, wanted)
        said.append((refused.value.status, refused.value.reason, refused.value.detail, refused.value.extra))
    assert said[0] == said[1]
    assert said[0][1] == reason
    assert is_sentence(said[0][2])


def test_a_plan_that_has_changed_is_refused(house: House) -> None:
    token = house.service.plan(ADA, PlanRequest(SOURCE)).token
    assert house.service.review(ADA, request("b", plan_token=token)).waves
    house.world.set_run(run("b"), clear_number=1)
    with pytest.raises(Refusal) as refused:
        house.service.review(ADA, request("b", plan_token=token))
    assert (refused.value.reason, refused.value.extra["changes"][0]["dag_id"]) == ("stale_plan", "b")


@pytest.mark.parametrize("on_latest", [True, False])
def test_what_the_latest_version_lacks_is_told_where_the_rerun_asks_for_that(house: House, on_latest: bool) -> None:
    """The run is pinned to its own version; who submits decides whether it moves."""
    world = house.world
    own = world.structures["b"]
    (reader,) = [ref for ref in world.runs if ref.dag_id == "b"]
    world.dag("b", "other")
    world.structures["b"] = replace(world.structures["b"], version=own.version + 1)
    world.versions[reader] = DagVersion(own, Definitions())
    world.set_run(reader, pinned=True)
    wanted = request("b", settings=RerunSettings(run_on_latest_version=on_latest))
    told = [(one.dag_id, one.task_id) for one in house.service.review(ADA, wanted).warnings if "gone" in one.code]
    assert told == ([("b", "t")] if on_latest else [])
