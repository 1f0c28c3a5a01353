"""Indexes in the order of the pages of a record.

Those of links and of lines take the place of indexes on the rerun alone.

Revision: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MEMBER, LINK, EVENT = (f"rerun_downstream_{name}" for name in ("member", "link", "event"))
ADDED = {
    f"ix_{MEMBER}_rerun_id_depth_run_after": (MEMBER, ["rerun_id", "depth", "run_after"]),
    f"ix_{MEMBER}_rerun_id_id": (MEMBER, ["rerun_id", "id"]),
    f"ix_{LINK}_rerun_id_position": (LINK, ["rerun_id", "position"]),
    f"ix_{EVENT}_rerun_id_id": (EVENT, ["rerun_id", "id"]),
}
REPLACED = {f"ix_{table}_rerun_id": (table, ["rerun_id"]) for table in (LINK, EVENT)}


def upgrade() -> None:
    """Add what an interrupted migration hasn't added, and drop what it hasn't dropped."""
    script = op.get_context().as_sql
    for name, (table, columns) in ADDED.items():
        if script or name not in indexes(table):
            op.create_index(op.f(name), table, columns)
    for name, (table, _) in REPLACED.items():
        if script or name in indexes(table):
            op.drop_index(op.f(name), table)


def downgrade() -> None:
    """Take it back."""
    for name, (table, columns) in REPLACED.items():
        op.create_index(op.f(name), table, columns)
    for name, (table, _) in ADDED.items():
        op.drop_index(op.f(name), table)


def indexes(table: str) -> set[str]:
    """The indexes that a table has now."""
    return {str(one["name"]) for one in sa.inspect(op.get_bind()).get_indexes(table)}
