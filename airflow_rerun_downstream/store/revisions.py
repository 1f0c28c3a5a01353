"""What has changed in one rerun since somebody looked."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Text, cast, func, or_, select

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.record_parts import Head, Part
from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.parts import among, cut, with_gates
from airflow_rerun_downstream.store.tables import event, gate, member, rerun

NAMING_NONE = ("[]", "null")
"""The Dags that most lines name, as the database has them."""


def head(executor: Executor, rerun_id: int) -> Head | None:
    """A rerun at a glance; one statement, one row."""
    columns = (rerun.c.source_dag_id, rerun.c.source_run_id, rerun.c.state, rerun.c.created_at, rerun.c.revision)
    row = executor.execute(select(*columns).where(rerun.c.id == rerun_id)).first()
    if row is None:
        return None
    source = RunRef(row.source_dag_id, row.source_run_id)
    return Head(rerun_id, source, RerunState(row.state), row.created_at, row.revision)


def members(executor: Executor, rerun_id: int, since: int, after: int, part: Part) -> list[Member]:
    """Changed members and those that wait for them, by id; two statements."""
    mine = (member.c.rerun_id == rerun_id, member.c.id > after, *among(part, member.c.dag_id))
    news = () if since < 0 else (changed(rerun_id, since),)
    wanted = select(member).where(*mine, *news).order_by(member.c.id)
    return with_gates(executor, executor.execute(cut(wanted, part)).all())


def changed(rerun_id: int, since: int) -> ColumnElement[bool]:
    """A member must have been written later, or wait for one that has: what it still waits for may be another."""
    awaited = member.alias("awaited")
    moved = (awaited.c.rerun_id == rerun_id, awaited.c.revision > since)
    waiting = select(gate.c.member_id).join(awaited, awaited.c.id == gate.c.waits_for_member_id).where(*moved)
    return or_(member.c.revision > since, member.c.id.in_(waiting))


def named_dags(executor: Executor, rerun_id: int, after: int) -> tuple[frozenset[str], int]:
    """The Dags that later lines of the record name, and the last line; two statements, and the rows that name any."""
    mine = event.c.rerun_id == rerun_id
    last = executor.execute(select(func.max(event.c.id)).where(mine, event.c.id > after)).scalar()
    if last is None:
        return frozenset(), after
    naming = cast(event.c.dag_ids, Text).not_in(NAMING_NONE)
    wanted = select(event.c.dag_ids).where(mine, event.c.id > after, event.c.id <= last, naming)
    return frozenset(dag_id for row in executor.execute(wanted) for dag_id in row.dag_ids or ()), last
