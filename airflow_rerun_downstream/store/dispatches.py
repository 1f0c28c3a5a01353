"""The task instances that we cleared, so that the asset manager knows a repeated event when it sees one.

Written by the gateway in the transaction of the dispatch; read in Airflow's own transactions, so each reading is one
statement by primary key. Ask `SchemaGuard` first there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store.executor import Executor, changed, chunks
from airflow_rerun_downstream.store.tables import dispatched_task

UNMAPPED = -1

DispatchedRow = tuple[str, int, int]
"""Task id, map index, and the number that the first try after the dispatch has."""


def remember_dispatch(
    executor: Executor, ref: RunRef, rows: Iterable[DispatchedRow], rerun_id: int, member_id: int | None
) -> None:
    """Note that the task instances of a run were cleared; an earlier note of the same ones is replaced."""
    firsts = {(task_id, map_index): first_try for task_id, map_index, first_try in rows}
    run = and_(dispatched_task.c.dag_id == ref.dag_id, dispatched_task.c.run_id == ref.run_id)
    for keys in together(firsts):
        executor.execute(delete(dispatched_task).where(run, keys))
    owner = {"dag_id": ref.dag_id, "run_id": ref.run_id, "rerun_id": rerun_id, "member_id": member_id}
    values = [
        {**owner, "task_id": task_id, "map_index": map_index, "first_try": first_try}
        for (task_id, map_index), first_try in firsts.items()
    ]
    if values:
        executor.execute(insert(dispatched_task), values)


def together(keys: Iterable[tuple[str, int]]) -> Iterator[ColumnElement[bool]]:
    """Conditions that together mean the task instances: few, whether there are many tasks or many map indexes."""
    found = sorted(keys)
    plain = [task_id for task_id, map_index in found if map_index == UNMAPPED]
    mapped: dict[str, list[int]] = {}
    for task_id, map_index in found:
        if map_index != UNMAPPED:
            mapped.setdefault(task_id, []).append(map_index)
    for tasks in chunks(plain):
        yield and_(dispatched_task.c.map_index == UNMAPPED, dispatched_task.c.task_id.in_(tasks))
    for task_id, indexes in mapped.items():
        for some in chunks(indexes):
            yield and_(dispatched_task.c.task_id == task_id, dispatched_task.c.map_index.in_(some))


def this_one(dag_id: str, run_id: str, task_id: str, map_index: int) -> tuple[ColumnElement[bool], ...]:
    """The primary key's condition."""
    return (
        dispatched_task.c.dag_id == dag_id,
        dispatched_task.c.run_id == run_id,
        dispatched_task.c.task_id == task_id,
        dispatched_task.c.map_index == map_index,
    )


def dispatched_by(executor: Executor, ref: RunRef, rerun_id: int) -> set[tuple[str, int]]:
    """Task and map index of what a rerun was the last to clear in a run."""
    wanted = select(dispatched_task.c.task_id, dispatched_task.c.map_index).where(
        dispatched_task.c.dag_id == ref.dag_id,
        dispatched_task.c.run_id == ref.run_id,
        dispatched_task.c.rerun_id == rerun_id,
    )
    return {(task_id, map_index) for task_id, map_index in executor.execute(wanted)}


def mark_emitted(executor: Executor, dag_id: str, run_id: str, task_id: str, map_index: int, try_number: int) -> bool:
    """Note that a try's events were recognised; False where this or a later try was noted already."""
    earlier = or_(dispatched_task.c.emitted_try.is_(None), dispatched_task.c.emitted_try < try_number)
    note = update(dispatched_task).where(*this_one(dag_id, run_id, task_id, map_index), earlier)
    return changed(executor, note.values(emitted_try=try_number)) == 1
