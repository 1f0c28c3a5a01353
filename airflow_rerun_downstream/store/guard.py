"""May code that runs inside Airflow's own transactions use our tables?

A statement that fails poisons the caller's transaction on PostgreSQL, and a task's success or a scheduler's loop would
be lost with it. So the version is learned on a separate connection, and remembered for a while.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.schema import SchemaState

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds to wait for another thread's look: a lock may have been copied, held, into a forked process."""


class SchemaGuard:
    """One process's knowledge of whether the tables are the code's. Threads share it; nothing here raises.

    One guard serves one database. An in-memory SQLite is never ready: a separate connection sees another database.
    """

    def __init__(
        self,
        *,
        ready_for: float = 30.0,
        unready_for: float = 5.0,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ready_for = ready_for
        self._unready_for = unready_for
        self._seconds = seconds
        self._lock = Lock()
        self._known: tuple[bool, float] = (False, float("-inf"))
        self._apart: Engine | None = None

    def ready(self, bind: Engine | Connection) -> bool:
        """Whether the tables are there and in the code's version, as of at most ``ready_for`` seconds ago.

        Never on a database that isn't supported, whatever tables it has.
        """
        if bind.dialect.name not in schema.DIALECTS:
            return False
        answer, until = self._known
        if self._seconds() < until:
            return answer
        if not self._lock.acquire(timeout=PATIENCE):
            return answer
        try:
            if self._seconds() >= self._known[1]:
                self._look(bind.engine)
            return self._known[0]
        finally:
            self._lock.release()

    def usable(self, executor: Executor, table: str) -> bool:
        """`ready`, and the table is there at this moment: a look into the catalogue, in the caller's transaction.

        It closes the gap in which tables that were just dropped still count as ready.
        """
        connection = executor if isinstance(executor, Connection) else executor.connection()
        return self.ready(connection) and inspect(connection).has_table(table)

    def forget(self) -> None:
        """Look again at the next question, such as after a migration in this process."""
        self._known = (False, float("-inf"))

    def _look(self, engine: Engine) -> None:
        answer = self._known[0]
        try:
            found = self._state(engine)
            if answer != (found is SchemaState.READY):
                log.info("airflow-rerun-downstream: %s", found.value)
            answer = found is SchemaState.READY
            lasts = self._ready_for if answer else self._unready_for
        except Exception:
            # No news isn't bad news: a full connection limit must not make an upstream's repeated event start runs.
            log.warning("The version of airflow-rerun-downstream's tables can't be read", exc_info=True)
            lasts = self._unready_for
        self._known = (answer, self._seconds() + lasts)

    def _state(self, engine: Engine) -> SchemaState:
        if self._apart is None or self._apart.url != engine.url:
            self._apart = apart(engine)
        with self._apart.connect() as connection:
            return schema.state(connection)


def apart(engine: Engine) -> Engine:
    """An engine that opens a new connection, as ``engine`` does, each time and closes it at once.

    The engine's own pool won't do: its last connection may be the caller's, or be the caller's very one.
    """
    connect: Callable[[], object] = engine.pool._creator  # type: ignore[assignment]
    return create_engine(engine.url, creator=connect, poolclass=NullPool)
