"""The tables. Their shape is also written, step by step, in ``migrations``; a test holds the two together.

There is no foreign key to Airflow's tables: a run that is deleted must not take its record along, nor may our rows
keep Airflow from deleting it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    inspect,
)
from sqlalchemy.engine import Connection

from airflow_rerun_downstream.store.types import UtcDateTime

PREFIX = "rerun_downstream_"
VERSION_TABLE = "alembic_version_rerun_downstream"

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def airflow_id(name: str, **options: Any) -> Column[Any]:
    """A Dag's, run's or task's id, as long as Airflow allows."""
    return Column(name, String(250), **options)


def owned_by(name: str, table: str, **options: Any) -> Column[Any]:
    """A row of ``table`` that this one goes away with."""
    return Column(name, Integer, ForeignKey(f"{PREFIX}{table}.id", ondelete="CASCADE"), **options)


rerun = Table(
    f"{PREFIX}rerun",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text),
    Column("reason", Text),
    airflow_id("source_dag_id", nullable=False),
    airflow_id("source_run_id", nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("state_reason", Text),
    Column("freeze_mode", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_by_id", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("settings", JSON, nullable=False),
    Column("notifications", JSON, nullable=False),
    Column("options", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("proven_at", UtcDateTime),
    Column("proof", JSON(none_as_null=True)),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("proposed_by", Text),
    Column("proposed_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    sqlite_autoincrement=True,  # the id of a deleted rerun must not come back: notes and audit rows name it
)

member = Table(
    f"{PREFIX}member",
    metadata,
    Column("id", Integer, primary_key=True),
    owned_by("rerun_id", "rerun", nullable=False),
    airflow_id("dag_id", nullable=False),
    airflow_id("run_id"),
    airflow_id("original_run_id"),
    Column("role", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("state_reason", Text),
    Column("tasks", JSON, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("clear_number", Integer),
    Column("logical_date", UtcDateTime),
    Column("run_after", UtcDateTime),
    Column("dispatched_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("final_run_state", String(50)),
    Column("stages", JSON(none_as_null=True)),
    Column("stage", Integer, nullable=False, server_default="0"),
    Column("stage_attempt", Integer, nullable=False, server_default="0"),
    Column("release_asked", Boolean, nullable=False, server_default=false()),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("stage_ends", JSON(none_as_null=True)),
    Column("runs_between", JSON(none_as_null=True)),
    Column("passage", Integer),
    UniqueConstraint("rerun_id", "dag_id", "run_id"),
    sqlite_autoincrement=True,
)
Index(None, member.c.dag_id, member.c.run_id)
Index(None, member.c.rerun_id, member.c.depth, member.c.run_after)
Index(None, member.c.rerun_id, member.c.id)
Index(None, member.c.rerun_id, member.c.revision)
"""A rerun's ``revision`` goes up with each change of it or of its members, and a member has that of its last change:
who knows a rerun at a revision reads what is later.
"""

gate = Table(
    f"{PREFIX}gate",
    metadata,
    owned_by("member_id", "member", primary_key=True),
    owned_by("waits_for_member_id", "member", primary_key=True, index=True),
    Column("stage", Integer, primary_key=True, autoincrement=False),
    Column("until_stage", Integer),
    owned_by("rerun_id", "rerun", nullable=False, index=True),
)
"""A member's stage waits for another member until that has ended a stage of its own; without one: all of it."""

passage = Table(
    f"{PREFIX}passage",
    metadata,
    owned_by("rerun_id", "rerun", primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("members", JSON, nullable=False),
    Column("passages", JSON, nullable=False),
)
"""A member that names a passage waits for all of its members, by their ids, and of the passages that it names itself:
those have lower numbers.
"""

child = Table(
    f"{PREFIX}child",
    metadata,
    owned_by("parent_member_id", "member", primary_key=True),
    airflow_id("task_id", primary_key=True),
    Column("map_index", Integer, primary_key=True, autoincrement=False),
    owned_by("member_id", "member", nullable=False, index=True),
    owned_by("rerun_id", "rerun", nullable=False, index=True),
    airflow_id("dag_id", nullable=False, index=True),
)
"""A member whose run a task of another member makes anew, with its Dag. The rows go when the rerun becomes final,
except where runs go on after it was terminated.
"""

link = Table(
    f"{PREFIX}link",
    metadata,
    Column("id", Integer, primary_key=True),
    owned_by("rerun_id", "rerun", nullable=False),
    Column("position", Integer, nullable=False),
    airflow_id("upstream_dag_id", nullable=False),
    airflow_id("upstream_run_id", nullable=False),
    airflow_id("downstream_dag_id", nullable=False),
    airflow_id("downstream_run_id"),
    Column("future", JSON(none_as_null=True)),
    Column("kind", String(20), nullable=False),
    Column("evidence", String(20), nullable=False),
    Column("via", JSON, nullable=False),
    airflow_id("from_task_id"),
    airflow_id("to_task_id"),
)
Index(None, link.c.rerun_id, link.c.position)
Index(f"ix_{PREFIX}link_upstream", link.c.rerun_id, link.c.upstream_dag_id, link.c.upstream_run_id)
Index(f"ix_{PREFIX}link_downstream", link.c.rerun_id, link.c.downstream_dag_id, link.c.downstream_run_id)
"""A rerun's links are never changed; their positions count from 0 without a gap."""

event = Table(
    f"{PREFIX}event",
    metadata,
    Column("id", Integer, primary_key=True),
    owned_by("rerun_id", "rerun", nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(50), nullable=False),
    Column("member_id", Integer),
    Column("detail", Text),
    Column("dag_ids", JSON),
)
Index(None, event.c.rerun_id, event.c.id)

not_made_anew = Table(
    f"{PREFIX}not_made_anew",
    metadata,
    Column("id", Integer, primary_key=True),
    owned_by("rerun_id", "rerun", nullable=False, index=True),
    owned_by("member_id", "member", nullable=False, index=True),
    airflow_id("task_id", nullable=False),
    Column("map_index", Integer),
    Column("reason", String(50), nullable=False),
    Column("accepted_by", Text),
    airflow_id("because_dag_id"),
    airflow_id("because_run_id"),
)
"""What a member counts without having made it anew. No map index: every index of the task."""

active_run = Table(
    f"{PREFIX}active_run",
    metadata,
    airflow_id("dag_id", primary_key=True),
    airflow_id("run_id", primary_key=True),
    owned_by("rerun_id", "rerun", nullable=False, index=True),
    owned_by("member_id", "member", nullable=False, index=True),
)
"""A run in one active rerun: the primary key is the rule. The rows go when the rerun becomes final."""

lease = Table(
    f"{PREFIX}lease",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("owner", String(250)),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_tick_at", UtcDateTime, nullable=False),
)

dispatched_task = Table(
    f"{PREFIX}dispatched_task",
    metadata,
    airflow_id("dag_id", primary_key=True),
    airflow_id("run_id", primary_key=True),
    airflow_id("task_id", primary_key=True),
    Column("map_index", Integer, primary_key=True, autoincrement=False),
    Column("rerun_id", Integer, nullable=False),
    Column("member_id", Integer),
    Column("first_try", Integer, nullable=False),
    Column("emitted_try", Integer),
)
"""The task instances that a dispatch of ours cleared. It outlives the rerun: a late try still emits events."""

own_start = Table(
    f"{PREFIX}own_start",
    metadata,
    Column("dag_run_id", Integer, primary_key=True, autoincrement=False),
    airflow_id("task_id", primary_key=True),
    Column("map_index", Integer, primary_key=True, autoincrement=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("max_tries", Integer, nullable=False),
    Column("first_try", Integer),
    Column("try_id", String(32)),
)
"""When a task instance that a rerun made anew had last started without one. It holds until somebody clears that again:
``max_tries`` is another then, as Airflow's own retries leave it, or else ``first_try``, the rerun's first, has another
id than ``try_id`` (hexadecimal). The run goes by its number in Airflow: one that is made under a deleted one's id has
another.
"""

process = Table(
    f"{PREFIX}process",
    metadata,
    Column("id", String(250), primary_key=True),
    Column("kind", String(50), nullable=False),
    Column("asset_manager", Boolean, nullable=False),
    Column("freeze_hook", Boolean, nullable=False),
    Column("job_id", Integer),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False, index=True),
    Column("clock_offset", Float),
    Column("trouble", Text),
)

hold = Table(
    f"{PREFIX}hold",
    metadata,
    Column("member_id", Integer, ForeignKey(f"{PREFIX}member.id", ondelete="CASCADE"), primary_key=True),
    owned_by("rerun_id", "rerun", nullable=False, index=True),
    airflow_id("dag_id", nullable=False, index=True),
    airflow_id("run_id"),
    Column("logical_date", UtcDateTime),
    Column("partition_key", String(250)),
    Column("assets", Boolean, nullable=False),
    Column("run_after", UtcDateTime),
    Column("held_at", UtcDateTime),
)
"""What keeps a frozen member's run from starting. ``assets``: by parking what its Dag's assets queue, else by its
``run_after``, of which the true value is kept here. ``run_id`` and ``held_at`` come when the run is there and held.
The row goes with the release: a run is held exactly as long as a row says so.
"""

parked = Table(
    f"{PREFIX}parked",
    metadata,
    airflow_id("dag_id", primary_key=True),
    Column("asset_id", Integer, primary_key=True, autoincrement=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""The rows of Airflow's ``asset_dag_run_queue`` that were taken out of the scheduler's sight, to be put back.

These are the rows of Airflow up to 3.3, each of which stands for all events of an asset up to ``created_at``.
"""

parked_event = Table(
    f"{PREFIX}parked_event",
    metadata,
    airflow_id("dag_id", primary_key=True),
    Column("event_id", Integer, primary_key=True, autoincrement=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""The same of Airflow since 3.4, whose queue has a row for each event."""

repeat = Table(
    f"{PREFIX}repeat",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=False),
    Column("original_id", Integer, primary_key=True, autoincrement=False, index=True),
)
"""Airflow's asset events that repeat earlier ones: each with all that it repeats, repeats of those among them."""

delivery = Table(
    f"{PREFIX}delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", String(36), nullable=False, unique=True),
    owned_by("rerun_id", "rerun"),
    Column("target", String(250), nullable=False),
    Column("condition", String(50), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text),
    Column("members", JSON, nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("error", String(100)),
    sqlite_autoincrement=True,
)
Index(None, delivery.c.state, delivery.c.due_at)
Index(None, delivery.c.rerun_id, delivery.c.id)
"""What a target is to be told, or was. Without a rerun it is a test. A row is written in the transaction that it tells
of; ``due_at`` is also until when whoever has begun a try has it to themselves.
"""

proposal = Table(
    f"{PREFIX}proposal",
    metadata,
    owned_by("rerun_id", "rerun", primary_key=True),
    Column("request", JSON, nullable=False),
    Column("plan_token", Text, nullable=False),
)
"""What was asked of a rerun that is only proposed. Its members and links are those of the plan as it was then; with an
approval the row goes, and they are those of the plan as it is.
"""

idempotency_key = Table(
    f"{PREFIX}idempotency_key",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("body", String(64), nullable=False),
    owned_by("rerun_id", "rerun", nullable=False, index=True),
)
"""Which rerun has come of a user's key; the digests of `IdempotencyKey`."""

TABLES = frozenset(metadata.tables)
"""The names of all tables, without alembic's own."""


def existing_tables(connection: Connection) -> frozenset[str]:
    """Which of our tables exist, alembic's own included. One look into the catalogue."""
    return (TABLES | {VERSION_TABLE}) & frozenset(inspect(connection).get_table_names())
