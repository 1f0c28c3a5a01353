"""Passages as rows: what stands for many gates. They never change after the submit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select

from airflow_rerun_downstream.domain.member import Awaited
from airflow_rerun_downstream.domain.passages import Passage, behind, of_each
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import SATISFIED
from airflow_rerun_downstream.store.executor import Executor, chunks
from airflow_rerun_downstream.store.mapping import member_of
from airflow_rerun_downstream.store.tables import member, passage


def passages_of(executor: Executor, rerun_ids: Collection[int]) -> dict[int, tuple[Passage[int], ...]]:
    """The passages of reruns that have any, by their numbers; one statement."""
    found: dict[int, list[Passage[int]]] = {}
    for some in chunks(sorted(rerun_ids)):
        wanted = select(passage).where(passage.c.rerun_id.in_(some)).order_by(passage.c.rerun_id, passage.c.number)
        for row in executor.execute(wanted):
            found.setdefault(row.rerun_id, []).append(Passage(frozenset(row.members), frozenset(row.passages)))
    return {rerun_id: tuple(some) for rerun_id, some in found.items()}


def awaited_through(executor: Executor, rerun_id: int, number: int, besides: Collection[int]) -> list[Awaited]:
    """The members for which a passage stands, as they are now; two statements."""
    ids = behind(passages_of(executor, [rerun_id])[rerun_id], number).difference(besides)
    rows = [
        row for some in chunks(sorted(ids)) for row in executor.execute(select(member).where(member.c.id.in_(some)))
    ]
    return [Awaited(member_of(row, ())) for row in rows]


def open_behind(executor: Executor, wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], Mapping[int, RunRef]]:
    """The members that aren't satisfied yet of passages, which are wanted by rerun and number; two statements."""
    satisfied = sorted(state.value for state in SATISFIED)
    rerun_ids = sorted({rerun_id for rerun_id, _ in wanted})
    passages, refs = passages_of(executor, rerun_ids), dict[int, RunRef]()
    for some in chunks(rerun_ids):
        still = select(member.c.id, member.c.dag_id, member.c.run_id).where(
            member.c.rerun_id.in_(some), member.c.state.notin_(satisfied)
        )
        refs.update({row.id: RunRef(row.dag_id, row.run_id or "") for row in executor.execute(still)})
    return {
        (rerun_id, number): {one: refs[one] for one in behind(passages[rerun_id], number) & refs.keys()}
        for rerun_id, number in wanted
    }


def numbers_behind(passages: Sequence[Passage[int]], members: Collection[int]) -> list[int]:
    """The numbers of the passages that stand for one of some members at least."""
    stands = of_each(passages, lambda one: one in members, any)
    return [number for number, does in enumerate(stands) if does]
