"""What keeps runs from being made or started."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from airflow_rerun_downstream.domain.freeze import Hold
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef


class Freezer(Protocol):
    """What keeps runs from being made or started, inside the caller's transaction. Several reruns may hold one run."""

    def lock(self, dag_ids: Collection[str]) -> None:
        """Keep the scheduler from making runs of the Dags until this transaction ends."""
        ...

    def freeze(self, member_id: int, target: RunRef | FutureRef, *, rerun_id: int) -> None:
        """Take out a hold for a member: on a run that waits for its time, or on one that isn't made yet.

        Raises `CannotFreeze` where the run is not one of these any more, or can't be held safely.
        """
        ...

    def holds(self, rerun_ids: Collection[int]) -> list[Hold]:
        """The holds of reruns; a few statements, however many there are."""
        ...

    def sweep(self) -> None:
        """Park what was queued for a frozen Dag by a transaction that didn't see the freeze yet."""
        ...

    def release(self, member_id: int, *, rerun_id: int, actor: str) -> bool:
        """Give a member's hold up; False if it has none.

        The last one of a run to go restores the run's ``run_after``, or queues what was parked for its Dag.
        """
        ...

    def lost(self) -> list[RunRef]:
        """The runs that are held, and that no hold names: nobody would ever release them."""
        ...

    def rescue(self, ref: RunRef, *, actor: str) -> datetime | None:
        """Let a lost run go, and answer when it is, or was, due; None if it isn't lost any more."""
        ...
