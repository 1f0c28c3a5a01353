"""The active reruns, as the conductor reads them every second: one narrow statement over what may change.

What can't change after the submit (tasks, gates, settings, warnings …) is read once and remembered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from threading import Lock
from typing import Any

from sqlalchemy import select

from airflow_rerun_downstream.domain.member import Child, Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import ActiveRerun, Rerun
from airflow_rerun_downstream.domain.states import ACTIVE_RERUN_STATES, MemberState, RerunState
from airflow_rerun_downstream.store.executor import Executor, chunks
from airflow_rerun_downstream.store.mapping import NOBODY, children_of, members_of, rerun_of
from airflow_rerun_downstream.store.tables import member, rerun

Key = tuple[int, datetime]
"""A rerun's id and when it was created: after a rollback the id may be given away anew."""


@dataclass(frozen=True)
class Snapshot:
    """A rerun and its members as they were read first; only what never changes may be taken from it.

    ``last`` has each member's latest row and what was made of it: most rows are the same in the next second.
    """

    rerun: Rerun
    members: Mapping[int, Member]
    children: tuple[Child, ...] = ()
    last: dict[int, tuple[Any, Member]] = field(default_factory=dict)


class SnapshotCache:
    """What one process remembers of active reruns. Threads may share it; it holds active reruns only."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._snapshots: dict[Key, Snapshot] = {}

    def keep(self, keys: Collection[Key]) -> dict[Key, Snapshot]:
        """Forget every rerun but these, and answer what is known of them."""
        with self._lock:
            self._snapshots = {key: self._snapshots[key] for key in keys if key in self._snapshots}
            return dict(self._snapshots)

    def learn(self, snapshots: Mapping[Key, Snapshot]) -> None:
        """Remember more reruns."""
        with self._lock:
            self._snapshots = {**self._snapshots, **snapshots}


ACTIVE = (
    select(
        rerun.c.id.label("rerun_id"),
        rerun.c.created_at,
        rerun.c.state.label("rerun_state"),
        rerun.c.state_reason.label("rerun_state_reason"),
        rerun.c.ended_at.label("rerun_ended_at"),
        rerun.c.proven_at,
        member.c.id,
        member.c.dag_id,
        member.c.run_id,
        member.c.run_after,
        member.c.state,
        member.c.state_reason,
        member.c.attempt,
        member.c.stage,
        member.c.stage_attempt,
        member.c.release_asked,
        member.c.clear_number,
        member.c.dispatched_at,
        member.c.ended_at,
        member.c.final_run_state,
    )
    .select_from(rerun.outerjoin(member, member.c.rerun_id == rerun.c.id))
    .where(rerun.c.state.in_(sorted(state.value for state in ACTIVE_RERUN_STATES)))
    .order_by(rerun.c.id)
)


def active_reruns(executor: Executor, cache: SnapshotCache) -> list[ActiveRerun]:
    """Every active rerun, oldest first: one statement, and four more where a rerun is seen for the first time."""
    grouped = {
        key: list(rows) for key, rows in groupby(executor.execute(ACTIVE), lambda row: (row.rerun_id, row.created_at))
    }
    known = cache.keep(grouped)
    missing = [key for key, rows in grouped.items() if key not in known or adopted(known[key], rows)]
    if missing:
        fresh = load(executor, missing)
        cache.learn(fresh)
        known.update(fresh)
    return [current(known[key], rows) for key, rows in grouped.items() if key in known]


def adopted(snapshot: Snapshot, rows: list[Any]) -> bool:
    """Whether a member may have got another run since it was read, and with it other tasks."""
    made = {one.child for one in snapshot.children}
    return bool(made) and any(
        row.clear_number != snapshot.members[row.id].clear_number or row.run_id != snapshot.members[row.id].ref.run_id
        for row in rows
        if row.id in made
    )


def load(executor: Executor, keys: Iterable[Key]) -> dict[Key, Snapshot]:
    """Read reruns whole."""
    ids = [rerun_id for rerun_id, _ in keys]
    members, children = members_of(executor, ids), children_of(executor, ids)
    rows = [row for some in chunks(ids) for row in executor.execute(select(rerun).where(rerun.c.id.in_(some)))]
    return {
        (row.id, row.created_at): Snapshot(
            rerun_of(row, NOBODY), {one.id: one for one in members[row.id]}, children.get(row.id, ())
        )
        for row in rows
    }


def current(snapshot: Snapshot, rows: list[Any]) -> ActiveRerun:
    """A rerun as it stands: the snapshot with what the rows say now. Members are in the snapshot's order."""
    by_id = {row.id: row for row in rows if row.id is not None}
    members = tuple(moved(snapshot, one, by_id[one.id]) for one in snapshot.members.values() if one.id in by_id)
    first, counts = rows[0], Counter(one.state for one in members)
    return ActiveRerun(
        rerun=replace(
            snapshot.rerun,
            state=RerunState(first.rerun_state),
            state_reason=first.rerun_state_reason,
            ended_at=first.rerun_ended_at,
            proven_at=first.proven_at,
            counts={**NOBODY, **counts},
        ),
        members=members,
        children=snapshot.children,
    )


def moved(snapshot: Snapshot, one: Member, row: Any) -> Member:
    """A member as its row says now."""
    known = snapshot.last.get(one.id)
    if known is not None and known[0] == row:
        return known[1]
    made = replace(
        one,
        ref=one.ref if one.ref.run_id == (row.run_id or "") else RunRef(row.dag_id, row.run_id),
        run_after=row.run_after,
        state=MemberState(row.state),
        state_reason=row.state_reason,
        attempt=row.attempt,
        stage=row.stage,
        stage_attempt=row.stage_attempt,
        release_asked=row.release_asked,
        clear_number=row.clear_number,
        dispatched_at=row.dispatched_at,
        ended_at=row.ended_at,
        final_run_state=row.final_run_state,
    )
    snapshot.last[one.id] = (row, made)
    return made
