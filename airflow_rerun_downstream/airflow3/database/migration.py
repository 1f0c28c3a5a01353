"""Our tables as Airflow's own commands see them.

On Airflow 3.2 and later ``airflow db migrate``, ``db check-migrations`` and ``db reset`` find this manager through the
provider information; elsewhere through ``[database] external_db_managers``, or not at all: then
``airflow-rerun-downstream db migrate`` and `migrate_at_start` do the same.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.utils.db_manager import BaseDBManager

from airflow_rerun_downstream import host
from airflow_rerun_downstream.airflow3.database import last_rerun_id
from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.schema import SchemaState
from airflow_rerun_downstream.store.tables import VERSION_TABLE, metadata

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection, Engine

log = logging.getLogger(__name__)


class RerunDownstreamDBManager(BaseDBManager):
    """Migrates our tables together with Airflow's. Whatever they are like, Airflow's own migration isn't stopped.

    On an Airflow that isn't known, where a configuration may still name it, it leaves our tables alone.
    """

    metadata = metadata
    version_table_name = VERSION_TABLE
    migration_dir = (schema.FOLDER / "migrations").as_posix()
    alembic_file = (schema.FOLDER / "alembic.ini").as_posix()
    supports_table_dropping = True
    revision_heads_map = {"0.1.0": "0020"}  # noqa: RUF012  the base class's

    @property
    def engine(self) -> Engine:
        """The engine of Airflow's session."""
        engine: Engine = self.session.get_bind().engine
        return engine

    def get_alembic_config(self) -> Config:
        """Alembic's configuration, enough to look around and to write scripts."""
        return schema.config(url=self.engine.url.render_as_string(hide_password=False))

    def get_current_revision(self) -> str | None:
        """The revision of our tables; None: there are none."""
        # On a connection of its own: an open reading transaction would stand in the way of a migration.
        with self.engine.connect() as connection:
            return schema.current_revision(connection)

    def check_migration(self) -> bool:
        """Whether nothing is left to be migrated. So it is for tables of a newer version: Airflow mustn't wait."""
        return not host.supported() or self.state() in (SchemaState.READY, SchemaState.NEWER)

    def create_db_from_orm(self) -> None:
        """New tables come from the migrations, as everybody else's."""
        self.upgradedb()

    def initdb(self, use_migration_files: bool = False) -> None:
        """Bring the tables up to date, from whatever they are."""
        self.upgradedb()

    def upgradedb(
        self,
        to_revision: str | None = None,
        from_revision: str | None = None,
        show_sql_only: bool = False,
        use_migration_files: bool = False,
    ) -> None:
        """Bring the tables up to date, or to a revision; or print the statements that would."""
        if not host.supported():
            return log.warning(host.why_not())
        if show_sql_only:
            return self._print_upgrade(from_revision, to_revision or "head")
        if self.state() is SchemaState.NEWER:
            return log.warning(SchemaState.NEWER.value)
        schema.upgrade(self.engine, to_revision or "head", last_id=last_rerun_id.last_rerun_id)
        return log.info("The tables of airflow-rerun-downstream are migrated")

    def downgrade(self, to_revision: str, from_revision: str | None = None, show_sql_only: bool = False) -> None:
        """Bring the tables back to an older revision; ``base`` removes them. Or print the statements that would.

        Raises `TablesInUse`, which says what to do first, while something would be lost with the tables.
        """
        if not host.supported():
            return log.warning(host.why_not())
        if show_sql_only:
            from alembic import command

            begin = from_revision or self.get_current_revision() or schema.HEAD
            return command.downgrade(self.get_alembic_config(), f"{begin}:{to_revision}", sql=True)
        return schema.downgrade(self.engine, to_revision)

    def drop_tables(self, connection: Connection) -> None:
        """Drop what there is of our tables, in Airflow's transaction."""
        if host.supported():
            schema.drop(connection)

    def _print_upgrade(self, from_revision: str | None, to_revision: str) -> None:
        from alembic import command

        begin = from_revision or self.get_current_revision()
        span = f"{begin}:{to_revision}" if begin else to_revision
        command.upgrade(self.get_alembic_config(), span, sql=True)

    def state(self) -> SchemaState:
        """How the tables compare with the code."""
        with self.engine.connect() as connection:
            return schema.state(connection)


def migrate_at_start() -> bool:
    """Bring the tables up to date where nobody did, and say whether they are. Never raises; logs what it did.

    Every process of a deployment may call it at once, also while ``airflow db migrate`` runs.
    """
    try:
        return _migrate_where_needed()
    except Exception:
        log.exception("The tables of airflow-rerun-downstream could not be migrated. %s", schema.MIGRATE)
    try:  # somebody else may have been faster
        return _state_now() is SchemaState.READY
    except Exception:
        return False


def _state_now() -> SchemaState:
    from airflow.utils.session import create_session

    with create_session(scoped=False) as session:
        return RerunDownstreamDBManager(session).state()  # type: ignore[no-untyped-call]


def _migrate_where_needed() -> bool:
    from airflow.utils.db import DBLocks, create_global_lock
    from airflow.utils.session import create_session

    with create_session(scoped=False) as session:
        manager = RerunDownstreamDBManager(session)  # type: ignore[no-untyped-call]
        found = manager.state()
        if found in (SchemaState.MISSING, SchemaState.OLDER, SchemaState.INCOMPLETE):
            log.info("%s It is done now.", found.value)
            with create_global_lock(session=session, lock=DBLocks.MIGRATIONS):
                manager.upgradedb()
            found = manager.state()
        elif found is SchemaState.NEWER:
            log.error(found.value)
        return found is SchemaState.READY
