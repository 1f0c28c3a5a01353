"""The run that stays polluted, of what was made anew on top of it.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLE = "rerun_downstream_not_made_anew"
COLUMNS = ("because_dag_id", "because_run_id")


def upgrade() -> None:
    """Add the columns, as far as an interrupted migration hasn't done so."""
    known = set() if op.get_context().as_sql else columns()
    for name in COLUMNS:
        if name not in known:
            op.add_column(TABLE, sa.Column(name, sa.String(250)))


def downgrade() -> None:
    """Drop them."""
    for name in COLUMNS:
        op.drop_column(TABLE, name)


def columns() -> set[str]:
    """The columns that the table has now."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(TABLE)}
