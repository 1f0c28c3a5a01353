"""The asset events of a `World`: who emitted them, who consumed them, and who is going to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.definitions import AssetSchedule
from airflow_rerun_downstream.domain.edges import AssetFlow
from airflow_rerun_downstream.domain.freeze import WaitingAsset
from airflow_rerun_downstream.domain.lineage_records import AssetConsumption, AssetEmission, TaskStart
from airflow_rerun_downstream.domain.refs import RunRef
from tests.fakes import own_starts
from tests.fakes.records import told

if TYPE_CHECKING:
    from tests.fakes.world import World


@dataclass(frozen=True)
class Event:
    """An event; a producer of None: somebody told of it over REST."""

    number: int
    producer: RunRef | None
    task_id: str
    map_index: int
    asset_id: int
    at: datetime


def of(world: World, producers: Collection[RunRef]) -> Iterator[Event]:
    """The events of those runs that are there."""
    yield from (event for event in world.events if event.producer in producers and event.producer in world.runs)


def consumptions(world: World, producers: Collection[RunRef]) -> Iterator[AssetConsumption]:
    """In the order of the events."""
    for event in of(world, producers):
        where = event.producer, event.task_id, event.map_index, event.number, world.asset(event.asset_id)
        for ref in world.runs:
            if (event.number, ref) in world.consumptions:
                yield AssetConsumption(*where, told(world, world.runs[ref]))


def led_to(
    world: World,
    producers: Collection[RunRef],
    schedules: Collection[AssetSchedule],
    since: datetime,
    most: int,
) -> list[RunRef]:
    """The nearest first."""
    assets = {each.asset_id for each in schedules}
    found = dict.fromkeys(producers)
    queue = list(producers)
    while queue:
        ref = queue.pop(0)
        numbers = {
            event.number
            for event in world.events
            if event.producer == ref and event.asset_id in assets and event.at >= since
        }
        fresh = {consumer for number, consumer in world.consumptions if number in numbers and consumer in world.runs}
        queue += (new := sorted(fresh - found.keys()))
        found |= dict.fromkeys(new)
    return [ref for ref in found if ref not in producers][:most]


def emissions(world: World, producers: Collection[RunRef], asset_ids: Collection[int]) -> Iterator[AssetEmission]:
    """In the order of the events."""
    for event in of(world, producers):
        if event.asset_id in asset_ids:
            later = (
                other.at
                for other in world.events
                if other.producer is not None
                and (other.asset_id, other.producer.dag_id) == (event.asset_id, event.producer.dag_id)
                and other.producer != event.producer
                and other.at > event.at
            )
            where = event.producer, event.task_id, event.number, event.asset_id, event.at
            yield AssetEmission(*where, min(later, default=None))


def starts(
    world: World, tasks: Collection[tuple[str, str]], since: datetime, until: datetime | None
) -> list[TaskStart]:
    """In the order of time."""
    found = [
        (at, number, task.task_id, task.map_index, ref)
        for number, (ref, some) in enumerate(world.tasks.items())
        for task in some
        if (ref.dag_id, task.task_id) in tasks
        and task.state != "removed"
        and (at := own_starts.own(world, ref, task)) is not None
        and at >= since
        and (until is None or at < until)
    ]
    return [
        TaskStart(told(world, world.runs[ref]), task_id, index, at, consumed(world, ref))
        for at, _, task_id, index, ref in sorted(found)
    ]


def take_repeats(world: World, ref: RunRef) -> None:
    """A run that a rerun starts sees, in place of each event that started it, the last one that repeats that."""
    mine = {number for number, consumer in world.consumptions if consumer == ref}
    others = {one for one in world.consumptions if one[1] != ref}
    world.consumptions = others | {(world.repeats.get(number, number), ref) for number in mine}


def consumed(world: World, ref: RunRef) -> frozenset[int]:
    """The assets of which events started a run."""
    return frozenset(event.asset_id for event in world.events if (event.number, ref) in world.consumptions)


def waiting(world: World, producers: Collection[RunRef]) -> Iterator[WaitingAsset]:
    """Those of the runs that a Dag's next run is going to consume: all since its last, but what it has consumed."""
    for event in world.events:
        for dag_id, asset_id in sorted((one.dag_id, one.asset_id) for one in world.asset_schedules):
            runs = [run for run in world.runs.values() if run.ref.dag_id == dag_id]
            last = max((run.run_after for run in runs if run.run_type == "asset_triggered"), default=None)
            if (
                event.producer in producers
                and asset_id == event.asset_id
                and dag_id not in world.gone
                and (last is None or event.at > last)
                and not any((event.number, run.ref) in world.consumptions for run in runs)
            ):
                where = event.producer, event.task_id, event.map_index, event.number
                yield WaitingAsset(*where, world.asset(asset_id), dag_id)
    yield from (one for one in world.waiting if one.producer in producers)


def flows(world: World, dag_id: str) -> Iterator[AssetFlow]:
    """From and to a Dag."""
    takers = [
        *((one.dag_id, None, one.asset_id) for one in world.asset_schedules),
        *((one.dag_id, one.task_id, one.asset_id) for one in world.inlets),
    ]
    made = [
        AssetFlow(outlet.dag_id, outlet.task_id, taker, reader, outlet.asset)
        for outlet in world.outlets
        for taker, reader, asset_id in takers
        if asset_id == outlet.asset_id
    ]
    for flow in (*made, *world.flows):
        ends = {flow.producer_dag_id, flow.consumer_dag_id}
        if dag_id in ends and not ends & world.gone:
            yield flow
