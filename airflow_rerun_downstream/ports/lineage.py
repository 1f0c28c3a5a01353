"""What a plan reads of Airflow's metadata database: runs, Dags, asset events, and what tasks have left behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from airflow_rerun_downstream.domain.definitions import AssetSchedule, DagVersion, Definitions
from airflow_rerun_downstream.domain.edges import AssetFlow
from airflow_rerun_downstream.domain.facts import (
    DagOwnership,
    DagStructure,
    RunConf,
    RunFacts,
    RunNow,
    TaskInstanceFacts,
    UndatedRun,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, WaitingAsset
from airflow_rerun_downstream.domain.lineage_records import (
    AssetConsumption,
    AssetEmission,
    DoubtfulRecord,
    RecordedWait,
    SensorInstance,
    TaskStart,
    TriggeredRun,
)
from airflow_rerun_downstream.domain.proof import RunTries
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.domain.run_accounts import Moments, Places, RunAccount


@dataclass(frozen=True)
class SourceRule:
    """What makes a run a possible source: online, finished, ready in the window, in no active rerun.

    ``matches`` False asks for the runs that can't be one. ``taken``: the runs of active reruns.
    """

    now: datetime
    window_start: datetime | None
    taken: frozenset[RunRef] = frozenset()
    matches: bool = True


@dataclass(frozen=True)
class RunFilter:
    """A question for a page of Dag runs. None: no restriction. ``order_by``: a field, ``-`` before it: descending.

    Runs that are equal in it come in the order in which they were made, those without a value after all others.
    ``dag_id_pattern`` is what Airflow's own REST API takes: a part of the id in any case, ``%`` and ``_`` as in SQL's
    LIKE, ``|`` between alternatives; or of the display name. So are ``run_id_pattern`` and ``owner_pattern``, for the
    owners of a run's Dag.
    ``tags``: the Dag has at least one of them.
    """

    dag_ids: frozenset[str] | None = None
    dag_id_pattern: str | None = None
    run_id_pattern: str | None = None
    owner_pattern: str | None = None
    tags: frozenset[str] | None = None
    states: frozenset[str] | None = None
    run_types: frozenset[str] | None = None
    run_after_gte: datetime | None = None
    run_after_lte: datetime | None = None
    online: bool | None = None
    source_rule: SourceRule | None = None
    limit: int = 50
    offset: int = 0
    order_by: str = "-run_after"


class Runs(Protocol):
    """Dag runs."""

    def among(self, refs: Collection[RunRef]) -> dict[RunRef, RunFacts]:
        """The runs that exist among ``refs``.

        A run that a task made is online if that task's own run is, by the version of the Dag that run is of, whether
        the Dag is still there or not. ``terminated`` is said of failed runs only.
        """
        ...

    def confs(self, refs: Collection[RunRef]) -> dict[RunRef, RunConf]:
        """The configurations of the runs that exist among ``refs``. One statement for ten thousand."""
        ...

    def now(self, refs: Collection[RunRef]) -> dict[RunRef, RunNow]:
        """Where the runs that exist among ``refs`` stand. It costs much less than `among`."""
        ...

    def at(self, dates: Mapping[str, Collection[datetime]], *, undated: bool = False) -> list[RunFacts]:
        """The runs of each Dag whose logical date is one of those asked for it, each once, in no order.

        ``undated``: those without a logical date too, by their ``run_after``, as sensors reckon.
        """
        ...

    def undated(self, windows: Mapping[str, tuple[datetime, datetime]]) -> list[UndatedRun]:
        """The runs of each Dag without a logical date that were ready in its window, ends included, by that time."""
        ...

    def last_undated(self, dag_ids: Collection[str]) -> dict[str, datetime]:
        """When the last run without a logical date was ready of each of the Dags that have any."""
        ...

    def later(self, since: Mapping[str, datetime], *, limit: int) -> list[RunFacts]:
        """The first ``limit`` runs whose logical date is later than that given for their Dag, by that date.

        Those of one date come in no order.
        """
        ...

    def notes(self, refs: Collection[RunRef]) -> dict[RunRef, str]:
        """The notes of those runs that have one. One statement for ten thousand."""
        ...

    def page(self, wanted: RunFilter) -> tuple[list[RunFacts], int]:
        """One page of runs, and how many there are in all. Raises `Invalid` for an unknown ``order_by``."""
        ...


class Dags(Protocol):
    """What Dags define: tasks, edges, schedules, in the latest version and in those of runs."""

    def display_names(self, dag_ids: Collection[str]) -> dict[str, str]:
        """What Dags are called, those alone of which that isn't the id; at most as long as an id may be."""
        ...

    def structures(self, dag_ids: Collection[str]) -> dict[str, DagStructure]:
        """The tasks of the Dags' latest versions, also of Dags that are gone; one that isn't serialized is left out."""
        ...

    def own_versions(self, refs: Collection[RunRef]) -> dict[RunRef, DagVersion]:
        """The Dag as the tasks of runs have it, for those runs that aren't, or not all, of its latest version; and for
        those of Dags that are gone, of which `definitions` says nothing.

        Of a Dag that is gone every run is told.
        Where tasks of a run are of several versions, each is told as its own one has it. Whether the Dag is paused, its
        limit of runs and the number of the version are the latest's. A run without task instances is left out.
        """
        ...

    def definitions(self) -> Definitions:
        """The cross-Dag edges that all active Dags declare."""
        ...

    def earlier_definitions(self, *, since: datetime) -> Definitions:
        """The cross-Dag edges that versions declared which were replaced at or after ``since``.

        The last version of a Dag that has gone since counts as replaced: its runs have read, whatever became of it.
        A version of which there is no run is written over, and never told.
        """
        ...

    def ownership(self, dag_ids: Collection[str]) -> dict[str, DagOwnership]:
        """The owners and tags of those of the Dags that Airflow has a row of, gone or not. Two statements."""
        ...

    def schedules(self, dag_ids: Collection[str], *, upcoming: int = 10) -> dict[str, DagSchedule]:
        """How the runs of Dags come about, each with the next ``upcoming`` runs of its timetable.

        A run that exists isn't among them, and there is one less then. A Dag that isn't serialized is left out; a
        timetable that raises has no upcoming runs and can't be held.
        """
        ...


class AssetEvents(Protocol):
    """Who has made, and taken, which assets."""

    def consumptions(self, producers: Collection[RunRef]) -> list[AssetConsumption]:
        """Which runs consumed the asset events of ``producers`` that exist, in the order of the events.

        An event from more than an hour before its run was made, or six hours after its end, isn't found.
        """
        ...

    def led_to(
        self, producers: Collection[RunRef], schedules: Collection[AssetSchedule], *, since: datetime, most: int
    ) -> list[RunRef]:
        """The runs that asset events since ``since`` have led to from ``producers``, over any number of runs.

        The nearest first, at most ``most``, and perhaps not all: what it leaves out has to be asked by `consumptions`.
        ``schedules`` tells which Dags the assets start. One statement, or none where they start nothing.
        """
        ...

    def emissions(self, producers: Collection[RunRef], asset_ids: Collection[int]) -> list[AssetEmission]:
        """The events of ``producers`` for assets, found and in an order as by `consumptions`."""
        ...

    def waiting(self, producers: Collection[RunRef]) -> list[WaitingAsset]:
        """The asset events of ``producers`` that Dags are going to consume in a run that isn't made yet.

        In the order of the events, then of the Dags. A paused Dag is going to, one that is gone isn't.
        """
        ...

    def flows(self, dag_id: str) -> list[AssetFlow]:
        """Whose assets a Dag and its tasks take, and who takes those that its tasks make, as active Dags define it.

        What came through an alias is told by the last ten thousand events that did.
        """
        ...


class TaskRecords(Protocol):
    """Task instances, their tries, and what they have left behind."""

    def task_instances(self, refs: Collection[RunRef]) -> dict[RunRef, list[TaskInstanceFacts]]:
        """The task instances of runs by task and map index, removed ones included, without their dates.

        A run that has none is left out.
        """
        ...

    def accounts(
        self, refs: Collection[RunRef], *, places: Places | None = None, since: Moments | None = None
    ) -> dict[RunRef, RunAccount]:
        """How runs came to where they are; a run that is gone is left out.

        ``places``: for a run that has taken the place of others, those. Their tries count as earlier ones. ``since``:
        since when what was made for a run counts as added to it; for a run that it doesn't name, since its last clear.
        """
        ...

    def tries(
        self, refs: Collection[RunRef], *, places: Places | None = None, since: Moments | None = None
    ) -> dict[RunRef, RunTries]:
        """The tries of runs' task instances that were started, by the workers' clocks; else like `accounts`."""
        ...

    def task_starts(
        self, tasks: Collection[tuple[str, str]], *, since: datetime, until: datetime | None
    ) -> list[TaskStart]:
        """When instances of ``tasks`` (``(dag_id, task_id)``) last started, at or after ``since`` and before ``until``.

        A start that a rerun gave doesn't count, if there was one before: what the rerun makes anew stands in the place
        of that. Nor does a skip after it. In the order of time. Those of runs that had ended before ``since`` aren't
        looked for.
        """
        ...

    def triggered_runs(self, parents: Collection[RunRef]) -> list[TriggeredRun | DoubtfulRecord]:
        """Which runs the TriggerDagRun tasks of ``parents`` made, and which of their records can't be true.

        A record counts if the run exists, was made by a task or may have been cleared by this one, and is of the Dag
        that the task declares in the version which its run is of, where that is fixed. Without a declaration it is
        believed if the task's link names the Dag, and otherwise not told: the XCom is somebody else's.
        """
        ...

    def triggering_runs(self, children: Collection[RunRef]) -> list[TriggeredRun]:
        """Which tasks made ``children``, as `triggered_runs` of all runs knows it; what is in doubt is left out."""
        ...

    def orphaned_dags(self, since: datetime) -> Collection[str]:
        """The Dags with a run that a task has made since a moment, and of which nothing tells any more which task."""
        ...

    def recorded_waits(
        self, sensors: Collection[tuple[str, str]], *, since: datetime, dates: Mapping[str, Collection[datetime]]
    ) -> list[RecordedWait | DoubtfulRecord]:
        """What the listener recorded for the sensors ``(dag_id, task_id)`` at or after ``since``, in no order.

        Of the dates waited for, each record has those of ``dates`` (by the Dag waited for) and the first few.
        """
        ...

    def last_waits(self, sensors: Collection[tuple[str, str]]) -> list[RecordedWait | DoubtfulRecord]:
        """What the listener recorded for each of ``sensors`` in the run that was made last among those in which it did.

        Of all map indexes, in no order, each with its first few dates.
        """
        ...

    def recorded_sensors(self, *, since: datetime) -> frozenset[tuple[str, str]]:
        """The sensors ``(dag_id, task_id)`` of which the listener recorded anything at or after ``since``.

        Their Dags may be gone, or have no such task by now.
        """
        ...

    def sensor_instances(
        self,
        sensors: Collection[tuple[str, str]],
        *,
        refs: Collection[RunRef] = (),
        since: datetime | None = None,
    ) -> list[SensorInstance]:
        """The task instances of ``sensors`` in ``refs``; with ``since`` instead: those that ended at or after it.

        By run, task and map index.
        """
        ...

    def rendered_fields(
        self, tasks: Collection[tuple[str, str]], refs: Collection[RunRef]
    ) -> dict[tuple[RunRef, str, int], Mapping[str, object]]:
        """What was rendered for the task instances of ``tasks`` (``(dag_id, task_id)``) in ``refs``.

        Those fields that name Dags, tasks and groups, as far as Airflow still keeps them.
        """
        ...

    def obstacles(self, tasks: Mapping[RunRef, Collection[str]]) -> list[Obstacle]:
        """Which of the tasks of runs won't run as things stand.

        First those whose pool is gone or too small, in the order of runs and tasks; then those whose past isn't right.
        """
        ...


@dataclass(frozen=True)
class LineageFacts:
    """The four readers. Every method of theirs is one statement, or a few, however many runs are asked."""

    runs: Runs
    dags: Dags
    assets: AssetEvents
    tasks: TaskRecords
