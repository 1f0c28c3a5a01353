"""What an api-server does for reruns besides answering: set the tables up, report itself, conduct, tell."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.configuration import declarations, log_what_is_wrong, settings
from airflow_rerun_downstream.airflow3.database.migration import migrate_at_start
from airflow_rerun_downstream.airflow3.database.models import load_models
from airflow_rerun_downstream.airflow3.hooks import asset_events
from airflow_rerun_downstream.airflow3.installation.process_reports import API_SERVER
from airflow_rerun_downstream.conductor import loop
from airflow_rerun_downstream.harmless import log_error
from airflow_rerun_downstream.settings import InvalidSetting

log = logging.getLogger(__name__)

STOPPING = 10.0
"""Seconds that all threads together get to end at shutdown. A step of the conductor is one transaction: a lost one
changes nothing.
"""


def prepare() -> None:
    """What must be done before the first thread starts, and before the first request comes."""
    try:
        load_models()
        asset_events.prepare()
    except Exception as error:
        log_error("rest_api", error)


class Background:
    """The threads of one api-server process. An error in here never reaches the server."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Set the tables up if that is needed and possible, then start the threads."""
        log_what_is_wrong()
        try:
            migrate_at_start()
            self._run("rerun-downstream-reports", wiring.reporter(API_SERVER).run, self._stop)
            declarations()
            if settings().conductor == "api_server":
                conductor = wiring.conductor()
                self._run("rerun-downstream-conductor", loop.run, conductor, self._stop, self._wake)
                self._run("rerun-downstream-courier", wiring.courier(conductor).run, self._stop)
            else:
                wiring.notification_targets().read()
        except InvalidSetting as error:
            log.error("No conductor runs in this api-server: an option is wrong (%s)", ", ".join(error.names))
        except Exception:
            log.exception("Rerun Downstream can't work in this api-server")

    def wake(self) -> None:
        """Let an idle conductor look at once."""
        self._wake.set()

    def stop(self) -> None:
        """End the threads; the conductor gives its lease up."""
        self._stop.set()
        self._wake.set()
        until = time.monotonic() + STOPPING
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))

    def _run(self, name: str, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)
