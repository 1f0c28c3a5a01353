"""Writes worlds into a real Airflow database: Dags by Airflow's own serialization, rows as Airflow leaves them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, AssetAny
from sqlalchemy import select, text, update

from airflow_rerun_downstream import policy
from tests.airflow3 import history, scene, task_rows
from tests.worlds.model import FIRST_DAY, MINUTE, Dag, Event, Run, World
from tests.worlds.repairing import repair

try:
    from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable
except ImportError:  # Airflow 3.1
    from airflow.timetables.assets import AssetOrTimeSchedule
    from airflow.timetables.trigger import CronTriggerTimetable

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

START = datetime(2026, 1, 1, tzinfo=FIRST_DAY.tzinfo)


def built(dag: Dag, version: int) -> DAG:
    """A version as its author's file makes it, after the deployment's policies."""
    with DAG(dag.dag_id, schedule=schedule(dag), start_date=START, catchup=False, params=dag.params[version]) as made:
        operators: dict[str, Any] = {}
        for task in dag.versions[version].values():
            if task.make is not None:
                found = task.make()
                operators |= found if isinstance(found, dict) else {task.task_id: found}
        for task in dag.versions[version].values():
            for before in task.after:
                operators[before] >> operators[task.task_id]
    if dag.policy:
        for operator in made.tasks:
            policy.task_policy(operator)
    return made


def schedule(dag: Dag) -> Any:
    """What starts it."""
    clock = CronTriggerTimetable(f"0 {dag.hour} * * *", timezone="UTC")
    if dag.form == "timed":
        return clock
    if dag.form == "asset_or_time":
        return AssetOrTimeSchedule(timetable=clock, assets=dag.assets)
    if dag.form == "assets" and dag.assets:
        return AssetAny(*dag.assets) if len(dag.assets) > 1 else dag.assets
    return None


class Writer:
    """Writes a batch of worlds into an empty database."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.run_ids: dict[Any, int] = {}
        self.template = 0
        self.operators: dict[str, dict[str, str]] = {}

    def write(self, worlds: Sequence[World]) -> None:
        """All of it: first versions, their runs, second versions, their runs, and what they left."""
        dags = [(world, dag) for world in worlds for dag in world.dags]
        self.versions([(dag, 0) for _, dag in dags if dag.changes] + [(dag, 1) for _, dag in dags if not dag.changes])
        self.template = self.session.execute(text("SELECT max(id) FROM log_template")).scalar_one()
        runs = [run for world in worlds for run in world.runs.values()]
        self.runs([run for run in runs if run.version == 0 or not run.dag.changes])
        if changed := [(dag, 1) for _, dag in dags if dag.changes]:
            self.versions(changed)
        self.runs([run for run in runs if run.version == 1 and run.dag.changes])
        for world in worlds:
            self.records(world)
        self.events([event for world in worlds for event in world.events])
        repair(worlds, session=self.session)
        self.stale([dag.dag_id for _, dag in dags if dag.stale])
        self.session.commit()

    def versions(self, dags: Sequence[tuple[Dag, int]]) -> None:
        """What Airflow's Dag processor does with parsed files."""
        made = [built(dag, version) for dag, version in dags]
        self.operators |= {dag.dag_id: {task.task_id: task.task_type for task in dag.tasks} for dag in made}
        scene.save(*made, session=self.session)

    def runs(self, runs: Sequence[Run]) -> None:
        """Runs with their task instances, of the latest version that there is now."""
        from airflow.models.dagrun import DagRun

        if not runs:
            return
        table = DagRun.__table__
        task_rows.add(table, [self.run_row(run) for run in runs], session=self.session)
        found = self.session.execute(select(table.c.id, table.c.dag_id, table.c.run_id))
        self.run_ids = {(row.dag_id, row.run_id): row.id for row in found}
        latest = self.latest()
        table = task_rows.task_instances()
        rows = [
            {
                "id": history.uuid_of(table.c.id),
                "dag_version_id": latest[run.ref.dag_id],
                "operator": self.operators[run.ref.dag_id][row["task_id"]],
                **row,
            }
            for run in runs
            for row in instance_rows(run)
        ]
        task_rows.add(table, rows, session=self.session)

    def latest(self) -> dict[str, Any]:
        """The latest version of each Dag."""
        from airflow.models.dag_version import DagVersion

        table = DagVersion.__table__.c
        found = self.session.execute(select(table.dag_id, table.id).order_by(table.version_number))
        return {row.dag_id: row.id for row in found}

    def run_row(self, run: Run) -> dict[str, Any]:
        """A row of ``dag_run``."""
        types = {"scheduled": "scheduled", "asset": "asset_triggered", "operator": history.operator_type()}
        by = {"scheduled": "TIMETABLE", "asset": "ASSET", "operator": "OPERATOR"}
        return {
            "dag_id": run.ref.dag_id,
            "run_id": run.ref.run_id,
            "run_type": types[run.by],
            "triggered_by": by[run.by],
            "state": "success",
            "logical_date": run.logical,
            "data_interval_start": run.logical,
            "data_interval_end": run.logical,
            "run_after": run.ready,
            "queued_at": run.ready,
            "start_date": run.ready + MINUTE,
            "end_date": run.end,
            "log_template_id": self.template,
            "conf": run.conf,
            "clear_number": 0,
            "span_status": "ended",
        }

    def records(self, world: World) -> None:
        """XComs and rendered fields."""
        if world.xcoms:
            rows = [
                {
                    **where(each.run, each.task_id, each.map_index),
                    "key": each.key,
                    "value": each.value,
                    "timestamp": each.at,
                }
                for each in world.xcoms
            ]
            task_rows.add_xcoms(rows, session=self.session)
        if world.rendered:
            rows = [{**where(*key), "rendered_fields": fields} for key, fields in world.rendered.items()]
            task_rows.add_rendered(rows, session=self.session)

    def events(self, events: Iterable[Event]) -> None:
        """Asset events in the order of time, who consumed them, and their aliases."""
        for each in sorted(events, key=lambda event: event.at):
            asset = history.model(each.asset, session=self.session)
            event = self.event(each, asset) if each.kept else None
            if each.alias:
                self.through_alias(each.alias, asset, event)

    def event(self, each: Event, asset: Any) -> Any:
        """A row of ``asset_event``, and the runs that it started."""
        from airflow.models.asset import AssetEvent

        event = AssetEvent(
            asset_id=asset.id,
            source_dag_id=each.run.dag_id,
            source_run_id=each.run.run_id,
            source_task_id=each.task_id,
            source_map_index=-1,
            extra={},
            timestamp=each.at,
        )
        self.session.add(event)
        self.session.flush()
        for consumer in each.consumers:
            ids = {"event": event.id, "run": self.run_ids[consumer.dag_id, consumer.run_id]}
            self.session.execute(
                text("INSERT INTO dagrun_asset_event (event_id, dag_run_id) VALUES (:event, :run)"), ids
            )
        return event

    def through_alias(self, name: str, asset: Any, event: Any) -> None:
        """That an asset came through an alias is kept, whatever becomes of the events."""
        from airflow.models.asset import AssetAliasModel

        alias = self.session.scalars(select(AssetAliasModel).where(AssetAliasModel.name == name)).one()
        if asset not in alias.assets:
            alias.assets.append(asset)
        if event is not None:
            alias.asset_events.append(event)

    def stale(self, dag_ids: Sequence[str]) -> None:
        """Dags whose files are gone."""
        from airflow.models.dag import DagModel

        self.session.execute(update(DagModel).where(DagModel.dag_id.in_(dag_ids)).values(is_stale=True))


def instance_rows(run: Run) -> Iterable[dict[str, Any]]:
    """Rows of ``task_instance``."""
    for (task_id, index), each in run.instances.items():
        yield {
            **where(run.ref, task_id, index),
            "state": each.state,
            "try_number": each.tries,
            "max_tries": 0,
            "start_date": each.start,
            "end_date": each.end,
            "pool": "default_pool",
            "pool_slots": 1,
            "span_status": "ended",
        }


def where(ref: Any, task_id: str, map_index: int) -> dict[str, Any]:
    """The names of a task instance."""
    return {"dag_id": ref.dag_id, "run_id": ref.run_id, "task_id": task_id, "map_index": map_index}
