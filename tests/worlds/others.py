"""Links by a marker, by the Dag's own past, and by the deployment's file."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

from airflow_rerun_downstream.domain.plan import LinkKind
from tests.worlds import operators
from tests.worlds.links import Link
from tests.worlds.model import HOUR, Task


class Marker(Link):
    """A marker that names the run, of the same day or the next, that depends on it."""

    kind = LinkKind.MARKER
    variant = "marker"
    dated_up = True

    def declare(self) -> None:
        """The marker and the task that it names."""
        self.hours = self.down.hour - self.up.hour + 24 * int(self.chance(0.5))
        self.task_id, self.reader = self.name("mark"), self.name("read")
        self.add_after(self.up, self.task_id, self.make)
        self.down.add(Task(self.reader, partial(operators.EmptyOperator, task_id=self.reader)))

    def make(self) -> Any:
        """Its date is a template."""
        date = f"{{{{ (logical_date + macros.timedelta(hours={self.hours})).isoformat() }}}}"
        more = {"external_dag_id": self.down.dag_id, "external_task_id": self.reader, "logical_date": date}
        return operators.ExternalTaskMarker(task_id=self.task_id, **more)

    def read(self) -> None:
        """The runs that it names."""
        for run in self.world.runs_of(self.up):
            reader = self.world.at(self.down, run.logical + self.hours * HOUR) if run.logical else None
            if reader is not None:
                self.took(run, [self.task_id], reader, self.reader)


class Past(Link):
    """A task that goes on from the run before, in one of the Dag's versions or both."""

    kind = LinkKind.PREVIOUS_RUN
    variant = "depends_on_past"
    weight = 1.8
    argument = "depends_on_past"

    def declare(self) -> None:
        """The task, and one after it."""
        self.task_id, after = self.name("add"), self.name("show")
        self.in_versions = self.random.choice([(0, 1), (0, 1), (0,), (1,)])
        for version in (0, 1):
            base = self.base(self.down, version)
            self.down.add(Task(self.task_id, partial(self.make, version), (base,)), (version,))
            make = partial(operators.EmptyOperator, task_id=after)
            self.down.add(Task(after, make, (self.task_id,)), (version,))

    def told(self) -> str:
        """In which versions."""
        return f" in versions {self.in_versions}"

    def make(self, version: int) -> Any:
        """With or without the argument."""
        more = {self.argument: version in self.in_versions}
        return operators.EmptyOperator(task_id=self.task_id, **more)

    def read(self) -> None:
        """Each run from the one before."""
        runs = self.world.runs_of(self.down)
        for before, run in pairwise(runs):
            if run.version in self.in_versions:
                self.took(before, self.waits_for(), run, self.task_id)

    def waits_for(self) -> list[str]:
        """The tasks of the run before."""
        return [self.task_id]


class PastDownstream(Past):
    """It waits for what follows it in the run before, too."""

    variant = "wait_for_downstream"
    argument = "wait_for_downstream"

    def waits_for(self) -> list[str]:
        """The task, and the one right after it."""
        return [self.task_id, self.name("show")]


class Declared(Link):
    """Nobody sees it but those who wrote the file."""

    kind = LinkKind.DECLARED
    variant = "declared"
    dated_up = True

    def declare(self) -> None:
        """A line of the file."""
        self.hours = self.down.hour - self.up.hour + 24 * int(self.chance(0.5))
        self.reader = self.name("fetch")
        self.down.add(Task(self.reader, partial(operators.EmptyOperator, task_id=self.reader)))
        self.task = self.random.choice([None, "first", "aside"])
        ends = [f"dag_id: {self.up.dag_id}", f"dag_id: {self.down.dag_id}, task_id: {self.reader}"]
        if self.task:
            ends[0] += f", task_id: {self.task}"
        sign = "-" if self.hours < 0 else ""
        offset = f"{sign}PT{abs(self.hours)}H" if self.hours else "same"
        self.world.declared.append(f"- {{upstream: {{{ends[0]}}}, downstream: {{{ends[1]}}}, offset: {offset}}}")

    def read(self) -> None:
        """As the file says."""
        for run in self.world.runs_of(self.up):
            reader = self.world.at(self.down, run.logical + self.hours * HOUR) if run.logical else None
            if reader is not None:
                self.took(run, [self.task] if self.task else None, reader, self.reader)


class DeclaredUndated(Declared):
    """A line about runs without a logical date: which one read can't be told from it."""

    variant = "declared without dates"
    form = "none"

    def read(self) -> None:
        """A run of the same day did."""
        for run in self.world.runs_of(self.up):
            self.unsure(run, [self.task] if self.task else None)
            for reader in self.world.runs_of(self.down):
                if reader.day == run.day:
                    self.took(run, [self.task] if self.task else None, reader, self.reader)


OTHERS = (Marker, Past, PastDownstream, Declared, DeclaredUndated)
