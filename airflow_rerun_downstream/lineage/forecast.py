"""Runs to come that will read what polluted runs made: those that a timetable or waiting asset events will start.

The kinds of lineage answer this too, when they are asked over facts in which the runs to come stand. What such a run
will make is not followed: frozen, it makes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from airflow_rerun_downstream.domain.eligibility import SCHEDULED
from airflow_rerun_downstream.domain.facts import (
    AssetSchedule,
    Definitions,
    RecordedWait,
    RunFacts,
    SensorInstance,
    TaskStart,
    UndatedRun,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun, WaitingAsset
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind, PlannedFuture
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.discovery import Discovery
from airflow_rerun_downstream.lineage.explored import Explored
from airflow_rerun_downstream.lineage.kinds.base import FoundLink, LineageContext, refs
from airflow_rerun_downstream.lineage.kinds.inlet import NEVER
from airflow_rerun_downstream.lineage.kinds.previous_run import date_of, link_of, successors
from airflow_rerun_downstream.lineage.templates import is_template
from airflow_rerun_downstream.ports.lineage import LineageFacts

NOT_MADE = "queued"
"""The state in which Airflow makes runs."""


@dataclass(frozen=True)
class Forecast:
    """The runs to come, and the links by which some of them will read wrong data; a run of None is started by assets.

    ``schedules`` has every Dag of the plan.
    """

    schedules: Mapping[str, DagSchedule] = field(default_factory=dict)
    runs: Mapping[FutureRef, UpcomingRun | None] = field(default_factory=dict)
    found: tuple[FoundLink, ...] = ()

    @property
    def dag_ids(self) -> frozenset[str]:
        """The Dags that runs are to come of."""
        return frozenset(ref.dag_id for ref in self.runs)

    def planned(self) -> list[PlannedFuture]:
        """The runs to come as a plan shows them: first those that time starts, as they will be ready."""
        wrong = {found.link.downstream for found in self.found}
        runs = (
            PlannedFuture(ref, run, self.freeze_reason(ref, run), polluted=ref in wrong)
            for ref, run in self.runs.items()
        )
        return sorted(runs, key=by_time)

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
    runs = [explored.runs[ref] for ref in sorted(walk.leaving)]
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
    )
    context = LineageContext(cast(LineageFacts, coming), definitions, walk.structures)
    seen = [
        *(found for kind in walk.kinds if kind.foresees for found in kind.links(runs, context)),
        *later_in_chains(walk, coming, runs),
    ]
    kept = [
        *(told for found in seen if (told := coming.told(found)) is not None),
        *map(asset_link, first_events(waiting)),
    ]
    wrong = [found for found in kept if explored.leaves(found)]
    named = {cast(FutureRef, found.link.downstream): None for found in wrong}
    named |= dict.fromkeys(next_of_assets([*explored.found, *wrong], coming.schedules))
    return Forecast(coming.schedules, {ref: coming.run(ref) for ref in named}, tuple(wrong))


def told_by_dates(definitions: Definitions, dag_ids: Collection[str]) -> Definitions:
    """The definitions that may lead from runs of the Dags to a run that nothing is recorded of."""
    sensors = definitions.sensors
    return replace(
        definitions,
        sensors=tuple(s for s in sensors if s.external_dag_id in dag_ids and not s.templated),
        markers=tuple(marker for marker in definitions.markers if marker.dag_id in dag_ids),
        declared=tuple(one for one in definitions.declared if one.upstream_dag_id in dag_ids),
    )


class RunsToCome:
    """`LineageFacts` as they will be: the runs are those that aren't made yet, and nothing was recorded of them.

    Schedules are read once for each Dag. What isn't told here is as today.
    """

    def __init__(self, facts: LineageFacts, now: datetime, asset_schedules: Iterable[AssetSchedule] = ()) -> None:
        self.facts = facts
        self.now = now
        self.started_by: dict[str, set[int]] = {}
        for each in asset_schedules:
            self.started_by.setdefault(each.dag_id, set()).add(each.asset_id)
        self.schedules: dict[str, DagSchedule] = {}
        self.upcoming: dict[str, list[RunFacts]] = {}
        self.names: dict[RunRef, FutureRef] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.facts, name)

    def learn(self, dag_ids: Collection[str]) -> None:
        """Read how the runs of Dags come about."""
        new = set(dag_ids) - set(self.upcoming)
        if not new:
            return
        found = self.facts.schedules(new)
        self.schedules.update(found)
        for dag_id in new:
            runs = found[dag_id].upcoming if dag_id in found else ()
            self.upcoming[dag_id] = [as_run(run) for run in runs]
            for run in runs:
                self.names[RunRef(dag_id, run.run_id)] = FutureRef(dag_id, logical_date=run.logical_date)

    def runs_at(self, dates: Mapping[str, Collection[datetime]], *, undated: bool = False) -> list[RunFacts]:
        """The runs to come at dates."""
        self.learn(dates)
        wanted = {dag_id: frozenset(some) for dag_id, some in dates.items()}
        return [run for dag_id, some in wanted.items() for run in self.upcoming[dag_id] if run.logical_date in some]

    def undated_runs(self, windows: Mapping[str, tuple[datetime, datetime]]) -> list[UndatedRun]:
        """Runs that a clock is going to make have dates."""
        return []

    def last_undated(self, dag_ids: Collection[str]) -> dict[str, datetime]:
        """See `undated_runs`."""
        return {}

    def recorded_waits(
        self, sensors: Collection[tuple[str, str]], *, since: datetime, dates: Mapping[str, Collection[datetime]]
    ) -> list[RecordedWait]:
        """Nothing has waited yet."""
        return []

    def sensor_instances(
        self,
        sensors: Collection[tuple[str, str]],
        *,
        refs: Collection[RunRef] = (),
        since: datetime | None = None,
    ) -> list[SensorInstance]:
        """Every sensor is still to wait in every run to come, and none has ended."""
        return [
            SensorInstance(ref, task_id, -1, None)
            for ref in refs
            for dag_id, task_id in sensors
            if dag_id == ref.dag_id
        ]

    def task_starts(
        self, tasks: Collection[tuple[str, str]], *, since: datetime, until: datetime | None
    ) -> list[TaskStart]:
        """The tasks in the next run of each Dag; one that assets start will consume their events."""
        self.learn({dag_id for dag_id, _ in tasks})
        starts = ((self.next_run(dag_id), task_id) for dag_id, task_id in sorted(tasks))
        return [
            TaskStart(run, task_id, -1, max(run.run_after, self.now), self.consumed_by(run))
            for run, task_id in starts
            if run
        ]

    def consumed_by(self, run: RunFacts) -> frozenset[int]:
        """The assets of which a run to come is going to consume events."""
        by_assets = self.names[run.ref].next
        return frozenset(self.started_by.get(run.ref.dag_id, ())) if by_assets else frozenset()

    def next_run(self, dag_id: str) -> RunFacts | None:
        """The run that a Dag's timetable makes next, or that assets will start; the Dag's schedule was read."""
        for run in self.upcoming[dag_id]:
            return run
        if dag_id not in self.schedules or not self.schedules[dag_id].asset_scheduled:
            return None
        ref = RunRef(dag_id, "")
        self.names[ref] = FutureRef(dag_id, next=True)
        return RunFacts(ref, "asset_triggered", NOT_MADE, None, self.now)

    def told(self, found: FoundLink) -> FoundLink | None:
        """A link to a run to come by the name that it has until it is made; None: it leads nowhere."""
        if found.downstream is None or found.downstream.ref not in self.names:
            return None
        link = replace(found.link, downstream=self.names[found.downstream.ref])
        if link.kind is LinkKind.INLET:  # another run may make the asset anew before
            via = {key: value for key, value in link.via.items() if key != "started_at"}
            link = replace(link, via=via, evidence=Evidence.ASSUMED)
        return replace(found, link=link, downstream=None)

    def run(self, ref: FutureRef) -> UpcomingRun | None:
        """What a timetable will make; None: assets start the run."""
        schedule = self.schedules.get(ref.dag_id)
        return next((r for r in schedule.upcoming if r.logical_date == ref.logical_date), None) if schedule else None


def as_run(run: UpcomingRun) -> RunFacts:
    """A run to come as the kinds of lineage see runs."""
    return RunFacts(
        RunRef(run.dag_id, run.run_id),
        SCHEDULED,
        NOT_MADE,
        run.logical_date,
        run.run_after,
        data_interval_start=run.data_interval_start,
        data_interval_end=run.data_interval_end,
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
    return walk.facts.waiting_assets(refs(runs))


def first_events(waiting: Iterable[WaitingAsset]) -> Collection[WaitingAsset]:
    """One event for each pair of task and run to come, and asset."""
    found: dict[tuple[object, ...], WaitingAsset] = {}
    for one in sorted(waiting, key=lambda asset: asset.event_id):
        found.setdefault((one.producer, one.task_id, one.asset, one.dag_id, one.partition_key), one)
    return found.values()


def next_of_assets(found: Iterable[FoundLink], schedules: Mapping[str, DagSchedule]) -> Iterator[FutureRef]:
    """The next runs of Dags that assets start: any of them may come in the middle of a repair."""
    for dag_id in sorted({one.link.downstream.dag_id for one in found if one.link.kind is LinkKind.ASSET}):
        if dag_id in schedules and schedules[dag_id].asset_scheduled:
            yield FutureRef(dag_id, next=True)


def asset_link(seen: WaitingAsset) -> FoundLink:
    """The link to the run that will consume an asset event."""
    key = seen.partition_key
    link = Link(
        seen.producer,
        FutureRef(seen.dag_id, partition_key=key, next=key is None),
        LinkKind.ASSET,
        Evidence.RECORDED,
        {"asset": seen.asset, "event_id": seen.event_id, "task_id": seen.task_id},
        from_task_id=seen.task_id,
    )
    return FoundLink(link, frozenset({seen.task_id}), None, None)
