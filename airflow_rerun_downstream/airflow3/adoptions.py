"""Whose place a run takes in a rerun: the asset events that it emits repeat those of that run.

A trigger task that runs again makes a run, and Airflow starts it at once: it may have emitted before the conductor has
adopted it. So the answer comes from what was there before the run was: the rerun knows which members' runs are going
to be made, and the task records the run that it is about to make (``_link_TriggerDagRunLink``) before it asks for it.

All of this runs inside the transaction in which Airflow records a task's success: it only reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from airflow_rerun_downstream.domain.facts import BEGUN_TASK_STATES
from airflow_rerun_downstream.domain.refs import RunRef, covers
from airflow_rerun_downstream.store import codec
from airflow_rerun_downstream.store.tables import child, member

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.orm import Session

MADE_BY_TASKS = frozenset({"manual", "operator_triggered"})
"""The types of the runs that a TriggerDagRun task makes."""

MAX_PARENTS = 20
"""How many runs that make one another are followed upwards."""

PARENT, CHILD = member.alias("parent"), member.alias("adopting")


@dataclass(frozen=True)
class Place:
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


def adopted(task_instance: TaskInstance, *, session: Session) -> list[Place]:
    """The places that the run has taken, as the members say; the latest rerun's first."""
    if not was_made(task_instance.dag_run):
        return []
    columns = member.c.original_run_id, member.c.rerun_id, member.c.id
    wanted = select(*columns).where(
        member.c.dag_id == task_instance.dag_id,
        member.c.run_id == task_instance.run_id,
        member.c.original_run_id != task_instance.run_id,
    )
    return [Place(*row) for row in session.execute(wanted.order_by(member.c.rerun_id.desc()))]


def coming(task_instance: TaskInstance, *, session: Session) -> Place | None:
    """The place that the run is about to take, or has taken in a rerun that goes on."""
    run = task_instance.dag_run
    rows = session.execute(expecting(child.c.dag_id == run.dag_id)).all()
    own = [row for row in rows if row.run_id == run.run_id]
    for row in own:
        if cleared(run, row) and names(run.dag_id, run.run_id, made_by(row, session=session)):
            return place(row)
    for row in () if own else rows:
        if names(run.dag_id, run.run_id, made_by(row, row.map_index, session=session)):
            return place(row)
    return None


def cleared(run: DagRun, row: Any) -> bool:
    """Whether a member's own run has been cleared since the submit; an adopted member knows the number after that."""
    if row.clear_number is None:
        return False
    known = row.attempt > 0 or row.state_reason == "ran_too_early"
    return bool(run.clear_number >= row.clear_number if known else run.clear_number > row.clear_number)


def place(row: Any) -> Place:
    """The place that a member's run has."""
    return Place(row.original_run_id, row.rerun_id, row.member_id)


def expecting(condition: Any) -> Any:
    """The members whose runs tasks of other members make, with those members; the latest rerun's first."""
    return (
        select(
            *(child.c.rerun_id, child.c.member_id, child.c.dag_id, child.c.task_id, child.c.map_index),
            *(CHILD.c.run_id, CHILD.c.original_run_id, CHILD.c.clear_number, CHILD.c.attempt, CHILD.c.state_reason),
            PARENT.c.id.label("parent_id"),
            PARENT.c.dag_id.label("parent_dag_id"),
            PARENT.c.run_id.label("parent_run_id"),
            PARENT.c.attempt.label("parent_attempt"),
            PARENT.c.tasks.label("parent_tasks"),
        )
        .select_from(child)
        .join(CHILD, CHILD.c.id == child.c.member_id)
        .join(PARENT, PARENT.c.id == child.c.parent_member_id)
        .where(condition)
        .order_by(child.c.rerun_id.desc(), child.c.parent_member_id, child.c.task_id, child.c.map_index)
    )


def made_by(row: Any, map_index: int | None = None, *, session: Session, depth: int = 0) -> list[str]:
    """What the task of a row has recorded since its run was dispatched; ``map_index`` None: all its indexes."""
    found = []
    for run_id in parent_runs(row, session=session, depth=depth):
        found += records(RunRef(row.parent_dag_id, run_id), row.task_id, map_index, session=session)
    return found


def parent_runs(row: Any, *, session: Session, depth: int) -> Iterator[str]:
    """The run in which a row's task runs again: the member's, or the one that is going to be adopted for it."""
    if row.parent_attempt:
        if covers(codec.tasks_from_json(row.parent_tasks), row.task_id, row.map_index):
            yield row.parent_run_id
        return
    if depth >= MAX_PARENTS:
        return
    for above in session.execute(expecting(child.c.member_id == row.parent_id)):
        made = made_by(above, above.map_index, session=session, depth=depth + 1)
        yield from {run_id for text in made if (run_id := run_named(row.parent_dag_id, text)) is not None}


def records(ref: RunRef, task_id: str, map_index: int | None, *, session: Session) -> list[str]:
    """The XComs in which a task that has begun names the run that it makes: a run's id, or the run's address."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel

    from airflow_rerun_downstream.airflow3.stored import LINK_KEY, TRIGGER_KEY, read_address, text_of

    run, task, xcom = DagRun.__table__.c, TaskInstance.__table__.c, XComModel.__table__.c
    wanted = (
        select(text_of(xcom.value))
        .select_from(DagRun.__table__)
        .join(XComModel.__table__, xcom.dag_run_id == run.id)
        .join(
            TaskInstance.__table__,
            (task.dag_id == run.dag_id)
            & (task.run_id == run.run_id)
            & (task.task_id == xcom.task_id)
            & (task.map_index == xcom.map_index),
        )
        .where(run.dag_id == ref.dag_id, run.run_id == ref.run_id, xcom.task_id == task_id)
        .where(xcom.key.in_((TRIGGER_KEY, LINK_KEY)), task.state.in_(sorted(BEGUN_TASK_STATES)))
    )
    if map_index is not None:
        wanted = wanted.where(xcom.map_index == map_index)
    return [text for row in session.execute(wanted) if (text := read_address(row.value)) is not None]


def names(dag_id: str, run_id: str, texts: Collection[str]) -> bool:
    """Whether one of the records names a run."""
    return any(run_named(dag_id, text) == run_id for text in texts)


def run_named(dag_id: str, text: str) -> str | None:
    """The run of a Dag that a record names: by its id alone, or as the end of an address. None: another Dag's."""
    _, mark, run_id = text.rpartition(f"/dags/{dag_id}/runs/")
    if mark:
        return run_id
    return None if "/dags/" in text and "/runs/" in text else text


def originals(run_id: str, places: Sequence[Place]) -> frozenset[str]:
    """The runs whose events those of a run may repeat: its own, and those of the runs whose place it has taken."""
    return frozenset({run_id, *(one.run_id for one in places)})
