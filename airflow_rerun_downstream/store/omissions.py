"""What members count without having made it anew."""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from typing import Any

from sqlalchemy import and_, delete, exists, func, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.sql import ColumnElement

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.record_parts import Part
from airflow_rerun_downstream.store.executor import Executor, chunks
from airflow_rerun_downstream.store.mapping import member_of
from airflow_rerun_downstream.store.parts import cut, had_at_submit
from airflow_rerun_downstream.store.tables import member
from airflow_rerun_downstream.store.tables import not_made_anew as table


def replace(executor: Executor, rerun_id: int, member_id: int, found: Collection[NotMadeAnew]) -> None:
    """Keep this of a member, and nothing that was kept before."""
    executor.execute(delete(table).where(table.c.member_id == member_id))
    rows = [
        {
            "rerun_id": rerun_id,
            "member_id": member_id,
            "task_id": one.task_id,
            "map_index": one.map_index,
            "reason": one.reason,
            "accepted_by": one.by,
            "because_dag_id": one.because_of.dag_id if one.because_of else None,
            "because_run_id": one.because_of.run_id if one.because_of else None,
        }
        for one in found
    ]
    if rows:
        executor.execute(insert(table), rows)


def of_rerun(executor: Executor, rerun_id: int, part: Part) -> list[tuple[Member, NotMadeAnew]]:
    """What is kept of a rerun's members, in the order of the list; two statements."""
    wanted = select(table).where(among_members(rerun_id, part)).order_by(table.c.id)
    return with_members(executor, executor.execute(cut(wanted, part)).all())


def of_runs(executor: Executor, rerun_id: int, runs: Collection[RunRef]) -> list[tuple[Member, NotMadeAnew]]:
    """What is kept of the members that had these runs at submit, in the order of the list; two statements."""
    rows: list[Row[Any]] = []
    for some in chunks(sorted(runs)):
        owner = and_(member.c.id == table.c.member_id, had_at_submit(rerun_id, some))
        rows += executor.execute(select(table).join(member, owner)).all()
    return with_members(executor, sorted(rows, key=attrgetter("id")))


def with_members(executor: Executor, rows: Collection[Row[Any]]) -> list[tuple[Member, NotMadeAnew]]:
    """What rows say, each with its member."""
    owners = {row.member_id for row in rows}
    members = {
        row.id: member_of(row, frozenset())
        for some in chunks(sorted(owners))
        for row in executor.execute(select(member).where(member.c.id.in_(some)))
    }
    return [(members[row.member_id], what_of(row)) for row in rows]


def what_of(row: Row[Any]) -> NotMadeAnew:
    """What a row says."""
    because = RunRef(row.because_dag_id, row.because_run_id) if row.because_dag_id is not None else None
    return NotMadeAnew(row.task_id, row.map_index, row.reason, row.accepted_by, because)


def among_members(rerun_id: int, part: Part) -> ColumnElement[bool]:
    """The member must be readable."""
    if part.readable is None:
        return table.c.rerun_id == rerun_id
    seen = exists().where(member.c.id == table.c.member_id, member.c.dag_id.in_(sorted(part.readable)))
    return and_(table.c.rerun_id == rerun_id, seen)


def count(executor: Executor, rerun_id: int, part: Part) -> int:
    """How much of it a part has in all."""
    wanted = select(func.count()).select_from(table).where(among_members(rerun_id, part))
    return int(executor.execute(wanted).scalar_one())


def counts(executor: Executor, rerun_ids: Collection[int]) -> dict[int, int]:
    """How much is kept of each rerun."""
    found = dict.fromkeys(rerun_ids, 0)
    for some in chunks(sorted(rerun_ids)):
        wanted = select(table.c.rerun_id, func.count()).where(table.c.rerun_id.in_(some)).group_by(table.c.rerun_id)
        for rerun_id, count in executor.execute(wanted):
            found[rerun_id] = count
    return found
