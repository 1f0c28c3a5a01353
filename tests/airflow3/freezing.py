"""Reruns whose members hold runs: the rows that a submit writes before it freezes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.airflow3 import scene

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def members(count: int, *, session: Session) -> None:
    """Reruns 1 to ``count``, by ann, each with a frozen member of the same number."""
    from sqlalchemy import insert

    from airflow_rerun_downstream.store.tables import member, rerun

    for number in range(1, count + 1):
        session.execute(
            insert(rerun).values(
                id=number, source_dag_id="s", source_run_id="r", state="running", freeze_mode=True, created_by="ann",
                created_by_id="1", created_at=scene.START, settings={}, notifications=[], options={}, warnings=[],
            )
        )  # fmt: skip
        session.execute(
            insert(member).values(
                id=number, rerun_id=number, dag_id="d", role="frozen", state="frozen", tasks=[], depth=0, attempt=0
            )
        )
    session.commit()


def freeze(target: Any, *, session: Session, member_id: int = 1) -> None:
    """Member ``member_id`` freezes a run, and it is committed."""
    from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer

    freezer = AirflowFreezer(session)
    freezer.lock([target.dag_id])
    freezer.freeze(member_id, target, rerun_id=member_id)
    session.commit()


def release(*, session: Session, member_id: int = 1) -> bool:
    """Member ``member_id`` lets go, and it is committed."""
    from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer

    let_go = AirflowFreezer(session).release(member_id, rerun_id=member_id, actor="ann")
    session.commit()
    return let_go
