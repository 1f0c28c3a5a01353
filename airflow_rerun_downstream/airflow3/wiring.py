"""Puts the inside together with this Airflow: the service for people, the conductor for what happens by itself.

The composition root: `web` and the command line ask it, and nothing below imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING

from airflow_rerun_downstream.airflow3.configuration import connection, declarations, record_address, settings
from airflow_rerun_downstream.airflow3.database import forks
from airflow_rerun_downstream.airflow3.database.clock import clock
from airflow_rerun_downstream.airflow3.database.transactions import Transactions, transactions
from airflow_rerun_downstream.airflow3.installation.permissions import (
    AuthManagerPermissions,
    LocalPermissions,
    sees_installation,
)
from airflow_rerun_downstream.airflow3.installation.process_reports import Reporter, process_name
from airflow_rerun_downstream.airflow3.telemetry.airflow_telemetry import at_the_machine, serving
from airflow_rerun_downstream.conductor.tick import Conductor
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.notify.courier import Courier
from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.ports.installation import ComponentHealth, Permissions
from airflow_rerun_downstream.ports.telemetry import Telemetry
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service import Service
from airflow_rerun_downstream.service.status import shown_health

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from airflow_rerun_downstream.store.active_reruns import SnapshotCache


def everything_allowed(_session: Session) -> Permissions:
    """The permissions of whoever reaches the database anyway, and of the conductor, which asks for none."""
    return LocalPermissions()


class AirflowUnitOfWork:
    """`UnitOfWork` on Airflow's metadata database: a transaction, and the ports bound to it."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @contextmanager
    def __call__(self, permissions: Callable[[Session], Permissions] = everything_allowed) -> Iterator[Work]:
        """A transaction. Raises `SchemaMismatch`, also when the tables vanish in the middle of it."""
        with self._transactions.session() as session:
            work = work_on(session, permissions(session))
            yield work
        work.tell()


def work_on(session: Session, permissions: Permissions) -> Work:
    """The ports, on one session."""
    from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
    from airflow_rerun_downstream.airflow3.database.old_records import AirflowRetention
    from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer
    from airflow_rerun_downstream.airflow3.lineage_facts import readers
    from airflow_rerun_downstream.airflow3.lineage_facts.past_times import PastTimes
    from airflow_rerun_downstream.store.lease import SqlLease
    from airflow_rerun_downstream.store.outbox import SqlOutbox
    from airflow_rerun_downstream.store.rerun_store import SqlRerunStore

    return Work(
        facts=readers(session),
        gateway=AirflowGateway(session, clock=clock()),
        store=SqlRerunStore(session, snapshots()),
        lease=SqlLease(session, clock=clock()),
        freezer=AirflowFreezer(session, clock=clock()),
        permissions=permissions,
        outbox=SqlOutbox(session),
        durations=PastTimes(session),
        retention=AirflowRetention(session, clock=clock()),
    )


@cache
def snapshots() -> SnapshotCache:
    """What this process remembers of active reruns: a tick reads only what may have changed."""
    from airflow_rerun_downstream.store.active_reruns import SnapshotCache

    return SnapshotCache()


def unit_of_work() -> AirflowUnitOfWork:
    """This process's way to open transactions with the ports in them."""
    return AirflowUnitOfWork(transactions())


def service(
    permissions: Callable[[Session], Permissions],
    sees_installation: Callable[[Actor], bool] = lambda _: False,
    telemetry: Telemetry | None = None,
) -> Service:
    """The service, with what decides in a transaction who may do what, and who may see the installation."""
    from airflow_rerun_downstream.airflow3.installation.health import AirflowHealth

    return Service(
        unit_of_work=partial(unit_of_work(), permissions),
        health=AirflowHealth(settings=settings, clock=clock(), targets=notification_targets),
        notifier=notification_targets(),
        clock=clock(),
        settings=settings(),
        sees_installation=sees_installation,
        declarations=declarations(),
        telemetry=telemetry or airflow_telemetry(),
    )


def health_without_settings(*, details: bool, only: Collection[str] | None = None) -> Mapping[str, ComponentHealth]:
    """The installation where there is no service, because an option is wrong; ``details``: as `shown_health` has it."""
    from airflow_rerun_downstream.airflow3.installation.health import AirflowHealth

    return shown_health(AirflowHealth(settings=settings, clock=clock()).components(only), details, frozenset)


@cache
def rest_service() -> Service:
    """The service behind the REST API: the configured auth manager decides."""
    return service(AuthManagerPermissions, sees_installation)


@cache
def local_service() -> Service:
    """The service of a person at the machine, who may do everything, as with Airflow's own command line."""
    return service(everything_allowed, lambda _: True, at_the_machine())


@cache
def airflow_telemetry() -> Telemetry:
    """What hears of the work of a process that serves or conducts."""
    return serving()


def conductor() -> Conductor:
    """A conductor of this process."""
    return Conductor(
        unit_of_work=unit_of_work(),
        clock=clock(),
        settings=settings(),
        owner=process_name(),
        telemetry=airflow_telemetry(),
    )


@cache
def notification_targets() -> ConfiguredTargets:
    """Whom the deployment lets reruns tell."""
    return ConfiguredTargets(settings(), connection)


def courier(conductor: Conductor) -> Courier:
    """What sends notifications beside a conductor of this process."""
    return Courier(
        unit_of_work=unit_of_work(),
        clock=clock(),
        targets=notification_targets(),
        address=record_address,
        leads=lambda: conductor.leads,
        beside=forks.undisturbed,
        telemetry=conductor.telemetry,
    )


def reporter(kind: str) -> Reporter:
    """What says of this process that it lives, and what is active in it."""
    from airflow_rerun_downstream.airflow3.hooks import asset_events

    return Reporter(kind, asset_manager=asset_events.active_here)


def free_lease() -> str | None:
    """Take the lease from whoever has it, and answer who that was. A conductor that lives may take it again."""
    from airflow_rerun_downstream.store.lease import SqlLease

    with transactions().session() as session:
        return SqlLease(session, clock=clock()).free()
