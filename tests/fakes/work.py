"""A unit of work over fakes, and everything else that the service is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from airflow_rerun_downstream.conductor.tick import Conductor
from airflow_rerun_downstream.domain.rerun import Actor
from airflow_rerun_downstream.ports.installation import ComponentHealth
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service import Service
from airflow_rerun_downstream.settings import Settings
from tests.fakes.airflow import FakeClock, FakeFacts, FakeGateway, World
from tests.fakes.freezer import FakeFreezer
from tests.fakes.store import FakeLease, FakeStore

ADA = Actor("1", "ada")


@dataclass
class FakePermissions:
    """Everything is allowed but what is named. As with an auth manager, a Dag that isn't there can't be read."""

    world: World
    unreadable: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        return self.all_readable(actor).intersection(dag_ids)

    def all_readable(self, actor: Actor) -> frozenset[str]:
        return frozenset(self.world.structures).union(ref.dag_id for ref in self.world.runs) - self.unreadable

    def may_rerun(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        return frozenset(dag_ids) - self.unreadable - self.forbidden


class FakeUnitOfWork:
    """Transactions over the fakes: an exception restores what was there before."""

    def __init__(self, world: World, clock: FakeClock) -> None:
        self.world = world
        self.store = FakeStore()
        self.lease = FakeLease(clock.now)
        self.facts = FakeFacts(world)
        self.gateway = FakeGateway(world)
        self.freezer = FakeFreezer(world)
        self.permissions = FakePermissions(world)
        self.fail_before_commit: Exception | None = None
        self.open = False

    @contextmanager
    def __call__(self) -> Iterator[Work]:
        assert not self.open, "a second transaction of one thread is a second connection"
        self.open = True
        try:
            with self.transaction() as work:
                yield work
        finally:
            self.open = False

    @contextmanager
    def transaction(self) -> Iterator[Work]:
        before = (self.world.snapshot(), self.store.snapshot(), self.lease.snapshot())
        try:
            yield Work(self.facts, self.gateway, self.store, self.lease, self.freezer, self.permissions)
            if self.fail_before_commit is not None:
                raise self.fail_before_commit
        except BaseException:
            self.world.restore(before[0])
            self.store.restore(before[1])
            self.lease.restore(before[2])
            raise


COMPONENTS = (
    *("database", "conductor", "clocks", "asset_manager", "freeze_hook", "hooks", "frozen", "policy", "listener"),
    "declared_links",
)


@dataclass
class FakeHealth:
    """A healthy installation, unless told otherwise."""

    unit_of_work: FakeUnitOfWork
    asset_manager: bool = True
    freeze_hook: bool = True
    why_not: str | None = None
    found: Mapping[str, ComponentHealth] = field(
        default_factory=lambda: {name: ComponentHealth("healthy", f"The {name} is well.") for name in COMPONENTS}
    )

    def components(self) -> Mapping[str, ComponentHealth]:
        self.read()
        return self.found

    def read(self) -> None:
        """It reads in a transaction of its own."""
        with self.unit_of_work():
            pass

    def asset_manager_active(self) -> bool:
        self.read()
        return self.asset_manager

    def freeze_hook_active(self) -> bool:
        self.read()
        return self.freeze_hook

    def cannot_freeze(self) -> str | None:
        self.read()
        return self.why_not


class FakeNotifier:
    """One configured target."""

    def targets(self) -> list[tuple[str, str, str]]:
        return [("data-team", "email", "the data team")]


class House:
    """A service and a conductor over one world."""

    def __init__(self, world: World | None = None, settings: Settings | None = None) -> None:
        self.world = world or World()
        self.clock = FakeClock()
        self.unit_of_work = FakeUnitOfWork(self.world, self.clock)
        self.permissions = self.unit_of_work.permissions
        self.health = FakeHealth(self.unit_of_work)
        self.settings = settings or Settings(source_ready_since="unlimited")
        self.service = Service(
            unit_of_work=self.unit_of_work,
            health=self.health,
            notifier=FakeNotifier(),
            clock=self.clock,
            settings=self.settings,
            sees_installation=lambda actor: self.sees_installation,
        )
        self.sees_installation = True
        self.conductor = self.new_conductor("one")

    @property
    def store(self) -> FakeStore:
        return self.unit_of_work.store

    def new_conductor(self, owner: str) -> Conductor:
        """Another process that may conduct."""
        return Conductor(unit_of_work=self.unit_of_work, clock=self.clock, settings=self.settings, owner=owner)

    def tick(self) -> int:
        """A second goes by, and the conductor ticks; answers its steps."""
        self.clock.advance(seconds=1)
        return self.conductor.tick().steps
