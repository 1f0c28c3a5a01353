"""What has gone wrong lately in each process's part of Airflow's work.

Revision: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PROCESS = "rerun_downstream_process"


def upgrade() -> None:
    """Add the column, unless an interrupted migration has done so: MySQL takes no change of a table back."""
    if op.get_context().as_sql or "trouble" not in columns():
        op.add_column(PROCESS, sa.Column("trouble", sa.Text()))


def downgrade() -> None:
    """Drop the column; SQLite before 3.35 can't, unless the table is copied, which a script can't do."""
    if op.get_context().as_sql:
        op.drop_column(PROCESS, "trouble")
        return
    with op.batch_alter_table(PROCESS) as table:
        table.drop_column("trouble")


def columns() -> set[str]:
    """The columns that the table has now."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(PROCESS)}
