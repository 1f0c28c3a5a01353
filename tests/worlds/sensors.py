"""Sensors: tasks that waited for a run, or for some tasks of a run, of another Dag."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY, waited_value
from airflow_rerun_downstream.domain.plan import LinkKind
from tests.worlds import operators
from tests.worlds.links import Link
from tests.worlds.model import HOUR, MINUTE, Task

if TYPE_CHECKING:
    from tests.worlds.model import Dag, Run

ALL_RECORDED = "functions that are all recorded"
BY_TEXT, BY_FIELDS, BY_RECORD, NEVER = "text", "fields", "record", "never"
"""What tells what a sensor waited for, where nothing was recorded of it."""


@dataclass(frozen=True)
class Wait:
    """What one index of a sensor waited for."""

    dag: Dag
    hours: int
    tasks: tuple[str, ...] = ()
    group: str | None = None

    def __str__(self) -> str:
        what = self.group or "+".join(self.tasks) or "the run"
        return f"{what} of {self.dag.dag_id} {self.hours} hours before"

    @property
    def members(self) -> tuple[str, ...] | None:
        """The tasks that it waited for; None: the whole run."""
        return ("grp.mid", "grp.side") if self.group else (self.tasks or None)

    def arguments(self) -> dict[str, Any]:
        """How a Dag's author writes it."""
        found: dict[str, Any] = {"external_dag_id": self.dag.dag_id}
        if self.tasks:
            found["external_task_ids"] = list(self.tasks)
        if self.group:
            found["external_task_group_id"] = self.group
        if self.hours:
            found["execution_delta"] = self.hours * HOUR
        return found


class Sensor(Link):
    """One sensor, and a task after it. ``forms`` is what it waited for in each version, by its map indexes."""

    kind = LinkKind.SENSOR
    dated_up = True
    known: ClassVar[str] = BY_TEXT

    def told(self) -> str:
        """What it waits for."""
        now, before = ([str(wait) for wait in form.values()] for form in reversed(self.forms))
        return f" {now}{'' if before == now else f', before {before}'} as {self.task_id}, recorded {self.recorded:.0%}"

    def declare(self) -> None:
        """The same sensor in both versions."""
        self.recorded = self.random.choice([0.0, 0.5, 1.0])
        self.task_id = (self.name("wait"),) * 2
        wait = self.wait(self.up)
        self.forms: tuple[dict[int, Wait], dict[int, Wait]] = ({-1: wait}, {-1: wait})
        self.choose()
        self.put()

    def choose(self) -> None:
        """Make it the sensor of a variant."""

    def put(self) -> None:
        """Add the sensor, and what uses it."""
        use = self.name("use")
        leads_on = self.chance(0.6)
        for version in (0, 1):
            if self.forms[version]:
                task_id = self.task_id[version]
                mapped = len(self.forms[version]) if -1 not in self.forms[version] else None
                self.down.add(Task(task_id, partial(self.make, version), count=mapped), (version,))
                self.down.add(Task(use, partial(operators.EmptyOperator, task_id=use), (task_id,)), (version,))
                if leads_on:
                    self.down.before_last(use, version)

    def wait(self, dag: Dag) -> Wait:
        """Something to wait for in the Dag's run of the same day, or of the one before."""
        days = int(self.chance(0.3))
        hours = self.down.hour - dag.hour + 24 * days
        kind = self.random.choice(["run", "first", "aside", "group"])
        if kind == "group":
            return Wait(dag, hours, group="grp")
        return Wait(dag, hours, () if kind == "run" else (kind,))

    def make(self, version: int) -> Any:
        """The operator of a version."""
        return operators.ExternalTaskSensor(task_id=self.task_id[version], **self.forms[version][-1].arguments())

    def read(self) -> None:
        """Each run waited as its own version says."""
        for run in self.world.runs_of(self.down):
            for index, form in self.forms[run.version].items():
                wait = self.wait_in(run, form)
                up = self.world.at(wait.dag, None if run.logical is None else run.logical - wait.hours * HOUR)
                self.waited(run, index, wait, up)

    def wait_in(self, run: Run, form: Wait) -> Wait:
        """What the sensor waited for in a run."""
        return form

    def waited(self, run: Run, index: int, wait: Wait, up: Run | None) -> None:
        """One instance waited for a run (None: one that is gone by now)."""
        self.ends_after(run, index, up)
        noted = self.chance(self.recorded) and self.note(run, index, wait)
        rendered = self.render(run, index, wait) if self.known == BY_FIELDS else False
        if up is not None:
            self.took(up, wait.members, run, self.task_id[run.version])
        if noted or (self.down.policy and (rendered or self.known == BY_TEXT)):
            return
        if rendered:
            Sensor.forgotten(self, run, wait)  # the Dag is known, and the offset isn't
        else:
            self.forgotten(run, wait)

    def ends_after(self, run: Run, index: int, up: Run | None) -> None:
        """It looked until the run had ended."""
        instance = run.instances[self.task_id[run.version], index]
        instance.end = max(instance.end, up.end + MINUTE if up else instance.end)

    def note(self, run: Run, index: int, wait: Wait) -> bool:
        """Let the listener record it."""
        dates = [run.logical - wait.hours * HOUR] if run.logical else []
        value = waited_value(wait.dag.dag_id, wait.tasks, wait.group, dates)
        return self.world.record(run, self.task_id[run.version], WAITED_KEY, value, index)

    def render(self, run: Run, index: int, wait: Wait) -> bool:
        """Let Airflow keep the fields."""
        fields = {
            "external_dag_id": wait.dag.dag_id,
            "external_task_ids": list(wait.tasks) or None,
            "external_task_id": None,
            "external_task_group_id": wait.group,
        }
        return self.world.render(run, self.task_id[run.version], fields, index)

    def forgotten(self, run: Run, wait: Wait) -> None:
        """Nothing tells which run an instance waited for."""
        for up in self.world.runs_of(wait.dag):
            self.unsure(up, None)


class Plain(Sensor):
    """Airflow's own sensor, with the policy's mark."""

    variant = "sensor"


class Unmarked(Sensor):
    """A Dag that was parsed without the policy: nobody knows the offset."""

    variant = "sensor without our policy"

    def choose(self) -> None:
        """The whole Dag is parsed so."""
        self.down.policy = False


class ByFunction(Sensor):
    """A date function: only records tell."""

    variant = "sensor with a date function"
    known = BY_RECORD

    def read(self) -> None:
        """What is recorded of every run leaves nothing open."""
        super().read()
        if ALL_RECORDED in self.world.left_out:
            for up in self.world.runs_of(self.up):
                self.unsure(up, None)

    def make(self, version: int) -> Any:
        """With a function, or a class that reckons by itself."""
        arguments = self.forms[version][-1].arguments()
        arguments.pop("execution_delta", None)
        if self.number % 2:
            return operators.OwnDatesSensor(task_id=self.task_id[version], **arguments)
        arguments["execution_date_fn"] = operators.some_date
        return operators.ExternalTaskSensor(task_id=self.task_id[version], **arguments)


class Templated(Sensor):
    """The Dag's name is a template that only what Airflow rendered tells."""

    variant = "sensor with a templated Dag"
    known = BY_FIELDS

    def leads_to(self, dag_id: str) -> set[str]:
        """From every Dag that the template can spell."""
        return {self.down.dag_id}

    def make(self, version: int) -> Any:
        """The template begins like all of the deployment's Dags."""
        arguments = self.forms[version][-1].arguments()
        arguments["external_dag_id"] = f"{self.world.prefix}{{{{ var.value.which }}}}"
        return operators.ExternalTaskSensor(task_id=self.task_id[version], **arguments)

    def forgotten(self, run: Run, wait: Wait) -> None:
        """It may have waited for whatever Dag the template can spell."""
        self.world.at_last.append(partial(self.any_dag, run, wait))

    def any_dag(self, run: Run, wait: Wait) -> None:
        """Each Dag's run at the date; without the policy's mark, at any."""
        for dag in self.world.dags:
            if not self.down.policy:
                every = self.world.runs_of(dag)
            else:
                every = [self.world.at(dag, run.logical - wait.hours * HOUR)] if run.logical else []
            for up in every:
                if up is not None:
                    self.unsure(up, None)


class FromParams(Sensor):
    """The Dag's name is a template that params, the run's configuration or its date fill in."""

    variant = "sensor with a Dag from params"
    weight = 1.2

    def choose(self) -> None:
        """Whose params they are, how the template takes them, and what changes with the version."""
        self.own = self.chance(0.3)
        self.names = [self.name("which"), self.name("other")]
        self.other = self.ups[-1]
        self.way = self.random.choice(["attribute", "item", "get", "conf", "date"])
        if self.chance(0.4):
            self.down.changes = True
            now = self.forms[1][-1]
            self.forms = ({-1: replace(now, dag=self.other)}, {-1: now})
        for version in () if self.own else (0, 1):
            self.down.params[version].update(self.given(version))

    def told(self) -> str:
        """How the template takes them."""
        return f"{super().told()}, by {self.way}{' of the task' if self.own else ''}"

    def given(self, version: int) -> dict[str, str]:
        """The params of a version."""
        return {self.names[0]: self.forms[version][-1].dag.dag_id, self.names[1]: self.other.dag_id}

    def template(self) -> str:
        """What stands in the place of the Dag's name."""
        which, other = self.names
        ways = {
            "attribute": f"params.{which}",
            "item": f"params['{which}']",
            "get": f"params.get('{which}', 'nobody')",
            "conf": f"dag_run.conf.get('{which}', params.{which})",
            "date": f"params.{which} if logical_date.day % 2 else params.{other}",
        }
        return f"{{{{ {ways[self.way]} }}}}"

    def wait_in(self, run: Run, form: Wait) -> Wait:
        """A configuration takes the place of params."""
        if self.way == "date":
            return form if run.logical is not None and run.logical.day % 2 else replace(form, dag=self.other)
        if not self.chance(0.3):
            return form
        run.conf[self.names[0]] = self.other.dag_id
        return replace(form, dag=self.other)

    def waited(self, run: Run, index: int, wait: Wait, up: Run | None) -> None:
        """Airflow keeps the fields, as of every task with templates; they needn't be there to know."""
        if self.chance(0.5):
            self.render(run, index, wait)
        super().waited(run, index, wait, up)

    def make(self, version: int) -> Any:
        """Params of this link alone."""
        arguments = self.forms[version][-1].arguments() | {"external_dag_id": self.template()}
        if self.own:
            arguments["params"] = self.given(version)
        return operators.ExternalTaskSensor(task_id=self.task_id[version], **arguments)
