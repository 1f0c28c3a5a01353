"""Which rerun has come of a user's key.

Revision: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

RERUN, KEY = "rerun_downstream_rerun", "rerun_downstream_idempotency_key"


def upgrade() -> None:
    """Add the table, unless an interrupted migration has."""
    if not op.get_context().as_sql and sa.inspect(op.get_bind()).has_table(KEY):
        return
    op.create_table(
        KEY,
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("body", sa.String(64), nullable=False),
        sa.Column("rerun_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f(f"pk_{KEY}")),
        sa.ForeignKeyConstraint(["rerun_id"], [f"{RERUN}.id"], name=op.f(f"fk_{KEY}_rerun_id"), ondelete="CASCADE"),
    )
    op.create_index(op.f(f"ix_{KEY}_rerun_id"), KEY, ["rerun_id"])


def downgrade() -> None:
    """Drop it. Whoever repeats a submit makes another rerun then."""
    op.drop_table(KEY)
