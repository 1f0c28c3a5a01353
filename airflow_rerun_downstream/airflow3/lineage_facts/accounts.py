"""How runs and their task instances came to where they are.

A state doesn't say how it was reached, and dates don't either: a clear leaves them as they are, a time-out sets none,
and `set_state` keeps those that are there. What tells is what only a worker writes, and the tries that Airflow keeps:

- A clear puts the present try into ``task_instance_history``, and the try's number goes up when the task is scheduled
  again. A number that is in the history belongs to a task instance that nobody has scheduled since its clear.
- A worker that starts a try sets ``start_date`` and ``pid`` and empties ``end_date``; one that ends it sets that and
  empties ``next_method``. The scheduler ends an empty task without it ever being ``scheduled``.
- A sensor between two pokes has the end of its last poke for its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow.models.dagrun import DagRun
from airflow.models.taskreschedule import TaskReschedule
from sqlalchemy import and_, false, func, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.database.untrusted_values import read_choice, text_of
from airflow_rerun_downstream.airflow3.lineage_facts.online import XCOM, word
from airflow_rerun_downstream.airflow3.lineage_facts.runs import RUN, TI
from airflow_rerun_downstream.airflow3.lineage_facts.set_by_hand import Marks, marks
from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.run_accounts import Account, Moments, Places, RunAccount, Skipping

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

HISTORY = task_tables.EARLIER.c
RESCHEDULE = TaskReschedule.__table__.c
MAP = task_tables.MAP_LENGTH.c

CHOICE_KEY = "skipmixin_key"
"""The XCom in which a task that chooses keeps its decision, for tasks behind it that are cleared later."""

AT_ONCE = timedelta(seconds=10)
"""In what time after the log's line a request that ends a running task has done so."""

Key = tuple[str, int]


@dataclass(slots=True)
class Tries:
    """The earlier tries of a task instance. There may be a hundred thousand of these at once: it is kept small."""

    rows: list[Any] = field(default_factory=list)
    succeeded: bool = False
    gone_succeeded: bool = False

    def add(self, row: Any) -> None:
        """One more; of one that another has replaced it only counts whether it succeeded."""
        succeeded = word(row.state) == "success"
        self.succeeded |= succeeded
        if row.replaced:
            self.gone_succeeded |= succeeded
        else:
            self.rows.append(row)

    @property
    def numbers(self) -> set[int]:
        """The numbers of all tries."""
        return {row.try_number for row in self.rows}

    @property
    def ids(self) -> list[Any]:
        """The ids of the task instance in all tries."""
        return [row.task_instance_id for row in self.rows]

    @property
    def last_start(self) -> datetime | None:
        """When the last one was started."""
        last = max((row.try_number for row in self.rows), default=None)
        return next((row.start_date for row in reversed(self.rows) if row.try_number == last), None)


NONE = Tries()


@dataclass(frozen=True)
class Rows:
    """The task instances of runs, and their earlier tries; ``replaced``: the runs whose place another has taken."""

    present: dict[RunRef, list[Any]]
    history: dict[tuple[RunRef, Key], Tries]
    replaced: dict[RunRef, list[RunRef]]


def read(session: Session, refs: Collection[RunRef], places: Places | None = None) -> Rows:
    """The rows that accounts are made from: two statements for each eleven thousand runs."""
    replaced = {ref: [one for one in old if one != ref] for ref, old in (places or {}).items() if ref in refs}
    every = [*refs, *chain.from_iterable(replaced.values())]
    return Rows(task_rows(session, every), tries(session, every), replaced)


def accounts(
    session: Session, refs: Collection[RunRef], *, places: Places | None = None, since: Moments | None = None
) -> dict[RunRef, RunAccount]:
    """The accounts of runs that exist: four statements, and two more where a task was skipped."""
    return accounts_from(session, refs, read(session, refs, places), since or {})


def accounts_from(session: Session, refs: Collection[RunRef], read: Rows, since: Moments) -> dict[RunRef, RunAccount]:
    """The accounts of runs whose rows are read: two statements, and two more where a task was skipped."""
    rows, history = read.present, read.history
    doubtful = [ref for ref in refs if any(row.state == "skipped" for row in rows.get(ref, ()))]
    choices, empty = decisions(session, doubtful), nothing_to_map(session, doubtful)
    marked = marks(session, {ref: rows[ref][0] for ref in refs if ref in rows})
    return {
        ref: RunAccount(
            ref=ref,
            tasks=told(
                ref, rows[ref], history, marked[ref], earlier(read.replaced.get(ref, ()), rows, history), since.get(ref)
            ),
            choices=tuple(choices[ref]),
            nothing_to_map=frozenset(empty[ref]),
            terminated=marked[ref].terminated,
            lasted=lasted(rows[ref][0]),
        )
        for ref in refs
        if ref in rows
    }


def task_rows(session: Session, refs: Iterable[RunRef]) -> dict[RunRef, list[Any]]:
    """The task instances of runs that exist, each with its run; a run without any has one row with an empty half."""
    last_poke = (
        select(func.max(RESCHEDULE.end_date)).where(RESCHEDULE.ti_id == TI.id).correlate(task_tables.TASK)
    ).scalar_subquery()
    wanted = select(
        RUN.dag_id,
        RUN.run_id,
        RUN.state.label("run_state"),
        RUN.start_date.label("run_start_date"),
        RUN.end_date.label("run_end_date"),
        RUN.queued_at,
        RUN.clear_number,
        TI.id,
        TI.task_id,
        TI.map_index,
        TI.state,
        TI.try_number,
        TI.start_date,
        TI.end_date,
        TI.pid,
        TI.scheduled_dttm,
        TI.next_method,
        TI.hostname,
        last_poke.label("last_poke"),
    ).select_from(DagRun.__table__.outerjoin(task_tables.TASK, and_(TI.dag_id == RUN.dag_id, TI.run_id == RUN.run_id)))
    found: dict[RunRef, list[Any]] = {}
    for some in chunks(set(refs)):
        for row in session.execute(wanted.where(pair_in(session, RUN.dag_id, RUN.run_id, names(some)))):
            found.setdefault(RunRef(row.dag_id, row.run_id), []).append(row)
    return found


def tries(session: Session, refs: Iterable[RunRef]) -> dict[tuple[RunRef, Key], Tries]:
    """The earlier tries of runs' task instances."""
    found: dict[tuple[RunRef, Key], Tries] = defaultdict(Tries)
    columns = (
        HISTORY.dag_id, HISTORY.run_id, HISTORY.task_id, HISTORY.map_index,
        HISTORY.try_number, HISTORY.state, HISTORY.start_date, HISTORY.end_date, HISTORY.hostname,
        HISTORY.task_instance_id, HISTORY.replaced if TRIES_ARE_ROWS else false().label("replaced"),
    )  # fmt: skip
    for some in chunks(set(refs)):
        known = {(ref.dag_id, ref.run_id): ref for ref in some}
        wanted = select(*columns).where(pair_in(session, HISTORY.dag_id, HISTORY.run_id, names(some)))
        for row in session.execute(wanted):
            found[known[row.dag_id, row.run_id], (row.task_id, row.map_index)].add(row)
    return dict(found)


def decisions(session: Session, refs: Iterable[RunRef]) -> dict[RunRef, list[Skipping]]:
    """What the tasks of runs that choose have decided."""
    found: dict[RunRef, list[Skipping]] = defaultdict(list)
    joined = DagRun.__table__.join(task_tables.XCOM, XCOM.dag_run_id == RUN.id)
    for some in chunks(refs):
        wanted = (
            select(RUN.dag_id, RUN.run_id, XCOM.task_id, XCOM.map_index, text_of(XCOM.value))
            .select_from(joined)
            .where(pair_in(session, RUN.dag_id, RUN.run_id, names(some)), XCOM.key == CHOICE_KEY)
        )
        for row in session.execute(wanted):
            if (choice := read_choice(row.value)) is not None:
                found[RunRef(row.dag_id, row.run_id)].append(Skipping(row.task_id, row.map_index, *choice))
    return found


def nothing_to_map(session: Session, refs: Iterable[RunRef]) -> dict[RunRef, set[str]]:
    """The tasks of runs whose result is empty, so that those mapped over it have no indexes."""
    found: dict[RunRef, set[str]] = defaultdict(set)
    for some in chunks(refs):
        wanted = select(MAP.dag_id, MAP.run_id, MAP.task_id).where(
            pair_in(session, MAP.dag_id, MAP.run_id, names(some)), MAP.length == 0
        )
        for row in session.execute(wanted):
            found[RunRef(row.dag_id, row.run_id)].add(row.task_id)
    return found


def earlier(
    refs: Collection[RunRef], rows: Mapping[RunRef, Collection[Any]], history: Mapping[tuple[RunRef, Key], Tries]
) -> set[Key]:
    """The task instances of the runs whose place another has taken that have ever succeeded."""
    return {
        (row.task_id, row.map_index)
        for ref in refs
        for row in rows.get(ref, ())
        if row.state == "success" or history.get((ref, (row.task_id, row.map_index)), NONE).succeeded
    }


def told(
    ref: RunRef,
    rows: Iterable[Any],
    history: Mapping[tuple[RunRef, Key], Tries],
    marked: Marks,
    before: Collection[Key],
    since: datetime | None,
) -> dict[Key, Account]:
    """The accounts of one run's task instances. ``since``: see `TaskRecords.accounts`."""
    found: dict[Key, Account] = {}
    # Where indexes from before Airflow 3.4 are made anew, the task stands for those that it had.
    expanded = {key[0] for (of, key), old in history.items() if of == ref and key[1] >= 0 and old.gone_succeeded}
    for row in rows:
        if row.task_id is None:
            continue
        key = (row.task_id, row.map_index)
        old = history.get((ref, key), NONE)
        begun = started(row, old)
        by_hand = was_marked(row, begun, marked)
        found[key] = Account(
            started=begun,
            ended=begun and row.end_date is not None and not waits(row) and not cut_off(row),
            succeeded_before=old.succeeded or key in before or (row.map_index < 0 and row.task_id in expanded),
            by_hand=by_hand,
            by=marked.who(*key) if by_hand else None,
            added=bool(row.clear_number) and made_since([row.id, *old.ids], since or row.queued_at),
        )
    return found


def started(row: Any, old: Tries) -> bool:
    """Whether the present try was started: scheduled since the last clear, and by a worker, if it needs one."""
    if not row.try_number or row.try_number in old.numbers:
        return False
    if old.last_start is not None:
        return bool(row.start_date != old.last_start)
    return row.pid is not None or row.scheduled_dttm is None


def waits(row: Any) -> bool:
    """Whether a task instance waits to go on, or did when somebody else gave it its state: that leaves these as is."""
    return row.next_method is not None or (row.end_date is not None and row.end_date == row.last_poke)


def cut_off(row: Any) -> bool:
    """Whether the time-out of its run skipped a task that was running, as far as the end tells: it is the run's own.

    Since 3.4 Airflow writes one then, right after that of the run; a task that skips itself ends before its run does.
    """
    if not TRIES_ARE_ROWS or row.state != "skipped" or row.run_state != "failed" or row.run_end_date is None:
        return False
    return bool(timedelta(0) <= row.end_date - row.run_end_date <= AT_ONCE)


def was_marked(row: Any, begun: bool, marked: Marks) -> bool:
    """Whether a person gave a task instance the state that it has, or had before it was removed."""
    if row.state == "skipped":
        return not begun and marked.says(row.task_id, row.map_index, "success", "skipped")
    if row.state == "removed":
        return not begun and marked.says(row.task_id, row.map_index, "success", "failed", "skipped")
    if row.state != "success":
        return False
    if not begun or waits(row) or (row.task_id, row.map_index, row.try_number) in marked.failed:
        return True
    return any(
        row.end_date is not None and timedelta(0) <= row.end_date - at <= AT_ONCE
        for at in marked.times(row.task_id, row.map_index, "success")
    )


def made_since(ids: Iterable[Any], moment: datetime | None) -> bool:
    """Whether a task instance was made at a moment or later. ``ids``: those of all of its tries.

    Airflow makes ids of the time (version 7), in milliseconds. A try has one of its own; the first tells.
    """
    numbers = [one if isinstance(one, UUID) else UUID(str(one)) for one in ids]
    if moment is None or any(number.version != 7 for number in numbers):
        return False
    first = min(number.int >> 80 for number in numbers)
    return datetime.fromtimestamp(first / 1000, tz=timezone.utc) >= moment


def lasted(run: Any) -> float | None:
    """How long a run that has ended took."""
    if word(run.run_state) not in FINISHED_RUN_STATES or run.run_start_date is None or run.run_end_date is None:
        return None
    return float((run.run_end_date - run.run_start_date).total_seconds())
