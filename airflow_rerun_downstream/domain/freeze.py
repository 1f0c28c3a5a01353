"""Freeze mode's words: how a Dag's runs come about, and what keeps one of them from starting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_rerun_downstream.domain.refs import RunRef


@dataclass(frozen=True, slots=True)
class UpcomingRun:
    """A run that a Dag's timetable is going to make; ``run_id`` as Airflow will name it.

    ``needs_assets``: not before assets have come as well, however long ago its time was.
    """

    dag_id: str
    run_id: str
    logical_date: datetime
    run_after: datetime
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    needs_assets: bool = False


@dataclass(frozen=True)
class DagSchedule:
    """How the runs of a Dag come about, and whether they can be held.

    ``upcoming``: the next runs of its timetable, soonest first; empty where time starts none. ``active_runs`` are
    its queued and running ones, without backfills. ``asset_scheduled``: assets start runs; ``asset_gated``: those of
    its timetable wait for assets, and consume their events. ``takes_missed_events``: the next run of
    these kinds consumes every event that no run of the Dag has. ``cannot_hold`` and ``cannot_park`` say why a run that
    time starts, or one that assets start, can't be frozen (a word of `REASONS`); None: it can.
    """

    dag_id: str
    upcoming: tuple[UpcomingRun, ...] = ()
    asset_scheduled: bool = False
    asset_gated: bool = False
    takes_missed_events: bool = False
    partitioned: bool = False
    is_paused: bool = False
    is_draining: bool = False
    max_active_runs: int | None = None
    active_runs: int = 0
    has_deadline: bool = False
    cannot_hold: str | None = None
    cannot_park: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingAsset:
    """An asset event of ``producer``'s task for which a Dag has no run yet, though one will consume it.

    ``partition_key`` is that of the run to come; None: the Dag isn't partitioned.
    """

    producer: RunRef
    task_id: str
    map_index: int
    event_id: int
    asset: str
    dag_id: str
    partition_key: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps a frozen member's run from starting, and how that run stands.

    A hold on a run to come has no ``run_id``; the run of a time-scheduled Dag gets one when the scheduler has made
    it, held. ``run_after`` is the true one, as it will be after the release; None: not known before the run is made.
    ``logical_date`` is the run's: a later one than was awaited where Airflow has passed over that.
    ``run_state`` None with a ``run_id``: the run is gone, and one that was made anew under its id isn't held.
    ``taken_by`` is a run that has the awaited logical date but isn't held: somebody else made it.
    ``draining``: the run is there, and keeps its Dag from being paused at the end of its draining.
    """

    member_id: int
    rerun_id: int
    dag_id: str
    run_id: str | None = None
    run_after: datetime | None = None
    run_state: str | None = None
    taken_by: str | None = None
    logical_date: datetime | None = None
    draining: bool = False

    @property
    def run(self) -> RunRef | None:
        """The run that is held; None: it isn't made yet."""
        return None if self.run_id is None else RunRef(self.dag_id, self.run_id)
