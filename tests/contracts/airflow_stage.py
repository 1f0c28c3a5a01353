"""A real Airflow database as a `Stage`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY, waited_value
from airflow_rerun_downstream.domain.lineage_records import RecordedWait
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, normalised
from tests.airflow3 import history, scene, task_rows
from tests.contracts.stages import DAY, MAKERS, MINUTE, NOW, Shape, dispatched

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from airflow_rerun_downstream.ports.durations import Durations
    from airflow_rerun_downstream.ports.gateway import Gateway
    from airflow_rerun_downstream.ports.lineage import LineageFacts

TRIGGERED_BY = {"scheduler": "timetable", "asset": "asset", "backfill": "backfill", "person": "ui", "task": "operator"}


def nothing(number: int = 0) -> None:
    """A task of the Dags here."""


class AirflowStage:
    """Airflow's own code writes the rows as far as it can be had without a scheduler and workers."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def facts(self) -> LineageFacts:
        """What is read of the database, once Airflow has queued what the next runs are going to consume."""
        from airflow_rerun_downstream.airflow3.lineage_facts import readers
        from airflow_rerun_downstream.airflow3.versions import QUEUED_BY_EVENT

        if QUEUED_BY_EVENT:
            queue_by_event(self.session)
        return readers(self.session)

    def dag(self, shape: Shape) -> None:
        from airflow.sdk import DAG, Asset

        schedule: Any = [Asset(name, uri=name) for name in shape.starts_with] or "@daily"
        with DAG(shape.dag_id, schedule=schedule, start_date=scene.START, catchup=False) as dag:
            tasks = {task_id: self._task(shape, task_id) for task_id in shape.tasks}
            for chain in shape.order.split(";"):
                ids = [part.strip() for part in chain.split(">>")]
                for before, after in itertools.pairwise(ids):
                    tasks[before] >> tasks[after]
        self.session.expire_all()  # the dag processor begins with a session of its own
        scene.save(dag, session=self.session)

    def _task(self, shape: Shape, task_id: str) -> Any:
        from airflow.providers.standard.operators.python import PythonOperator
        from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
        from airflow.providers.standard.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor
        from airflow.sdk import Asset

        more: dict[str, Any] = {"task_id": task_id, "depends_on_past": task_id in shape.past}
        more["retry_delay"] = timedelta()
        if (pool := shape.pools.get(task_id)) is not None:
            more["pool"], more["pool_slots"] = pool
        more["inlets"] = [Asset(name, uri=name) for name in shape.inlets.get(task_id, ())]
        more["outlets"] = [Asset(name, uri=name) for name in shape.outlets.get(task_id, ())]
        if (target := shape.triggers.get(task_id)) is not None:
            return TriggerDagRunOperator(**more, trigger_dag_id=target, wait_for_completion=task_id in shape.waits)
        if (awaited := shape.sensors.get(task_id)) is not None:
            return ExternalTaskSensor(**more, external_dag_id=awaited[0], external_task_id=awaited[1])
        if (named := shape.markers.get(task_id)) is not None:
            return ExternalTaskMarker(**more, external_dag_id=named[0], external_task_id=named[1])
        if task_id in shape.mapped:
            return PythonOperator.partial(**more, python_callable=nothing).expand_kwargs([{}, {}])
        return PythonOperator(**more, python_callable=nothing)

    def run(
        self,
        dag_id: str,
        *,
        day: float = 0,
        run_id: str | None = None,
        by: str = "scheduler",
        state: str = "success",
        states: Mapping[str, str | None] | None = None,
        dated: bool = True,
    ) -> RunRef:
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        date = scene.START + day * DAY
        dates = {"logical_date": date, "data_interval": (date, date)} if dated else {}
        run = scene.latest(dag_id, session=self.session).create_dagrun(
            run_id=run_id or f"{by}__{date.isoformat()}",
            run_after=date,
            run_type=DagRunType(MAKERS.get(by) or history.operator_type()),
            triggered_by=DagRunTriggeredByType(TRIGGERED_BY[by]),
            state="queued",
            session=self.session,
            **dates,
        )
        usual = {"success": "success", "failed": "failed", "running": "running", "queued": None}[state]
        for ti in run.task_instances:
            state_of_it = (states or {}).get(ti.task_id, usual)
            scene.put(ti, state_of_it, date=date)
            if state_of_it == "skipped":  # by itself: it ran, and said so
                scene.put(ti, "success", date=date)
                ti.state = "skipped"
            if state_of_it == "running":
                ti.end_date = None
        run.state = state
        run.start_date = None if state == "queued" else date
        run.end_date = date + 30 * MINUTE if state in ("success", "failed") else None
        run.queued_at = date
        ref = RunRef(run.dag_id, run.run_id)
        self.session.commit()
        return ref

    def expand(self, ref: RunRef, task_id: str, count: int) -> None:
        first, *rest = (ti for (name, _), ti in self._instances(ref).items() if name == task_id)
        for ti in rest:
            self.session.delete(ti)
        first.map_index = -1
        self.session.flush()
        scene.expand(ref, task_id, count, session=self.session)

    def _instances(self, ref: RunRef) -> dict[tuple[str, int], Any]:
        return scene.instances(ref, session=self.session)

    def grow(self, ref: RunRef, task_id: str, index: int, *, at: datetime) -> None:
        from airflow.models.taskinstance import TaskInstance

        first = scene.instance(ref, task_id, 0, session=self.session)
        task = scene.latest(ref.dag_id, session=self.session).get_task(task_id)
        version = first.dag_version_id
        self.session.add(TaskInstance(task, run_id=ref.run_id, map_index=index, dag_version_id=version))
        self.session.commit()
        self.put(ref, task_id, "success", at=at, map_index=index)

    def drop_tasks(self, ref: RunRef) -> None:
        for ti in self._instances(ref).values():
            self.session.delete(ti)
        self.session.commit()

    def put(self, ref: RunRef, task_id: str, state: str | None, *, at: datetime, map_index: int = -1) -> None:
        ti = scene.instance(ref, task_id, map_index, session=self.session)
        again, ti.state = ti.state is None, state
        if state in ("success", "failed", "running"):
            ti.try_number = max(ti.try_number + again, 1)
            ti.start_date, ti.end_date = at, None if state == "running" else at + MINUTE
        self.session.commit()

    @property
    def durations(self) -> Durations:
        from airflow_rerun_downstream.airflow3.lineage_facts.past_times import PastTimes

        return PastTimes(self.session)

    def begin(self, ref: RunRef, *, at: datetime) -> None:
        run = scene.run_of(ref, session=self.session)
        run.state, run.start_date = "running", at
        self.session.commit()

    def end(self, ref: RunRef, state: str, *, at: datetime | None = None) -> None:
        run = scene.run_of(ref, session=self.session)
        run.state, run.start_date = state, run.start_date or run.run_after
        run.end_date = at or run.run_after + 30 * MINUTE
        self.session.commit()

    def clear(self, ref: RunRef, *task_ids: str) -> None:
        from airflow.models.taskinstance import clear_task_instances

        chosen = [ti for (task_id, _), ti in self._instances(ref).items() if task_id in task_ids]
        clear_task_instances(chosen, self.session)
        self.session.commit()

    @property
    def gateway(self) -> Gateway:
        from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway

        return AirflowGateway(self.session)

    def rerun(self, ref: RunRef, *task_ids: str, number: int = 1, index: int | None = None) -> None:
        dispatched(self.gateway, ref, task_ids, number, index)
        self.session.commit()

    def adopt(self, ref: RunRef, place: RunRef) -> None:
        self.gateway.adopt(ref, place=place, rerun_id=1, actor="ada")
        self.session.commit()

    def take_over(self, ref: RunRef, *task_ids: str, number: int = 1) -> None:
        tasks = normalised(map(TaskRef, task_ids))
        self.gateway.take_over(ref, tasks, rerun_id=number, actor="ada")
        self.session.commit()

    def mark_failed(self, ref: RunRef) -> None:
        run = scene.run_of(ref, session=self.session)
        at = run.run_after + 10 * MINUTE
        run.state, run.end_date = "failed", at
        self.session.commit()
        extra = json.dumps({"state": "failed", "method": "PATCH"})
        history.logged("patch_dag_run", session=self.session, at=at, extra=extra, ref=ref)

    def delete(self, ref: RunRef) -> None:
        scene.delete_run(ref, session=self.session)

    def label(self, dag_id: str, *, owners: str, tags: Collection[str]) -> None:
        from airflow.models.dag import DagTag

        self._dag_row(dag_id).owners = owners
        self.session.add_all(DagTag(name=tag, dag_id=dag_id) for tag in tags)
        self.session.commit()

    def call(self, dag_id: str, name: str, **tasks: str) -> None:
        from airflow.models.taskinstance import TaskInstance

        self._dag_row(dag_id)._dag_display_property_value = name
        for task_id, called in tasks.items():
            for ti in self.session.query(TaskInstance).filter_by(dag_id=dag_id, task_id=task_id):
                ti._task_display_property_value = called
        self.session.commit()

    def note(self, ref: RunRef, text: str) -> None:
        scene.run_of(ref, session=self.session).note = text
        self.session.commit()

    def lose(self, dag_id: str) -> None:
        self._dag_row(dag_id).is_stale = True
        self.session.commit()

    def pause(self, dag_id: str) -> None:
        self._dag_row(dag_id).is_paused = True
        self.session.commit()

    def _dag_row(self, dag_id: str) -> Any:
        from airflow.models.dag import DagModel

        return self.session.get(DagModel, dag_id)

    def made(
        self, parent: RunRef, task_id: str, child: RunRef, *, map_index: int = -1, linked: str | None = None
    ) -> None:
        where = {"session": self.session, "map_index": map_index}
        if linked is not None:
            address = f"http://localhost/base/dags/{linked}/runs/{child.run_id}"
            history.xcom(parent, task_id, "_link_TriggerDagRunLink", address, **where)
        history.xcom(parent, task_id, "trigger_run_id", child.run_id, **where)

    def configure(self, ref: RunRef, conf: Mapping[str, Any]) -> None:
        scene.run_of(ref, session=self.session).conf = conf
        self.session.commit()

    def rendered(self, ref: RunRef, task_id: str, *, map_index: int = -1, **fields: object) -> None:
        where = {"dag_id": ref.dag_id, "run_id": ref.run_id, "task_id": task_id, "map_index": map_index}
        task_rows.add_rendered([{**where, "rendered_fields": fields}], session=self.session)
        self.session.commit()

    def emit(
        self,
        producer: RunRef | None,
        asset: str,
        *consumers: RunRef,
        at: datetime | None = None,
        task_id: str = "t",
        map_index: int = -1,
    ) -> int:
        from airflow.models.asset import AssetEvent

        moment = at or scene.run_of(producer, session=self.session).run_after + MINUTE
        more = {"asset": asset, "task_id": task_id, "map_index": map_index, "at": moment, "session": self.session}
        if producer is not None:
            return history.emit(producer, *consumers, **more)
        event = AssetEvent(asset_id=self.asset_id(asset), extra={}, timestamp=moment)
        self.session.add(event)
        self.session.commit()
        return int(event.id)

    def consume(self, consumer: RunRef, event: int) -> None:
        from airflow.models.asset import AssetEvent

        run = scene.run_of(consumer, session=self.session)
        run.consumed_asset_events.append(self.session.get(AssetEvent, event))
        self.session.commit()

    def asset_id(self, asset: str) -> int:
        return int(history.model(asset, session=self.session).id)

    def pool(self, name: str, slots: int) -> None:
        from airflow.models.pool import Pool

        Pool.create_or_update_pool(name, slots, "", include_deferred=False, session=self.session)
        self.session.commit()

    def lose_pool(self, name: str) -> None:
        from airflow.models.pool import Pool

        Pool.delete_pool(name, session=self.session)
        self.session.commit()

    def move(self, ref: RunRef, task_id: str) -> None:
        from airflow.models.dag_version import DagVersion

        latest = DagVersion.get_latest_version(ref.dag_id, session=self.session)
        scene.instance(ref, task_id, session=self.session).dag_version_id = latest.id
        self.session.commit()

    def waited(self, wait: RecordedWait, *, at: datetime = NOW) -> None:
        value = waited_value(wait.external_dag_id, wait.task_ids, wait.group_id, wait.dates)
        self._record(wait.consumer, wait.task_id, wait.map_index, value, at)

    def scribble(self, ref: RunRef, task_id: str, *, at: datetime = NOW) -> None:
        self._record(ref, task_id, -1, {"mine": 1}, at)

    def _record(self, ref: RunRef, task_id: str, map_index: int, value: Any, at: datetime) -> None:
        where = {"dag_id": ref.dag_id, "run_id": ref.run_id, "task_id": task_id, "map_index": map_index}
        row = {**where, "key": WAITED_KEY, "value": value, "timestamp": at}
        task_rows.add_xcoms([row], session=self.session)
        self.session.commit()


def queue_by_event(session: Session) -> None:
    """Queue for each Dag the events since its last run that assets started, as Airflow 3.4 has done one by one."""
    from airflow.models import asset as models
    from airflow.models.dagrun import DagRun
    from sqlalchemy import delete, func, insert, or_, select, union_all

    event, run, queue = models.AssetEvent.__table__.c, DagRun.__table__.c, models.AssetDagRunQueue.__table__
    plain, alias = models.DagScheduleAssetReference.__table__.c, models.DagScheduleAssetAliasReference.__table__.c
    through = models.asset_alias_asset_event_association_table.c
    by_asset = select(plain.dag_id, event.id, event.asset_id, event.timestamp).where(event.asset_id == plain.asset_id)
    by_alias = select(alias.dag_id, event.id, event.asset_id, event.timestamp).where(
        through.alias_id == alias.alias_id, through.event_id == event.id
    )
    waiting = union_all(by_asset, by_alias).subquery()
    last = (
        select(func.max(run.run_after))
        .where(run.dag_id == waiting.c.dag_id, run.run_type == "asset_triggered")
        .correlate(waiting)
        .scalar_subquery()
    )
    wanted = select(waiting).distinct().where(or_(last.is_(None), waiting.c.timestamp > last))
    rows = [
        {"target_dag_id": dag_id, "asset_event_id": number, "asset_id": asset_id, "created_at": at}
        for dag_id, number, asset_id, at in session.execute(wanted).all()
    ]
    session.execute(delete(queue))
    if rows:
        session.execute(insert(queue), rows)
    session.commit()
