"""Whose place a run takes in a rerun: the asset events that it emits repeat those of that run.

A trigger task that runs again makes a run, and Airflow starts it at once: it may have emitted before the conductor has
adopted it. So the answer comes from what was there before the run was: the rerun knows which members' runs are going
to be made, and the task records the run that it is about to make (``_link_TriggerDagRunLink``) before it asks for it.

All of this runs inside the transaction in which Airflow records a task's success: it only reads.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import or_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.untrusted_values import LINK_KEY, TRIGGER_KEY, read_address, text_of
from airflow_rerun_downstream.domain.facts import BEGUN_TASK_STATES
from airflow_rerun_downstream.domain.refs import RunRef, covers
from airflow_rerun_downstream.store import codec
from airflow_rerun_downstream.store.tables import child, member

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

MADE_BY_TASKS = frozenset({"manual", "operator_triggered"})
"""The types of the runs that a TriggerDagRun task makes."""

MAX_PARENTS = 20
"""How many runs that make one another are followed upwards."""

PARENT, CHILD = member.alias("parent"), member.alias("adopting")


@dataclass(frozen=True)
class ReplacedRun:
    """The run whose place another one takes, and for which member of which rerun."""

    run_id: str
    rerun_id: int
    member_id: int


def possible(task_instance: TaskInstance) -> bool:
    """Whether the task instance's run may be one that a trigger task made or cleared: others cost nothing."""
    run = task_instance.dag_run
    return was_made(run) or run.clear_number > 0


def was_made(run: DagRun) -> bool:
    """Whether a task may have made a run."""
    return str(getattr(run.run_type, "value", run.run_type)) in MADE_BY_TASKS


def adopted(task_instance: TaskInstance, *, connection: Connection) -> list[ReplacedRun]:
    """The places that the run has taken, as the members say; the latest rerun's first."""
    if not was_made(task_instance.dag_run):
        return []
    columns = member.c.original_run_id, member.c.rerun_id, member.c.id
    wanted = select(*columns).where(
        member.c.dag_id == task_instance.dag_id,
        member.c.run_id == task_instance.run_id,
        member.c.original_run_id != task_instance.run_id,
    )
    return [ReplacedRun(*row) for row in connection.execute(wanted.order_by(member.c.rerun_id.desc())).all()]


def coming(task_instance: TaskInstance, *, connection: Connection) -> ReplacedRun | None:
    """The place that the run is about to take, or has taken in a rerun that goes on.

    One statement, however many runs are expected; two more for each generation of makers that have no run yet.
    """
    run = task_instance.dag_run
    expected = expecting(child.c.dag_id == run.dag_id, connection=connection)
    made = Makers(connection).texts(expected)
    own = [one for one in expected if one.row.run_id == run.run_id]
    for one in own:
        if cleared(run, one.row) and names(run.dag_id, run.run_id, made[one.key]):
            return place(one.row)
    for one in () if own else expected:
        if names(run.dag_id, run.run_id, of_index(made[one.key], one.row.map_index)):
            return place(one.row)
    return None


def cleared(run: DagRun, row: Any) -> bool:
    """Whether a member's own run has been cleared since the submit; an adopted member knows the number after that."""
    if row.clear_number is None:
        return False
    known = row.attempt > 0 or row.state_reason == "ran_too_early"
    return bool(run.clear_number >= row.clear_number if known else run.clear_number > row.clear_number)


def place(row: Any) -> ReplacedRun:
    """The place that a member's run has."""
    return ReplacedRun(row.original_run_id, row.rerun_id, row.member_id)


Key = tuple[int, str, int]
"""A task that makes a member's run: the member that it belongs to, its id and map index."""

Text = tuple[int, str]
"""Map index of a task instance, and what it has recorded of the run that it makes: an id, or an address."""


@dataclass(frozen=True)
class Expected:
    """A member whose run a task of another member makes, with what the instances of that task have recorded."""

    row: Any
    texts: tuple[Text, ...]

    @property
    def key(self) -> Key:
        """The task."""
        return self.row.parent_id, self.row.task_id, self.row.map_index

    @property
    def selected(self) -> bool:
        """Whether the rerun runs the task."""
        return covers(codec.tasks_from_json(self.row.parent_tasks), self.row.task_id, self.row.map_index)


def of_index(texts: Collection[Text], map_index: int) -> list[Text]:
    """What one task instance has recorded."""
    return [each for each in texts if each[0] == map_index]


def expecting(condition: Any, *, connection: Connection) -> list[Expected]:
    """The members whose runs tasks of other members make, the latest rerun's first. One statement.

    What the tasks have recorded in the run of the other member comes along.
    """
    wanted = (
        select(
            *(child.c.rerun_id, child.c.member_id, child.c.dag_id, child.c.task_id, child.c.map_index),
            *(CHILD.c.run_id, CHILD.c.original_run_id, CHILD.c.clear_number, CHILD.c.attempt, CHILD.c.state_reason),
            PARENT.c.id.label("parent_id"),
            PARENT.c.dag_id.label("parent_dag_id"),
            PARENT.c.run_id.label("parent_run_id"),
            PARENT.c.attempt.label("parent_attempt"),
            PARENT.c.tasks.label("parent_tasks"),
            RECORDS.c.map_index.label("recorded_by"),
            RECORDS.c.value,
        )
        .select_from(
            child.join(CHILD, CHILD.c.id == child.c.member_id)
            .join(PARENT, PARENT.c.id == child.c.parent_member_id)
            .outerjoin(
                RECORDS,
                (RECORDS.c.dag_id == PARENT.c.dag_id)
                & (RECORDS.c.run_id == PARENT.c.run_id)
                & (RECORDS.c.task_id == child.c.task_id),
            )
        )
        .where(condition)
        .order_by(child.c.rerun_id.desc(), child.c.parent_member_id, child.c.task_id, child.c.map_index)
    )
    found: dict[Key, tuple[Any, list[Text]]] = {}
    for row in connection.execute(wanted).all():
        _, texts = found.setdefault((row.parent_id, row.task_id, row.map_index), (row, []))
        if row.recorded_by is not None and (text := read_address(row.value)) is not None:
            texts.append((row.recorded_by, text))
    return [Expected(row, tuple(texts)) for row, texts in found.values()]


class Makers:
    """What the tasks that make members' runs have recorded since these runs were dispatched, or will be adopted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def texts(self, expected: Sequence[Expected], depth: int = 0) -> dict[Key, list[Text]]:
        """The records for each task. A run that is going to be adopted is found by what its own maker has recorded."""
        found: dict[Key, list[Text]] = {one.key: [] for one in expected}
        waiting = []
        for one in expected:
            if not one.row.parent_attempt:
                waiting.append(one)
            elif one.selected:
                found[one.key] = list(one.texts)
        if waiting and depth < MAX_PARENTS:
            runs = self._runs_of(waiting, depth)
            recorded = records(
                {
                    (RunRef(one.row.parent_dag_id, run_id), one.row.task_id)
                    for one in waiting
                    for run_id in runs[one.key]
                },
                connection=self._connection,
            )
            for one in waiting:
                for run_id in runs[one.key]:
                    found[one.key] += recorded.get((RunRef(one.row.parent_dag_id, run_id), one.row.task_id), [])
        return found

    def _runs_of(self, waiting: Sequence[Expected], depth: int) -> dict[Key, set[str]]:
        """The runs in which tasks run whose members have no run of the rerun's yet."""
        ids = {one.row.parent_id for one in waiting}
        above = expecting(child.c.member_id.in_(sorted(ids)), connection=self._connection)
        made = self.texts(above, depth + 1)
        runs: dict[int, set[str]] = {}
        for one in above:
            for _, text in of_index(made[one.key], one.row.map_index):
                if (run_id := run_named(one.row.dag_id, text)) is not None:
                    runs.setdefault(one.row.member_id, set()).add(run_id)
        return {one.key: runs.get(one.row.parent_id, set()) for one in waiting}


def recorded() -> Any:
    """The XComs in which tasks that have begun name the run that they make."""
    run, task, xcom = DagRun.__table__, task_tables.TASK, task_tables.XCOM
    return (
        select(run.c.dag_id, run.c.run_id, xcom.c.task_id, xcom.c.map_index, text_of(xcom.c.value))
        .select_from(run)
        .join(xcom, xcom.c.dag_run_id == run.c.id)
        .join(
            task,
            (task.c.dag_id == run.c.dag_id)
            & (task.c.run_id == run.c.run_id)
            & (task.c.task_id == xcom.c.task_id)
            & (task.c.map_index == xcom.c.map_index),
        )
        .where(xcom.c.key.in_((TRIGGER_KEY, LINK_KEY)), task.c.state.in_(sorted(BEGUN_TASK_STATES)))
    )


RECORDS = recorded().subquery("recorded")


def records(tasks: Collection[tuple[RunRef, str]], *, connection: Connection) -> dict[tuple[RunRef, str], list[Text]]:
    """What tasks of runs have recorded. One statement."""
    found: dict[tuple[RunRef, str], list[Text]] = {}
    if not tasks:
        return found
    run, xcom = DagRun.__table__, task_tables.XCOM
    these = [
        (run.c.dag_id == ref.dag_id) & (run.c.run_id == ref.run_id) & (xcom.c.task_id == task) for ref, task in tasks
    ]
    for row in connection.execute(recorded().where(or_(*these))).all():
        if (text := read_address(row.value)) is not None:
            found.setdefault((RunRef(row.dag_id, row.run_id), row.task_id), []).append((row.map_index, text))
    return found


def names(dag_id: str, run_id: str, texts: Collection[Text]) -> bool:
    """Whether one of the records names a run."""
    return any(run_named(dag_id, text) == run_id for _, text in texts)


def run_named(dag_id: str, text: str) -> str | None:
    """The run of a Dag that a record names: by its id alone, or as the end of an address. None: another Dag's."""
    _, mark, run_id = text.rpartition(f"/dags/{dag_id}/runs/")
    if mark:
        return run_id
    return None if "/dags/" in text and "/runs/" in text else text


def originals(run_id: str, places: Sequence[ReplacedRun]) -> frozenset[str]:
    """The runs whose events those of a run may repeat: its own, and those of the runs whose place it has taken."""
    return frozenset({run_id, *(one.run_id for one in places)})
