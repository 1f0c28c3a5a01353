"""Which assets each Dag has emitted so far. Airflow's index on asset events begins with the asset.

What a Dag's tasks declare isn't enough: the assets of an alias are named by running tasks, and an older version of a
Dag may have had others. The events themselves tell, and a process reads each of them once.
"""

from __future__ import annotations

from collections.abc import Collection
from threading import Lock
from typing import TYPE_CHECKING

from airflow.models.asset import AssetEvent
from sqlalchemy import func, select

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

EVENT = AssetEvent.__table__.c

UNSETTLED = 1_000
"""So many of the last events are read again: one with a smaller id may be committed after one with a greater id."""

MOST = 1_000
"""A Dag that has emitted more assets than these, such as one for each file, isn't kept in mind."""


class EmittedAssets:
    """One process's memory of one database. Ids of events are never used again. Threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen = 0
        self._assets: dict[str, set[int] | None] = {}

    def learn(self, session: Session) -> None:
        """Read the events since the last time. One statement; nobody waits for it."""
        seen = self._seen
        if not self._read(session, seen) and seen:
            self._read(session, 0)  # the last events are gone: perhaps it is another database

    def assets(self, dag_ids: Collection[str]) -> set[int] | None:
        """The assets of which Dags have emitted events, as far as they have been read; None: too many."""
        with self._lock:
            found: set[int] = set()
            for dag_id in dag_ids:
                some = self._assets.get(dag_id, set())
                if some is None:
                    return None
                found |= some
            return found if len(found) <= 10 * MOST else None

    def _read(self, session: Session, seen: int) -> bool:
        """Read the events after one, and some before it; False if there are none."""
        fresh = session.execute(
            select(EVENT.source_dag_id, EVENT.asset_id, func.max(EVENT.id).label("last"))
            .where(EVENT.id > seen - UNSETTLED)
            .group_by(EVENT.source_dag_id, EVENT.asset_id)
        ).all()
        with self._lock:
            for row in fresh:
                if row.source_dag_id is not None:  # somebody told of it over REST
                    self._add(row.source_dag_id, row.asset_id)
            # Where the last events are gone, those that are left are the last. Else another thread may have read more.
            last = max((row.last for row in fresh), default=0)
            self._seen = max(self._seen, last) if seen else last
        return bool(fresh)

    def _add(self, dag_id: str, asset_id: int) -> None:
        known = self._assets.setdefault(dag_id, set())
        if known is not None:
            known.add(asset_id)
            if len(known) > MOST:
                self._assets[dag_id] = None


MEMORY: dict[str, EmittedAssets] = {}
"""What this process knows of each database that it has met."""


def learned(session: Session) -> EmittedAssets:
    """What is known of a session's database by now. A statement, or two."""
    known = MEMORY.setdefault(str(session.get_bind().engine.url), EmittedAssets())
    known.learn(session)
    return known


def emitted_assets(session: Session, dag_ids: Collection[str]) -> set[int] | None:
    """The assets of which Dags have emitted events; None: that can't be told cheaply. A statement, or two."""
    return learned(session).assets(dag_ids)
