"""The one place that writes a state. What a move may start from is what the tables of `domain.states` say.

Each function answers whether it changed the row: nobody has moved it since it was looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, delete, exists, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import ColumnElement

from airflow_rerun_downstream.domain.errors import RunInActiveRerun
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.refs import Tasks
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import (
    FINAL_RERUN_STATES,
    MemberState,
    RerunState,
    starts_of,
    starts_of_adoption,
)
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.store import codec
from airflow_rerun_downstream.store.executor import Executor, changed
from airflow_rerun_downstream.store.tables import active_run, child, event, member, rerun

ENDED = frozenset(
    {
        MemberState.SUCCEEDED,
        MemberState.FAILED,
        MemberState.SKIPPED,
        MemberState.TERMINATED,
        MemberState.RELEASED,
    }
)
"""States in which a member has an end."""

RUNS_ON = ("left_running", "stop_error")
"""Why the run of a member that was terminated goes on."""


LATER: dict[str, Any] = {"revision": rerun.c.revision + 1}
"""What every change of a rerun sets."""


def write_member(executor: Executor, member_id: int, guard: ColumnElement[bool], values: Mapping[str, Any]) -> bool:
    """Change a member that meets the guard; answer whether it did. Two statements."""
    owner = select(member.c.rerun_id).where(member.c.id == member_id).scalar_subquery()
    return write_members(executor, rerun.c.id == owner, member.c.id == member_id, guard, values=values) == 1


def write_members(
    executor: Executor, of: ColumnElement[bool], *where: ColumnElement[bool], values: Mapping[str, Any]
) -> int:
    """Change members of one rerun, which ``of`` names; answer how many. Two statements."""
    begin_change(executor, of)
    return write_changed(executor, *where, values=values)


def begin_change(executor: Executor, of: ColumnElement[bool]) -> None:
    """Lock a rerun, as before every change of its members, and give it the revision that they get.

    Whoever changes a member waits for whoever changes another one of the rerun: a revision that is seen has none below
    it that is still to come.
    """
    executor.execute(update(rerun).where(of).values(LATER))


def add_lines(executor: Executor, about: Collection[tuple[int, int | None]], line: Mapping[str, Any]) -> None:
    """Write a line into the records of reruns, each about a member or about none.

    Their rows are locked first: the pages of a record ask for what came after the last line that they have seen.
    """
    begin_change(executor, rerun.c.id.in_(sorted({one for one, _ in about})))
    line = {**line, "detail": codec.detail_to_text(line.get("detail"))}
    executor.execute(insert(event), [{**line, "rerun_id": one, "member_id": each} for one, each in about])


def write_changed(executor: Executor, *where: ColumnElement[bool], values: Mapping[str, Any]) -> int:
    """Change members after `begin_change`."""
    number = select(rerun.c.revision).where(rerun.c.id == member.c.rerun_id).scalar_subquery()
    return changed(executor, update(member).where(*where).values({**values, "revision": number}))


def move_rerun(
    executor: Executor,
    rerun_id: int,
    *,
    before: Collection[RerunState] | None,
    after: RerunState,
    reason: str | None,
    now: datetime,
) -> bool:
    """See `RerunStore.move_rerun`."""
    values: dict[str, Any] = {"state": after.value, "state_reason": reason, **LATER}
    if after in FINAL_RERUN_STATES:
        values["ended_at"] = now
    starts = words(starts_of(after, before))
    move = update(rerun).where(rerun.c.id == rerun_id, rerun.c.state.in_(starts)).values(values)
    moved = changed(executor, move) == 1
    if moved and after in FINAL_RERUN_STATES:
        executor.execute(delete(active_run).where(active_run.c.rerun_id == rerun_id))
        forget_children(executor, rerun_id)
    return moved


def hold_rerun(executor: Executor, rerun_id: int, *, state: RerunState) -> bool:
    """See `RerunStore.hold_rerun`. An UPDATE that changes nothing is a lock on every database."""
    hold = update(rerun).where(rerun.c.id == rerun_id, rerun.c.state == state.value)
    return changed(executor, hold.values(state=rerun.c.state)) == 1


def move_member(
    executor: Executor,
    member_id: int,
    *,
    before: Collection[MemberState] | None,
    after: MemberState,
    reason: str | None,
    now: datetime,
    final_run_state: str | None,
    clear_number: int | None,
    dispatched: Dispatched | None,
) -> bool:
    """See `RerunStore.move_member`. A state without an end clears ``ended_at`` and ``final_run_state``."""
    values = moved_to(after, reason, now, final_run_state)
    if clear_number is not None:
        values["clear_number"] = clear_number
    if dispatched is not None:
        attempt = member.c.attempt + 1
        values.update(attempt=attempt, clear_number=dispatched.clear_number, dispatched_at=now)
    return write_member(executor, member_id, stands_in(starts_of(after, before)), values)


def move_members(
    executor: Executor,
    rerun_id: int,
    *,
    before: MemberState,
    after: MemberState,
    reason: str | None,
    now: datetime,
    told: tuple[str, str] | None,
) -> int:
    """See `RerunStore.move_members`. Two statements, and one for the lines."""
    guard = stands_in(starts_of(after, [before]))
    mine = (member.c.rerun_id == rerun_id, guard)
    begin_change(executor, rerun.c.id == rerun_id)
    if told is not None:
        of_line = (literal(now, event.c.at.type), *map(literal, told), member.c.id, literal([], JSON))
        line = select(member.c.rerun_id, *of_line).where(*mine).order_by(member.c.id)
        names = ("rerun_id", "at", "actor", "action", "member_id", "dag_ids")
        executor.execute(insert(event).from_select(names, line))
    return write_changed(executor, *mine, values=moved_to(after, reason, now))


def moved_to(after: MemberState, reason: str | None, now: datetime, run_state: str | None = None) -> dict[str, Any]:
    """What a move to a state sets."""
    values: dict[str, Any] = {"state": after.value, "state_reason": reason}
    if after not in ENDED:
        return {**values, "ended_at": None, "final_run_state": None}
    return {**values, "ended_at": now, **({"final_run_state": run_state} if run_state else {})}


def next_stage(
    executor: Executor,
    member_id: int,
    *,
    before: MemberState,
    stage: int,
    clear_number: int,
    ends: Sequence[datetime],
) -> bool:
    """See `RerunStore.next_stage`."""
    values: dict[str, Any] = {"state": MemberState.PENDING.value, "state_reason": None}
    values["stage_ends"] = codec.times_to_json(ends)
    values.update(stage=stage + 1, stage_attempt=member.c.attempt, clear_number=clear_number)
    values.update(ended_at=None, final_run_state=None)
    guard = stands_in(starts_of(MemberState.PENDING, [before])) & (member.c.stage == stage)
    return write_member(executor, member_id, guard, values)


def stage_back(executor: Executor, member_id: int, *, before: MemberState, since: int, stage: int, reason: str) -> bool:
    """See `RerunStore.stage_back`."""
    values: dict[str, Any] = {"state": MemberState.RUNNING.value, "state_reason": reason, "stage": stage}
    guard = stands_in(starts_of_adoption(MemberState.RUNNING, [before])) & (member.c.stage == since)
    return write_member(executor, member_id, guard, values)


def adopt_member(
    executor: Executor,
    member_id: int,
    *,
    before: Collection[MemberState],
    after: MemberState,
    run: RunFacts,
    tasks: Tasks,
    runs_between: Sequence[str],
    reason: str | None,
    now: datetime,
) -> bool:
    """See `RerunStore.adopt_member`."""
    values: dict[str, Any] = {"state": after.value, "state_reason": reason, "ended_at": None}
    values.update(final_run_state=None, clear_number=run.clear_number, tasks=codec.tasks_to_json(tasks))
    values["runs_between"] = list(runs_between) or None
    values.update(run_id=run.ref.run_id, logical_date=run.logical_date, run_after=run.run_after)
    if after is MemberState.RUNNING:
        values.update(attempt=member.c.attempt + 1, dispatched_at=now)
    guard = stands_in(starts_of_adoption(after, before)) & (member.c.dag_id == run.ref.dag_id)
    try:
        moved = write_member(executor, member_id, guard, values)
        if moved:
            claim = update(active_run).where(active_run.c.member_id == member_id)
            executor.execute(claim.values(run_id=run.ref.run_id))
    except IntegrityError as error:
        raise RunInActiveRerun(Sentence("refusal.in_active_rerun", run=f"{run.ref}"), run=run.ref) from error
    return moved


def stands_in(states: Collection[MemberState]) -> ColumnElement[bool]:
    """The guard of a member's move: it is in one of ``states``, and its rerun isn't final."""
    final = exists(
        select(rerun.c.id).where(rerun.c.id == member.c.rerun_id, rerun.c.state.in_(words(FINAL_RERUN_STATES)))
    )
    return member.c.state.in_(words(states)) & ~final


def forget_children(executor: Executor, rerun_id: int) -> None:
    """Expect no runs any more for a rerun that has ended; where its runs go on, their tasks may still make some."""
    going_on = select(member.c.id).where(member.c.rerun_id == rerun_id, member.c.state_reason.in_(RUNS_ON))
    executor.execute(delete(child).where(child.c.rerun_id == rerun_id, ~exists(going_on.correlate(None))))


def words(states: Collection[RerunState] | Collection[MemberState]) -> list[str]:
    """States as their columns have them."""
    return sorted(state.value for state in states)
