"""Which Dags a line of a record names.

Revision: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

EVENT = "rerun_downstream_event"

event = sa.table(EVENT, sa.column("action", sa.String()), sa.column("dag_ids", sa.JSON(none_as_null=True)))


def upgrade() -> None:
    """Add the column. Of the lines that there are, only those about adopted runs named another Dag."""
    # An interrupted migration may have added it: MySQL takes no change of a table back.
    if op.get_context().as_sql or "dag_ids" not in columns():
        op.add_column(EVENT, sa.Column("dag_ids", sa.JSON()))
    op.execute(event.update().where(event.c.action != "member_adopted").values(dag_ids=sa.text("'[]'")))


def downgrade() -> None:
    """Drop the column; SQLite before 3.35 can't, unless the table is copied, which a script can't do."""
    if op.get_context().as_sql:
        op.drop_column(EVENT, "dag_ids")
        return
    with op.batch_alter_table(EVENT) as table:
        table.drop_column("dag_ids")


def columns() -> set[str]:
    """The columns that the table has now."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(EVENT)}
