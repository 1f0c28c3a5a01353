"""Plans over small worlds, and short words for what is in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from airflow_rerun_downstream.domain.plan import Evidence, Plan, PlanOptions, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.lineage.declarations import Declarations
from airflow_rerun_downstream.lineage.planner import NOTHING_DECLARED, Planner
from airflow_rerun_downstream.ports.lineage import LineageFacts
from tests.fakes.lineage import FakeFacts
from tests.fakes.spoken import only_listed_words_in
from tests.fakes.world import START, World

NOW = START + timedelta(days=40)


def plan(
    world: World,
    source: RunRef,
    *,
    tasks: tuple[TaskRef, ...] | None = None,
    unreadable: Collection[str] = (),
    active: Collection[RunRef] = (),
    facts: LineageFacts | None = None,
    max_runs: int = 10_000,
    rerun_source: bool = True,
    declarations: Declarations = NOTHING_DECLARED,
    **options: object,
) -> Plan:
    request = PlanRequest(source, tasks, rerun_source, PlanOptions(**options))  # type: ignore[arg-type]

    def planned(by: LineageFacts) -> Plan:
        planner = Planner(
            by,
            readable=lambda dag_ids: frozenset(dag_ids) - set(unreadable),
            in_active_rerun=lambda refs: set(refs).intersection(active),
            now=NOW,
            window_start=None,
            max_runs=max_runs,
            declarations=declarations,
        )
        return only_listed_words_in(planner.plan(request))

    found = planned(facts or FakeFacts(world))
    if facts is None:
        for ahead in ([], sorted(world.runs)):
            other = planned(reading_ahead(world, ahead))
            assert replace(other, structures=found.structures) == found, "what is read ahead decides nothing"
    assert all(run.can_be_source == (run.source_reason is None) for run in (found.source, *found.runs))
    for link in found.links:
        assert link.via.get("task_id") in (None, link.from_task_id, link.to_task_id)
        unresolved = link.evidence is Evidence.UNRESOLVED and "hidden" not in link.via
        assert {"why", "to_do", "advice"} <= link.via.keys() if unresolved else "why" not in link.via
    return found


def reading_ahead(world: World, refs: list[RunRef]) -> LineageFacts:
    """Facts that say of every run that assets lead to these."""
    facts = FakeFacts(world)
    facts.assets.led_to = lambda producers, *_, **__: [ref for ref in refs if ref not in producers]  # type: ignore[method-assign]
    return facts


def links(found: Plan) -> set[tuple[str, str, str, str]]:
    return {
        (link.upstream.dag_id, link.downstream.dag_id, link.kind.value, link.evidence.value) for link in found.links
    }


def selected(found: Plan) -> dict[str, list[str]]:
    return {run.ref.dag_id: [str(task) for task in run.tasks] for run in found.runs if run.selected}


def codes(found: Plan) -> list[str]:
    return [warning.code for warning in found.warnings]
