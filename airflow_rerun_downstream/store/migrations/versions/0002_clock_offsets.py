"""How far each process's own clock is off.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PROCESS = "rerun_downstream_process"


def upgrade() -> None:
    """Add the column, unless an interrupted migration has done so: MySQL takes no change of a table back."""
    if op.get_context().as_sql or "clock_offset" not in columns():
        op.add_column(PROCESS, sa.Column("clock_offset", sa.Float()))


def downgrade() -> None:
    """Drop the column; SQLite before 3.35 can't, unless the table is copied, which a script can't do."""
    if op.get_context().as_sql:
        op.drop_column(PROCESS, "clock_offset")
        return
    with op.batch_alter_table(PROCESS) as table:
        table.drop_column("clock_offset")


def columns() -> set[str]:
    """The columns that the table has now."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(PROCESS)}
