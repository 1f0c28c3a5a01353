"""Indexes on members, where the database looks for rows that go away with one.

Revision: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ADDED = {
    f"ix_{table}_member_id": (table, ["member_id"])
    for table in ("rerun_downstream_child", "rerun_downstream_active_run")
}


def upgrade() -> None:
    """Add what an interrupted migration hasn't added."""
    script = op.get_context().as_sql
    for name, (table, columns) in ADDED.items():
        if script or name not in indexes(table):
            op.create_index(op.f(name), table, columns)


def downgrade() -> None:
    """Take it back; MySQL and MariaDB keep them: they let no foreign key be without an index."""
    if op.get_context().dialect.name in ("mysql", "mariadb"):
        return
    for name, (table, _) in ADDED.items():
        op.drop_index(op.f(name), table)


def indexes(table: str) -> set[str]:
    """The indexes that a table has now."""
    return {str(one["name"]) for one in sa.inspect(op.get_bind()).get_indexes(table)}
