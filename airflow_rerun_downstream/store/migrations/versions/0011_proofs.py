"""What the last proof of a rerun has counted, and when it was made.

Revision: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
TABLE = "rerun_downstream_rerun"


def upgrade() -> None:
    """Add the columns, as far as an interrupted migration hasn't done so."""
    known = set() if op.get_context().as_sql else columns()
    for column in (sa.Column("proven_at", MOMENT), sa.Column("proof", sa.JSON(none_as_null=True))):
        if column.name not in known:
            op.add_column(TABLE, column)


def downgrade() -> None:
    """Drop them."""
    for name in ("proof", "proven_at"):
        op.drop_column(TABLE, name)


def columns() -> set[str]:
    """The columns that the table has now."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(TABLE)}
