"""What a `World` says of its Dags: their versions, what they declare, and what keeps their tasks from running."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.definitions import DagVersion, Definitions, PastDependency, TriggerDefinition
from airflow_rerun_downstream.domain.facts import FAILED_TASK_STATES, FINISHED_RUN_STATES
from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.domain.sentence import Sentence

if TYPE_CHECKING:
    from tests.fakes.world import World

KINDS = ("sensors", "markers", "triggers", "past_dependencies", "inlets", "outlets")


def definitions(world: World) -> Definitions:
    """Those of active Dags; of the outlets, those that somebody takes, or took before their Dag was gone."""
    there = {kind: [one for one in getattr(world, kind) if one.dag_id not in world.gone] for kind in KINDS}
    schedules = [one for one in world.asset_schedules if one.dag_id not in world.gone]
    gone = tuple(one for one in world.asset_schedules if one.dag_id in world.gone)
    taken = {one.asset_id for one in (*world.inlets, *world.asset_schedules)}
    there["triggers"] = [replace(one, last=last(world, one)) for one in there["triggers"]]
    there["outlets"] = [one for one in there["outlets"] if one.asset_id in taken]
    return Definitions(
        **{kind: tuple(some) for kind, some in there.items()},
        asset_schedules=tuple(schedules),
        gone_schedules=gone,
        unreadable=frozenset(world.unreadable - world.gone),
        structures={dag_id: dag for dag_id, dag in world.structures.items() if dag_id not in world.gone},
    )


def last(world: World, trigger: TriggerDefinition) -> bool:
    """Whether no task follows one."""
    dag = world.structures.get(trigger.dag_id)
    node = dag.tasks.get(trigger.task_id) if dag is not None else None
    return node is not None and not node.followers


def earlier(world: World, since: datetime) -> Definitions:
    """Those of versions that were replaced since, and of Dags that are gone, each once, and what a test has said."""
    found = [some for at, _, some in world.replaced if at >= since]
    found += [declared_by(world, dag_id) for dag_id in sorted(world.gone)]
    changed = {dag_id for at, dag_id, _ in world.replaced if at >= since} | world.gone
    every = [world.earlier, *found]
    kinds = {kind: {repr(one): one for some in every for one in getattr(some, kind)} for kind in KINDS}
    once = {kind: tuple(some.values()) for kind, some in kinds.items()}
    return replace(world.earlier, **once, changed=world.earlier.changed | changed)


def declared_by(world: World, dag_id: str) -> Definitions:
    """What a Dag's latest version declares."""
    found = {kind: tuple(one for one in getattr(world, kind) if one.dag_id == dag_id) for kind in KINDS}
    found["triggers"] = tuple(replace(one, last=last(world, one)) for one in found["triggers"])
    return Definitions(**found)


def own_version(world: World, ref: RunRef) -> DagVersion:
    """A run's version, with what Airflow says of the Dag whatever its version."""
    version, latest = world.versions.get(ref), world.structures.get(ref.dag_id)
    if version is None:
        return DagVersion(world.structures[ref.dag_id], declared_by(world, ref.dag_id))
    if latest is None:
        return version
    now = {name: getattr(latest, name) for name in ("is_paused", "max_active_runs", "version")}
    return replace(version, structure=replace(version.structure, **now))


def schedule(world: World, known: DagSchedule, upcoming: int) -> DagSchedule:
    """How the runs of a Dag come about as things stand."""
    runs = [run for run in world.runs.values() if run.ref.dag_id == known.dag_id]
    made = {run.logical_date for run in runs}
    active = [run for run in runs if run.state not in FINISHED_RUN_STATES and not run.backfill]
    structure = world.structures.get(known.dag_id)
    return replace(
        known,
        upcoming=tuple(run for run in known.upcoming[:upcoming] if run.logical_date not in made),
        is_paused=known.is_paused or (structure is not None and structure.is_paused),
        active_runs=known.active_runs or len(active),
    )


def obstacles(world: World, tasks: Mapping[RunRef, Collection[str]]) -> Iterator[Obstacle]:
    """Pools that are gone or too small, then pasts that aren't right; and what a test has said."""
    for ref in sorted(tasks):
        for task_id in sorted({task.task_id for task in world.tasks.get(ref, ())} & set(tasks[ref])):
            pool, takes = world.pool_of.get((ref.dag_id, task_id), ("default_pool", 1))
            slots = world.pools.get(pool)
            if slots is None:
                yield Obstacle(ref, task_id, "pool_gone", Sentence("part.pool_gone", pool=pool))
            elif 0 <= slots < takes:
                yield Obstacle(ref, task_id, "no_pool_slots", f"it takes {takes} of the {slots} slots of {pool}")
    for ref, wanted in tasks.items():
        for one in world.past_dependencies:
            if one.dag_id == ref.dag_id and one.task_id in wanted and ref in world.runs:
                yield from unmet(world, ref, one)
    yield from (one for one in world.obstacles if one.task_id in tasks.get(one.ref, ()))


def unmet(world: World, ref: RunRef, one: PastDependency) -> Iterator[Obstacle]:
    """What of the run before isn't right."""
    date = world.runs[ref].logical_date
    before = [
        (run.logical_date, run.ref)
        for run in world.runs.values()
        if run.ref.dag_id == ref.dag_id
        and None not in (date, run.logical_date)
        and run.logical_date < date
        and not (one.scheduled_only and run.run_type == "manual")
    ]
    if not before:
        return
    previous = max(before)[1]
    there = world.tasks[previous]
    wrong = [task for task in there if task.task_id in one.waits_for and task.state not in ("success", "skipped")]
    if wrong and any(task.task_id == one.task_id for task in there):
        ended = world.runs[previous].state in FINISHED_RUN_STATES
        lasting = all(ended or task.state in FAILED_TASK_STATES for task in wrong)
        yield Obstacle(ref, one.task_id, "depends_on_past", f"{previous} isn't right", previous, lasting)
