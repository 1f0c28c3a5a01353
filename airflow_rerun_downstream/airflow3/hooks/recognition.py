"""What the asset manager does with an event of a rerun's try, and with what is queued for frozen Dags.

All of this runs in the transaction in which Airflow records a task's success. An asset event of a try that a rerun
started *repeats* the one that the task instance emitted before, or that the same task emitted in the run whose place
this one takes. It is recorded and its listeners are told, but no Dag run is queued for it. The runs that consumed the
original see it instead of that when they are rerun themselves.

Whatever is read or written here stands `apart`: what goes wrong takes nothing of Airflow's along. An event for which
it goes wrong is an ordinary one, and the rerun's record says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from airflow_rerun_downstream.airflow3.holding import parked_rows, parking
from airflow_rerun_downstream.airflow3.hooks import expected_runs, repeated_events
from airflow_rerun_downstream.airflow3.versions import QUEUED_BY_EVENT
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.store.apart import apart
from airflow_rerun_downstream.store.expiry import present
from airflow_rerun_downstream.store.guard import SchemaGuard
from airflow_rerun_downstream.store.moves import add_lines
from airflow_rerun_downstream.store.tables import hold, rerun

if TYPE_CHECKING:
    from airflow.models.asset import AssetEvent
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.engine import Connection
    from sqlalchemy.orm import Session


T = TypeVar("T")

Given = tuple[tuple[Any, ...], dict[str, Any]]
"""The arguments of a call."""

guard = SchemaGuard()

REMEMBERED = "_rerun_downstream_try"

NOT_RECOGNISED = "events_not_recognised"
NOT_PARKED = "events_not_parked"
SYSTEM = ""
"""The actor of what happens by itself."""


@dataclass
class Repeating:
    """An event of a rerun's try that is being registered. ``found``: what it repeats, if anything.

    ``held``: the call by which Dags would have been queued that are not, because they had heard of it before;
    ``queued``: others were; ``spoiled``: all were. ``done``: it is noted as a rerun's, and as a repeat where it is one.
    """

    given: dict[str, Any]
    rerun: repeated_events.RerunTry
    found: repeated_events.Repeat
    held: Given | None = None
    queued: bool = False
    spoiled: bool = False
    done: bool = False

    @property
    def ours(self) -> bool:
        """Whether the event is to be noted; a first one of a task that is new to the run isn't."""
        return bool(self.found) or not self.rerun.new

    def admit(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
        """The call that queues those Dags only that the event is new to, such as those that wait for an alias it
        didn't come through.
        """
        given = arguments(args, kwargs)
        dags = {dag.dag_id: dag for dag in given["dags_to_queue"]}
        names = frozenset(self.given.get("source_alias_names") or ())
        connection = given["session"].connection()
        new = tried(
            connection,
            lambda: repeated_events.new_to(dags, self.found, names, given["asset_id"], connection=connection),
        )
        held = {dag for dag_id, dag in dags.items() if dag_id not in new}
        self.held = ((), {**given, "dags_to_queue": held})
        self.queued = bool(new)
        return ((), {**given, "dags_to_queue": {dags[dag_id] for dag_id in new}})

    def spoil(self) -> None:
        """Everything is queued as for a first event."""
        self.spoiled, self.held = True, None

    def owed(self) -> Given | None:
        """What has to be queued after all."""
        return None if self.done or self.spoiled else self.held

    def finish(self, event: AssetEvent) -> None:
        """Note the event and what it repeats: all of it, or nothing."""
        if not self.ours:
            return
        self.rerun.own.add(event.id)
        if self.spoiled:
            raise RuntimeError("a repeated event was queued like a first one")
        session: Session = self.given["session"]
        connection = session.connection()
        self.done = tried(connection, lambda: self._write(connection, event.id), writes=True)
        self.rerun.marked = True
        if self.found:
            session.expire(event, ["timestamp"])

    def regret(self) -> None:
        """Let the rerun's record say that the event was taken for a first one."""
        connection, ti = self.given["session"].connection(), self.given["task_instance"]
        rerun = self.rerun
        apart(connection, lambda: note_regret(connection, ti, rerun.rerun_id, rerun.member_id), writes=True)

    def _write(self, connection: Connection, event_id: int) -> bool:
        self.rerun.emitted(connection)
        if self.found:
            # Where a Dag takes it for a first one, it must find it in the window of its next run.
            repeated_events.note(event_id, self.found, backdate=not self.queued, connection=connection)
            self._take_place(connection, event_id)
        return True

    def _take_place(self, connection: Connection, event_id: int) -> None:
        """Dags that have heard of an original and have no run of it yet consume the repeat."""
        if self.held is not None:
            given = self.held[1]
            originals = [original.id for original in self.found.originals]
            waiting = [dag.dag_id for dag in given["dags_to_queue"]]
            if QUEUED_BY_EVENT and waiting:
                parking.hold_off(connection, waiting)  # a freeze locks a Dag before what is queued for it
            parked_rows.put_in_place(connection, event_id, asset_id=given["asset_id"], of=originals, dag_ids=waiting)


def arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``_queue_dagruns`` by their names."""
    return {**dict(zip(("asset_id", "dags_to_queue", "session"), args, strict=False)), **kwargs}


def begin(given: dict[str, Any]) -> Repeating | None:
    """The event that is about to be registered, if a rerun's try emits it."""
    task_instance = given.get("task_instance")
    if task_instance is None or not expected_runs.possible(task_instance):
        return None
    session: Session = given["session"]
    connection = session.connection()
    rerun = rerun_try(task_instance, connection=connection)
    if rerun is None:
        return None
    found = tried(connection, lambda: rerun.repeats(given["asset"], given, connection=connection))
    return Repeating(given, rerun, found)


def rerun_try(task_instance: TaskInstance, *, connection: Connection) -> repeated_events.RerunTry | None:
    """The task instance's try, if it is a rerun's. Looked up once for all events that the try emits together.

    It is kept on the task instance's object, which lives as long as the request in which the task succeeded.
    """
    kept: tuple[int, repeated_events.RerunTry | None] | None = vars(task_instance).get(REMEMBERED)
    if kept is not None and kept[0] == task_instance.try_number:
        return kept[1]
    if not guard.ready(connection):
        return None
    found = tried(connection, lambda: repeated_events.find_try(task_instance, connection=connection))
    setattr(task_instance, REMEMBERED, (task_instance.try_number, found))
    return found


def tried(connection: Connection, work: Callable[[], T], *, writes: bool = False) -> T:
    """`apart`; where the database refuses, the tables aren't trusted for a while."""
    try:
        return apart(connection, work, writes=writes)
    except DBAPIError:
        guard.doubt()
        raise


def regret(given: dict[str, Any]) -> None:
    """Let the rerun's record say that events of a task were taken for new ones, if its try is a rerun's."""
    task_instance, session = given.get("task_instance"), given.get("session")
    if task_instance is None or session is None:
        return
    connection = session.connection()
    apart(connection, lambda: write_regret(task_instance, connection), writes=True)


def write_regret(task_instance: TaskInstance, connection: Connection) -> None:
    """See `regret`."""
    row = repeated_events.dispatched(task_instance, connection=connection)
    if row is None or row.task_id != task_instance.task_id or not repeated_events.begun_by(task_instance, row):
        return
    note_regret(connection, task_instance, row.rerun_id, row.member_id)


def note_regret(connection: Connection, ti: TaskInstance, rerun_id: int, member_id: int | None) -> None:
    """Write into a rerun's record that an event of one of its tries was taken for a first one."""
    detail = Sentence("record.event_not_recognised", dag=ti.dag_id, run=ti.run_id, task=ti.task_id)
    note(connection, [(rerun_id, member_id)], NOT_RECOGNISED, detail, named=[ti.dag_id])


def note(
    connection: Connection,
    reruns: Collection[tuple[int, int | None]],
    action: str,
    detail: str,
    *,
    named: Collection[str] = (),
) -> None:
    """Write a line into the records of reruns, where there are records; ``named`` are the Dags that it speaks of."""
    now = datetime.now(timezone.utc)
    there = set(connection.scalars(select(rerun.c.id).where(rerun.c.id.in_({one for one, _ in reruns}), present())))
    reruns = [each for each in reruns if each[0] in there]
    if reruns:
        line = {"at": now, "actor": SYSTEM, "action": action, "detail": detail, "dag_ids": list(named)}
        add_lines(connection, reruns, line)


@dataclass
class Waiting:
    """Dags that an event queues, and that may be frozen."""

    dag_ids: frozenset[str]
    session: Session

    def park(self) -> None:
        """Park what was queued for those that are frozen, in the transaction in which it was queued.

        It is asked afterwards which are: a freeze that was on its way has let the rows in only when it was done.
        """
        connection = self.session.connection()
        keys = tried(connection, lambda: parking.frozen(connection, self.dag_ids))
        if not keys:
            return
        try:
            tried(connection, lambda: parking.park(connection, keys), writes=True)
        except Exception:
            apart(connection, lambda: self._regret(connection, keys), writes=True)
            raise
        parking.forget_queued(self.session, keys)

    def _regret(self, connection: Connection, keys: parking.Keys) -> None:
        detail = Sentence("record.events_not_parked")
        holds = select(hold.c.rerun_id, hold.c.member_id).where(hold.c.dag_id.in_(sorted(keys)), hold.c.assets)
        reruns = [(row.rerun_id, row.member_id) for row in connection.execute(holds).all()]
        note(connection, reruns, NOT_PARKED, detail)


def before_queueing(given: Given) -> Waiting | None:
    """The Dags that are about to be queued; None: nothing of ours can hold one of them."""
    named = arguments(*given)
    dag_ids = frozenset(dag.dag_id for dag in named["dags_to_queue"])
    session: Session = named["session"]
    if not dag_ids:
        return None
    connection = session.connection()
    if not guard.ready(connection):
        return None
    if named.get("partition_key") is not None:
        tried(connection, lambda: parking.hold_off(connection, dag_ids))
    return Waiting(dag_ids, session)
