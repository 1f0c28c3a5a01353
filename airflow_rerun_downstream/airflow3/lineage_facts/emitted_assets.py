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

    def assets(self, session: Session, dag_ids: Collection[str]) -> set[int] | None:
        """The assets of which Dags have emitted events; None: too many. One statement."""
        with self._lock:
            if not self._learn(session) and self._seen:
                self._seen = 0  # the last events are gone: perhaps it is another database
                self._learn(session)
            found: set[int] = set()
            for dag_id in dag_ids:
                some = self._assets.get(dag_id, set())
                if some is None:
                    return None
                found |= some
            return found if len(found) <= 10 * MOST else None

    def _learn(self, session: Session) -> bool:
        """Read the events since the last time; False if there are none, not even those that were read before."""
        fresh = session.execute(
            select(EVENT.source_dag_id, EVENT.asset_id, func.max(EVENT.id).label("last"))
            .where(EVENT.id > self._seen - UNSETTLED)
            .group_by(EVENT.source_dag_id, EVENT.asset_id)
        ).all()
        for row in fresh:
            if row.source_dag_id is not None:  # somebody told of it over REST
                self._add(row.source_dag_id, row.asset_id)
            self._seen = max(self._seen, row.last)
        return bool(fresh)

    def _add(self, dag_id: str, asset_id: int) -> None:
        known = self._assets.setdefault(dag_id, set())
        if known is not None:
            known.add(asset_id)
            if len(known) > MOST:
                self._assets[dag_id] = None


MEMORY: dict[str, EmittedAssets] = {}
"""What this process knows of each database that it has met."""


def emitted_assets(session: Session, dag_ids: Collection[str]) -> set[int] | None:
    """The assets of which Dags have emitted events; None: that can't be told cheaply. A statement, or two."""
    url = str(session.get_bind().engine.url)
    return MEMORY.setdefault(url, EmittedAssets()).assets(session, dag_ids)
