"""Earlier reruns: some runs have been made anew before, in their order, by the gateway itself.

Nobody has read anything else by that than before: a rerun makes anew what was made of the same data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, normalised
from tests.worlds.model import DAY, FIRST_DAY, MINUTE, Event, Run, World

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

EARLIER_RERUN = "an earlier rerun"
REPAIRED = FIRST_DAY + 7 * DAY
"""After everything else, "late events" too, and before the plan is made."""
MOST = 6
"""So many runs of a world are rerun at most, and some of them twice."""


@dataclass(frozen=True)
class Repair:
    """A run that a rerun has made anew, from a task on or as a whole."""

    run: Run
    tasks: frozenset[str]
    at: datetime


def choose(world: World) -> list[Repair]:
    """What earlier reruns have made anew, if there were any."""
    random = Random(f"{world.seed}/repaired")
    if EARLIER_RERUN in world.left_out or random.random() > 0.35:
        return []
    possible = sorted((run for run in world.runs.values() if repairable(world, run)), key=lambda run: run.ready)
    chosen = random.sample(possible, min(MOST, len(possible)))
    sources = [world.runs[ref] for ref, _ in world.sources]
    chosen += [run for run in sources if run in possible and run not in chosen]
    chosen += random.sample(chosen, min(2, len(chosen)))
    found = []
    for number, run in enumerate(sorted(chosen, key=lambda run: run.ready)):
        first = random.choice([None, *sorted(run.tasks)])
        tasks = set(run.tasks) if first is None else run.dag.followers(run.version, {first})
        good = {task_id for task_id in tasks if all(each.state == "success" for _, each in run.of(task_id))}
        if good:
            found.append(Repair(run, frozenset(good), REPAIRED + number * 10 * MINUTE))
    return found


def repairable(world: World, run: Run) -> bool:
    """Whether a rerun makes nothing new of it: no version that it would move to, and no runs that it triggers."""
    triggering = {up.dag_id for link in world.links if link.kind is LinkKind.TRIGGER for up in link.ups}
    waiting = {link.down.dag_id for link in world.links if link.kind is LinkKind.TRIGGER}
    latest = run.version == 1 or not run.dag.changes
    return latest and not run.dag.stale and run.ref.dag_id not in triggering | waiting


def repair(worlds: Iterable[World], *, session: Session) -> None:
    """Let the reruns take place, all in a batch of worlds side by side."""
    for world in worlds:
        for number, each in enumerate(world.repaired, start=1):
            make_anew(world, each, number, session=session)


def make_anew(world: World, repair: Repair, number: int, *, session: Session) -> None:
    """Dispatch a run, and let it run through."""
    from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway

    ref = repair.run.ref
    tasks = normalised(TaskRef(task_id) for task_id in repair.tasks)
    more: dict[str, Any] = {"retry": False, "run_on_latest_version": False}
    AirflowGateway(session).dispatch(ref, tasks, rerun_id=number, actor="ada", **more)
    run_through(ref, repair, session=session)
    for event in [one for one in world.events if one.run == ref and one.task_id in repair.tasks]:
        repeat(event, repair, session=session)
    session.flush()


def run_through(ref: RunRef, repair: Repair, *, session: Session) -> None:
    """What the scheduler and the workers write."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import update

    from tests.airflow3 import task_rows

    end = repair.at + 2 * MINUTE
    of_run = {"dag_id": ref.dag_id, "run_id": ref.run_id}
    tasks, runs = task_rows.task_instances(), DagRun.__table__

    def these(table: Any) -> list[Any]:
        return [table.c[name] == value for name, value in of_run.items()]

    ran = {"state": "success", "start_date": repair.at, "end_date": end, "try_number": tasks.c.try_number + 1}
    session.execute(update(tasks).where(*these(tasks), tasks.c.task_id.in_(repair.tasks)).values(**ran))
    session.execute(update(runs).where(*these(runs)).values(state="success", start_date=repair.at, end_date=end))
    task_rows.date_xcoms(ref, repair.tasks, end, session=session)


def repeat(event: Event, repair: Repair, *, session: Session) -> None:
    """The task emits once more: a repeat of what is still there, else an event like a first one."""
    from airflow.models.asset import AssetEvent
    from sqlalchemy import insert, select

    from airflow_rerun_downstream.airflow3.hooks.repeated_events import TICK
    from airflow_rerun_downstream.store import tables
    from tests.airflow3 import history

    asset = history.model(event.asset, session=session)
    table = AssetEvent.__table__.c
    known = session.execute(
        select(table.id, table.timestamp)
        .where(table.source_dag_id == event.run.dag_id, table.source_run_id == event.run.run_id)
        .where(table.source_task_id == event.task_id, table.asset_id == asset.id)
    ).all()
    again = AssetEvent(
        asset_id=asset.id,
        source_dag_id=event.run.dag_id,
        source_run_id=event.run.run_id,
        source_task_id=event.task_id,
        source_map_index=-1,
        extra={},
        timestamp=max((one.timestamp for one in known), default=repair.at) + TICK,
    )
    session.add(again)
    session.flush()
    if known:
        session.execute(
            insert(tables.repeat), [{"event_id": again.id, "original_id": original.id} for original in known]
        )
