"""Runs to come that will read what polluted runs made, and what freeze mode would do with each run of a plan."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.definitions import (
    AssetSchedule,
    InletDefinition,
    MarkerDefinition,
    OutletDefinition,
    PastDependency,
    SensorDefinition,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun, WaitingAsset
from airflow_rerun_downstream.domain.plan import Evidence, FreezeAction, FutureRef, Link, LinkKind, Plan, WrongData
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.lineage.declarations import parse
from airflow_rerun_downstream.lineage.left_polluted import leftovers
from airflow_rerun_downstream.lineage.outlook import upcoming
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import START, World
from tests.lineage.planning import NOW, codes, links, plan

DAY = timedelta(days=1)
TODAY = 40
"""The day of `NOW`."""


@pytest.fixture
def world() -> World:
    """The source Dag ``up``, and ``report``, whose run of a day is made a day later."""
    made = World()
    made.dag("up", "load >> tell; other")
    made.dag("report", "wait >> write; free")
    timetable(made, "report", TODAY, TODAY + 1)
    return made


def date(day: float) -> datetime:
    return START + day * DAY


def timetable(world: World, dag_id: str, *days: float, **more: object) -> None:
    """Say which days' runs a Dag's timetable makes next."""
    runs = (
        UpcomingRun(dag_id, f"scheduled__{date(day).isoformat()}", date(day), date(day + 1), date(day), date(day + 1))
        for day in days
    )
    world.schedules[dag_id] = DagSchedule(dag_id, tuple(runs), **more)  # type: ignore[arg-type]


def sensor(world: World, dag_id: str = "report", upstream: str = "up", **more: object) -> None:
    world.sensors.append(SensorDefinition(dag_id, "wait", upstream, **{"offset_known": True, **more}))  # type: ignore[arg-type]


def coming(found: Plan) -> list[FutureRef]:
    return [future.ref for future in found.upcoming]


def led_by(found: Plan) -> list[Link]:
    return [link for link in found.links if isinstance(link.downstream, FutureRef)]


def at(day: float, dag_id: str = "report") -> FutureRef:
    return FutureRef(dag_id, logical_date=date(day))


# How a run to come is found


def test_a_sensor_that_will_wait_for_a_polluted_run(world: World) -> None:
    sensor(world)
    found = plan(world, world.run("up", day=TODAY))
    assert coming(found) == [at(TODAY)]
    [future] = found.upcoming
    assert (future.run, future.freeze_action, future.freeze_reason) == (
        world.schedules["report"].upcoming[0], FreezeAction.HOLD, None,
    )  # fmt: skip
    assert found.runs == ()
    [link] = found.links
    assert (link.downstream, link.kind, link.evidence) == (at(TODAY), LinkKind.SENSOR, Evidence.DERIVED)
    assert link.via == {"task_id": "wait", "delta": "0:00:00", "dates": [date(TODAY).isoformat()]}
    assert (link.from_task_id, link.to_task_id) == (None, "wait")


def test_the_offset_says_which_run_waits(world: World) -> None:
    sensor(world, offset=86_400.0, offset_known=False)
    found = plan(world, world.run("up", day=TODAY))
    assert (coming(found), links(found)) == ([at(TODAY + 1)], {("up", "report", "sensor", "assumed")})


def test_a_run_that_the_timetable_does_not_make_is_not_announced(world: World) -> None:
    sensor(world, offset=3600.0)
    assert coming(plan(world, world.run("up", day=TODAY))) == []


def test_a_run_that_exists_is_not_announced(world: World) -> None:
    """Somebody triggered it for that date, so that the scheduler makes no other."""
    sensor(world)
    taken = world.run("report", day=TODAY, run_type="manual")
    found = plan(world, world.run("up", day=TODAY), include_manual=True)
    assert (coming(found), [run.ref for run in found.runs]) == ([], [taken])


def test_only_polluted_tasks_count(world: World) -> None:
    sensor(world, task_ids=frozenset({"tell"}))
    source = world.run("up", day=TODAY)
    assert coming(plan(world, source, tasks=(TaskRef("load"),))) == [at(TODAY)]
    assert coming(plan(world, source, tasks=(TaskRef("other"),))) == []


@pytest.mark.parametrize("more", [{"has_date_function": True}, {"external_dag_id": "{{ params.up }}"}])
def test_a_sensor_whose_run_cannot_be_told_announces_none(world: World, more: dict) -> None:
    sensor(world)
    world.sensors[0] = replace(world.sensors[0], **more)
    assert coming(plan(world, world.run("up", day=TODAY))) == []


@pytest.mark.parametrize("dag_id", ["report", "{{ 'report' }}"])
def test_a_marker_names_a_run_to_come(world: World, dag_id: str) -> None:
    world.markers.append(MarkerDefinition("up", "tell", dag_id, "write", "{{ logical_date.isoformat() }}"))
    found = plan(world, world.run("up", day=TODAY))
    assert (coming(found), links(found)) == ([at(TODAY)], {("up", "report", "marker", "derived")})


def test_a_declared_link_names_a_run_to_come(world: World) -> None:
    declared = parse(
        "links:\n  - {upstream: {dag_id: up}, downstream: {dag_id: report, task_id: write}, offset: P1D}", "f.yaml"
    )
    found = plan(world, world.run("up", day=TODAY), declarations=declared)
    assert (coming(found), links(found)) == ([at(TODAY + 1)], {("up", "report", "declared", "declared")})


def test_the_next_run_reads_an_asset_that_nobody_made_anew(world: World) -> None:
    world.inlets.append(InletDefinition("report", "write", 1, "s3://rates"))
    source = world.run("up", day=39)
    world.emitted(source, "tell", date(39))
    found = plan(world, source)
    assert (coming(found), links(found)) == ([at(TODAY)], {("up", "report", "inlet", "assumed")})
    assert found.links[0].via == {
        "asset": "s3://rates", "event_id": 0, "emitted_at": date(39).isoformat(), "task_id": "write",
    }  # fmt: skip
    world.emitted(None, "tell", date(39.5))
    assert coming(plan(world, source)) == [at(TODAY)]
    world.emitted(world.run("up", day=38), "tell", date(39.5))
    assert coming(plan(world, source)) == []


def test_a_run_that_the_asset_itself_starts_is_told_by_its_events(world: World) -> None:
    world.inlets.append(InletDefinition("report", "write", 1, "s3://rates"))
    world.asset_schedules.append(AssetSchedule("report", 1))
    world.schedules["report"] = DagSchedule("report", asset_scheduled=True)
    source = world.run("up", day=39)
    world.emitted(source, "tell", date(39))
    found = plan(world, source)
    assert (coming(found), links(found)) == ([FutureRef("report", next=True)], {("up", "report", "asset", "recorded")})


def test_a_run_that_assets_start_may_read_another_asset(world: World) -> None:
    world.inlets.append(InletDefinition("report", "write", 1, "s3://rates"))
    world.schedules["report"] = DagSchedule("report", asset_scheduled=True)
    source = world.run("up", day=39)
    world.emitted(source, "tell", date(39))
    assert coming(plan(world, source)) == [FutureRef("report", next=True)]
    world.schedules["report"] = DagSchedule("report")
    assert coming(plan(world, source)) == []


def test_the_next_run_of_a_dag_that_depends_on_its_past(world: World) -> None:
    timetable(world, "up", TODAY, TODAY + 1)
    world.past_dependencies.append(PastDependency("up", "load", frozenset({"load"})))
    source, _ = world.run("up", day=38), world.run("up", day=39)
    found = plan(world, source)
    assert coming(found) == [at(TODAY, "up")]
    [link] = led_by(found)
    assert (link.upstream, link.kind) == (RunRef("up", f"scheduled__{date(39).isoformat()}"), LinkKind.PREVIOUS_RUN)


@pytest.mark.parametrize("scheduled_only", [True, False])
def test_a_manual_run_may_be_the_previous_one(world: World, scheduled_only: bool) -> None:
    timetable(world, "up", TODAY)
    world.past_dependencies.append(PastDependency("up", "load", frozenset({"load"}), scheduled_only))
    source, manual = world.run("up", day=39), world.run("up", day=39.5, run_type="manual")
    found = plan(world, source, include_manual=True)
    assert coming(found) == [at(TODAY, "up")]
    assert [link.upstream for link in led_by(found)] == [source if scheduled_only else manual]


def test_a_dag_that_depends_on_its_past_and_stands_still(world: World) -> None:
    """The run to come follows a run that isn't polluted."""
    timetable(world, "up", TODAY)
    world.past_dependencies.append(PastDependency("up", "load", frozenset({"load"})))
    source, _ = world.run("up", day=38), world.run("up", day=39)
    assert coming(plan(world, source, tasks=(TaskRef("other"),))) == []


def waits(producer: RunRef, dag_id: str, *, task_id: str = "tell", key: str | None = None) -> WaitingAsset:
    return WaitingAsset(producer, task_id, -1, 7, "s3://orders", dag_id, key)


def test_waiting_asset_events_start_the_next_run(world: World) -> None:
    source = world.run("up", day=39)
    world.schedules["sums"] = DagSchedule("sums", asset_scheduled=True)
    world.waiting += [waits(source, "sums"), waits(source, "sums")]
    found = plan(world, source)
    assert coming(found) == [FutureRef("sums", next=True)]
    assert found.upcoming[0].run is None
    [link] = found.links
    assert (link.kind, link.evidence, link.from_task_id) == (LinkKind.ASSET, Evidence.RECORDED, "tell")
    assert link.via == {"asset": "s3://orders", "event_id": 7, "task_id": "tell"}
    assert coming(plan(world, source, tasks=(TaskRef("other"),))) == []


def test_each_partition_that_waits_is_a_run_to_come(world: World) -> None:
    source = world.run("up", day=39)
    world.schedules["sums"] = DagSchedule("sums", asset_scheduled=True, partitioned=True)
    world.waiting += [waits(source, "sums", key=key) for key in ("b", "a")]
    found = plan(world, source)
    every = FutureRef("sums", next=True)
    assert coming(found) == [every, *(FutureRef("sums", partition_key=key) for key in ("a", "b"))]
    assert [bool(future.wrong_data) for future in found.upcoming] == [False, True, True]
    assert len(list(upcoming(found, ()))) == 2
    assert list(upcoming(found, {every})) == []


def test_the_next_run_of_a_consumer_can_be_frozen_although_nothing_wrong_waits_for_it(world: World) -> None:
    source = world.run("up", day=39)
    world.consumed(source, "tell", by=world.run("sums", day=39, run_type="asset_triggered"))
    world.consumed(source, "tell", by=world.run("report", day=39, run_type="asset_triggered"), asset="old")
    world.schedules["sums"] = DagSchedule("sums", asset_scheduled=True)
    found = plan(world, source)
    [future] = found.upcoming
    assert (future.ref, future.wrong_data, future.freeze_selected, future.freeze_action) == (
        FutureRef("sums", next=True), None, False, FreezeAction.HOLD,
    )  # fmt: skip
    assert (led_by(found), codes(found)) == ([], [])


# Which of them freeze mode takes by default


def test_freeze_mode_takes_by_default_what_reads_wrong_data(world: World) -> None:
    sensor(world)
    source = world.run("up", day=TODAY)
    live = world.run("sums", day=TODAY, state="running", run_type="asset_triggered")
    world.consumed(source, "load", by=live)
    world.schedules["sums"] = DagSchedule("sums", asset_scheduled=True)
    found = plan(world, source)
    assert [(run.ref, run.wrong_data, run.freeze_selected) for run in found.runs] == [(live, WrongData.READS, True)]
    assert {future.ref: (future.wrong_data, future.freeze_selected) for future in found.upcoming} == {
        at(TODAY): (WrongData.READS, True), FutureRef("sums", next=True): (None, False),
    }  # fmt: skip


def test_freeze_mode_takes_by_default_what_cannot_be_told_and_says_so(world: World) -> None:
    """Another run may make the asset anew before; which event a consumer took nobody knows any more."""
    world.inlets.append(InletDefinition("report", "write", 1, "s3://rates"))
    source = world.run("up", day=39)
    world.emitted(source, "load", date(39))
    found = plan(world, source)
    assert [(future.wrong_data, future.freeze_selected) for future in found.upcoming] == [(WrongData.MAY_READ, True)]
    assert [warning.code for warning in found.warnings] == ["upcoming_run"]
    assert " may read wrong data" in found.warnings[0].detail


def test_the_next_run_of_a_dag_with_an_unresolved_link_may_read_wrong_data(world: World) -> None:
    """It has taken one event of the source; of the other, nobody knows any more which run takes it."""
    world.outlets.append(OutletDefinition("up", "load", 7, "s3://rates"))
    world.asset_schedules.append(AssetSchedule("sums", 7))
    world.schedules["sums"] = DagSchedule("sums", asset_scheduled=True)
    source = world.run("up", day=39)
    world.consumed(source, "tell", by=world.run("sums", day=39, run_type="asset_triggered"))
    found = plan(world, source)
    assert FutureRef("sums") in {link.downstream for link in found.links if link.evidence is Evidence.UNRESOLVED}
    assert [(future.ref, future.wrong_data) for future in found.upcoming] == [
        (FutureRef("sums", next=True), WrongData.MAY_READ)
    ]


@pytest.mark.parametrize(
    ("state", "emits", "doubtful"),
    [("running", "write", True), ("queued", "write", True), ("running", "free", False), ("success", "write", False)],
)
def test_the_next_run_behind_what_may_still_emit_wrong_data_may_read_it(
    world: World, state: str, emits: str, doubtful: bool
) -> None:
    """The event is on its way, or comes before the run is stopped; of what is finished, events tell."""
    world.outlets.append(OutletDefinition("report", emits, 7, "s3://rates"))
    world.asset_schedules.append(AssetSchedule("sums", 7))
    world.schedules["sums"] = DagSchedule("sums", asset_scheduled=True)
    world.dag("sums")
    sensor(world)
    source = world.run("up", day=39)
    world.run("report", day=39, state=state)
    found = plan(world, source)
    assert [run.ref.dag_id for run in found.runs] == ["report"]
    expected = [(FutureRef("sums", next=True), WrongData.MAY_READ, True)] if doubtful else []
    assert [(one.ref, one.wrong_data, one.freeze_selected) for one in found.upcoming] == expected
    assert ("upcoming_run" in codes(found)) == doubtful


def test_what_cannot_be_frozen_is_not_taken(world: World) -> None:
    sensor(world)
    timetable(world, "report", TODAY, cannot_hold="timetable_uses_run_after")
    [future] = plan(world, world.run("up", day=TODAY)).upcoming
    assert (future.wrong_data, future.freeze_selected) == (WrongData.READS, False)


# What is asked, and of whom


def test_runs_to_come_are_found_behind_every_polluted_run_and_no_further(world: World) -> None:
    world.dag("middle")
    timetable(world, "last", TODAY)
    source, middle = world.run("up", day=TODAY), world.run("middle", day=TODAY)
    world.consumed(source, "tell", by=middle)
    sensor(world, upstream="middle")
    sensor(world, "last", upstream="report")
    assert coming(plan(world, source)) == [at(TODAY)]


def test_options_limit_runs_to_come_too(world: World) -> None:
    world.dag("middle")
    source, middle = world.run("up", day=TODAY), world.run("middle", day=TODAY)
    world.consumed(source, "tell", by=middle)
    sensor(world, upstream="middle")
    world.waiting.append(waits(source, "sums"))
    found = plan(world, source, max_depth=1)
    assert coming(found) == [FutureRef("sums", next=True)]
    assert coming(plan(world, source, link_kinds=(LinkKind.SENSOR,))) == []
    assert coming(plan(world, source, max_depth=0)) == []


def test_statements_do_not_grow_with_runs(world: World) -> None:
    def statements(days: int) -> int:
        facts = FakeFacts(world)
        source = world.run("up", day=TODAY)
        for day in range(days):
            middle = world.run("middle", day=day)
            world.consumed(source, "tell", by=middle)
            world.waiting.append(waits(middle, f"sums_{day}", task_id="t"))
        plan(world, source, facts=facts)
        return facts.statements

    sensor(world)
    sensor(world, "other", upstream="middle")
    assert statements(2) == statements(30)


def test_a_dag_that_may_not_be_read_is_only_counted(world: World) -> None:
    sensor(world)
    found = plan(world, world.run("up", day=TODAY), unreadable={"report"})
    assert (found.upcoming, found.links, found.hidden_dags) == ((), (), 1)
    assert codes(found) == ["hidden_downstream"]


def test_a_link_through_a_run_that_is_not_shown(world: World) -> None:
    world.dag("middle")
    source, middle = world.run("up", day=TODAY), world.run("middle", day=TODAY)
    world.consumed(source, "tell", by=middle)
    sensor(world, upstream="middle")
    found = plan(world, source, unreadable={"middle"})
    assert [(link.upstream, link.downstream, link.via) for link in found.links] == [
        (source, at(TODAY), {"hidden": True})
    ]


@given(
    made=st.sets(st.integers(36, 46)),
    planned=st.lists(st.integers(38, 46), unique=True),
    offset=st.integers(-3, 3),
    manual=st.booleans(),
)
def test_no_run_that_exists_is_ever_announced(made: set[int], planned: list[int], offset: int, manual: bool) -> None:
    world = World()
    world.dag("up", "load >> tell")
    timetable(world, "report", *sorted(planned))
    timetable(world, "up", *sorted(planned))
    sensor(world, offset=offset * 86_400.0)
    world.past_dependencies.append(PastDependency("up", "load", frozenset({"load"}), manual))
    world.inlets.append(InletDefinition("report", "wait", 1, "s3://rates"))
    source = world.run("up", day=37)
    world.emitted(source, "tell", date(37))
    for day in made - {37}:
        world.run("up", day=day, run_type="manual" if manual else "scheduled")
    for day in made:
        world.run("report", day=day)
    found = plan(world, source)
    exist = {(run.ref.dag_id, run.logical_date) for run in world.runs.values()}
    for ref in coming(found):
        assert (ref.dag_id, ref.logical_date) not in exist
        assert ref.logical_date in {date(day) for day in planned}
    assert {link.downstream for link in led_by(found)} == set(coming(found))


# What freeze mode would do


@pytest.mark.parametrize(
    ("ref", "expected"),
    [(at(TODAY), "timetable_uses_run_after"), (FutureRef("sums", next=True), "asset_watcher")],
)
def test_why_a_run_to_come_cannot_be_frozen(world: World, ref: FutureRef, expected: str) -> None:
    sensor(world)
    source = world.run("up", day=TODAY)
    world.waiting.append(waits(source, "sums"))
    timetable(world, "report", TODAY, cannot_hold="timetable_uses_run_after")
    world.schedules["sums"] = DagSchedule("sums", asset_scheduled=True, cannot_park="asset_watcher")
    (future,) = (run for run in plan(world, source).upcoming if run.ref == ref)
    assert (future.freeze_action, future.freeze_reason) == (None, expected)


def test_a_dag_that_is_gone_cannot_be_frozen(world: World) -> None:
    source = world.run("up", day=TODAY)
    world.waiting.append(waits(source, "sums"))
    assert [future.freeze_reason for future in plan(world, source).upcoming] == ["dag_gone"]


class TestGates:
    """Dags whose timetable's runs wait for assets."""

    def test_an_event_waits_for_the_run_of_the_next_date(self, world: World) -> None:
        source = world.run("up", day=39)
        timetable(world, "report", TODAY, TODAY + 1, asset_gated=True)
        world.waiting.append(waits(source, "report"))
        found = plan(world, source)
        assert coming(found) == [at(TODAY)]
        assert [link.downstream for link in found.links] == [at(TODAY)]
        assert found.upcoming[0].run is not None

    def test_it_is_the_run_that_a_sensor_leads_to(self, world: World) -> None:
        sensor(world)
        source = world.run("up", day=TODAY)
        timetable(world, "report", TODAY, asset_gated=True)
        world.waiting.append(waits(source, "report"))
        found = plan(world, source)
        assert coming(found) == [at(TODAY)]
        assert sorted(link.kind.value for link in found.links) == ["asset", "sensor"]

    def test_an_event_waits_for_nothing_where_time_makes_no_run_any_more(self, world: World) -> None:
        source = world.run("up", day=39)
        timetable(world, "report", asset_gated=True)
        world.waiting.append(waits(source, "report"))
        assert coming(plan(world, source)) == []

    def test_the_next_run_of_a_consumer_is_that_of_the_next_date(self, world: World) -> None:
        source = world.run("up", day=TODAY - 1)
        world.consumed(source, "load", by=world.run("report", day=TODAY - 1))
        timetable(world, "report", TODAY, TODAY + 1, asset_gated=True)
        [future] = plan(world, source).upcoming
        assert (future.ref, bool(future.wrong_data)) == (at(TODAY), False)

    def test_an_asset_that_gates_the_run_is_read_by_its_event_and_not_by_the_time(self, world: World) -> None:
        world.inlets.append(InletDefinition("report", "write", 1, "s3://rates"))
        source = world.run("up", day=39)
        world.emitted(source, "tell", date(39))
        timetable(world, "report", TODAY, asset_gated=True)
        world.asset_schedules.append(AssetSchedule("report", 1))
        found = plan(world, source)
        assert (coming(found), links(found)) == ([at(TODAY)], {("up", "report", "asset", "recorded")})

    def test_what_is_said_of_it(self, world: World) -> None:
        sensor(world)
        timetable(world, "report", TODAY, asset_gated=True)
        schedule = world.schedules["report"]
        runs = tuple(replace(run, needs_assets=True) for run in schedule.upcoming)
        world.schedules["report"] = replace(schedule, upcoming=runs)
        [warning] = plan(world, world.run("up", day=TODAY)).warnings
        assert warning.detail.startswith(
            "The run of report of 2026-12-11 00:00+00:00, which is due at 2026-12-12 00:00+00:00 or, if that is "
            "later, when its assets have come, will read wrong data"
        )


def consumer(world: World, source: RunRef, **more: object) -> RunRef:
    ref = world.run("report", day=TODAY, **more)  # type: ignore[arg-type]
    world.consumed(source, "load", by=ref)
    return ref


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_run_that_can_be_stopped_has_a_default_selection(world: World, state: str) -> None:
    sensor(world)
    source = world.run("up", day=TODAY)
    world.run("report", day=TODAY, state=state)
    [run] = plan(world, source).runs
    assert (run.selectable, run.selected, run.freeze_action) == (False, False, FreezeAction.STOP)
    assert run.tasks == (TaskRef("wait"), TaskRef("write"))
    assert not any(task.selected for task in run.task_instances)


def test_a_run_without_its_tasks_is_not_stopped(world: World) -> None:
    source = world.run("up", day=TODAY)
    world.set_tasks(consumer(world, source, state="running"), "removed")
    [run] = plan(world, source).runs
    assert (run.freeze_action, run.freeze_reason, run.tasks) == (None, "task_gone", ())


def test_a_run_that_waits_for_its_time_can_be_held(world: World) -> None:
    source = world.run("up", day=TODAY)
    ref = consumer(world, source, state="queued", run_after=NOW + DAY)
    found = plan(world, source)
    [run] = found.runs
    assert (run.freeze_action, run.tasks, run.reason) == (FreezeAction.HOLD, (), "run_not_ready")
    assert [(w.code, w.run_id) for w in found.warnings] == [("upcoming_run", ref.run_id)]
    assert list(leftovers(found, ())) == []


def test_finished_runs_and_the_source_need_no_freezing(world: World) -> None:
    source = world.run("up", day=TODAY)
    consumer(world, source)
    found = plan(world, source)
    assert [(run.freeze_action, run.freeze_reason) for run in (found.source, *found.runs)] == [(None, None)] * 2


# What a person is told


def test_a_run_to_come_is_warned_of_until_it_is_frozen(world: World) -> None:
    sensor(world)
    found = plan(world, world.run("up", day=TODAY))
    assert [(w.code, w.dag_id) for w in found.warnings] == [("upcoming_run", "report")]
    assert found.warnings[0].detail == (
        "The run of report of 2026-12-11 00:00+00:00, which is due at 2026-12-12 00:00+00:00, will read wrong data, "
        "unless the rerun finishes before it starts; freeze it."
    )
    assert list(upcoming(found, {at(TODAY)})) == []


def test_a_run_to_come_of_assets_is_warned_of(world: World) -> None:
    source = world.run("up", day=TODAY)
    world.waiting += [waits(source, "sums", key="north"), waits(source, "totals")]
    world.schedules["sums"] = DagSchedule("sums", asset_scheduled=True, partitioned=True, cannot_park="asset_watcher")
    world.schedules["totals"] = DagSchedule("totals", asset_scheduled=True)
    first, second = [warning.detail for warning in plan(world, source).warnings]
    assert first.startswith(
        "The next run of sums of the partition north, which is started by assets, will read wrong data"
    )
    assert "can't be frozen: an asset of the Dag is watched" in first
    assert second.startswith("The next run of totals, which is started by assets, will")


@pytest.mark.parametrize(("active", "limit", "warned"), [(0, 2, False), (1, 2, True), (0, 1, True), (3, None, False)])
def test_a_frozen_run_takes_a_place_among_the_active_ones(
    world: World, active: int, limit: int | None, warned: bool
) -> None:
    sensor(world)
    timetable(world, "report", TODAY, active_runs=active, max_active_runs=limit)
    found = plan(world, world.run("up", day=TODAY))
    assert ("at_max_active_runs" in codes(found)) is warned


def test_a_selected_run_of_a_full_dag_waits(world: World) -> None:
    source = world.run("up", day=TODAY)
    consumer(world, source)
    timetable(world, "report", active_runs=2, max_active_runs=2)
    found = plan(world, source)
    assert codes(found) == ["at_max_active_runs"]
    assert "report has 2 active runs, and its limit is 2" in found.warnings[0].detail


def test_a_draining_dag_is_paused_before_its_members_run_or_by_a_held_run_not_at_all(world: World) -> None:
    source = world.run("up", day=TODAY)
    consumer(world, source)
    timetable(world, "report", is_draining=True)
    found = plan(world, source)
    assert [(warning.code, warning.dag_id) for warning in found.warnings] == [("draining_dag", "report")]
    assert "wait until it is unpaused." in found.warnings[0].detail
    assert "held" not in found.warnings[0].detail


def test_a_held_run_keeps_a_dag_draining(world: World) -> None:
    sensor(world)
    timetable(world, "report", TODAY, is_draining=True)
    drains, *_ = [one for one in plan(world, world.run("up", day=TODAY)).warnings if one.code == "draining_dag"]
    assert drains.detail.endswith("A held run keeps it from that until it is released.")


def test_a_dag_that_catches_up_on_events_takes_a_repeat_once_more(world: World) -> None:
    source = world.run("up", day=TODAY)
    consumer(world, source)
    timetable(world, "report", takes_missed_events=True)
    [warning] = plan(world, source).warnings
    assert (warning.code, warning.dag_id, warning.dag_ids) == ("extra_run", "report", frozenset({"up"}))
    assert "report catches up" in warning.detail
    timetable(world, "report")
    assert codes(plan(world, source)) == []


def test_deadlines_do_not_know_of_a_freeze(world: World) -> None:
    sensor(world)
    timetable(world, "report", TODAY, has_deadline=True)
    assert codes(plan(world, world.run("up", day=TODAY))) == ["upcoming_run", "deadline"]
    timetable(world, "report", TODAY, has_deadline=True, cannot_hold="timetable_uses_run_after")
    assert codes(plan(world, world.run("up", day=TODAY))) == ["upcoming_run"]


def test_runs_to_come_do_not_make_a_plan_stale(world: World) -> None:
    sensor(world)
    source = world.run("up", day=TODAY)
    before: Collection[str] = plan(world, source).token
    world.schedules.clear()
    assert plan(world, source).token == before
