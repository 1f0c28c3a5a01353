"""A unit of work over fakes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow_rerun_downstream.ports.work import Work
from tests.fakes.durations import FakeDurations
from tests.fakes.freezer import FakeFreezer
from tests.fakes.gateway import FakeGateway
from tests.fakes.installation import FakeClock, FakePermissions
from tests.fakes.lease import FakeLease
from tests.fakes.lineage import FakeFacts
from tests.fakes.outbox import FakeOutbox
from tests.fakes.retention import FakeRetention
from tests.fakes.store import FakeStore
from tests.fakes.world import World


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
        self.outbox = FakeOutbox()
        self.durations = FakeDurations(world)
        self.retention = FakeRetention(self.store, self.freezer)
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
        work.tell()

    @contextmanager
    def transaction(self) -> Iterator[Work]:
        before = (self.world.snapshot(), self.store.snapshot(), self.lease.snapshot(), self.outbox.snapshot())
        try:
            ours = (self.facts, self.gateway, self.store, self.lease, self.freezer)
            yield Work(*ours, self.permissions, self.outbox, self.durations, self.retention)
            if self.fail_before_commit is not None:
                raise self.fail_before_commit
        except BaseException:
            self.world.restore(before[0])
            self.store.restore(before[1])
            self.lease.restore(before[2])
            self.outbox.restore(before[3])
            raise
