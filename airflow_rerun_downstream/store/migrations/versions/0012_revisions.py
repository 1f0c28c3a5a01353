"""Which change of its rerun a member was written with, and indexes on what is looked up member by member.

Revision: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

RERUN, MEMBER, GATE, LINK = (f"rerun_downstream_{name}" for name in ("rerun", "member", "gate", "link"))
INDEXES = {
    f"ix_{MEMBER}_rerun_id_revision": (MEMBER, ["rerun_id", "revision"]),
    f"ix_{GATE}_waits_for_member_id": (GATE, ["waits_for_member_id"]),
    f"ix_{LINK}_upstream": (LINK, ["rerun_id", "upstream_dag_id", "upstream_run_id"]),
    f"ix_{LINK}_downstream": (LINK, ["rerun_id", "downstream_dag_id", "downstream_run_id"]),
}


def upgrade() -> None:
    """Add what an interrupted migration hasn't added. Every process reads a rerun whole before it counts on these."""
    script = op.get_context().as_sql
    for table in (RERUN, MEMBER):
        if script or "revision" not in names(table, "columns"):
            op.add_column(table, sa.Column("revision", sa.Integer, nullable=False, server_default="0"))
    for name, (table, columns) in INDEXES.items():
        if script or name not in names(table, "indexes"):
            op.create_index(op.f(name), table, columns)


def downgrade() -> None:
    """Drop them; MySQL and MariaDB keep that of a foreign key, which they don't let be without one."""
    mysql = op.get_context().dialect.name in ("mysql", "mariadb")
    for name, (table, columns) in INDEXES.items():
        if not (mysql and len(columns) == 1):
            op.drop_index(op.f(name), table)
    for table in (MEMBER, RERUN):
        op.drop_column(table, "revision")


def names(table: str, of: str) -> set[str]:
    """The columns or the indexes that a table has now."""
    look = sa.inspect(op.get_bind())
    found = look.get_columns(table) if of == "columns" else look.get_indexes(table)
    return {str(one["name"]) for one in found}
