"""When what a rerun made anew had last started without one.

Revision: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = "rerun_downstream_own_start"
MOMENT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")


def upgrade() -> None:
    """Create the table, unless it is there: MySQL doesn't take that back where a migration is interrupted."""
    if not op.get_context().as_sql and sa.inspect(op.get_bind()).has_table(TABLE):
        return
    op.create_table(
        TABLE,
        sa.Column("dag_run_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("task_id", sa.String(250), nullable=False),
        sa.Column("map_index", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("max_tries", sa.Integer, nullable=False),
        sa.Column("first_try", sa.Integer),
        sa.Column("try_id", sa.String(32)),
        sa.PrimaryKeyConstraint("dag_run_id", "task_id", "map_index", name=op.f(f"pk_{TABLE}")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table(TABLE)
