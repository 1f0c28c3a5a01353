"""Airflow's part: its scheduler and its workers, over the world in memory, one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from airflow_rerun_downstream.domain.facts import DagStructure, TaskNode
from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.refs import RunRef
from tests.reruns import rules
from tests.reruns.airflow import Key
from tests.reruns.workers import Workers

Step = Callable[[], None]

FAILED = ("failed", "upstream_failed")


class Scheduler(Workers):
    """Starts what may start, ends what runs, and closes runs."""

    def steps(self) -> list[tuple[str, Step]]:
        """What could happen next, each with a word for it."""
        found: list[tuple[str, Step]] = []
        for ref, run in list(self.world.runs.items()):
            if ref.dag_id in self.world.gone or ref.dag_id not in self.world.structures:
                continue
            if run.state == "queued":
                room = self.house.unit_of_work.gateway.rooms([ref.dag_id])[ref.dag_id]
                if not room.closed and (room.limit is None or room.running < room.limit):
                    found.append((f"start {ref}", lambda ref=ref: self.start_run(ref)))  # type: ignore[misc]
            elif run.state == "running":
                found += self.steps_of(ref)
        for key in list(self.live):  # a run that was ended by somebody leaves its processes to die
            if key[0] not in self.world.runs or self.task(key) is None or self.task(key).state != "running":  # type: ignore[union-attr]
                found.append((f"kill {key}", lambda key=key: self.kill(key)))  # type: ignore[misc]
        return found

    def steps_of(self, ref: RunRef) -> list[tuple[str, Step]]:
        """What could happen in a run that goes on."""
        self.integrate(ref, removing=False)
        ready = self.settle(ref)
        paused = self.world.structures[ref.dag_id].is_paused
        found: list[tuple[str, Step]] = []
        for task in self.world.tasks[ref]:
            key = (ref, task.task_id, task.map_index)
            if task.state == "running" and key in self.live and self.may_end(key):
                found.append((f"end {key}", lambda key=key: self.end(key)))  # type: ignore[misc]
            elif task.state == "restarting" and key not in self.live:
                found.append((f"reset {key}", lambda key=key: self.put(key, None)))  # type: ignore[misc]
            elif not paused and key not in self.live and (task.state == "up_for_retry" or key in ready):
                found.append((f"begin {key}", lambda key=key: self.begin(key)))  # type: ignore[misc]
        states = {task.state for task in self.world.tasks[ref]}
        if rules.all_done(states):
            found.append((f"close {ref}", lambda: self.close(ref)))
        return found

    def settle(self, ref: RunRef) -> set[Key]:
        """Look at what hasn't begun: give what won't run its state, and answer what may run."""
        dag, ready = self.dag_of(ref), set[Key]()
        for task in self.world.tasks[ref]:
            if task.task_id not in dag.tasks and task.state != "removed":
                self.put((ref, task.task_id, task.map_index), "removed")  # whatever it has come to
        changed = True
        while changed:
            changed, ready = False, set()
            for task in list(self.world.tasks[ref]):
                if task.state is not None or task.task_id not in dag.tasks:
                    continue
                key = (ref, task.task_id, task.map_index)
                if self.expand(key, dag):
                    changed = True
                    break
                after = self.decided(ref, dag, dag.tasks[task.task_id], task.map_index)
                if after == rules.RUN:
                    ready.add(key)
                elif after != rules.WAIT:
                    self.put(key, after)
                    if after == "skipped":
                        self.story.skip(self.reading.spot(*key), self.at)
                    changed = True
        return ready

    def expand(self, key: Key, dag: DagStructure) -> bool:
        """Give a mapped task, or one in a mapped group, its indexes."""
        ref, task_id, index = key
        count = self.indexes.get((ref.dag_id, task_id), 0)
        if index >= 0 or not count:
            return False
        first = self.task(key)
        assert first is not None
        rest = [task for task in self.world.tasks[ref] if task.task_id != task_id]
        self.world.tasks[ref] = [*rest, *(replace(first, map_index=number) for number in range(count))]
        return True

    def decided(self, ref: RunRef, dag: DagStructure, node: TaskNode, index: int) -> str:
        """What becomes of a task that hasn't begun."""
        for leader in node.leaders:
            choice = self.world.choices.get((ref, leader))
            ended = any(t.task_id == leader and t.state in rules.DONE for t in self.world.tasks[ref])
            if choice and choice.followed is not None and node.task_id not in choice.followed and ended:
                return rules.SKIPPED
        if not node.is_teardown and (setups := self.setups_above(dag, node)):
            found = rules.of_setups(self.states(ref, dag, node, setups, index), mapped=index >= 0)
            if found != rules.RUN:
                return found
        before = self.states(ref, dag, node, node.leaders, index)
        setups_before = self.states(ref, dag, node, {one for one in node.leaders if dag.tasks[one].is_setup}, index)
        found = rules.of_rule(node.trigger_rule, before, index=index, setups=setups_before)
        if found == rules.RUN and node.is_teardown:
            scope = self.scope(dag, node)
            return found if rules.all_done(self.states(ref, dag, node, scope, index)) else rules.WAIT
        return found

    def states(
        self, ref: RunRef, dag: DagStructure, node: TaskNode, ids: set[str] | frozenset[str], index: int
    ) -> list[str | None]:
        """The states of the instances of some tasks on which a task depends: in a mapped group those of its index."""
        alike = {name for group in dag.mapped_groups if node.task_id in dag.groups[group] for name in dag.groups[group]}
        return [
            task.state
            for task in self.world.tasks[ref]
            if task.task_id in ids
            and (task.task_id not in alike or index < 0 or task.map_index < 0 or task.map_index == index)
        ]

    def setups_above(self, dag: DagStructure, node: TaskNode) -> set[str]:
        """The setups that a task needs and doesn't follow directly."""
        above = reachable(node.leaders, {task_id: one.leaders for task_id, one in dag.tasks.items()})
        return {one for one in above - node.leaders if dag.tasks[one].is_setup and self.needs(dag, node, one)}

    def scope(self, dag: DagStructure, node: TaskNode) -> set[str]:
        """What lies between a teardown and its setups."""
        above = reachable(node.leaders, {task_id: one.leaders for task_id, one in dag.tasks.items()}) - node.leaders
        setups = [one for one in node.leaders if dag.tasks[one].is_setup]
        return above & reachable(setups, {task_id: one.followers for task_id, one in dag.tasks.items()})

    def start_run(self, ref: RunRef) -> None:
        """The scheduler takes a run out of the queue."""
        self.integrate(ref, removing=True)
        self.world.set_run(ref, state="running", start_date=self.now)

    def close(self, ref: RunRef) -> None:
        """A run in which nothing is left to do ends as its leaves did."""
        dag = self.dag_of(ref)
        nodes = dag.tasks

        def counts(node: TaskNode) -> bool:
            return not node.is_teardown or node.fails_run

        leaves = {t for t, n in nodes.items() if counts(n) and not any(counts(nodes[f]) for f in n.followers)}
        states = [t.state for t in self.world.tasks[ref] if t.task_id in leaves]
        self.end_run(ref, "failed" if any(state in FAILED for state in states) else "success")

    def time_out(self) -> bool:
        """A sensor that waits in vain fails in the end; whether there was one."""
        for key in sorted(self.live, key=str):
            if any(True for _ in self.sensors(*key[:2])) and self.task(key) is not None:
                self.end(key, "failed")
                return True
        return False

    def one_step(self) -> bool:
        """Something happens; False: nothing can."""
        found = self.steps()
        if not found:
            return False
        self.house.clock.advance(seconds=self.random.choice((1, 1, 2, 5, 17, 40)))
        found[self.random.randrange(len(found))][1]()
        return True
