"""Dags that hang on an unresolved link."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.advice import SENTENCES, Advice
from airflow_rerun_downstream.domain.definitions import (
    AssetSchedule,
    InletDefinition,
    MarkerDefinition,
    OutletDefinition,
    SensorDefinition,
)
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind, Plan
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.values import UNTOLD
from airflow_rerun_downstream.lineage.declarations import parse
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import World
from tests.lineage.planning import codes, plan


@pytest.fixture
def world() -> World:
    """Who takes the asset of ``p`` can't be told: its event is gone."""
    made = World()
    made.outlets.append(OutletDefinition("p", "t", 1, "x://first"))
    made.asset_schedules.append(AssetSchedule("first", 1))
    return made


def asset(world: World, upstream: str, downstream: str, *, inlet: str = "") -> None:
    number = len(world.outlets) + 1
    world.outlets.append(OutletDefinition(upstream, "t", number, f"x://{number}"))
    if inlet:
        world.inlets.append(InletDefinition(downstream, inlet, number, f"x://{number}"))
    else:
        world.asset_schedules.append(AssetSchedule(downstream, number))


def hanging(found: Plan) -> dict[str, Link]:
    some = [link for link in found.links if "behind" in link.via]
    assert {link.evidence for link in some} <= {Evidence.UNRESOLVED}
    return {link.downstream.dag_id: link for link in some}


def test_as_far_as_the_edges_go(world: World) -> None:
    asset(world, "first", "second")
    asset(world, "second", "third", inlet="read")
    asset(world, "third", "first")
    asset(world, "elsewhere", "beside")
    source = world.run("p")
    found = plan(world, source)
    assert {dag_id: (link.kind, link.to_task_id) for dag_id, link in hanging(found).items()} == {
        "second": (LinkKind.ASSET, None),
        "third": (LinkKind.INLET, "read"),
    }
    for link in hanging(found).values():
        assert link.upstream == source
        assert link.via["behind"] == {
            "upstream": {"dag_id": "p", "run_id": source.run_id},
            "downstream": {"dag_id": "first"},
            "kind": "asset",
            "from_task_id": "t",
            "to_task_id": None,
        }
    assert codes(found).count("behind_unresolved") == 2
    assert codes(found).count("unresolved_link") == 1


def test_nothing_hangs_on_what_is_known(world: World) -> None:
    asset(world, "first", "second")
    source = world.run("p")
    world.consumed(source, "t", by=world.run("first", task_states={"t": None}), asset="x://first")
    assert hanging(plan(world, source)) == {}


def test_markers_and_declared_links(world: World) -> None:
    world.markers.append(MarkerDefinition("first", "mark", "marked", "read", "{{ ds }}"))
    file = parse("links:\n  - {upstream: {dag_id: marked}, downstream: {dag_id: told, task_id: t}}", "f.yaml")
    found = plan(world, world.run("p"), declarations=file)
    assert {dag_id: link.kind.value for dag_id, link in hanging(found).items()} == {
        "marked": "marker",
        "told": "declared",
    }


@pytest.mark.parametrize("target", ["child", "{{ params.to }}"])
def test_what_a_task_of_such_a_dag_has_made(world: World, target: str) -> None:
    world.dag("first", "go >> after")
    world.trigger_task("first", "go", target, waits=True)
    world.run("child", run_type="operator_triggered", made_by_task=True, online=False)
    assert set(hanging(plan(world, world.run("p")))) == {"child"}


def test_only_the_kinds_that_are_asked_for(world: World) -> None:
    asset(world, "first", "second", inlet="read")
    assert hanging(plan(world, world.run("p"), link_kinds=(LinkKind.ASSET,))) == {}


def test_who_may_not_read_the_dag_in_between_isn_t_told_of_it(world: World) -> None:
    asset(world, "first", "second")
    found = plan(world, world.run("p"), unreadable={"first"})
    assert [(link.downstream.dag_id, dict(link.via)) for link in found.links] == [("second", {"hidden": True})]
    assert "first" not in str([warning.detail for warning in found.warnings])
    (told,) = (warning for warning in found.warnings if warning.code == "unresolved_link")
    assert (told.dag_id, told.dag_ids) == ("second", {"p"})
    assert told.detail == (
        "second reads what p makes, but which run read it is unknown: you may not see what it depends on. "
        + SENTENCES[Advice.LOOK_BY_HAND]
    )
    assert "second" not in {
        link.downstream.dag_id
        for link in plan(world, RunRef("p", found.source.ref.run_id), unreadable={"second"}).links
    }


def test_what_the_runs_of_such_a_dag_have_made_where_a_template_names_it(world: World) -> None:
    """Also where a record tells which run made it, so that nothing of it is in doubt."""
    world.trigger_task("first", "go", "{{ params.to }}")
    maker = world.run("first")
    world.made(maker, "go", world.run("made", run_type="operator_triggered", online=True))
    by_hand = world.run("elsewhere")
    world.made(by_hand, "t", world.run("of_another", run_type="operator_triggered", online=True))
    assert hanging(plan(world, world.run("p"))).keys() == {"made"}


@pytest.mark.parametrize(("kinds", "expected"), [(None, {"made"}), ((LinkKind.ASSET,), set())])
def test_what_a_task_has_made_that_no_dag_declares(
    world: World, kinds: tuple[LinkKind, ...] | None, expected: set[str]
) -> None:
    world.triggered.append((world.run("first"), "t", world.run("made", run_type="operator_triggered")))
    options = {} if kinds is None else {"link_kinds": kinds}
    assert hanging(plan(world, world.run("p"), **options)).keys() == expected


def test_what_a_template_names_by_params_in_the_runs_of_such_a_dag(world: World) -> None:
    """Nothing tells who made the runs of three Dags; params of one, and the configuration of a run, name two."""
    world.trigger_task("first", "go", "{{ params.to }}", params=(("to", "by_default"),))
    for dag_id in ("by_default", "configured", "of_another"):
        world.run(dag_id, run_type="operator_triggered", online=False)
    source = world.run("p")
    world.run("first", day=1, run_type="manual")
    assert hanging(plan(world, source)).keys() == {"by_default"}
    world.confs[world.run("first", day=2, run_type="manual")] = {"to": "configured"}
    assert hanging(plan(world, source)).keys() == {"by_default", "configured"}
    world.confs[world.run("first", day=3, run_type="manual")] = {"to": UNTOLD}
    assert hanging(plan(world, source)).keys() == {"by_default", "configured", "of_another"}


def test_a_sensor_hangs_on_the_dags_that_its_params_have_named(world: World) -> None:
    """A template that may mean any Dag would hang on everything."""
    named = SensorDefinition("reader", "wait", "{{ params.dag }}", offset_known=True, params=(("dag", "else"),))
    world.sensors += [named, replace(named, dag_id="lost", external_dag_id="{{ var.value.dag }}")]
    source = world.run("p")
    world.run("reader", day=1, run_type="manual")
    assert hanging(plan(world, source)).keys() == set()
    world.confs[world.run("reader", day=2, run_type="manual")] = {"dag": "first"}
    assert hanging(plan(world, source)).keys() == {"reader"}


def test_what_tasks_of_such_a_dag_have_made_that_its_text_does_not_tell(world: World) -> None:
    """A Python task may have executed the operator."""
    world.made(world.run("first"), "t", world.run("made", run_type="operator_triggered", online=True))
    source = world.run("p")
    assert hanging(plan(world, source)).keys() == {"made"}
    assert hanging(plan(world, source, link_kinds=(LinkKind.ASSET,))) == {}


def test_it_is_said_where_not_all_runs_of_such_a_dag_are_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_rerun_downstream.lineage.behind.NEWEST", 2)
    source = world.run("p")
    world.made(world.run("first", run_type="manual"), "t", world.run("made", run_type="operator_triggered"))
    world.run("first", day=1, run_type="manual")
    assert "older_runs_not_asked" not in codes(plan(world, source))
    world.run("first", day=2, run_type="manual")
    found = plan(world, source)
    assert [warning.dag_id for warning in found.warnings if warning.code == "older_runs_not_asked"] == ["first"]
    assert "older_runs_not_asked" not in codes(plan(world, source, unreadable={"first"}))
    assert "older_runs_not_asked" not in codes(plan(world, source, link_kinds=(LinkKind.ASSET,)))


def test_nobody_reads_what_a_task_waited_for_that_nothing_follows(world: World) -> None:
    world.dag("controller", "go")
    world.trigger_task("controller", "go", "first", waits=True)
    assert hanging(plan(world, world.run("p"))) == {}
    world.dag("reader", "go >> use")
    world.trigger_task("reader", "go", "first", waits=True)
    assert hanging(plan(world, world.run("p", day=1))).keys() == {"reader"}


@pytest.mark.parametrize(
    ("named", "expected"), [("fi{{ var.value.rest }}", {"reader"}), ("x{{ var.value.rest }}", set())]
)
def test_a_sensor_hangs_on_the_dags_that_its_template_can_spell(world: World, named: str, expected: set[str]) -> None:
    world.sensors.append(SensorDefinition("reader", "wait", named, offset_known=True))
    assert hanging(plan(world, world.run("p"))).keys() == expected


def test_what_the_runs_have_made_that_an_open_edge_may_mean(world: World) -> None:
    """A function tells which run a sensor waits for: those that ended before the source was there have not read it."""
    source = world.run("q", day=3)
    world.sensors.append(SensorDefinition("first", "t", "q", has_date_function=True))
    for day, made in ((0, "before"), (4, "made"), (5, "made_too")):
        child = world.run(made, run_type="operator_triggered", online=True, day=day)
        world.triggered.append((world.run("first", day=day), "t", child))
    found = plan(world, source)
    (edge,) = (link for link in found.links if link.downstream.dag_id == "first")
    assert edge.via["run_count"] == len(edge.via["run_ids"]) == 2
    assert hanging(found).keys() == {"made", "made_too"}


def test_nothing_is_asked_where_every_link_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an open edge nothing hangs on one: nobody looks for what templates may have meant."""
    world.sensors.append(
        SensorDefinition("reader", "wait", "{{ params.dag }}", offset_known=True, params=(("dag", "x"),))
    )
    facts, asked = FakeFacts(world), []
    monkeypatch.setattr(facts.runs, "page", lambda wanted: asked.append(wanted) or ([], 0))
    monkeypatch.setattr(facts.runs, "confs", lambda refs: {})
    assert plan(world, world.run("q"), facts=facts).links == ()
    assert asked == []
    plan(world, world.run("p"), facts=facts)
    assert asked


def test_what_a_template_names_in_the_runs_that_an_open_edge_may_mean(world: World) -> None:
    world.dag("first", "t; go")
    world.trigger_task("first", "go", "{{ params.to }}", params=(("to", "by_default"),))
    world.sensors.append(SensorDefinition("first", "t", "q", has_date_function=True))
    source = world.run("q", day=3)
    for dag_id in ("by_default", "configured"):
        world.run(dag_id, run_type="operator_triggered", online=False, day=6)
    world.confs[world.run("first", day=4)] = {"to": "configured"}
    world.run("first", day=0)
    assert hanging(plan(world, source)).keys() == {"configured"}
