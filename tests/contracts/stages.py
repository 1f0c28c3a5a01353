"""An Airflow whose history a contract can be tested on, and the one in memory. `AirflowStage` is the real one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from airflow_rerun_downstream.domain.definitions import (
    AssetSchedule,
    InletDefinition,
    MarkerDefinition,
    OutletDefinition,
    PastDependency,
    SensorDefinition,
)
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun
from airflow_rerun_downstream.domain.labels import cut
from airflow_rerun_downstream.domain.lineage_records import DoubtfulRecord, RecordedWait
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, normalised
from airflow_rerun_downstream.domain.values import UNTOLD
from airflow_rerun_downstream.ports.durations import Durations
from airflow_rerun_downstream.ports.gateway import Gateway
from airflow_rerun_downstream.ports.lineage import LineageFacts
from tests.fakes.durations import FakeDurations
from tests.fakes.gateway import FakeGateway
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import START, World

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NOW = START + 40 * DAY
GONE = RunRef("gone", "nowhere")
ONE = frozenset({"t"})

MAKERS = {"scheduler": "scheduled", "asset": "asset_triggered", "backfill": "backfill", "person": "manual"}
"""Who makes a run, and the type that it gets; a task's runs have one of their own since Airflow 3.3."""


@dataclass(frozen=True)
class Shape:
    """A Dag: ``order`` as `World.dag` takes it. Every task is a Python task, but for those named otherwise.

    ``triggers``: the Dag that a task triggers. ``outlets`` and ``inlets``: names of assets by task.
    ``starts_with``: the names of the assets that schedule it; without any, it is a daily Dag.
    """

    dag_id: str
    order: str = "t"
    triggers: Mapping[str, str] = field(default_factory=dict)
    waits: Collection[str] = ()
    """The triggers that wait until their run has ended."""
    sensors: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    """The Dag, and the task, that a sensor waits for."""
    markers: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    past: Collection[str] = ()
    mapped: Collection[str] = ()
    """Those that `Stage.expand` gives their indexes."""
    inlets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    outlets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    starts_with: Sequence[str] = ()
    pools: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """The pool of a task, and how many of its slots it takes."""

    @property
    def tasks(self) -> list[str]:
        """The ids of its tasks, each once."""
        return list(dict.fromkeys(part.strip() for chain in self.order.split(";") for part in chain.split(">>")))


class Stage(Protocol):
    """An Airflow. What it does, people, workers and schedulers do there."""

    facts: LineageFacts

    @property
    def gateway(self) -> Gateway:
        """What a rerun does there, and sees of it."""
        ...

    def dag(self, shape: Shape) -> None:
        """Deploy a Dag; one that is there already, and has changed, gets a new version."""
        ...

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
        """A run, made by one of `MAKERS` or a ``task``; its tasks are in its state, or as ``states`` says."""
        ...

    def expand(self, ref: RunRef, task_id: str, count: int) -> None:
        """A mapped task of a run gets its indexes, all successful."""
        ...

    def grow(self, ref: RunRef, task_id: str, index: int, *, at: datetime) -> None:
        """A mapped task of a run gets one more index, which succeeds."""
        ...

    def drop_tasks(self, ref: RunRef) -> None:
        """A run loses its task instances, as one does that was made before its Dag had any."""
        ...

    def put(self, ref: RunRef, task_id: str, state: str | None, *, at: datetime, map_index: int = -1) -> None:
        """A worker has run a task, from ``at`` on."""
        ...

    @property
    def durations(self) -> Durations:
        """How long its tasks have taken."""
        ...

    def begin(self, ref: RunRef, *, at: datetime) -> None:
        """The scheduler starts a run that was queued."""
        ...

    def end(self, ref: RunRef, state: str, *, at: datetime | None = None) -> None:
        """The scheduler ends a run, half an hour after it was ready."""
        ...

    def clear(self, ref: RunRef, *task_ids: str) -> None:
        """A person clears tasks of a run that has ended; Airflow queues it."""
        ...

    def rerun(self, ref: RunRef, *task_ids: str, number: int = 1, index: int | None = None) -> None:
        """A rerun dispatches tasks of a run that has ended; it goes on if a person has cleared some for it."""
        ...

    def adopt(self, ref: RunRef, place: RunRef) -> None:
        """A rerun takes a run in the place of another."""
        ...

    def take_over(self, ref: RunRef, *task_ids: str, number: int = 1) -> None:
        """A rerun follows what a person has cleared for it."""
        ...

    def mark_failed(self, ref: RunRef) -> None:
        """A person marks a run that goes on as failed."""
        ...

    def delete(self, ref: RunRef) -> None: ...

    def lose(self, dag_id: str) -> None:
        """Airflow doesn't find a Dag's file any more."""
        ...

    def pause(self, dag_id: str) -> None: ...

    def label(self, dag_id: str, *, owners: str, tags: Collection[str]) -> None:
        """What a Dag's file says of who owns it, and its tags."""
        ...

    def call(self, dag_id: str, name: str, **tasks: str) -> None:
        """Give a Dag a display name, and tasks of its runs theirs."""
        ...

    def note(self, ref: RunRef, text: str) -> None:
        """A person writes a note on a run."""
        ...

    def made(
        self, parent: RunRef, task_id: str, child: RunRef, *, map_index: int = -1, linked: str | None = None
    ) -> None:
        """A task records the run that it made; ``linked``: the Dag that its link in the UI names."""
        ...

    def configure(self, ref: RunRef, conf: Mapping[str, Any]) -> None:
        """A run is made with a configuration."""
        ...

    def rendered(self, ref: RunRef, task_id: str, *, map_index: int = -1, **fields: object) -> None:
        """Airflow keeps what it rendered for a task."""
        ...

    def waited(self, wait: RecordedWait, *, at: datetime = NOW) -> None:
        """The listener records what a sensor waited for."""
        ...

    def scribble(self, ref: RunRef, task_id: str, *, at: datetime = NOW) -> None:
        """Somebody writes something else in the place of such a record."""
        ...

    def emit(
        self,
        producer: RunRef | None,
        asset: str,
        *consumers: RunRef,
        at: datetime | None = None,
        task_id: str = "t",
        map_index: int = -1,
    ) -> int:
        """An asset event of a run, a minute after it was ready, or of nobody's; and the runs that consumed it."""
        ...

    def consume(self, consumer: RunRef, event: int) -> None:
        """The scheduler gives a run the event with this number."""
        ...

    def asset_id(self, asset: str) -> int: ...

    def pool(self, name: str, slots: int) -> None:
        """A person makes a pool, or gives it another size."""
        ...

    def lose_pool(self, name: str) -> None: ...

    def move(self, ref: RunRef, task_id: str) -> None:
        """Airflow moves a task instance to the latest version of its Dag, as it does when it is cleared."""
        ...


def dispatched(gateway: Gateway, ref: RunRef, task_ids: Collection[str], number: int, index: int | None) -> None:
    """A rerun dispatches tasks of a run."""
    tasks = normalised(TaskRef(task_id, index) for task_id in task_ids)
    gateway.dispatch(ref, tasks, rerun_id=number, actor="ada", retry=False, run_on_latest_version=False)


class FakeStage:
    """The fake."""

    def __init__(self) -> None:
        self.world = World()
        self.facts: LineageFacts = FakeFacts(self.world, of_nothing=True)
        self.shapes: dict[str, Shape] = {}

    @property
    def gateway(self) -> Gateway:
        return FakeGateway(self.world, of_nothing=True)

    def dag(self, shape: Shape) -> None:
        world, dag_id = self.world, shape.dag_id
        world.gone.discard(dag_id)
        if self.shapes.get(dag_id) == shape:
            return
        self.shapes[dag_id] = shape
        version = world.new_version(dag_id, at=datetime.now(timezone.utc))
        world.dag(dag_id, shape.order, mapped=shape.mapped)
        self._operators(shape, version)
        days = (datetime.now(timezone.utc) + day * DAY for day in range(20))
        coming = tuple(UpcomingRun(dag_id, f"scheduled__{day.isoformat()}", day, day) for day in days)
        known = DagSchedule(dag_id, asset_scheduled=bool(shape.starts_with), max_active_runs=16)
        world.schedules[dag_id] = known if shape.starts_with else replace(known, upcoming=coming)
        world.pool_of = {key: pool for key, pool in world.pool_of.items() if key[0] != dag_id}
        world.pool_of |= {(dag_id, task_id): pool for task_id, pool in shape.pools.items()}
        for task_id, target in shape.triggers.items():
            world.trigger_task(dag_id, task_id, target, waits=task_id in shape.waits)
        for task_id, (up, task) in shape.sensors.items():
            tasks = frozenset() if task is None else frozenset({task})
            world.sensors.append(SensorDefinition(dag_id, task_id, up, tasks))
        for task_id, (down, task) in shape.markers.items():
            date = "{{ logical_date.isoformat() }}"
            world.markers.append(MarkerDefinition(dag_id, task_id, down, task, date))
        world.past_dependencies += [PastDependency(dag_id, task_id, frozenset({task_id})) for task_id in shape.past]
        world.inlets += [
            InletDefinition(dag_id, task_id, world.asset_id(name), name)
            for task_id, names in shape.inlets.items()
            for name in names
        ]
        world.outlets += [
            OutletDefinition(dag_id, task_id, world.asset_id(name), name)
            for task_id, names in shape.outlets.items()
            for name in names
        ]
        world.asset_schedules += [AssetSchedule(dag_id, world.asset_id(name)) for name in shape.starts_with]

    def _operators(self, shape: Shape, version: int) -> None:
        """What Airflow says of the Dag, and of the tasks that aren't Python's."""
        known = self.world.structures[shape.dag_id]
        nodes = dict(known.tasks)
        special = (
            (shape.sensors, "ExternalTaskSensor", False),
            (shape.markers, "ExternalTaskMarker", False),
            (shape.triggers, "TriggerDagRunOperator", True),
        )
        for ids, operator, makes_data in special:
            nodes |= {id_: replace(nodes[id_], operator=operator, makes_data=makes_data) for id_ in ids}
        more = {"tasks": nodes, "max_active_runs": 16, "reruns_on_latest": False, "version": version}
        self.world.structures[shape.dag_id] = replace(known, **more)

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
        date = START + day * DAY
        dates: dict[str, Any] = {} if dated else {"logical_date": None}
        same = [run for run in self.world.runs.values() if run.ref.dag_id == dag_id and run.logical_date == date]
        assert not (dated and same), "Airflow has one run of a Dag for each logical date"
        interval = date if dated else None
        ref = self.world.run(
            dag_id,
            day=day,
            run_id=run_id or f"{by}__{date.isoformat()}",
            state=state,
            run_type=MAKERS.get(by, "operator_triggered"),
            task_states=states or {},
            data_interval_start=interval,
            data_interval_end=interval,
            start_date=None if state == "queued" else date,
            made_by_task=by == "task",
            **dates,
        )
        if state in FINISHED_RUN_STATES:
            self.world.lasted[ref] = 1800.0
        return ref

    def expand(self, ref: RunRef, task_id: str, count: int) -> None:
        self.world.expand(ref, task_id, count)

    def grow(self, ref: RunRef, task_id: str, index: int, *, at: datetime) -> None:
        first = next(task for task in self.world.tasks[ref] if task.task_id == task_id)
        dates = {"start_date": at, "end_date": at + MINUTE}
        self.world.tasks[ref].append(replace(first, map_index=index, state="success", try_number=1, **dates))

    def drop_tasks(self, ref: RunRef) -> None:
        self.world.tasks[ref] = []

    def put(self, ref: RunRef, task_id: str, state: str | None, *, at: datetime, map_index: int = -1) -> None:
        self.world.tasks[ref] = [
            replace(self.world.ran(ref, task, state, at), end_date=at + MINUTE)
            if (task.task_id, task.map_index) == (task_id, map_index)
            else task
            for task in self.world.tasks[ref]
        ]

    @property
    def durations(self) -> Durations:
        return FakeDurations(self.world)

    def begin(self, ref: RunRef, *, at: datetime) -> None:
        self.world.set_run(ref, state="running", start_date=at)

    def end(self, ref: RunRef, state: str, *, at: datetime | None = None) -> None:
        ready = self.world.runs[ref].run_after
        self.world.set_run(ref, state=state, start_date=self.world.runs[ref].start_date or ready)
        self.world.lasted[ref] = ((at or ready + 30 * MINUTE) - ready).total_seconds()

    def clear(self, ref: RunRef, *task_ids: str) -> None:
        self.world.clear_by_hand(ref, task_ids)

    def rerun(self, ref: RunRef, *task_ids: str, number: int = 1, index: int | None = None) -> None:
        dispatched(self.gateway, ref, task_ids, number, index)

    def adopt(self, ref: RunRef, place: RunRef) -> None:
        self.gateway.adopt(ref, place=place, rerun_id=1, actor="ada")

    def take_over(self, ref: RunRef, *task_ids: str, number: int = 1) -> None:
        self.gateway.take_over(ref, normalised(map(TaskRef, task_ids)), rerun_id=number, actor="ada")

    def mark_failed(self, ref: RunRef) -> None:
        self.world.set_run(ref, state="failed", terminated=True)
        self.world.lasted[ref] = 600.0

    def delete(self, ref: RunRef) -> None:
        self.world.delete(ref)

    def lose(self, dag_id: str) -> None:
        self.world.lose(dag_id)

    def label(self, dag_id: str, *, owners: str, tags: Collection[str]) -> None:
        self.world.owners[dag_id] = owners
        self.world.tags[dag_id] = frozenset(tags)

    def call(self, dag_id: str, name: str, **tasks: str) -> None:
        self.world.display_names[dag_id] = cut(name)
        for ref, instances in self.world.tasks.items():
            if ref.dag_id == dag_id:
                instances[:] = [replace(one, display_name=tasks.get(one.task_id)) for one in instances]

    def note(self, ref: RunRef, text: str) -> None:
        self.world.notes[ref] = text

    def pause(self, dag_id: str) -> None:
        self.world.structures[dag_id] = replace(self.world.structures[dag_id], is_paused=True)

    def made(
        self, parent: RunRef, task_id: str, child: RunRef, *, map_index: int = -1, linked: str | None = None
    ) -> None:
        self._must_have(parent, task_id, map_index)
        self.world.record(parent, task_id, child.run_id, map_index=map_index, linked=linked)

    def configure(self, ref: RunRef, conf: Mapping[str, Any]) -> None:
        plain = {name: UNTOLD if isinstance(value, (list, dict)) else value for name, value in conf.items()}
        self.world.confs[ref] = plain

    def rendered(self, ref: RunRef, task_id: str, *, map_index: int = -1, **fields: object) -> None:
        self.world.rendered[ref, task_id, map_index] = fields

    def emit(
        self,
        producer: RunRef | None,
        asset: str,
        *consumers: RunRef,
        at: datetime | None = None,
        task_id: str = "t",
        map_index: int = -1,
    ) -> int:
        world = self.world
        moment = at or world.runs[producer].run_after + MINUTE
        number = world.emitted(producer, task_id, moment, asset_id=world.asset_id(asset), map_index=map_index)
        for consumer in consumers:
            self.consume(consumer, number)
        return number

    def consume(self, consumer: RunRef, event: int) -> None:
        assert self.world.runs[consumer].run_type == "asset_triggered", "Airflow gives events to no other run"
        self.world.consumptions.add((event, consumer))

    def asset_id(self, asset: str) -> int:
        return self.world.asset_id(asset)

    def pool(self, name: str, slots: int) -> None:
        self.world.pools[name] = slots

    def lose_pool(self, name: str) -> None:
        del self.world.pools[name]

    def move(self, ref: RunRef, task_id: str) -> None:
        self.world.move(ref, task_id)

    def waited(self, wait: RecordedWait, *, at: datetime = NOW) -> None:
        self._must_have(wait.consumer, wait.task_id, wait.map_index)
        self.world.waits.append((at, wait))

    def _must_have(self, ref: RunRef, task_id: str, map_index: int) -> None:
        """An XCom is of a task instance."""
        assert (task_id, map_index) in {(task.task_id, task.map_index) for task in self.world.tasks[ref]}

    def scribble(self, ref: RunRef, task_id: str, *, at: datetime = NOW) -> None:
        self._must_have(ref, task_id, -1)
        self.world.waits.append((at, DoubtfulRecord(ref, task_id, -1, f"of {ref} nothing can be read")))
