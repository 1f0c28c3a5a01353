"""Runs to come that will read what polluted runs made: those that a timetable or waiting asset events will start.

The kinds of lineage answer this too, when they are asked over facts in which the runs to come stand. What such a run
will make is not followed: frozen, it makes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, RunFacts
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun, WaitingAsset
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind, PlannedFuture, WrongData
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.discovery import Discovery
from airflow_rerun_downstream.lineage.explored import Explored
from airflow_rerun_downstream.lineage.kinds.base import FoundLink, LineageContext, refs
from airflow_rerun_downstream.lineage.kinds.inlet import NEVER
from airflow_rerun_downstream.lineage.kinds.previous_run import date_of, link_of, successors
from airflow_rerun_downstream.lineage.runs_to_come import RunsToCome, next_at_gate
from airflow_rerun_downstream.lineage.surely import GUESSED
from airflow_rerun_downstream.lineage.templates import is_template

Target = RunRef | FutureRef


@dataclass(frozen=True)
class Forecast:
    """The runs to come, and the links by which some of them will read wrong data; a run of None is started by assets.

    ``schedules`` has every Dag of the plan, ``doubtful`` those of which nobody can tell whether a run to come reads
    wrong data: a link leads there of which no run can be told, or an unfinished run may emit their asset.
    """

    schedules: Mapping[str, DagSchedule] = field(default_factory=dict)
    runs: Mapping[FutureRef, UpcomingRun | None] = field(default_factory=dict)
    found: tuple[FoundLink, ...] = ()
    doubtful: frozenset[str] = frozenset()

    @property
    def dag_ids(self) -> frozenset[str]:
        """The Dags that runs are to come of."""
        return frozenset(ref.dag_id for ref in self.runs)

    def planned(self) -> list[PlannedFuture]:
        """The runs to come as a plan shows them: first those that time starts, as they will be ready."""
        sure = {found.link.downstream for found in self.found if found.link.evidence not in GUESSED}
        led = {found.link.downstream for found in self.found}
        runs = (
            PlannedFuture(ref, run, self.freeze_reason(ref, run), self.wrong_data(ref, sure, led))
            for ref, run in self.runs.items()
        )
        return sorted(runs, key=by_time)

    def wrong_data(self, ref: FutureRef, sure: Collection[Target], led: Collection[Target]) -> WrongData | None:
        """Whether a run to come reads wrong data, by the runs to which links lead."""
        if ref in sure:
            return WrongData.READS
        return WrongData.MAY_READ if ref in led or ref.dag_id in self.doubtful else None

    def freeze_reason(self, ref: FutureRef, run: UpcomingRun | None) -> str | None:
        """Why a run to come can't be frozen."""
        schedule = self.schedules.get(ref.dag_id)
        if schedule is None:
            return "dag_gone"
        return schedule.cannot_park if run is None else schedule.cannot_hold


def by_time(future: PlannedFuture) -> tuple[datetime, str, str]:
    """Where a run to come stands in a list."""
    return future.run.run_after if future.run else NEVER, future.ref.dag_id, future.ref.partition_key or ""


def forecast(walk: Discovery, explored: Explored, now: datetime) -> Forecast:
    """What is to come after a walk; a few statements, however many runs it found."""
    runs = [explored.runs[ref] for ref in sorted(walk.walked)]
    dag_ids = {run.ref.dag_id for run in runs}
    definitions = told_by_dates(walk.context.definitions, dag_ids)
    waiting = waiting_assets(walk, runs)
    coming = RunsToCome(walk.facts, now, definitions.asset_schedules)
    coming.learn(
        {run.ref.dag_id for run in explored.runs.values()}
        | {sensor.dag_id for sensor in definitions.sensors}
        | {marker.external_dag_id for marker in definitions.markers if not is_template(marker.external_dag_id)}
        | {declared.downstream_dag_id for declared in definitions.declared}
        | {asset.dag_id for asset in waiting}
        | (starting := started_by_unfinished(explored, definitions, walk))
    )
    context = LineageContext(coming.facts(), definitions, walk.structures)
    seen = [
        *(found for kind in walk.kinds if kind.foresees for found in kind.links(runs, context)),
        *later_in_chains(walk, coming, runs),
    ]
    kept = [
        *(told for found in seen if (told := coming.told(found)) is not None),
        *(asset_link(one, ref) for one in first_events(waiting) if (ref := coming.consumer(one)) is not None),
    ]
    wrong = [found for found in kept if explored.leaves(found)]
    named = {cast(FutureRef, found.link.downstream): None for found in wrong}
    started = {each.link.downstream.dag_id for each in (*explored.found, *wrong) if each.link.kind is LinkKind.ASSET}
    named |= dict.fromkeys(next_of_assets(started | starting, coming.schedules))
    unresolved = frozenset(
        found.link.downstream.dag_id
        for found in explored.found
        if found.downstream is None and found.link.evidence is Evidence.UNRESOLVED
    )
    return Forecast(coming.schedules, {ref: coming.run(ref) for ref in named}, tuple(wrong), unresolved | starting)


def started_by_unfinished(explored: Explored, definitions: Definitions, walk: Discovery) -> frozenset[str]:
    """The Dags that an asset starts which a polluted task of an unfinished run may still emit, unless it is stopped."""
    if all(kind.kind is not LinkKind.ASSET for kind in walk.kinds):
        return frozenset()
    unfinished = [ref for ref, run in explored.runs.items() if run.state not in FINISHED_RUN_STATES]
    coming: set[int] = set()
    for ref in unfinished:
        outlets = walk.context.outlets.get(ref.dag_id, ())
        coming |= {one.asset_id for one in outlets if explored.pollution[ref].carries(frozenset({one.task_id}))}
    return frozenset(one.dag_id for one in definitions.asset_schedules if one.asset_id in coming)


def told_by_dates(definitions: Definitions, dag_ids: Collection[str]) -> Definitions:
    """The definitions that may lead from runs of the Dags to a run that nothing is recorded of."""
    sensors = definitions.sensors
    return replace(
        definitions,
        sensors=tuple(s for s in sensors if s.external_dag_id in dag_ids and not s.templated),
        markers=tuple(marker for marker in definitions.markers if marker.dag_id in dag_ids),
        declared=tuple(one for one in definitions.declared if one.upstream_dag_id in dag_ids),
    )


def later_in_chains(walk: Discovery, coming: RunsToCome, runs: Iterable[RunFacts]) -> Iterator[FoundLink]:
    """The runs to come that have one of ``runs`` as the previous one of their Dag."""
    followed = set(refs(runs))
    for dag_id, made in walk.past.chains.items():
        coming.learn([dag_id])
        later = [run for run in coming.upcoming[dag_id] if date_of(run) > date_of(made[0])]
        chain = sorted([*made, *later], key=lambda run: (date_of(run), run.ref)) if later else []
        for position, run in enumerate(chain):
            if run.ref not in followed:
                continue
            for dependency in walk.past.reads(run, now=True):
                for consumer in successors(chain, position, scheduled_only=dependency.scheduled_only):
                    if consumer.ref in coming.names:
                        yield link_of(run, consumer, dependency)


def waiting_assets(walk: Discovery, runs: Sequence[RunFacts]) -> list[WaitingAsset]:
    """The asset events of runs that wait for a run to consume them, if links of that kind are followed."""
    if not runs or all(each.kind is not LinkKind.ASSET for each in walk.kinds):
        return []
    return walk.facts.assets.waiting(refs(runs))


def first_events(waiting: Iterable[WaitingAsset]) -> Collection[WaitingAsset]:
    """One event for each pair of task and run to come, and asset."""
    found: dict[tuple[object, ...], WaitingAsset] = {}
    for one in sorted(waiting, key=lambda asset: asset.event_id):
        found.setdefault((one.producer, one.task_id, one.asset, one.dag_id, one.partition_key), one)
    return found.values()


def next_of_assets(dag_ids: Iterable[str], schedules: Mapping[str, DagSchedule]) -> Iterator[FutureRef]:
    """The next runs of Dags that assets start or gate: any of them may come in the middle of a repair."""
    for dag_id in sorted(dag_ids):
        if dag_id not in schedules:
            continue
        if schedules[dag_id].asset_scheduled:
            yield FutureRef(dag_id, next=True)
        elif schedules[dag_id].asset_gated and (ref := next_at_gate(schedules[dag_id])) is not None:
            yield ref


def asset_link(seen: WaitingAsset, consumer: FutureRef) -> FoundLink:
    """The link to the run that will consume an asset event."""
    link = Link(
        seen.producer,
        consumer,
        LinkKind.ASSET,
        Evidence.RECORDED,
        {"asset": seen.asset, "event_id": seen.event_id, "task_id": seen.task_id},
        from_task_id=seen.task_id,
    )
    return FoundLink(link, frozenset({seen.task_id}), None, None)
