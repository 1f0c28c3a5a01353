"""Transactions on Airflow's metadata database, once it is sure that our tables can be used in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from airflow_rerun_downstream.airflow3.database.clock import clock
from airflow_rerun_downstream.domain.errors import SchemaMismatch
from airflow_rerun_downstream.store import schema

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SCHEMA_TRUSTED = 30.0
"""Seconds for which tables that were right count as right. A statement that fails ends it early."""


class Transactions:
    """Opens transactions, and looks now and then whether the tables are the code's.

    The session is one of its own: a thread's shared one may be committed and closed by whatever Airflow function
    runs in between.
    """

    def __init__(self) -> None:
        self._trusted_until = float("-inf")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The session of a transaction. Raises `SchemaMismatch`, also when the tables vanish in the middle of it."""
        from airflow.utils.session import create_session

        try:
            with create_session(scoped=False) as session:
                self._check(session)
                yield session
        except DBAPIError as error:
            self.look_again()
            with create_session(scoped=False) as session:
                try:
                    self._check(session)
                except SchemaMismatch as mismatch:
                    raise mismatch from error
            raise

    def look_again(self) -> None:
        """Check the tables at the next transaction, whenever they were last found right."""
        self._trusted_until = float("-inf")

    def _check(self, session: Session) -> None:
        if time.monotonic() < self._trusted_until:
            return
        schema.check(session.connection())
        clock().read(session)
        self._trusted_until = time.monotonic() + SCHEMA_TRUSTED


@cache
def transactions() -> Transactions:
    """This process's way to open transactions."""
    return Transactions()
