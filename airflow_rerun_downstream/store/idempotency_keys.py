"""Which rerun has come of a user's key. The row goes with the record."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from airflow_rerun_downstream.domain.idempotency import IdempotencyKey, KeyTaken
from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.expiry import marked, present
from airflow_rerun_downstream.store.tables import idempotency_key, rerun


def keep(executor: Executor, key: IdempotencyKey, rerun_id: int) -> None:
    """See `RerunStore.keep_key`. A record that is leaving gives its key up."""
    leaving = select(rerun.c.id).where(marked())
    held = delete(idempotency_key).where(idempotency_key.c.key == key.key, idempotency_key.c.rerun_id.in_(leaving))
    executor.execute(held)
    try:
        executor.execute(insert(idempotency_key).values(key=key.key, body=key.body, rerun_id=rerun_id))
    except IntegrityError as error:
        raise KeyTaken from error


def kept(executor: Executor, key: str) -> tuple[int, str] | None:
    """See `RerunStore.kept_key`. One statement."""
    wanted = (
        select(idempotency_key.c.rerun_id, idempotency_key.c.body)
        .join(rerun, rerun.c.id == idempotency_key.c.rerun_id)
        .where(idempotency_key.c.key == key, present())
    )
    row = executor.execute(wanted).first()
    return None if row is None else (row.rerun_id, row.body)
