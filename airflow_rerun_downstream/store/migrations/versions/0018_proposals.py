"""Reruns that are proposed: who did, until when they can be approved, and what was asked.

Revision: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
RERUN, MEMBER, PROPOSAL = (f"rerun_downstream_{name}" for name in ("rerun", "member", "proposal"))


def upgrade() -> None:
    """Add the columns and the table, as far as an interrupted migration hasn't done so."""
    columns, there = (set(), False) if op.get_context().as_sql else existing()
    for column in (
        sa.Column("proposed_by", sa.Text),
        sa.Column("proposed_at", MOMENT),
        sa.Column("expires_at", MOMENT),
    ):
        if column.name not in columns:
            op.add_column(RERUN, column)
    if not there:
        op.create_table(
            PROPOSAL,
            sa.Column("rerun_id", sa.Integer, nullable=False),
            sa.Column("request", sa.JSON, nullable=False),
            sa.Column("plan_token", sa.Text, nullable=False),
            sa.PrimaryKeyConstraint("rerun_id", name=op.f(f"pk_{PROPOSAL}")),
            sa.ForeignKeyConstraint(
                ["rerun_id"], [f"{RERUN}.id"], name=op.f(f"fk_{PROPOSAL}_rerun_id"), ondelete="CASCADE"
            ),
        )


def downgrade() -> None:
    """End what is only proposed, in words that older code knows, and drop the rest."""
    words = (sa.column(name, sa.Text) for name in ("state", "state_reason"))
    rerun = sa.table(RERUN, sa.column("id", sa.Integer), *words, sa.column("ended_at", MOMENT))
    member = sa.table(MEMBER, sa.column("rerun_id", sa.Integer), sa.column("state", sa.Text))
    proposed = sa.select(rerun.c.id).where(rerun.c.state == "proposed")
    op.execute(
        member.update().where(member.c.rerun_id.in_(proposed), member.c.state == "pending").values(state="terminated")
    )
    ended = {"state": "terminated", "state_reason": "It was only proposed.", "ended_at": sa.func.now()}
    op.execute(rerun.update().where(rerun.c.state == "proposed").values(ended))
    op.drop_table(PROPOSAL)
    for name in ("expires_at", "proposed_at", "proposed_by"):
        op.drop_column(RERUN, name)


def existing() -> tuple[set[str], bool]:
    """The columns that the table of reruns has now, and whether the new table is there."""
    found = sa.inspect(op.get_bind())
    return {column["name"] for column in found.get_columns(RERUN)}, found.has_table(PROPOSAL)
