"""The database's clock: the one by which every process that shares the database reckons.

`moment` is the present as the database has it, to be used inside a statement. `DatabaseClock` goes on from there by
this process's own monotonic clock, and knows how far the machine's clock is off.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import timezone as timezones
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.types import UtcDateTime

if TYPE_CHECKING:
    MomentElement = FunctionElement[datetime]
else:
    MomentElement = FunctionElement  # SQLAlchemy 1.4 has no generic one

NOTHING = timedelta()

Moments = Callable[[timedelta], ColumnElement[datetime]]
"""What answers the present, plus a span, as an expression."""


class DatabaseMoment(MomentElement):
    """The database's present plus so many seconds; not that of the transaction's begin."""

    type = UtcDateTime()
    name = "rerun_downstream_moment"
    inherit_cache = True


@compiles(DatabaseMoment)
def _refuse(element: DatabaseMoment, compiler: Any, **_options: Any) -> str:
    raise NotImplementedError(f"The clock of {compiler.dialect.name} isn't known")


@compiles(DatabaseMoment, "postgresql")
def _postgresql(element: DatabaseMoment, compiler: Any, **options: Any) -> str:
    return f"clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)})"


@compiles(DatabaseMoment, "sqlite")
def _sqlite(element: DatabaseMoment, compiler: Any, **options: Any) -> str:
    # As SQLAlchemy writes its own moments: they are compared as texts.
    seconds = compiler.process(element.clauses, **options)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"


@compiles(DatabaseMoment, "mysql", "mariadb")
def _mysql(element: DatabaseMoment, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"TIMESTAMPADD(MICROSECOND, 1000000 * {seconds}, UTC_TIMESTAMP(6))"


def moment(span: timedelta = NOTHING) -> ColumnElement[datetime]:
    """The database's present, plus a span."""
    return DatabaseMoment(literal(span.total_seconds(), Float()))


def machine_time() -> datetime:
    """What this machine takes for the present."""
    return datetime.now(timezones.utc)


class DatabaseClock:
    """`Clock` that says what the database's says: by its last reading, and the time that has gone by since.

    Before the first reading it has only the machine's.
    """

    def __init__(
        self,
        *,
        machine: Callable[[], datetime] = machine_time,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._machine = machine
        self._seconds = seconds
        self._read: tuple[datetime, float] | None = None
        self.offset = NOTHING
        """How far the machine's clock was ahead of the database's at the last reading; what the statement took
        doesn't count.
        """

    def now(self) -> datetime:
        """The present moment, in UTC."""
        if self._read is None:
            return self._machine()
        read, at = self._read
        return read + timedelta(seconds=self._seconds() - at)

    def read(self, executor: Executor) -> datetime:
        """Ask the database."""
        found: datetime = self.reading(lambda: executor.execute(select(moment())).scalar_one(), lambda read: read)
        return found

    def reading(self, ask: Callable[[], Any], pick: Callable[[Any], datetime]) -> Any:
        """Ask something of the database in which its present is; ``pick`` finds that in the answer."""
        before, began = self._machine(), self._seconds()
        answer = ask()
        ended, after = self._seconds(), self._machine()
        found = pick(answer)
        self._read = (found, (began + ended) / 2)
        self.offset = max(before - found, NOTHING) + min(after - found, NOTHING)
        return answer
