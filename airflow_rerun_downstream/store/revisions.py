"""What has changed in one rerun since somebody looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, bindparam, cast, func, select, union

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.record_parts import Head, Lines, Part
from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.expiry import present
from airflow_rerun_downstream.store.parts import among, cut, with_gates
from airflow_rerun_downstream.store.passage_rows import numbers_behind, passages_of
from airflow_rerun_downstream.store.tables import event, gate, member, rerun

if TYPE_CHECKING:
    from sqlalchemy import CompoundSelect

NAMING_NONE = ("[]", "null")
"""The Dags that most lines name, as the database has them."""


def head(executor: Executor, rerun_id: int) -> Head | None:
    """A rerun at a glance; one statement, one row."""
    columns = (rerun.c.source_dag_id, rerun.c.source_run_id, rerun.c.state, rerun.c.created_at, rerun.c.revision)
    row = executor.execute(select(*columns).where(rerun.c.id == rerun_id, present())).first()
    if row is None:
        return None
    source = RunRef(row.source_dag_id, row.source_run_id)
    return Head(rerun_id, source, RerunState(row.state), row.created_at, row.revision)


def members(executor: Executor, rerun_id: int, since: int, after: int, part: Part) -> list[Member]:
    """Changed members and those that wait for them, by id; three statements, with passages one more."""
    mine = (member.c.rerun_id == rerun_id, member.c.id > after, *among(part, member.c.dag_id))
    news = () if since < 0 else (member.c.id.in_(changed(executor, rerun_id, since, after)),)
    wanted = select(member).where(*mine, *news).order_by(member.c.id)
    return with_gates(executor, executor.execute(cut(wanted, part)).all())


def changed(executor: Executor, rerun_id: int, since: int, after: int) -> CompoundSelect[Any]:
    """The members that were written later, and those that wait for such: what they still wait for may be another.

    All are found by indexes: a condition with an OR would be tried on each member. One statement is sent here, with
    passages two.
    """
    moved = member.alias("moved")
    later = and_(moved.c.rerun_id == rerun_id, moved.c.revision > since)
    waiting = select(gate.c.member_id).join(moved, moved.c.id == gate.c.waits_for_member_id)
    found = [select(moved.c.id).where(later, moved.c.id > after), waiting.where(later, gate.c.member_id > after)]
    if passages := passages_of(executor, [rerun_id]).get(rerun_id):
        numbers = numbers_behind(passages, set(executor.execute(select(moved.c.id).where(later)).scalars()))
        # Thousands of numbers: as values of their own they would be more than SQLite takes.
        these: Any = bindparam("passages", numbers, expanding=True, literal_execute=True)
        passing = member.alias("passing")
        mine = and_(passing.c.rerun_id == rerun_id, passing.c.id > after)
        found.append(select(passing.c.id).where(mine, passing.c.passage.in_(these)))
    return union(*found)


def lines(executor: Executor, rerun_id: int, after: int) -> Lines:
    """What later lines of the record are about; two statements: a row for each Dag, and the rows that name others."""
    mine = and_(event.c.rerun_id == rerun_id, event.c.id > after)
    about = event.outerjoin(member, member.c.id == event.c.member_id)
    counted = select(member.c.dag_id, func.count().label("lines"), func.max(event.c.id).label("last"))
    rows = executor.execute(counted.select_from(about).where(mine).group_by(member.c.dag_id)).all()
    if not rows:
        return Lines(last=after)
    last = max(row.last for row in rows)
    naming = cast(event.c.dag_ids, Text).not_in(NAMING_NONE)
    wanted = select(event.c.dag_ids).where(mine, event.c.id <= last, naming)
    others = frozenset(dag_id for row in executor.execute(wanted) for dag_id in row.dag_ids or ())
    return Lines({row.dag_id: row.lines for row in rows}, others, last)
