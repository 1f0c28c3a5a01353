"""What members count without having made it anew.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "rerun_downstream_not_made_anew"
OWNERS = ("rerun", "member")


def upgrade() -> None:
    """Create the table, as far as an interrupted migration hasn't done so: MySQL takes nothing back."""
    known = indexes()
    if known is None:
        op.create_table(
            TABLE,
            sa.Column("id", sa.Integer, nullable=False),
            sa.Column("rerun_id", sa.Integer, nullable=False),
            sa.Column("member_id", sa.Integer, nullable=False),
            sa.Column("task_id", sa.String(250), nullable=False),
            sa.Column("map_index", sa.Integer),
            sa.Column("reason", sa.String(50), nullable=False),
            sa.Column("accepted_by", sa.Text),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
            *(goes_with(owner) for owner in OWNERS),
        )
    for owner in OWNERS:
        if (name := f"ix_{TABLE}_{owner}_id") not in (known or ()):
            op.create_index(op.f(name), TABLE, [f"{owner}_id"])


def goes_with(owner: str) -> sa.ForeignKeyConstraint:
    """A foreign key to one of our tables, whose rows take these along."""
    name = op.f(f"fk_{TABLE}_{owner}_id")
    return sa.ForeignKeyConstraint([f"{owner}_id"], [f"rerun_downstream_{owner}.id"], name=name, ondelete="CASCADE")


def indexes() -> set[str | None] | None:
    """The table's indexes; None: there is no such table. A script knows none."""
    if op.get_context().as_sql:
        return None
    look = sa.inspect(op.get_bind())
    return {one["name"] for one in look.get_indexes(TABLE)} if look.has_table(TABLE) else None


def downgrade() -> None:
    """Drop it."""
    op.drop_table(TABLE)
