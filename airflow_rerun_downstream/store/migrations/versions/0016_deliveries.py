"""What is to be told, and to whom.

Revision: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
RERUN, DELIVERY = "rerun_downstream_rerun", "rerun_downstream_delivery"


def upgrade() -> None:
    """Add the table, unless an interrupted migration has."""
    if not op.get_context().as_sql and sa.inspect(op.get_bind()).has_table(DELIVERY):
        return
    op.create_table(
        DELIVERY,
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("rerun_id", sa.Integer),
        sa.Column("target", sa.String(250), nullable=False),
        sa.Column("condition", sa.String(50), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("members", sa.JSON, nullable=False),
        sa.Column("occurrences", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("error", sa.String(100)),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{DELIVERY}")),
        sa.ForeignKeyConstraint(
            ["rerun_id"], [f"{RERUN}.id"], name=op.f(f"fk_{DELIVERY}_rerun_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("message_id", name=op.f(f"uq_{DELIVERY}_message_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f(f"ix_{DELIVERY}_state_due_at"), DELIVERY, ["state", "due_at"])
    op.create_index(op.f(f"ix_{DELIVERY}_rerun_id_id"), DELIVERY, ["rerun_id", "id"])


def downgrade() -> None:
    """Drop it. What hasn't been sent is never told."""
    op.drop_table(DELIVERY)
