"""The store on a database. It runs in the caller's transaction and never commits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.plan import Link
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.rerun import ActiveRerun, Member, NewFrozen, NewRerun, Rerun, RerunEvent
from airflow_rerun_downstream.domain.states import FINAL_RERUN_STATES, MemberState, RerunState
from airflow_rerun_downstream.ports import Dispatched, RerunFilter
from airflow_rerun_downstream.store import adding, adopting, codec, pages, snapshots
from airflow_rerun_downstream.store.executor import Executor, changed
from airflow_rerun_downstream.store.records import counts_of, event_of, link_of, members_of, rerun_of
from airflow_rerun_downstream.store.snapshots import SnapshotCache
from airflow_rerun_downstream.store.tables import active_run, event, link, member, rerun

ENDED = frozenset(
    {
        MemberState.SUCCEEDED,
        MemberState.FAILED,
        MemberState.SKIPPED,
        MemberState.TERMINATED,
        MemberState.RELEASED,
    }
)
"""States in which a member has an end."""


class SqlRerunStore:
    """`RerunStore` on the caller's session or connection.

    A process that asks for `active` again and again hands the same ``cache`` to each store, one per database.
    """

    def __init__(self, executor: Executor, cache: SnapshotCache | None = None) -> None:
        self._executor = executor
        self._cache = cache or SnapshotCache()

    def add(self, rerun: NewRerun, *, now: datetime) -> int:
        """See `RerunStore.add`. Where a run is taken, nothing is stored, and the transaction can go on."""
        return adding.add(self._executor, rerun, now)

    def add_frozen(self, rerun_id: int, run: NewFrozen) -> int:
        """See `RerunStore.add_frozen`."""
        return adding.add_frozen(self._executor, rerun_id, run)

    def get(self, rerun_id: int) -> Rerun | None:
        """See `RerunStore.get`."""
        row = self._executor.execute(select(rerun).where(rerun.c.id == rerun_id)).first()
        return None if row is None else rerun_of(row, counts_of(self._executor, [rerun_id])[rerun_id])

    def page(self, wanted: RerunFilter) -> tuple[list[Rerun], int]:
        """See `RerunStore.page`. Raises `Invalid` for an unknown ``order_by``."""
        return pages.page(self._executor, wanted)

    def members(self, rerun_id: int) -> list[Member]:
        """See `RerunStore.members`."""
        return members_of(self._executor, [rerun_id])[rerun_id]

    def links(self, rerun_id: int) -> list[Link]:
        """See `RerunStore.links`. What ``via`` held comes back as plain JSON."""
        wanted = select(link).where(link.c.rerun_id == rerun_id).order_by(link.c.position)
        return [link_of(row) for row in self._executor.execute(wanted)]

    def events(self, rerun_id: int) -> list[RerunEvent]:
        """See `RerunStore.events`."""
        wanted = select(event).where(event.c.rerun_id == rerun_id).order_by(event.c.id)
        return [event_of(row) for row in self._executor.execute(wanted)]

    def active(self) -> list[ActiveRerun]:
        """See `RerunStore.active`. A rerun that the cache doesn't know costs four statements more, once."""
        return snapshots.active(self._executor, self._cache)

    def active_runs(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        """See `RerunStore.active_runs`."""
        return adding.holders(self._executor, refs)

    def all_active_runs(self) -> dict[RunRef, int]:
        """See `RerunStore.all_active_runs`."""
        rows = self._executor.execute(select(active_run.c.dag_id, active_run.c.run_id, active_run.c.rerun_id))
        return {RunRef(row.dag_id, row.run_id): row.rerun_id for row in rows}

    def member_dags(self, rerun_ids: Collection[int]) -> dict[int, dict[str, int]]:
        """See `RerunStore.member_dags`."""
        columns = (member.c.rerun_id, member.c.dag_id)
        wanted = select(*columns, func.count().label("members")).where(member.c.rerun_id.in_(list(rerun_ids)))
        found: dict[int, dict[str, int]] = {rerun_id: {} for rerun_id in rerun_ids}
        for row in self._executor.execute(wanted.group_by(*columns)):
            found[row.rerun_id][row.dag_id] = row.members
        return found

    def move_rerun(
        self,
        rerun_id: int,
        *,
        before: Collection[RerunState],
        after: RerunState,
        reason: str | None,
        now: datetime,
    ) -> bool:
        """See `RerunStore.move_rerun`."""
        values: dict[str, Any] = {"state": after.value, "state_reason": reason}
        if after in FINAL_RERUN_STATES:
            values["ended_at"] = now
        move = update(rerun).where(rerun.c.id == rerun_id, rerun.c.state.in_(words(before))).values(values)
        moved = changed(self._executor, move) == 1
        if moved and after in FINAL_RERUN_STATES:
            self._executor.execute(delete(active_run).where(active_run.c.rerun_id == rerun_id))
            adopting.forget_children(self._executor, rerun_id)
        return moved

    def hold_rerun(self, rerun_id: int, *, state: RerunState) -> bool:
        """See `RerunStore.hold_rerun`. An UPDATE that changes nothing is a lock on every database."""
        hold = update(rerun).where(rerun.c.id == rerun_id, rerun.c.state == state.value)
        return changed(self._executor, hold.values(state=state.value)) == 1

    def move_member(
        self,
        member_id: int,
        *,
        before: Collection[MemberState],
        after: MemberState,
        reason: str | None,
        now: datetime,
        final_run_state: str | None = None,
        dispatched: Dispatched | None = None,
    ) -> bool:
        """See `RerunStore.move_member`. A state without an end clears ``ended_at`` and ``final_run_state``."""
        values: dict[str, Any] = {"state": after.value, "state_reason": reason}
        if after not in ENDED:
            values.update(ended_at=None, final_run_state=None)
        else:
            values.update(ended_at=now, **({"final_run_state": final_run_state} if final_run_state else {}))
        if dispatched is not None:
            attempt = member.c.attempt + 1
            values.update(attempt=attempt, clear_number=dispatched.clear_number, dispatched_at=now)
        move = update(member).where(member.c.id == member_id, member.c.state.in_(words(before))).values(values)
        return changed(self._executor, move) == 1

    def adopt_member(
        self,
        member_id: int,
        *,
        before: Collection[MemberState],
        after: MemberState,
        run: RunFacts,
        tasks: Tasks,
        reason: str | None,
        now: datetime,
    ) -> bool:
        """See `RerunStore.adopt_member`."""
        values: dict[str, Any] = {"state": after.value, "state_reason": reason, "ended_at": None}
        values.update(final_run_state=None, clear_number=run.clear_number, tasks=codec.tasks_to_json(tasks))
        if after is MemberState.RUNNING:
            values.update(attempt=member.c.attempt + 1, dispatched_at=now)
        guard = member.c.state.in_(words(before))
        return adopting.adopt(self._executor, member_id, guard, run, values)

    def catch_member(
        self, member_id: int, run_id: str, run_after: datetime | None, logical_date: datetime | None
    ) -> None:
        """See `RerunStore.catch_member`."""
        names = {"run_id": run_id, "original_run_id": run_id}
        values = {**names, "run_after": run_after, "logical_date": logical_date}
        self._executor.execute(update(member).where(member.c.id == member_id).values(values))

    def set_member_reason(self, member_id: int, reason: str | None) -> None:
        """See `RerunStore.set_member_reason`."""
        self._executor.execute(update(member).where(member.c.id == member_id).values(state_reason=reason))

    def add_event(
        self,
        rerun_id: int,
        *,
        at: datetime,
        actor: str,
        action: str,
        member_id: int | None = None,
        detail: str | None = None,
    ) -> None:
        """See `RerunStore.add_event`."""
        line = {"at": at, "actor": actor, "action": action, "member_id": member_id, "detail": detail}
        self._executor.execute(insert(event).values(rerun_id=rerun_id, **line))


def words(states: Collection[RerunState] | Collection[MemberState]) -> list[str]:
    """States as their columns have them."""
    return sorted(state.value for state in states)
