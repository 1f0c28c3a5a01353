"""Takes each kind of care out of the code, to show that the random worlds would tell.

A switch is only here: it puts what the code did without that care, or nothing at all, in the place of a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from sqlalchemy import null

from airflow_rerun_downstream.airflow3.lineage_facts import four_readers, serialized_dag, serialized_task, task_starts
from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.domain.lineage_records import SensorInstance
from airflow_rerun_downstream.lineage import discovery, planner
from airflow_rerun_downstream.lineage.behind import Behind
from airflow_rerun_downstream.lineage.kinds import declared
from airflow_rerun_downstream.lineage.kinds.sensor import observations, sensor_search

Switch = Callable[[pytest.MonkeyPatch], None]


def no_controllers(patch: pytest.MonkeyPatch) -> None:
    """Nothing reads what a child has made, for which its parent waited."""
    patch.setattr(four_readers.AirflowTaskRecords, "triggering_runs", lambda *_: [])


def no_forgotten_children(patch: pytest.MonkeyPatch) -> None:
    """Where no record says so, no run was made."""
    patch.setattr(planner, "unrecorded", lambda *_: ())


def no_records_by_themselves(patch: pytest.MonkeyPatch) -> None:
    """A record counts only where today's Dag has a sensor that names that Dag."""
    patch.setattr(discovery.Discovery, "strays", lambda *_: frozenset())


def one_record_for_all(patch: pytest.MonkeyPatch) -> None:
    """A record of one run, or of one map index, speaks for all."""

    def without(self: observations.Records, instances: Iterable[SensorInstance]) -> list[SensorInstance]:
        recorded = {(run.dag_id, task_id) for run, task_id, _ in self.waits}
        return [one for one in instances if (one.run.dag_id, one.task_id) not in recorded]

    patch.setattr(observations.Records, "without", without)


def the_latest_version_for_all(patch: pytest.MonkeyPatch) -> None:
    """Every run is taken for one of its Dag's latest version."""
    patch.setattr(four_readers.AirflowDags, "own_versions", lambda *_: {})
    patch.setattr(four_readers.AirflowDags, "earlier_definitions", lambda *_, **__: Definitions())


def no_lost_events(patch: pytest.MonkeyPatch) -> None:
    """Where no event is kept, nothing was made."""
    patch.setattr(planner, "lost_events", lambda *_: ())


def arguments_are_text(patch: pytest.MonkeyPatch) -> None:
    """What only a running task knows counts as what is written, and indexes aren't told apart."""
    patch.setattr(serialized_task, "OF_A_GROUP", "\0")
    patch.setattr(serialized_task.Task, "by_index", lambda self: None)


def dated_runs_only(patch: pytest.MonkeyPatch) -> None:
    """A declared link that finds no run of its date says nothing."""
    patch.setattr(declared, "without_date", lambda *_: ())


def nothing_behind(patch: pytest.MonkeyPatch) -> None:
    """What hangs on an unresolved link isn't told."""
    patch.setattr(planner, "behind", lambda *_: Behind())


def no_sensors_of_ones_own(patch: pytest.MonkeyPatch) -> None:
    """Only Airflow's own sensor is one."""
    patch.setattr(serialized_dag, "is_own_sensor", lambda task: False)


def offsets_are_believed(patch: pytest.MonkeyPatch) -> None:
    """A sensor without the policy's mark is taken to wait for the same date, and nothing else is told of it."""
    told = sensor_search.SensorSearch.unresolved

    def unresolved(self: sensor_search.SensorSearch) -> Any:
        self.open = [sensor for sensor in self.open if sensor.decides_itself]
        return told(self)

    patch.setattr(sensor_search.SensorSearch, "unresolved", unresolved)


def skipped_sensors_read(patch: pytest.MonkeyPatch) -> None:
    """Every sensor has read what it was to wait for."""
    patch.setattr(SensorInstance, "counts", property(lambda self: True))


def every_start_counts(patch: pytest.MonkeyPatch) -> None:
    """What a rerun has made anew has read what was there then."""
    patch.setattr(task_starts, "noted_start", lambda run_id, source: (null(), source))


SWITCHES: Mapping[str, Switch] = {
    "controllers": no_controllers,
    "triggered runs": no_forgotten_children,
    "recorded waits": no_records_by_themselves,
    "one record doesn't silence the rest": one_record_for_all,
    "the run's own version": the_latest_version_for_all,
    "assets": no_lost_events,
    "declared links": dated_runs_only,
    "arguments that nobody can know": arguments_are_text,
    "behind an unresolved link": nothing_behind,
    "sensors of one's own": no_sensors_of_ones_own,
    "sensors parsed without our policy": offsets_are_believed,
    "skipped sensors": skipped_sensors_read,
    "earlier reruns": every_start_counts,
}
