"""Which asset events repeat which.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "rerun_downstream_repeat"


def upgrade() -> None:
    """Create the table, unless it is there: MySQL doesn't take that back where a migration is interrupted."""
    if not op.get_context().as_sql and sa.inspect(op.get_bind()).has_table(TABLE):
        return
    op.create_table(
        TABLE,
        sa.Column("event_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("original_id", sa.Integer, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("event_id", "original_id", name=op.f(f"pk_{TABLE}")),
    )
    op.create_index(op.f(f"ix_{TABLE}_original_id"), TABLE, ["original_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table(TABLE)
