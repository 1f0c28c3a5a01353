"""Rows of task instances, and of what they wrote down, as each version of Airflow keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, select, update

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import scene

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Values = Mapping[str, Any]
KEY = ("dag_id", "run_id", "task_id", "map_index")


def task_instances() -> Any:
    """The table to write to; its rows are live unless a test archives them."""
    from airflow.models.taskinstance import TaskInstance

    return TaskInstance.__table__


def index_column(table: Any) -> Any:
    """The column of the map index."""
    return table.c.region_index if TRIES_ARE_ROWS else table.c.map_index


def as_kept(table: Any, rows: Iterable[Values]) -> list[dict[str, Any]]:
    """Rows under the names that the version's columns have; what it has no column for is left out."""
    found = []
    for row in rows:
        values = dict(row)
        if "map_index" in values and "map_index" not in table.c:
            values["region_index"] = values.pop("map_index")
        found.append({name: value for name, value in values.items() if name in table.c})
    return found


def add(table: Any, rows: Iterable[Values], *, session: Session) -> None:
    """Insert rows of runs or task instances, in one statement."""
    session.execute(insert(table), as_kept(table, rows))


def this_try(where: Values) -> Any:
    """The condition for a live task instance."""
    table = task_instances()
    same = [table.c[name] == where[name] for name in ("dag_id", "run_id", "task_id")]
    live = [table.c.working_set.is_(True)] if TRIES_ARE_ROWS else []
    return and_(*same, index_column(table) == where["map_index"], *live)


def write(where: Values, values: Values, *, session: Session) -> None:
    """Change columns of a task instance, past the ORM's setters."""
    session.execute(update(task_instances()).where(this_try(where)).values(**values))


def ids(rows: Iterable[Values], *, session: Session) -> list[Any]:
    """The id of the live try of each row's task instance, with one statement for all of them."""
    table = task_instances()
    names = (table.c.dag_id, table.c.run_id, table.c.task_id, index_column(table))
    live = select(*names, table.c.id).where(table.c.working_set.is_(True))
    known = {tuple(row[:4]): row[4] for row in session.execute(live)}
    return [known[tuple(row[name] for name in KEY)] for row in rows]


def add_xcoms(rows: Iterable[Values], *, session: Session) -> None:
    """XComs as the execution API stores them; each row has the key of a task instance, ``key`` and ``value``."""
    from airflow._shared.timezones import timezone

    rows = [{"timestamp": timezone.utcnow(), **row} for row in rows]
    models: Any = import_module("airflow.models.xcom")
    if not rows:
        return
    if TRIES_ARE_ROWS:
        columns = models.XComModelV2.__table__.c
        rows = [{**row, "task_instance_id": each} for row, each in zip(rows, ids(rows, session=session), strict=True)]
        values = [{name: value for name, value in row.items() if name in columns} for row in rows]
        session.execute(insert(models.XComModelV2), values)
        return
    refs = {(row["dag_id"], row["run_id"]) for row in rows}
    runs = {ref: scene.run_of(RunRef(*ref), session=session).id for ref in refs}
    values = [{**row, "dag_run_id": runs[row["dag_id"], row["run_id"]]} for row in rows]
    session.execute(insert(models.XComModel.__table__), values)


def delete_xcoms(where: Values, *, session: Session) -> None:
    """Delete the XComs of a task instance, or the one with a ``key``."""
    models: Any = import_module("airflow.models.xcom")
    key = where.get("key")
    if TRIES_ARE_ROWS:
        table = models.XComModelV2.__table__
        same = [table.c.task_instance_id.in_(select(task_instances().c.id).where(this_try(where)))]
    else:
        table = models.XComModel.__table__
        same = [table.c[name] == where[name] for name in KEY]
    session.execute(delete(table).where(*same, *([table.c.key == key] if key else [])))


def date_xcoms(ref: RunRef, task_ids: Iterable[str], at: Any, *, session: Session) -> None:
    """Let the XComs of a run's tasks be of a moment."""
    models: Any = import_module("airflow.models.xcom")
    tried = task_instances()
    if TRIES_ARE_ROWS:
        table = models.XComModelV2.__table__
        mine = (tried.c.dag_id == ref.dag_id, tried.c.run_id == ref.run_id, tried.c.task_id.in_(sorted(task_ids)))
        same = [table.c.task_instance_id.in_(select(tried.c.id).where(*mine))]
    else:
        table = models.XComModel.__table__
        same = [table.c.dag_id == ref.dag_id, table.c.run_id == ref.run_id, table.c.task_id.in_(sorted(task_ids))]
    session.execute(update(table).where(*same).values(timestamp=at))


def add_rendered(rows: Iterable[Values], *, session: Session) -> None:
    """What Airflow rendered for task instances; each row has ``rendered_fields``."""
    from airflow.models.renderedtifields import RenderedTaskInstanceFields

    rows, table = list(rows), RenderedTaskInstanceFields.__table__
    if TRIES_ARE_ROWS:
        found = zip(rows, ids(rows, session=session), strict=True)
        rows = [{"task_instance_id": each, "rendered_fields": row["rendered_fields"]} for row, each in found]
    session.execute(insert(table), rows)


def set_map_length(where: Values, length: int, *, session: Session) -> None:
    """Say how long a task's result is, over which others are mapped."""
    if TRIES_ARE_ROWS:
        delete_xcoms({**where, "key": "return_value"}, session=session)
        row = {**where, "key": "return_value", "value": [0] * length, "mapped_length": length}
        add_xcoms([row], session=session)
        return
    model: Any = import_module("airflow.models.taskmap").TaskMap
    session.merge(model(length=length, keys=None, **where))
    session.flush()


def earlier_tries(ref: RunRef, *, session: Session) -> list[Any]:
    """The rows of a run's earlier tries."""
    table = task_tables.EARLIER.c
    wanted = select(task_tables.EARLIER).where(table.dag_id == ref.dag_id, table.run_id == ref.run_id)
    return list(session.execute(wanted.order_by(table.try_number)))
