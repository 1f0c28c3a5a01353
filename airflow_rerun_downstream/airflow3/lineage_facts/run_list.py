"""One page of Dag runs, for a person to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.models.dag import DagTag
from airflow.models.dagrun import DagRun
from sqlalchemy import and_, bindparam, case, func, literal, not_, or_, select

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.online import ALWAYS_ONLINE, Kind, made_by_task, origins
from airflow_rerun_downstream.airflow3.lineage_facts.runs import DAG, RUN, RUN_COLUMNS, THERE, complete
from airflow_rerun_downstream.domain.errors import Invalid
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, RunFacts
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence, quoted
from airflow_rerun_downstream.ports.lineage import RunFilter, SourceRule
from airflow_rerun_downstream.store.search import matching

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from sqlalchemy.sql import ColumnElement

TAG = DagTag.__table__.c

ORDERS: Mapping[str, Any] = {
    "run_after": RUN.run_after,
    "logical_date": RUN.logical_date,
    "dag_id": RUN.dag_id,
    "run_id": RUN.run_id,
    "state": RUN.state,
    "start_date": RUN.start_date,
    "run_type": RUN.run_type,
}


def page(session: Session, wanted: RunFilter) -> tuple[list[RunFacts], int]:
    """One page of runs and their number. Raises `Invalid` for an unknown order."""
    order = order_of(wanted.order_by)
    matching = conditions(session, wanted)
    total = session.scalar(select(func.count()).select_from(DagRun.__table__).where(*matching)) or 0
    rows = session.execute(
        select(*RUN_COLUMNS).where(*matching).order_by(*order).limit(wanted.limit).offset(wanted.offset)
    ).all()
    facts = complete(session, rows)
    return [facts[RunRef(row.dag_id, row.run_id)] for row in rows], total


def order_of(text: str) -> list[Any]:
    """An order as SQL; equal rows have one too, or pages would overlap. What has no value is last on every database."""
    name, descending = text.removeprefix("-"), text.startswith("-")
    if name not in ORDERS:
        raise Invalid(Sentence("refusal.runs_not_orderable", name=quoted(name), names=sorted(ORDERS)))
    columns = [column.desc() if descending else column.asc() for column in (ORDERS[name], RUN.id)]
    return [case((ORDERS[name].is_(None), 1), else_=0), *columns] if ORDERS[name].nullable else columns


def conditions(session: Session, wanted: RunFilter) -> list[ColumnElement[bool]]:
    """A filter as SQL."""
    found = plain_conditions(wanted)
    if wanted.online is None and wanted.source_rule is None:
        return found
    is_online = online_condition(session, found)
    if wanted.online is not None:
        found.append(is_online if wanted.online else not_(is_online))
    if wanted.source_rule is not None:
        found.append(source_condition(session, wanted.source_rule, is_online))
    return found


def plain_conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    """What a run's own row answers."""
    found: list[ColumnElement[bool]] = []
    for column, values in ((RUN.dag_id, wanted.dag_ids), (RUN.state, wanted.states), (RUN.run_type, wanted.run_types)):
        if values is not None:
            found.append(column.in_(sorted(values)))
    if wanted.dag_id_pattern is not None:
        called = select(DAG.dag_id).where(matching(DAG.dag_display_name, wanted.dag_id_pattern))
        found.append(or_(matching(RUN.dag_id, wanted.dag_id_pattern), RUN.dag_id.in_(called)))
    if wanted.run_id_pattern is not None:
        found.append(matching(RUN.run_id, wanted.run_id_pattern))
    if wanted.owner_pattern is not None:
        found.append(RUN.dag_id.in_(select(DAG.dag_id).where(matching(DAG.owners, wanted.owner_pattern))))
    if wanted.tags is not None:
        found.append(RUN.dag_id.in_(select(TAG.dag_id).where(TAG.name.in_(sorted(wanted.tags)))))
    if wanted.run_after_gte is not None:
        found.append(RUN.run_after >= wanted.run_after_gte)
    if wanted.run_after_lte is not None:
        found.append(RUN.run_after <= wanted.run_after_lte)
    return found


def online_condition(session: Session, matching: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether a run is online. The few that tasks made are looked into one by one, so that page and total are exact."""
    made = session.execute(
        select(RUN.id, RUN.dag_id, RUN.run_id, RUN.run_type, RUN.triggered_by).where(*matching, made_by_task())
    ).all()
    found = origins(session, {RunRef(row.dag_id, row.run_id): Kind.of(row) for row in made}).online
    ids = [row.id for row in made if RunRef(row.dag_id, row.run_id) in found]
    by_scheduler: ColumnElement[bool] = RUN.run_type.in_(ALWAYS_ONLINE)
    if not ids:
        return by_scheduler
    # Numbers in the text: their count isn't limited as that of parameters is.
    return or_(by_scheduler, RUN.id.in_(bindparam(None, ids, expanding=True, literal_execute=True)))


def source_condition(session: Session, rule: SourceRule, is_online: ColumnElement[bool]) -> ColumnElement[bool]:
    """Which runs can, or can't, be a source."""
    needs = [is_online, RUN.state.in_(sorted(FINISHED_RUN_STATES)), RUN.run_after <= rule.now, THERE]
    if rule.window_start is not None:
        needs.append(RUN.run_after >= rule.window_start)
    for some in chunks(sorted(rule.taken)):
        needs.append(not_(pair_in(session, RUN.dag_id, RUN.run_id, names(some))))
    # Never null, so that the opposite question has the rest for its answer.
    possible = case((and_(*needs), literal(1)), else_=literal(0))
    return possible == (1 if rule.matches else 0)
