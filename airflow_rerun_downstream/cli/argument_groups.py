"""The arguments that several verbs have in common, in the groups in which they come."""

from __future__ import annotations

import argparse

from airflow_rerun_downstream.cli.arguments import OneOf, TasksOfMember, argument, many, positive, switch
from airflow_rerun_downstream.domain.states import RerunState

STATES = tuple(each.value for each in RerunState)

LINK_KINDS = ("asset", "trigger", "sensor", "marker", "inlet", "previous_run", "declared")

REACH = (
    argument(
        "--url",
        help=(
            "Airflow's address, to use its REST API. Default: the metadata database of the local Airflow. Also "
            "$AIRFLOW_RERUN_DOWNSTREAM_URL."
        ),
    ),
    argument(
        "--token",
        help=(
            "A token for --url. Prefer $AIRFLOW_RERUN_DOWNSTREAM_TOKEN: anyone on this machine can read a "
            "process's arguments."
        ),
    ),
    argument(
        "--username",
        help=(
            "A username for --url instead of a token; the password is $AIRFLOW_RERUN_DOWNSTREAM_PASSWORD, or "
            "prompted for. Also $AIRFLOW_RERUN_DOWNSTREAM_USERNAME."
        ),
    ),
)
OUTPUT = (
    argument(
        "--output",
        "-o",
        help="Output format: a table, or the REST API's objects as JSON or YAML.",
        choices=("table", "json", "yaml"),
        default="table",
    ),
)
COMMON = REACH + OUTPUT

SOURCE = (
    argument("dag_id", help="The Dag of the source run.", metavar="DAG_ID", nargs="?"),
    argument("run_id", help="The source run.", metavar="RUN_ID", nargs="?"),
    many(
        "--task-id",
        "A task (or task group) of the source run to rerun, task_id or task_id[map_index]. "
        "Default: the failed ones, or all if none has failed.",
        metavar="TASK",
    ),
    switch("--already-right", "The source's data is already right: rerun only what is downstream of it."),
    switch("--include-manual", "Show manual and backfill runs too."),
    many(
        "--link-kind",
        f"Follow only links of this kind: {', '.join(LINK_KINDS[:-1])} or {LINK_KINDS[-1]}.",
        type=OneOf("kind of link", LINK_KINDS),
        metavar="KIND",
    ),
    argument("--max-runs", help="Refuse a plan with more downstream runs.", type=positive, metavar="N"),
    argument("--max-depth", help="Follow links to this depth only.", type=positive, metavar="N"),
    argument("--file", "-f", help="A REST API request body (JSON) instead of arguments; - reads stdin."),
)
SELECTION = (
    many(
        "--member",
        "A downstream run to rerun; everything after the first slash is the run id. Default: the plan's selection.",
        metavar="DAG_ID/RUN_ID",
    ),
    argument(
        "--member-tasks",
        help=(
            "The tasks of the preceding --member, task_id or task_id[map_index]. Default: the plan's selection "
            "for that run."
        ),
        action=TasksOfMember,
        dest="member",
        default=argparse.SUPPRESS,
        metavar="TASK[,TASK...]",
    ),
    switch("--only-source", "Rerun nothing downstream."),
    switch("--freeze-mode", "Also accept queued or running --member runs: they are stopped, then rerun in order."),
    many(
        "--freeze",
        "A downstream run to hold until the rerun succeeds, in freeze mode: DAG_ID@LOGICAL_DATE or "
        "DAG_ID@next (not created yet; next: started by assets), DAG_ID@partition:KEY, or DAG_ID/RUN_ID.",
        metavar="DAG_ID@WHICH",
    ),
    argument("--plan-token", help="The plan's token: refuse if something has changed since.", metavar="TOKEN"),
    argument(
        "--idempotency-key",
        help="Of all submits of yours with this key, one makes a rerun; the others show it.",
        metavar="KEY",
    ),
    argument("--name", help="A name for the record."),
    argument("--reason", help="Why, for the record."),
    argument(
        "--on-failure",
        help="If a member fails: continue_other_branches (those that don't need it), or pause.",
        choices=("continue_other_branches", "pause"),
        metavar="WHAT",
    ),
    argument("--max-active-members", help="How many runs may be in flight at once.", type=positive, metavar="N"),
    switch("--latest-version", "Run on the latest version of each Dag."),
    switch("--same-version", "Run on the Dag version that each run had."),
    switch("--no-stop-on-terminate", "Let runs in flight continue when the rerun is terminated."),
    switch("--accept-unknown-offsets", "Continue although runs of sensors with an unknown offset may be missing."),
    switch("--accept-duplicate-runs", "Continue although repeated asset events would start extra runs."),
    many(
        "--notify",
        "Notify a configured target: TARGET, or TARGET:condition,condition with succeeded, terminated, member_failed, "
        "paused, not_proven, frozen_too_long. Default: the first three.",
        metavar="TARGET[:CONDITION,...]",
    ),
)
DRY_RUN = switch("--dry-run", "Only show what would happen, in which order, or why it would be refused.")
WAITING = (
    switch("--wait", "Wait until the rerun ends and show progress; fail unless it succeeds."),
    argument("--timeout", help="Wait at most this many seconds.", type=float, metavar="SECONDS"),
)
WAITING_FOR_RELEASE = (
    switch("--wait", "Wait until the conductor has released them."),
    argument("--timeout", help="Wait at most this many seconds.", type=float, metavar="SECONDS"),
)
RERUN = argument("rerun_id", help="The rerun's id.", type=int, metavar="ID")
MEMBER = argument("member_id", help="The member's id.", type=int, metavar="MEMBER_ID")
TARGET = argument("target", help="The target's name.", metavar="TARGET")
PAGE = (
    argument("--limit", help="How many entries.", type=int, default=50, metavar="N"),
    argument("--offset", help="How many entries to skip.", type=int, default=0, metavar="N"),
)
PART_OF_RECORD = (
    argument(
        "--limit", help="How many entries. Default: 50; with JSON or YAML, all members.", type=positive, metavar="N"
    ),
    argument("--offset", help="How many entries to skip.", type=int, default=0, metavar="N"),
)
FILTERS = (
    many("--state", "Only reruns in this state.", type=OneOf("state of a rerun", STATES)),
    argument("--dag-id", help="Only reruns with a run of this Dag."),
    argument("--run-id", help="Only reruns with this run."),
    argument("--search", help="Only reruns with this in their name or reason, in any case."),
    argument("--created-by", help="Only this user's reruns."),
    argument("--created-at-gte", help="Only reruns from this time on (ISO 8601 with zone)."),
    argument("--created-at-lte", help="Only reruns up to this time (ISO 8601 with zone)."),
    switch("--frozen", "Only reruns with frozen runs; the table lists those runs."),
    argument("--order-by", help="A field, with - before it for descending.", default="-id", metavar="FIELD"),
)
PART = argument(
    "--part",
    help="Print only this part of the record: members, not-made-anew, links, events or notifications.",
    choices=("members", "not-made-anew", "links", "events", "notifications"),
    metavar="PART",
)
