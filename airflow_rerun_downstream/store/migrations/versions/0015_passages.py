"""Passages, each of which stands for many gates.

Revision: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

RERUN, MEMBER, PASSAGE = (f"rerun_downstream_{name}" for name in ("rerun", "member", "passage"))


def upgrade() -> None:
    """Add what an interrupted migration hasn't added."""
    script = op.get_context().as_sql
    if script or not sa.inspect(op.get_bind()).has_table(PASSAGE):
        op.create_table(
            PASSAGE,
            sa.Column("rerun_id", sa.Integer, nullable=False),
            sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
            sa.Column("members", sa.JSON, nullable=False),
            sa.Column("passages", sa.JSON, nullable=False),
            sa.PrimaryKeyConstraint("rerun_id", "number", name=op.f(f"pk_{PASSAGE}")),
            sa.ForeignKeyConstraint(
                ["rerun_id"], [f"{RERUN}.id"], name=op.f(f"fk_{PASSAGE}_rerun_id"), ondelete="CASCADE"
            ),
        )
    if script or "passage" not in {str(one["name"]) for one in sa.inspect(op.get_bind()).get_columns(MEMBER)}:
        op.add_column(MEMBER, sa.Column("passage", sa.Integer))


def downgrade() -> None:
    """Drop them. Nobody waits any more: tables aren't taken back while a rerun isn't over."""
    op.drop_column(MEMBER, "passage")
    op.drop_table(PASSAGE)
