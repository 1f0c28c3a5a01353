"""Stages of members.

Revision: 0006
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MEMBER, GATE, KEPT = "rerun_downstream_member", "rerun_downstream_gate", "rerun_downstream_gate_kept"


def upgrade() -> None:
    """Members have one stage, and wait for all of others. What an interrupted migration has done isn't done again."""
    script = op.get_context().as_sql
    for column in new_columns():
        if script or column.name not in columns(MEMBER):
            op.add_column(MEMBER, column)
    if script or "stage" not in columns(GATE):
        more = [
            sa.Column("stage", sa.Integer, nullable=False, autoincrement=False),
            sa.Column("until_stage", sa.Integer),
        ]
        key = ["member_id", "waits_for_member_id", "stage"]
        rebuild_gate(more, key, "member_id, waits_for_member_id, 0, NULL, rerun_id")


def downgrade() -> None:
    """What waits for a part of another member waits for all of it."""
    rebuild_gate([], ["member_id", "waits_for_member_id"], "member_id, waits_for_member_id, rerun_id")
    for column in new_columns():
        op.drop_column(MEMBER, column.name)


def new_columns() -> list[sa.Column[Any]]:
    """What a member has more than before. The table isn't copied for them: its gates would go with it on SQLite."""
    return [
        sa.Column("stages", sa.JSON(none_as_null=True)),
        sa.Column("stage", sa.Integer, nullable=False, server_default="0"),
        sa.Column("stage_attempt", sa.Integer, nullable=False, server_default="0"),
    ]


def columns(table: str) -> set[str]:
    """The columns that a table has now."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def rebuild_gate(more: list[sa.Column[Any]], key: list[str], values: str) -> None:
    """Make the table of gates anew with another key; no two databases change that in place in the same way."""
    op.execute(f"CREATE TABLE {KEPT} AS SELECT DISTINCT member_id, waits_for_member_id, rerun_id FROM {GATE}")
    op.drop_table(GATE)
    op.create_table(
        GATE,
        sa.Column("member_id", sa.Integer, nullable=False),
        sa.Column("waits_for_member_id", sa.Integer, nullable=False),
        *more,
        sa.Column("rerun_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_rerun_downstream_gate")),
        goes_with("member_id", "member"),
        goes_with("waits_for_member_id", "member"),
        goes_with("rerun_id", "rerun"),
    )
    op.create_index(op.f("ix_rerun_downstream_gate_rerun_id"), GATE, ["rerun_id"])
    names = ", ".join(["member_id", "waits_for_member_id", *(column.name for column in more), "rerun_id"])
    op.execute(f"INSERT INTO {GATE} ({names}) SELECT {values} FROM {KEPT}")
    op.drop_table(KEPT)


def goes_with(column: str, owner: str) -> sa.ForeignKeyConstraint:
    """A foreign key to one of our tables, whose rows take these along."""
    name = op.f(f"fk_rerun_downstream_gate_{column}")
    return sa.ForeignKeyConstraint([column], [f"rerun_downstream_{owner}.id"], name=name, ondelete="CASCADE")
