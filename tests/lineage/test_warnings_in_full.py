"""Warnings to the last field: the sentence that a user reads, and what the pages hang it on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.cutting import Lost
from airflow_rerun_downstream.domain.definitions import (
    AssetSchedule,
    Definitions,
    InletDefinition,
    MarkerDefinition,
    OutletDefinition,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.plan import Plan, PlanWarning
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.ordering import loss
from tests.fakes.world import START, World
from tests.lineage.planning import codes, plan


@pytest.fixture
def world() -> World:
    return World()


def told(found: Plan, code: str) -> list[PlanWarning]:
    return [warning for warning in found.warnings if warning.code == code]


def test_a_task_behind_an_unresolved_link(world: World) -> None:
    world.outlets += [OutletDefinition("p", "t", 1, "x://1"), OutletDefinition("first", "t", 2, "x://2")]
    world.asset_schedules.append(AssetSchedule("first", 1))
    world.inlets.append(InletDefinition("second", "read", 2, "x://2"))
    detail = (
        "second depends on first, and which run of that read the data of p is unknown: a run of second may be wrong, "
        "too."
    )
    names = frozenset({"first", "p"})
    expected = PlanWarning("behind_unresolved", detail, "second", task_id="read", dag_ids=names)
    assert told(plan(world, world.run("p")), "behind_unresolved") == [expected]


def test_dags_that_cannot_be_read(world: World) -> None:
    world.unreadable = {"now"}
    world.earlier = Definitions(unreadable=frozenset({"before", "now"}))
    rest = (
        " can't be read completely. Its sensors, triggers and assets aren't known, so runs of it may be missing here: "
        "see the api-server log."
    )
    assert told(plan(world, world.run("p")), "unreadable_dag") == [
        PlanWarning("unreadable_dag", "Airflow's record of an earlier version of before" + rest, "before"),
        PlanWarning("unreadable_dag", "Airflow's record of now" + rest, "now"),
    ]


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ({"state": "running"}, "the run is running"),
        ({"state": "queued"}, "the run is queued and will read the wrong data when it starts"),
    ],
)
def test_a_run_that_cannot_be_selected(world: World, run: dict[str, str], why: str) -> None:
    source, reader = world.run("up"), world.run("down", run_type="asset_triggered", **run)  # type: ignore[arg-type]
    world.consumed(source, "t", by=reader)
    expected = PlanWarning("stays_polluted", f"{reader} stays polluted: {why}.", reader.dag_id, reader.run_id)
    assert told(plan(world, source), "stays_polluted") == [expected]


def test_a_deadline_matters_only_where_a_run_can_be_frozen(world: World) -> None:
    """One that is rerun, and one that is running, aren't."""
    source = world.run("up")
    for dag_id, state in (("down", "success"), ("beside", "running")):
        world.consumed(source, "t", by=world.run(dag_id, run_type="asset_triggered", state=state), asset=dag_id)
        world.schedules[dag_id] = DagSchedule(dag_id, has_deadline=True, max_active_runs=1)
    assert codes(plan(world, source)) == ["stays_polluted"]


def test_a_run_that_waits_for_its_time_can_be_frozen(world: World) -> None:
    source = world.run("up")
    later = START + timedelta(days=50)
    held = world.run("down", state="queued", run_after=later)
    world.consumed(source, "t", by=held)
    world.schedules["down"] = DagSchedule("down", has_deadline=True)
    detail = "down has a deadline alert, which keeps counting while a run of the Dag is frozen."
    assert told(plan(world, source), "deadline") == [PlanWarning("deadline", detail, "down")]


def test_tasks_that_nobody_knows(world: World) -> None:
    """Five of them are named, the others counted."""
    world.dag("b")
    source, reader = world.run("a"), world.run("b")
    world.markers += [MarkerDefinition("a", "t", "b", f"gone_{number}", "{{ ts }}") for number in range(6)]
    detail = (
        f"The tasks after gone_0, gone_1, gone_2, gone_3, gone_4 and 1 more in {reader} are unknown, because its "
        "Dag doesn't have that task. The whole run counts as polluted."
    )
    expected = PlanWarning("unknown_task", detail, "b", reader.run_id, "gone_0")
    assert told(plan(world, source), "unknown_task") == [expected]


@pytest.mark.parametrize(
    ("by_maker", "why"),
    [(True, "Airflow starts it as soon as its run is created"), (False, "they depend on each other")],
)
@pytest.mark.parametrize(("task_id", "named"), [("t", "t of c / r"), (None, "c / r")])
def test_an_order_that_is_lost(by_maker: bool, why: str, task_id: str | None, named: str) -> None:
    lost = Lost(RunRef("b", "r"), RunRef("c", "r"), "made", task_id, by_maker)
    detail = f"{named} runs before made of b / r, which it reads from, is made anew: {why}."
    assert loss(lost) == PlanWarning("order_lost", detail, "c", "r", task_id, dag_ids=frozenset({"b"}))
