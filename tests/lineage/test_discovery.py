"""The plan over small worlds: who is downstream, how it is known, and what is selected."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.definitions import MarkerDefinition, SensorDefinition
from airflow_rerun_downstream.domain.errors import EmptySelection, Invalid, NotFound, PlanTooLarge
from airflow_rerun_downstream.domain.lineage_records import RecordedWait
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.lineage.offsets import consumer_dates
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import START, World
from tests.lineage.planning import NOW, codes, links, plan, selected


@pytest.fixture
def world() -> World:
    return World()


def test_an_asset_event_is_a_recorded_link(world: World) -> None:
    source, consumer = world.run("a"), world.run("b", run_type="asset_triggered")
    world.consumed(source, "t", by=consumer)
    found = plan(world, source)
    assert links(found) == {("a", "b", "asset", "recorded")}
    assert found.links[0].via == {"asset": "asset://a", "event_id": 0, "task_id": "t"}
    assert selected(found) == {"b": ["t"]}


def test_several_events_of_one_task_make_one_link(world: World) -> None:
    source, consumer = world.run("a"), world.run("b")
    world.consumed(source, "t", by=consumer)
    world.consumed(source, "t", by=consumer)
    assert plan(world, source).links[0].via["event_ids"] == [0, 1]


def test_only_links_of_polluted_tasks_count(world: World) -> None:
    world.dag("a", "x >> y; z")
    source = world.run("a")
    for task_id, dag_id in (("y", "polluted"), ("z", "clean")):
        world.consumed(source, task_id, by=world.run(dag_id), asset=task_id)
    assert links(plan(world, source, tasks=(TaskRef("x"),))) == {("a", "polluted", "asset", "recorded")}


def test_pollution_that_grows_is_followed_again(world: World) -> None:
    """b is reached twice: first only its tail is polluted, then all of it, and only then c is."""
    world.dag("b", "head >> tail")
    source, middle, target = world.run("a"), world.run("b"), world.run("c")
    late = world.run("late")
    world.sensors.append(SensorDefinition("b", "tail", "a", offset_known=True))
    world.consumed(source, "t", by=late, asset="1")
    world.consumed(late, "t", by=middle, asset="2")
    world.consumed(middle, "head", by=target, asset="3")
    assert ("b", "c", "asset", "recorded") in links(plan(world, source))


def test_a_triggered_run_is_downstream_and_its_maker_is_left_out(world: World) -> None:
    world.dag("a", "load >> trigger")
    source = world.run("a")
    child = world.run("b", run_type="operator_triggered", online=True)
    world.made(source, "trigger", child)
    found = plan(world, source)
    assert links(found) == {("a", "b", "trigger", "recorded")}
    assert [str(task) for task in found.source.tasks] == ["load"]
    reasons = {task.task_id: task.reason for task in found.source.task_instances}
    assert reasons["trigger"] == "makes_a_new_run"


@pytest.mark.parametrize(
    ("offset", "days"),
    [(0.0, 0), (86_400.0, 1), (-86_400.0, -1), (7200.0, 1 / 12), ({"months": 1.0}, 30), ({"weeks": 1.0}, 7)],
)
def test_a_sensors_offset_tells_the_consumer(world: World, offset: object, days: float) -> None:
    source = world.run("a", day=3)
    consumer = world.run("b", day=3 + days)
    world.run("b", day=13)
    world.sensors.append(SensorDefinition("b", "t", "a", offset=offset, offset_known=True))  # type: ignore[arg-type]
    found = plan(world, source)
    assert [link.downstream for link in found.links] == [consumer]
    assert found.links[0].evidence is Evidence.DERIVED


def test_a_sensor_in_a_run_without_a_logical_date_counts_from_its_ready_time(world: World) -> None:
    source = world.run("a", day=3)
    ready = START + timedelta(days=4)
    consumers = [world.run("b", run_id=name, logical_date=None, run_after=ready) for name in ("one", "two")]
    world.run("b", run_id="later", logical_date=None, run_after=ready + timedelta(hours=1))
    world.run("b", run_id="dated", day=9, run_after=ready)
    world.sensors.append(SensorDefinition("b", "t", "a", offset=86_400.0, offset_known=True))
    assert [link.downstream for link in plan(world, source).links] == consumers


def test_the_record_of_a_held_run_s_reader_is_found(world: World) -> None:
    held = world.run("a", run_after=START + timedelta(days=4000))
    consumer = world.run("b", day=9)
    world.sensors.append(SensorDefinition("b", "t", "a", has_date_function=True))
    world.waits.append((START + timedelta(days=1), wait(consumer, START)))
    assert [link.evidence for link in plan(world, held).links] == [Evidence.RECORDED]


MONTHS = {
    ("2026-02-28", 1): ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"],
    ("2028-02-29", 1): ["2028-03-29", "2028-03-30", "2028-03-31"],
    ("2026-04-30", 1): ["2026-05-30", "2026-05-31"],
    ("2026-01-31", 1): [],
    ("2026-01-28", 1): ["2026-02-28"],
    ("2026-03-31", 1): [],
    ("2026-02-28", -1): ["2026-01-28", "2026-01-29", "2026-01-30", "2026-01-31"],
    ("2026-02-28", 12): ["2027-02-28"],
    ("2027-02-28", 12): ["2028-02-28", "2028-02-29"],
}


@pytest.mark.parametrize(("date", "months"), MONTHS)
def test_a_month_before(date: str, months: int) -> None:
    found = consumer_dates(datetime.fromisoformat(date), {"months": months})
    assert [each.date().isoformat() for each in found] == MONTHS[date, months]


@given(
    reader=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(timezone.utc)),  # noqa: DTZ001
    apart=st.timedeltas(timedelta(days=-4), timedelta(days=4)),
    months=st.integers(-30, 30),
    days=st.integers(-40, 40),
    hours=st.floats(-50, 50).map(lambda hours: round(hours, 1)),
)
def test_exactly_the_dates_that_look_back_at_a_date_are_found(
    reader: datetime, apart: timedelta, months: int, days: int, hours: float
) -> None:
    delta = {"months": months, "days": days, "hours": hours}
    other = reader + apart
    looked_at = reader - relativedelta(**delta)  # type: ignore[arg-type]
    found = consumer_dates(looked_at, delta)
    assert reader in found
    assert (other in found) == (other - relativedelta(**delta) == looked_at)  # type: ignore[arg-type]


def test_a_sensor_without_the_policys_mark_is_assumed_and_told(world: World) -> None:
    source = world.run("a")
    world.run("b")
    world.sensors.append(SensorDefinition("b", "t", "a"))
    assert links(plan(world, source)) == {("a", "b", "sensor", "assumed"), ("a", "b", "sensor", "unresolved")}


def wait(
    consumer: RunRef, *dates: datetime, task_ids: frozenset[str] = frozenset(), group: str | None = None
) -> RecordedWait:
    return RecordedWait(consumer, "t", -1, "a", task_ids, group, dates)


def test_a_record_beats_the_offset(world: World) -> None:
    source = world.run("a", day=3)
    derived, recorded = world.run("b", day=3), world.run("b", day=9)
    world.sensors.append(SensorDefinition("b", "t", "a", offset_known=True))
    world.waits += [(NOW, wait(recorded, START + timedelta(days=3))), (NOW, wait(derived, START))]
    found = plan(world, source)
    assert [(link.downstream, link.evidence) for link in found.links] == [(recorded, Evidence.RECORDED)]


def test_a_date_function_is_recorded_or_unresolved(world: World) -> None:
    source = world.run("a", day=3)
    world.sensors.append(SensorDefinition("b", "t", "a", has_date_function=True, offset_known=True))
    consumer = world.run("b", day=5)
    found = plan(world, source)
    assert links(found) == {("a", "b", "sensor", "unresolved")}
    assert "unresolved_link" in codes(found)
    world.waits.append((NOW, wait(consumer, START + timedelta(days=3), START)))
    assert links(plan(world, source)) == {("a", "b", "sensor", "recorded")}


def test_a_sensor_that_waits_for_other_tasks_is_not_polluted(world: World) -> None:
    world.dag("a", "x; y", groups={"g": {"y"}})
    source = world.run("a")
    for dag_id, sensor in {
        "by_task": SensorDefinition("by_task", "t", "a", frozenset({"y"}), offset_known=True),
        "by_group": SensorDefinition("by_group", "t", "a", group_id="g", offset_known=True),
        "whole": SensorDefinition("whole", "t", "a", offset_known=True),
    }.items():
        world.run(dag_id)
        world.sensors.append(sensor)
    assert {d for _, d, _, _ in links(plan(world, source, tasks=(TaskRef("x"),)))} == {"whole"}
    assert {d for _, d, _, _ in links(plan(world, source, tasks=(TaskRef("y"),)))} == {"by_task", "by_group", "whole"}


def test_a_templated_sensor_is_told_by_its_rendered_fields(world: World) -> None:
    source, consumer, other = world.run("a"), world.run("b"), world.run("c")
    for dag_id in ("b", "c"):
        world.sensors.append(SensorDefinition(dag_id, "t", "{{ params.up }}", offset_known=True))
    world.rendered[(consumer, "t", -1)] = {"external_dag_id": "a", "external_task_id": "t"}
    world.rendered[(other, "t", -1)] = {"external_dag_id": "elsewhere"}
    assert links(plan(world, source)) == {("a", "b", "sensor", "derived")}


def test_each_index_of_a_mapped_templated_sensor_counts(world: World) -> None:
    world.dag("a", "x; y; z")
    source, consumer = world.run("a"), world.run("b")
    world.sensors.append(SensorDefinition("b", "t", "{{ mapped }}", offset_known=True, mapped=True))
    for index, (dag_id, task_id) in enumerate([("a", "x"), ("a", "y"), ("elsewhere", "z")]):
        world.rendered[(consumer, "t", index)] = {"external_dag_id": dag_id, "external_task_id": task_id}
    world.expand(consumer, "t", 3)
    found = plan(world, source)
    assert [link.via["external_task_ids"] for link in found.links] == [["x", "y"]]
    assert links(plan(world, source, tasks=(TaskRef("z"),))) == set()


def test_a_templated_sensor_without_rendered_fields_is_unresolved(world: World) -> None:
    source = world.run("a")
    world.run("b")
    world.run("c")
    world.sensors.append(SensorDefinition("b", "t", "{{ params.up }}", offset_known=True))
    world.sensors.append(SensorDefinition("c", "t", "{{ params.up }}", has_date_function=True))
    assert links(plan(world, source)) == {("a", "b", "sensor", "unresolved"), ("a", "c", "sensor", "unresolved")}


def test_only_the_sensor_and_what_follows_it_is_selected(world: World) -> None:
    world.dag("b", "other; wait >> use")
    source = world.run("a")
    world.run("b")
    world.sensors.append(SensorDefinition("b", "wait", "a", offset_known=True))
    assert selected(plan(world, source)) == {"b": ["use", "wait"]}


@pytest.mark.parametrize(
    ("template", "day"),
    [
        ("{{ logical_date.isoformat() }}", 3),
        ("{{ (logical_date + macros.timedelta(days=1)).isoformat() }}", 4),
        ("{{ logical_date.add(days=2) }}", 5),
        ("{{ macros.ds_add(ds, -1) }}", 2),
        ("{{ logical_date | ts }}", 3),
        ("{{ data_interval_end }}", 4),
        ("{{ logical_date + macros.dateutil.relativedelta.relativedelta(days=1) }}", 4),
        ("{{ macros.ds_format(ds, '%Y-%m-%d', '%Y%m%d') }}", 3),
        ("{{ ts_nodash }}", 3),
    ],
)
def test_a_markers_template_names_the_run(world: World, template: str, day: int) -> None:
    interval = {"data_interval_start": START + timedelta(days=3), "data_interval_end": START + timedelta(days=4)}
    source = world.run("a", day=3, **interval)
    target = world.run("b", day=day)
    world.markers.append(MarkerDefinition("a", "t", "b", "t", template))
    found = plan(world, source)
    assert [(link.downstream, link.evidence) for link in found.links] == [(target, Evidence.DERIVED)]


@pytest.mark.parametrize(
    "template", ["{{ params.day }}", "{{ ti.xcom_pull('x') }}", "tomorrow", "{{ ().__class__.__mro__ }}", "{% raw"]
)
def test_a_marker_that_needs_a_live_context_is_unresolved(world: World, template: str) -> None:
    source = world.run("a")
    world.run("b")
    world.markers.append(MarkerDefinition("a", "t", "b", "t", template))
    assert links(plan(world, source)) == {("a", "b", "marker", "unresolved")}


def test_discovery_goes_through_runs_that_are_not_shown(world: World) -> None:
    source, manual, end = world.run("a"), world.run("m", run_type="manual"), world.run("z")
    world.consumed(source, "t", by=manual, asset="1")
    world.consumed(manual, "t", by=end, asset="2")
    found = plan(world, source)
    assert [run.ref for run in found.runs] == [end]
    assert found.links[0].via == {"through": [{"dag_id": "m", "run_id": manual.run_id}]}
    assert [(w.code, w.dag_id) for w in found.warnings] == [("stays_polluted", "m"), ("rebuilt_on_polluted", "z")]
    assert {run.ref.dag_id: run.selected for run in plan(world, source, include_manual=True).runs} == {
        "m": False,
        "z": True,
    }


def test_an_unreadable_dag_is_counted_and_never_named(world: World) -> None:
    source, secret, end = world.run("a"), world.run("secret"), world.run("z")
    world.consumed(source, "t", by=secret, asset="secret://asset")
    world.consumed(secret, "t", by=end, asset="secret://too")
    found = plan(world, source, unreadable=["secret"])
    assert found.hidden_dags == 1
    assert [(link.upstream, link.downstream, link.via) for link in found.links] == [(source, end, {"hidden": True})]
    assert codes(found) == ["hidden_downstream", "hidden_warnings"]
    shown = repr((found.source, found.runs, found.links, found.warnings))
    assert "secret" not in shown


def test_runs_on_a_circle_that_may_not_be_read_are_passed_once(world: World) -> None:
    source, one, two, end = (world.run(name) for name in ("a", "secret", "hidden", "z"))
    for writer, reader in ((source, one), (one, two), (two, one), (two, end), (one, end)):
        world.consumed(writer, "t", by=reader, asset=f"{writer.dag_id} to {reader.dag_id}")
    found = plan(world, source, unreadable=["secret", "hidden"])
    assert found.hidden_dags == 2
    assert [(link.upstream, link.downstream, link.via) for link in found.links] == [(source, end, {"hidden": True})]


@pytest.mark.parametrize("count", [1, 3])
def test_a_run_of_which_nobody_knows_who_made_it_is_told_of_once_for_each_dag(world: World, count: int) -> None:
    source = world.run("a")
    readers = [world.run("b", day=day, run_type="operator_triggered") for day in range(count)]
    for reader in readers:
        world.consumed(source, "t", by=reader, asset=reader.run_id)
    (warning,) = [each for each in plan(world, source).warnings if each.code == "maker_untold"]
    more = " and 2 more runs of it" if count > 1 else ""
    assert warning.detail == (
        f"A task created {readers[0]}{more}, and Airflow no longer records which. It counts as scheduled, although a "
        "user may have started the run that created it."
    )
    assert (warning.dag_id, warning.run_id) == ("b", readers[0].run_id if count == 1 else None)


def test_an_unreadable_source_is_unknown(world: World) -> None:
    source = world.run("a")
    with pytest.raises(NotFound):
        plan(world, source, unreadable=["a"])
    with pytest.raises(NotFound):
        plan(world, RunRef("a", "nope"))


def test_a_cycle_of_runs_ends(world: World) -> None:
    source, other = world.run("a"), world.run("b")
    world.consumed(source, "t", by=other, asset="1")
    world.consumed(other, "t", by=source, asset="2")
    world.consumed(source, "t", by=source, asset="3")
    found = plan(world, source)
    assert [run.ref for run in found.runs] == [other]
    assert found.edges[other] == frozenset()


def test_a_link_may_join_two_runs_of_one_dag(world: World) -> None:
    source, later = world.run("a"), world.run("a", day=1)
    world.consumed(source, "t", by=later)
    assert selected(plan(world, source)) == {"a": ["t"]}


def test_too_large_a_plan_is_refused_with_what_was_found(world: World) -> None:
    source = world.run("a")
    for day in range(4):
        world.consumed(source, "t", by=world.run("b", day=day), asset=str(day))
    with pytest.raises(PlanTooLarge) as refusal:
        plan(world, source, max_runs=3)
    assert refusal.value.extra == {"found": 4, "limit": 3}
    assert refusal.value.detail == (
        "More than 3 downstream runs were found (4 so far). Choose a later source or fewer tasks, or raise max_runs."
    )


def test_depth_and_kinds_can_be_limited(world: World) -> None:
    source, one, two = world.run("a"), world.run("b"), world.run("c")
    world.consumed(source, "t", by=one, asset="1")
    world.consumed(one, "t", by=two, asset="2")
    assert [run.ref for run in plan(world, source, max_depth=1).runs] == [one]
    assert plan(world, source, link_kinds=(LinkKind.SENSOR,)).runs == ()


def test_statements_grow_with_levels_not_with_runs(world: World) -> None:
    def statements(width: int) -> int:
        many = World()
        source = many.run("a")
        for number in range(width):
            middle, end = many.run("b", day=number), many.run("c", day=number)
            many.consumed(source, "t", by=middle, asset=str(number))
            many.consumed(middle, "t", by=end, asset=f"x{number}")
        facts = FakeFacts(many)
        plan(many, source, facts=facts)
        return facts.statements

    assert statements(2) == statements(200)


def test_the_broken_tasks_of_a_source_are_preselected(world: World) -> None:
    world.dag("a", "x >> y >> z; w")
    source = world.run(
        "a", state="failed", task_states={"x": "success", "y": "failed", "z": "upstream_failed", "w": "success"}
    )
    found = plan(world, source)
    assert [str(task) for task in found.source.tasks] == ["y", "z"]
    assert {t.task_id: t.reason for t in found.source.task_instances if t.selected} == {
        "y": "failed",
        "z": "upstream_failed",
    }


def test_all_tasks_of_a_successful_source_are_preselected(world: World) -> None:
    world.dag("a", "x >> y")
    assert [str(task) for task in plan(world, world.run("a")).source.tasks] == ["x", "y"]


def test_bad_source_tasks_are_refused(world: World) -> None:
    source = world.run("a")
    with pytest.raises(Invalid):
        plan(world, source, tasks=(TaskRef("nope"),))
    with pytest.raises(EmptySelection):
        plan(world, source, tasks=())


@pytest.mark.parametrize(
    ("state", "reason"), [("running", "run_is_running"), ("queued", "run_is_queued"), ("failed", None)]
)
def test_only_finished_runs_are_selectable(world: World, state: str, reason: str | None) -> None:
    source, consumer = world.run("a"), world.run("b", state=state)
    world.consumed(source, "t", by=consumer)
    run = plan(world, source).runs[0]
    assert (run.selectable, run.selected, run.reason) == (reason is None, reason is None, reason)


def test_what_stays_polluted_is_said_with_its_readers(world: World) -> None:
    source, middle, end = world.run("a"), world.run("b", state="running"), world.run("c")
    world.consumed(source, "t", by=middle, asset="1")
    world.consumed(middle, "t", by=end, asset="2")
    warning = next(w for w in plan(world, source).warnings if w.code == "stays_polluted")
    assert warning.dag_id == "b"
    assert "1 selected run downstream will read it again" in warning.detail


def test_a_paused_dag_is_said(world: World) -> None:
    world.dag("b", paused=True)
    source = world.run("a")
    world.consumed(source, "t", by=world.run("b"))
    assert "paused_dag" in codes(plan(world, source))


def test_time_zones_do_not_matter(world: World) -> None:
    east = timezone(timedelta(hours=8))
    source = world.run("a", day=3)
    consumer = world.run("b", day=3, logical_date=(START + timedelta(days=3)).astimezone(east))
    world.sensors.append(SensorDefinition("b", "t", "a", offset_known=True))
    assert [link.downstream for link in plan(world, source).links] == [consumer]


def test_what_a_markers_link_shows(world: World) -> None:
    world.dag("a", "mark")
    world.dag("b", "read; beside")
    source, target = world.run("a"), world.run("b")
    world.markers.append(MarkerDefinition("a", "mark", "b", "{{ 'read' }}", "{{ ts }}"))
    found = plan(world, source)
    via = {
        "task_id": "mark",
        "external_task_id": "read",
        "logical_date": "{{ ts }}",
        "dates": [START.isoformat()],
    }
    link = Link(source, target, LinkKind.MARKER, Evidence.DERIVED, via, from_task_id="mark", to_task_id="read")
    assert (found.links, selected(found)) == ((link,), {"b": ["read"]})


def test_a_markers_names_may_be_templates(world: World) -> None:
    source = world.run("a", day=1)
    target = world.run("b", day=1)
    world.markers.append(MarkerDefinition("a", "t", "{{ 'b' }}", "{{ 't' }}", "{{ ts }}"))
    found = plan(world, source)
    assert [(link.downstream, link.to_task_id) for link in found.links] == [(target, "t")]


def test_a_markers_name_that_needs_a_live_context_is_unresolved(world: World) -> None:
    source = world.run("a", day=1)
    world.markers.append(MarkerDefinition("a", "t", "{{ var.value.dag }}", "t", "{{ ts }}"))
    assert links(plan(world, source)) == {("a", "{{ var.value.dag }}", "marker", "unresolved")}
