"""What each process says of itself, so that one can answer for all: is the asset manager active everywhere?"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING

from airflow_rerun_downstream import harmless
from airflow_rerun_downstream.airflow3.database import forks
from airflow_rerun_downstream.airflow3.database.clock import clock
from airflow_rerun_downstream.airflow3.database.transactions import transactions
from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.store.processes import ProcessReport, forget_processes, report_process

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

API_SERVER = "api_server"
"""The kind of process that tasks report their asset events to."""

SCHEDULER = "scheduler"
"""The kind of process that makes runs."""

CONDUCTOR = "conductor"
"""The kind of process that conducts, and nothing else."""

EVERY = timedelta(seconds=15)
"""Between a process's reports."""

ALIVE = timedelta(seconds=60)
"""A process that has been silent for longer is taken for dead, and forgotten."""


REMEMBERED = timedelta(hours=1)
"""For how long a process says that something has gone wrong in it."""


ASIDE = frozenset({"telemetry", "rerun-downstream-metrics", "rerun-downstream-lineage", "pages", "extra_link"})
"""Parts that tell or show something: without them Airflow runs what it runs with them."""


class Reporter:
    """Reports this process until told to stop. Errors are logged when they begin; they hurt nobody else.

    ``asset_manager``: whether repeated asset events are recognised in this process. ``job_id`` is a scheduler's row in
    Airflow's table of jobs.
    """

    def __init__(
        self,
        kind: str,
        *,
        asset_manager: Callable[[], bool],
        job_id: int | None = None,
        freeze_hook: bool = False,
    ) -> None:
        self.kind = kind
        self._asset_manager = asset_manager
        self.job_id = job_id
        self.freeze_hook = freeze_hook
        self._started_at: datetime | None = None
        self._trouble: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Report now and then; at the end, withdraw."""
        while not stop.is_set():
            self._attempt(self.report)
            stop.wait(EVERY.total_seconds())
        self._attempt(self.withdraw)

    def report(self, session: Session) -> None:
        """Say that this process lives, and what is active in it."""
        report_process(session, self._said(session))
        forget_processes(session, silent=ALIVE)

    def withdraw(self, session: Session) -> None:
        """Say that this process ends: it was last seen too long ago to count."""
        report_process(session, self._said(session), ago=2 * ALIVE)

    def _said(self, session: Session) -> ProcessReport:
        now = clock().read(session)
        self._started_at = self._started_at or now
        return ProcessReport(
            id=process_name(),
            kind=self.kind,
            asset_manager=self._asset_manager(),
            freeze_hook=self.freeze_hook,
            started_at=self._started_at,
            job_id=self.job_id,
            clock_offset=clock().offset.total_seconds(),
            trouble=lately(),
        )

    def _attempt(self, what: Callable[[Session], None]) -> None:
        try:
            with forks.undisturbed(), transactions().session() as session:
                what(session)
        except Refusal as refusal:
            trouble: str | None = refusal.detail
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
        else:
            trouble = None
        if trouble and trouble != self._trouble:
            log.warning("This process can't report itself: %s", trouble)
        self._trouble = trouble


@cache
def process_name() -> str:
    """Names this process among all that share the database, also after a restart with the same process id."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def lately() -> str | None:
    """What has gone wrong in this process's part of Airflow's work, without anything that an error's text may hold."""
    found = harmless.troubles(since=datetime.now(timezone.utc) - REMEMBERED)
    return "; ".join(f"{each.part}: {each.kind}" for each in found) or None


def trouble_of(processes: Mapping[str, str], *, aside: bool) -> str:
    """What has gone wrong in which processes, either in parts that only tell or show something, or in all others."""
    found = list[str]()
    for name, trouble in sorted(processes.items()):
        if some := [each for each in trouble.split("; ") if (each.partition(":")[0] in ASIDE) is aside]:
            found.append(f"{name}: {'; '.join(some)}")
    return "; ".join(found)


def asset_manager_configured() -> bool:
    """Whether the configuration names an asset manager that recognises repeated events."""
    from airflow.configuration import conf

    named = conf.getimport("core", "asset_manager_class", fallback="airflow.assets.manager.AssetManager")
    return isinstance(named, type) and recognises(named)


def recognises(manager: type) -> bool:
    """Whether an asset manager's class has ours among its bases: a deployment may have made its own of it."""
    package = __name__.partition(".")[0]
    return any(base.__module__.partition(".")[0] == package for base in manager.__mro__)
