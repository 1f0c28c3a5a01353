"""A service and a conductor over fakes."""

from __future__ import annotations

from airflow_rerun_downstream.conductor.tick import Conductor
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.service import Service
from airflow_rerun_downstream.settings import Settings
from tests.fakes.installation import FakeClock, FakeHealth, FakeNotifier
from tests.fakes.spoken import only_listed_words
from tests.fakes.store import FakeStore
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.work import FakeUnitOfWork
from tests.fakes.world import World

ADA = Actor("1", "ada")


class House:
    """A service and a conductor over one world."""

    def __init__(self, world: World | None = None, settings: Settings | None = None) -> None:
        self.world = world or World()
        self.clock = FakeClock()
        self.world.clock = self.clock
        self.unit_of_work = FakeUnitOfWork(self.world, self.clock)
        self.permissions = self.unit_of_work.permissions
        self.health = FakeHealth(self.unit_of_work)
        self.settings = settings or Settings(source_ready_since="unlimited")
        self.telemetry = FakeTelemetry()
        self.service = Service(
            unit_of_work=self.unit_of_work,
            health=self.health,
            notifier=FakeNotifier(),
            clock=self.clock,
            settings=self.settings,
            sees_installation=lambda actor: self.sees_installation,
            telemetry=self.telemetry,
        )
        self.sees_installation = True
        self.conductor = self.new_conductor("one")

    @property
    def store(self) -> FakeStore:
        return self.unit_of_work.store

    def new_conductor(self, owner: str) -> Conductor:
        """Another process that may conduct."""
        return Conductor(
            unit_of_work=self.unit_of_work,
            clock=self.clock,
            settings=self.settings,
            owner=owner,
            telemetry=self.telemetry,
        )

    def tick(self) -> int:
        """A second goes by, and the conductor ticks; answers its steps."""
        self.clock.advance(seconds=1)
        steps = self.conductor.tick().steps
        only_listed_words(self.store.rows)
        return steps
