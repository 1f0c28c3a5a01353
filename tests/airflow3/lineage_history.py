"""What Airflow would have left of the runs in a row of the lineage table, written by hand.

Runs have short names: ``up@03-28`` is the scheduled run of ``up`` of the 28th of March 2026 (its logical date, or its
ready time where it has none), ``up@03-28T05:00`` that of 5 o'clock UTC, and ``child#1`` a run that no clock started.
``up@03-28.load`` is a task of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import history, scene, task_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Step = Callable[["History"], None]


def date_of(text: str) -> datetime:
    """``03-28`` or ``03-28T05:00`` of the year 2026, in UTC."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=timezone.utc)


def text_of(date: datetime) -> str:
    """The other way round."""
    found = date.astimezone(timezone.utc)
    return found.strftime("%m-%d" if (found.hour, found.minute) == (0, 0) else "%m-%dT%H:%M")


class History:
    """Writes one row's history into a database that has the Dags; ``names`` are those of its runs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.names: dict[str, RunRef] = {}

    def write(self, runs: str, steps: Collection[Step]) -> None:
        """Scheduled runs, such as ``up@03-28 down@03-01/03-31``, and what became of them."""
        for text in runs.split():
            dag_id, _, dates = text.partition("@")
            first, _, last = dates.partition("/")
            self.schedule(dag_id, date_of(first), date_of(last or first))
        self.succeed()
        for step in steps:
            step(self)

    def schedule(self, dag_id: str, first: datetime, last: datetime) -> None:
        """The runs that the Dag's own timetable makes between two dates."""
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        dag = scene.latest(dag_id, session=self.session)
        infos = list(dag.iter_dagrun_infos_between(first, last))
        assert infos, f"{dag_id} has no run between {first} and {last}"
        for info in infos:
            date = info.logical_date if info.data_interval else None
            name = f"{dag_id}@{text_of(date or info.run_after)}"
            more = {"partition_key": info.partition_key} if getattr(info, "partition_key", None) else {}
            created = dag.create_dagrun(
                run_id=f"scheduled__{(date or info.run_after).isoformat()}",
                logical_date=date,
                data_interval=info.data_interval,
                run_after=info.run_after,
                run_type=DagRunType.SCHEDULED,
                triggered_by=DagRunTriggeredByType.TIMETABLE,
                state="queued",
                session=self.session,
                **more,
            )
            self.names[name] = RunRef(dag_id, created.run_id)

    def succeed(self) -> None:
        """Let every task of every run have succeeded, at the time at which the run was ready."""
        from airflow.models.dagrun import DagRun

        run, task = DagRun.__table__, task_rows.task_instances()
        self.session.flush()
        times = {"start_date": run.c.run_after, "end_date": run.c.run_after}
        self.session.execute(update(run).values(state="success", **times))
        ready = select(run.c.run_after).where(run.c.dag_id == task.c.dag_id, run.c.run_id == task.c.run_id)
        at = ready.scalar_subquery()
        self.session.execute(update(task).values(state="success", try_number=1))
        self.session.execute(update(task).where(task.c.end_date.is_(None)).values(start_date=at, end_date=at))
        # A task that has triggered a run says so: `made` lets it succeed.
        triggers = task.c.operator == "TriggerDagRunOperator"
        self.session.execute(update(task).where(triggers).values(state="skipped", try_number=0))
        # One that makes an asset leaves an event of it: `emitted` lets it succeed.
        for dag_id in {ref.dag_id for ref in self.names.values()}:
            dag = scene.latest(dag_id, session=self.session)
            makers = [each.task_id for each in dag.tasks if each.outlets]
            mine = (task.c.dag_id == dag_id, task.c.task_id.in_(makers))
            self.session.execute(update(task).where(*mine).values(state="skipped", try_number=0))
        self.session.commit()

    def has_succeeded(self, ref: RunRef, task_id: str) -> None:
        """Let a task have made a run, or an asset, all its map indexes."""
        task = task_rows.task_instances()
        mine = (task.c.dag_id == ref.dag_id, task.c.run_id == ref.run_id, task.c.task_id == task_id)
        self.session.execute(update(task).where(*mine).values(state="success", try_number=1))
        self.session.commit()

    def run(self, name: str, *, by: str, at: datetime) -> RunRef:
        """The run of that name; one that no clock started is made when it is first named."""
        if name not in self.names:
            dag_id, _, run_id = name.partition("#")
            assert run_id, f"{name} was not scheduled"
            self.names[name] = history.run(dag_id, run_id, session=self.session, by=by, run_after=at)
            self.succeed()
        return self.names[name]

    def task(self, name: str) -> tuple[RunRef, str]:
        """A run and a task of it."""
        run, _, task_id = name.partition(".")
        return self.names[run], task_id

    def ready(self, ref: RunRef) -> datetime:
        """When a run was ready."""
        found: datetime = scene.run_of(ref, session=self.session).run_after
        return found

    def name(self, ref: Any) -> str:
        """The short name of a run; ``dag@?`` where it can't be told."""
        return {ref: name for name, ref in self.names.items()}.get(ref, f"{ref.dag_id}@?")


def emitted(task: str, asset: str, *consumers: str, map_index: int = -1) -> Step:
    """A task emitted an event of an asset, with which runs were started."""

    def step(past: History) -> None:
        ref, task_id = past.task(task)
        at = past.ready(ref) + timedelta(minutes=1)
        started = [past.run(name, by="asset", at=at) for name in consumers]
        more = {"asset": asset, "task_id": task_id, "map_index": map_index, "at": at}
        past.has_succeeded(ref, task_id)
        history.emit(ref, *started, session=past.session, **more)

    return step


def cleaned(task: str, *consumers: str) -> Step:
    """A task emitted events with which runs were started, and Airflow has cleaned them away."""

    def step(past: History) -> None:
        ref, task_id = past.task(task)
        for name in consumers:
            past.run(name, by="asset", at=past.ready(ref) + timedelta(minutes=1))
        past.has_succeeded(ref, task_id)

    return step


def made(task: str, child: str, *, map_index: int = -1, linked: bool = True, noted: bool = True) -> Step:
    """A TriggerDagRun task made a run; ``linked``: it left the link of the UI; ``noted``: the run's id."""

    def step(past: History) -> None:
        ref, task_id = past.task(task)
        found = past.run(child, by="operator", at=past.ready(ref) + timedelta(minutes=1))
        past.has_succeeded(ref, task_id)
        if linked:
            address = f"http://localhost/dags/{found.dag_id}/runs/{found.run_id}"
            history.xcom(ref, task_id, "_link_TriggerDagRunLink", address, session=past.session, map_index=map_index)
        if noted:
            history.xcom(ref, task_id, "trigger_run_id", found.run_id, session=past.session, map_index=map_index)

    return step


def waited(
    sensor: str, dag_id: str, *dates: str, tasks: Collection[str] = (), group: str | None = None, map_index: int = -1
) -> Step:
    """Our listener recorded what a sensor waited for."""

    def step(past: History) -> None:
        from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY, waited_value

        ref, task_id = past.task(sensor)
        value = waited_value(dag_id, tasks, group, [date_of(date) for date in dates])
        history.xcom(ref, task_id, WAITED_KEY, value, session=past.session, map_index=map_index)

    return step


def rendered(task: str, *, map_index: int = -1, **fields: object) -> Step:
    """Airflow kept what it rendered for a task."""

    def step(past: History) -> None:
        ref, task_id = past.task(task)
        where = {"dag_id": ref.dag_id, "run_id": ref.run_id, "task_id": task_id, "map_index": map_index}
        task_rows.add_rendered([{**where, "rendered_fields": fields}], session=past.session)
        past.session.commit()

    return step


def configured(run: str, **conf: object) -> Step:
    """A run has a configuration."""

    def step(past: History) -> None:
        scene.run_of(past.names[run], session=past.session).conf = conf
        past.session.commit()

    return step


def started(task: str, at: str) -> Step:
    """When a task started."""

    def step(past: History) -> None:
        ref, task_id = past.task(task)
        instance = scene.instance(ref, task_id, session=past.session)
        instance.start_date = date_of(at)
        scene.run_of(ref, session=past.session).end_date = date_of(at) + timedelta(minutes=1)
        past.session.commit()

    return step


def skipped(task: str, *, by_itself: bool) -> Step:
    """A task is skipped: by its own code, in a worker, or by a branch before it."""

    def step(past: History) -> None:
        ref, task_id = past.task(task)
        instance = scene.instance(ref, task_id, session=past.session)
        instance.state = "skipped"
        instance.try_number, instance.pid = (1, 4711) if by_itself else (0, None)
        instance.scheduled_dttm = instance.start_date if by_itself else None
        past.session.commit()

    return step


def never_there(task: str) -> Step:
    """A run has no instance of a task."""

    def step(past: History) -> None:
        ref, task_id = past.task(task)
        past.session.delete(scene.instance(ref, task_id, session=past.session))
        past.session.commit()

    return step


def as_before(run: str) -> Step:
    """A run is of the version of its Dag that was there first."""

    def step(past: History) -> None:
        ref = past.names[run]
        first = scene.version(ref.dag_id, 1, session=past.session)
        for instance in scene.instances(ref, session=past.session).values():
            instance.dag_version_id = first.id
        scene.run_of(ref, session=past.session).created_dag_version_id = first.id
        past.session.commit()

    return step


def lost(dag_id: str) -> Step:
    """Airflow doesn't find a Dag any more."""

    def step(past: History) -> None:
        from airflow.models.dag import DagModel

        found = past.session.get(DagModel, dag_id)
        assert found is not None
        found.is_stale = True
        past.session.commit()

    return step


def by_hand(run: str, at: str) -> Step:
    """A person started a run without a logical date."""

    def step(past: History) -> None:
        past.run(run, by="user", at=date_of(at))

    return step
