"""The deliveries in memory: `Outbox` with the behaviour of the one on a database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import uuid4

from airflow_rerun_downstream.domain.delivery import Delivery, DeliveryState, NewDelivery, ToldMember


class FakeOutbox:
    """By their ids; the values never change in place."""

    def __init__(self) -> None:
        self.rows: dict[int, Delivery] = {}
        self.asked = 0
        """How often anything was asked of it."""

    def snapshot(self) -> dict[int, Delivery]:
        return dict(self.rows)

    def restore(self, state: dict[int, Delivery]) -> None:
        self.rows = dict(state)

    def add(self, deliveries: Sequence[NewDelivery]) -> list[int]:
        self.asked += 1
        return [self._add(each) for each in deliveries]

    def _add(self, new: NewDelivery) -> int:
        number = max(self.rows, default=0) + 1
        values = {**asdict(new), "members": new.members}
        self.rows[number] = Delivery(id=number, message_id=str(uuid4()), **values)
        return number

    def about(self, rerun_id: int, conditions: Collection[str]) -> list[Delivery]:
        self.asked += 1
        return [each for each in self.rows.values() if each.rerun_id == rerun_id and each.condition in conditions]

    def gather(self, delivery_id: int, members: Sequence[ToldMember], *, more: int = 1) -> bool:
        self.asked += 1
        found = self.rows[delivery_id]
        if not found.gathers:
            return False
        self.rows[delivery_id] = replace(found, members=tuple(members), occurrences=found.occurrences + more)
        return True

    def take(self, *, now: datetime, until: datetime, besides: Collection[str] = ()) -> Delivery | None:
        self.asked += 1
        due = [each for each in self.rows.values() if each.state is DeliveryState.PENDING and each.due_at <= now]
        due = [each for each in due if each.target not in besides]
        if not due:
            return None
        first = min(due, key=lambda each: (each.due_at, each.id))
        self.rows[first.id] = replace(first, tries=first.tries + 1, due_at=until)
        return self.rows[first.id]

    def sent(self, delivery_id: int, *, at: datetime, but: str | None = None) -> bool:
        self.asked += 1
        found = self.rows.get(delivery_id)
        if found is None or found.state is DeliveryState.SENT:
            return False
        self.rows[delivery_id] = replace(found, state=DeliveryState.SENT, ended_at=at, error=but)
        return True

    def not_sent(self, delivery_id: int, *, tries: int, error: str, due_at: datetime | None, at: datetime) -> bool:
        self.asked += 1
        found = self.rows.get(delivery_id)
        if found is None or found.state is not DeliveryState.PENDING or found.tries != tries:
            return False
        if due_at is None:
            self.rows[delivery_id] = replace(found, error=error, state=DeliveryState.FAILED, ended_at=at)
        else:
            self.rows[delivery_id] = replace(found, error=error, due_at=due_at)
        return True

    def of_rerun(self, rerun_id: int, *, limit: int, offset: int = 0) -> list[Delivery]:
        return [each for each in self.rows.values() if each.rerun_id == rerun_id][offset : offset + limit]

    def count(self, rerun_id: int) -> int:
        return sum(each.rerun_id == rerun_id for each in self.rows.values())

    def last_tests(self) -> dict[str, Delivery]:
        return {each.target: each for each in self.rows.values() if each.rerun_id is None}

    def forget_tests(self, target: str) -> None:
        ended = [
            each.id
            for each in self.rows.values()
            if each.rerun_id is None and each.target == target and each.state is not DeliveryState.PENDING
        ]
        for number in ended:
            del self.rows[number]
