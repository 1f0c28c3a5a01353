"""When the task instances of a `World` last started without a rerun, as Airflow's rows and ours together tell it.

A clear is counted where Airflow raises ``max_tries``: a start belongs to the clear before it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.facts import TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from tests.fakes.world import World

DID_NOTHING = ("skipped", "upstream_failed", "removed")
NOT_BEGUN = (None, "scheduled", "queued", *DID_NOTHING)

Key = tuple[str, int]
Noted = tuple[datetime, int]
"""A start, and how often the task instance had been cleared when it was written down."""


def noted(world: World, ref: RunRef, task: TaskInstanceFacts) -> datetime | None:
    """What was written down by a rerun, and holds."""
    clears = world.clears.get((ref, task.task_id, task.map_index), 0)
    if (known := world.own_starts.get((ref, task.task_id, task.map_index))) is not None:
        return known[0] if known[1] == clears or task.state in NOT_BEGUN else None
    to_come = world.own_starts.get((ref, task.task_id, -1)) if task.map_index > -1 else None
    return to_come[0] if to_come is not None and to_come[1] == clears else None


def own(world: World, ref: RunRef, task: TaskInstanceFacts) -> datetime | None:
    """The last start of a task instance's own."""
    if (known := noted(world, ref, task)) is not None:
        return known
    return None if task.state in DID_NOTHING else task.start_date


def of_run(world: World, ref: RunRef) -> dict[Key, datetime]:
    """Those of a run's task instances."""
    every = {(task.task_id, task.map_index): own(world, ref, task) for task in world.tasks.get(ref, ())}
    return {key: at for key, at in every.items() if at is not None}


def note_dispatch(
    world: World, ref: RunRef, starts: dict[Key, datetime], cleared: Collection[Key], whole: Collection[str]
) -> None:
    """A rerun has cleared task instances."""
    for task_id, index in cleared:
        at = starts.get((task_id, index))
        if at is not None:
            world.own_starts[ref, task_id, index] = (at, world.clears[ref, task_id, index])
        if index > -1 and task_id in whole:
            first = min((one for (name, each), one in starts.items() if name == task_id and each > -1), default=None)
            if first is not None:
                world.own_starts[ref, task_id, -1] = (first, 0)


def note_adoption(world: World, ref: RunRef, place: RunRef) -> None:
    """A run has taken another one's place, or its own once more."""
    if ref == place:
        follow_clear(world, ref, [(task.task_id, task.map_index) for task in world.tasks.get(ref, ())])
        return
    mine = {task.task_id for task in world.tasks.get(ref, ())}
    starts = {key: at for key, at in of_run(world, place).items() if key[0] in mine}
    for (task_id, index), at in starts.items():
        world.own_starts[ref, task_id, index] = (at, world.clears.get((ref, task_id, index), 0))
    for task_id in {task_id for task_id, index in starts if index > -1}:
        world.own_starts[ref, task_id, -1] = (min(at for key, at in starts.items() if key[0] == task_id), 0)


def follow_clear(world: World, ref: RunRef, some: Collection[Key]) -> None:
    """Somebody else has cleared task instances for a rerun: they read again what they had read before that."""
    for task_id, index in some:
        key = (ref, task_id, index)
        known, clears = world.own_starts.get(key), world.clears.get(key, 0)
        if not clears or (known is not None and known[1] == clears):
            continue
        at = world.cleared_from.get(key) or (known[0] if known else None)
        if at is not None:
            world.own_starts[key] = (at, clears)
