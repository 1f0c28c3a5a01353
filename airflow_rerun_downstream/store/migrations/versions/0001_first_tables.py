"""The first tables.

Revision: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")


def primary_key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    """The primary key, named as the tables' naming convention does."""
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_rerun_downstream_{table}"))


def goes_with(table: str, column: str, owner: str) -> sa.ForeignKeyConstraint:
    """A foreign key to one of our tables, whose rows take these along."""
    name = op.f(f"fk_rerun_downstream_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"rerun_downstream_{owner}.id"], name=name, ondelete="CASCADE")


def index(table: str, *columns: str) -> None:
    """An index, named as the tables' naming convention does."""
    name = f"ix_rerun_downstream_{table}_{'_'.join(columns)}"
    op.create_index(op.f(name), f"rerun_downstream_{table}", list(columns))


def airflow_id(name: str, nullable: bool = False) -> sa.Column[Any]:
    """A Dag's, run's or task's id."""
    return sa.Column(name, sa.String(250), nullable=nullable)


def upgrade() -> None:
    """Create every table."""
    create_rerun()
    create_member()
    create_gate()
    create_child()
    create_link()
    create_event()
    create_active_run()
    create_lease()
    create_dispatched_task()
    create_process()
    create_hold()
    create_parked()


def create_rerun() -> None:
    """One repair."""
    op.create_table(
        "rerun_downstream_rerun",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("reason", sa.Text),
        airflow_id("source_dag_id"),
        airflow_id("source_run_id"),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("freeze_mode", sa.Boolean, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_by_id", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("notifications", sa.JSON, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("warnings", sa.JSON, nullable=False),
        primary_key("rerun", "id"),
        sqlite_autoincrement=True,
    )
    index("rerun", "state")
    index("rerun", "created_at")


def create_member() -> None:
    """A run that takes part."""
    op.create_table(
        "rerun_downstream_member",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("rerun_id", sa.Integer, nullable=False),
        airflow_id("dag_id"),
        airflow_id("run_id", nullable=True),
        airflow_id("original_run_id", nullable=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("tasks", sa.JSON, nullable=False),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("clear_number", sa.Integer),
        sa.Column("logical_date", MOMENT),
        sa.Column("run_after", MOMENT),
        sa.Column("dispatched_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("final_run_state", sa.String(50)),
        primary_key("member", "id"),
        goes_with("member", "rerun_id", "rerun"),
        sa.UniqueConstraint(
            "rerun_id", "dag_id", "run_id", name=op.f("uq_rerun_downstream_member_rerun_id_dag_id_run_id")
        ),
        sqlite_autoincrement=True,
    )
    index("member", "dag_id", "run_id")


def create_gate() -> None:
    """Which member waits for which."""
    op.create_table(
        "rerun_downstream_gate",
        sa.Column("member_id", sa.Integer, nullable=False),
        sa.Column("waits_for_member_id", sa.Integer, nullable=False),
        sa.Column("rerun_id", sa.Integer, nullable=False),
        primary_key("gate", "member_id", "waits_for_member_id"),
        goes_with("gate", "member_id", "member"),
        goes_with("gate", "waits_for_member_id", "member"),
        goes_with("gate", "rerun_id", "rerun"),
    )
    index("gate", "rerun_id")


def create_child() -> None:
    """Which task of which member makes a member's run."""
    op.create_table(
        "rerun_downstream_child",
        sa.Column("parent_member_id", sa.Integer, nullable=False),
        airflow_id("task_id"),
        sa.Column("map_index", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("member_id", sa.Integer, nullable=False),
        sa.Column("rerun_id", sa.Integer, nullable=False),
        airflow_id("dag_id"),
        primary_key("child", "parent_member_id", "task_id", "map_index"),
        goes_with("child", "parent_member_id", "member"),
        goes_with("child", "member_id", "member"),
        goes_with("child", "rerun_id", "rerun"),
    )
    index("child", "rerun_id")
    index("child", "dag_id")


def create_link() -> None:
    """The links as they were at submit."""
    op.create_table(
        "rerun_downstream_link",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("rerun_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        airflow_id("upstream_dag_id"),
        airflow_id("upstream_run_id"),
        airflow_id("downstream_dag_id"),
        airflow_id("downstream_run_id", nullable=True),
        sa.Column("future", sa.JSON),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("evidence", sa.String(20), nullable=False),
        sa.Column("via", sa.JSON, nullable=False),
        airflow_id("from_task_id", nullable=True),
        airflow_id("to_task_id", nullable=True),
        primary_key("link", "id"),
        goes_with("link", "rerun_id", "rerun"),
    )
    index("link", "rerun_id")


def create_event() -> None:
    """The record of a rerun."""
    op.create_table(
        "rerun_downstream_event",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("rerun_id", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.String(50), nullable=False),
        sa.Column("member_id", sa.Integer),
        sa.Column("detail", sa.Text),
        primary_key("event", "id"),
        goes_with("event", "rerun_id", "rerun"),
    )
    index("event", "rerun_id")


def create_active_run() -> None:
    """A run in one active rerun."""
    op.create_table(
        "rerun_downstream_active_run",
        airflow_id("dag_id"),
        airflow_id("run_id"),
        sa.Column("rerun_id", sa.Integer, nullable=False),
        sa.Column("member_id", sa.Integer, nullable=False),
        primary_key("active_run", "dag_id", "run_id"),
        goes_with("active_run", "rerun_id", "rerun"),
        goes_with("active_run", "member_id", "member"),
    )
    index("active_run", "rerun_id")


def create_lease() -> None:
    """One conductor at a time."""
    op.create_table(
        "rerun_downstream_lease",
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(250)),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("last_tick_at", MOMENT, nullable=False),
        primary_key("lease", "name"),
    )


def create_dispatched_task() -> None:
    """The task instances that we cleared."""
    op.create_table(
        "rerun_downstream_dispatched_task",
        airflow_id("dag_id"),
        airflow_id("run_id"),
        airflow_id("task_id"),
        sa.Column("map_index", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("rerun_id", sa.Integer, nullable=False),
        sa.Column("member_id", sa.Integer),
        sa.Column("first_try", sa.Integer, nullable=False),
        sa.Column("emitted_try", sa.Integer),
        primary_key("dispatched_task", "dag_id", "run_id", "task_id", "map_index"),
    )


def create_process() -> None:
    """The processes that have our hooks."""
    op.create_table(
        "rerun_downstream_process",
        sa.Column("id", sa.String(250), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("asset_manager", sa.Boolean, nullable=False),
        sa.Column("freeze_hook", sa.Boolean, nullable=False),
        sa.Column("job_id", sa.Integer),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        primary_key("process", "id"),
    )
    index("process", "seen_at")


def create_hold() -> None:
    """What keeps a frozen member's run from starting."""
    op.create_table(
        "rerun_downstream_hold",
        sa.Column("member_id", sa.Integer, nullable=False),
        sa.Column("rerun_id", sa.Integer, nullable=False),
        airflow_id("dag_id"),
        airflow_id("run_id", nullable=True),
        sa.Column("logical_date", MOMENT),
        sa.Column("partition_key", sa.String(250)),
        sa.Column("assets", sa.Boolean, nullable=False),
        sa.Column("run_after", MOMENT),
        sa.Column("held_at", MOMENT),
        primary_key("hold", "member_id"),
        goes_with("hold", "member_id", "member"),
        goes_with("hold", "rerun_id", "rerun"),
    )
    index("hold", "rerun_id")
    index("hold", "dag_id")


def create_parked() -> None:
    """What the assets of frozen Dags queued."""
    op.create_table(
        "rerun_downstream_parked",
        airflow_id("dag_id"),
        sa.Column("asset_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("created_at", MOMENT, nullable=False),
        primary_key("parked", "dag_id", "asset_id"),
    )


OWNED_FIRST = (
    *("hold", "parked", "process", "dispatched_task", "lease"),
    *("active_run", "event", "link", "child", "gate", "member", "rerun"),
)


def downgrade() -> None:
    """Drop every table, those that point to others first."""
    for table in OWNED_FIRST:
        op.drop_table(f"rerun_downstream_{table}")
