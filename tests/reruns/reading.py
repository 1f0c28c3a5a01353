"""What a task reads, in truth: the data of what comes before it in its run, and of the runs that its run hangs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.facts import DagStructure, TaskNode
from airflow_rerun_downstream.domain.refs import RunRef
from tests.fakes.events import Event
from tests.fakes.world import World
from tests.reruns.rules import EAGER
from tests.reruns.story import Read, Spot, Story

TRANSPARENT = ("EmptyOperator",)
"""What stands between two tasks and neither reads nor writes."""


@dataclass
class Reading:
    """Looks at what is there now. ``dag_of``: the Dag on which a run runs."""

    world: World
    story: Story
    dag_of: Callable[[RunRef], DagStructure]
    makers: dict[RunRef, tuple[RunRef, str]] = field(default_factory=dict)
    made: dict[tuple[RunRef, str], RunRef] = field(default_factory=dict)
    written: dict[int, int] = field(default_factory=dict)
    """By asset event: the try that emitted it."""

    def place(self, ref: RunRef) -> str:
        """Where a run keeps its data."""
        if ref in self.makers:
            parent, task_id = self.makers[ref]
            return f"{self.place(parent)}/{task_id}:{ref.dag_id}"
        return f"{ref.dag_id}@{ref.run_id}"

    def spot(self, ref: RunRef, task_id: str, index: int) -> Spot:
        """Where a task instance keeps its data."""
        return Spot(self.place(ref), task_id, index)

    def at_start(self, ref: RunRef, task_id: str, index: int) -> list[Read]:
        """All that a task reads as it begins."""
        dag = self.dag_of(ref)
        started_by = self.of_run(ref)
        if dag.tasks[task_id].leaders:
            # The first tasks read for their run: what is on its way later isn't held against those behind them.
            started_by = (replace(one, moving=False) for one in started_by)
        return list(dict.fromkeys([*self.before(ref, dag, task_id, index, set()), *started_by]))

    def of_run(self, ref: RunRef) -> Iterator[Read]:
        """What every task of a run reads: what started it."""
        for number, consumer in sorted(self.world.consumptions):
            if consumer == ref:
                event = self.world.events[number]
                assert event.producer is not None
                yield from self.of_event(event, number)
        if ref in self.makers:
            parent, task_id = self.makers[ref]
            if parent in self.world.runs:
                yield from self.before(parent, self.dag_of_maker(parent, task_id), task_id, -1, set())

    def of_event(self, event: Event, number: int) -> Iterator[Read]:
        """What the event of a task tells, and what that has made; of a triggering task, what went through it."""
        assert event.producer is not None
        ref = event.producer
        node = self.dag_now(ref).tasks.get(event.task_id) if ref in self.world.runs else None
        if node is not None and node.triggers_dag_run:
            yield from self.past(ref, self.dag_now(ref), event.task_id, -1, set())
            return
        there = self.spot(ref, event.task_id, event.map_index)
        yield self.story.look(there)
        if there not in self.story.void:
            yield Read(there, self.written[number])

    def dag_of_maker(self, ref: RunRef, task_id: str) -> DagStructure:
        """The Dag by which a task of a run had made another: that goes on reading what stood before the task then.

        A task that has moved is of the version to which it moved, whatever came after that.
        """
        own, latest = self.world.versions.get(ref), self.dag_now(ref)
        if own is None or task_id not in self.world.moved.get(ref, ()):
            return latest if own is None else own.structure
        return replace(latest, tasks={**latest.tasks, **own.structure.tasks})

    def dag_now(self, ref: RunRef) -> DagStructure:
        """The Dag by which a run ran last."""
        own, moved = self.world.versions.get(ref), self.world.moved.get(ref)
        latest = self.world.structures[ref.dag_id]
        dropped = any(one.state == "removed" and one.task_id not in latest.tasks for one in self.world.tasks[ref])
        if own is None or ((moved or dropped) and not self.world.runs[ref].pinned):
            return latest
        return own.structure

    def before(self, ref: RunRef, dag: DagStructure, task_id: str, index: int, seen: set[str]) -> Iterator[Read]:
        """What a task reads of those before it in its run."""
        node = dag.tasks.get(task_id)
        if node is None:
            return
        for leader in sorted(node.leaders - seen):
            seen.add(leader)
            yield from self.through(ref, dag, node, leader, index, seen)

    def through(
        self, ref: RunRef, dag: DagStructure, node: TaskNode, leader: str, index: int, seen: set[str]
    ) -> Iterator[Read]:
        """What a task reads of one right before it; some only stand between it and others."""
        before = dag.tasks[leader]
        if before.is_setup or before.is_teardown:
            return
        if before.triggers_dag_run or before.operator in TRANSPARENT:
            ended = any(task.task_id == leader and task.state == "success" for task in self.world.tasks[ref])
            if node.trigger_rule not in EAGER or ended:
                yield from self.past(ref, dag, leader, index, seen)
            return
        alone = any({node.task_id, leader} <= dag.groups[name] for name in dag.mapped_groups)
        for task in self.world.tasks[ref]:
            if task.task_id != leader or (alone and index >= 0 and task.map_index != index):
                continue
            if node.trigger_rule in EAGER and task.state != "success":
                continue  # it doesn't wait for what isn't there yet
            spot = self.spot(ref, leader, task.map_index)
            yield Read(spot, None) if task.state == "skipped" else self.story.look(spot)

    def past(self, ref: RunRef, dag: DagStructure, task_id: str, index: int, seen: set[str]) -> Iterator[Read]:
        """What a task reads that comes after one which makes nothing itself; a run that was waited for is read, too."""
        yield from self.before(ref, dag, task_id, index, seen)
        child = self.made.get((ref, task_id))
        if dag.tasks[task_id].waits_for_run and child is not None:
            yield from self.whole(child)

    def whole(self, ref: RunRef) -> Iterator[Read]:
        """All that a run has made; what isn't in its Dag any more, nobody reads."""
        if ref not in self.world.runs:
            return
        place, dag = self.place(ref), self.dag_now(ref)
        for spot in sorted(one for one in self.story.held if one.place == place and one.task_id in dag.tasks):
            if dag.tasks[spot.task_id].triggers_dag_run:
                yield from self.past(ref, dag, spot.task_id, -1, set())
            elif dag.tasks[spot.task_id].operator not in TRANSPARENT:
                yield self.story.look(spot)

    def awaited(self, ref: RunRef, sensor: SensorDefinition) -> Iterator[Read]:
        """What a sensor of a run has waited for."""
        other = self.external(ref, sensor)
        if other is None:
            return
        for task in self.world.tasks.get(other, ()):
            if (task.task_id not in sensor.task_ids and sensor.task_ids) or task.state == "removed":
                continue
            node = self.dag_now(other).tasks.get(task.task_id)
            if node is not None and node.triggers_dag_run:
                yield from self.past(other, self.dag_now(other), task.task_id, -1, set())
            else:
                yield self.story.look(self.spot(other, task.task_id, task.map_index))

    def external(self, ref: RunRef, sensor: SensorDefinition) -> RunRef | None:
        """The run of the same date that a sensor waits for."""
        date = self.world.runs[ref].logical_date
        every = (run.ref for run in self.world.runs.values() if run.logical_date == date and date is not None)
        return next((one for one in every if one.dag_id == sensor.external_dag_id), None)
