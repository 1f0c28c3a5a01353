"""Records that are leaving: some rows at a time, and nobody sees half of one.

A rerun is marked before the first of its rows goes, and whoever reads records passes over it from then on. What marks
it is a reason that no rerun ever has; it also says which archive the rerun goes into, so that whoever goes on with it
puts the rest beside what is there already.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, delete, func, or_, select, tuple_, update
from sqlalchemy.sql import ColumnElement

from airflow_rerun_downstream.domain.states import FINAL_RERUN_STATES
from airflow_rerun_downstream.store import archives
from airflow_rerun_downstream.store.executor import Executor, changed
from airflow_rerun_downstream.store.tables import active_run, hold, metadata, rerun

EXPIRED = "expired"
"""What marks a rerun that goes without a copy; with a colon and the ending of an archive's name, one that is copied."""

PARTS: tuple[Table, ...] = tuple(
    table
    for table in reversed(metadata.sorted_tables)
    if table not in (active_run, hold) and any(key.column.table is rerun for key in table.foreign_keys)
)
"""What belongs to a rerun, each before what it refers to. A rerun that has rows in the two that are left out stays."""


def present() -> ColumnElement[bool]:
    """Whether a rerun isn't leaving."""
    return or_(rerun.c.state_reason.is_(None), ~marked())


def marked() -> ColumnElement[bool]:
    """Whether a rerun has a mark; unknown of one without a reason."""
    return or_(rerun.c.state_reason == EXPIRED, rerun.c.state_reason.startswith(f"{EXPIRED}:"))


def mark_of(archive: str | None) -> str:
    """The mark of a rerun that goes into an archive, or into none."""
    return EXPIRED if archive is None else f"{EXPIRED}:{archive}"


def ended(before: datetime) -> ColumnElement[bool]:
    """Whether a rerun is over, and was so before."""
    final = rerun.c.state.in_(sorted(state.value for state in FINAL_RERUN_STATES))
    return and_(final, rerun.c.ended_at < before)


def leaving(executor: Executor, limit: int) -> list[int]:
    """Reruns that have begun to leave."""
    wanted = select(rerun.c.id).where(marked()).order_by(rerun.c.id).limit(limit)
    return list(executor.execute(wanted).scalars())


def candidates(executor: Executor, may_go: ColumnElement[bool], after: int, limit: int) -> list[int]:
    """The next reruns that may leave, by id. They are locked, but for those that somebody else has locked."""
    wanted = select(rerun.c.id).where(rerun.c.id > after, present(), may_go).order_by(rerun.c.id).limit(limit)
    return list(executor.execute(wanted.with_for_update(of=rerun, skip_locked=True)).scalars())


def mark(executor: Executor, ids: Collection[int], archive: str | None) -> None:
    """Let reruns begin to leave. Their own rows are archived now, while they have their reason."""
    these = rerun.c.id.in_(ids)
    archives.copy(executor, rerun, these, archive)
    executor.execute(update(rerun).where(these).values(state_reason=mark_of(archive)))


def remove(executor: Executor, ids: Collection[int], limit: int) -> tuple[dict[str, int], bool]:
    """Delete up to ``limit`` rows of reruns that are leaving; how many by table, and whether that was all of them.

    They are locked: nobody adds a line to a record of which the lines have gone. Each goes into the archive into which
    it began to go, whoever began that.
    """
    wanted = select(rerun.c.id, rerun.c.state_reason).where(rerun.c.id.in_(ids), marked())
    archived: dict[str | None, list[int]] = {}
    for rerun_id, reason in executor.execute(wanted.with_for_update()).all():
        archived.setdefault(reason.partition(":")[2] or None, []).append(rerun_id)
    gone: dict[str, int] = {}
    for archive, some in archived.items():
        if not remove_into(executor, some, archive, limit, gone):
            return gone, False
    return gone, True


def remove_into(
    executor: Executor, ids: Collection[int], archive: str | None, limit: int, gone: dict[str, int]
) -> bool:
    """Delete rows of reruns that go into the same archive, until ``gone`` has ``limit``; whether that was all."""
    for table in PARTS:
        left = limit - sum(gone.values())
        if left <= 0:
            return False
        if number := remove_part(executor, table, ids, archive, left):
            gone[table.name] = gone.get(table.name, 0) + number
    if sum(gone.values()) >= limit:
        return False
    if number := changed(executor, delete(rerun).where(rerun.c.id.in_(ids))):
        gone[rerun.name] = gone.get(rerun.name, 0) + number
    return True


def remove_part(executor: Executor, table: Table, ids: Collection[int], archive: str | None, limit: int) -> int:
    """Delete rows of one table; by their keys only where they are more than the limit."""
    mine: ColumnElement[bool] = table.c.rerun_id.in_(ids)
    number = how_many(executor, table, mine, limit + 1)
    if not number:
        return 0
    if number > limit:
        key = tuple_(*table.primary_key.columns)
        some = select(*table.primary_key.columns).where(mine).order_by(*table.primary_key.columns).limit(limit)
        mine = and_(mine, key.in_(some))
    archives.copy(executor, table, mine, archive)
    return changed(executor, delete(table).where(mine))


def how_many(executor: Executor, table: Table, where: ColumnElement[bool], most: int) -> int:
    """How many rows there are, as far as ``most``."""
    some = select(table.c.rerun_id).where(where).limit(most).subquery()
    return int(executor.execute(select(func.count()).select_from(some)).scalar_one())


def count(executor: Executor, ids: Collection[int]) -> dict[str, int]:
    """How many rows go with reruns, by table."""
    found = {rerun.name: len(ids)} if ids else {}
    for table in PARTS if ids else ():
        wanted = select(func.count()).select_from(table).where(table.c.rerun_id.in_(ids))
        if number := int(executor.execute(wanted).scalar_one()):
            found[table.name] = number
    return found


Keys = Sequence[tuple[Any, ...]]


def stray(
    executor: Executor, table: Table, gone: ColumnElement[bool], after: tuple[Any, ...] | None, limit: int
) -> tuple[Keys, tuple[Any, ...] | None]:
    """Of the next rows of a table, by key, the keys of those that nothing needs; and where to go on, or None."""
    key = list(table.primary_key.columns)
    wanted = select(*key, gone.label("is_stray")).order_by(*key).limit(limit)
    if after is not None:
        wanted = wanted.where(tuple_(*key) > tuple_(*after))
    rows = executor.execute(wanted).all()
    last = tuple(rows[-1][:-1]) if len(rows) == limit else None
    return [tuple(row[:-1]) for row in rows if row[-1]], last


def remove_keys(executor: Executor, table: Table, keys: Keys, still: ColumnElement[bool]) -> int:
    """Delete rows by their keys, those of which it is ``still`` true that nothing needs them."""
    number = 0
    for start in range(0, len(keys), KEYS):
        some = tuple_(*table.primary_key.columns).in_(keys[start : start + KEYS])
        number += changed(executor, delete(table).where(some, still))
    return number


KEYS = 200
"""How many keys one statement names: each has up to four values."""
