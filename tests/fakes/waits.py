"""What a `World` has recorded of its sensors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.lineage_records import SHOWN_DATES, DoubtfulRecord, RecordedWait
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from tests.fakes.world import World

Wait = RecordedWait | DoubtfulRecord


def run_of(wait: Wait) -> RunRef:
    """The run whose sensor it is of."""
    return wait.consumer if isinstance(wait, RecordedWait) else wait.run


def recorded(
    world: World,
    sensors: Collection[tuple[str, str]],
    since: datetime,
    dates: Mapping[str, Collection[datetime]],
) -> list[Wait]:
    """Since a moment."""
    found = [wait for at, wait in world.waits if at >= since and (run_of(wait).dag_id, wait.task_id) in sensors]
    return [shortened(wait, dates) for wait in found]


def last(world: World, sensors: Collection[tuple[str, str]]) -> list[Wait]:
    """Those of the run that was made last among those of which there is one."""
    made = {ref: number for number, ref in enumerate(world.runs)}
    newest: dict[tuple[str, str], tuple[int, datetime, RunRef]] = {}
    for at, wait in world.waits:
        ref = run_of(wait)
        sensor = ref.dag_id, wait.task_id
        newest[sensor] = max(newest.get(sensor, (-2, at, ref)), (made.get(ref, -1), at, ref))
    found = [wait for _, wait in world.waits if (run_of(wait).dag_id, wait.task_id) in sensors]
    return [shortened(wait, {}) for wait in found if run_of(wait) == newest[run_of(wait).dag_id, wait.task_id][2]]


def shortened(wait: Wait, wanted: Mapping[str, Collection[datetime]]) -> Wait:
    """A record with those of its dates that are shown or asked for."""
    if isinstance(wait, DoubtfulRecord):
        return wait
    asked = wanted.get(wait.external_dag_id, ())
    every = tuple(dict.fromkeys(wait.dates))
    kept = tuple(date for number, date in enumerate(every) if number < SHOWN_DATES or date in asked)
    return replace(wait, dates=kept, date_count=wait.date_count or (len(every) if len(every) > len(kept) else None))
