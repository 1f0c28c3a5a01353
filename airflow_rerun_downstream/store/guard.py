"""May code that runs inside Airflow's own transactions use our tables?

The version is asked on the caller's own connection, apart from the caller's work, and remembered for a while: no
second connection is ever held.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.apart import apart

log = logging.getLogger(__name__)


class SchemaGuard:
    """One process's knowledge of whether the tables are the code's. Threads share it; nothing here raises.

    Tables may vanish while they still count as ready. So every statement of the caller's stands in `apart`, too, and
    one that fails is told with `doubt`.
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
        self._known: tuple[bool, float] = (False, float("-inf"))

    def ready(self, connection: Connection) -> bool:
        """Whether the tables have the code's version, as of at most ``ready_for`` seconds ago.

        Never on a database that isn't supported, whatever tables it has.
        """
        if connection.dialect.name not in schema.DIALECTS:
            return False
        answer, until = self._known
        if self._seconds() < until:
            return answer
        found = self._look(connection)
        if found != answer:
            log.info("airflow-rerun-downstream's tables can %s used in this process", "be" if found else "no longer be")
        self._known = (found, self._seconds() + (self._ready_for if found else self._unready_for))
        return found

    def doubt(self) -> None:
        """Take the tables for unusable for a while: a statement on them has failed."""
        self._known = (False, self._seconds() + self._unready_for)

    def forget(self) -> None:
        """Look again at the next question, such as after a migration in this process."""
        self._known = (False, float("-inf"))

    def _look(self, connection: Connection) -> bool:
        try:
            found = apart(connection, lambda: connection.execute(select(schema.version.c.version_num)).scalars().all())
        except DBAPIError:
            return False
        return found == [schema.HEAD]
