"""A clock, permissions, health and notification targets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.ports.installation import ComponentHealth
from tests.fakes.world import START, World

if TYPE_CHECKING:
    from tests.fakes.work import FakeUnitOfWork


class FakeClock:
    """Time that moves only when told to."""

    def __init__(self, now: datetime = START + timedelta(days=40)) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def advance(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


@dataclass
class FakePermissions:
    """Everything is allowed but what is named. As with an auth manager, a Dag that isn't there can't be read."""

    world: World
    unreadable: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        return self.all_readable(actor).intersection(dag_ids)

    def all_readable(self, actor: Actor) -> frozenset[str]:
        assert isinstance(actor, Actor), "nobody is asked for"
        return frozenset(self.world.structures).union(ref.dag_id for ref in self.world.runs) - self.unreadable

    def may_rerun(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        assert isinstance(actor, Actor), "nobody is asked for"
        return frozenset(dag_ids) - self.unreadable - self.forbidden


COMPONENTS = (
    *("database", "conductor", "clocks", "asset_manager", "freeze_hook", "hooks", "frozen", "policy", "listener"),
    *("declared_links", "configuration", "notifications"),
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

    def components(self, only: Collection[str] | None = None) -> Mapping[str, ComponentHealth]:
        self.read()
        return {name: each for name, each in self.found.items() if only is None or name in only}

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
