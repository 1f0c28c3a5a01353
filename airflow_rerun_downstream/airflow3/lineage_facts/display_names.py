"""What Airflow's pages show beside ids, or in their place."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from airflow.models.dagrun import DagRunNote
from sqlalchemy import select

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, one_in, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.runs import DAG, RUN
from airflow_rerun_downstream.domain.labels import cut
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NOTE = DagRunNote.__table__.c


def display_names(session: Session, dag_ids: Collection[str]) -> dict[str, str]:
    """See `Dags.display_names`."""
    found: dict[str, str] = {}
    for some in chunks(dag_ids):
        wanted = select(DAG.dag_id, DAG.dag_display_name).where(
            one_in(session, DAG.dag_id, list(some)), DAG.dag_display_name != DAG.dag_id, DAG.dag_display_name != ""
        )
        found |= {dag_id: cut(name) for dag_id, name in session.execute(wanted)}
    return found


def notes(session: Session, refs: Collection[RunRef]) -> dict[RunRef, str]:
    """See `Runs.notes`."""
    found: dict[RunRef, str] = {}
    for some in chunks(refs):
        wanted = (
            select(RUN.dag_id, RUN.run_id, NOTE.content)
            .join(DagRunNote.__table__, NOTE.dag_run_id == RUN.id)
            .where(pair_in(session, RUN.dag_id, RUN.run_id, names(some)), NOTE.content != "")
        )
        found |= {RunRef(dag_id, run_id): content for dag_id, run_id, content in session.execute(wanted)}
    return found
