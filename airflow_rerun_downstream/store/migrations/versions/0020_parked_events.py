"""What is parked of a queue that has a row for each asset event, as Airflow's has since 3.4.

Revision: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
PARKED = "rerun_downstream_parked_event"


def upgrade() -> None:
    """Add the table, unless an interrupted migration has. What is parked by its asset stays where it is."""
    if not op.get_context().as_sql and sa.inspect(op.get_bind()).has_table(PARKED):
        return
    op.create_table(
        PARKED,
        sa.Column("dag_id", sa.String(250), nullable=False),
        sa.Column("event_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("dag_id", "event_id", name=op.f(f"pk_{PARKED}")),
    )


def downgrade() -> None:
    """Drop it; nothing is in it then, see `remains.refuse_unless_empty`."""
    op.drop_table(PARKED)
