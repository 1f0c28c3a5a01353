"""Airflow's own clear, with its writes sent late and all at once.

``clear_task_instances`` reads and writes by turns, a few statements for each task instance. On SQLite the first write
locks the database, until the commit: with thousands of mapped instances that is longer than others wait. Airflow's
sessions send changed objects only when they are told to flush, so that nothing it reads on the way depends on what it
has changed; only its few statements that write at once come too early. The session that it is handed here keeps these
back until something else must be written, and sends them then in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from airflow.models.taskreschedule import TaskReschedule
from sqlalchemy import delete
from sqlalchemy.sql.dml import Delete, UpdateBase

from airflow_rerun_downstream.store.executor import chunks

if TYPE_CHECKING:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.orm import Session


class Deferred:
    """A session that sends what is read through it at once, and what is written when it must. For one clear.

    ``before_writing`` is called once, before the first write; what it raises leaves nothing written.
    """

    def __init__(
        self, session: Session, task_instances: Collection[TaskInstance], before_writing: Callable[[], None]
    ) -> None:
        self._session = session
        self._tries = [ti.id for ti in task_instances]
        self._before_writing = before_writing
        self._kept: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        self._waiting = True

    def execute(self, statement: Any, *args: Any, **options: Any) -> Any:
        """Send a read, and after the first write anything; keep a write until then."""
        if not self._waiting or not isinstance(statement, UpdateBase):
            return self._session.execute(statement, *args, **options)
        if not (isinstance(statement, Delete) and is_of(statement, TaskReschedule)):
            self._kept.append((statement, args, options))  # there is one of those for each try; `write` has one for all
        return None

    def bulk_insert_mappings(self, *args: Any, **options: Any) -> None:
        """Write, and what was kept back before it."""
        self.write()
        self._session.bulk_insert_mappings(*args, **options)

    def bulk_save_objects(self, *args: Any, **options: Any) -> None:
        """Write, and what was kept back before it."""
        self.write()
        self._session.bulk_save_objects(*args, **options)

    def flush(self, objects: Any = None) -> None:
        """Write, and what was kept back before it."""
        self.write()
        self._session.flush(objects)

    def write(self) -> None:
        """Send what was kept back; from now on everything is sent at once."""
        if not self._waiting:
            return
        self._waiting = False
        self._before_writing()
        for some in chunks(self._tries):
            gone = delete(TaskReschedule).where(TaskReschedule.ti_id.in_(some))
            self._session.execute(gone.execution_options(synchronize_session=False))
        for statement, args, options in self._kept:
            self._session.execute(statement, *args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def is_of(statement: Any, model: Any) -> bool:
    """Whether a statement writes a model's table."""
    return bool(statement.table.name == model.__tablename__)
