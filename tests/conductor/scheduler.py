"""An honest scheduler over the fake world, one task at a time, and a story of what began and ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES
from airflow_rerun_downstream.domain.refs import RunRef
from tests.fakes.house import House

Step = Callable[[], None]


@dataclass
class Scheduler:
    """Airflow's part: starts what may start by the tasks' order, makes the runs of trigger tasks, ends runs."""

    house: House
    story: list[tuple[str, str, str]] = field(default_factory=list)
    waiting: dict[tuple[RunRef, str], RunRef] = field(default_factory=dict)
    made: int = 0
    dated: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dated = {ref.dag_id: ref.run_id for ref in self.house.world.runs}

    def steps(self) -> list[Step]:
        """What could happen next."""
        found: list[Step] = []
        for ref, run in self.house.world.runs.items():
            if run.state in FINISHED_RUN_STATES:
                continue
            states = {task.task_id: task.state for task in self.house.world.tasks[ref]}
            nodes = self.house.world.structures[ref.dag_id].tasks
            ready = [t for t in states if states[t] is None and all(states[u] == "success" for u in nodes[t].leaders)]
            found += [self.starting(ref, task_id) for task_id in sorted(ready)]
            running = [t for t in states if states[t] == "running" and self.may_end(ref, t)]
            found += [self.ending(ref, task_id) for task_id in sorted(running)]
            if not {None, "running"} & set(states.values()):
                found.append(self.closing(ref, "failed" if "failed" in states.values() else "success"))
        return found

    def may_end(self, ref: RunRef, task_id: str) -> bool:
        """A waiting trigger ends with its run, a sensor when what it looks at, by its date, has succeeded."""
        child = self.waiting.get((ref, task_id))
        if child is not None and self.house.world.runs[child].state != "success":
            return False
        watched = [one for one in self.house.world.sensors if (one.dag_id, one.task_id) == (ref.dag_id, task_id)]
        return all(self.succeeded(one) for one in watched)

    def succeeded(self, sensor: SensorDefinition) -> bool:
        run = RunRef(sensor.external_dag_id, self.dated[sensor.external_dag_id])
        return all(task.state == "success" for task in self.house.world.tasks[run] if task.task_id in sensor.task_ids)

    def starting(self, ref: RunRef, task_id: str) -> Step:
        def step() -> None:
            self.house.world.set_run(ref, state="running")
            self.house.world.set_tasks(ref, "running", only=[task_id], at=self.house.clock.now())
            self.story.append(("began", ref.dag_id, task_id))
            self.trigger(ref, task_id)

        return step

    def trigger(self, ref: RunRef, task_id: str) -> None:
        """A trigger task makes another run at once."""
        world = self.house.world
        node = world.structures[ref.dag_id].tasks[task_id]
        target = next(
            (one.trigger_dag_id for one in world.triggers if (one.dag_id, one.task_id) == (ref.dag_id, task_id)), None
        )
        if target is None:
            return
        again = self.dated[ref.dag_id] == ref.run_id
        assert not (again and node.makes_one_run), "it would fail: the run that it makes exists"
        self.made += 1
        more = {"run_type": "operator_triggered", "state": "running"}
        child = world.run(target, run_id=f"new{self.made}", day=50 + self.made, **more)
        world.set_tasks(child, None)
        world.triggered = [*(one for one in world.triggered if one[:2] != (ref, task_id)), (ref, task_id, child)]
        if node.waits_for_run:
            self.waiting[ref, task_id] = child

    def ending(self, ref: RunRef, task_id: str) -> Step:
        def step() -> None:
            self.house.world.set_tasks(ref, "success", only=[task_id], at=self.house.clock.now())
            self.story.append(("ended", ref.dag_id, task_id))

        return step

    def closing(self, ref: RunRef, state: str) -> Step:
        return lambda: self.house.world.set_run(ref, state=state)

    def play(self, choices: list[int], *, limit: int = 2000) -> None:
        """Let the conductor and Airflow take turns until nothing happens any more."""
        for turn in range(limit):
            moved = self.house.tick()
            steps = self.steps()
            if steps:
                self.house.clock.advance(seconds=timedelta(seconds=1).total_seconds())
                steps[choices[turn % len(choices)] % len(steps)]()
            elif not moved:
                return
        raise AssertionError("it never ends")

    def began(self, dag_id: str, task_id: str) -> list[int]:
        """When a task began, as places in the story."""
        return [n for n, told in enumerate(self.story) if told == ("began", dag_id, task_id)]

    def ended(self, dag_id: str, task_id: str) -> list[int]:
        """When a task ended, as places in the story."""
        return [n for n, told in enumerate(self.story) if told == ("ended", dag_id, task_id)]
