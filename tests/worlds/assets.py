"""Assets: those that started runs, and those that tasks read as they ran."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias

from airflow_rerun_downstream.domain.plan import LinkKind
from tests.worlds import operators
from tests.worlds.links import Link
from tests.worlds.model import HOUR, MINUTE, Event, Task

if TYPE_CHECKING:
    from datetime import datetime

    from tests.worlds.model import Dag, Run

ALIAS_CLEANED = "events through an alias cleaned"
SECOND = timedelta(seconds=1)


class OfAsset(Link):
    """A link over an asset of its own."""

    by_alias = False

    @property
    def uri(self) -> str:
        """The asset, which is called like its URI."""
        return f"{self.world.prefix}asset{self.number}"

    @property
    def alias(self) -> str | None:
        """The alias through which it comes."""
        return f"{self.world.prefix}alias{self.number}" if self.by_alias else None

    def outlet(self) -> Any:
        """What a task declares to make."""
        return AssetAlias(self.alias) if self.alias else Asset(self.uri)

    def emitting(self, dag: Dag) -> None:
        """Give a Dag a task that emits it."""
        task_id = self.name("emit")
        make = partial(operators.EmptyOperator, task_id=task_id, outlets=[self.outlet()])
        self.add_after(dag, task_id, make)

    def emit(self, run: Run) -> Event:
        """An event of a run; answer it, whether it is still there or not."""
        late = self.lateness()
        at = run.ready + 3 * MINUTE - (self.number % 50 + 1) * SECOND + late
        instance = run.instances[self.name("emit"), -1]
        instance.end = max(instance.end, at + SECOND)
        if late:
            run.outlived_by.add(self.name("emit"))
        kept = self.world.keeps("events", at)
        event = Event(self.uri, run.ref, self.name("emit"), at, alias=self.alias, kept=kept)
        self.world.events.append(event)
        return event

    def is_told(self, event: Event) -> bool:
        """Whether anything is left that tells of an event."""
        return event.kept or not self.alias or ALIAS_CLEANED not in self.world.left_out

    def lateness(self) -> timedelta:
        """How long after its run was ended an event came: now and then very long."""
        return 40 * HOUR if self.chance(0.15) and "late events" not in self.world.left_out else timedelta()


class Started(OfAsset):
    """Events that started runs."""

    kind = LinkKind.ASSET
    variant = "asset"
    form = "assets"

    def declare(self) -> None:
        """The outlet and the schedule."""
        self.emitting(self.up)
        self.down.assets.append(self.outlet())

    def start(self) -> None:
        """A run for the events of a day; now and then for those of two days."""
        for producer in self.world.runs_of(self.up):
            event = self.emit(producer)
            consumer = self.consumer(producer.day, event.at)
            event.consumers.append(consumer.ref)
            self.took(producer, [self.name("emit")], consumer, None, told=self.is_told(event))
            if not event.kept:
                self.unsure(producer, [self.name("emit")])

    def consumer(self, day: int, at: datetime) -> Run:
        """The run that consumes the events of a day, in this link and in others."""
        day -= int(day % 2 == 0 and self.number % 3 == 0)
        known = [run for run in self.world.runs_of(self.down) if run.day == day and run.by == "asset"]
        if known:
            known[0].delay(at + MINUTE)
            return known[0]
        return self.world.add_run(
            self.down, f"asset_triggered__{day}", day, logical=None, ready=at + MINUTE, by="asset"
        )


class ByAlias(Started):
    """Events that came through an alias, by which the Dag is scheduled."""

    variant = "asset alias"
    weight = 1.3
    by_alias = True


class OrTime(Started):
    """Runs that events started, and others that the clock did: these read the asset as an inlet."""

    variant = "asset or time"
    form = "asset_or_time"

    def declare(self) -> None:
        """A task that reads it."""
        super().declare()
        self.task_id = self.name("read")
        make = partial(operators.EmptyOperator, task_id=self.task_id, inlets=[Asset(self.uri)])
        self.down.add(Task(self.task_id, make))

    def read(self) -> None:
        """Which of the runs is which, the consumed events say."""
        emitted = [(self.world.runs[event.run], event) for event in self.all_events]
        for run in self.world.runs_of(self.down):
            if run.by == "asset":
                continue
            self.read_last(run, emitted)

    def start(self) -> None:
        """And remember the events."""
        self.all_events: list[Event] = []
        super().start()

    def emit(self, run: Run) -> Event:
        """And remember it."""
        event = super().emit(run)
        self.all_events.append(event)
        return event

    def read_last(self, run: Run, emitted: list[tuple[Run, Event]]) -> None:
        """The last event before the task's start."""
        start = run.instances[self.task_id, -1].start
        seen = [(up, event) for up, event in emitted if event.at <= start]
        if seen:
            up, event = max(seen, key=lambda each: each[1].at)
            self.world.read(LinkKind.INLET, self.variant, up, [self.name("emit")], run, self.task_id)
        for up, event in emitted:
            if not event.kept:
                self.world.doubt(LinkKind.INLET, self.variant, up, [self.name("emit")], self.down)


class Inlet(OfAsset):
    """An asset that a task read when it ran: of each Dag that makes it the last event before."""

    kind = LinkKind.INLET
    variant = "inlet"
    many = 1

    def told(self) -> str:
        """Who makes it."""
        return f" of {[dag.dag_id for dag in self.makers]}"

    def declare(self) -> None:
        """The outlets, and the inlet."""
        self.makers = list(dict.fromkeys(dag.dag_id for dag in self.ups))[: self.many]
        self.makers = [next(dag for dag in self.ups if dag.dag_id == name) for name in self.makers]
        for dag in self.makers:
            self.emitting(dag)
        self.task_id = self.name("read")
        make = partial(operators.EmptyOperator, task_id=self.task_id, inlets=[self.inlet()])
        self.down.add(Task(self.task_id, make))
        if self.chance(0.6):
            for version in (0, 1):
                self.down.before_last(self.task_id, version)

    def inlet(self) -> Any:
        """What the task names."""
        return Asset(self.uri)

    def read(self) -> None:
        """What was there when the task began; it may begin long after its run."""
        emitted = {dag.dag_id: [(run, self.emit(run)) for run in self.world.runs_of(dag)] for dag in self.makers}
        for run in self.world.runs_of(self.down):
            for _, instance in run.of(self.task_id):
                later = self.random.choice([0, 0, 3, 20]) * HOUR
                instance.start, instance.end = instance.start + later, instance.end + later
                for events in emitted.values():
                    self.read_last(run, instance.start, events)

    def read_last(self, run: Run, start: datetime, events: list[tuple[Run, Event]]) -> None:
        """The last event of one Dag."""
        seen = [(up, event) for up, event in events if event.at <= start]
        if seen:
            up, event = max(seen, key=lambda each: each[1].at)
            self.took(up, [self.name("emit")], run, self.task_id, told=self.is_told(event))
        for up, event in events:
            if not event.kept:
                self.unsure(up, [self.name("emit")])


class InletOfSeveral(Inlet):
    """Two Dags make it, each a part."""

    variant = "inlet of several makers"
    many = 2


class InletByName(Inlet):
    """The task names it by its name, its URI, or the alias through which it comes."""

    variant = "inlet by name or alias"

    def declare(self) -> None:
        """Which it is."""
        self.by_alias = self.number % 3 == 0
        super().declare()

    def inlet(self) -> Any:
        """What the task names."""
        if self.alias:
            return AssetAlias(self.alias)
        return Asset.ref(name=self.uri) if self.number % 3 == 1 else Asset.ref(uri=self.uri)


ASSETS = (Started, ByAlias, OrTime, Inlet, InletOfSeveral, InletByName)
