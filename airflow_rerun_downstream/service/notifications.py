"""Whom reruns may tell, and what has become of what they were to be told."""

from __future__ import annotations

from airflow_rerun_downstream.domain.delivery import Delivery, NewDelivery
from airflow_rerun_downstream.domain.errors import NotAllowed, NotFound
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.sentence import Sentence, quoted
from airflow_rerun_downstream.domain.words import TEST
from airflow_rerun_downstream.service.core import Core
from airflow_rerun_downstream.service.records import readable_head
from airflow_rerun_downstream.service.views import DeliveryView, TargetView


class Notifications(Core):
    """What users are told of notifications. Nobody is told an address."""

    def notification_targets(self, actor: Actor) -> list[TargetView]:
        """The configured targets; none for who may read no Dag. How their last tests went, for those who may test."""
        may_test = self.sees_installation(actor)
        with self.unit_of_work() as work:
            readable = work.permissions.all_readable(actor)
            if readable is not None and not readable:
                return []
            tests = work.outbox.last_tests() if may_test else {}
            return [
                TargetView(name, kind, description, may_test, tests.get(name))
                for name, kind, description in self.notifier.targets()
            ]

    def notifications(self, actor: Actor, rerun_id: int, *, limit: int, offset: int) -> tuple[list[DeliveryView], int]:
        """A part of a rerun's notifications, oldest first, and how many there are. Raises `NotFound`."""
        with self.unit_of_work() as work:
            readable_head(actor, work, rerun_id)
            found = work.outbox.of_rerun(rerun_id, limit=limit, offset=offset)
            named = {one.member_id for each in found for one in each.members}
            members = {one.id: one.ref for one in work.store.members(rerun_id, only=named)} if named else {}
            dag_ids = {ref.dag_id for ref in members.values()}
            readable = work.permissions.readable(actor, dag_ids) if dag_ids else frozenset()
            seen = {number: ref for number, ref in members.items() if ref.dag_id in readable}
            views = [
                DeliveryView(each, tuple(seen[one.member_id] for one in each.members if one.member_id in seen))
                for each in found
            ]
            return views, work.outbox.count(rerun_id)

    def send_test(self, actor: Actor, name: str) -> Delivery:
        """Send a target a test, the way of all notifications; one that nobody has tried to send yet is that one.

        Raises `NotAllowed` and `NotFound`.
        """
        if not self.sees_installation(actor):
            raise NotAllowed(Sentence("refusal.may_not_test_targets"))
        if name not in {target for target, _, _ in self.notifier.targets()}:
            raise NotFound(Sentence("refusal.unknown_target", target=quoted(name)))
        now = self.clock.now()
        with self.unit_of_work() as work:
            last = work.outbox.last_tests().get(name)
            if last is not None and last.gathers:
                return last
            work.outbox.forget_tests(name)
            work.outbox.add([NewDelivery(None, name, TEST, now, now, actor.name)])
            return work.outbox.last_tests()[name]
