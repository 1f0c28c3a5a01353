"""When a member's stages have ended, and which runs it had between its first and its present one.

Revision: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MEMBER = "rerun_downstream_member"
COLUMNS = ("stage_ends", "runs_between")


def upgrade() -> None:
    """Add what an interrupted migration hasn't added. Of the members that there are nobody knows either."""
    there = set() if op.get_context().as_sql else columns()
    for name in COLUMNS:
        if name not in there:
            op.add_column(MEMBER, sa.Column(name, sa.JSON(none_as_null=True)))


def downgrade() -> None:
    """Drop the columns. The table isn't copied for that: its gates would go with it on SQLite."""
    for name in COLUMNS:
        op.drop_column(MEMBER, name)


def columns() -> set[str]:
    """The columns that the table has now."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(MEMBER)}
