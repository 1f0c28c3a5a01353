"""The deliveries on a database, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, func, insert, select, update

from airflow_rerun_downstream.domain.delivery import Delivery, DeliveryState, NewDelivery, ToldMember
from airflow_rerun_downstream.store.executor import Executor, changed, new_id
from airflow_rerun_downstream.store.tables import delivery

PENDING = DeliveryState.PENDING.value


class SqlOutbox:
    """`Outbox` on the caller's session or connection."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def add(self, deliveries: Sequence[NewDelivery]) -> list[int]:
        """See `Outbox.add`."""
        return [new_id(self._executor, insert(delivery).values(values_of(each))) for each in deliveries]

    def about(self, rerun_id: int, conditions: Collection[str]) -> list[Delivery]:
        """See `Outbox.about`. One statement."""
        wanted = select(delivery).where(delivery.c.rerun_id == rerun_id, delivery.c.condition.in_(sorted(conditions)))
        return [delivery_of(row) for row in self._executor.execute(wanted.order_by(delivery.c.id))]

    def gather(self, delivery_id: int, members: Sequence[ToldMember], *, more: int = 1) -> bool:
        """See `Outbox.gather`. One statement."""
        untried = update(delivery).where(
            delivery.c.id == delivery_id, delivery.c.state == PENDING, delivery.c.tries == 0
        )
        values = {"members": members_to_json(members), "occurrences": delivery.c.occurrences + more}
        return changed(self._executor, untried.values(values)) == 1

    def take(self, *, now: datetime, until: datetime, besides: Collection[str] = ()) -> Delivery | None:
        """See `Outbox.take`. One statement where nothing is due, else three."""
        due = (delivery.c.state == PENDING, delivery.c.due_at <= now)
        others = (delivery.c.target.not_in(sorted(besides)),) if besides else ()
        first = select(delivery.c.id).where(*due, *others).order_by(delivery.c.due_at, delivery.c.id).limit(1)
        number = self._executor.execute(first).scalar()
        if number is None:
            return None
        begun = update(delivery).where(delivery.c.id == number, *due)
        if not changed(self._executor, begun.values(tries=delivery.c.tries + 1, due_at=until)):
            return None
        return delivery_of(self._executor.execute(select(delivery).where(delivery.c.id == number)).one())

    def sent(self, delivery_id: int, *, at: datetime, but: str | None = None) -> bool:
        """See `Outbox.sent`. One statement."""
        known = update(delivery).where(delivery.c.id == delivery_id, delivery.c.state != DeliveryState.SENT.value)
        ended = {"state": DeliveryState.SENT.value, "ended_at": at, "error": but}
        return changed(self._executor, known.values(ended)) == 1

    def not_sent(self, delivery_id: int, *, tries: int, error: str, due_at: datetime | None, at: datetime) -> bool:
        """See `Outbox.not_sent`. One statement."""
        mine = update(delivery).where(
            delivery.c.id == delivery_id, delivery.c.state == PENDING, delivery.c.tries == tries
        )
        values: dict[str, Any] = {"error": error, "due_at": due_at}
        if due_at is None:
            values = {"error": error, "state": DeliveryState.FAILED.value, "ended_at": at}
        return changed(self._executor, mine.values(values)) == 1

    def of_rerun(self, rerun_id: int, *, limit: int, offset: int = 0) -> list[Delivery]:
        """See `Outbox.of_rerun`. One statement."""
        wanted = select(delivery).where(delivery.c.rerun_id == rerun_id).order_by(delivery.c.id)
        return [delivery_of(row) for row in self._executor.execute(wanted.limit(limit).offset(offset or None))]

    def count(self, rerun_id: int) -> int:
        """See `Outbox.count`. One statement."""
        counted = select(func.count()).select_from(delivery).where(delivery.c.rerun_id == rerun_id)
        return int(self._executor.execute(counted).scalar_one())

    def last_tests(self) -> dict[str, Delivery]:
        """See `Outbox.last_tests`. One statement; there are few: each test takes those before it away."""
        tests = select(delivery).where(delivery.c.rerun_id.is_(None)).order_by(delivery.c.id)
        return {each.target: each for each in map(delivery_of, self._executor.execute(tests))}

    def forget_tests(self, target: str) -> None:
        """See `Outbox.forget_tests`. One statement."""
        ended = (delivery.c.rerun_id.is_(None), delivery.c.target == target, delivery.c.state != PENDING)
        self._executor.execute(delete(delivery).where(*ended))


def values_of(new: NewDelivery) -> dict[str, Any]:
    """The row of a delivery that nobody has tried to send."""
    return {
        "message_id": str(uuid4()),
        "rerun_id": new.rerun_id,
        "target": new.target,
        "condition": new.condition,
        "created_at": new.created_at,
        "due_at": new.due_at,
        "actor": new.actor,
        "reason": new.reason,
        "members": members_to_json(new.members),
        "occurrences": new.occurrences,
        "state": PENDING,
        "tries": 0,
    }


def delivery_of(row: Any) -> Delivery:
    """A delivery from its row."""
    values = dict(row._mapping)
    members = tuple(ToldMember(one["member_id"], one["reason"]) for one in values.pop("members"))
    return Delivery(**{**values, "members": members, "state": DeliveryState(values["state"])})


def members_to_json(members: Sequence[ToldMember]) -> list[dict[str, Any]]:
    """The members that are named."""
    return [{"member_id": one.member_id, "reason": one.reason} for one in members]
