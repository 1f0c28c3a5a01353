"""Column types that mean the same on every database."""

from __future__ import annotations

from datetime import datetime
from datetime import timezone as timezones
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

if TYPE_CHECKING:
    Decorator = TypeDecorator[datetime]
    Element = FunctionElement[Any]
else:
    Decorator = TypeDecorator  # SQLAlchemy 1.4 has no generic one
    Element = FunctionElement


class UtcDateTime(Decorator):
    """An aware moment, stored in UTC with microseconds and read back aware, in UTC. Naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """MySQL cuts fractions of a second off unless it is told not to."""
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; without the zone where the database would drop it or refuse it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        moment = value.astimezone(timezones.utc)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=timezones.utc) if value.tzinfo is None else value.astimezone(timezones.utc)


class unknown_last(Element):
    """What to sort by, upwards, with unknown values last."""

    inherit_cache = True


@compiles(unknown_last)
def told_to_be_last(element: unknown_last, compiler: Any, **options: Any) -> str:
    """Two keys."""
    column = compiler.process(element.clauses, **options)
    return f"CASE WHEN {column} IS NULL THEN 1 ELSE 0 END, {column}"


@compiles(unknown_last, "postgresql")
def last_anyway(element: unknown_last, compiler: Any, **options: Any) -> str:
    """The column alone: that is the order of an index, too, which would otherwise be of no use."""
    return str(compiler.process(element.clauses, **options))
