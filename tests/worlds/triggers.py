"""Tasks that made a run of another Dag."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_rerun_downstream.domain.plan import LinkKind
from tests.worlds import operators
from tests.worlds.links import Link
from tests.worlds.model import MINUTE, Task

if TYPE_CHECKING:
    from tests.worlds.model import Run

RUN_ID, ADDRESS = "trigger_run_id", "_link_TriggerDagRunLink"

FORGOTTEN_PARENT = "forgotten parent that waited"


class Trigger(Link):
    """A TriggerDagRunOperator task that made a run in every run."""

    kind = LinkKind.TRIGGER
    variant = "trigger"
    form = "none"

    def declare(self) -> None:
        """The task."""
        self.task_id = self.name("go")
        self.add_after(self.up, self.task_id, self.make)

    def make(self) -> Any:
        """The operator."""
        return operators.TriggerDagRunOperator(task_id=self.task_id, trigger_dag_id=self.down.dag_id)

    def start(self) -> None:
        """One run for each of the parent's."""
        for number, parent in enumerate(self.world.runs_of(self.up)):
            ready = parent.ready + (5 + self.number) * MINUTE
            run_id = f"manual__{self.number}_{number}"
            child = self.world.add_run(self.down, run_id, parent.day, logical=None, ready=ready, by="operator")
            self.made(parent, child)

    def made(self, parent: Run, child: Run) -> None:
        """What the task left of it."""
        recorded = self.note(parent, child)
        self.took(parent, [self.task_id], child, None)
        if not recorded:
            self.unsure(parent, [self.task_id])
            self.may_have_been_waited_for(child)

    def may_have_been_waited_for(self, child: Run) -> None:
        """Nothing tells which task made a run: any that waits for such runs may have."""
        self.world.at_last.append(
            lambda: [
                self.world.doubt(self.kind, self.variant, child, None, one.up)
                for one in self.world.links
                if isinstance(one, Waiting) and one.passes_on() and one.down is self.down
            ]
        )

    def note(self, parent: Run, child: Run) -> bool:
        """Both XComs; answer whether they are still there."""
        self.link(parent, child)
        return self.world.record(parent, self.task_id, RUN_ID, child.ref.run_id)

    def link(self, parent: Run, child: Run) -> bool:
        """The link of the UI."""
        address = f"http://localhost/dags/{child.ref.dag_id}/runs/{quote(child.ref.run_id)}"
        return self.world.record(parent, self.task_id, ADDRESS, address)


class Waiting(Trigger):
    """It waited, and what follows it read what the child had made."""

    variant = "trigger that waits"
    weight = 0.6

    def declare(self) -> None:
        """A task after it; without one nobody reads what it waited for."""
        super().declare()
        self.followed = self.chance(0.85)
        after = self.name("report")
        if self.followed:
            self.up.add(Task(after, partial(operators.EmptyOperator, task_id=after), (self.task_id,)))

    def leads_to(self, dag_id: str) -> set[str]:
        """Both ways."""
        back = {self.up.dag_id} if dag_id == self.down.dag_id and self.passes_on() else set()
        return super().leads_to(dag_id) | back

    def passes_on(self, seen: frozenset[Waiting] = frozenset()) -> bool:
        """Whether anything may read what it waited for: a task after it, or whoever reads from its Dag."""
        others = [one for one in self.world.links if one is not self and one not in seen]
        return self.followed or any(
            Link.leads_to(one, self.up.dag_id)
            or (isinstance(one, Waiting) and one.down is self.up and one.passes_on(seen | {self}))
            for one in others
        )

    def make(self) -> Any:
        """The operator."""
        more = {"wait_for_completion": True}
        return operators.TriggerDagRunOperator(task_id=self.task_id, trigger_dag_id=self.down.dag_id, **more)

    def made(self, parent: Run, child: Run) -> None:
        """Both directions."""
        super().made(parent, child)
        self.world.at_last.append(partial(self.ends_after, parent, child))
        kept = self.world.keeps("xcoms", parent.ready)
        told = kept or FORGOTTEN_PARENT not in self.world.left_out
        if self.followed:
            self.took(child, None, parent, self.task_id, beyond=True, told=told)
        if not kept:
            self.world.at_last.append(partial(self.may_have_passed_on, child))

    def may_have_passed_on(self, child: Run) -> None:
        """Where its record is gone, who reads of it can't be told."""
        if self.passes_on():
            self.world.doubt(self.kind, self.variant, child, None, self.up)

    def ends_after(self, parent: Run, child: Run) -> None:
        """It waited until the child had ended."""
        instance = parent.instances[self.task_id, -1]
        instance.end = max(instance.end, child.end + MINUTE)


class InPython(Trigger):
    """A Python task that executes the operator: its Dag's text says nothing of it."""

    variant = "trigger in a Python task"

    def make(self) -> Any:
        """Any Python task."""
        return operators.PythonOperator(task_id=self.task_id, python_callable=operators.nothing)

    def made(self, parent: Run, child: Run) -> None:
        """Without its record nothing at all tells."""
        told = self.note(parent, child)
        self.took(parent, [self.task_id], child, None, told=told)
        if not told:
            self.may_have_been_waited_for(child)


class Templated(Trigger):
    """The Dag's name is a template."""

    variant = "trigger with a templated Dag"

    def leads_to(self, dag_id: str) -> set[str]:
        """To every Dag that the template can spell."""
        every = {dag.dag_id for dag in self.world.dags}
        return every if dag_id == self.up.dag_id else set()

    def make(self) -> Any:
        """The template begins like all of the deployment's Dags."""
        target = f"{self.world.prefix}{{{{ var.value.which }}}}"
        return operators.TriggerDagRunOperator(task_id=self.task_id, trigger_dag_id=target)

    def made(self, parent: Run, child: Run) -> None:
        """The run's id, and the link or the fields or neither."""
        linked = self.chance(0.5) and self.link(parent, child)
        noted = self.world.record(parent, self.task_id, RUN_ID, child.ref.run_id)
        fields = {"trigger_dag_id": self.down.dag_id, "trigger_run_id": None}
        rendered = self.chance(0.6) and self.world.render(parent, self.task_id, fields)
        self.took(parent, [self.task_id], child, None)
        if not linked and not (noted and rendered):
            self.may_have_been_waited_for(child)
            for dag in self.world.dags:
                self.world.doubt(self.kind, self.variant, parent, [self.task_id], dag)


class FromParams(Trigger):
    """The Dag's name is a template that params or the run's configuration fill in; nothing else says which it is."""

    variant = "trigger with a Dag from params"

    def declare(self) -> None:
        """The default, or one that the configuration of every run replaces."""
        self.which = self.name("target")
        self.configured = self.chance(0.5)
        for version in (0, 1):
            self.up.params[version][self.which] = "nobody" if self.configured else self.down.dag_id
        super().declare()

    def make(self) -> Any:
        """The template may mean any Dag."""
        return operators.TriggerDagRunOperator(task_id=self.task_id, trigger_dag_id=f"{{{{ params.{self.which} }}}}")

    def made(self, parent: Run, child: Run) -> None:
        """As of a target that is written down."""
        if self.configured:
            parent.conf[self.which] = self.down.dag_id
        super().made(parent, child)

    def note(self, parent: Run, child: Run) -> bool:
        """The run's id alone."""
        return self.world.record(parent, self.task_id, RUN_ID, child.ref.run_id)


class HalfRecorded(Trigger):
    """Only one of the two records is left, or none; or the task has failed since."""

    variant = "trigger with half its records"

    def declare(self) -> None:
        """Which half."""
        super().declare()
        self.way = self.random.choice(["link", "id", "failed", "none"])

    def told(self) -> str:
        """Which half."""
        return f" {self.way}"

    def note(self, parent: Run, child: Run) -> bool:
        """What is left."""
        if self.way == "failed":
            parent.instances[self.task_id, -1].state = "failed"
        if self.way == "none":
            return False
        if self.way == "link":
            return self.link(parent, child)
        return self.world.record(parent, self.task_id, RUN_ID, child.ref.run_id)


class Removed(Trigger):
    """The task is gone by now."""

    variant = "trigger that is gone"
    weight = 2.0

    def declare(self) -> None:
        """Gone from the second version."""
        self.task_id = self.name("go")
        self.up.changes = True
        self.add_after(self.up, self.task_id, self.make, (0,))

    def start(self) -> None:
        """Runs of the first version only made any."""
        for number, parent in enumerate(self.world.runs_of(self.up)):
            if parent.version == 0:
                ready = parent.ready + (5 + self.number) * MINUTE
                run_id = f"manual__{self.number}_{number}"
                child = self.world.add_run(self.down, run_id, parent.day, logical=None, ready=ready, by="operator")
                self.made(parent, child)


TRIGGERS = (Trigger, Waiting, InPython, Templated, FromParams, HalfRecorded, Removed)
