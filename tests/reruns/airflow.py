"""Airflow's rows, as its scheduler and its workers write them: runs that are made, and what events and triggers do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

from airflow_rerun_downstream.domain.definitions import Definitions, TriggerDefinition
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, DagStructure, TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef
from tests.fakes.dags import declared_by
from tests.fakes.events import Event
from tests.fakes.house import House
from tests.fakes.world import START, instance_of
from tests.reruns import rules
from tests.reruns.fate import Fate
from tests.reruns.reading import Reading
from tests.reruns.story import Spot, Story, Try

Key = tuple[RunRef, str, int]


@dataclass
class Airflow:
    """Everything that happened. ``skews``: how far each host's clock is off."""

    house: House
    random: Random = field(default_factory=lambda: Random(0))
    fate: Fate = field(default_factory=lambda: Fate(Random(0)))
    skews: tuple[float, ...] = (0.0,)
    story: Story = field(default_factory=Story)
    indexes: dict[tuple[str, str], int] = field(default_factory=dict)
    live: dict[Key, Try] = field(default_factory=dict)
    queued: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    hosts: dict[Key, int | None] = field(default_factory=dict)
    alive: set[tuple[RunRef, str]] = field(default_factory=set)
    made: int = 0
    fixed_ids: set[tuple[str, str]] = field(default_factory=set)
    pinned: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.world = self.house.world
        self.reading = Reading(self.world, self.story, self.dag_of)

    @property
    def now(self) -> datetime:
        return self.house.clock.now()

    @property
    def at(self) -> float:
        """The moment in seconds, by the true clock."""
        return (self.now - START).total_seconds()

    def dag_of(self, ref: RunRef) -> DagStructure:
        """The Dag on which a run runs: its own version where that is kept, else the latest one."""
        own = self.world.versions.get(ref)
        if own is not None and (self.world.runs[ref].pinned or self.world.runs[ref].state in FINISHED_RUN_STATES):
            return own.structure
        return self.world.structures[ref.dag_id]

    def integrate(self, ref: RunRef, *, removing: bool) -> None:
        """What a newer version of its Dag does to a run that isn't kept on its own."""
        world = self.world
        if ref not in world.versions or world.runs[ref].pinned:
            return
        latest = world.structures[ref.dag_id]
        here = {task.task_id for task in world.tasks[ref]}
        world.tasks[ref] = [
            replace(task, state=None) if task.state == "removed" and task.task_id in latest.tasks else task
            for task in world.tasks[ref]
        ]
        if removing:
            world.tasks[ref] = [
                replace(task, state="removed") if task.task_id not in latest.tasks else task
                for task in world.tasks[ref]
            ]
        new = sorted(latest.tasks.keys() - here)
        world.tasks[ref] += [instance_of(latest.tasks[task_id], None, self.now) for task_id in new]
        for task in list(world.tasks[ref]):
            if not rules.all_done([task.state]) and task.task_id in latest.tasks:
                world.move(ref, task.task_id)

    def end_run(self, ref: RunRef, state: str) -> None:
        """A run has ended."""
        self.world.set_run(ref, state=state)
        began = self.world.runs[ref].start_date
        self.world.lasted[ref] = (self.now - began).total_seconds() if began else 0.0

    def task(self, key: Key) -> TaskInstanceFacts | None:
        """A task instance."""
        ref, task_id, index = key
        some = self.world.tasks.get(ref, ())
        return next((task for task in some if (task.task_id, task.map_index) == (task_id, index)), None)

    def put(self, key: Key, state: str | None, at: datetime | None = None) -> None:
        """Give a task instance a state, as a worker does."""
        ref, task_id, index = key
        self.world.tasks[ref] = [
            self.world.ran(ref, task, state, at) if (task.task_id, task.map_index) == (task_id, index) else task
            for task in self.world.tasks[ref]
        ]

    def definitions(self, ref: RunRef) -> Definitions:
        """What the version on which a run runs declares."""
        own = self.world.versions.get(ref)
        if own is not None and self.world.runs[ref].pinned:
            return own.definitions
        return declared_by(self.world, ref.dag_id)

    def emit(self, key: Key, asset_id: int, found: Try) -> None:
        """Tell of an asset. What repeats an event takes its place; another one may start runs."""
        ref, task_id, index = key
        world = self.world
        same = [
            event.number
            for event in world.events
            if event.asset_id == asset_id and event.producer is not None and self.repeats(found.spot, event, ref)
        ]
        number = world.emitted(ref, task_id, self.now, asset_id=asset_id, map_index=index)
        self.reading.written[number] = found.number
        if same:
            world.repeats.update(dict.fromkeys(same, number))
            return
        for dag_id in sorted({one.dag_id for one in world.asset_schedules if one.asset_id == asset_id}):
            self.queued.setdefault(dag_id, {}).setdefault(asset_id, []).append(number)
            wanted = {one.asset_id for one in world.asset_schedules if one.dag_id == dag_id}
            if wanted == self.queued[dag_id].keys() and not world.structures[dag_id].is_paused:
                self.start_by_assets(dag_id)

    def repeats(self, spot: Spot, event: Event, ref: RunRef) -> bool:
        """Whether what a task tells is told again; of one that isn't there any more, another one tells it."""
        assert event.producer is not None
        there = self.reading.spot(event.producer, event.task_id, event.map_index)
        return there == spot or (there.place == spot.place and event.task_id not in self.dag_of(ref).tasks)

    def start_by_assets(self, dag_id: str) -> None:
        """A Dag's assets are all there: its next run is made."""
        told = [number for some in self.queued.pop(dag_id).values() for number in some]
        events = {self.world.repeats.get(number, number) for number in told}  # what comes last is what is read
        ref = self.new_run(dag_id, "asset_triggered", f"asset{self.made}", None)
        self.world.consumptions |= {(number, ref) for number in events}

    def new_run(self, dag_id: str, run_type: str, run_id: str, date: datetime | None) -> RunRef:
        """A run is made, and waits in the queue."""
        self.made += 1
        ref = self.world.run(
            dag_id, run_type=run_type, run_id=run_id, state="queued", logical_date=date, run_after=self.now
        )
        self.world.set_run(ref, pinned=dag_id in self.pinned)
        self.story.runs.setdefault(self.reading.place(ref), []).append(ref)
        return ref

    def target(self, ref: RunRef, task_id: str) -> TriggerDefinition | None:
        """What a task triggers."""
        every = self.definitions(ref).triggers
        return next((one for one in every if (one.dag_id, one.task_id) == (ref.dag_id, task_id)), None)
