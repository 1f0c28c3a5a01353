"""The active reruns, as the conductor reads them every second: one row for each, and the members that have changed.

What a member says is read again when its revision says so; what can't change after the submit (gates, settings,
warnings …) is read once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.states import ACTIVE_RERUN_STATES, RerunState
from airflow_rerun_downstream.store.executor import Executor, chunks
from airflow_rerun_downstream.store.mapping import NOBODY, children_of, in_order, member_of, members_of, rerun_of
from airflow_rerun_downstream.store.passage_rows import passages_of
from airflow_rerun_downstream.store.tables import member, rerun

if TYPE_CHECKING:
    from sqlalchemy.sql import Select

Key = tuple[int, datetime]
"""A rerun's id and when it was created: after a rollback the id may be given away anew."""


@dataclass(frozen=True)
class Snapshot:
    """A rerun as it was at a revision. What was written later may be in it already: that is read once more then."""

    revision: int
    active: ActiveRerun


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
        """Remember more of reruns."""
        with self._lock:
            self._snapshots = {**self._snapshots, **snapshots}


HEADS = select(
    rerun.c.id,
    rerun.c.created_at,
    rerun.c.revision,
    rerun.c.state,
    rerun.c.state_reason,
    rerun.c.ended_at,
    rerun.c.proven_at,
).order_by(rerun.c.id)


def wanted(now: datetime | None) -> Select[Any]:
    """The active reruns, and with ``now`` the proposals whose time was over by then: others don't expire."""
    if now is None:
        return HEADS.where(rerun.c.state.in_(sorted(state.value for state in ACTIVE_RERUN_STATES)))
    states = sorted(state.value for state in ACTIVE_RERUN_STATES | {RerunState.PROPOSED})
    return HEADS.where(rerun.c.state.in_(states), or_(rerun.c.expires_at.is_(None), rerun.c.expires_at <= now))


def active_reruns(executor: Executor, cache: SnapshotCache, now: datetime | None = None) -> list[ActiveRerun]:
    """Every active rerun, oldest first; with ``now`` also the proposals whose time was over by then.

    One statement; one more where a rerun has changed, and four more where one is seen for the first time, or five where
    it has passages.
    """
    heads = {(row.id, row.created_at): row for row in executor.execute(wanted(now))}
    known = cache.keep(heads)
    # A revision that has gone back: the database was restored, or what was seen was rolled back.
    unknown = {key: row for key, row in heads.items() if key not in known or known[key].revision > row.revision}
    fresh = load(executor, unknown)
    moved = {key: row for key, row in heads.items() if key not in unknown and known[key].revision < row.revision}
    fresh.update(refreshed(executor, moved, known))
    if fresh:
        cache.learn(fresh)
        known.update(fresh)
    return [known[key].active for key in heads if key in known]


def load(executor: Executor, heads: Mapping[Key, Any]) -> dict[Key, Snapshot]:
    """Read reruns whole."""
    ids = [rerun_id for rerun_id, _ in heads]
    if not ids:
        return {}
    members, children = members_of(executor, ids), children_of(executor, ids)
    passages = passages_of(executor, [one for one in ids if any(each.passage is not None for each in members[one])])
    rows = [row for some in chunks(ids) for row in executor.execute(select(rerun).where(rerun.c.id.in_(some)))]
    found = {}
    for row in rows:
        if (key := (row.id, row.created_at)) in heads:
            every = ActiveRerun(
                rerun_of(row, NOBODY), tuple(members[row.id]), children.get(row.id, ()), passages.get(row.id, ())
            )
            found[key] = Snapshot(heads[key].revision, standing(every, heads[key], every.members))
    return found


def refreshed(executor: Executor, heads: Mapping[Key, Any], known: Mapping[Key, Snapshot]) -> dict[Key, Snapshot]:
    """Reruns that have changed since they were read, with the members that have."""
    since = {key[0]: known[key].revision for key in heads}
    changed: dict[int, dict[int, Any]] = {rerun_id: {} for rerun_id in since}
    for some in chunks(sorted(since)):
        later = or_(*(and_(member.c.rerun_id == one, member.c.revision > since[one]) for one in some))
        for row in executor.execute(select(member).where(later)):
            changed[row.rerun_id][row.id] = row
    return {key: Snapshot(row.revision, now(known[key].active, row, changed[key[0]])) for key, row in heads.items()}


def now(active: ActiveRerun, head: Any, rows: Mapping[int, Any]) -> ActiveRerun:
    """A rerun as it stands: as it was known, with what the rows say."""
    members = active.members
    if rows:
        members = tuple(as_row(one, rows[one.id]) if one.id in rows else one for one in members)
        moved = any(place(active.by_id[one.id]) != place(one) for one in members if one.id in rows)
        members = tuple(in_order(members)) if moved else members
    return standing(active, head, members)


def as_row(one: Member, row: Any) -> Member:
    """A member as its row says; what it waits for never changes."""
    return replace(member_of(row, ()), waits_for=one.waits_for, stage_gates=one.stage_gates)


def place(one: Member) -> tuple[Any, ...]:
    """What a member's place in the order hangs on that an adoption may change."""
    return one.run_after, one.ref


def standing(active: ActiveRerun, head: Any, members: Iterable[Member]) -> ActiveRerun:
    """A rerun with the state that its row has."""
    every = tuple(members)
    return ActiveRerun(
        rerun=replace(
            active.rerun,
            state=RerunState(head.state),
            state_reason=head.state_reason,
            ended_at=head.ended_at,
            proven_at=head.proven_at,
            counts={**NOBODY, **Counter(one.state for one in every)},
        ),
        members=every,
        children=active.children,
        passages=active.passages,
    )
