"""When a task instance last started without a rerun.

What a task has read is told by when it started, where Airflow keeps no better record. A rerun starts it once more, to
make anew what it had made of the same data: that start says nothing of what it reads. So whatever gives it another
start, a dispatch, an adoption or a take-over, writes down the last one of its own before.

What somebody else clears later has a start of its own again. It is told by ``max_tries``, which a clear raises and
Airflow's own retries leave as it is; and where nothing had begun between two clears, so that it is the same, by the id
of the try, which every clear and every retry replaces.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import String, and_, bindparam, cast, delete, func, insert, or_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store.tables import own_start

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

RUN = DagRun.__table__.c
TI = task_tables.TASK.c
HISTORY = task_tables.EARLIER.c
OWN = own_start.c

DID_NOTHING = ("skipped", "upstream_failed", "removed")
"""A task instance in one of these states has read nothing since it was cleared."""

NOT_BEGUN = ("scheduled", "queued", *DID_NOTHING)
"""In these states, and without any, its dates are those of the try before the last clear."""

RETRY = "up_for_retry"
"""In this state the id is that of the next try already, and the number still that of the last."""

UNMAPPED = -1

Key = tuple[str, int]
"""Task id and map index. Index -1 of a mapped task stands for the indexes that it doesn't have yet."""


@dataclass(frozen=True)
class Try:
    """A task instance's present try, or one of its earlier ones."""

    state: str | None
    number: int
    started_at: datetime | None
    max_tries: int
    id: str | None

    @property
    def begun(self) -> bool:
        """Whether it has begun since it was last cleared."""
        return self.state is not None and self.state not in NOT_BEGUN

    @property
    def first(self) -> int:
        """The first number that a try can have from now on; Airflow counts up when it schedules one."""
        return self.number + (self.state is None)


@dataclass(frozen=True)
class Note:
    """What was written down of a task instance; see `own_start` of the tables."""

    started_at: datetime
    max_tries: int
    first_try: int | None = None
    try_id: str | None = None

    def holds(self, of: Try) -> bool:
        """Whether nobody has cleared the task instance since then. `holding` says the same in SQL."""
        same = of.number != self.first_try or of.id == self.try_id or of.state == RETRY
        return of.max_tries == self.max_tries and same


Notes = Mapping[Key, Note]

PRESENT = (TI.task_id, TI.map_index, TI.state, TI.try_number, TI.start_date, TI.max_tries, TI.id)
EARLIER = (
    HISTORY.task_id, HISTORY.map_index, HISTORY.state, HISTORY.try_number, HISTORY.start_date, HISTORY.max_tries,
    HISTORY.task_instance_id.label("id"),
)  # fmt: skip


def key(row: Any) -> Key:
    """Task and map index of a row."""
    return row.task_id, row.map_index


def try_of(row: Any) -> Try:
    """A try, from the row of a task instance or of its history, or from Airflow's object."""
    state = None if row.state is None else str(getattr(row.state, "value", row.state))
    number = task_tables.tries_begun(row) if isinstance(row, TaskInstance) else row.try_number
    return Try(state, number, row.start_date, row.max_tries, hexadecimal(row.id))


def hexadecimal(number: Any) -> str:
    """The id of a try: a number in Airflow 3.2, and a text in 3.1."""
    return str(number).replace("-", "")


def own(where: Key, present: Try, notes: Notes) -> datetime | None:
    """The last start of a task instance's own; None: it never had one."""
    exact, to_come = notes.get(where), notes.get((where[0], UNMAPPED))
    if exact is not None and (exact.holds(present) or not present.begun):
        return exact.started_at
    if to_come is not None and where[1] > UNMAPPED and to_come.holds(present):
        return to_come.started_at
    return None if present.state in DID_NOTHING else present.started_at


KNOWN_DATABASES: WeakSet[Engine] = WeakSet()
"""Those in which somebody has seen the table."""


def can_be_noted(session: Session) -> bool:
    """Whether the database has our table: one that was never set up for reruns has none, and nothing is noted there.

    One statement for each database, once in a process.
    """
    connection = session.connection()
    if connection.engine in KNOWN_DATABASES:
        return True
    found = connection.dialect.has_table(connection, own_start.name, schema=own_start.schema)
    if found:
        KNOWN_DATABASES.add(connection.engine)
    return found


def noted_start(run_id: Any, source: Any) -> tuple[Any, Any]:
    """What is noted of a task instance, as far as it counts, and ``source`` (runs and their task instances) joined with
    that. ``run_id`` is the run's number."""
    exact, to_come = own_start.alias("noted"), own_start.alias("to_come")
    same = [(each.c.dag_run_id == run_id) & (each.c.task_id == TI.task_id) for each in (exact, to_come)]
    not_begun = or_(TI.state.is_(None), TI.state.in_(NOT_BEGUN))
    joined = source.outerjoin(
        exact, and_(same[0], exact.c.map_index == TI.map_index, or_(holding(exact.c), not_begun))
    ).outerjoin(to_come, and_(same[1], to_come.c.map_index == UNMAPPED, TI.map_index > UNMAPPED, holding(to_come.c)))
    return func.coalesce(exact.c.started_at, to_come.c.started_at), joined


def holding(note: Any) -> Any:
    """`Note.holds` as a condition."""
    same_id = func.replace(cast(TI.id, String), "-", "") == note.try_id
    same = or_(note.first_try.is_(None), note.first_try != TI.try_number, same_id, TI.state == RETRY)
    return and_(note.max_tries == TI.max_tries, same)


@dataclass(frozen=True)
class Before:
    """The own starts of task instances that are about to be cleared, and what is noted of their run by then."""

    starts: Mapping[Key, datetime]
    notes: Notes


def before_dispatch(run: DagRun, task_instances: Iterable[TaskInstance], *, session: Session) -> Before:
    """What `note_dispatch` will need. One statement."""
    notes = of_run(run.id, session=session)
    return Before(starts_of({key(ti): try_of(ti) for ti in task_instances}, notes), notes)


def note_dispatch(
    run: DagRun, before: Before, cleared: Collection[TaskInstance], whole: Collection[str], *, session: Session
) -> None:
    """Write down the own starts of task instances that have been cleared. One statement; two if some were noted.

    An index that a mapped task doesn't have yet counts with the first one's; ``whole``: the tasks that may get some.
    """
    starts = before.starts
    notes = {key(ti): note_of(starts[key(ti)], try_of(ti)) for ti in cleared if key(ti) in starts}
    notes |= notes_of_replaced(run, starts, cleared, session=session)
    mapped = {ti.task_id: ti for ti in cleared if ti.map_index > UNMAPPED and ti.task_id in whole}
    for task_id, ti in mapped.items():
        if (task_id, UNMAPPED) not in notes and (at := earliest(starts, task_id)) is not None:
            notes[task_id, UNMAPPED] = Note(at, ti.max_tries - task_tables.tries_begun(ti))
    write(run, notes, before.notes, session=session)


def notes_of_replaced(
    run: DagRun, starts: Mapping[Key, datetime], cleared: Collection[TaskInstance], *, session: Session
) -> dict[Key, Note]:
    """Notes that hold for the indexes which Airflow makes anew of mapped tasks from before 3.4.

    An index goes on counting the tries of the one before it, and has its retries besides.
    """
    gone = [ti for ti in cleared if TRIES_ARE_ROWS and not ti.working_set and key(ti) in starts]
    if not gone:
        return {}
    where = TI.dag_id == run.dag_id, TI.run_id == run.run_id, TI.map_index == UNMAPPED
    rows = session.execute(select(TI.task_id, TI.max_tries, TI.try_number).where(*where))
    retries = {row.task_id: row.max_tries - row.try_number for row in rows}
    found = {}
    for ti in gone:
        if (left := retries.get(ti.task_id)) is not None:
            found[key(ti)] = Note(starts[key(ti)], left + ti.try_number + 1)
            if (at := earliest(starts, ti.task_id)) is not None:
                found[ti.task_id, UNMAPPED] = Note(at, left)
    return found


def note_adoption(run: DagRun, place: RunRef, *, session: Session) -> None:
    """Write down the own starts of the run whose place another one takes as those of that one.

    A trigger task may also have cleared the run itself. A few statements.
    """
    where = TI.dag_id == run.dag_id, TI.run_id == run.run_id
    present = {key(row): try_of(row) for row in session.execute(select(*PRESENT).where(*where))}
    if place == RunRef(run.dag_id, run.run_id):
        follow_clear(run, present, session=session)
        return
    any_of = {task_id: one for (task_id, _), one in present.items()}
    starts = {each: at for each, at in of_place(place, session=session).items() if each[0] in any_of}
    notes = {
        each: note_of(at, present[each]) if each in present else Note(at, any_of[each[0]].max_tries)
        for each, at in starts.items()
    }
    for task_id in {task_id for task_id, index in starts if index > UNMAPPED}:
        if (at := earliest(starts, task_id)) is not None:
            notes[task_id, UNMAPPED] = Note(at, any_of[task_id].max_tries)
    write(run, notes, of_run(run.id, session=session), session=session)


def follow_clear(run: DagRun, present: Mapping[Key, Try], *, session: Session) -> None:
    """Let what is noted go on to hold for task instances that somebody else has cleared for the rerun.

    What they had read before that is told by their history. Three statements.
    """
    where = HISTORY.dag_id == run.dag_id, HISTORY.run_id == run.run_id
    earlier = session.execute(select(*EARLIER).where(*where).order_by(HISTORY.try_number)).all()
    last = {
        key(row): try_of(row) for row in earlier if key(row) in present and present[key(row)].max_tries != row.max_tries
    }
    notes = of_run(run.id, session=session)
    starts = {**{each: note.started_at for each, note in notes.items()}, **starts_of(last, notes)}
    new = {each: note_of(at, present[each]) for each, at in starts.items() if each in present}
    write(run, new, notes, session=session)


def note_of(at: datetime, present: Try) -> Note:
    """A note that holds as long as nobody clears the task instance again."""
    return Note(at, present.max_tries, present.first, present.id)


def of_place(place: RunRef, *, session: Session) -> dict[Key, datetime]:
    """The own starts of a run's task instances; of one that is gone there are none. Two statements."""
    rows = session.execute(
        select(RUN.id.label("run_key"), *PRESENT)
        .select_from(DagRun.__table__.join(task_tables.TASK, and_(TI.dag_id == RUN.dag_id, TI.run_id == RUN.run_id)))
        .where(RUN.dag_id == place.dag_id, RUN.run_id == place.run_id)
    ).all()
    notes = of_run(rows[0].run_key, session=session) if rows else {}
    return starts_of({key(row): try_of(row) for row in rows}, notes)


def starts_of(tries: Mapping[Key, Try], notes: Notes) -> dict[Key, datetime]:
    """The own starts of those that have any."""
    found = {where: own(where, one, notes) for where, one in tries.items()}
    return {where: at for where, at in found.items() if at is not None}


def earliest(starts: Mapping[Key, datetime], task_id: str) -> datetime | None:
    """The first start among the indexes of a task."""
    return min((at for (name, index), at in starts.items() if name == task_id and index > UNMAPPED), default=None)


def of_run(run_key: int, *, session: Session) -> dict[Key, Note]:
    """What is noted of a run."""
    rows = session.execute(select(own_start).where(OWN.dag_run_id == run_key)).all()
    return {key(row): Note(row.started_at, row.max_tries, row.first_try, row.try_id) for row in rows}


def write(run: DagRun, notes: Notes, known: Notes, *, session: Session) -> None:
    """Write notes down in place of the ``known`` ones of the same task instances."""
    if not notes:
        return
    old = [{"task": each[0], "index": each[1]} for each in known if each in notes]
    if old:
        this = OWN.dag_run_id == run.id, OWN.task_id == bindparam("task"), OWN.map_index == bindparam("index")
        session.connection().execute(delete(own_start).where(*this), old)
    values = [
        {"dag_run_id": run.id, "task_id": task_id, "map_index": index, **vars(note)}
        for (task_id, index), note in notes.items()
    ]
    session.connection().execute(insert(own_start), values)
