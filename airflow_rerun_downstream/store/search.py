"""Questions for pages of reruns, as SQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, and_, case, exists, func, or_, select

from airflow_rerun_downstream.domain.errors import Invalid
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.sentence import Sentence, quoted
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.store.containing import contains
from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.expiry import present
from airflow_rerun_downstream.store.mapping import counts_of, rerun_of
from airflow_rerun_downstream.store.tables import idempotency_key, member, rerun

ORDERS: dict[str, Column[Any]] = {
    "id": rerun.c.id,
    "name": rerun.c.name,
    "state": rerun.c.state,
    "dag_id": rerun.c.source_dag_id,
    "run_id": rerun.c.source_run_id,
    "created_by": rerun.c.created_by,
    "created_at": rerun.c.created_at,
    "started_at": rerun.c.started_at,
    "ended_at": rerun.c.ended_at,
}
"""What a page may be ordered by."""


def page(executor: Executor, wanted: RerunFilter) -> tuple[list[Rerun], int]:
    """One page of reruns with their counts, and how many there are in all: three statements."""
    where = and_(*conditions(wanted))
    total = executor.execute(select(func.count()).select_from(rerun).where(where)).scalar_one()
    asked = select(rerun).where(where).order_by(*ordering(wanted.order_by)).limit(wanted.limit).offset(wanted.offset)
    rows = executor.execute(asked).all()
    counts = counts_of(executor, [row.id for row in rows])
    return [rerun_of(row, counts[row.id]) for row in rows], total


def conditions(wanted: RerunFilter) -> list[Any]:
    """What a rerun must be like."""
    found: list[Any] = [present()]
    if wanted.states is not None:
        found.append(rerun.c.state.in_(sorted(state.value for state in wanted.states)))
    if wanted.readable is not None:
        found.append(rerun.c.source_dag_id.in_(sorted(wanted.readable)))
    if wanted.search is not None:
        found.append(or_(contains(rerun.c.name, wanted.search), contains(rerun.c.reason, wanted.search)))
    if wanted.created_by is not None:
        found.append(rerun.c.created_by == wanted.created_by)
    if wanted.created_at_gte is not None:
        found.append(rerun.c.created_at >= wanted.created_at_gte)
    if wanted.created_at_lte is not None:
        found.append(rerun.c.created_at <= wanted.created_at_lte)
    if wanted.idempotency_key is not None:
        kept = select(idempotency_key.c.rerun_id).where(idempotency_key.c.key == wanted.idempotency_key)
        found.append(rerun.c.id.in_(kept))
    return found + member_conditions(wanted)


def member_conditions(wanted: RerunFilter) -> list[Any]:
    """What one of its members must be like; the Dag and the run that are asked for mean the same member."""
    found: list[Any] = []
    same = {member.c.dag_id: wanted.dag_id, member.c.run_id: wanted.run_id}
    run = [column == value for column, value in same.items() if value is not None]
    if wanted.dag_id_pattern is not None:
        run.append(matching(member.c.dag_id, wanted.dag_id_pattern))
    if run:
        if wanted.readable is not None:  # or a name could be guessed letter by letter
            run.append(member.c.dag_id.in_(sorted(wanted.readable)))
        found.append(has_member(run))
    if wanted.frozen is not None:
        frozen = has_member([member.c.state == MemberState.FROZEN.value])
        found.append(frozen if wanted.frozen else ~frozen)
    return found


def has_member(like: Collection[Any]) -> Any:
    """Whether the rerun has such a member."""
    return exists().where(member.c.rerun_id == rerun.c.id, *like)


def matching(column: Any, pattern: str) -> Any:
    """Whether an id matches a pattern, as Airflow's own REST API understands them."""
    parts = [part.strip() for part in pattern.split("|") if part.strip()] or [pattern]
    return or_(*(column.ilike(f"%{part}%") for part in parts))


def ordering(order_by: str) -> list[Any]:
    """The columns to sort by; unknown values last, or first where it descends; the id tells equal ones apart.

    Raises `Invalid`, which names what can be asked for.
    """
    name, descending = order_by.lstrip("-"), order_by.startswith("-")
    if name not in ORDERS:
        raise Invalid(Sentence("refusal.reruns_not_orderable", name=quoted(name), names=list(ORDERS)))
    keys = [case((ORDERS[name].is_(None), 1), else_=0), ORDERS[name], rerun.c.id]
    return [key.desc() if descending else key.asc() for key in keys]
