"""Asset events that are gone: `airflow db clean` takes them, and with them Airflow's record of who consumed them.

That there was one is told by the Dag: a task that succeeds leaves an event for each asset among its outlets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.facts import Definitions, OutletDefinition, RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.found import Found, Surroundings, unresolved

if TYPE_CHECKING:
    from airflow_rerun_downstream.lineage.discovery import Explored

    Instances = Mapping[RunRef, Sequence[TaskInstanceFacts]]

CLEANED = "Airflow no longer keeps the event of the asset, nor which runs it has started"
READ_UNSEEN = "Airflow no longer keeps the event of the asset, by which it is told who read it"


@dataclass(frozen=True)
class Taker:
    """A Dag that an asset schedules, or a task that reads one."""

    dag_id: str
    task_id: str | None = None


def takers_of(definitions: Definitions, kinds: Collection[LinkKind]) -> dict[int, list[Taker]]:
    """Who takes each asset."""
    found: dict[int, dict[Taker, None]] = {}
    if LinkKind.ASSET in kinds:
        for schedule in definitions.asset_schedules:
            found.setdefault(schedule.asset_id, {})[Taker(schedule.dag_id)] = None
    if LinkKind.INLET in kinds:
        for inlet in definitions.inlets:
            if Taker(inlet.dag_id) not in found.get(inlet.asset_id, ()):
                found.setdefault(inlet.asset_id, {})[Taker(inlet.dag_id, inlet.task_id)] = None
    return {asset_id: list(some) for asset_id, some in found.items()}


def lost_events(
    explored: Explored, instances: Instances, around: Surroundings, kinds: Collection[LinkKind]
) -> Iterator[Found]:
    """An open edge for each polluted task that has made an asset of which no event is kept, and each of its takers."""
    takers = takers_of(around.definitions, kinds)
    known = {
        (found.link.upstream, found.link.from_task_id, found.link.via.get("asset"))
        for found in explored.found
        if found.link.kind in (LinkKind.ASSET, LinkKind.INLET)
    }
    doubtful = [
        (run, outlet)
        for ref, run in explored.runs.items()
        for outlet in outlets_of(run, around, takers)
        if (ref, outlet.task_id, outlet.asset) not in known
        and explored.pollution[ref].touches(frozenset({outlet.task_id}))
        and succeeded(instances.get(ref, ()), outlet.task_id)
    ]
    if not doubtful:
        return
    asset_ids = {outlet.asset_id for _, outlet in doubtful}
    emissions = around.facts.asset_emissions([*{run.ref: None for run, _ in doubtful}], asset_ids)
    kept = {(event.producer, event.task_id, event.asset_id) for event in emissions}
    for run, outlet in doubtful:
        if (run.ref, outlet.task_id, outlet.asset_id) not in kept:
            yield from open_edges(run, outlet, takers[outlet.asset_id])


def outlets_of(run: RunFacts, around: Surroundings, takers: Collection[int]) -> Iterable[OutletDefinition]:
    """What the tasks of a run make, by its own version of the Dag, as far as others take it."""
    own = around.structures.own.get(run.ref)
    known = around.outlets.get(run.ref.dag_id, ()) if own is None else own.definitions.outlets
    return [outlet for outlet in known if outlet.asset_id in takers]


def succeeded(instances: Iterable[TaskInstanceFacts], task_id: str) -> bool:
    """Whether a task has succeeded, any index of it."""
    return any(task.task_id == task_id and task.state == "success" for task in instances)


def open_edges(run: RunFacts, outlet: OutletDefinition, takers: Iterable[Taker]) -> Iterator[Found]:
    """The edges to those who may have taken what a task made."""
    for taker in takers:
        if taker.dag_id == run.ref.dag_id:
            continue
        via = {"asset": outlet.asset, "task_id": outlet.task_id}
        if taker.task_id is None:
            yield unresolved(run, taker.dag_id, LinkKind.ASSET, {**via, "why": CLEANED}, from_task_id=outlet.task_id)
        else:
            tasks = {"from_task_id": outlet.task_id, "to_task_id": taker.task_id}
            yield unresolved(run, taker.dag_id, LinkKind.INLET, {**via, "why": READ_UNSEEN}, **tasks)
