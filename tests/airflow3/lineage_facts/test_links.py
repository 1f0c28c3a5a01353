"""What links runs, as the facts tell it, and how many statements that takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import text

from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY, waited_value
from airflow_rerun_downstream.airflow3.lineage_facts.link_operators import makes_one_run
from airflow_rerun_downstream.airflow3.lineage_facts.serialized_task import Task
from airflow_rerun_downstream.domain.lineage_records import DoubtfulRecord, RecordedWait
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.ports.lineage import RunFilter
from tests.airflow3 import history, scene, task_rows

START = scene.START
HOUR = timedelta(hours=1)


def new_facts(session: Any) -> Any:
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    return readers(session)


@pytest.fixture
def facts(session):
    return new_facts(session)


@pytest.fixture
def producer(session):
    """A finished run of the Dag ``a``; ``b`` consumes."""
    scene.save(history.dag("a"), history.dag("b"), session=session)
    ref = scene.create_run("a", session=session)
    history.finish(ref, "success", session=session, start=START, end=START + HOUR)
    return ref


def consumer(session: Any, run_id: str = "consumer") -> RunRef:
    return history.run("b", run_id, session=session, by="asset")


def test_a_consumption(facts, session, producer):
    downstream = consumer(session)
    event_id = history.emit(producer, downstream, session=session, map_index=2)
    (found,) = facts.assets.consumptions([producer])
    assert (found.producer, found.task_id, found.map_index) == (producer, "t", 2)
    assert (found.event_id, found.asset) == (event_id, "s3://orders")
    assert found.consumer == facts.runs.among([downstream])[downstream]


def test_events_that_nobody_consumed_or_others_emitted_are_no_links(facts, session, producer):
    history.emit(producer, session=session)
    other = scene.create_run("a", session=session, day=1)
    history.emit(other, consumer(session), session=session)
    assert facts.assets.consumptions([producer, RunRef("a", "gone")]) == []
    assert facts.assets.consumptions([]) == []


def test_a_run_may_consume_events_of_several_runs_and_an_event_may_have_several_consumers(facts, session, producer):
    other = scene.create_run("a", session=session, day=1)
    first, second = consumer(session, "one"), consumer(session, "two")
    history.emit(producer, first, second, session=session)
    history.emit(other, first, session=session, asset="s3://lines", at=START + 24 * HOUR)
    found = facts.assets.consumptions([producer, other])
    assert [(each.producer, each.asset, each.consumer.ref) for each in found] == [
        (producer, "s3://orders", first),
        (producer, "s3://orders", second),
        (other, "s3://lines", first),
    ]


def test_an_asset_that_no_task_declares_is_followed_too(facts, session, producer):
    """That is how the events of an alias, and those of an earlier version of the Dag, are stored."""
    history.emit(producer, consumer(session), session=session, asset="s3://made/by/alias")
    assert [each.asset for each in facts.assets.consumptions([producer])] == ["s3://made/by/alias"]


LIVES: dict[str, dict[str, Any]] = {
    "running": {"state": "running", "end": None},
    "cleared and run again": {"state": "success", "start": START + 720 * HOUR, "end": START + 721 * HOUR},
    "cleared and waiting": {"state": "queued", "start": None, "end": None},
    "never started by the scheduler": {"state": "failed", "start": None, "end": START + HOUR},
}


@pytest.mark.parametrize("name", LIVES)
def test_events_are_found_whatever_became_of_the_run(facts, session, producer, name):
    life = {"start": START, **LIVES[name]}
    history.finish(producer, life.pop("state"), session=session, **life)
    history.emit(producer, consumer(session), session=session)
    assert len(facts.assets.consumptions([producer])) == 1


def test_events_of_a_held_run_are_found(facts, session, producer):
    """A hold overwrites the ready time; on Airflow 3.1 nothing else tells when the run was made."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import update

    table = DagRun.__table__
    far = datetime(2038, 1, 1, tzinfo=timezone.utc)
    held = update(table).where(table.c.run_id == producer.run_id).values(run_after=far, state="queued")
    session.execute(held.values(start_date=None, end_date=None, queued_at=START + 720 * HOUR))
    if "created_at" in table.c:
        session.execute(update(table).where(table.c.run_id == producer.run_id).values(created_at=None))
    history.emit(producer, consumer(session), session=session)
    assert len(facts.assets.consumptions([producer])) == 1


def trigger(target: str, **more: Any) -> Callable[[], Any]:
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

    return lambda: TriggerDagRunOperator(task_id="go", trigger_dag_id=target, **more)


def triggering(session: Any, build: Any) -> tuple[RunRef, RunRef]:
    """A run of ``a`` whose task made a run of ``b``."""
    scene.save(history.dag("a", build), history.dag("b"), session=session)
    return scene.create_run("a", session=session), history.run("b", "made", session=session, by="operator")


def test_a_triggered_run(facts, session):
    parent, child = triggering(session, trigger("b"))
    history.triggered(parent, child, session=session)
    (found,) = facts.tasks.triggered_runs([parent, RunRef("a", "gone")])
    assert (found.parent, found.task_id, found.map_index, found.child.ref) == (parent, "go", -1, child)
    assert found.child.online


@pytest.mark.parametrize("value", ["made", '"made"'], ids=["as the execution API writes it", "as 3.1's own code does"])
def test_the_record_is_read_in_both_forms(facts, session, value):
    parent, child = triggering(session, trigger("b"))
    history.xcom(parent, "go", "trigger_run_id", value, session=session)
    assert [each.child.ref for each in facts.tasks.triggered_runs([parent])] == [child]
    assert facts.runs.among([child])[child].online


def doubts(facts: Any, parent: RunRef) -> list[str]:
    found = facts.tasks.triggered_runs([parent])
    assert all(isinstance(each, DoubtfulRecord) for each in found)
    return [each.why for each in found]


def test_a_run_that_is_gone_is_in_doubt_and_an_author_s_own_xcom_is_nothing(facts, session):
    parent, _ = triggering(session, trigger("b"))
    history.xcom(parent, "go", "trigger_run_id", "deleted since", session=session)
    (why,) = doubts(facts, parent)
    assert "b / deleted since, which isn't there" in why
    other = scene.create_run("b", session=session)
    history.xcom(other, "t", "trigger_run_id", "made", session=session)
    assert facts.tasks.triggered_runs([other]) == []
    assert facts.tasks.triggered_runs([]) == []


def rendered(ref: RunRef, task_id: str, fields: dict[str, Any], *, session: Any, map_index: int = -1) -> None:
    where = {"dag_id": ref.dag_id, "run_id": ref.run_id, "task_id": task_id, "map_index": map_index}
    task_rows.add_rendered([{**where, "rendered_fields": fields}], session=session)
    session.commit()


@pytest.mark.parametrize("link", [True, False], ids=["by its link", "by what was rendered"])
def test_a_templated_target_is_told(facts, session, link):
    parent, child = triggering(session, trigger("{{ params.target }}"))
    scene.save(history.dag("c"), session=session)
    history.run("c", child.run_id, session=session, by="operator")
    history.triggered(parent, child, session=session, link=link)
    if not link:
        assert all("no longer records" in why for why in doubts(facts, parent))
        assert [each.dag_id for each in facts.tasks.triggered_runs([parent])] == ["b", "c"]
        rendered(parent, "go", {"trigger_dag_id": "b"}, session=session)
    assert [each.child.ref for each in facts.tasks.triggered_runs([parent])] == [child]


def test_a_templated_target_is_told_by_the_run_s_id(facts, session):
    """Of the Dags that the template can spell only one has a run of that id which a task may have made."""
    parent, child = triggering(session, trigger("{{ params.prefix }}b"))
    scene.save(history.dag("c"), session=session)
    history.run("c", child.run_id, session=session, by="operator")
    history.triggered(parent, child, session=session)
    (made,) = facts.tasks.triggered_runs([parent])
    assert (made.child.ref, made.by_run_id) == (child, True)


@pytest.mark.parametrize(
    ("target", "params", "conf", "overrides", "told"),
    [
        ("{{ params.target }}", {"target": "b"}, {}, True, "b"),
        ("{{ params['target'] }}", {"target": "c"}, {"target": "b", "more": [1]}, True, "b"),
        ("{{ params.target }}", {"target": "c"}, {"target": "b"}, False, "c"),
        ("{{ dag_run.conf.get('target', 'c') }}", {}, {"target": "b"}, False, "b"),
        ("{{ dag_run.conf.get('target', 'c') }}", {}, None, True, "c"),
        ("{{ 'b' if ds == '2026-11-01' else 'c' }}", {}, {}, True, "b"),
        ("{{ params.target }}", {"target": "c"}, {"target": ["b"]}, True, None),
        ("{{ params.target }}", {"target": "b"}, {"target": "b", "long": "x" * 150_000}, True, None),
        ("{{ params.target }}", {"target": "b"}, {"long": "x" * 150_000}, False, "b"),
        ("{{ params.target }}", {}, {}, True, None),
    ],
)
def test_a_templated_target_is_told_by_params_and_configuration(
    facts, session, monkeypatch, target, params, conf, overrides, told
):
    monkeypatch.setenv("AIRFLOW__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS", str(overrides))
    parent, child = triggering(session, trigger(target, params=params))
    scene.save(history.dag("c"), session=session)
    history.run("c", child.run_id, session=session, by="operator")
    scene.run_of(parent, session=session).conf = conf
    session.commit()
    history.triggered(parent, child, session=session)
    found = facts.tasks.triggered_runs([parent])
    if told is None:
        assert [each.dag_id for each in found if isinstance(each, DoubtfulRecord)] == ["b", "c"]
    else:
        assert [each.child.ref.dag_id for each in found] == [told]


def test_a_dag_that_makes_python_objects_of_templates_tells_nothing_by_its_params(facts, session):
    from airflow.sdk import DAG

    with DAG("a", schedule=None, params={"target": "b"}, render_template_as_native_obj=True) as dag:
        trigger("{{ params.target }}")()
    scene.save(dag, history.dag("b"), session=session)
    assert [one.params for one in facts.dags.definitions().triggers] == [None]


def test_who_made_a_run_is_told_where_another_dag_has_a_template_and_a_run_of_its_id(facts, session):
    """The other one's record names the same id, and may mean any Dag; the true one left its link only."""
    parent, child = triggering(session, trigger("b"))
    scene.save(history.dag("other", trigger("{{ var.value.target }}")), history.dag("c"), session=session)
    other = scene.create_run("other", session=session)
    history.xcom(other, "go", "trigger_run_id", child.run_id, session=session)
    rendered(other, "go", {"trigger_dag_id": "c"}, session=session)
    history.run("c", child.run_id, session=session, by="operator")
    history.xcom(parent, "go", "_link_TriggerDagRunLink", f"http://x/dags/b/runs/{child.run_id}", session=session)
    assert [one.parent for one in facts.tasks.triggering_runs([child])] == [parent]
    assert facts.tasks.orphaned_dags(START) == set()


def test_a_run_of_the_recorded_id_that_no_task_made_is_not_the_one(facts, session):
    parent, _ = triggering(session, trigger("{{ params.target }}"))
    scene.save(history.dag("c"), session=session)
    history.run("c", "mine", session=session)
    history.xcom(parent, "go", "trigger_run_id", "mine", session=session)
    (record,) = facts.tasks.triggered_runs([parent])
    assert (record.dag_id, "no longer records" in record.why) == ("{{ params.target }}", True)


@pytest.mark.parametrize("value", [None, "s3://bucket/run.json"], ids=["gone", "elsewhere"])
def test_the_link_of_the_ui_is_enough(facts, session, value):
    parent, child = triggering(session, trigger("b"))
    history.xcom(parent, "go", "_link_TriggerDagRunLink", f"http://x/dags/b/runs/{child.run_id}", session=session)
    if value is not None:
        history.xcom(parent, "go", "trigger_run_id", value, session=session)
    (made,) = facts.tasks.triggered_runs([parent])
    assert (made.child.ref, made.by_run_id) == (child, False)


def test_the_dags_with_runs_of_which_nothing_tells_who_made_them(facts, session):
    parent, child = triggering(session, trigger("b"))
    assert facts.tasks.orphaned_dags(START) == {"b"}
    history.triggered(parent, child, session=session)
    assert facts.tasks.orphaned_dags(START) == set()


@pytest.mark.parametrize(("target", "untold"), [("b", {"d"}), ("{{ params.to }}", {"b", "d"})])
def test_a_record_does_not_tell_who_made_another_dag_s_run_of_the_same_id(facts, session, target, untold):
    parent, child = triggering(session, trigger(target))
    history.triggered(parent, child, session=session)
    scene.save(history.dag("d"), session=session)
    history.run("d", child.run_id, session=session, by="operator")
    assert facts.tasks.orphaned_dags(START) == untold


def test_a_run_of_another_dag_than_the_task_triggers_is_in_doubt(facts, session):
    parent, child = triggering(session, trigger("c"))
    history.triggered(parent, child, session=session, link=True)
    (record,) = facts.tasks.triggered_runs([parent])
    assert (record.run, record.task_id, record.map_index, record.dag_id) == (parent, "go", -1, "b")
    assert "isn't of the Dag" in record.why


@pytest.mark.parametrize("link", [True, False])
def test_a_run_of_the_dag_that_the_task_triggered_then_counts(facts, session, link):
    """The Dag triggers another one since; the run is of the version before."""
    parent, child = triggering(session, trigger("b"))
    history.triggered(parent, child, session=session, link=link)
    scene.save(history.dag("a", trigger("c")), session=session)
    newer = scene.create_run("a", session=session, day=1)
    history.triggered(newer, child, session=session, link=True)
    found = {
        each.parent if hasattr(each, "child") else each.run: each
        for each in facts.tasks.triggered_runs([parent, newer])
    }
    assert found[parent].child.ref == child
    assert "isn't of the Dag" in found[newer].why


@pytest.mark.parametrize(
    ("by", "cleared", "believed"),
    [("operator", 0, True), ("operator", 1, True), ("user", 0, False), ("user", 1, True), ("asset", 0, False)],
)
def test_a_run_that_no_task_has_made_or_may_have_cleared_is_in_doubt(facts, session, by, cleared, believed):
    """With ``reset_dag_run`` a task clears a run that is there already."""
    scene.save(history.dag("a", trigger("b")), history.dag("b"), session=session)
    parent, child = scene.create_run("a", session=session), history.run("b", "made", session=session, by=by)
    scene.run_of(child, session=session).clear_number = cleared
    session.commit()
    history.triggered(parent, child, session=session, link=True)
    (found,) = facts.tasks.triggered_runs([parent])
    if believed:
        assert found.child.ref == child
    else:
        assert "no task has made" in found.why


@pytest.mark.parametrize(("by", "cleared"), [("operator", 0), ("user", 1)])
def test_a_record_without_a_declaration_is_believed(facts, session, by, cleared):
    """A task of Python may have executed the operator."""
    scene.save(history.dag("a"), history.dag("b"), session=session)
    parent, child = scene.create_run("a", session=session), history.run("b", "made", session=session, by=by)
    scene.run_of(child, session=session).clear_number = cleared
    session.commit()
    history.triggered(parent, child, session=session, link=True, task_id="t")
    assert [each.child.ref for each in facts.tasks.triggered_runs([parent])] == [child]


def test_a_trigger_that_is_expanded_over_dags(facts, session):
    def build() -> None:
        from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

        TriggerDagRunOperator.partial(task_id="go", trigger_run_id="made").expand(trigger_dag_id=["b", "c"])

    scene.save(history.dag("a", build), history.dag("b"), history.dag("c"), session=session)
    parent = scene.create_run("a", session=session)
    children = [history.run(dag_id, "made", session=session, by="operator") for dag_id in "bc"]
    for index, child in enumerate(children):
        history.xcom(parent, "go", "trigger_run_id", "made", session=session, map_index=index)
        rendered(parent, "go", {"trigger_dag_id": child.dag_id}, session=session, map_index=index)
    assert [(each.map_index, each.child.ref) for each in facts.tasks.triggered_runs([parent])] == [*enumerate(children)]
    assert all(run.online for run in facts.runs.among(children).values())


def test_recorded_waits(facts, session):
    scene.save(history.dag("a"), session=session)
    ref, other, odd = (scene.create_run("a", session=session, day=day) for day in range(3))
    value = waited_value("up", ["u", "t"], None, [START, START - HOUR, START])
    history.xcom(ref, "t", WAITED_KEY, value, session=session)
    history.xcom(odd, "t", WAITED_KEY, {"mine": 1}, session=session)
    history.xcom(other, "t", "another key", value, session=session)
    found = facts.tasks.recorded_waits([("a", "t"), ("a", "gone")], since=START, dates={})
    assert found == [
        RecordedWait(ref, "t", -1, "up", frozenset({"t", "u"}), None, (START, START - HOUR)),
        DoubtfulRecord(odd, "t", -1, f"the record of what it waited for in {odd} has no external_dag_id"),
    ]
    assert facts.tasks.recorded_waits([("a", "u")], since=START, dates={}) == []
    assert facts.tasks.recorded_waits([("a", "t")], since=datetime.now(timezone.utc) + HOUR, dates={}) == []
    assert facts.tasks.recorded_waits([], since=START, dates={}) == []


def test_which_sensors_have_records_whatever_became_of_their_dags(facts, session):
    scene.save(*map(history.dag, ("a", "b", "gone")), session=session)
    for dag_id in ("a", "gone"):
        ref = scene.create_run(dag_id, session=session)
        history.xcom(ref, "t", WAITED_KEY, waited_value("up", [], None, [START]), session=session)
    history.xcom(scene.create_run("b", session=session), "t", "another key", "x", session=session)
    session.execute(text("UPDATE dag SET is_stale = true WHERE dag_id = 'gone'"))
    assert facts.tasks.recorded_sensors(since=START) == {("a", "t"), ("gone", "t")}
    assert facts.tasks.recorded_sensors(since=datetime.now(timezone.utc) + HOUR) == frozenset()


def test_the_instances_of_sensors(facts, session):
    scene.save(history.dag("a"), history.dag("b"), session=session)
    states = ("success", "failed", "running", "queued")
    refs = [scene.create_run("a", session=session, day=day, state=state) for day, state in enumerate(states)]
    scene.create_run("b", session=session)
    found = facts.tasks.sensor_instances([("a", "t"), ("a", "gone")], refs=refs)
    assert [(one.run, one.task_id, one.map_index) for one in found] == [(ref, "t", -1) for ref in refs]
    assert [(one.state, one.ended, one.counts) for one in found] == [
        ("success", True, True),
        ("failed", True, True),
        ("running", False, True),
        (None, False, True),
    ]
    late = facts.tasks.sensor_instances([("a", "t")], since=START + timedelta(hours=1))
    assert [one.run for one in late] == [refs[1]]
    assert facts.tasks.sensor_instances([], refs=refs) == facts.tasks.sensor_instances([], since=START) == []


def test_a_skip_by_its_own_code_is_told_from_one_by_another(facts, session):
    """A branch skips what never started; a clear leaves the number of the try that was, and its dates."""
    from airflow.models.taskreschedule import TaskReschedule

    scene.save(history.dag("a"), session=session)
    refs = [scene.create_run("a", session=session, day=day) for day in range(4)]
    for ref, (tries, pid, pokes) in zip(refs, [(1, 7, 0), (0, None, 0), (1, None, 0), (1, 7, 1)], strict=True):
        one = scene.instance(ref, "t", session=session)
        one.state, one.try_number, one.pid, one.scheduled_dttm = "skipped", tries, pid, START
        for _ in range(pokes):
            session.add(TaskReschedule(one.id, one.start_date, one.end_date, one.end_date))
    session.commit()
    found = facts.tasks.sensor_instances([("a", "t")], refs=refs)
    assert {one.run: one.skipped_itself for one in found} == dict(zip(refs, [True, False, False, False], strict=True))
    assert [one.counts for one in found] == [one.skipped_itself for one in found]


def test_of_many_dates_only_those_are_kept_that_are_asked_for_or_shown(facts, session):
    scene.save(history.dag("a"), session=session)
    ref = scene.create_run("a", session=session)
    dates = [START + HOUR * number for number in range(500)]
    history.xcom(ref, "t", WAITED_KEY, waited_value("up", ["t"], None, dates), session=session)
    wanted = {"up": {dates[400], dates[3], START - HOUR}, "other": {dates[300]}}
    (found,) = facts.tasks.recorded_waits([("a", "t")], since=START, dates=wanted)
    assert found.dates == (*dates[:10], dates[400])
    assert found.shown(dates[400])["date_count"] == 500
    assert found.shown(dates[400])["dates"] == [date.isoformat() for date in (*dates[:9], dates[400])]


def test_rendered_fields(facts, session):
    scene.save(history.dag("a"), history.dag("b"), session=session)
    first, second = scene.create_run("a", session=session), scene.create_run("b", session=session)
    fields = {"external_dag_id": "up", "external_task_ids": ["t"], "external_task_group_id": None}
    rendered(first, "t", fields, session=session)
    rendered(second, "t", {"external_dag_id": "other"}, session=session)
    assert facts.tasks.rendered_fields([("a", "t")], [first, second]) == {
        (first, "t", -1): {"external_dag_id": "up", "external_task_ids": ["t"]}
    }
    assert facts.tasks.rendered_fields([], [first]) == {}


class Everything:
    """Every read of the port, over one producer or many."""

    def __init__(self, refs: list[RunRef]) -> None:
        self.refs = refs
        self.dates = {"a": [START + timedelta(days=day) for day in range(len(refs))]}

    @property
    def reads(self) -> dict[str, tuple[Callable[[Any], Any], int]]:
        return {
            "runs": (lambda facts: facts.runs.among(self.refs), 1),
            "runs_at": (lambda facts: facts.runs.at(self.dates), 1),
            "runs_at, undated too": (lambda facts: facts.runs.at(self.dates, undated=True), 1),
            "task_instances": (lambda facts: facts.tasks.task_instances(self.refs), 1),
            "structures": (lambda facts: facts.dags.structures(["a", "b"]), 1),
            "definitions": (lambda facts: facts.dags.definitions(), 2),
            "asset_consumptions": (lambda facts: facts.assets.consumptions(self.refs), 5),
            "triggered_runs": (lambda facts: facts.tasks.triggered_runs(self.refs), 6),
            "recorded_waits": (lambda facts: facts.tasks.recorded_waits([("a", "t")], since=START, dates={}), 1),
            "recorded_sensors": (lambda facts: facts.tasks.recorded_sensors(since=START), 1),
            "sensor_instances": (lambda facts: facts.tasks.sensor_instances([("a", "go")], refs=self.refs), 1),
            "sensor_instances, since": (
                lambda facts: facts.tasks.sensor_instances([("a", "go")], since=START),
                1,
            ),
            "rendered_fields": (lambda facts: facts.tasks.rendered_fields([("a", "t")], self.refs), 1),
            "page": (lambda facts: facts.runs.page(RunFilter(online=True)), 7),
        }


@pytest.fixture
def linked_runs(session):
    """200 runs of ``a``, each of which emitted an event for a run of ``b``, and made it."""
    scene.save(history.dag("a", trigger("b")), history.dag("b"), session=session)
    refs = history.many_runs("a", 200, session=session, tasks=["go"])
    history.link_all(refs, history.many_runs("b", 200, session=session), session=session, task_id="go")
    return refs


def test_statements_do_not_grow_with_runs(database, session, linked_runs):
    facts = new_facts(session)
    facts.dags.definitions()
    for count in (1, 200):
        for name, (read, limit) in Everything(linked_runs[:count]).reads.items():
            with database.counted() as statements:
                found = read(facts)
            assert len(statements) <= limit, (name, count, statements.texts)
            if name in ("runs", "runs_at", "task_instances", "asset_consumptions", "triggered_runs"):
                assert len(found) == count, name


def test_ten_thousand_runs_fit_into_the_reads(database, session, producer):
    refs = [producer, *(RunRef("a", f"gone-{number}") for number in range(9_999))]
    facts = new_facts(session)
    history.emit(producer, consumer(session), session=session)
    with database.counted() as statements:
        assert set(facts.runs.among(refs)) == {producer}
        assert set(facts.tasks.task_instances(refs)) == {producer}
        assert len(facts.assets.consumptions(refs)) == 1
        assert facts.tasks.triggered_runs(refs) == []
        assert facts.tasks.rendered_fields([("a", "t")], refs) == {}
    assert len(statements) <= 9


def test_which_tasks_made_runs(facts, session):
    parent, child = triggering(session, trigger("b"))
    history.triggered(parent, child, session=session)
    (found,) = facts.tasks.triggering_runs([child, RunRef("b", "gone")])
    assert (found.parent, found.task_id, found.map_index, found.child.ref) == (parent, "go", -1, child)
    assert facts.tasks.triggering_runs([parent]) == []
    assert facts.tasks.triggering_runs([]) == []


LATE = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("more", "waits", "one_run"),
    [
        ({}, False, False),
        ({"wait_for_completion": True, "deferrable": True}, True, False),
        ({"wait_for_completion": "{{ params.wait }}"}, True, False),
        ({"trigger_run_id": "{{ run_id }}"}, False, True),
        ({"trigger_run_id": "fixed", "reset_dag_run": True}, False, False),
        ({"logical_date": "{{ logical_date }}"}, False, True),
        ({"logical_date": LATE, "skip_when_already_exists": True}, False, True),
        ({"logical_date": LATE, "reset_dag_run": True}, False, False),
        ({"logical_date": None}, False, False),
        ({"skip_when_already_exists": True}, False, False),
    ],
)
def test_how_a_task_makes_runs(facts, session, more, waits, one_run):
    """Through Airflow's own serialization, with the policy's mark."""
    from airflow_rerun_downstream import policy

    def marked() -> Any:
        task = trigger("b", **more)()
        policy.task_policy(task)
        return task

    scene.save(history.dag("a", marked), history.dag("b"), session=session)
    node = facts.dags.structures(["a"])["a"].tasks["go"]
    assert (node.triggers_dag_run, node.waits_for_run, node.makes_one_run) == (True, waits, one_run)
    assert [each.waits for each in facts.dags.definitions().triggers] == [waits]


@pytest.mark.parametrize(
    ("date", "one_run"),
    [
        ("NOTSET", False),
        ("<airflow.serialization.definitions.notset.ArgNotSet object at 0x7f42124b88d0>", False),
        ("<airflow.utils.types.ArgNotSet object at 0x7f42124b88d0>", False),
        ("NOTSETTLED", True),
        ("{{ logical_date }}", True),
        (1767225600.0, True),
    ],
)
def test_a_date_that_was_not_given_is_known_in_each_form(date, one_run):
    task = Task({"task_id": "go", "task_type": "TriggerDagRunOperator", "logical_date": date}, {})
    assert makes_one_run(task) is one_run


def test_without_the_policys_mark_a_fixed_run_counts_as_the_only_one(facts, session):
    build = trigger("b", trigger_run_id="fixed", reset_dag_run=True)
    scene.save(history.dag("a", build), history.dag("b"), session=session)
    assert facts.dags.structures(["a"])["a"].tasks["go"].makes_one_run


def test_the_arguments_of_a_mapped_trigger_are_serialized(facts, session):
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

    def build(**more: Any) -> Callable[[], Any]:
        return lambda: TriggerDagRunOperator.partial(task_id="go", trigger_dag_id="b", **more).expand(
            trigger_run_id=["one", "two"]
        )

    scene.save(history.dag("a", build(wait_for_completion=True)), history.dag("b"), session=session)
    scene.save(history.dag("c", build(reset_dag_run=True)), session=session)
    found = facts.dags.structures(["a", "c"])
    nodes = {dag_id: found[dag_id].tasks["go"] for dag_id in ("a", "c")}
    assert (nodes["a"].waits_for_run, nodes["a"].makes_one_run) == (True, True)
    assert (nodes["c"].waits_for_run, nodes["c"].makes_one_run) == (False, False)
