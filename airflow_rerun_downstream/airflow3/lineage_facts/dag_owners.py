"""Who owns Dags, and their tags."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from airflow.models.dag import DagTag
from sqlalchemy import select

from airflow_rerun_downstream.airflow3.database.key_lists import chunks
from airflow_rerun_downstream.airflow3.lineage_facts.runs import DAG
from airflow_rerun_downstream.domain.facts import DagOwnership

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TAG = DagTag.__table__.c


def ownership(session: Session, dag_ids: Collection[str]) -> dict[str, DagOwnership]:
    """See `Dags.ownership`. Airflow keeps the owners of a Dag's tasks as one text, with commas."""
    found: dict[str, DagOwnership] = {}
    for some in chunks(sorted(dag_ids)):
        tags: dict[str, list[str]] = {}
        for row in session.execute(select(TAG.dag_id, TAG.name).where(TAG.dag_id.in_(some))):
            tags.setdefault(row.dag_id, []).append(row.name)
        for row in session.execute(select(DAG.dag_id, DAG.owners).where(DAG.dag_id.in_(some))):
            owners = {owner.strip() for owner in (row.owners or "").split(",")} - {""}
            found[row.dag_id] = DagOwnership(tuple(sorted(owners)), tuple(sorted(tags.get(row.dag_id, ()))))
    return found
