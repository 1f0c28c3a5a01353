"""What is to be told, to whom, and what has become of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from airflow_rerun_downstream.domain.delivery import Delivery, NewDelivery, ToldMember


class Outbox(Protocol):
    """The deliveries. What is added counts only if the transaction that tells of it does."""

    def add(self, deliveries: Sequence[NewDelivery]) -> list[int]:
        """Store deliveries, each with a ``message_id`` of its own; answer their ids. One statement each."""
        ...

    def about(self, rerun_id: int, conditions: Collection[str]) -> list[Delivery]:
        """The deliveries about a rerun that tell of one of some conditions, oldest first."""
        ...

    def gather(self, delivery_id: int, members: Sequence[ToldMember], *, more: int = 1) -> bool:
        """Tell of ``more`` occurrences, and name these members, in a delivery that nobody has tried to send."""
        ...

    def take(self, *, now: datetime, until: datetime, besides: Collection[str] = ()) -> Delivery | None:
        """Begin a try of the delivery that has been due for longest; nobody else begins one before ``until``.

        Targets in ``besides`` are passed over. None: nothing is due, or somebody else was faster.
        """
        ...

    def sent(self, delivery_id: int, *, at: datetime, but: str | None = None) -> bool:
        """Note that a delivery has arrived, whatever somebody else makes of it meanwhile; False if that is known.

        ``but``: what didn't go well all the same, a word of `words.DELIVERY_ERRORS`.
        """
        ...

    def not_sent(self, delivery_id: int, *, tries: int, error: str, due_at: datetime | None, at: datetime) -> bool:
        """Note that try number ``tries`` has failed, if it is the last one. ``due_at`` None: there is no other."""
        ...

    def of_rerun(self, rerun_id: int, *, limit: int, offset: int = 0) -> list[Delivery]:
        """A part of the deliveries about a rerun, oldest first."""
        ...

    def count(self, rerun_id: int) -> int:
        """How many deliveries about a rerun there are."""
        ...

    def last_tests(self) -> dict[str, Delivery]:
        """The last test of each target."""
        ...

    def forget_tests(self, target: str) -> None:
        """Delete the tests of a target that have ended."""
        ...
