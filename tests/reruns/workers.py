"""The workers' part: tries begin, end, are killed; and what people do to task instances and runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from airflow_rerun_downstream.domain.definitions import SensorDefinition, TriggerDefinition
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, UNFINISHED_TASK_STATES, DagStructure, TaskNode
from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.run_accounts import Skipping
from tests.fakes.world import START
from tests.reruns import rules
from tests.reruns.airflow import Airflow, Key
from tests.reruns.fate import makes_data
from tests.reruns.story import Try


class Workers(Airflow):
    """Runs tasks."""

    def clock_of(self, key: Key) -> datetime:
        """The time, by the clock of the host on which a task instance runs."""
        host = self.hosts.get(key)
        return self.now if host is None else self.now + timedelta(seconds=self.skews[host])

    def begin(self, key: Key) -> None:
        """A worker starts a task instance."""
        ref, task_id, _ = key
        node = self.dag_of(ref).tasks[task_id]
        empty = node.operator == "EmptyOperator"
        host = None if empty else self.random.randrange(len(self.skews))
        self.world.choices.pop((ref, task_id), None)
        self.world.by_hand.pop(key, None)
        # A try begins without what the one before had left, such as the name of the run that it had made.
        self.world.triggered = [one for one in self.world.triggered if one[:2] != (ref, task_id)]
        self.hosts[key] = host
        self.put(key, "running", self.clock_of(key))
        task = self.task(key)
        assert task is not None
        own = (*key, task.try_number)
        self.world.try_hosts[own] = None if host is None else f"h{host}"
        reads = [] if node.is_setup or node.is_teardown else self.reading.at_start(*key)
        found = self.story.begin(ref, self.reading.spot(*key), self.at, reads, makes_data=makes_data(node))
        found.flaw = self.missing(ref, node)
        self.live[key] = found
        if node.triggers_dag_run:
            self.trigger(key, node)
        elif empty:
            self.end(key)

    def needs(self, dag: DagStructure, node: TaskNode, setup: str) -> bool:
        """Whether a task works on what a setup has made: no teardown of that comes before it."""
        after = reachable([node.task_id], {task_id: one.followers for task_id, one in dag.tasks.items()})
        teardowns = {one for one in dag.tasks[setup].followers if dag.tasks[one].is_teardown}
        return not teardowns or bool(teardowns & after)

    def missing(self, ref: RunRef, node: TaskNode) -> str | None:
        """What a task works without that its setup should have made."""
        dag = self.dag_of(ref)
        if node.is_setup or node.is_teardown:
            return None
        above = reachable([node.task_id], {task_id: one.leaders for task_id, one in dag.tasks.items()})
        for setup in sorted(above - {node.task_id}):
            torn_down = any(dag.tasks[one].is_teardown for one in dag.tasks[setup].followers)
            there = (ref, setup) in self.alive
            if dag.tasks[setup].is_setup and torn_down and self.needs(dag, node, setup) and not there:
                return f"without what {setup} makes"
        return None

    def may_end(self, key: Key) -> bool:
        """A waiting trigger ends with its run, a sensor when what it waits for is there; all else at any time."""
        ref, task_id, _ = key
        if (child := self.awaited_child(key)) is not None:
            return child not in self.world.runs or self.world.runs[child].state in FINISHED_RUN_STATES
        return all(self.is_there(ref, one) for one in self.sensors(ref, task_id))

    def awaited_child(self, key: Key) -> RunRef | None:
        """The run for whose end a triggering task waits."""
        node = self.dag_of(key[0]).tasks.get(key[1])
        return self.reading.made.get(key[:2]) if node is not None and node.waits_for_run else None

    def sensors(self, ref: RunRef, task_id: str) -> Iterator[SensorDefinition]:
        """What a task waits for."""
        every = self.definitions(ref).sensors
        yield from (one for one in every if (one.dag_id, one.task_id) == (ref.dag_id, task_id))

    def is_there(self, ref: RunRef, sensor: SensorDefinition) -> bool:
        """Whether what a sensor waits for has succeeded."""
        other = self.reading.external(ref, sensor)
        if other is None:
            return False
        if not sensor.task_ids:
            return self.world.runs[other].state == "success"
        some = [task for task in self.world.tasks[other] if task.task_id in sensor.task_ids]
        return bool(some) and all(task.state == "success" for task in some)

    def kill(self, key: Key) -> None:
        """The process of a task ends that isn't to run any more."""
        found = self.live.pop(key)
        self.story.close(found, self.at, "lost")

    def end(self, key: Key, how: str | None = None) -> None:
        """A worker's task ends."""
        ref, task_id, _ = key
        node, found = self.dag_of(ref).tasks[task_id], self.live.pop(key)
        end = how or self.how(key, node)
        if end == "retry":
            self.put(key, "up_for_retry", self.clock_of(key))
            task = self.task(key)
            assert task is not None
            self.world.tries[key] = (*self.world.tries.get(key, ()), replace(task, state="failed"))
            self.story.close(found, self.at, "failed")
            return
        for sensor in self.sensors(ref, task_id):
            found.reads += list(self.reading.awaited(ref, sensor))
        self.put(key, end, self.clock_of(key))
        self.story.close(found, self.at, end)
        if end == "failed" and self.dag_of(ref).fail_fast and not node.is_teardown:
            self.fail_fast(ref)
        if end == "success":
            self.succeeded(key, node, found)
        elif end == "skipped":
            self.story.void.add(found.spot)

    def fail_fast(self, ref: RunRef) -> None:
        """A failure ends the run: what runs fails, all else but a success is skipped."""
        self.world.fail_running(ref)
        self.world.cut_short(ref, UNFINISHED_TASK_STATES | {"upstream_failed"})
        self.end_run(ref, "failed")

    def how(self, key: Key, node: TaskNode) -> str:
        """How a try ends."""
        child = self.awaited_child(key)
        if child is not None and (child not in self.world.runs or self.world.runs[child].state != "success"):
            return "failed"
        return self.fate.end(node) if makes_data(node) or node.is_teardown else "success"

    def succeeded(self, key: Key, node: TaskNode, found: Try) -> None:
        """What a success brings about."""
        ref, task_id, _ = key
        if node.is_setup:
            self.alive.add((ref, task_id))
        elif node.is_teardown:
            self.alive -= {(ref, setup) for setup in node.leaders}
        if node.operator == "BranchPythonOperator" and node.followers:
            followed = self.fate.choose(ref.dag_id, node)
            self.world.choices[ref, task_id] = Skipping(task_id, -1, followed)
            for task in list(self.world.tasks[ref]):
                passed = task.task_id in node.followers - followed
                if passed and task.state not in ("running", "success", "failed"):
                    other = (ref, task.task_id, task.map_index)
                    self.put(other, "skipped")
                    self.story.skip(self.reading.spot(*other), self.at)
        for outlet in self.definitions(ref).outlets:
            if (outlet.dag_id, outlet.task_id) == (ref.dag_id, task_id):
                self.emit(key, outlet.asset_id, found)

    def mark(self, key: Key, state: str, *, by: str) -> None:
        """Somebody sets a task instance to a state; its process dies."""
        ref, task_id, index = key
        now = self.now
        self.world.tasks[ref] = [
            replace(task, state=state, start_date=task.start_date or now, end_date=task.end_date or now)
            if (task.task_id, task.map_index) == (task_id, index)
            else task
            for task in self.world.tasks[ref]
        ]
        self.world.by_hand[key] = by
        if key in self.live:
            self.kill(key)

    def mark_run_success(self, ref: RunRef, *, by: str) -> None:
        """Somebody marks a run that goes on: what goes on ends as a success, what hasn't begun is skipped."""
        for task in list(self.world.tasks[ref]):
            if task.state not in rules.DONE:
                begun = task.state in ("running", "restarting", "up_for_retry")
                self.mark((ref, task.task_id, task.map_index), "success" if begun else "skipped", by=by)
        self.end_run(ref, "success")

    def clear(self, ref: RunRef, only: set[str] | None = None) -> None:
        """Somebody clears a run, or a part of it."""
        self.world.clear_by_hand(ref, only)

    def trigger(self, key: Key, node: TaskNode) -> None:
        """A triggering task makes another run at once, or clears the one that it had made."""
        ref, task_id, _ = key
        target = self.target(ref, task_id)
        if target is None:
            return
        before = self.reading.made.get((ref, task_id))
        fixed = node.makes_one_run or (ref.dag_id, task_id) in self.fixed_ids
        if before is not None and before in self.world.runs and fixed:
            if node.makes_one_run:
                self.end(key, "failed")
                return
            self.clear(before)
            self.world.triggered = [*self.world.triggered, (ref, task_id, before)]
            child = before
        else:
            child = self.make_child(key, target)
        if not node.waits_for_run:
            self.story.tell(self.at, f"{task_id} of {ref} has started {child}")

    def make_child(self, key: Key, target: TriggerDefinition) -> RunRef:
        """Make a run that a task triggers."""
        ref, task_id, _ = key
        child = RunRef(target.trigger_dag_id, f"made{self.made}")
        self.reading.makers[child], self.reading.made[ref, task_id] = (ref, task_id), child
        self.new_run(child.dag_id, "operator_triggered", child.run_id, START + timedelta(days=100, hours=self.made))
        world = self.world
        world.triggered = [*world.triggered, (ref, task_id, child)]
        return child
