"""Parts of one rerun's rows: restricted, ordered and cut by the database, so that a page costs what is on it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, func, null, or_, select, tuple_
from sqlalchemy.sql import ColumnElement, Select

from airflow_rerun_downstream.domain.member import RUN_GONE, Awaited, Member, own_stages
from airflow_rerun_downstream.domain.plan import Link
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import RerunEvent
from airflow_rerun_downstream.domain.states import SATISFIED, MemberState
from airflow_rerun_downstream.ports.record_parts import Part
from airflow_rerun_downstream.store.executor import Executor, chunks
from airflow_rerun_downstream.store.mapping import event_of, gates_of, link_of, member_of, turn
from airflow_rerun_downstream.store.passage_rows import awaited_through, open_behind
from airflow_rerun_downstream.store.tables import event, gate, link, member
from airflow_rerun_downstream.store.types import unknown_last

IN_TURN = (
    member.c.depth,
    unknown_last(member.c.run_after),
    member.c.dag_id,
    func.coalesce(member.c.run_id, ""),
    member.c.id,
)
"""The members' order: that of `mapping.in_order`. An index has its beginning."""


def members(executor: Executor, rerun_id: int, part: Part, only: Collection[int] | None) -> list[Member]:
    """Members in their order, with what they wait for; two statements."""
    where = and_(member.c.rerun_id == rerun_id, *among(part, member.c.dag_id))
    if only is not None:
        where &= member.c.id.in_(list(only))
    return with_gates(executor, executor.execute(cut(select(member).where(where).order_by(*IN_TURN), part)).all())


def one_member(executor: Executor, rerun_id: int, member_id: int) -> Member | None:
    """A member with what it waits for; two statements."""
    wanted = select(member).where(member.c.rerun_id == rerun_id, member.c.id == member_id)
    return next(iter(with_gates(executor, executor.execute(wanted).all())), None)


def with_gates(executor: Executor, rows: Collection[Any]) -> list[Member]:
    """Members from their rows."""
    found = gates_of(executor, gate.c.member_id.in_([row.id for row in rows])) if rows else {}
    return [member_of(row, found.get(row.id, ())) for row in rows]


def gates(executor: Executor, member_id: int) -> list[Awaited]:
    """What a member's present stage waits for, and the ended stages of its own; two statements, and those of
    `awaited_through`."""
    itself = member.alias("itself")
    wanted = (
        select(gate.c.until_stage, member)
        .join(member, member.c.id == gate.c.waits_for_member_id)
        .join(itself, itself.c.id == gate.c.member_id)
        .where(gate.c.member_id == member_id, gate.c.stage <= itself.c.stage)
        .order_by(*IN_TURN, gate.c.stage)
    )
    found = [Awaited(member_of(row, ()), row.until_stage) for row in executor.execute(wanted)]
    has_more = or_(member.c.stage > 0, member.c.passage.is_not(None))
    row = executor.execute(select(member).where(member.c.id == member_id, has_more)).first()
    if row is None:
        return found
    one = member_of(row, ())
    if one.passage is not None:
        known = {each.member.id for each in found if each.until is None}
        through = awaited_through(executor, one.rerun_id, one.passage, known)
        found = sorted([*through, *found], key=lambda each: turn(each.member))
    return [*found, *own_stages(one)]


def awaited(executor: Executor, member_ids: Collection[int]) -> dict[int, list[RunRef]]:
    """The runs of the members that aren't satisfied yet, by who waits for them; one statement, and those of
    `open_behind` where there are passages."""
    found: dict[int, dict[int, RunRef]] = {member_id: {} for member_id in member_ids}
    satisfied = sorted(state.value for state in SATISFIED)
    waits = member.alias("waits")
    gone = and_(member.c.state == MemberState.FAILED.value, member.c.state_reason == RUN_GONE)
    open_gate = and_(
        gate.c.stage <= waits.c.stage,
        member.c.state.notin_(satisfied),
        or_(gate.c.until_stage.is_(None), member.c.stage <= gate.c.until_stage, gone),
    )
    direct = (
        select(gate.c.member_id, gate.c.waits_for_member_id, member.c.dag_id, member.c.run_id, null().label("passage"))
        .join(member, member.c.id == gate.c.waits_for_member_id)
        .join(waits, waits.c.id == gate.c.member_id)
        .where(gate.c.member_id.in_(list(found)), open_gate)
    )
    passing = select(
        member.c.id, member.c.rerun_id, null().label("dag_id"), null().label("run_id"), member.c.passage
    ).where(member.c.id.in_(list(found)), member.c.passage.is_not(None))
    through: dict[tuple[int, int], list[int]] = {}
    for waiting, other, dag_id, run_id, number in executor.execute(direct.union_all(passing)) if found else ():
        if number is None:
            found[waiting][other] = RunRef(dag_id, run_id or "")
        else:
            through.setdefault((other, number), []).append(waiting)
    for place, still in open_behind(executor, through).items():
        for waiting in through[place]:
            found[waiting].update(still)
    return {waiting: [refs[one] for one in sorted(refs)] for waiting, refs in found.items()}


def links(executor: Executor, rerun_id: int, part: Part) -> list[Link]:
    """Links in the plan's order; one statement."""
    wanted = select(link).where(links_among(rerun_id, part)).order_by(link.c.position)
    if part.readable is None:  # then a link's position is its place
        wanted, part = wanted.where(link.c.position >= part.offset), replace(part, offset=0)
    return [link_of(row) for row in executor.execute(cut(wanted, part))]


def links_into(executor: Executor, rerun_id: int, run: RunRef) -> list[Link]:
    """The links to a run in the plan's order; one statement."""
    into = and_(link.c.downstream_dag_id == run.dag_id, link.c.downstream_run_id == run.run_id)
    wanted = select(link).where(link.c.rerun_id == rerun_id, into).order_by(link.c.position)
    return [link_of(row) for row in executor.execute(wanted)]


def links_out_of(executor: Executor, rerun_id: int, runs: Collection[RunRef]) -> list[Link]:
    """The links from runs, in the plan's order from each; one statement."""
    upstream = tuple_(link.c.upstream_dag_id, link.c.upstream_run_id)
    found: list[Link] = []
    for some in chunks(sorted(runs)):
        wanted = select(link).where(link.c.rerun_id == rerun_id, upstream.in_(pairs(some))).order_by(link.c.position)
        found += [link_of(row) for row in executor.execute(wanted)]
    return found


def taking_part(executor: Executor, rerun_id: int, runs: Collection[RunRef]) -> frozenset[RunRef]:
    """The runs that were members' at submit; one statement."""
    found: set[RunRef] = set()
    for some in chunks(sorted(runs)):
        columns = select(member.c.dag_id, member.c.original_run_id)
        found.update(RunRef(*row) for row in executor.execute(columns.where(had_at_submit(rerun_id, some))))
    return frozenset(found)


def had_at_submit(rerun_id: int, runs: Collection[RunRef]) -> ColumnElement[bool]:
    """A member must have had one of the runs at submit."""
    return and_(member.c.rerun_id == rerun_id, tuple_(member.c.dag_id, member.c.original_run_id).in_(pairs(runs)))


def pairs(runs: Collection[RunRef]) -> list[tuple[str, str]]:
    """Runs, as the two columns have them."""
    return [(run.dag_id, run.run_id) for run in runs]


def links_among(rerun_id: int, part: Part) -> ColumnElement[bool]:
    """Both ends of a link must be readable."""
    return and_(link.c.rerun_id == rerun_id, *among(part, link.c.upstream_dag_id, link.c.downstream_dag_id))


def link_dags(executor: Executor, rerun_id: int) -> dict[tuple[str, str], int]:
    """How many links there are from Dag to Dag; one statement."""
    ends = (link.c.upstream_dag_id, link.c.downstream_dag_id)
    counted = select(*ends, func.count()).where(link.c.rerun_id == rerun_id).group_by(*ends)
    return {(upstream, downstream): number for upstream, downstream, number in executor.execute(counted)}


def events(executor: Executor, rerun_id: int, part: Part, after: int = 0) -> list[RerunEvent]:
    """Lines of the record, oldest first; one statement.

    The member that a line is about, if there is one, must be readable. It is joined, so that it is looked up line by
    line: for a condition on what is hidden, PostgreSQL collects the hidden members of all reruns first.
    """
    wanted = select(event).where(event.c.rerun_id == rerun_id, event.c.id > after).order_by(event.c.id)
    if part.readable is not None:
        about = event.outerjoin(member, member.c.id == event.c.member_id)
        wanted = wanted.select_from(about).where(or_(member.c.id.is_(None), *among(part, member.c.dag_id)))
    return [event_of(row) for row in executor.execute(cut(wanted, part))]


def among(part: Part, *dags: Any) -> list[ColumnElement[bool]]:
    """Each of the Dags must be readable."""
    return [] if part.readable is None else [dag.in_(sorted(part.readable)) for dag in dags]


def cut(wanted: Select[Any], part: Part) -> Select[Any]:
    """The statement for the part's rows."""
    return wanted.limit(part.limit).offset(part.offset or None)
