"""A plugin of a test's Airflow: it writes how many connections of Airflow's pool were in use at most, line by line.

With ``OLD_WAYS`` it lets the package's calls do again what once stopped the server.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from airflow import settings
from airflow.plugins_manager import AirflowPlugin
from sqlalchemy import event

EVERY = 0.2


class InUse:
    """How many connections are in use, and the most of them since the last line."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.peak = 0

    def take(self, *_: object) -> None:
        with self.lock:
            self.now += 1
            self.peak = max(self.peak, self.now)

    def give_back(self, *_: object) -> None:
        with self.lock:
            self.now -= 1

    def write(self) -> None:
        while True:
            time.sleep(EVERY)
            with self.lock:
                peak, self.peak = self.peak, self.now
            with Path(os.environ["POOL_LOG"]).open("a") as log:
                log.write(f"{time.monotonic():.1f} {peak}\n")


def two_connections() -> None:
    """Ask the auth manager without our session, which then takes another one."""
    from airflow_rerun_downstream.airflow3.installation import permissions

    asked = permissions.auth_manager

    class OnItsOwn:
        def __getattr__(self, name: str) -> object:
            return getattr(asked(), name)

        def get_authorized_dag_ids(self, *, session: object, **more: object) -> object:
            return asked().get_authorized_dag_ids(**more)

    permissions.auth_manager = OnItsOwn  # type: ignore[assignment]


def slots(number: int) -> None:
    """Answer so many calls at a time."""
    from airflow_rerun_downstream.airflow3.web import app

    app.airflows_pool = lambda: number


class PoolPlugin(AirflowPlugin):
    """Starts with the api-server."""

    name = "pool"


if "api-server" in sys.argv:
    in_use = InUse()
    event.listen(settings.engine, "checkout", in_use.take)
    event.listen(settings.engine, "checkin", in_use.give_back)
    threading.Thread(target=in_use.write, daemon=True).start()
    ways = os.environ.get("OLD_WAYS", "").split()
    if "two-connections" in ways:
        two_connections()
    if "no-slots" in ways:
        slots(1000)
    if os.environ.get("SLOTS"):
        slots(int(os.environ["SLOTS"]))
