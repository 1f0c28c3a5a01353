"""A deliverer with all that it needs: every way to send, and the targets."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from airflow_rerun_downstream.notify.deliverer import Deliverer
from airflow_rerun_downstream.notify.mail import EmailSender
from airflow_rerun_downstream.notify.messages import Message
from airflow_rerun_downstream.notify.notifier import NotifierSender
from airflow_rerun_downstream.notify.target import Credentials, NotifierCall, Target
from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.notify.webhook import WebhookSender
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.telemetry import LOG_ONLY, Telemetry
from airflow_rerun_downstream.ports.work import UnitOfWork

log = logging.getLogger(__name__)

TIMED_OUT = "timed_out"
"""Says more of the machine than of the notifier."""


class Courier:
    """A thread's work from the start of a process to its end."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        targets: ConfiguredTargets,
        address: Callable[[int], str | None],
        leads: Callable[[], bool],
        beside: Callable[[], AbstractContextManager[Any]] = nullcontext,
        telemetry: Telemetry = LOG_ONLY,
    ) -> None:
        self._stop = threading.Event()
        self._targets = targets
        self._notifier = NotifierSender(lambda: self._stop.is_set())
        self._checked: dict[tuple[str, str], str | None] = {}
        self._deliverer = Deliverer(
            unit_of_work=unit_of_work,
            clock=clock,
            targets=targets,
            senders={"webhook": WebhookSender(), "email": EmailSender(), "notifier": self},
            address=address,
            leads=leads,
            beside=beside,
            telemetry=telemetry,
        )

    def run(self, stop: threading.Event) -> None:
        """Look at the targets, then send until ``stop`` is set."""
        self._stop = stop
        self._targets.check = self.check
        try:
            self._targets.read()
        except Exception as error:  # its text may hold what is configured
            log.error("The notification targets can't be read: %s", type(error).__name__)
        self._deliverer.run(stop)

    def once(self, seconds: float) -> int:
        """Send what is due now; answers how many tries that were. None begins after ``seconds``. An error is logged."""
        until, tries = time.monotonic() + seconds, 0
        try:
            while time.monotonic() < until and self._deliverer.step():
                tries += 1
        except Exception as error:
            log.warning("Notifications can't be sent now: %s", type(error).__name__)
        self._deliverer.note_left()
        return tries

    def check(self, target: Target) -> str | None:
        """What is wrong with a target's notifier, in a word. It is made once in a process, with what it is made with:
        that takes a while. One for which there was no time may be made the next time.
        """
        made = made_with(target)
        if made in self._checked:
            return self._checked[made]
        word = self._notifier.check(target)
        if word != TIMED_OUT:
            self._checked[made] = word
        return word

    def send(self, target: Target, message: Message, credentials: Credentials | None) -> None:
        """`Sender` for notifiers: one that has told something can be made, whatever was known of it."""
        self._notifier.send(target, message, credentials)
        if self._checked.get(made_with(target), TIMED_OUT) is not None:
            self._checked[made_with(target)] = None
            self._targets.note(target, None)


def made_with(target: Target) -> tuple[str, str]:
    """What a notifier is made of."""
    assert isinstance(target.call, NotifierCall)
    return target.call.path, json.dumps(target.call.arguments, default=str)
