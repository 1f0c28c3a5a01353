"""A person's wish to have a frozen run released, as a column of its own.

Revision: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MEMBER = "rerun_downstream_member"
ASKED = "release_asked"


def upgrade() -> None:
    """Add the column, unless an interrupted migration has done so; who has asked already has asked."""
    if op.get_context().as_sql or ASKED not in columns():
        op.add_column(MEMBER, sa.Column(ASKED, sa.Boolean(), nullable=False, server_default=sa.false()))
    member = sa.table(MEMBER, sa.column(ASKED), sa.column("state"), sa.column("state_reason"))
    asked = sa.update(member).where(member.c.state == "frozen", member.c.state_reason == "release_asked")
    op.execute(asked.values(release_asked=sa.true()))


def downgrade() -> None:
    """Drop the column. The table isn't copied for that: its gates would go with it on SQLite."""
    op.drop_column(MEMBER, ASKED)


def columns() -> set[str]:
    """The columns that the table has now."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(MEMBER)}
