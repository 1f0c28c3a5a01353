"""Run by alembic. The connection, and with it the transaction, is handed in by ``store/schema.py``."""

from __future__ import annotations

from typing import Any

from alembic import context

from airflow_rerun_downstream.store.tables import VERSION_TABLE, metadata

COMMON: dict[str, Any] = {
    "target_metadata": metadata,
    "version_table": VERSION_TABLE,
    "compare_type": True,
    "render_as_batch": True,
    # Airflow's tables share the database: they are none of our business.
    "include_name": lambda name, kind, _parents: kind != "table" or name in metadata.tables,
}

if context.is_offline_mode():
    context.configure(url=context.config.get_main_option("sqlalchemy.url"), literal_binds=True, **COMMON)
else:
    context.configure(connection=context.config.attributes["connection"], **COMMON)

with context.begin_transaction():
    context.run_migrations()
