"""A submit in freeze mode: what can be held or stopped, what can't, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.errors import (
    CannotFreeze,
    Forbidden,
    FreezeUnavailable,
    Invalid,
    NotFound,
    NotSelectable,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun, WaitingAsset
from airflow_rerun_downstream.domain.plan import FutureRef, PlanRequest
from airflow_rerun_downstream.domain.reasons import sentence
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest, RerunSettings
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from tests.fakes.freezer import FAR
from tests.fakes.house import ADA, House

DATE = House().clock.now() + timedelta(hours=1)
WEEKLY = FutureRef("weekly", logical_date=DATE)
NEXT = FutureRef("consumer", next=True)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def source(house: House) -> RunRef:
    """A run whose asset is read by: ``weekly``, due in an hour, ``consumer``, which waits for another asset, and a
    run of ``running`` that is just at it."""
    world = house.world
    source = world.run("source", day=39)
    world.dag("weekly")
    world.dag("consumer")
    ago = DATE - (world.runs[source].logical_date or DATE)
    world.sensors.append(SensorDefinition("weekly", "t", "source", offset=ago.total_seconds(), offset_known=True))
    upcoming = UpcomingRun("weekly", "scheduled__later", DATE, DATE, DATE, DATE)
    world.schedules["weekly"] = DagSchedule("weekly", upcoming=(upcoming,))
    world.schedules["consumer"] = DagSchedule("consumer", asset_scheduled=True)
    world.schedules["running"] = DagSchedule("running", asset_scheduled=True)
    world.waiting.append(WaitingAsset(source, "t", -1, 1, "asset://a", "consumer"))
    running = world.run("running", day=39, state="running", run_type="asset_triggered", run_id="r")
    world.consumed(source, "t", by=running, asset="asset://a")
    return source


def submit(house: House, source: RunRef, *frozen: RunRef | FutureRef, **more: object) -> int:
    body: dict[str, object] = {"members": (), "freeze_mode": True, **more}
    return house.service.submit(ADA, RerunRequest(PlanRequest(source), frozen=frozen, **body)).rerun.id  # type: ignore[arg-type]


@pytest.fixture
def nothing_changes(house: House, source: RunRef) -> Iterator[None]:
    before = (house.store.snapshot(), house.world.snapshot())
    yield
    assert (house.store.snapshot(), house.world.snapshot()) == before


def roles(house: House, rerun_id: int) -> dict[str, tuple[str, str]]:
    return {one.ref.dag_id: (one.role.value, one.state.value) for one in house.store.members(rerun_id)}


def test_runs_to_come_are_frozen(house: House, source: RunRef) -> None:
    rerun = submit(house, source, WEEKLY, NEXT)
    assert roles(house, rerun) == {
        "source": ("source", "pending"),
        "weekly": ("frozen", "frozen"),
        "consumer": ("frozen", "frozen"),
    }
    view = house.service.rerun(ADA, rerun)
    assert view.rerun.freeze_mode
    assert "release" in view.allowed_actions
    members, _ = house.service.members(ADA, rerun, limit=50, offset=0)
    weekly = next(one for one in members if one.member.ref.dag_id == "weekly")
    assert (weekly.member.run_after, weekly.allowed_actions) == (DATE, ("release",))


def test_a_run_in_flight_is_stopped(house: House, source: RunRef) -> None:
    rerun = submit(house, source, members=(MemberRequest(RunRef("running", "r")),))
    assert roles(house, rerun)["running"] == ("downstream", "stopping")
    house.tick()
    assert house.world.runs[RunRef("running", "r")].state == "failed"


@pytest.mark.usefixtures("nothing_changes")
class TestRefused:
    def test_without_freeze_mode(self, house: House, source: RunRef) -> None:
        with pytest.raises(Invalid):
            submit(house, source, WEEKLY, freeze_mode=False)
        with pytest.raises(NotSelectable):
            submit(house, source, members=(MemberRequest(RunRef("running", "r")),), freeze_mode=False)

    def test_a_run_twice(self, house: House, source: RunRef) -> None:
        with pytest.raises(Invalid, match=r"^A run to freeze is named more than once\.$"):
            submit(house, source, WEEKLY, WEEKLY)
        with pytest.raises(Invalid, match=r"^running / r can't be both rerun and frozen\.$"):
            submit(house, source, RunRef("running", "r"), members=(MemberRequest(RunRef("running", "r")),))

    def test_a_run_that_runs_is_not_held(self, house: House, source: RunRef) -> None:
        with pytest.raises(NotSelectable) as refused:
            submit(house, source, RunRef("running", "r"))
        assert refused.value.extra["runs"][0]["run_id"] == "r"

    def test_what_is_not_downstream(self, house: House, source: RunRef) -> None:
        with pytest.raises(NotFound):
            submit(house, source, FutureRef("elsewhere", next=True))
        with pytest.raises(NotSelectable) as refused:
            submit(house, source, FutureRef("weekly", logical_date=DATE + timedelta(days=1)))
        assert refused.value.extra["runs"][0]["reason"] == "not_in_plan"

    def test_a_run_that_was_just_made(self, house: House, source: RunRef) -> None:
        date = house.world.runs[RunRef("running", "r")].logical_date
        with pytest.raises(NotSelectable) as refused:
            submit(house, source, FutureRef("running", logical_date=date))
        assert refused.value.extra["runs"][0]["reason"] == "already_started"

    def test_what_a_user_may_not_read(self, house: House, source: RunRef) -> None:
        house.permissions.unreadable.add("weekly")
        with pytest.raises(NotFound):
            submit(house, source, WEEKLY)

    def test_what_a_user_may_not_rerun(self, house: House, source: RunRef) -> None:
        house.permissions.forbidden.add("weekly")
        with pytest.raises(Forbidden) as refused:
            submit(house, source, WEEKLY)
        assert refused.value.extra["dag_ids"] == ["weekly"]

    def test_without_the_hook_in_every_scheduler(self, house: House, source: RunRef) -> None:
        house.health.freeze_hook = False
        with pytest.raises(FreezeUnavailable) as refused:
            submit(house, source, WEEKLY)
        assert refused.value.detail == (
            "A scheduled run is held by the scheduler that creates it, and not every live scheduler has "
            "the package's hook. GET /health says which."
        )

    @pytest.mark.parametrize("target", [WEEKLY, NEXT], ids=["time", "assets"])
    def test_on_a_database_that_is_not_supported(self, house: House, source: RunRef, target: FutureRef) -> None:
        house.health.why_not = "Nothing can be frozen on mysql."
        with pytest.raises(FreezeUnavailable, match="Nothing can be frozen on mysql"):
            submit(house, source, target)
        assert house.store.page(RerunFilter())[1] == 0

    def test_without_the_asset_manager(self, house: House, source: RunRef) -> None:
        house.health.asset_manager = False
        with pytest.raises(FreezeUnavailable) as refused:
            submit(house, source, NEXT, settings=RerunSettings(accept_duplicate_runs=True))
        assert refused.value.detail == (
            "An asset-triggered run is held by the asset manager, which isn't active in every api-server. "
            "GET /health says which."
        )


OTHER = DATE + timedelta(days=1)
IN_WORDS = [
    (RunRef("running", "r"), "running / r", {"run_id": "r"}, "run_is_running"),
    (
        FutureRef("weekly", logical_date=OTHER),
        f"The run of weekly to come ({OTHER.isoformat(sep=' ', timespec='minutes')})",
        {"logical_date": OTHER.isoformat()},
        "not_in_plan",
    ),
    (
        FutureRef("consumer", partition_key="p"),
        "The run of consumer to come (p)",
        {"partition_key": "p"},
        "not_in_plan",
    ),
    (NEXT, "The next run of consumer to come", {"next": True}, "asset_watcher"),
]


@pytest.mark.parametrize(("target", "words", "names", "reason"), IN_WORDS)
def test_a_refusal_names_the_run_as_it_was_asked_for(
    house: House,
    source: RunRef,
    target: RunRef | FutureRef,
    words: str,
    names: dict[str, object],
    reason: str,
) -> None:
    schedules = house.world.schedules
    schedules["consumer"] = replace(schedules["consumer"], cannot_park="asset_watcher")
    wanted = RerunRequest(PlanRequest(source), members=(), freeze_mode=True, frozen=(target,))
    for ask in (house.service.review, house.service.submit):
        with pytest.raises(NotSelectable) as refused:
            ask(ADA, wanted)
        assert str(refused.value) == f"{words} can't be frozen: {sentence(reason)}."
        assert refused.value.extra["runs"] == [{"dag_id": target.dag_id, **names, "reason": reason}]


@pytest.mark.parametrize("target", [RunRef("gone", "r"), FutureRef("gone", next=True)])
def test_a_dag_that_is_not_in_the_plan_has_no_run_to_freeze(
    house: House, source: RunRef, target: RunRef | FutureRef
) -> None:
    with pytest.raises(NotFound, match="'gone'"):
        submit(house, source, target)


def test_a_run_that_waits_for_its_time_is_held_by_its_own(house: House, source: RunRef) -> None:
    due = DATE + timedelta(minutes=5)
    ref = house.world.run("weekly", run_id="made", state="queued", logical_date=DATE, run_after=due)
    rerun = submit(house, source, ref)
    (held,) = (one for one in house.store.members(rerun) if one.ref == ref)
    assert (held.role.value, held.state.value, held.logical_date, held.run_after) == ("frozen", "frozen", DATE, due)
    assert house.world.runs[ref].run_after == FAR


@pytest.mark.parametrize(("manager", "hook"), [(True, False), (False, True)])
def test_only_the_mechanism_that_a_run_needs_is_asked_for(
    house: House, source: RunRef, manager: bool, hook: bool
) -> None:
    house.health.asset_manager, house.health.freeze_hook = manager, hook
    rerun = submit(house, source, NEXT if manager else WEEKLY, settings=RerunSettings(accept_duplicate_runs=True))
    assert len(house.store.members(rerun)) == 2


def test_a_run_that_cannot_be_held_safely_is_refused_with_its_reason(house: House, source: RunRef) -> None:
    world = house.world
    world.schedules["weekly"] = replace(world.schedules["weekly"], cannot_hold="timetable_uses_run_after")
    world.schedules["consumer"] = replace(world.schedules["consumer"], cannot_park="asset_watcher")
    for target, reason in ((WEEKLY, "timetable_uses_run_after"), (NEXT, "asset_watcher")):
        with pytest.raises(NotSelectable) as refused:
            submit(house, source, target)
        assert refused.value.extra["runs"][0]["reason"] == reason
        assert house.store.rows.reruns == {}


def test_what_the_freezer_refuses_at_the_last_moment_is_named(
    house: House, source: RunRef, monkeypatch: pytest.MonkeyPatch, nothing_changes: None
) -> None:
    def just_started(*_: object, **__: object) -> None:
        raise CannotFreeze("already_started")

    monkeypatch.setattr(house.unit_of_work.freezer, "freeze", just_started)
    with pytest.raises(NotSelectable) as refused:
        submit(house, source, WEEKLY)
    named = {"dag_id": "weekly", "logical_date": DATE.isoformat()}
    assert refused.value.extra["runs"] == [{**named, "reason": "already_started"}]


def test_what_is_frozen_is_not_warned_of(house: House, source: RunRef) -> None:
    plan = house.service.plan(ADA, PlanRequest(source))
    assert {w.dag_id for w in plan.warnings if w.code == "upcoming_run"} == {"weekly", "consumer"}
    rerun = submit(house, source, WEEKLY)
    stored = house.store.rows.reruns[rerun].warnings
    assert {w.dag_id for w in stored if w.code == "upcoming_run"} == {"consumer"}
