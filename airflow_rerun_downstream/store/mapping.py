"""Rows of our tables as the domain's values, and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from datetime import timezone as timezones
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.sql import ColumnElement

from airflow_rerun_downstream.domain.member import Child, Member, StageGate
from airflow_rerun_downstream.domain.new_rerun import NewFrozen, NewMember, NewRerun
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun, RerunEvent
from airflow_rerun_downstream.domain.sentence import with_parts
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.store import codec
from airflow_rerun_downstream.store.executor import Executor, chunks
from airflow_rerun_downstream.store.tables import child, gate, member

Counts = Mapping[MemberState, int]

NOBODY: Counts = dict.fromkeys(MemberState, 0)
LAST = datetime.max.replace(tzinfo=timezones.utc)


def in_order(members: Iterable[Member]) -> list[Member]:
    """Members in order of depth, ready time (unknown ones last) and run."""
    return sorted(members, key=turn)


def turn(one: Member) -> tuple[Any, ...]:
    """A member's place in that order."""
    return one.depth, one.run_after or LAST, one.ref, one.id


def rerun_values(new: NewRerun, now: datetime) -> dict[str, Any]:
    """The row of a rerun that starts now, or is proposed now."""
    proposed = new.proposal is not None
    return {
        "name": new.name,
        "reason": new.reason,
        "source_dag_id": new.source.dag_id,
        "source_run_id": new.source.run_id,
        "state": (RerunState.PROPOSED if proposed else RerunState.RUNNING).value,
        "freeze_mode": new.freeze_mode,
        "created_by": new.actor.name,
        "created_by_id": new.actor.id,
        "created_at": now,
        "started_at": None if proposed else now,
        "proposed_by": new.actor.name if proposed else None,
        "proposed_at": now if proposed else None,
        "expires_at": None if new.proposal is None else new.proposal.expires_at,
        "settings": codec.settings_to_json(new.settings),
        "notifications": codec.notifications_to_json(new.notifications),
        "options": codec.options_to_json(new.options),
        "warnings": codec.warnings_to_json(new.warnings),
    }


def rerun_of(row: Any, counts: Counts) -> Rerun:
    """A rerun from its whole row."""
    return Rerun(
        id=row.id,
        source=RunRef(row.source_dag_id, row.source_run_id),
        state=RerunState(row.state),
        state_reason=row.state_reason,
        settings=codec.settings_from_json(row.settings),
        notifications=codec.notifications_from_json(row.notifications),
        warnings=codec.warnings_from_json(row.warnings),
        created_by=row.created_by,
        created_by_id=row.created_by_id,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        name=row.name,
        reason=row.reason,
        freeze_mode=row.freeze_mode,
        options=codec.options_from_json(row.options),
        counts=counts,
        proven_at=row.proven_at,
        proof=codec.proof_from_json(row.proof),
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
    )


def member_values(new: NewMember, rerun_id: int) -> dict[str, Any]:
    """The row of a member that hasn't been dispatched."""
    return {
        "rerun_id": rerun_id,
        "dag_id": new.ref.dag_id,
        "run_id": new.ref.run_id,
        "original_run_id": new.ref.run_id,
        "role": new.role.value,
        "state": new.state.value,
        "state_reason": new.state_reason,
        "tasks": codec.tasks_to_json(new.tasks),
        "depth": new.depth,
        "attempt": 0,
        "logical_date": new.logical_date,
        "run_after": new.run_after,
        "clear_number": new.clear_number,
        "stages": [codec.tasks_to_json(tasks) for tasks in new.stages] or None,
        "stage": 0,
        "stage_attempt": 0,
    }


def frozen_values(new: NewFrozen, rerun_id: int) -> dict[str, Any]:
    """The row of a frozen member. It is outside the order, and none of its tasks is selected."""
    return {
        "rerun_id": rerun_id,
        "dag_id": new.dag_id,
        "run_id": new.run_id,
        "original_run_id": new.run_id,
        "role": Role.FROZEN.value,
        "state": MemberState.FROZEN.value,
        "tasks": [],
        "depth": 0,
        "attempt": 0,
        "logical_date": new.logical_date,
        "run_after": new.run_after,
        "stage": 0,
        "stage_attempt": 0,
    }


def member_of(row: Any, gates: Collection[StageGate]) -> Member:
    """A member from its whole row."""
    return Member(
        id=row.id,
        rerun_id=row.rerun_id,
        ref=RunRef(row.dag_id, row.run_id or ""),
        original_run_id=row.original_run_id or "",
        role=Role(row.role),
        state=MemberState(row.state),
        state_reason=row.state_reason,
        tasks=codec.tasks_from_json(row.tasks),
        depth=row.depth,
        attempt=row.attempt,
        clear_number=row.clear_number,
        logical_date=row.logical_date,
        run_after=row.run_after,
        dispatched_at=row.dispatched_at,
        ended_at=row.ended_at,
        final_run_state=row.final_run_state,
        waits_for=frozenset(gate.member for gate in gates if is_whole(gate)),
        passage=row.passage,
        stages=tuple(codec.tasks_from_json(tasks) for tasks in row.stages or ()),
        stage=row.stage,
        stage_attempt=row.stage_attempt,
        stage_ends=codec.times_from_json(row.stage_ends),
        runs_between=tuple(row.runs_between or ()),
        release_asked=row.release_asked,
        stage_gates=tuple(gate for gate in gates if not is_whole(gate)),
    )


def link_values(link: Link, rerun_id: int, position: int) -> dict[str, Any]:
    """The row of a link."""
    future = link.downstream if isinstance(link.downstream, FutureRef) else None
    return {
        "rerun_id": rerun_id,
        "position": position,
        "upstream_dag_id": link.upstream.dag_id,
        "upstream_run_id": link.upstream.run_id,
        "downstream_dag_id": link.downstream.dag_id,
        "downstream_run_id": link.downstream.run_id if isinstance(link.downstream, RunRef) else None,
        "future": codec.future_to_json(future) if future else None,
        "kind": link.kind.value,
        "evidence": link.evidence.value,
        "via": codec.json_value(with_parts(link.via)),
        "from_task_id": link.from_task_id,
        "to_task_id": link.to_task_id,
    }


def link_of(row: Any) -> Link:
    """A link from its row."""
    return Link(
        upstream=RunRef(row.upstream_dag_id, row.upstream_run_id),
        downstream=codec.future_from_json(row.future)
        if row.downstream_run_id is None
        else RunRef(row.downstream_dag_id, row.downstream_run_id),
        kind=LinkKind(row.kind),
        evidence=Evidence(row.evidence),
        via=row.via,
        from_task_id=row.from_task_id,
        to_task_id=row.to_task_id,
    )


def event_of(row: Any) -> RerunEvent:
    """A line of the record from its row."""
    return RerunEvent(
        id=row.id,
        rerun_id=row.rerun_id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        member_id=row.member_id,
        detail=codec.detail_from_text(row.detail),
        dag_ids=None if row.dag_ids is None else frozenset(row.dag_ids),
    )


def counts_of(executor: Executor, rerun_ids: list[int]) -> dict[int, Counts]:
    """The members of each rerun by state, in one statement."""
    counts: dict[int, dict[MemberState, int]] = {rerun_id: dict(NOBODY) for rerun_id in rerun_ids}
    grouped = (
        select(member.c.rerun_id, member.c.state, func.count())
        .where(member.c.rerun_id.in_(rerun_ids))
        .group_by(member.c.rerun_id, member.c.state)
    )
    for rerun_id, state, count in executor.execute(grouped) if rerun_ids else ():
        counts[rerun_id][MemberState(state)] = count
    return dict(counts)


def members_of(executor: Executor, rerun_ids: list[int]) -> dict[int, list[Member]]:
    """The members of each rerun in their order, with what they wait for; two statements."""
    members: dict[int, list[Member]] = {rerun_id: [] for rerun_id in rerun_ids}
    for some in chunks(rerun_ids):
        gates = gates_of(executor, gate.c.rerun_id.in_(some))
        for row in executor.execute(select(member).where(member.c.rerun_id.in_(some))):
            members[row.rerun_id].append(member_of(row, gates.get(row.id, ())))
    return {rerun_id: in_order(found) for rerun_id, found in members.items()}


def is_whole(gate: StageGate) -> bool:
    """Whether all of a member waits for all of another one."""
    return not gate.stage and gate.until is None


def gates_of(executor: Executor, condition: ColumnElement[bool]) -> dict[int, list[StageGate]]:
    """Member id → what it waits for; one statement."""
    columns = (gate.c.member_id, gate.c.stage, gate.c.waits_for_member_id, gate.c.until_stage)
    found: dict[int, list[StageGate]] = {}
    for row in executor.execute(select(*columns).where(condition).order_by(*columns[:3])):
        found.setdefault(row.member_id, []).append(StageGate(row.stage, row.waits_for_member_id, row.until_stage))
    return found


def children_of(executor: Executor, rerun_ids: list[int]) -> dict[int, tuple[Child, ...]]:
    """Which members' runs are made by tasks of others, by rerun, in their order."""
    found: dict[int, list[Child]] = {}
    for some in chunks(rerun_ids):
        wanted = select(child).where(child.c.rerun_id.in_(some))
        for row in executor.execute(wanted.order_by(child.c.parent_member_id, child.c.task_id, child.c.map_index)):
            one = Child(row.parent_member_id, row.task_id, row.map_index, row.member_id)
            found.setdefault(row.rerun_id, []).append(one)
    return {rerun_id: tuple(some) for rerun_id, some in found.items()}
