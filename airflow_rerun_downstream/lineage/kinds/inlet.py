"""Links of the kind ``inlet``: a task read an asset that hasn't started its run.

Airflow keeps no record of that. It is told by time: what a task's last try read was made by the runs that had emitted
the asset's last events before, one of each Dag that makes it. A try that a rerun started makes anew what the last one
before it had made, and counts for what that had read. A run that events of the asset have started is told by
these, and isn't looked at here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from operator import attrgetter

from airflow_rerun_downstream.domain.definitions import InletDefinition
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.lineage_records import AssetEmission, TaskStart
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.asset import edges_of_flows
from airflow_rerun_downstream.lineage.kinds.base import EdgeContext, FoundLink, LineageContext, OwnDefinitions, refs

NEVER = datetime.max.replace(tzinfo=timezone.utc)


class InletLinks:
    """A run whose task read an asset after another run had emitted its last event is downstream of that one."""

    kind = LinkKind.INLET
    foresees = True

    def links(self, runs: Sequence[RunFacts], context: LineageContext) -> Iterable[FoundLink]:
        """One link for each pair of runs, emitting task, reading task and asset."""
        inlets = list(dict.fromkeys((*context.definitions.inlets, *context.earlier.inlets)))
        if not inlets:
            return []
        events = context.facts.assets.emissions(refs(runs), {inlet.asset_id for inlet in inlets})
        if not events:
            return []
        emitted = {event.asset_id for event in events}
        tasks = {(inlet.dag_id, inlet.task_id) for inlet in inlets if inlet.asset_id in emitted}
        last = max(until_of(event) for event in events)
        starts = context.facts.tasks.task_starts(
            tasks, since=min(event.at for event in events), until=None if last == NEVER else last
        )
        own = OwnDefinitions(context, (start.run.ref for start in starts))
        return list(matched(events, starts, inlets, own.has))

    def edges(self, context: EdgeContext) -> Iterable[DagEdge]:
        """From the Dags that make an asset to the tasks that read it."""
        flows = [flow for flow in context.asset_flows if flow.consumer_task_id is not None]
        return edges_of_flows(flows, LinkKind.INLET, Evidence.DERIVED, BY_TIME)


def matched(
    events: Iterable[AssetEmission],
    starts: Iterable[TaskStart],
    inlets: Iterable[InletDefinition],
    has: Callable[[RunRef, InletDefinition], bool],
) -> Iterator[FoundLink]:
    """The links between events and the tasks that saw them last."""
    periods = periods_of(events)
    reads: dict[tuple[str, str], list[InletDefinition]] = {}
    for inlet in inlets:
        reads.setdefault((inlet.dag_id, inlet.task_id), []).append(inlet)
    found: dict[tuple[object, ...], tuple[AssetEmission, TaskStart, str]] = {}
    for start in starts:
        for inlet in reads.get((start.run.ref.dag_id, start.task_id), ()):
            if inlet.asset_id in start.consumed or not has(start.run.ref, inlet):
                continue
            for of_a_dag in periods.get(inlet.asset_id, {}).values():
                for event in seen_at(start.at, of_a_dag):
                    key = (event.producer, event.task_id, inlet.asset_id, start.run.ref, start.task_id)
                    found[key] = (event, start, inlet.asset)
    for event, start, asset in found.values():
        yield link_of(event, start, asset)


def until_of(event: AssetEmission) -> datetime:
    """When another run of the Dag emitted the asset's next event."""
    return event.until or NEVER


Period = tuple[datetime, list[AssetEmission]]
"""The events of a Dag before a moment at which another run of it emitted one, in the order of time."""


def periods_of(events: Iterable[AssetEmission]) -> dict[int, dict[str, list[Period]]]:
    """The periods of each asset and Dag, by their ends; those of one Dag don't overlap."""
    found: dict[int, dict[str, dict[datetime, list[AssetEmission]]]] = {}
    for event in sorted(events, key=attrgetter("at", "event_id")):
        of_a_dag = found.setdefault(event.asset_id, {}).setdefault(event.producer.dag_id, {})
        of_a_dag.setdefault(until_of(event), []).append(event)
    return {
        asset_id: {dag_id: sorted(periods.items()) for dag_id, periods in of_dags.items()}
        for asset_id, of_dags in found.items()
    }


def seen_at(moment: datetime, periods: Sequence[Period]) -> list[AssetEmission]:
    """The events of the asset's last producer of a Dag before a moment, if it is among the periods."""
    position = bisect_right(periods, moment, key=lambda period: period[0])
    if position == len(periods):
        return []
    return [event for event in periods[position][1] if event.at <= moment]


def link_of(event: AssetEmission, start: TaskStart, asset: str) -> FoundLink:
    """The link between an event and the task that saw it last."""
    via = {
        "asset": asset,
        "event_id": event.event_id,
        "emitted_at": event.at.isoformat(),
        "task_id": start.task_id,
        "started_at": start.at.isoformat(),
    }
    link = Link(
        event.producer,
        start.run.ref,
        LinkKind.INLET,
        Evidence.DERIVED,
        via,
        from_task_id=event.task_id,
        to_task_id=start.task_id,
    )
    return FoundLink(link, frozenset({event.task_id}), start.task_id, start.run)


BY_TIME = Sentence("link.by_time")
