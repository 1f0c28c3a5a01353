"""Sending what is to be told: a thread beside the conductor, where the conductor leads.

A try is three steps: a transaction that takes the delivery for a while, the sending, with nothing of the database's
open, and a transaction that notes what came of it. Whoever dies in between leaves a delivery that is due again after
that while, with the same id: it is told twice where it had arrived, and never lost. All that a try may take together
is less than that while, so two processes never send the same one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import uniform
from typing import Any, Protocol

from airflow_rerun_downstream.domain.delivery import Delivery
from airflow_rerun_downstream.domain.rerun_request import CONDUCTOR
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.notify.messages import Message, Scene, message
from airflow_rerun_downstream.notify.not_sent import NotSent, error_words
from airflow_rerun_downstream.notify.target import Credentials, Target
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.metrics import Delivery as Result
from airflow_rerun_downstream.ports.telemetry import LOG_ONLY, Telemetry
from airflow_rerun_downstream.ports.work import UnitOfWork, Work

log = logging.getLogger(__name__)

TAKEN = timedelta(minutes=3)
"""How long a delivery is somebody's who has taken it: longer than an Airflow connection, a name, a notifier's process
and all the rest may take together."""

SENDING = timedelta(seconds=110)
"""What the sending alone may take: the longest time of a notifier, with its start and its end."""

NOTES = 5
"""How often it may fail to keep what came of a try until others don't wait for that any longer."""

POLL = 2.0
"""Seconds between looks."""

FIRST, LONGEST = timedelta(seconds=10), timedelta(hours=1)
"""How long to wait after a first try, and at most; in between twice as long each time."""

TRIES, PATIENCE, PATIENCE_FOR_TESTS = 5, timedelta(days=1), timedelta(minutes=2)
"""A delivery is given up after so many tries at least, once it is so old."""

REST = timedelta(minutes=5)
"""How long a target is left alone at most where nothing arrives there."""


class Sender(Protocol):
    """A way to send."""

    def send(self, target: Target, message: Message, credentials: Credentials | None) -> str | None:
        """Answers None, or a word for what didn't go well although the message has arrived. Raises `NotSent`."""
        ...


class Targets(Protocol):
    """Who may be told."""

    def target(self, name: str) -> Target | None:
        """A target by its name."""
        ...

    def credentials(self, target: Target) -> Credentials | None:
        """What its Airflow connection says. Raises `NotSent`."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What came of a try; ``error`` None: it has arrived. ``failed``: how often it couldn't be kept."""

    delivery: Delivery
    error: str | None = None
    but: str | None = None
    failed: int = 0


class Deliverer:
    """Sends what is due, one after the other. ``beside`` opens what its transactions stand in."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        targets: Targets,
        senders: Mapping[str, Sender],
        address: Callable[[int], str | None],
        leads: Callable[[], bool],
        beside: Callable[[], AbstractContextManager[Any]] = nullcontext,
        telemetry: Telemetry = LOG_ONLY,
    ) -> None:
        self.unit_of_work = unit_of_work
        self.clock = clock
        self.targets = targets
        self.senders = senders
        self.address = address
        self.leads = leads
        self.beside = beside
        self.telemetry = telemetry
        self.unnoted: dict[int, Outcome] = {}
        """What couldn't be kept yet, by the deliveries' ids."""
        self.resting: dict[str, tuple[int, datetime]] = {}
        """Targets at which nothing arrives: how often in a row, and until when they are left alone."""

    def run(self, stop: threading.Event) -> None:
        """Send until ``stop`` is set. Errors of the database are logged when they begin and when they end."""
        trouble: str | None = None
        while not stop.is_set():
            try:
                while not stop.is_set() and self.step():
                    pass
            except Exception as error:
                if type(error).__name__ != trouble:
                    log.warning("Notifications can't be sent now: %s", type(error).__name__)
                trouble = type(error).__name__
            else:
                if trouble is not None:
                    log.info("Notifications are sent again")
                trouble = None
            stop.wait(POLL)
        self.note_left()

    def note_left(self) -> None:
        """At the end, keep what couldn't be kept before, as far as the database can be reached."""
        try:
            self.note_all()
        except Exception as error:
            log.warning("What became of %d notifications isn't known: %s", len(self.unnoted), type(error).__name__)

    def step(self) -> bool:
        """One delivery; False where there is none to send, or it is for others to send it."""
        self.note_all()
        delivery = self.take() if self.leads() else None
        if delivery is None:
            return False
        outcome, before = self.tried(delivery), self.unnoted.get(delivery.id)
        self.unnoted[delivery.id] = replace(outcome, failed=before.failed if before else 0)
        self.note_all()
        return True

    def note_all(self) -> None:
        """Keep what came of tries. What can't be kept is kept later, before anything else is tried: without a database
        nothing can be. After `NOTES` failures others don't wait for it any longer.
        """
        for number, outcome in list(self.unnoted.items()):
            try:
                self.note(outcome)
            except Exception as error:
                self.unnoted[number] = replace(outcome, failed=outcome.failed + 1)
                if outcome.failed + 1 < NOTES:
                    raise
                if outcome.failed + 1 == NOTES:
                    what = outcome.delivery.message_id
                    log.error("What became of notification %s can't be stored: %s", what, type(error).__name__)
            else:
                del self.unnoted[number]

    def take(self) -> Delivery | None:
        """Begin a try."""
        now = self.clock.now()
        besides = {target for target, (_, until) in self.resting.items() if until > now}
        with self.beside(), self.unit_of_work() as work:
            return work.outbox.take(now=now, until=now + TAKEN, besides=besides)

    def tried(self, delivery: Delivery) -> Outcome:
        """Send a delivery, and answer what came of it. One that has arrived, which only couldn't be kept, isn't sent
        again.
        """
        known = self.unnoted.get(delivery.id)
        if known is not None and known.error is None:
            return replace(known, delivery=delivery)
        try:
            return Outcome(delivery, but=self.send(delivery))
        except NotSent as problem:
            error = problem.word
        except Exception as problem:
            log.warning("Delivery %s failed: %s", delivery.message_id, type(problem).__name__)
            error = NotSent(f"unexpected_error:{type(problem).__name__}").word  # cut
        return Outcome(delivery, error)

    def send(self, delivery: Delivery) -> str | None:
        """Send it. Nothing of the database's is open meanwhile."""
        target = self.targets.target(delivery.target)
        if target is None:
            raise NotSent("unknown_target")
        told, credentials = message(self.scene(delivery), target), self.targets.credentials(target)
        if self.clock.now() > delivery.due_at - SENDING:
            raise NotSent("timed_out")  # the database took long: soon it is another one's
        return self.senders[target.kind].send(target, told, credentials)

    def scene(self, delivery: Delivery) -> Scene:
        """What the message is made of, as it is now."""
        now, number = self.clock.now(), delivery.rerun_id
        if number is None:
            return Scene(delivery, None, (), None, now)
        with self.beside(), self.unit_of_work() as work:
            named = [each.member_id for each in delivery.members]
            members = work.store.members(number, only=named) if named else []
            return Scene(delivery, work.store.get(number), members, self.address(number), now)

    def note(self, outcome: Outcome) -> None:
        """Keep what came of a try."""
        now, result = self.clock.now(), Result.DELIVERED
        with self.beside(), self.unit_of_work() as work:
            if outcome.error is None:
                work.outbox.sent(outcome.delivery.id, at=now, but=outcome.but)
            else:
                result = self.note_failure(work, outcome.delivery, outcome.error, now)
        self.remember(outcome, now)
        self.telemetry.notified(result)
        said = "sent" if outcome.error is None else f"not sent ({outcome.error})"
        log.info("Notification %s to %r: %s", outcome.delivery.message_id, outcome.delivery.target, said)

    def note_failure(self, work: Work, delivery: Delivery, error: str, now: datetime) -> Result:
        """Try again later, or give up, which the record tells."""
        due_at = None if given_up(delivery, now) else now + pause(delivery.tries, LONGEST)
        noted = work.outbox.not_sent(delivery.id, tries=delivery.tries, error=error, due_at=due_at, at=now)
        if noted and due_at is None and delivery.rerun_id is not None:
            work.store.add_event(
                delivery.rerun_id,
                at=now,
                actor=CONDUCTOR.name,
                action="notification_failed",
                detail=not_notified(delivery, error),
            )
        return Result.FAILED if noted and due_at is None else Result.RETRIED

    def remember(self, outcome: Outcome, now: datetime) -> None:
        """Leave a target alone for a while where nothing arrives, so that it doesn't keep others waiting."""
        target = outcome.delivery.target
        if outcome.error is None:
            self.resting.pop(target, None)
            return
        times = self.resting.get(target, (0, now))[0] + 1
        self.resting[target] = times, now + pause(times, REST)


def given_up(delivery: Delivery, now: datetime) -> bool:
    """Whether a delivery that has failed once more isn't tried any longer."""
    if delivery.rerun_id is None:
        return now - delivery.created_at >= PATIENCE_FOR_TESTS
    return delivery.tries >= TRIES and now - delivery.created_at >= PATIENCE


def pause(times: int, longest: timedelta) -> timedelta:
    """How long to wait after having failed so often: not everybody at the same time."""
    doubled: timedelta = FIRST * 2 ** min(times - 1, 20)
    return min(doubled, longest) * uniform(0.8, 1.2)


def not_notified(delivery: Delivery, error: str) -> Sentence:
    """What a record says of a notification that didn't arrive."""
    condition = Sentence(f"condition.{delivery.condition}")
    return Sentence("record.not_notified", target=delivery.target, condition=condition, error=error_words(error))
