"""A rerun is stored: its row, its members and their gates, its links, and its claim to its runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from airflow_rerun_downstream.domain.errors import RunInActiveRerun
from airflow_rerun_downstream.domain.new_rerun import NewFrozen, NewMember, NewRerun, NewStageGate
from airflow_rerun_downstream.domain.refs import RunRef, by_name
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.store.executor import Executor, chunks, new_id
from airflow_rerun_downstream.store.mapping import frozen_values, link_values, member_values, rerun_values
from airflow_rerun_downstream.store.tables import active_run, child, gate, link, member, passage, rerun

Ids = Mapping[RunRef, int]

TRIES = 2
"""A claim is tried again when whoever held the run let go of it in the meantime."""


def add(executor: Executor, new: NewRerun, now: datetime) -> int:
    """Store a rerun and answer its id. Raises `RunInActiveRerun`; then nothing of it is left."""
    # This insert must come before the savepoint: SQLite's driver doesn't begin a transaction for a savepoint, and
    # releasing the outermost one would commit.
    rerun_id = add_row(executor, new, now)
    try:
        claim(executor, new, rerun_id)
    except RunInActiveRerun:
        executor.execute(delete(rerun).where(rerun.c.id == rerun_id))
        raise
    return rerun_id


def add_row(executor: Executor, new: NewRerun, now: datetime) -> int:
    """Store a rerun without its members, and answer its id."""
    return new_id(executor, insert(rerun).values(rerun_values(new, now)))


def claim(executor: Executor, new: NewRerun, rerun_id: int) -> None:
    """Store the members of a rerun, with their claims. Raises `RunInActiveRerun`; then none of that is left."""
    for last in (False,) * (TRIES - 1) + (True,):
        try:
            with executor.begin_nested():
                add_runs(executor, new, rerun_id)
            return
        except IntegrityError:
            refuse_if_held(executor, new)
            if last:
                raise


def add_runs(executor: Executor, new: NewRerun, rerun_id: int) -> None:
    """Everything that belongs to a rerun. The claims come first: they may be refused. A proposal has none."""
    add_all(executor, member, [{**member_values(one, rerun_id), **passed_by(one, new)} for one in new.members])
    ids = member_ids(executor, rerun_id)
    # Every rerun claims its runs in the same order, so that two of them can't wait for each other.
    claims = [
        {"dag_id": ref.dag_id, "run_id": ref.run_id, "rerun_id": rerun_id, "member_id": ids[ref]}
        for ref in sorted(ids, key=by_name)
    ]
    add_all(executor, active_run, claims if new.proposal is None else [])
    add_all(executor, gate, gate_values(new, rerun_id, ids))
    add_all(executor, passage, passage_values(new, rerun_id, ids))
    add_all(executor, child, child_values(new, rerun_id, ids))
    add_all(executor, link, [link_values(one, rerun_id, place) for place, one in enumerate(new.links)])


def add_frozen(executor: Executor, rerun_id: int, new: NewFrozen) -> int:
    """Store a frozen member and answer its id. It claims no run: several reruns may freeze one."""
    return new_id(executor, insert(member).values(frozen_values(new, rerun_id)))


def add_all(executor: Executor, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, if there are any."""
    if rows:
        executor.execute(insert(table), rows)


def gate_values(new: NewRerun, rerun_id: int, ids: Ids) -> list[dict[str, Any]]:
    """Who waits for whom."""
    return [
        {
            "member_id": ids[one.ref],
            "waits_for_member_id": ids[gate.ref],
            "stage": gate.stage,
            "until_stage": gate.until,
            "rerun_id": rerun_id,
        }
        for one in new.members
        for gate in (*(NewStageGate(0, ref, None) for ref in sorted(one.waits_for)), *one.stage_gates)
    ]


def passed_by(one: NewMember, new: NewRerun) -> dict[str, Any]:
    """The passage of a member; nothing where there is none at all: a column less is more rows in a statement."""
    return {"passage": one.passage} if new.passages else {}


def passage_values(new: NewRerun, rerun_id: int, ids: Ids) -> list[dict[str, Any]]:
    """For whom passages stand."""
    return [
        {
            "rerun_id": rerun_id,
            "number": number,
            "members": sorted(ids[ref] for ref in one.members),
            "passages": sorted(one.before),
        }
        for number, one in enumerate(new.passages)
    ]


def child_values(new: NewRerun, rerun_id: int, ids: Ids) -> list[dict[str, Any]]:
    """Which members' runs will be made anew, and by which task."""
    return [
        {
            "parent_member_id": ids[one.parent],
            "task_id": one.task_id,
            "map_index": one.map_index,
            "member_id": ids[one.child],
            "rerun_id": rerun_id,
            "dag_id": one.child.dag_id,
        }
        for one in new.children
    ]


def member_ids(executor: Executor, rerun_id: int) -> Ids:
    """The ids of a rerun's members by their runs."""
    wanted = select(member.c.id, member.c.dag_id, member.c.run_id).where(member.c.rerun_id == rerun_id)
    return {RunRef(row.dag_id, row.run_id): row.id for row in executor.execute(wanted)}


def refuse_if_held(executor: Executor, new: NewRerun) -> None:
    """Raise `RunInActiveRerun` where another rerun holds one of the runs."""
    held = holders(executor, [one.ref for one in new.members])
    if not held:
        return
    ref = min(held)
    raise RunInActiveRerun(Sentence("refusal.in_active_rerun", run=f"{ref}"), rerun_id=held[ref], run=ref)


def holders(executor: Executor, refs: Collection[RunRef]) -> dict[RunRef, int]:
    """Which of the runs take part in an active rerun, and in which."""
    key = tuple_(active_run.c.dag_id, active_run.c.run_id)
    found: dict[RunRef, int] = {}
    for some in chunks(sorted(refs)):
        wanted = select(active_run).where(key.in_([(ref.dag_id, ref.run_id) for ref in some]))
        found.update({RunRef(row.dag_id, row.run_id): row.rerun_id for row in executor.execute(wanted)})
    return found
