"""Runs and task instances as the facts tell them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.domain.errors import Invalid
from airflow_rerun_downstream.domain.facts import RunNow
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.ports.lineage import RunFilter, SourceRule
from tests.airflow3 import history, scene

START = scene.START
MINUTE = timedelta(minutes=1)


@pytest.fixture
def facts(session):
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    return readers(session)


def trigger(target: str, task_id: str = "go") -> Any:
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

    return lambda: TriggerDagRunOperator(task_id=task_id, trigger_dag_id=target)


def test_a_run_with_all_that_its_row_says(facts, session):
    scene.save(history.dag("a"), session=session)
    ref = scene.create_run("a", session=session, day=1, state="running")
    found = facts.runs.among([ref, RunRef("a", "gone"), RunRef("gone", ref.run_id)])
    assert set(found) == {ref}
    run, date = found[ref], START + timedelta(days=1)
    assert (run.run_type, run.state, run.clear_number, run.partition_key) == ("scheduled", "running", 0, None)
    assert run.logical_date == run.run_after == run.data_interval_start == run.data_interval_end == date
    assert run.start_date == date
    assert run.run_after.utcoffset() == timedelta(0)
    assert (run.online, run.terminated, run.backfill) == (True, False, False)


def test_runs_of_two_dags_with_the_same_id_are_not_mixed_up(facts, session):
    scene.save(history.dag("a"), history.dag("b"), session=session)
    first, second = (scene.create_run(dag_id, session=session) for dag_id in "ab")
    third = scene.create_run("a", session=session, day=1)
    assert set(facts.runs.among([first, RunRef("b", third.run_id)])) == {first}
    assert set(facts.runs.among([second, third])) == {second, third}


def test_where_runs_stand_now(facts, session):
    """It is what all facts of them say, and one statement."""
    scene.save(history.dag("a"), history.dag("b"), session=session)
    refs = [
        scene.create_run("a", session=session, state="running"),
        scene.create_run("a", session=session, day=1, state="failed"),
        scene.create_run("b", session=session, day=1, state="queued"),
    ]
    known = facts.runs.among(refs)
    found = facts.runs.now([*refs, RunRef("a", "gone"), RunRef("b", refs[0].run_id)])
    assert found == {ref: RunNow(run.state, run.run_after) for ref, run in known.items()}
    assert [found[ref].state for ref in refs] == ["running", "failed", "queued"]
    assert facts.runs.now([]) == {}


@pytest.mark.parametrize(
    ("by", "online", "backfill"), [("asset", True, False), ("backfill", False, True), ("", False, False)]
)
def test_the_kind_of_a_run(facts, session, by, online, backfill):
    scene.save(history.dag("a"), session=session)
    ref = history.run("a", "r", session=session, by=by)
    assert (facts.runs.among([ref])[ref].online, facts.runs.among([ref])[ref].backfill) == (
        online,
        backfill,
    )


def chain(session: Any, *, first: str = "") -> list[RunRef]:
    """Runs of three Dags, each made by a task of the one before."""
    scene.save(history.dag("a", trigger("b")), history.dag("b", trigger("c")), history.dag("c"), session=session)
    top = history.run("a", "top", session=session) if first == "manual" else scene.create_run("a", session=session)
    middle, bottom = (history.run(dag_id, f"made-{dag_id}", session=session, by="operator") for dag_id in "bc")
    history.triggered(top, middle, session=session)
    history.triggered(middle, bottom, session=session)
    return [top, middle, bottom]


def test_a_run_that_a_task_of_an_online_run_made_is_online(facts, session):
    refs = chain(session)
    assert all(run.online for run in facts.runs.among(refs).values())
    assert facts.runs.among(refs[2:])[refs[2]].online


def test_a_run_that_a_task_of_a_manual_run_made_is_not(facts, session):
    refs = chain(session, first="manual")
    assert not any(run.online for run in facts.runs.among(refs).values())


def test_a_run_whose_parent_cannot_be_told_counts_as_online(facts, session):
    scene.save(history.dag("a"), session=session)
    ref = history.run("a", "made", session=session, by="operator")
    found = facts.runs.among([ref])[ref]
    assert (found.online, found.maker_untold) == (True, True)


def test_a_run_whose_parent_is_told_by_the_link_of_the_ui_alone(facts, session):
    scene.save(history.dag("a", trigger("b")), history.dag("b"), session=session)
    parent = scene.create_run("a", session=session)
    child = history.run("b", "manual__2026-11-01T00:00:00+00:00", session=session, by="operator")
    address = f"http://localhost:8080/dags/b/runs/{child.run_id}"
    history.xcom(parent, "go", "_link_TriggerDagRunLink", address, session=session)
    found = facts.runs.among([child])[child]
    assert (found.online, found.maker_untold) == (True, False)


def test_a_run_id_that_a_task_gave_to_another_dag_proves_nothing(facts, session):
    scene.save(history.dag("a", trigger("b")), history.dag("b"), history.dag("c"), session=session)
    parent = scene.create_run("a", session=session)
    right, wrong = (history.run(dag_id, "same", session=session, by="operator") for dag_id in "bc")
    history.triggered(parent, right, session=session)
    found = facts.runs.among([right, wrong])
    assert [(found[ref].online, found[ref].maker_untold) for ref in (right, wrong)] == [(True, False), (True, True)]


def test_runs_that_made_one_another_do_not_hang(facts, session):
    scene.save(history.dag("a", trigger("b")), history.dag("b", trigger("a")), session=session)
    first, second = (history.run(dag_id, f"r-{dag_id}", session=session, by="operator") for dag_id in "ab")
    history.triggered(first, second, session=session)
    history.triggered(second, first, session=session)
    assert all(run.maker_untold for run in facts.runs.among([first, second]).values())


def failed(session: Any, *, start: Any = START, end: Any = START + 10 * MINUTE) -> RunRef:
    scene.save(history.dag("a"), session=session)
    ref = scene.create_run("a", session=session, state="failed")
    history.finish(ref, "failed", session=session, start=start, end=end)
    return ref


MARKED = json.dumps({"state": "failed", "method": "PATCH"})


def bulk(action: str = "update", state: str = "failed", **entity: Any) -> str:
    run_id = f"scheduled__{START.isoformat()}"
    entity = {"dag_run_id": run_id, "state": state, **entity}
    return json.dumps({"actions": [{"action": action, "entities": [entity]}], "method": "PATCH"})


STOPS = {
    "marked in the UI": ("patch_dag_run", MARKED, 5, True),
    "marked as successful first": ("patch_dag_run", json.dumps({"state": "success"}), 5, False),
    "a note": ("patch_dag_run", json.dumps({"note": "failed"}), 5, False),
    "unreadable": ("patch_dag_run", "state=failed", 5, False),
    "not an object": ("patch_dag_run", "[1]", 5, False),
    "before the last start": ("patch_dag_run", MARKED, -5, False),
    "after it had failed by itself": ("patch_dag_run", MARKED, 60, False),
    "our stop, a moment after the end": ("rerun_downstream.stop", "", 10.5, True),
    "our termination": ("rerun_downstream.terminate", "", 5, True),
    "a clear": ("clear_dag_run", MARKED, 5, False),
    "marked with others": ("bulk_dag_runs", bulk(), 5, True),
    "deleted with others": ("bulk_dag_runs", bulk("delete"), 5, False),
    "others marked as successful": ("bulk_dag_runs", bulk(state="success"), 5, False),
    "others of another Dag": ("bulk_dag_runs", bulk(dag_id="b"), 5, False),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_failed_run_was_stopped_or_has_failed(facts, session, name):
    event, extra, minutes, terminated = STOPS[name]
    ref = failed(session)
    several = event == "bulk_dag_runs"
    where = {"dag_id": "a"} if several else {"ref": ref}
    history.logged(event, session=session, extra=extra, at=START + minutes * MINUTE, **where)
    assert facts.runs.among([ref])[ref].terminated is terminated


def test_a_bulk_request_may_name_dags_in_its_body(facts, session):
    ref = failed(session)
    history.logged("bulk_dag_runs", session=session, extra=bulk(dag_id="a"), at=START + MINUTE, dag_id="~")
    assert facts.runs.among([ref])[ref].terminated


def test_a_run_that_was_stopped_before_it_started_was_queued(facts, session):
    ref = failed(session, start=None)
    history.logged("patch_dag_run", session=session, extra=MARKED, at=START - 4 * MINUTE, ref=ref)
    assert facts.runs.among([ref])[ref].terminated


def test_another_run_of_the_dag_was_stopped(facts, session):
    ref = failed(session)
    history.logged("patch_dag_run", session=session, extra=MARKED, at=START + MINUTE, ref=RunRef("a", "other"))
    assert not facts.runs.among([ref])[ref].terminated


def test_runs_at_logical_dates(facts, session):
    scene.save(history.dag("a"), history.dag("b"), session=session)
    first, second = (scene.create_run("a", session=session, day=day) for day in (0, 1))
    scene.create_run("b", session=session, day=1)
    assert {run.ref for run in facts.runs.at({"a": [START, START + timedelta(days=1)]})} == {first, second}
    assert [run.ref for run in facts.runs.at({"a": [START], "b": [START]})] == [first]
    assert facts.runs.at({}) == facts.runs.at({}, undated=True) == []


def test_runs_without_a_logical_date_are_found_by_their_ready_time(facts, session):
    scene.save(history.dag("a"), session=session)
    dated = scene.create_run("a", session=session)
    undated = history.run("a", "undated", session=session, by="asset", logical_date=None, run_after=START)
    history.run("a", "later", session=session, by="asset", logical_date=None, run_after=START + MINUTE)
    assert [run.ref for run in facts.runs.at({"a": [START]})] == [dated]
    assert {run.ref for run in facts.runs.at({"a": [START]}, undated=True)} == {dated, undated}


def test_task_instances(facts, session):
    def build() -> None:
        from airflow.providers.standard.operators.bash import BashOperator
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.sdk import task

        EmptyOperator(task_id="b")
        task(task_id="c")(lambda: None)()
        BashOperator.partial(task_id="a").expand(bash_command=["1", "2"])

    scene.save(history.dag("a", build), session=session)
    ref = scene.create_run("a", session=session, states={"b": "removed"}, tries=2)
    found = facts.tasks.task_instances([ref, RunRef("a", "gone")])
    assert set(found) == {ref}
    assert [(ti.task_id, ti.map_index, ti.state, ti.operator) for ti in found[ref]] == [
        ("a", 0, "success", "BashOperator"),
        ("a", 1, "success", "BashOperator"),
        ("b", -1, "removed", "EmptyOperator"),
        ("c", -1, "success", "@task"),
    ]
    assert found[ref][0].try_number == 2


def page(facts: Any, **wanted: Any) -> list[str]:
    found, total = facts.runs.page(RunFilter(**wanted))
    assert total >= len(found)
    return [run.ref.run_id for run in found]


@pytest.fixture
def some_runs(session):
    scene.save(history.dag("a", trigger("b")), history.dag("b"), session=session)
    online = scene.create_run("a", session=session)
    made, orphan = (history.run("b", run_id, session=session, by="operator") for run_id in ("made", "orphan"))
    history.run("a", "manual", session=session, run_after=START + timedelta(days=1))
    history.run("b", "failed", session=session, by="asset", state="failed", run_after=START + timedelta(days=2))
    history.run("b", "queued", session=session, by="asset", state="queued", run_after=START + timedelta(days=3))
    history.triggered(online, made, session=session)
    return {"online": online.run_id, "made": made.run_id, "orphan": orphan.run_id}


def test_a_page(facts, some_runs):
    first = some_runs["online"]
    assert page(facts) == ["queued", "failed", "manual", "orphan", "made", first]
    assert page(facts, limit=2, offset=1) == ["failed", "manual"]
    assert facts.runs.page(RunFilter(limit=2))[1] == 6
    assert page(facts, order_by="run_id") == sorted([*page(facts)])
    assert page(facts, dag_ids=frozenset({"a"})) == ["manual", first]
    assert page(facts, dag_ids=frozenset()) == []
    assert page(facts, dag_id_pattern="A") == ["manual", first]
    assert page(facts, dag_id_pattern="_") == page(facts, dag_id_pattern="a|B") == page(facts)
    assert page(facts, dag_id_pattern="__") == page(facts, dag_id_pattern="a%b") == []
    assert page(facts, dag_id_pattern="b", states=frozenset({"failed"})) == ["failed"]
    assert page(facts, states=frozenset({"failed", "queued"})) == ["queued", "failed"]
    assert page(facts, run_types=frozenset({"scheduled"})) == [first]
    assert page(facts, run_after_gte=START + timedelta(days=1), run_after_lte=START + timedelta(days=2)) == [
        "failed",
        "manual",
    ]


@pytest.mark.parametrize("order", ["conf", "", "-", "--run_after", "id; DROP TABLE dag_run"])
def test_an_unknown_order_is_refused(facts, order):
    with pytest.raises(Invalid, match="ordered by"):
        page(facts, order_by=order)


def test_a_page_of_online_runs_is_exact(facts, some_runs):
    assert page(facts, online=True) == ["queued", "failed", "orphan", "made", some_runs["online"]]
    assert page(facts, online=False) == ["manual"]
    assert facts.runs.page(RunFilter(online=True, limit=1))[1] == 5


def test_a_dag_that_is_gone_is_told(facts, session, some_runs):
    from airflow.models.dag import DagModel

    now = START + timedelta(days=2)
    refs = [RunRef("b", "failed"), RunRef("b", "queued")]
    assert [run.dag_gone for run in facts.runs.among(refs).values()] == [False, False]
    session.get(DagModel, "b").is_stale = True
    session.flush()
    assert [run.dag_gone for run in facts.runs.among(refs).values()] == [True, True]
    assert "failed" not in page(facts, source_rule=SourceRule(now=now, window_start=START))
    assert "failed" in page(facts, source_rule=SourceRule(now=now, window_start=START, matches=False))


def test_a_page_of_possible_sources(facts, some_runs):
    now = START + timedelta(days=2)
    taken = frozenset({RunRef("b", "made")})
    rule = SourceRule(now=now, window_start=START, taken=taken)
    assert page(facts, source_rule=rule) == ["failed", "orphan", some_runs["online"]]
    rest = SourceRule(now=now, window_start=START, taken=taken, matches=False)
    assert page(facts, source_rule=rest) == ["queued", "manual", "made"]
    assert page(facts, source_rule=SourceRule(now=now, window_start=None), limit=1) == ["failed"]
    assert page(facts, source_rule=SourceRule(now=now, window_start=now)) == ["failed"]
