"""What keeps runs from being made or started."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.freeze import Hold
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class AirflowFreezer:
    """`Freezer` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock(self, dag_ids: Collection[str]) -> None:
        raise NotImplementedError

    def freeze(self, member_id: int, target: RunRef | FutureRef, *, rerun_id: int) -> None:
        raise NotImplementedError

    def holds(self, rerun_ids: Collection[int]) -> list[Hold]:
        raise NotImplementedError

    def sweep(self) -> None:
        raise NotImplementedError

    def release(self, member_id: int, *, rerun_id: int, actor: str) -> bool:
        raise NotImplementedError
