"""Puts the inside together with this Airflow: the service for people, the conductor for what happens by itself."""

from __future__ import annotations

import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from airflow_rerun_downstream.airflow3.installation.permissions import (
    AuthManagerPermissions,
    LocalPermissions,
    sees_installation,
)
from airflow_rerun_downstream.conductor.tick import Conductor
from airflow_rerun_downstream.domain.errors import SchemaMismatch
from airflow_rerun_downstream.domain.rerun import Actor
from airflow_rerun_downstream.lineage.declarations import Declarations, parse
from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.ports.installation import Permissions
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service import Service
from airflow_rerun_downstream.settings import SECTION, InvalidSetting, Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from airflow_rerun_downstream.store.moments import DatabaseClock
    from airflow_rerun_downstream.store.snapshots import SnapshotCache

log = logging.getLogger(__name__)

SCHEMA_TRUSTED = 30.0
"""Seconds for which tables that were right count as right. A statement that fails ends it early."""


def load_models() -> None:
    """Import and map all of Airflow's models, to be called before there is a thread of ours.

    A thread that imports a model holds the module's lock and waits for SQLAlchemy's, to map it. A thread that makes a
    process's first query holds SQLAlchemy's and imports all models, for so Airflow arranges it: the two would wait for
    each other, and the process would stand still.
    """
    from airflow.models import import_all_models
    from sqlalchemy.orm import configure_mappers

    import_all_models()  # type: ignore[no-untyped-call]
    configure_mappers()


def everything_allowed(_session: Session) -> Permissions:
    """The permissions of whoever reaches the database anyway, and of the conductor, which asks for none."""
    return LocalPermissions()


class AirflowUnitOfWork:
    """Transactions on Airflow's metadata database.

    The session is one of its own: a thread's shared one may be committed and closed by whatever Airflow function
    runs in between.
    """

    def __init__(self) -> None:
        self._trusted_until = float("-inf")

    @contextmanager
    def __call__(self, permissions: Callable[[Session], Permissions] = everything_allowed) -> Iterator[Work]:
        """A transaction. Raises `SchemaMismatch`, also when the tables vanish in the middle of it."""
        with self.session() as session:
            yield work_on(session, permissions(session))

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The session of a transaction, once it is sure that our tables can be used in it."""
        from airflow.utils.session import create_session

        try:
            with create_session(scoped=False) as session:
                self._check(session)
                yield session
        except DBAPIError as error:
            self.look_again()
            with create_session(scoped=False) as session:
                try:
                    self._check(session)
                except SchemaMismatch as mismatch:
                    raise mismatch from error
            raise

    def look_again(self) -> None:
        """Check the tables at the next transaction, whenever they were last found right."""
        self._trusted_until = float("-inf")

    def _check(self, session: Session) -> None:
        from airflow_rerun_downstream.store import schema

        if time.monotonic() < self._trusted_until:
            return
        schema.check(session.connection())
        clock().read(session)
        self._trusted_until = time.monotonic() + SCHEMA_TRUSTED


def work_on(session: Session, permissions: Permissions) -> Work:
    """The ports, on one session."""
    from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
    from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer
    from airflow_rerun_downstream.airflow3.lineage_facts import AirflowFacts
    from airflow_rerun_downstream.store.lease import SqlLease
    from airflow_rerun_downstream.store.rows import SqlRerunStore

    return Work(
        facts=AirflowFacts(session),
        gateway=AirflowGateway(session, clock=clock()),
        store=SqlRerunStore(session, snapshots()),
        lease=SqlLease(session, clock=clock()),
        freezer=AirflowFreezer(session, clock=clock()),
        permissions=permissions,
    )


@cache
def clock() -> DatabaseClock:
    """The metadata database's time. It is read whenever the tables are looked at, and with the lease."""
    from airflow_rerun_downstream.store.moments import DatabaseClock

    return DatabaseClock()


@cache
def snapshots() -> SnapshotCache:
    """What this process remembers of active reruns: a tick reads only what may have changed."""
    from airflow_rerun_downstream.store.snapshots import SnapshotCache

    return SnapshotCache()


@cache
def settings() -> Settings:
    """The deployment's settings, read once in a process. Raises `InvalidSetting`."""
    from airflow.configuration import conf
    from airflow.settings import TIMEZONE

    found = Settings.read(lambda name: conf.get(SECTION, name, fallback=None), timezone=TIMEZONE)
    if found.conductor == "scheduler":
        raise InvalidSetting(
            f"[{SECTION}] conductor: 'scheduler' is for Airflow 2.11; here it is api_server or external"
        )
    return found


@cache
def declarations() -> Declarations:
    """The deployment's declared links, read once in a process; what is wrong with them is in its log."""
    file = settings().declared_links_file
    found = read_declarations(file) if file else Declarations()
    for problem in found.problems:
        log.error("A declared link is left out: %s", problem)
    return found


def read_declarations(file: str) -> Declarations:
    """The declared links of a file. That it can't be read is a problem like any other."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return Declarations(problems=(f"{file}:1: The file can't be read: {error}.",))
    return parse(text, file)


@cache
def unit_of_work() -> AirflowUnitOfWork:
    """This process's way to open transactions."""
    return AirflowUnitOfWork()


def service(
    permissions: Callable[[Session], Permissions], sees_installation: Callable[[Actor], bool] = lambda _: False
) -> Service:
    """The service, with what decides in a transaction who may do what, and who may see the installation."""
    from airflow_rerun_downstream.airflow3.installation.health import AirflowHealth

    return Service(
        unit_of_work=partial(unit_of_work(), permissions),
        health=AirflowHealth(settings=settings, clock=clock()),
        notifier=ConfiguredTargets(settings()),
        clock=clock(),
        settings=settings(),
        sees_installation=sees_installation,
        declarations=declarations(),
    )


@cache
def rest_service() -> Service:
    """The service behind the REST API: the configured auth manager decides."""
    return service(AuthManagerPermissions, sees_installation)


@cache
def local_service() -> Service:
    """The service of a person at the machine, who may do everything, as with Airflow's own command line."""
    return service(everything_allowed, lambda _: True)


def conductor() -> Conductor:
    """A conductor of this process."""
    return Conductor(unit_of_work=unit_of_work(), clock=clock(), settings=settings(), owner=process_name())


def free_lease() -> str | None:
    """Take the lease from whoever has it, and answer who that was. A conductor that lives may take it again."""
    from airflow_rerun_downstream.store.lease import SqlLease

    with unit_of_work().session() as session:
        return SqlLease(session, clock=clock()).free()


@cache
def process_name() -> str:
    """Names this process among all that share the database, also after a restart with the same process id."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
