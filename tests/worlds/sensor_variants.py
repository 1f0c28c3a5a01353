"""Sensors that are mapped, skipped, of one's own, or not what they were any more."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import task_group

from tests.worlds import operators
from tests.worlds.model import Task
from tests.worlds.sensors import BY_FIELDS, NEVER, ByFunction, FromParams, Plain, Sensor, Templated, Unmarked, Wait

if TYPE_CHECKING:
    from tests.worlds.model import Run


class Mapped(Sensor):
    """Expanded over Dags, tasks or offsets that the Dag's text lists."""

    variant = "mapped sensor"
    weight = 0.5

    def choose(self) -> None:
        """Two indexes."""
        other = self.wait(self.ups[-1])
        waits = {0: self.forms[0][-1], 1: other}
        self.forms = (waits, waits)

    def make(self, version: int) -> Any:
        """Expanded over all arguments at once."""
        every = [wait.arguments() for wait in self.forms[version].values()]
        return operators.ExternalTaskSensor.partial(task_id=self.task_id[version]).expand_kwargs(every)


class InMappedGroup(Sensor):
    """In a mapped group: what its argument was, only a running task knew."""

    variant = "sensor in a mapped group"
    weight = 0.6
    known = BY_FIELDS

    def choose(self) -> None:
        """The group is mapped over names of tasks."""
        self.group = self.name("each")
        self.task_id = (f"{self.group}.wait",) * 2
        hours = self.forms[0][-1].hours
        waits = {index: Wait(self.up, hours, (name,)) for index, name in enumerate(["first", "aside"])}
        self.forms = (waits, waits)

    def make(self, version: int) -> Any:
        """The group; the task that uses the sensor is outside."""
        arguments = self.forms[version][0].arguments()
        names = [wait.tasks[0] for wait in self.forms[version].values()]
        arguments.pop("external_task_ids")

        def tasks(name: str) -> Any:
            operators.ExternalTaskSensor(task_id="wait", external_task_id=name, **arguments)

        return task_group(group_id=self.group)(tasks).expand(name=names)


class OfOnesOwn(Sensor):
    """A sensor that names a Dag, and of which nothing else is known."""

    variant = "sensor of one's own"
    known = NEVER

    def choose(self) -> None:
        """Our listener records those only that are Airflow's own at heart."""
        self.of_airflow = self.chance(0.5)
        if self.of_airflow:
            other = self.wait(self.ups[-1])
            self.forms = ({-1: other}, {-1: other})
        else:
            self.recorded = 0.0

    def make(self, version: int) -> Any:
        """One that shares an argument's name, or one that chooses its target as it runs."""
        arguments = self.forms[version][-1].arguments()
        if self.of_airflow:
            arguments["external_dag_id"] = self.up.dag_id
            return operators.OwnTargetSensor(task_id=self.task_id[version], **arguments)
        return operators.DagSensor(task_id=self.task_id[version], external_dag_id=arguments["external_dag_id"])

    def waited(self, run: Run, index: int, wait: Wait, up: Run | None) -> None:
        """Where nothing was recorded, a Dag that its text doesn't name isn't told."""
        self.ends_after(run, index, up)
        noted = self.chance(self.recorded) and self.note(run, index, wait)
        if up is not None:
            told = noted or wait.dag is self.up
            self.took(up, wait.members, run, self.task_id[run.version], told=told)
        if not noted:
            for any_up in self.world.runs_of(self.up):
                self.unsure(any_up, None)


class Skipped(Sensor):
    """Behind a branch that left it out in some runs; or skipped, in others, by what it waited for."""

    variant = "skipped sensor"
    weight = 1.7

    def put(self) -> None:
        """A branch before it, and what uses it after it."""
        branch, wait, use, other = (self.name(word) for word in ("branch", "wait", "use", "other"))
        for version in (0, 1):
            make = partial(operators.BranchPythonOperator, task_id=branch, python_callable=operators.nothing)
            self.down.add(Task(branch, make), (version,))
            self.down.add(Task(wait, partial(self.make, version), (branch,)), (version,))
            self.down.add(Task(other, partial(operators.EmptyOperator, task_id=other), (branch,)), (version,))
            self.down.add(Task(use, partial(operators.EmptyOperator, task_id=use), (wait,)), (version,))

    def make(self, version: int) -> Any:
        """It skips itself where what it waits for has failed."""
        arguments = self.forms[version][-1].arguments()
        return operators.ExternalTaskSensor(
            task_id=self.task_id[version], soft_fail=True, failed_states=["failed"], **arguments
        )

    def waited(self, run: Run, index: int, wait: Wait, up: Run | None) -> None:
        """By the branch, by itself, or not at all."""
        fate = self.random.choice(["ran", "branch", "itself"])
        branch, other = self.name("branch"), self.name("other")
        self.world.record(run, branch, "skipmixin_key", {"followed": [other if fate == "branch" else self.task_id[0]]})
        if fate == "ran":
            super().waited(run, index, wait, up)
            return
        instance = run.instances[self.task_id[run.version], index]
        instance.state = run.instances[self.name("use"), -1].state = "skipped"
        run.instances[self.name("use"), -1].tries = 0
        if fate == "branch":
            instance.tries, instance.end = 0, instance.start
        elif up is not None:
            self.ends_after(run, index, up)
            self.took(up, wait.members, run, self.task_id[run.version])
            if not self.down.policy:
                self.forgotten(run, wait)


class Changed(Sensor):
    """Another one before the Dag changed: by offset, target, name or task; or it is gone, or new."""

    variant = "sensor that has changed"
    weight = 1.2

    def choose(self) -> None:
        """What changes, on the day on which everything changes."""
        self.down.changes = True
        how = self.random.choice(["offset", "target", "name", "upstream", "removed", "added"])
        now = self.forms[1][-1]
        if how == "upstream" and self.up.renames and self.up.changes:
            hours = self.down.hour - self.up.hour
            self.forms = tuple({-1: Wait(self.up, hours, (self.up.last(version),))} for version in (0, 1))
            return
        before: dict[int, Wait] = {-1: now}
        if how == "offset":
            before = {-1: replace(now, hours=now.hours + (24 if now.hours <= 23 else -24))}
        elif how == "target":
            before = {-1: self.wait(self.ups[-1])}
        elif how == "name":
            self.task_id = (f"{self.task_id[1]}_old", self.task_id[1])
        self.forms = ({} if how == "added" else before, {} if how == "removed" else {-1: now})


class OfAStaleDag(Sensor):
    """The Dag of the sensor is gone by now."""

    variant = "sensor of a Dag that is gone"

    def choose(self) -> None:
        """Nobody removed its versions."""
        self.down.stale = True


SENSORS = (
    Plain, Unmarked, ByFunction, Templated, FromParams, Mapped, InMappedGroup, OfOnesOwn, Skipped, Changed, OfAStaleDag,
)  # fmt: skip
