"""The port, put together from the files beside this one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_rerun_downstream.airflow3.lineage_facts import (
    accounts,
    asset_edges,
    consumptions,
    inlets,
    latest_dags,
    obstacles,
    queued_events,
    run_list,
    run_versions,
    runs,
    schedules,
    sensor_instances,
    task_records,
    task_starts,
    task_tries,
    triggered_runs,
)
from airflow_rerun_downstream.domain.edges import AssetFlow
from airflow_rerun_downstream.domain.facts import (
    AssetConsumption,
    AssetEmission,
    DagStructure,
    DagVersion,
    Definitions,
    DoubtfulRecord,
    RecordedWait,
    RunAccount,
    RunConf,
    RunFacts,
    RunNow,
    SensorInstance,
    TaskInstanceFacts,
    TaskStart,
    TriggeredRun,
    UndatedRun,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, WaitingAsset
from airflow_rerun_downstream.domain.proof import RunTries
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.ports.lineage import RunFilter

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class AirflowFacts:
    """`LineageFacts` on Airflow 3, bound to one session. It only reads."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def runs(self, refs: Collection[RunRef]) -> dict[RunRef, RunFacts]:
        """See `LineageFacts.runs`."""
        return runs.runs(self._session, refs)

    def confs(self, refs: Collection[RunRef]) -> dict[RunRef, RunConf]:
        """See `LineageFacts.confs`."""
        return runs.confs(self._session, refs)

    def runs_now(self, refs: Collection[RunRef]) -> dict[RunRef, RunNow]:
        """See `LineageFacts.runs_now`."""
        return runs.runs_now(self._session, refs)

    def runs_at(self, dates: Mapping[str, Collection[datetime]], *, undated: bool = False) -> list[RunFacts]:
        """See `LineageFacts.runs_at`."""
        return runs.runs_at(self._session, dates, undated=undated)

    def undated_runs(self, windows: Mapping[str, tuple[datetime, datetime]]) -> list[UndatedRun]:
        """See `LineageFacts.undated_runs`."""
        return runs.undated_runs(self._session, windows)

    def last_undated(self, dag_ids: Collection[str]) -> dict[str, datetime]:
        """See `LineageFacts.last_undated`."""
        return runs.last_undated(self._session, dag_ids)

    def later_runs(self, since: Mapping[str, datetime], *, limit: int) -> list[RunFacts]:
        """See `LineageFacts.later_runs`."""
        return runs.later_runs(self._session, since, limit=limit)

    def page(self, wanted: RunFilter) -> tuple[list[RunFacts], int]:
        """See `LineageFacts.page`. Raises `Invalid` for an unknown ``order_by``."""
        return run_list.page(self._session, wanted)

    def task_instances(self, refs: Collection[RunRef]) -> dict[RunRef, list[TaskInstanceFacts]]:
        """See `LineageFacts.task_instances`."""
        return runs.task_instances(self._session, refs)

    def accounts(
        self, refs: Collection[RunRef], *, places: Mapping[RunRef, RunRef] | None = None
    ) -> dict[RunRef, RunAccount]:
        """See `LineageFacts.accounts`."""
        return accounts.accounts(self._session, refs, places=places)

    def tries(
        self, refs: Collection[RunRef], *, places: Mapping[RunRef, RunRef] | None = None
    ) -> dict[RunRef, RunTries]:
        """See `LineageFacts.tries`."""
        return task_tries.tries(self._session, refs, places=places)

    def structures(self, dag_ids: Collection[str]) -> dict[str, DagStructure]:
        """See `LineageFacts.structures`."""
        return latest_dags.structures(self._session, dag_ids)

    def own_versions(self, refs: Collection[RunRef]) -> dict[RunRef, DagVersion]:
        """See `LineageFacts.own_versions`."""
        return run_versions.own_versions(self._session, refs)

    def definitions(self) -> Definitions:
        """See `LineageFacts.definitions`."""
        every, rows = latest_dags.active(self._session)
        dags = latest_dags.readable(every)
        takers = inlets.takers(self._session, dags)
        return replace(
            latest_dags.all_of([each.definitions for each in dags]),
            inlets=takers.inlets,
            outlets=inlets.outlets_among((outlet for each in dags for outlet in each.outlets), takers.known),
            asset_schedules=takers.schedules,
            gone_schedules=takers.gone,
            unreadable=latest_dags.unreadable(every.items()),
            structures=latest_dags.told_by_rows(every, rows),
        )

    def earlier_definitions(self, *, since: datetime) -> Definitions:
        """See `LineageFacts.earlier_definitions`."""
        return run_versions.earlier_definitions(self._session, since=since)

    def asset_consumptions(self, producers: Collection[RunRef]) -> list[AssetConsumption]:
        """See `LineageFacts.asset_consumptions`."""
        return consumptions.asset_consumptions(self._session, producers)

    def asset_flows(self, dag_id: str) -> list[AssetFlow]:
        """See `LineageFacts.asset_flows`."""
        return asset_edges.asset_flows(self._session, dag_id)

    def asset_emissions(self, producers: Collection[RunRef], asset_ids: Collection[int]) -> list[AssetEmission]:
        """See `LineageFacts.asset_emissions`."""
        return inlets.asset_emissions(self._session, producers, asset_ids)

    def task_starts(
        self, tasks: Collection[tuple[str, str]], *, since: datetime, until: datetime | None
    ) -> list[TaskStart]:
        """See `LineageFacts.task_starts`."""
        return task_starts.task_starts(self._session, tasks, since=since, until=until)

    def triggered_runs(self, parents: Collection[RunRef]) -> list[TriggeredRun | DoubtfulRecord]:
        """See `LineageFacts.triggered_runs`."""
        return triggered_runs.triggered_runs(self._session, parents)

    def orphaned_dags(self, since: datetime) -> frozenset[str]:
        """See `LineageFacts.orphaned_dags`."""
        return triggered_runs.orphaned_dags(self._session, since)

    def triggering_runs(self, children: Collection[RunRef]) -> list[TriggeredRun]:
        """See `LineageFacts.triggering_runs`."""
        return triggered_runs.triggering_runs(self._session, children)

    def recorded_waits(
        self, sensors: Collection[tuple[str, str]], *, since: datetime, dates: Mapping[str, Collection[datetime]]
    ) -> list[RecordedWait | DoubtfulRecord]:
        """See `LineageFacts.recorded_waits`."""
        return task_records.recorded_waits(self._session, sensors, since=since, dates=dates)

    def recorded_sensors(self, *, since: datetime) -> frozenset[tuple[str, str]]:
        """See `LineageFacts.recorded_sensors`."""
        return task_records.recorded_sensors(self._session, since=since)

    def sensor_instances(
        self,
        sensors: Collection[tuple[str, str]],
        *,
        refs: Collection[RunRef] = (),
        since: datetime | None = None,
    ) -> list[SensorInstance]:
        """See `LineageFacts.sensor_instances`."""
        return sensor_instances.sensor_instances(self._session, sensors, refs=refs, since=since)

    def last_waits(self, sensors: Collection[tuple[str, str]]) -> list[RecordedWait | DoubtfulRecord]:
        """See `LineageFacts.last_waits`."""
        return task_records.last_waits(self._session, sensors)

    def schedules(self, dag_ids: Collection[str], *, upcoming: int = 10) -> dict[str, DagSchedule]:
        """See `LineageFacts.schedules`."""
        return schedules.schedules(self._session, dag_ids, upcoming=upcoming)

    def waiting_assets(self, producers: Collection[RunRef]) -> list[WaitingAsset]:
        """See `LineageFacts.waiting_assets`."""
        return queued_events.waiting_assets(self._session, producers)

    def obstacles(self, tasks: Mapping[RunRef, Collection[str]]) -> list[Obstacle]:
        """See `LineageFacts.obstacles`. At most five statements for 10,000 runs."""
        return obstacles.obstacles(self._session, tasks) if tasks else []

    def rendered_fields(
        self, tasks: Collection[tuple[str, str]], refs: Collection[RunRef]
    ) -> dict[tuple[RunRef, str, int], Mapping[str, object]]:
        """See `LineageFacts.rendered_fields`."""
        return task_records.rendered_fields(self._session, tasks, refs)
