"""Whatever stands in an XCom or a rendered field: what is read of it, and what becomes of plans."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from airflow_rerun_downstream import policy
from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY, waited_value
from airflow_rerun_downstream.airflow3.database.untrusted_values import (
    LINK_KEY,
    MAX_DATES,
    MAX_NAMES,
    MAX_RECORD,
    TRIGGER_KEY,
    Unreadable,
    Waited,
    linked_run,
    read_address,
    read_choice,
    read_fields,
    read_id,
    read_json,
    read_waited,
)
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest, RerunSettings
from airflow_rerun_downstream.rest import plan_payloads, presenters
from tests.airflow3 import history, scene, task_rows
from tests.hostile import DATE, NAMES, TEMPLATES, TRIGGERED, WAITS, wait

MEGABYTE = 1 << 20
NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
ACTOR = Actor("1", "ada")


@pytest.mark.parametrize("name", WAITS)
def test_a_hostile_record_of_a_sensor_is_in_doubt_and_costs_no_memory(name: str) -> None:
    text = json.dumps(WAITS[name])
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable) as caught:
            read_waited(text)
        assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 150


def test_equal_dates_are_one() -> None:
    same = [DATE, "2026-11-01T01:00:00+01:00", "2026-11-01T00:00:00Z", DATE]
    assert read_waited(json.dumps(wait(dates=same))) == Waited("src", frozenset({"t"}), None, (NOW,))


def test_the_limits_are_beyond_what_a_sensor_waits_for() -> None:
    hours = [NOW + timedelta(hours=number) for number in range(MAX_DATES)]
    value = waited_value("d" * 250, [f"{number:0250}" for number in range(250)], "g" * 250, hours)
    assert len(read_waited(json.dumps(value)).dates) == MAX_DATES
    for more in ({"dates": [DATE] * (MAX_DATES + 1)}, {"task_ids": ["t"] * (MAX_NAMES + 1)}):
        with pytest.raises(Unreadable):
            read_waited(json.dumps({**value, **more}))
    with pytest.raises(Unreadable):
        read_waited(" " * MAX_RECORD + json.dumps(value))


@pytest.mark.parametrize(("text", "found"), [('"r"', "r"), ('"\\"r\\""', "r"), ('"[r]"', "[r]"), ('"[1]"', "[1]")])
def test_an_id_is_read_in_both_forms(text: str, found: str) -> None:
    assert read_id(text) == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(DATE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(wait())), inner, max_size=4),
    max_leaves=15,
)


@given(JSON.map(json.dumps) | st.text('{}[]",:0a\\', max_size=30) | st.none() | JSON)
def test_nothing_that_stands_there_raises_anything_else(text: Any) -> None:
    for read in (read_json, read_id, read_address, linked_run, read_fields, read_choice):
        read(text)  # type: ignore[operator]
    try:
        found = read_waited(text)
    except Unreadable:
        return
    assert len(set(found.dates)) == len(found.dates)


@pytest.fixture
def worlds(session: Any, database: Any, unlimited: None) -> tuple[RunRef, RunRef]:
    """``src`` has a sensor's Dag, a triggered one and a neighbour downstream; so has ``next_door``, of its own."""

    scene.migrate(database)

    def sensor(of: str) -> Any:
        from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

        return lambda: ExternalTaskSensor(task_id="wait", external_dag_id=of, external_task_id="t")

    def trigger() -> None:
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

        EmptyOperator(task_id="t")
        TriggerDagRunOperator(task_id="go", trigger_dag_id="child")

    scene.save(
        history.dag("src", trigger),
        history.dag("child"),
        history.dag("waiting", sensor("src")),
        history.dag("next_door"),
        history.dag("waits_next_door", sensor("next_door")),
        session=session,
    )
    for dag_id in ("waiting", "waits_next_door"):
        scene.create_run(dag_id, session=session)
    refs = scene.create_run("src", session=session), scene.create_run("next_door", session=session)
    value = waited_value("next_door", ["t"], None, [scene.START])
    history.xcom(waiting_run("waits_next_door"), "wait", WAITED_KEY, value, session=session)
    return refs


def record(ref: RunRef, task_id: str, key: str, value: Any, *, session: Any, map_index: int = -1) -> bool:
    """An XCom with anything, in the place of the one before; False if the database doesn't take it."""
    where = {"dag_id": ref.dag_id, "run_id": ref.run_id, "task_id": task_id, "map_index": map_index, "key": key}
    task_rows.delete_xcoms(where, session=session)
    session.commit()
    try:
        history.xcom(ref, task_id, key, value, session=session, map_index=map_index)
    except (DBAPIError, KeyError):  # the latter: there is no such task instance
        session.rollback()
        return False
    return True


def waiting_run(dag_id: str) -> RunRef:
    return RunRef(dag_id, f"scheduled__{scene.START.isoformat()}")


def links(source: RunRef) -> list[tuple[str, str, str]]:
    """The links of a plan: kind, evidence and the Dag that they lead to."""
    found = wiring.local_service().plan(ACTOR, PlanRequest(source))
    return sorted((link.kind.value, link.evidence.value, link.downstream.dag_id) for link in found.links)


ACCEPTED = RerunSettings(accept_unknown_offsets=True)
"""The sensors here are parsed without the policy."""


def told(source: RunRef) -> tuple[str, str, str]:
    """All that a person is told of a source: plan, edges and review, as they go out."""
    service, request = wiring.local_service(), PlanRequest(source)
    return (
        presenters.plan(service.plan(ACTOR, request), task_instances=True).model_dump_json(),
        presenters.edges(service.edges(ACTOR, source.dag_id)).model_dump_json(),
        plan_payloads.Review.model_validate(
            service.review(ACTOR, RerunRequest(request, settings=ACCEPTED))
        ).model_dump_json(),
    )


WAITING = [("sensor", "assumed", "waiting"), ("sensor", "unresolved", "waiting")]


def test_a_plan_over_a_hostile_record_of_a_sensor_says_so(session: Any, worlds: Any) -> None:
    """What the Dag's definition says stands there, and that there is a record that can't be read."""
    source, neighbour = worlds
    before, stored = told(neighbour), 0
    for name, value in WAITS.items():
        if record(waiting_run("waiting"), "wait", WAITED_KEY, value, session=session):
            stored += 1
            assert [link for link in links(source) if link[0] == "sensor"] == WAITING, name
    assert stored > len(WAITS) - 3
    assert told(neighbour) == before


def test_a_plan_over_a_hostile_record_of_a_trigger_says_so(session: Any, worlds: Any) -> None:
    """Either record is enough; without one that can be read the edge is open."""
    source, neighbour = worlds
    history.run("child", "made", session=session, by="operator")
    before = told(neighbour)
    for key, (name, value) in itertools.product((TRIGGER_KEY, LINK_KEY), TRIGGERED.items()):
        for each, usual in ((TRIGGER_KEY, "made"), (LINK_KEY, "/dags/child/runs/made")):
            assert record(source, "go", each, value if each == key else usual, session=session)
        assert ("trigger", "recorded", "child") in links(source), (key, name)
    for name, value in TRIGGERED.items():
        for key in (TRIGGER_KEY, LINK_KEY):
            assert record(source, "go", key, value, session=session)
        assert ("trigger", "unresolved", "child") in links(source), name
    assert told(neighbour) == before


def test_a_run_of_another_dag_is_not_taken_for_the_one_that_was_triggered(session: Any, worlds: Any) -> None:
    source, neighbour = worlds
    before = told(neighbour)
    assert record(source, "go", TRIGGER_KEY, neighbour.run_id, session=session)
    assert record(source, "go", LINK_KEY, f"/dags/{neighbour.dag_id}/runs/{neighbour.run_id}", session=session)
    assert ("trigger", "unresolved", "next_door") in links(source)
    assert told(neighbour) == before


def test_every_hostile_thing_at_once_leaves_a_neighbour_as_it_was(session: Any, worlds: Any) -> None:
    """A Dag with every hostile marker, sensor and trigger, each instance with a hostile record."""
    source, neighbour = worlds
    before = told(neighbour)

    def trap() -> None:
        from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
        from airflow.providers.standard.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor

        for number, text in enumerate(TEMPLATES.values()):
            more = {"external_dag_id": "src", "external_task_id": "t"}
            ExternalTaskMarker(task_id=f"date_{number}", logical_date=text, **more)
            ExternalTaskMarker(task_id=f"name_{number}", external_dag_id=text, external_task_id=text)
            ExternalTaskSensor(task_id=f"wait_{number}", external_dag_id=text, external_task_id="t")
        for number, (text, _) in enumerate(NAMES.values()):
            TriggerDagRunOperator(task_id=f"go_{number}", trigger_dag_id=text)
        ExternalTaskSensor.partial(task_id="wait", external_task_id="t").expand(external_dag_id=["src", "trap"])
        ExternalTaskMarker.partial(task_id="many").expand(
            external_dag_id=[f"d{number}" for number in range(40)],
            external_task_id=[f"t{number}" for number in range(40)],
        )

    parsed = history.dag("trap", trap)
    for task in parsed.tasks:  # without the policy's marks, a templated sensor may have waited for any run
        policy.task_policy(task)
    scene.save(parsed, session=session)
    run = scene.create_run("trap", session=session, day=5)
    for number, value in enumerate(WAITS.values()):
        record(run, "wait", WAITED_KEY, value, session=session, map_index=number)
    for number, (_, value) in enumerate(zip(NAMES, TRIGGERED.values(), strict=False)):
        record(run, f"go_{number}", TRIGGER_KEY, value, session=session)
        record(run, f"go_{number}", LINK_KEY, value, session=session)
    after = told(neighbour)
    assert (after[0], after[2]) == (before[0], before[2])
    # A template may name any Dag: among the edges that is told as open.
    edges = wiring.local_service().edges(ACTOR, "next_door").edges
    assert {edge.evidence.value for edge in edges if "trap" in (edge.upstream_dag_id, edge.downstream_dag_id)} == {
        "unresolved"
    }
    assert ("sensor", "assumed", "waiting") in links(source)
    assert told(source)
