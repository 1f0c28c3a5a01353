"""The facts as they will be: the runs are those that aren't made yet, and nothing was recorded of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from airflow_rerun_downstream.domain.definitions import AssetSchedule
from airflow_rerun_downstream.domain.eligibility import SCHEDULED
from airflow_rerun_downstream.domain.facts import RunFacts, UndatedRun
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun, WaitingAsset
from airflow_rerun_downstream.domain.lineage_records import RecordedWait, SensorInstance, TaskStart
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.kinds.base import FoundLink
from airflow_rerun_downstream.ports.lineage import LineageFacts, Runs, TaskRecords

NOT_MADE = "queued"
"""The state in which Airflow makes runs."""


class RunsToCome:
    """Those questions of `Runs` that are asked of runs to come. Schedules are read once for each Dag."""

    def __init__(self, facts: LineageFacts, now: datetime, asset_schedules: Iterable[AssetSchedule] = ()) -> None:
        self.today = facts
        self.now = now
        self.started_by: dict[str, set[int]] = {}
        for each in asset_schedules:
            self.started_by.setdefault(each.dag_id, set()).add(each.asset_id)
        self.schedules: dict[str, DagSchedule] = {}
        self.upcoming: dict[str, list[RunFacts]] = {}
        self.names: dict[RunRef, FutureRef] = {}

    def facts(self) -> LineageFacts:
        """The facts of today, but for these runs and their tasks."""
        today = self.today
        tasks = TasksToCome(self, today.tasks)
        return LineageFacts(cast(Runs, self), today.dags, today.assets, cast(TaskRecords, tasks))

    def learn(self, dag_ids: Collection[str]) -> None:
        """Read how the runs of Dags come about."""
        new = set(dag_ids) - set(self.upcoming)
        if not new:
            return
        found = self.today.dags.schedules(new)
        self.schedules.update(found)
        for dag_id in new:
            runs = found[dag_id].upcoming if dag_id in found else ()
            self.upcoming[dag_id] = [as_run(run) for run in runs]
            for run in runs:
                self.names[RunRef(dag_id, run.run_id)] = FutureRef(dag_id, logical_date=run.logical_date)

    def at(self, dates: Mapping[str, Collection[datetime]], *, undated: bool = False) -> list[RunFacts]:
        """The runs to come at dates."""
        self.learn(dates)
        wanted = {dag_id: frozenset(some) for dag_id, some in dates.items()}
        return [run for dag_id, some in wanted.items() for run in self.upcoming[dag_id] if run.logical_date in some]

    def undated(self, windows: Mapping[str, tuple[datetime, datetime]]) -> list[UndatedRun]:
        """Runs that a clock is going to make have dates."""
        return []

    def last_undated(self, dag_ids: Collection[str]) -> dict[str, datetime]:
        """See `undated`."""
        return {}

    def consumed_by(self, run: RunFacts) -> frozenset[int]:
        """The assets of which a run to come is going to consume events."""
        by_assets = self.names[run.ref].next or self.schedules[run.ref.dag_id].asset_gated
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

    def consumer(self, seen: WaitingAsset) -> FutureRef | None:
        """The run that will consume an asset event; its Dag's schedule was read. None: time makes no run any more."""
        if seen.dag_id in self.schedules and self.schedules[seen.dag_id].asset_gated:
            return next_at_gate(self.schedules[seen.dag_id])
        return FutureRef(seen.dag_id, partition_key=seen.partition_key, next=seen.partition_key is None)

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


def next_at_gate(schedule: DagSchedule) -> FutureRef | None:
    """The run of a Dag's timetable that is made when its time and its assets have come."""
    return next((FutureRef(run.dag_id, logical_date=run.logical_date) for run in schedule.upcoming), None)


class TasksToCome:
    """`TaskRecords` of runs to come. What isn't told here is as today."""

    def __init__(self, coming: RunsToCome, today: TaskRecords) -> None:
        self.coming = coming
        self.today = today

    def __getattr__(self, name: str) -> Any:
        return getattr(self.today, name)

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
        self.coming.learn({dag_id for dag_id, _ in tasks})
        starts = ((self.coming.next_run(dag_id), task_id) for dag_id, task_id in sorted(tasks))
        return [
            TaskStart(run, task_id, -1, max(run.run_after, self.coming.now), self.coming.consumed_by(run))
            for run, task_id in starts
            if run
        ]


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
