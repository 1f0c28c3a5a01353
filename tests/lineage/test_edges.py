"""What is told of a Dag's edges without a run: one row for each kind and variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.domain.definitions import (
    DeclaredLink,
    MarkerDefinition,
    PastDependency,
    SensorDefinition,
    TriggerDefinition,
)
from airflow_rerun_downstream.domain.edges import AssetFlow, DagEdge
from airflow_rerun_downstream.domain.errors import NotFound
from airflow_rerun_downstream.domain.lineage_records import RecordedWait
from airflow_rerun_downstream.domain.plan import Evidence
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.dag_edges import dag_edges
from airflow_rerun_downstream.lineage.templates import may_name
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import START, World

KNOWN = {"offset_known": True}
BY_FUNCTION = {"has_date_function": True, **KNOWN}
TEMPLATE = "{{ var.value.dag }}"
RECORD = RecordedWait(RunRef("b", "r"), "wait", -1, "a", frozenset({"t"}), None, (START,))


@pytest.fixture
def world() -> World:
    made = World()
    for dag_id in ("a", "b", "c"):
        made.dag(dag_id)
    return made


def edges(world: World, dag_id: str = "a", declared: Sequence[DeclaredLink] = ()) -> list[DagEdge]:
    found = dag_edges(dag_id, FakeFacts(world), declared)
    in_doubt = (Evidence.UNRESOLVED, Evidence.ASSUMED)
    assert all(each.to_do for each in found if each.evidence in in_doubt), "what can't be told has something to do"
    return found


def sensor(external_dag_id: str = "a", *, task_ids: str = "t", **more: Any) -> SensorDefinition:
    return SensorDefinition("b", "wait", external_dag_id, frozenset(task_ids.split()), **more)


def marker(logical_date: str = "{{ ds }}", to: str = "b") -> MarkerDefinition:
    return MarkerDefinition("a", "mark", to, "t", logical_date)


@pytest.mark.parametrize(
    ("found", "records", "evidence", "why", "advice"),
    [
        (sensor(**KNOWN), (), "derived", "offset", None),
        (sensor(), (), "assumed", "assumed", "reserialize"),
        (sensor(**BY_FUNCTION), (), "unresolved", "function", "on the workers"),
        (sensor(**KNOWN), (RECORD,), "recorded", "use the sensor's offset", None),
        (sensor(), (RECORD,), "recorded", "assumed to wait for the same logical date", "reserialize"),
        (sensor(**BY_FUNCTION), (RECORD,), "recorded", "can't be resolved", "on the workers"),
        (sensor(mapped=True), (), "assumed", "class of its own", "on the workers"),
        (sensor(own_class="Own", **KNOWN), (), "unresolved", "class Own decides", "on the workers"),
        (sensor(own_class="Own", **KNOWN), (RECORD,), "recorded", "can't be resolved", "on the workers"),
        (sensor(own_class="Own", recordable=False, **KNOWN), (), "unresolved", "Own", "declared_links_file"),
    ],
)
def test_how_a_sensors_runs_are_known(
    world: World,
    found: SensorDefinition,
    records: Sequence[RecordedWait],
    evidence: str,
    why: str,
    advice: str | None,
) -> None:
    world.sensors.append(found)
    world.waits += [(START, record) for record in records]
    (edge,) = edges(world)
    assert (edge.upstream_dag_id, edge.downstream_dag_id, edge.kind.value) == ("a", "b", "sensor")
    assert (edge.from_task_id, edge.to_task_id, edge.evidence.value) == ("t", "wait", evidence)
    assert why in edge.why
    assert edge.why[0].isupper()
    assert edge.advice is None if advice is None else advice in (edge.advice or "")
    assert ("reserialize" in (edge.advice or "")) == (advice == "reserialize"), "parsing again helps no other one"


def test_a_class_that_chooses_its_dag_is_told_to_the_one_that_it_chose(world: World) -> None:
    world.sensors.append(sensor("c", own_class="Chooses", **KNOWN))
    assert edges(world, "a") == []
    world.waits.append((START, RECORD))
    for dag_id in ("a", "b"):
        assert ("a", "recorded") in [(each.upstream_dag_id, each.evidence.value) for each in edges(world, dag_id)]
    assert [(each.upstream_dag_id, each.evidence.value) for each in edges(world, "c")] == [("c", "unresolved")]


def test_the_indexes_of_a_mapped_sensor_make_one_edge_for_each_offset(world: World) -> None:
    for index, (task_id, offset) in enumerate([("t", 0.0), ("u", 0.0), ("t", 3600.0)]):
        more: dict[str, Any] = {"offset": offset, "mapped": True, "map_indexes": frozenset({index})}
        world.sensors.append(sensor(task_ids=task_id, **more, **KNOWN))
    assert [(each.via["external_task_ids"], each.via["delta"]) for each in edges(world)] == [
        (["t", "u"], "0:00:00"),
        (["t"], "1:00:00"),
    ]


def test_what_a_sensors_edge_shows(world: World) -> None:
    world.sensors += [
        sensor(task_ids="t u", offset=3600.0, **KNOWN),
        SensorDefinition("c", "wait", "a", group_id="g", offset={"months": 1}, offset_known=True),
    ]
    one, two = edges(world)
    assert one.via == {
        "task_id": "wait",
        "external_dag_id": "a",
        "external_task_ids": ["t", "u"],
        "delta": "1:00:00",
    }
    assert (one.from_task_id, two.from_task_id) == (None, None)
    assert two.via["external_task_group_id"] == "g"
    assert two.via["delta"] == {"months": 1}


def test_the_newest_record_is_what_was_seen(world: World) -> None:
    world.sensors.append(sensor(**KNOWN))
    newer = RecordedWait(RunRef("b", "newer"), "wait", -1, "a", frozenset({"t"}), None, (START, START))
    world.waits += [(START + timedelta(days=1), newer), (START, RECORD)]
    (edge,) = edges(world)
    assert edge.via["run_id"] == "newer"
    assert edge.via["dates"] == [START.isoformat()]


def test_a_sensor_whose_dag_a_run_decides(world: World) -> None:
    """Its own Dag sees the open edge and what was recorded; others see what may be, or was, theirs."""
    world.sensors.append(sensor(TEMPLATE, **KNOWN))
    for dag_id in ("a", "b"):
        (edge,) = edges(world, dag_id)
        assert (edge.upstream_dag_id, edge.downstream_dag_id, edge.evidence.value) == (None, "b", "unresolved")
        assert edge.via["external_dag_id"] == TEMPLATE
        assert "plan" in (edge.advice or "")
    world.waits.append((START, RECORD))
    assert [(each.upstream_dag_id, each.evidence.value) for each in edges(world, "b")] == [
        (None, "unresolved"),
        ("a", "recorded"),
    ]
    assert [each.upstream_dag_id for each in edges(world, "c")] == [None]


@pytest.mark.parametrize(
    ("text", "dag_id", "answer"),
    [
        ("orders", "orders", True),
        ("orders", "orders_2", False),
        ("{{ x }}_orders", "eu_orders", True),
        ("{{ x }}_orders", "eu_orders_2", False),
        ("{{ x }}.{{ y }}", "eu.orders", True),
        ("{{ x }}.{{ y }}", "eu_orders", False),
        ("{% if x %}a{% endif %}", "b", True),
        (None, "b", False),
    ],
)
def test_which_dags_a_template_may_name(text: str | None, dag_id: str, answer: bool) -> None:
    assert may_name(text, dag_id) is answer


@pytest.mark.parametrize(
    ("found", "downstream", "evidence", "why"),
    [
        (marker(), "b", "derived", "rendered"),
        (marker("2026-01-01"), "b", "derived", "rendered"),
        (marker("{{ data_interval_end | ds }}"), "b", "derived", "rendered"),
        (marker("{{ ti.xcom_pull('x') }}"), "b", "unresolved", "'ti' is known to a running task only"),
        (marker("{{ 1 / 0 }}"), "b", "unresolved", "ZeroDivisionError"),
        (marker("soon"), "b", "unresolved", "soon"),
        (marker(to=TEMPLATE), None, "unresolved", "Each run decides"),
    ],
)
def test_how_a_markers_runs_are_known(
    world: World, found: MarkerDefinition, downstream: str | None, evidence: str, why: str
) -> None:
    world.markers.append(found)
    (edge,) = edges(world)
    assert (edge.upstream_dag_id, edge.downstream_dag_id) == ("a", downstream)
    assert (edge.kind.value, edge.evidence.value) == ("marker", evidence)
    assert (edge.from_task_id, edge.to_task_id) == ("mark", "t")
    assert why in edge.why
    assert (edge.advice is None) == (evidence == "derived")
    assert edge.via["logical_date"] == found.logical_date


@pytest.mark.parametrize(("target", "evidence"), [("b", "recorded"), (TEMPLATE, "unresolved")])
def test_how_a_triggers_runs_are_known(world: World, target: str, evidence: str) -> None:
    world.triggers.append(TriggerDefinition("a", "go", target))
    for dag_id in ("a", "b"):
        (edge,) = edges(world, dag_id)
        assert (edge.upstream_dag_id, edge.from_task_id, edge.to_task_id) == ("a", "go", None)
        assert edge.downstream_dag_id == (None if target == TEMPLATE else "b")
        assert (edge.kind.value, edge.evidence.value) == ("trigger", evidence)
        assert edge.via == {"task_id": "go", "trigger_dag_id": target}


@pytest.mark.parametrize(
    ("waits_for", "rule", "from_task_id"),
    [({"t"}, "depends_on_past", "t"), ({"t", "u"}, "wait_for_downstream", None)],
)
def test_how_previous_runs_are_known(world: World, waits_for: set[str], rule: str, from_task_id: str | None) -> None:
    world.past_dependencies += [PastDependency("a", "t", frozenset(waits_for)), PastDependency("b", "t", frozenset())]
    (edge,) = edges(world)
    assert (edge.upstream_dag_id, edge.downstream_dag_id, edge.kind.value) == ("a", "a", "previous_run")
    assert (edge.from_task_id, edge.to_task_id, edge.evidence.value) == (from_task_id, "t", "derived")
    assert edge.via["rule"] == rule


def test_what_was_declared(world: World) -> None:
    link = DeclaredLink("a", None, "b", "read", {}, "same", "a share", "links.yaml", 3)
    (edge,) = edges(world, declared=[link])
    assert (edge.kind.value, edge.evidence.value, edge.from_task_id, edge.to_task_id) == (
        "declared",
        "declared",
        None,
        "read",
    )
    assert edge.via == {"file": "links.yaml", "line": 3, "reason": "a share", "offset": "same"}
    assert edges(world, "c", [link]) == []


@pytest.mark.parametrize(
    ("flow", "kind", "evidence", "via"),
    [
        (AssetFlow("a", "t", "b", None, "x://1"), "asset", "recorded", {"asset": "x://1"}),
        (AssetFlow("a", "t", "b", "read", "x://1"), "inlet", "derived", {"asset": "x://1"}),
        (AssetFlow("a", "t", "b", None, None, "some"), "asset", "recorded", {"alias": "some"}),
        (
            AssetFlow("a", "t", "b", None, "x://1", "some", 7),
            "asset",
            "recorded",
            {"alias": "some", "assets": ["x://1"], "asset_count": 1, "event_id": 7},
        ),
    ],
)
def test_how_an_assets_runs_are_known(
    world: World, flow: AssetFlow, kind: str, evidence: str, via: dict[str, object]
) -> None:
    world.flows.append(flow)
    (edge,) = edges(world)
    assert (edge.upstream_dag_id, edge.downstream_dag_id, edge.kind.value) == ("a", "b", kind)
    assert (edge.from_task_id, edge.to_task_id) == ("t", flow.consumer_task_id)
    assert (edge.evidence.value, edge.via) == (evidence, via)
    assert ("No event has come" in edge.why) == (flow.asset is None)


def test_what_comes_through_one_alias_is_one_edge(world: World) -> None:
    world.flows += [AssetFlow("a", "t", "b", None, f"x://{number:02}", "some", number) for number in range(30)]
    world.flows.append(AssetFlow("a", "t", "b", None, "x://plain"))
    plain, alias = sorted(edges(world), key=lambda edge: len(edge.via))
    assert plain.via == {"asset": "x://plain"}
    assert (len(alias.via["assets"]), alias.via["asset_count"], alias.via["event_id"]) == (10, 30, 29)


def test_a_dag_that_is_not_there_is_said(world: World) -> None:
    world.sensors.append(sensor("typo", **KNOWN))
    world.triggers.append(TriggerDefinition("a", "go", "gone"))
    (edge,) = edges(world, "b")
    assert (edge.evidence.value, edge.why) == ("unresolved", "There is no Dag 'typo', or none that you may read.")
    assert edge.advice
    assert edge.written_in == "b"
    assert [each.downstream_dag_id for each in edges(world, "a")] == ["gone"]
    with pytest.raises(NotFound, match="There is no Dag 'typo'"):
        edges(world, "typo")


def test_the_edges_that_lead_to_the_dag_come_first(world: World) -> None:
    world.triggers += [TriggerDefinition(*each) for each in (("b", "go", "c"), ("a", "go", "b"), ("c", "go", "b"))]
    world.past_dependencies.append(PastDependency("b", "t", frozenset({"t"})))
    ends = [(edge.upstream_dag_id, edge.downstream_dag_id) for edge in edges(world, "b")]
    assert ends == [("a", "b"), ("b", "b"), ("c", "b"), ("b", "c")]


@pytest.mark.parametrize("count", [10, 12])
def test_of_many_recorded_dates_the_first_are_shown_and_all_counted(world: World, count: int) -> None:
    dates = tuple(START + timedelta(days=day) for day in range(count))
    world.sensors.append(sensor(**KNOWN))
    world.waits.append((START, replace(RECORD, dates=dates)))
    (edge,) = edges(world)
    assert edge.via == {
        "task_id": "wait",
        "external_dag_id": "a",
        "external_task_ids": ["t"],
        "delta": "0:00:00",
        "run_id": "r",
        "dates": [date.isoformat() for date in dates[:10]],
        **({"date_count": count} if count > 10 else {}),
    }


def test_a_few_statements_however_many_edges(world: World) -> None:
    def count() -> int:
        facts = FakeFacts(world)
        dag_edges("a", facts, ())
        return facts.statements

    world.sensors.append(sensor())
    few = count()
    for number in range(50):
        world.dag(f"more_{number}")
        world.sensors.append(SensorDefinition(f"more_{number}", "wait", "a"))
    assert count() == few


def test_what_keeps_a_record_is_told_before_it_is_cleaned_away(world: World) -> None:
    world.triggers.append(TriggerDefinition("a", "go", "b"))
    world.flows += [AssetFlow("a", "t", "b", None, "asset"), AssetFlow("a", "t", "b", "reads", "other")]
    told = {each.kind.value: (each.evidence.value, [one.value for one in each.to_do]) for each in edges(world)}
    assert told == {
        "trigger": ("recorded", ["keep_xcoms"]),
        "asset": ("recorded", ["keep_asset_events"]),
        "inlet": ("derived", ["keep_asset_events"]),
    }
    assert all("cleaned" in each.why and "airflow db clean" in (each.advice or "") for each in edges(world))
