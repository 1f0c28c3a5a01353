"""Our tables in Airflow's metadata database, for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_rerun_downstream.airflow3.database import last_rerun_id
from airflow_rerun_downstream.store import remains, schema

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


def migrate() -> None:
    """Bring the tables to the code's revision. Raises `SchemaMismatch` if a newer package made them."""
    schema.upgrade(engine(), last_id=last_rerun_id.last_rerun_id)


def check_downgrade() -> None:
    """Raise `TablesInUse`, which says what to do first, while something would be lost with the tables."""
    with engine().connect() as connection:
        remains.refuse_unless_empty(connection)


def downgrade(revision: str) -> None:
    """Bring the tables to an older revision; ``base`` removes them. Raises `TablesInUse`."""
    schema.downgrade(engine(), revision)


def check() -> None:
    """Raise `SchemaMismatch` unless the tables are the code's."""
    with engine().connect() as connection:
        schema.check(connection)


def engine() -> Engine:
    """Airflow's own engine."""
    from airflow import settings

    if settings.engine is None:
        raise RuntimeError("Airflow has no connection to its metadata database here")
    return settings.engine
